//! The same rules said a second time and in another way, for tests only: permit policies and forbid
//! policies with names, as a policy language would have them, straight over the papers. No grants, no
//! instants: days of the calendar. Shares no rule with [`crate::effective`] or [`crate::decide`].

use jiff::civil::Date;
use model::network::{Facility, FacilityKind, Limit, Network, Profession, Topology};
use model::papers::{ConsentState, LinkState};
use model::record::Sensitivity;
use model::time::Instant;

use crate::effective::{ConsentFacts, PatientPapers};
use crate::question::RecordFacts;
use crate::requester::Requester;

/// One attempt to look at one record.
pub(crate) struct Attempt<'a> {
    pub(crate) network: &'a Network,
    pub(crate) papers: &'a PatientPapers,
    pub(crate) requester: &'a Requester,
    pub(crate) suspended: bool,
    pub(crate) record: &'a RecordFacts,
    pub(crate) now: Instant,
}

/// A policy that forbids, whatever permits.
type Forbid = fn(&Attempt<'_>) -> bool;

const FORBIDS: [(&str, Forbid); 12] = [
    ("stranger", |it| {
        member(it.network, it.requester.facility()).is_none()
    }),
    ("suspended", |it| it.suspended),
    ("weak sign-in", |it| {
        let accepted = it
            .network
            .profile
            .staff_methods
            .iter()
            .filter(|method| !method.is_empty());
        !accepted.clone().any(|method| {
            method
                .iter()
                .all(|factor| it.requester.factors().contains(factor))
        })
    }),
    ("administrative role", |it| {
        [Profession::Secretariat, Profession::Administrator].contains(&it.requester.profession())
    }),
    ("profession not admitted", |it| {
        it.network
            .profile
            .professions
            .iter()
            .all(|admitted| *admitted != it.requester.profession())
    }),
    ("beyond the profession", |it| {
        let rights = it.network.profile.rights.get(&it.requester.profession());
        !rights.is_some_and(|rights| rights.iter().any(|category| category == it.record.category))
    }),
    ("source not in the network", |it| {
        member(it.network, &it.record.source).is_none()
    }),
    ("not disclosed by the source", |it| {
        member(it.network, &it.record.source).is_none_or(|source| {
            source
                .discloses
                .iter()
                .all(|category| category != it.record.category)
        })
    }),
    ("against the topology", |it| {
        match it.network.profile.topology {
            Topology::Hub => false,
            Topology::Single => it.requester.facility() != &it.record.source,
            Topology::Mutual => member(it.network, it.requester.facility())
                .is_none_or(|reader| reader.discloses.iter().count() == 0),
            Topology::OneToMany => member(it.network, &it.record.source)
                .is_none_or(|source| source.kind != FacilityKind::Hospital),
        }
    }),
    ("delicate", |it| {
        it.record.sensitivity != Sensitivity::Normal
    }),
    ("the regulation is not in force yet", |it| {
        it.now.day() < it.network.profile.effective_from
    }),
    ("the network is over", |it| {
        let profile = &it.network.profile;
        profile.ends_on.is_some_and(|last| it.now.day() > last)
            || profile
                .retention
                .until
                .is_some_and(|last| it.now.day() > last)
    }),
];

/// Whether the attempt succeeds: some consent permits it and nothing forbids it.
pub(crate) fn allows(attempt: &Attempt<'_>) -> bool {
    let known = attempt.papers.links.iter().any(|link| {
        matches!(link.state, LinkState::Proved) && link.facility == attempt.record.source
    });
    known
        && attempt
            .papers
            .consents
            .iter()
            .any(|consent| permits(attempt, consent))
        && FORBIDS.iter().all(|(_, forbids)| !forbids(attempt))
}

fn permits(attempt: &Attempt<'_>, consent: &ConsentFacts) -> bool {
    let today = attempt.now.day();
    let everybody = matches!(
        attempt.network.profile.consent_scope,
        model::network::ConsentScope::AllMembers
    );
    matches!(consent.state, ConsentState::Active)
        && (everybody || consent.sources.contains(&attempt.record.source))
        && (everybody || consent.readers.contains(attempt.requester.facility()))
        && consent
            .categories
            .iter()
            .any(|category| category == attempt.record.category)
        && !(today < consent.from || consent.to.is_some_and(|last| last < today))
        && in_window(attempt, consent)
}

fn in_window(attempt: &Attempt<'_>, consent: &ConsentFacts) -> bool {
    let window = attempt.network.profile.window;
    let anchor = consent.active_since.day();
    let occurred = attempt.record.occurred_from.day();
    let early = match window.back {
        Limit::Unlimited => false,
        Limit::Span { months, days, .. } => occurred < walked(moved(anchor, -months), -days),
    };
    let late = match window.forward {
        Limit::Unlimited => false,
        Limit::Span { months, days, .. } => occurred > walked(moved(anchor, months), days),
    };
    !early && !late
}

/// The same day of another month, or that month's last day when it is shorter.
fn moved(date: Date, months: i32) -> Date {
    let count = i32::from(date.year()) * 12 + i32::from(date.month()) - 1 + months;
    let first = Date::constant(
        i16::try_from(count.div_euclid(12)).unwrap(),
        i8::try_from(count.rem_euclid(12) + 1).unwrap(),
        1,
    );
    let day = date.day().min(first.days_in_month());
    Date::constant(first.year(), first.month(), day)
}

/// Day by day forward or back.
fn walked(date: Date, days: i32) -> Date {
    let step = |date: Date| {
        if days < 0 {
            date.yesterday()
        } else {
            date.tomorrow()
        }
    };
    (0..days.abs()).fold(date, |date, _| step(date).unwrap())
}

fn member<'a>(network: &'a Network, code: &model::id::FacilityId) -> Option<&'a Facility> {
    network
        .facilities
        .values()
        .find(|facility| facility.code == *code)
}
