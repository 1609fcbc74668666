//! Whose is a local id. Only papers link; nothing of a link is readable before it is proved.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{FacilityId, LocalPatientId, PatientId, PatientNumber};
use model::papers::LinkState;

use super::ledger::{link_place, link_state, open_local};
use super::{Conflict, Disagreement, PaperError, Papers, public_id};
use crate::Shared;
use crate::db::{Tx, params};
use crate::error::Error;

/// A patient whose folders a feed may read.
#[derive(Clone)]
pub struct RosterEntry {
    /// Whose.
    pub patient: PatientNumber,
    /// Public id.
    pub public: PatientId,
    /// The state of the papers that this was read under.
    pub epoch: i64,
    /// The numbers at the facility: mostly one, more where a hospital registered somebody again.
    pub links: Vec<Link>,
}

/// A number that papers give a patient at a facility.
#[derive(Clone)]
pub struct Link {
    /// The number, as the paper names it.
    pub local_id: LocalPatientId,
    /// Digest of the number: what stands under it tells so by this.
    pub number: i64,
    /// Whether the facility agrees. While it does not, nothing but its demographics may be read.
    pub state: LinkState,
}

impl Link {
    fn of(shared: &Shared, local_id: LocalPatientId, state: LinkState) -> Self {
        Self {
            number: number(shared, &local_id),
            local_id,
            state,
        }
    }
}

/// A local id in the form in which the facility's feeds compare ids.
fn canonical(shared: &Shared, local: &LocalPatientId) -> String {
    let id = local.id.reveal().as_str();
    let mut feeds = shared.network.feeds.values();
    let feed = feeds.find(|feed| feed.facility == local.facility);
    feed.map_or_else(|| id.trim().to_owned(), |feed| feed.identity.canonical(id))
}

/// The blind token of a local id: equal for ids that the facility's feeds take for the same.
pub(super) fn token(shared: &Shared, local: &LocalPatientId) -> i64 {
    let id = canonical(shared, local);
    let text = format!("{}|{id}", local.facility);
    shared.keys.blind("link local id", &text)
}

/// The digest of a local id among the records, as [`Link::number`].
pub(super) fn number(shared: &Shared, local: &LocalPatientId) -> i64 {
    let facility = local.facility.number().to_le_bytes();
    let id = canonical(shared, local);
    shared.keys.place("number", &[&facility, id.as_bytes()])
}

/// The patient behind a local id that feeds may read now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OnFile {
    pub(crate) patient: PatientNumber,
    pub(crate) public: PatientId,
    /// The state of the papers that this was read under.
    pub(crate) epoch: i64,
    /// Digest of the number, as [`Link::number`].
    pub(crate) number: i64,
}

/// Who of the local ids is on file: somebody whose paper names the id and is in force, unless the
/// facility has said that it means somebody else. Asked of the papers as they are now, in the order given.
pub(crate) async fn on_file(
    shared: &Shared,
    locals: &[&LocalPatientId],
) -> Result<Vec<Option<OnFile>>, Error> {
    let tokens: Vec<i64> = locals.iter().map(|local| token(shared, local)).collect();
    let mut asked = tokens.clone();
    asked.sort_unstable();
    asked.dedup();
    let sql = "select l.token, l.patient, p.public_id, p.epoch, l.wanted_from, l.wanted_to \
               from link l join patient p on p.number = l.patient where l.state <> 2 and l.token";
    let rows: Vec<(i64, i64, Vec<u8>, i64, i64, i64)> =
        shared.office.fetch_among(sql, &asked).await?;
    let now = shared.clock.now().0;
    let mut found = BTreeMap::new();
    for (token, patient, public, epoch, from, to) in rows {
        if from <= now && now < to {
            found.insert(token, (PatientNumber(patient), public_id(public)?, epoch));
        }
    }
    let on_file = |(local, token): (&&LocalPatientId, &i64)| {
        let (patient, public, epoch) = *found.get(token)?;
        Some(OnFile {
            patient,
            public,
            epoch,
            number: number(shared, local),
        })
    };
    Ok(locals.iter().zip(&tokens).map(on_file).collect())
}

/// The patient to whom some of the local ids are linked already, if there is one.
pub(super) async fn owner(
    shared: &Shared,
    tx: &mut Tx,
    locals: &[LocalPatientId],
) -> Result<Option<PatientNumber>, PaperError> {
    let mut owners = BTreeSet::new();
    for local in locals {
        let sql = "select patient from link where facility = $1 and token = $2";
        let rows: Vec<(i64,)> = tx
            .fetch_all(sql, params![&local.facility, token(shared, local)])
            .await?;
        owners.extend(rows.into_iter().map(|(patient,)| PatientNumber(patient)));
    }
    if owners.len() > 1 {
        return Err(Conflict::of(Disagreement::TwoPatients, owners));
    }
    Ok(owners.into_iter().next())
}

