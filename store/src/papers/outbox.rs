//! What must follow from a paper in other databases. A row is written in the paper's own transaction
//! and deleted when its work is done, so that a crash between the two loses nothing; doing the work
//! twice must change nothing.

use model::id::{FacilityId, PatientId, PatientNumber, PersonId};
use model::papers::ConsentNo;
use model::time::Instant;
use serde::{Deserialize, Serialize};

use super::{Papers, facility_id, public_id};
use crate::Shared;
use crate::audit::{Action, Event};
use crate::db::{Insert, Tx, Type, params};
use crate::error::Error;

/// One thing that must follow.
pub struct Errand {
    /// Its number.
    pub id: i64,
    /// Whose papers.
    pub patient: PatientNumber,
    /// The patient's public id.
    pub public: PatientId,
    /// The state of the papers now; names the generation of a key that must be made.
    pub epoch: i64,
    /// Not before.
    pub due_at: Instant,
    /// What; an error when its row does not say it.
    pub what: Result<What, Error>,
}

/// What must follow.
pub enum What {
    /// The patient gets a key and a row among the records.
    Introduce,
    /// A facility's data of the patient are fetched.
    BackFill(FacilityId),
    /// Somebody looks what must be erased.
    Erase,
    /// The patient's grants are brought in line with the regulation in force.
    Follow,
    /// A row is written to the audit.
    Audit(Box<Event>),
}

/// What the audit must know of a change of papers.
#[derive(Serialize, Deserialize)]
pub(super) struct Note {
    action: Action,
    operator: i64,
    of: String,
    epoch: i64,
    at: i64,
}

impl Note {
    /// A change of a consent.
    pub(super) fn of_consent(
        action: Action,
        operator: PersonId,
        number: &ConsentNo,
        epoch: i64,
        at: Instant,
    ) -> Self {
        Self {
            action,
            operator: operator.0,
            of: number.to_string(),
            epoch,
            at: at.0,
        }
    }

    /// What became of a link.
    pub(super) fn of_link(action: Action, facility: &FacilityId, epoch: i64, at: Instant) -> Self {
        Self {
            action,
            operator: 0,
            of: facility.to_string(),
            epoch,
            at: at.0,
        }
    }

    fn event(&self, patient: PatientNumber, public: PatientId) -> Event {
        Event::new(self.action)
            .by_person(PersonId(self.operator))
            .about(patient, public, self.epoch)
            .of(self.of.as_str())
            .with(format!("entered at {}", Instant(self.at)))
    }
}

const INTRODUCE: i64 = 1;
const BACK_FILL: i64 = 2;
const ERASE: i64 = 3;
const AUDIT: i64 = 4;
const FOLLOW: i64 = 5;

const OUTBOX: Insert = Insert {
    table: "outbox",
    columns: &[
        ("id", Type::Int),
        ("patient", Type::Int),
        ("kind", Type::Int),
        ("facility", Type::Int),
        ("due_at", Type::Int),
        ("sealed", Type::Bytes),
    ],
    conflict: "",
};

/// What a paper's transaction posts.
pub(super) enum Post<'a> {
    Introduce,
    BackFill(&'a FacilityId),
    Erase,
    Follow,
    Note(&'a Note),
}

/// What must follow of a patient, not before a moment.
pub(super) type Posted<'a> = (PatientNumber, Post<'a>, Instant);

/// Posts what must follow, not before `due_at`.
pub(super) async fn post(
    shared: &Shared,
    tx: &mut Tx,
    patient: PatientNumber,
    what: Post<'_>,
    due_at: Instant,
) -> Result<(), Error> {
    post_all(shared, tx, &[(patient, what, due_at)]).await
}

/// Posts what must follow, in this order.
pub(super) async fn post_all(
    shared: &Shared,
    tx: &mut Tx,
    posted: &[Posted<'_>],
) -> Result<(), Error> {
    if posted.is_empty() {
        return Ok(());
    }
    let last: Option<(i64,)> = tx
        .fetch_optional("select coalesce(max(id), 0) from outbox", params![])
        .await?;
    // By the clock, so that no number is used again: whoever does an errand forgets it by its number.
    let before = shared.clock.now().0.saturating_sub(1);
    let mut id = last.map_or(before, |(id,)| id.max(before));
    let mut rows = Vec::with_capacity(posted.len());
    for (patient, what, due_at) in posted {
        id += 1;
        let (kind, facility, sealed) = match what {
            Post::Introduce => (INTRODUCE, 0, Vec::new()),
            Post::BackFill(facility) => (BACK_FILL, facility.number(), Vec::new()),
            Post::Erase => (ERASE, 0, Vec::new()),
            Post::Follow => (FOLLOW, 0, Vec::new()),
            Post::Note(note) => {
                let plain = serde_json::to_vec(note)
                    .map_err(|error| Error::Other("audit note", error.into()))?;
                (AUDIT, 0, shared.keys.seal_office(&place(id), &plain)?)
            }
        };
        rows.push(params![id, *patient, kind, facility, *due_at, sealed].to_vec());
    }
    tx.insert_many(&OUTBOX, rows).await?;
    Ok(())
}

/// Where an errand's content is sealed to.
fn place(id: i64) -> String {
    format!("outbox {id}")
}

type Row = (i64, i64, Vec<u8>, i64, i64, i64, i64, Vec<u8>);

impl Papers {
    /// What must follow from papers behind an errand (0: the beginning), in the order in which it came,
    /// at most `limit`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn outbox(&self, behind: i64, limit: u32) -> Result<Vec<Errand>, Error> {
        let sql = "select o.id, o.patient, p.public_id, p.epoch, o.kind, o.facility, o.due_at, o.sealed \
                   from outbox o join patient p on p.number = o.patient where o.id > $1 order by o.id limit cast($2 as bigint)";
        let rows: Vec<Row> = self
            .shared()
            .office
            .fetch_all(sql, params![behind, i64::from(limit)])
            .await?;
        rows.into_iter().map(|row| self.errand(row)).collect()
    }

    /// Forgets errands whose work is done, or durably planned elsewhere.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn done(&self, errands: &[&Errand]) -> Result<(), Error> {
        if errands.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = errands.iter().map(|errand| errand.id).collect();
        let mut tx = self.shared().office.begin().await?;
        tx.execute_among("delete from outbox where id", &ids)
            .await?;
        tx.commit().await
    }

    fn errand(&self, row: Row) -> Result<Errand, Error> {
        let (id, patient, public, epoch, kind, facility, due_at, sealed) = row;
        let (patient, public) = (PatientNumber(patient), public_id(public)?);
        let note = || {
            let plain = self.shared().keys.open_office(&place(id), &sealed)?;
            let note: Note =
                serde_json::from_slice(&plain).map_err(|_| Error::Corrupt("audit note"))?;
            Ok(What::Audit(Box::new(note.event(patient, public))))
        };
        let what = match kind {
            INTRODUCE => Ok(What::Introduce),
            BACK_FILL => facility_id(facility).map(What::BackFill),
            ERASE => Ok(What::Erase),
            FOLLOW => Ok(What::Follow),
            AUDIT => note(),
            _ => Err(Error::Corrupt("errand")),
        };
        Ok(Errand {
            id,
            patient,
            public,
            epoch,
            due_at: Instant(due_at),
            what,
        })
    }
}
