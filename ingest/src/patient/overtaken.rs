//! Two sources of one hospital: a message that it pushed counts until its storage has the same
//! message under the same number, or for the same slot a version as new; from then on the storage says
//! what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use model::time::Instant;
use store::{Item, Origin};

use super::show::VANISHED;

const ACTIVE: i64 = 1;
const SUPERSEDED: i64 = 2;

/// What a storage says by now.
pub(crate) struct Overtaken {
    /// With the numbers under which they stand.
    contents: BTreeSet<(i64, i64)>,
    /// Newest version by slot.
    versions: BTreeMap<i64, Instant>,
}

/// Pushed items that must be shown or hidden because the papers now name their number, or do no
/// longer: in a storage that follows from the folders that are looked into.
pub(crate) fn by_number(items: &[Item], named: &[i64]) -> Vec<Item> {
    let pushed = items.iter().filter(|item| item.origin == Origin::Pushed);
    pushed
        .filter_map(|item| match (named.contains(&item.number), item.flag) {
            (false, ACTIVE) => Some(item.flagged(VANISHED)),
            (true, VANISHED) => Some(item.flagged(ACTIVE)),
            _ => None,
        })
        .collect()
}

impl Overtaken {
    /// Looks through all items of a patient at a facility. What has vanished from the storage was
    /// there, and is not what was pushed before.
    pub(crate) fn by<'a>(items: impl Iterator<Item = &'a Item>) -> Self {
        let mut overtaken = Self {
            contents: BTreeSet::new(),
            versions: BTreeMap::new(),
        };
        for item in items.filter(|item| item.origin == Origin::Storage) {
            overtaken.contents.insert(said(item));
            let newest = overtaken.versions.entry(item.slot).or_insert(item.version);
            *newest = item.version.max(*newest);
        }
        overtaken
    }

    /// The items of a slot as they count: a pushed one that is overtaken as if it had vanished, and
    /// what is older than the newest pushed one as superseded, which its sender does not say.
    pub(crate) fn as_they_count(&self, mut items: Vec<Item>) -> Vec<Item> {
        for item in items.iter_mut().filter(|item| self.contains(item)) {
            item.flag = VANISHED;
        }
        let pushed = |item: &&Item| item.origin == Origin::Pushed && item.flag == ACTIVE;
        // Two versions of one time are told apart by their arrival.
        let order = |item: &Item| (item.version, item.department);
        let Some(newest) = items.iter().filter(pushed).map(order).max() else {
            return items;
        };
        let older = |item: &&mut Item| item.flag == ACTIVE && order(item) < newest;
        for item in items.iter_mut().filter(older) {
            item.flag = SUPERSEDED;
        }
        items
    }

    /// Whether an item is a pushed one that counts no more.
    fn contains(&self, item: &Item) -> bool {
        let newest = self.versions.get(&item.slot);
        item.origin == Origin::Pushed
            && (self.contents.contains(&said(item))
                || newest.is_some_and(|newest| *newest >= item.version))
    }

    /// Slots of pushed messages that the storage has under another slot among the touched ones: some
    /// writers give their files order numbers that the messages do not tell.
    pub(crate) fn slots(
        &self,
        items: &BTreeMap<i64, Item>,
        touched: &BTreeSet<i64>,
    ) -> BTreeSet<i64> {
        let stored = items
            .values()
            .filter(|item| item.origin == Origin::Storage && touched.contains(&item.slot));
        let contents: BTreeSet<(i64, i64)> = stored.map(said).collect();
        let pushed = items.values().filter(|item| self.contains(item));
        let same = pushed.filter(|item| contents.contains(&said(item)));
        same.map(|item| item.slot).collect()
    }
}

/// What an item says, and under which number: what stands under one never bears on another.
const fn said(item: &Item) -> (i64, i64) {
    (item.number, item.content)
}

#[cfg(test)]
mod tests {
    use store::Outcome;

    use super::*;

    /// An item of slot 1.
    fn item(origin: Origin, version: i64, arrival: i64, content: i64) -> Item {
        let path = version * 100 + arrival;
        let version = Instant(version);
        let mut item = Item::new(
            1,
            7,
            path,
            0,
            1,
            version,
            arrival,
            content,
            0,
            0,
            Outcome::Read,
        );
        item.origin = origin;
        item
    }

    /// The flags with which items count, by their contents.
    #[track_caller]
    fn check(items: &[Item], expected: &[(i64, i64)]) {
        let counted = Overtaken::by(items.iter()).as_they_count(items.to_vec());
        let flags: Vec<(i64, i64)> = counted
            .iter()
            .map(|item| (item.content, item.flag))
            .collect();
        assert_eq!(flags, expected);
    }

    #[test]
    fn a_pushed_message_counts_until_the_storage_has_it() {
        let pushed = item(Origin::Pushed, 5, 1, 50);
        check(std::slice::from_ref(&pushed), &[(50, ACTIVE)]);
        let older = item(Origin::Storage, 4, 0, 40);
        check(&[pushed.clone(), older], &[(50, ACTIVE), (40, SUPERSEDED)]);
        let as_new = item(Origin::Storage, 5, 0, 51);
        check(&[pushed.clone(), as_new], &[(50, VANISHED), (51, ACTIVE)]);
        let same_bytes = item(Origin::Storage, 4, 0, 50);
        let pair = [pushed.clone(), same_bytes.clone()];
        check(&pair, &[(50, VANISHED), (50, ACTIVE)]);
        // The same bytes in the folder of another number are no word about this one.
        let mut elsewhere = same_bytes;
        (elsewhere.slot, elsewhere.number) = (2, 8);
        let overtaken = Overtaken::by([&pushed, &elsewhere].into_iter());
        assert_eq!(overtaken.as_they_count(vec![pushed.clone()]), [pushed]);
    }

    #[test]
    fn of_two_pushed_at_one_time_the_one_that_came_later_counts() {
        let (first, second) = (
            item(Origin::Pushed, 5, 1, 99),
            item(Origin::Pushed, 5, 2, 11),
        );
        check(
            &[first.clone(), second.clone()],
            &[(99, SUPERSEDED), (11, ACTIVE)],
        );
        check(&[second, first], &[(11, ACTIVE), (99, SUPERSEDED)]);
    }

    #[test]
    fn what_was_pushed_under_a_number_is_hidden_and_shown_with_it() {
        let (stored, pushed) = (
            item(Origin::Storage, 5, 0, 1),
            item(Origin::Pushed, 5, 1, 2),
        );
        assert_eq!(by_number(&[stored.clone(), pushed.clone()], &[7]), []);
        let hidden = by_number(&[stored, pushed.clone()], &[8]);
        assert_eq!(hidden, [pushed.flagged(VANISHED)]);
        assert_eq!(by_number(&hidden, &[7]), [pushed]);
    }
}
