//! All papers of one patient, opened.

use std::collections::{BTreeMap, BTreeSet};

use consent::{ConsentFacts, Link, PatientPapers};
use model::id::{FacilityId, LocalPatientId, PatientNumber};
use model::papers::{ConsentNo, ConsentPaper, ConsentState, LinkState};
use model::phi::Phi;
use model::time::Instant;

use super::{facility_id, link};
use crate::Shared;
use crate::db::Tx;
use crate::error::Error;
use crate::keys::Keys;

/// A consent with the state it is in. The first version of a consent number is the form itself; later
/// ones are what happened to it.
const CONSENTS: &str = "select c.patient, c.consent_no, c.state, c.active_since, c.withdrawn_at, c.erase_at, v.sealed \
     from consent c join consent_version v on v.consent_no = c.consent_no and v.version = 1 \
     where c.patient";
const LINKS: &str = "select patient, facility, token, sealed, state, wanted_from, wanted_to from link \
     where patient";

type ConsentRow = (i64, String, i64, i64, i64, i64, Vec<u8>);
type LinkRow = (i64, i64, i64, Vec<u8>, i64, i64, i64);

/// A consent as it is kept. Times that did not come are 0.
pub(super) struct Kept {
    pub(super) paper: ConsentPaper,
    pub(super) state: ConsentState,
    pub(super) active_since: Instant,
    pub(super) withdrawn_at: Instant,
    pub(super) erase_at: Instant,
}

impl Kept {
    /// Whether the form still counts as what the patient says: entered and not taken back.
    pub(super) const fn stands(&self) -> bool {
        matches!(self.state, ConsentState::Signed | ConsentState::Active)
    }

    /// Whether its data must be erased now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let ended = matches!(self.state, ConsentState::Withdrawn | ConsentState::Expired);
        ended && self.erase_at != Instant(0) && self.erase_at <= now
    }

    /// Whether it ended and nobody has erased yet what it brought, whether that is due or not.
    pub(super) fn may_have_left_data(&self) -> bool {
        let ended = matches!(self.state, ConsentState::Withdrawn | ConsentState::Expired);
        ended && self.active_since != Instant(0)
    }

    /// Whether data are still there because of it: active, or ended with the erasing not due.
    pub(super) fn holds_data(&self, now: Instant) -> bool {
        match self.state {
            ConsentState::Active => true,
            ConsentState::Withdrawn | ConsentState::Expired => {
                self.active_since != Instant(0) && !self.is_due(now)
            }
            ConsentState::Signed | ConsentState::Erased => false,
        }
    }
}

/// A local id as it is kept.
pub(super) struct KeptLink {
    pub(super) local: LocalPatientId,
    pub(super) token: i64,
    pub(super) state: LinkState,
    pub(super) wanted: Wanted,
}

/// When feeds may read a link; empty when never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) from: Instant,
    pub(super) to: Instant,
}

impl Wanted {
    pub(super) const NEVER: Self = Self {
        from: Instant(0),
        to: Instant(0),
    };
}

/// One patient's papers.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) consents: Vec<Kept>,
    pub(super) links: Vec<KeptLink>,
}

impl Ledger {
    /// The papers as a transaction sees them.
    pub(super) async fn load(
        shared: &Shared,
        tx: &mut Tx,
        patient: PatientNumber,
    ) -> Result<Self, Error> {
        let mut ledgers = Self::load_all(shared, tx, &[patient]).await?;
        Ok(ledgers.remove(&patient).unwrap_or_default())
    }

    /// The papers of several patients; of somebody without papers there is no ledger.
    pub(super) async fn load_all(
        shared: &Shared,
        tx: &mut Tx,
        patients: &[PatientNumber],
    ) -> Result<BTreeMap<PatientNumber, Self>, Error> {
        let numbers: Vec<i64> = patients.iter().map(|patient| patient.0).collect();
        let consents = tx.fetch_among(CONSENTS, &numbers).await?;
        let links = tx.fetch_among(LINKS, &numbers).await?;
        Self::open(&shared.keys, consents, links)
    }

    /// The papers as they are now.
    pub(super) async fn read(shared: &Shared, patient: PatientNumber) -> Result<Self, Error> {
        let consents = shared.office.fetch_among(CONSENTS, &[patient.0]).await?;
        let links = shared.office.fetch_among(LINKS, &[patient.0]).await?;
        let mut ledgers = Self::open(&shared.keys, consents, links)?;
        Ok(ledgers.remove(&patient).unwrap_or_default())
    }

    /// Consents in the order of their numbers, links in the order of facilities and tokens.
    fn open(
        keys: &Keys,
        mut consents: Vec<ConsentRow>,
        mut links: Vec<LinkRow>,
    ) -> Result<BTreeMap<PatientNumber, Self>, Error> {
        consents.sort_unstable_by(|one, other| one.1.cmp(&other.1));
        links.sort_unstable_by_key(|link| (link.1, link.2));
        let mut ledgers: BTreeMap<PatientNumber, Self> = BTreeMap::new();
        for row in consents {
            let ledger = ledgers.entry(PatientNumber(row.0)).or_default();
            ledger.consents.push(open_consent(keys, row)?);
        }
        for row in links {
            let ledger = ledgers.entry(PatientNumber(row.0)).or_default();
            ledger.links.push(open_link(keys, row)?);
        }
        Ok(ledgers)
    }

