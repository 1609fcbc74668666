//! What is kept of a patient at a facility, before a change.

use std::collections::BTreeMap;

use model::id::{FacilityId, PatientNumber};
use model::time::Instant;

use super::columns::numbers;
use super::{Intake, Item, Known, Origin, Outcome, Slot};
use crate::db::params;
use crate::error::Error;
use crate::raw::Place;

/// A statement as SQLite and PostgreSQL read it. SQLite is told which index to take: without statistics
/// it would look through all that is kept of the patient.
pub(super) type Hinted = (&'static str, &'static str);

macro_rules! hinted {
    ($from:expr, $index:literal, $condition:literal) => {
        (
            concat!($from, $index, $condition),
            concat!($from, $condition),
        )
    };
}
pub(super) use hinted;

macro_rules! items {
    ($of:literal) => {
        concat!(
            "select i.patient, i.facility, i.slot, i.number, i.path, i.kind, i.flag, i.version, i.department, i.content, \
             i.size, i.modified, i.event_at, i.cancels, i.outcome, i.origin, i.segment, i.frame_at, i.frame_length from ",
            $of
        )
    };
}
macro_rules! slots {
    ($of:literal) => {
        concat!(
            "select s.patient, s.slot, s.state, s.joins, s.published, s.keys from ",
            $of
        )
    };
}

const ITEMS: &str = items!("item i where i.facility = $1 and i.patient");
pub(super) const ITEMS_OF: Hinted = hinted!(
    items!("q cross join item i"),
    "",
    " where i.patient = q.a and i.slot = q.b"
);
pub(super) const ITEMS_STORED: Hinted = hinted!(
    items!("q cross join item i"),
    " indexed by item_stored",
    " where i.patient = q.a and i.content = q.b and i.origin = 1"
);
const SLOTS: &str = slots!("slot s where s.facility = $1 and s.patient");
const SLOTS_JOINED: Hinted = hinted!(
    slots!("slot s"),
    " indexed by slot_joins",
    " where s.patient = $1 and s.facility = $2 and s.joins <> 0"
);
pub(super) const SLOTS_OF: Hinted = hinted!(
    slots!("q cross join slot s"),
    "",
    " where s.patient = q.a and s.slot = q.b"
);
/// Counts of what joins read.
pub(super) const JOINS: &str = "select number, joins from patient where number";

#[derive(sqlx::FromRow)]
pub(super) struct ItemRow {
    pub(super) patient: i64,
    pub(super) facility: i64,
    pub(super) slot: i64,
    number: i64,
    path: i64,
    kind: i64,
    flag: i64,
    version: i64,
    department: i64,
    pub(super) content: i64,
    size: i64,
    modified: i64,
    event_at: i64,
    cancels: i64,
    outcome: i64,
    pub(super) origin: i64,
    segment: i64,
    frame_at: i64,
    frame_length: i64,
}

/// A slot, behind the number of its patient.
pub(super) type SlotRow = (i64, i64, i64, i64, Vec<u8>, Vec<u8>);

impl Intake {
    /// All that is kept of a patient at a facility.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn known(
        &self,
        patient: PatientNumber,
        facility: &FacilityId,
    ) -> Result<Known, Error> {
        let mut known = self.known_of(&[patient], facility).await?;
        Ok(known.remove(&patient).unwrap_or_default())
    }

    /// The same of some patients; of whom nothing was ever kept is not among them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn known_of(
        &self,
        patients: &[PatientNumber],
        facility: &FacilityId,
    ) -> Result<BTreeMap<PatientNumber, Known>, Error> {
        // What joins read is counted before anything else is read: whoever changes it in between is
        // noticed when the change is accepted.
        let numbers: Vec<i64> = patients.iter().map(|patient| patient.0).collect();
        let joins: Vec<(i64, i64)> = self.db().fetch_among(JOINS, &numbers).await?;
        let counted = |(number, joins): (i64, i64)| {
            let known = Known {
                joins,
                ..Known::default()
            };
            (PatientNumber(number), known)
        };
        let mut known: BTreeMap<PatientNumber, Known> = joins.into_iter().map(counted).collect();
        // INVARIANT: whatever is kept of a patient was written behind the patient's row.
        let kept: Vec<i64> = known.keys().map(|patient| patient.0).collect();
        let items: Vec<ItemRow> = self.db().fetch_among_of(ITEMS, facility, &kept).await?;
        for row in items {
            if let Some(known) = known.get_mut(&PatientNumber(row.patient)) {
                known.items.push(item(&row));
            }
        }
        let slots: Vec<SlotRow> = self.db().fetch_among_of(SLOTS, facility, &kept).await?;
        for row in slots {
            if let Some(known) = known.get_mut(&PatientNumber(row.0)) {
                let (digest, slot) = slot(row);
                known.slots.insert(digest, slot);
            }
        }
        Ok(known)
    }

    /// The slots of a patient at a facility that joins read, with their items.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn joining(
        &self,
        patient: PatientNumber,
        facility: &FacilityId,
    ) -> Result<(BTreeMap<i64, Slot>, Vec<Item>), Error> {
        let of = params![patient, facility];
        let (sqlite, postgres) = SLOTS_JOINED;
        let joined = self.db().text(sqlite, postgres);
        let slots: Vec<SlotRow> = self.db().fetch_all(joined, of).await?;
        let slots: BTreeMap<i64, Slot> = slots.into_iter().map(slot).collect();
        let pairs: Vec<(i64, i64)> = slots.keys().map(|slot| (patient.0, *slot)).collect();
        let (sqlite, postgres) = ITEMS_OF;
        let items = self.db().text(sqlite, postgres);
        let items: Vec<ItemRow> = self.db().fetch_pairs(items, &pairs).await?;
        Ok((slots, items.iter().map(item).collect()))
    }
}

pub(super) fn item(row: &ItemRow) -> Item {
    Item {
        slot: row.slot,
        number: row.number,
        path: row.path,
        kind: row.kind,
        flag: row.flag,
        version: Instant(row.version),
        department: row.department,
        content: row.content,
        size: row.size,
        modified: row.modified,
        event_at: Some(Instant(row.event_at)).filter(|at| *at != Instant::MIN),
        cancels: row.cancels != 0,
        outcome: match row.outcome {
            1 => Outcome::Read,
            2 => Outcome::Kept,
            _ => Outcome::Withheld,
        },
        origin: match row.origin {
            1 => Origin::Storage,
            _ => Origin::Pushed,
        },
        place: Some(Place {
            segment: row.segment,
            at: row.frame_at,
            length: row.frame_length,
        }),
    }
}

pub(super) fn slot((_, slot, state, joins, published, keys): SlotRow) -> (i64, Slot) {
    let published = numbers(&published)
        .chunks_exact(2)
        .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
        .collect();
    let row = Slot {
        slot,
        state,
        joins,
        published,
        keys: numbers(&keys),
    };
    (slot, row)
}
