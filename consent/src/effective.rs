//! Papers → effective grants: for one patient, which reader may see which categories of which source,
//! when, and of which time. The store keeps the result as rows and joins every query with them.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::Date;
use model::id::FacilityId;
use model::network::{
    Anchor, ConsentScope, Facility, FacilityKind, Limit, Network, Topology, Window,
};
use model::papers::{ConsentPaper, ConsentState, EffectiveGrant, Facilities, LinkState};
use model::record::{Categories, Sensitivity};
use model::time::Instant;

/// What a consent says about who may see what; nothing of who the patient is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentFacts {
    /// Where it stands.
    pub state: ConsentState,
    /// When it became active.
    pub active_since: Instant,
    /// Whose data.
    pub sources: Facilities,
    /// Who looks.
    pub readers: Facilities,
    /// Which categories.
    pub categories: Categories,
    /// First day.
    pub from: Date,
    /// Last day; open when absent.
    pub to: Option<Date>,
}

impl ConsentFacts {
    /// The facts of a paper.
    pub fn of(paper: &ConsentPaper, state: ConsentState, active_since: Instant) -> Self {
        Self {
            state,
            active_since,
            sources: paper.sources.clone(),
            readers: paper.readers.clone(),
            categories: paper.categories,
            from: paper.from,
            to: paper.to,
        }
    }
}

/// A local id of the patient, without the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The facility that gave the number.
    pub facility: FacilityId,
    /// Whether the facility's own demographics agree with the papers.
    pub state: LinkState,
}

/// All papers of one patient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatientPapers {
    /// Every consent, whatever its state.
    pub consents: Vec<ConsentFacts>,
    /// Every local id.
    pub links: Vec<Link>,
}

/// When a grant holds and which occurrences it shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Extent {
    valid_from: Instant,
    valid_to: Instant,
    window_from: Instant,
    window_to: Instant,
}

/// The grants that follow from a patient's papers, in a fixed order. Consents add up: each gives its
/// own grants, equal ones are one. What is over at `now` is left out.
///
/// A facility that looks at its own records needs the consent like any other.
pub fn effective(papers: &PatientPapers, network: &Network, now: Instant) -> Vec<EffectiveGrant> {
    let mut grants = BTreeSet::new();
    for consent in papers
        .consents
        .iter()
        .filter(|consent| consent.state == ConsentState::Active)
    {
        let extent = extent(consent, network);
        if extent.valid_to <= now.max(extent.valid_from) {
            continue;
        }
        for source in
            sources(papers, network).filter(|source| reaches(&consent.sources, source, network))
        {
            let categories = consent.categories.and(source.discloses);
            if categories.is_empty() {
                continue;
            }
            let readers = network
                .facilities
                .values()
                .filter(|reader| reaches(&consent.readers, reader, network));
            for reader in
                readers.filter(|reader| may_disclose(network.profile.topology, source, reader))
            {
                grants.insert((&reader.code, &source.code, extent, categories.0));
            }
        }
    }
    let grant = |(reader, source, extent, categories)| {
        grant(reader, source, extent, Categories(categories))
    };
    grants.into_iter().map(grant).collect()
}

fn grant(
    reader: &FacilityId,
    source: &FacilityId,
    extent: Extent,
    categories: Categories,
) -> EffectiveGrant {
    EffectiveGrant {
        reader: reader.clone(),
        source: source.clone(),
        categories,
        sensitivity_max: Sensitivity::Normal,
        valid_from: extent.valid_from,
        valid_to: extent.valid_to,
        window_from: extent.window_from,
        window_to: extent.window_to,
    }
}

/// The facilities that know the patient beyond doubt.
fn sources<'a>(papers: &PatientPapers, network: &'a Network) -> impl Iterator<Item = &'a Facility> {
    let proved = papers
        .links
        .iter()
        .filter(|link| link.state == LinkState::Proved);
    proved.filter_map(|link| network.facilities.get(&link.facility))
}

/// Whether the form reaches a facility of the network.
fn reaches(named: &Facilities, facility: &Facility, network: &Network) -> bool {
    match network.profile.consent_scope {
        ConsentScope::PerFacility => named.contains(&facility.code),
        ConsentScope::AllMembers => true,
    }
}

/// Whether the network is built so that the source discloses to the reader.
fn may_disclose(topology: Topology, source: &Facility, reader: &Facility) -> bool {
    match topology {
        Topology::OneToMany => source.kind == FacilityKind::Hospital,
        // Who discloses nothing is no partner of a mutual agreement.
        Topology::Mutual => !reader.discloses.is_empty(),
        Topology::Hub => true,
        Topology::Single => source.code == reader.code,
    }
}

/// The period of the consent, as long as the regulation, the network and its data last, and the
/// window.
fn extent(consent: &ConsentFacts, network: &Network) -> Extent {
    let profile = &network.profile;
    let last_day = [consent.to, profile.ends_on, profile.retention.until]
        .into_iter()
        .flatten()
        .min();
    let (window_from, window_to) = window(&profile.window, consent.active_since);
    Extent {
        valid_from: Instant::start_of(consent.from.max(profile.effective_from)),
        valid_to: last_day.map_or(Instant::MAX, start_of_next),
        window_from,
        window_to,
    }
}

/// The occurrences that are shown: whole days before and after the anchor, and the anchor itself. A
/// span that leaves the calendar is as good as unlimited.
fn window(window: &Window, active_since: Instant) -> (Instant, Instant) {
    let Anchor::Publication = window.anchor;
    let anchor = active_since.day();
    let from = match window.back {
        Limit::Unlimited => Instant::MIN,
        Limit::Span {
            months,
            days,
            seconds,
        } => span(months, days)
            .and_then(|span| anchor.checked_sub(span).ok())
            .map_or(Instant::MIN, |day| {
                Instant::start_of(day).plus_seconds(seconds.saturating_neg())
            }),
    };
    let to = match window.forward {
        Limit::Unlimited => Instant::MAX,
        Limit::Span {
            months,
            days,
            seconds,
        } => span(months, days)
            .and_then(|span| anchor.checked_add(span).ok())
            .map_or(Instant::MAX, |day| start_of_next(day).plus_seconds(seconds)),
    };
    (from, to)
}

fn span(months: i32, days: i32) -> Option<Span> {
    Span::new()
        .try_months(months)
        .and_then(|span| span.try_days(days))
        .ok()
}

fn start_of_next(day: Date) -> Instant {
    day.tomorrow().map_or(Instant::MAX, Instant::start_of)
}