    /// The paper of a consent that has one.
    pub(super) fn paper(&self, number: &ConsentNo) -> Result<&ConsentPaper, Error> {
        let mut papers = self.consents.iter().map(|kept| &kept.paper);
        let paper = papers.find(|paper| paper.consent_no == *number);
        paper.ok_or(Error::Corrupt("consent without paper"))
    }

    /// Facility and token of every local id that some of the consents name.
    pub(super) fn named(
        &self,
        shared: &Shared,
        some: impl Fn(&Kept) -> bool,
    ) -> BTreeSet<(FacilityId, i64)> {
        let papers = self
            .consents
            .iter()
            .filter(|kept| some(kept))
            .map(|kept| &kept.paper);
        let locals = papers.flat_map(|paper| &paper.local_ids);
        locals
            .map(|local| (local.facility.clone(), link::token(shared, local)))
            .collect()
    }

    /// The link of a facility's number and a token.
    pub(super) fn link(&self, facility: i64, token: i64) -> Option<&KeptLink> {
        let mut links = self.links.iter();
        links.find(|link| link.token == token && link.local.facility.number() == facility)
    }

    /// Whether a facility agreed about a local id that the paper names.
    pub(super) fn has_proved_link(&self, shared: &Shared, paper: &ConsentPaper) -> bool {
        paper.local_ids.iter().any(|local| {
            let token = link::token(shared, local);
            self.links.iter().any(|link| {
                link.state == LinkState::Proved
                    && link.token == token
                    && link.local.facility == local.facility
            })
        })
    }

    /// What the decision looks at, with the consents that `counts` taken as active. Links are only
    /// those that such a consent names; `state` says how each of them is taken.
    pub(super) fn facts(
        &self,
        shared: &Shared,
        counts: impl Fn(&Kept) -> bool,
        state: impl Fn(&KeptLink) -> LinkState,
    ) -> PatientPapers {
        let named = self.named(shared, &counts);
        let counting = self.consents.iter().filter(|kept| counts(kept));
        let facts =
            |kept: &Kept| ConsentFacts::of(&kept.paper, ConsentState::Active, kept.active_since);
        let links = self
            .links
            .iter()
            .filter(|link| named.contains(&(link.local.facility.clone(), link.token)));
        PatientPapers {
            consents: counting.map(facts).collect(),
            links: links
                .map(|link| Link {
                    facility: link.local.facility.clone(),
                    state: state(link),
                })
                .collect(),
        }
    }
}

/// Where the version of a consent is sealed to.
pub(super) fn version_place(consent_no: &str, version: i64) -> String {
    format!("consent_version {consent_no} {version}")
}

/// Where a local id is sealed to.
pub(super) fn link_place(facility: &FacilityId, token: i64) -> String {
    format!("link {facility} {token}")
}

fn open_consent(keys: &Keys, row: ConsentRow) -> Result<Kept, Error> {
    let (_, number, state, active_since, withdrawn_at, erase_at, sealed) = row;
    let plain = keys.open_office(&version_place(&number, 1), &sealed)?;
    Ok(Kept {
        paper: serde_json::from_slice(&plain).map_err(|_| Error::Corrupt("paper"))?,
        state: consent_state(state)?,
        active_since: Instant(active_since),
        withdrawn_at: Instant(withdrawn_at),
        erase_at: Instant(erase_at),
    })
}

fn open_link(keys: &Keys, row: LinkRow) -> Result<KeptLink, Error> {
    let (_, facility, token, sealed, state, from, to) = row;
    Ok(KeptLink {
        local: open_local(keys, facility, token, &sealed)?,
        token,
        state: link_state(state)?,
        wanted: Wanted {
            from: Instant(from),
            to: Instant(to),
        },
    })
}

/// A sealed local id.
pub(super) fn open_local(
    keys: &Keys,
    facility: i64,
    token: i64,
    sealed: &[u8],
) -> Result<LocalPatientId, Error> {
    let facility = facility_id(facility)?;
    let plain = keys.open_office(&link_place(&facility, token), sealed)?;
    let id = String::from_utf8(plain).map_err(|_| Error::Corrupt("local id"))?;
    Ok(LocalPatientId {
        facility,
        id: Phi::new(id),
    })
}

/// The state behind the number in a row.
pub(super) fn consent_state(number: i64) -> Result<ConsentState, Error> {
    match number {
        1 => Ok(ConsentState::Signed),
        2 => Ok(ConsentState::Active),
        3 => Ok(ConsentState::Withdrawn),
        4 => Ok(ConsentState::Erased),
        5 => Ok(ConsentState::Expired),
        _ => Err(Error::Corrupt("consent state")),
    }
}

/// The state behind the number in a row.
pub(super) fn link_state(number: i64) -> Result<LinkState, Error> {
    match number {
        0 => Ok(LinkState::Unproved),
        1 => Ok(LinkState::Proved),
        2 => Ok(LinkState::Disagrees),
        _ => Err(Error::Corrupt("link state")),
    }
}
