//! A cancel that does not tell which event it means.

use std::collections::BTreeSet;

use model::finding::Place;
use normalize::lint;
use store::{Known, Outcome};

use crate::patient::read::ReadFile;
use crate::patient::show::SlotKind;

/// State of a slot that shows something.
const SHOWN: i64 = 1;

/// A cancel event that does not say when its event was calls off the latest one of its kind under its
/// number: over a line nothing else tells which one is meant.
pub(super) fn call_off_the_latest(read: &mut [ReadFile], known: &Known) {
    let mut called_off = BTreeSet::new();
    for at in 0..read.len() {
        let (before, rest) = read.split_at_mut(at);
        let Some(cancel) = rest.first_mut().filter(|file| file.names_no_event()) else {
            continue;
        };
        let kind = &cancel.slot_kind.kind;
        let kept = known.items.iter();
        let events = kept.chain(before.iter().map(|file| &file.item));
        let events = events.filter(|item| {
            SlotKind::numbered(item.kind).kind == *kind
                && item.number == cancel.item.number
                && item.outcome == Outcome::Read
                && item.flag == 1
                && !item.cancels
                && item.version <= cancel.item.version
                && !called_off.contains(&item.slot)
                && known
                    .slots
                    .get(&item.slot)
                    .is_none_or(|slot| slot.state == SHOWN)
        });
        if let Some(latest) = events.max_by_key(|item| (item.event_at, item.version)) {
            let (slot, kind) = (latest.slot, latest.kind);
            called_off.insert(slot);
            cancel.item.slot = slot;
            cancel.item.kind = kind;
            cancel.slot_kind = SlotKind::numbered(kind);
            cancel.findings.push(lint::D2305.at(Place::default()));
        }
    }
}
