//! What is kept of one patient at one facility, before a change.

use model::id::{FacilityId, PatientNumber};
use model::time::Instant;

use super::columns::numbers;
use super::{Item, Known, Origin, Outcome, Slot};
use crate::db::{Db, params};
use crate::error::Error;
use crate::raw::Place;

type ItemRow = (
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
);
type SlotRow = (i64, i64, i64, Vec<u8>, Vec<u8>);

pub(super) async fn known(
    db: &Db,
    patient: PatientNumber,
    facility: &FacilityId,
) -> Result<Known, Error> {
    let items = "select slot, path, kind, flag, version, department, content, size, modified, event_at, cancels, outcome, origin, \
                 segment, frame_at, frame_length from item where patient = $1 and facility = $2";
    let slots =
        "select slot, state, joins, published, keys from slot where patient = $1 and facility = $2";
    let joins: Option<(i64,)> = db
        .fetch_optional(
            "select joins from patient where number = $1",
            params![patient],
        )
        .await?;
    // INVARIANT: whatever is kept of a patient was written behind the patient's row.
    let Some((joins,)) = joins else {
        return Ok(Known::default());
    };
    let items: Vec<ItemRow> = db.fetch_all(items, params![patient, facility]).await?;
    let slots: Vec<SlotRow> = db.fetch_all(slots, params![patient, facility]).await?;
    Ok(Known {
        items: items.into_iter().map(item).collect(),
        slots: slots.into_iter().map(|row| (row.0, slot(row))).collect(),
        joins,
    })
}

fn item(row: ItemRow) -> Item {
    Item {
        slot: row.0,
        path: row.1,
        kind: row.2,
        flag: row.3,
        version: Instant(row.4),
        department: row.5,
        content: row.6,
        size: row.7,
        modified: row.8,
        event_at: Some(Instant(row.9)).filter(|at| *at != Instant::MIN),
        cancels: row.10 != 0,
        outcome: match row.11 {
            1 => Outcome::Read,
            2 => Outcome::Kept,
            _ => Outcome::Withheld,
        },
        origin: match row.12 {
            1 => Origin::Storage,
            _ => Origin::Pushed,
        },
        number: if row.12 == 1 { 0 } else { row.12 },
        place: Some(Place {
            segment: row.13,
            at: row.14,
            length: row.15,
        }),
    }
}

fn slot((slot, state, joins, published, keys): SlotRow) -> Slot {
    let published = numbers(&published)
        .chunks_exact(2)
        .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
        .collect();
    Slot {
        slot,
        state,
        joins,
        published,
        keys: numbers(&keys),
    }
}