/// Links local ids to a patient because a paper names them.
pub(super) async fn add(
    shared: &Shared,
    tx: &mut Tx,
    patient: PatientNumber,
    locals: &[LocalPatientId],
) -> Result<(), Error> {
    let sql = "insert into link (patient, facility, token, sealed, state, wanted_from, wanted_to) \
               values ($1, $2, $3, $4, 0, 0, 0) on conflict do nothing";
    for local in locals {
        let token = token(shared, local);
        let sealed = shared.keys.seal_office(
            &link_place(&local.facility, token),
            local.id.reveal().as_bytes(),
        )?;
        tx.execute(sql, params![patient, &local.facility, token, sealed])
            .await?;
    }
    Ok(())
}

/// A paper that names a closed link anew is somebody who has looked: the facility is asked again.
pub(super) async fn ask_again(
    shared: &Shared,
    tx: &mut Tx,
    patient: PatientNumber,
    locals: &[LocalPatientId],
) -> Result<(), Error> {
    let sql = "update link set state = 0 where patient = $1 and facility = $2 and token = $3 and state = 2";
    for local in locals {
        tx.execute(sql, params![patient, &local.facility, token(shared, local)])
            .await?;
    }
    Ok(())
}

type LinkRow = (i64, i64, i64, Vec<u8>, i64, i64, i64);
type RosterRow = (i64, Vec<u8>, i64, i64, Vec<u8>, i64);
impl Papers {
    /// The patients whose folders a facility's feeds may read now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn roster(&self, facility: &FacilityId) -> Result<Vec<RosterEntry>, Error> {
        let sql = "select l.patient, p.public_id, p.epoch, l.token, l.sealed, l.state \
                   from link l join patient p on p.number = l.patient \
                   where l.facility = $1 and l.wanted_from <= $2 and l.wanted_to > $2 order by l.patient, l.token";
        let shared = self.shared();
        let rows: Vec<RosterRow> = shared
            .office
            .fetch_all(sql, params![facility, shared.clock.now()])
            .await?;
        let mut roster: Vec<RosterEntry> = Vec::new();
        for (patient, public, epoch, token, sealed, state) in rows {
            let patient = PatientNumber(patient);
            let local = open_local(&shared.keys, facility.number(), token, &sealed)?;
            let link = Link::of(shared, local, link_state(state)?);
            match roster.last_mut().filter(|last| last.patient == patient) {
                Some(last) => last.links.push(link),
                None => roster.push(RosterEntry {
                    patient,
                    public: public_id(public)?,
                    epoch,
                    links: vec![link],
                }),
            }
        }
        Ok(roster)
    }

    /// The same of some patients at a facility, with no link where no paper gives them one now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn entries(
        &self,
        facility: &FacilityId,
        patients: &[PatientNumber],
    ) -> Result<Vec<RosterEntry>, Error> {
        let shared = self.shared();
        let numbers: Vec<i64> = patients.iter().map(|patient| patient.0).collect();
        let sql = "select number, public_id, epoch from patient where number";
        let found: Vec<(i64, Vec<u8>, i64)> = shared.office.fetch_among(sql, &numbers).await?;
        let mut entries: BTreeMap<i64, RosterEntry> = BTreeMap::new();
        for (number, public, epoch) in found {
            let entry = RosterEntry {
                patient: PatientNumber(number),
                public: public_id(public)?,
                epoch,
                links: Vec::new(),
            };
            entries.insert(number, entry);
        }
        let sql = "select patient, facility, token, sealed, state, wanted_from, wanted_to from link where patient";
        let links: Vec<LinkRow> = shared.office.fetch_among(sql, &numbers).await?;
        let now = shared.clock.now().0;
        let here = links.into_iter().filter(|link| link.1 == facility.number());
        for (patient, facility, token, sealed, state, from, to) in here {
            let Some(entry) = entries.get_mut(&patient) else {
                continue;
            };
            if from <= now && now < to {
                let local = open_local(&shared.keys, facility, token, &sealed)?;
                let link = Link::of(shared, local, link_state(state)?);
                entry.links.push(link);
            }
        }
        Ok(entries.into_values().collect())
    }
}
