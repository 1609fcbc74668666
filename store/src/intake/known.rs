//! What is kept of one patient at one facility, before a change.

use model::id::{FacilityId, PatientNumber};
use model::time::Instant;

use super::columns::numbers;
use super::{Item, Known, Origin, Outcome, Slot};
use crate::db::{Db, params};
use crate::error::Error;
use crate::raw::Place;

#[derive(sqlx::FromRow)]
struct ItemRow {
    slot: i64,
    number: i64,
    path: i64,
    kind: i64,
    flag: i64,
    version: i64,
    department: i64,
    content: i64,
    size: i64,
    modified: i64,
    event_at: i64,
    cancels: i64,
    outcome: i64,
    origin: i64,
    segment: i64,
    frame_at: i64,
    frame_length: i64,
}

type SlotRow = (i64, i64, i64, Vec<u8>, Vec<u8>);

pub(super) async fn known(
    db: &Db,
    patient: PatientNumber,
    facility: &FacilityId,
) -> Result<Known, Error> {
    let items = "select slot, number, path, kind, flag, version, department, content, size, modified, event_at, cancels, outcome, \
                 origin, segment, frame_at, frame_length from item where patient = $1 and facility = $2";
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
        items: items.iter().map(item).collect(),
        slots: slots.into_iter().map(|row| (row.0, slot(row))).collect(),
        joins,
    })
}

fn item(row: &ItemRow) -> Item {
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
