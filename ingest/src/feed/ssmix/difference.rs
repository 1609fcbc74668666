//! The difference between what a storage has of a patient and what is kept of it.

use std::collections::{BTreeMap, BTreeSet};

use normalize::ssmix::path::Flag;
use store::{Item, Known, Origin};

use super::tree::Found;
use crate::patient::show::VANISHED;

/// The difference between a listing and what is kept.
#[derive(Default)]
pub(crate) struct Difference {
    /// Files to read: new ones, and ones whose bytes may have changed.
    pub(crate) read: Vec<Found>,
    /// Kept items whose flag changed; nothing is read for them.
    pub(crate) renamed: Vec<Item>,
    /// Kept items that the storage no longer has.
    pub(crate) vanished: Vec<Item>,
}

impl Difference {
    /// Whether there is nothing to do.
    pub(crate) const fn is_empty(&self) -> bool {
        self.read.is_empty() && self.renamed.is_empty() && self.vanished.is_empty()
    }
}

/// Compares a listing with what is kept. `digest` names a file as the store names it.
pub(crate) fn difference(
    mut listing: Vec<Found>,
    known: &Known,
    digest: impl Fn(&Found) -> (i64, i64),
) -> Difference {
    let stored = known.items.iter();
    let stored = stored.filter(|item| item.origin == Origin::Storage);
    let mut kept: BTreeMap<i64, &Item> = stored.map(|item| (item.path, item)).collect();
    let mut difference = Difference::default();
    let mut seen = BTreeSet::new();
    // A rename half done shows one version under two names; the valid one counts, else the deleted.
    listing.sort_by_key(|file| match file.name.flag {
        Flag::Active => 0,
        Flag::Deleted => 1,
        Flag::Superseded => 2,
    });
    for file in listing {
        let (path, flag) = digest(&file);
        let again = !seen.insert(path);
        match kept.remove(&path) {
            Some(item)
                if item.size == file.size
                    && item.modified == file.modified
                    && item.flag != VANISHED =>
            {
                if item.flag != flag {
                    difference.renamed.push(item.flagged(flag));
                }
            }
            _ if again => {}
            _ => difference.read.push(file),
        }
    }
    let gone = kept.into_values().filter(|item| item.flag != VANISHED);
    difference.vanished = gone.map(|item| item.flagged(VANISHED)).collect();
    difference
}

#[cfg(test)]
mod tests {
    use model::time::Instant;
    use normalize::ssmix::path::parse;
    use store::Outcome;

    use super::*;
    use crate::patient::read::flag_number;

    const VERSION: &str = "000/012/0000123456/20240510/OMP-01/\
                           0000123456_20240510_OMP-01_000000024000123_20240510103046984_01";

    fn found(flag: char) -> Found {
        let path = format!("{VERSION}_{flag}");
        Found {
            number: 0,
            root: 0,
            name: parse(&path).unwrap(),
            version_path: VERSION.to_owned(),
            path: path.into(),
            size: 7,
            modified: 9,
        }
    }

    /// What changes when a version that is kept under flag 1 lies there under these flags.
    #[track_caller]
    fn check(flags: &[char], renamed: &[i64], vanished: usize) {
        let kept = Item::new(1, 1, 1, 0, 1, Instant(0), 0, 0, 7, 9, Outcome::Read);
        let known = Known {
            items: vec![kept],
            ..Known::default()
        };
        let listing = flags.iter().map(|flag| found(*flag)).collect();
        let difference = difference(listing, &known, |file| (1, flag_number(file.name.flag)));
        let flags: Vec<i64> = difference.renamed.iter().map(|item| item.flag).collect();
        assert_eq!(
            (flags.as_slice(), difference.vanished.len()),
            (renamed, vanished)
        );
        assert!(difference.read.is_empty());
    }

    #[test]
    fn a_rename_is_no_new_file() {
        check(&['1'], &[], 0);
        check(&['2'], &[2], 0);
        check(&[], &[], 1);
    }

    #[test]
    fn of_two_names_of_one_version_the_valid_one_counts_then_the_deleted() {
        for flags in [['1', '0'], ['0', '1'], ['1', '2'], ['2', '1']] {
            check(&flags, &[], 0);
        }
        check(&['2', '0'], &[0], 0);
        check(&['0', '2'], &[0], 0);
    }
}
