//! What a replay changes of a patient: all that is shown as before is taken away.

use std::collections::{BTreeMap, BTreeSet};

use model::record::Record;
use store::{Item, ItemChange, Joined, Known, PatientChange, SlotChange};

use super::Replayed;

/// What is left to write when all that is as before is taken away; nothing when all is.
pub(super) fn difference(
    mut change: PatientChange,
    known: &Known,
    changed: &BTreeSet<i64>,
    before: &[Record],
    replayed: &mut Replayed,
) -> Option<PatientChange> {
    change
        .slots
        .retain(|slot| is_shown_otherwise(slot, changed));
    let shown = change.slots.iter().flat_map(|slot| &slot.publish);
    let shown: BTreeSet<i64> = shown.map(|publish| publish.path).collect();
    let kept: BTreeMap<i64, &Item> = known.items.iter().map(|item| (item.path, item)).collect();
    let as_it_is = |change: ItemChange| {
        let path = change.item.path;
        if changed.contains(&path) {
            return Some(change);
        }
        let item = kept.get(&path).filter(|_| shown.contains(&path))?;
        Some(ItemChange {
            item: (*item).clone(),
            packed: None,
            findings: None,
            fresh: false,
        })
    };
    change.items = change.items.into_iter().filter_map(as_it_is).collect();
    change.joined = change.joined.filter(|joined| differ(before, joined));
    if let Some(joined) = &change.joined {
        let after: Vec<&Record> = joined.iter().map(|joined| &joined.record).collect();
        replayed.count(before, &after);
    }
    let nothing = change.items.is_empty() && change.slots.is_empty() && change.joined.is_none();
    (!nothing).then_some(change)
}

fn is_shown_otherwise(slot: &SlotChange, changed: &BTreeSet<i64>) -> bool {
    let now = (slot.state, slot.joins, &slot.published);
    let before = slot.before.as_ref();
    let same = before.is_some_and(|before| (before.state, before.joins, &before.published) == now);
    !same
        || slot
            .publish
            .iter()
            .any(|publish| changed.contains(&publish.path))
}

fn differ(before: &[Record], after: &[Joined]) -> bool {
    let key = |record: &Record| (record.meta.kind, record.meta.source_key.clone());
    let before: BTreeMap<_, &Record> = before.iter().map(|record| (key(record), record)).collect();
    let same = |joined: &Joined| before.get(&key(&joined.record)) == Some(&&joined.record);
    before.len() != after.len() || !after.iter().all(same)
}
