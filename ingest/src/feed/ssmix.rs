//! A pull feed over an SS-MIX2 標準化ストレージ: the files at the hospital are the source until
//! they are accepted, so nothing is queued. A sweep walks the patients on the roster in the order of
//! their numbers; of everybody else no folder is opened.
//!
//! | file | does |
//! | --- | --- |
//! | `sweep` | who is looked at, in which batches |
//! | `tree` | looks into the folders |
//! | `difference` | what lies there otherwise than it is kept |
//! | `prove` | whether the folder is the patient's |
//! | `read` | fetches files and has them read |
//! | `work` | sweeps and back-fills for ever |

mod difference;
mod prove;
mod read;
mod sweep;
mod tree;
mod work;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::feed::{Feed, Identity};
use model::id::PatientNumber;
use normalize::lint;
use store::{
    Error, Item, Known, Link, Origin, Outcome, Papers, PatientChange, RosterEntry, Store, Taken,
};

use self::difference::{Difference, difference};
use self::tree::{Found, Listing, Padded};
use crate::cpu::Pace;
use crate::patient::again::withheld_again;
use crate::patient::change::Resolver;
use crate::patient::fit::test;
use crate::patient::overtaken::by_number;
use crate::patient::read::{Number, ReadFile, Reader, flag_number};
use crate::patient::show::VANISHED;
use crate::patient::{states_demographics, unless_cut};
use crate::report::Report;

/// A time at which no file was modified: an item with it is read again.
const NEVER: i64 = i64::MIN;

/// A tree feed, ready to sweep.
#[derive(Clone)]
pub(crate) struct Tree {
    feed: Arc<Feed>,
    store: Store,
    papers: Papers,
    roots: Vec<PathBuf>,
    settle: Duration,
    most: u64,
    /// Of one sweep, where numbers do not compare verbatim.
    padded: Option<Arc<Padded>>,
}

/// What the storage has under a patient's proved numbers, compared with what is kept.
struct Compared {
    entry: RosterEntry,
    numbers: Arc<[Number]>,
    known: Known,
    difference: Difference,
    /// Entries that are not of the storage.
    strange: usize,
    /// Folders that could not be looked into.
    unreadable: usize,
}

impl Tree {
    /// A feed over its roots. `most` bounds the size of one file.
    pub(crate) fn new(feed: Arc<Feed>, store: Store, most: u64) -> Self {
        let (roots, settle) = (feed.source.roots().to_vec(), feed.source.settle());
        let papers = store.papers(normalize::text::fold);
        Self {
            feed,
            store,
            papers,
            roots,
            settle,
            most,
            padded: None,
        }
    }

    /// Sweeps the whole roster.
    pub(crate) async fn sweep(
        &self,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Report, Error> {
        let roster = self.papers.roster(&self.feed.facility).await?;
        let tree = self.for_sweep(&roster).await?;
        tree.sweep_entries(roster, progress).await
    }

    /// Sweeps one patient: a new consent back-fills at once.
    pub(crate) async fn backfill(&self, patient: PatientNumber) -> Result<Report, Error> {
        let (facility, one) = (&self.feed.facility, [patient]);
        let mut one = self.papers.entries(facility, &one).await?;
        one.retain(|entry| !entry.links.is_empty());
        let tree = self.for_sweep(&one).await?;
        tree.sweep_entries(one, &|_, _| {}).await
    }

    async fn compare(
        &self,
        entry: RosterEntry,
        listing: Option<Listing>,
    ) -> Result<Compared, Error> {
        let known = self.known(&entry).await?;
        self.compare_with(entry, known, listing).await
    }

    /// Compares what is kept with a listing of just now, else with a new one.
    async fn compare_with(
        &self,
        entry: RosterEntry,
        known: Known,
        listing: Option<Listing>,
    ) -> Result<Compared, Error> {
        let tree = self.clone();
        let compared = tokio::task::spawn_blocking(move || tree.compared(entry, known, listing));
        compared.await.map_err(|_| Error::Unavailable("listing"))?
    }

    fn compared(
        &self,
        entry: RosterEntry,
        known: Known,
        listing: Option<Listing>,
    ) -> Result<Compared, Error> {
        let intake = self.store.intake();
        let listing = listing.map_or_else(|| self.listing(&entry), Ok)?;
        let may_vanish = listing.unreadable == 0 && !listing.is_partial;
        let (strange, unreadable) = (listing.strange, listing.unreadable);
        let now = self.store.clock().now();
        let settle = i64::try_from(self.settle.as_micros()).unwrap_or(i64::MAX);
        let settled = |file: &Found| is_settled(now.0, file.modified, settle);
        let numbers = self.numbers(&entry, &listing);
        let (ready, waiting): (Vec<Found>, Vec<Found>) =
            listing.files.into_iter().partition(settled);
        let digest = |file: &Found| {
            (
                intake.path_digest(&self.feed.facility, file.root, &file.version_path),
                flag_number(file.name.flag),
            )
        };
        let waiting: Vec<i64> = waiting.iter().map(|file| digest(file).0).collect();
        let mut difference = difference(ready, &known, digest);
        let named: Vec<i64> = numbers.iter().map(|number| number.digest).collect();
        difference.renamed.extend(by_number(&known.items, &named));
        // A file that is being written has not vanished.
        difference
            .vanished
            .retain(|item| !waiting.contains(&item.path));
        if !may_vanish {
            difference.vanished.clear();
        }
        Ok(Compared {
            entry,
            numbers,
            known,
            difference,
            strange,
            unreadable,
        })
    }

    fn numbers(&self, entry: &RosterEntry, listing: &Listing) -> Arc<[Number]> {
        let with_demographics: BTreeSet<usize> = listing
            .files
            .iter()
            .filter(|file| is_demographics(file))
            .map(|file| file.number)
            .collect();
        let links = entry.links.iter().enumerate();
        links
            .map(|(at, link)| Number {
                id: self.feed.identity.canonical(link.local_id.id.reveal()),
                digest: link.number,
                demographics: with_demographics.contains(&at),
            })
            .collect()
    }

    async fn list(&self, entry: &RosterEntry) -> Result<Listing, Error> {
        let (tree, entry) = (self.clone(), entry.clone());
        let listing = tokio::task::spawn_blocking(move || tree.listing(&entry));
        listing.await.map_err(|_| Error::Unavailable("listing"))?
    }

    fn listing(&self, entry: &RosterEntry) -> Result<Listing, Error> {
        let numbers = entry.links.iter().map(|link| link.local_id.id.reveal());
        let numbers: Vec<&str> = numbers.map(String::as_str).collect();
        tree::list(&self.roots, &numbers, self.padded.as_deref())
            .map_err(|_| Error::Unavailable("storage"))
    }

    /// The feed for one sweep of a roster: where numbers do not compare verbatim, the levels above the
    /// patients' folders are looked over once, for everybody.
    async fn for_sweep(&self, roster: &[RosterEntry]) -> Result<Self, Error> {
        let mut tree = self.clone();
        if roster.is_empty() || self.feed.identity == Identity::default() {
            return Ok(tree);
        }
        let links = roster.iter().flat_map(|entry| entry.links.clone());
        let links: Vec<Link> = links.collect();
        let look = move || {
            let numbers = links.iter().map(|link| link.local_id.id.reveal().as_str());
            let found = Padded::find(&tree.roots, numbers, &tree.feed.identity);
            tree.padded = Some(Arc::new(found.map_err(|_| Error::Unavailable("storage"))?));
            Ok(tree)
        };
        let looked = tokio::task::spawn_blocking(look).await;
        looked.map_err(|_| Error::Unavailable("listing"))?
    }

    async fn known(&self, entry: &RosterEntry) -> Result<Known, Error> {
        self.store
            .intake()
            .known(entry.patient, &self.feed.facility)
            .await
    }

    fn reader(&self, numbers: &Arc<[Number]>) -> Reader {
        Reader {
            feed: Arc::clone(&self.feed),
            intake: self.store.intake(),
            pace: Pace::Bulk,
            numbers: Arc::clone(numbers),
        }
    }

    async fn change(
        &self,
        entry: &RosterEntry,
        numbers: &Arc<[Number]>,
        known: &Known,
        difference: Difference,
        report: &mut Report,
    ) -> Result<PatientChange, Error> {
        let intake = self.store.intake();
        let wanted = difference.read.len();
        let reader = self.reader(numbers);
        let mut read = self.read(&reader, difference.read).await;
        report.notice(lint::S1112, wanted - read.len());
        let stated = self.papers.demographics(&[entry.patient]).await?;
        test(&self.papers, entry, &stated, &mut read).await?;
        report.count(
            &self.feed,
            &read
                .iter()
                .map(|file| (&file.item, file.findings.as_slice()))
                .collect::<Vec<_>>(),
        );
        report.moved += difference.renamed.len() + difference.vanished.len();
        let mut moved: Vec<Item> = difference
            .renamed
            .into_iter()
            .chain(difference.vanished)
            .collect();
        if states_demographics(&read) {
            read_again(known, &read, &mut moved);
            read.extend(withheld_again(&reader, &self.papers, entry, known).await?);
        }
        let resolver = Resolver {
            feed: &self.feed,
            intake: &intake,
            entry,
            known,
        };
        let change = resolver.resolve(read, moved, Taken::default());
        change.await.map_err(unless_cut)
    }
}

impl Compared {
    /// How many kept items the facility has lost. What stands under a number that the papers name no
    /// longer is not looked for; the facility still has it.
    fn losses(&self) -> usize {
        let vanished = self.difference.vanished.iter();
        let deleted = self.difference.renamed.iter().filter(|item| item.flag == 0);
        let lost = vanished.filter(|item| is_under(&self.numbers, item));
        lost.count() + deleted.count()
    }

    /// Without what would be taken away, while losses are paused. What the papers shut is not
    /// spared: it is read again when they open it again.
    fn sparing(mut self, paused: bool) -> Self {
        if paused {
            let numbers = &self.numbers;
            let vanished = &mut self.difference.vanished;
            vanished.retain(|item| !is_under(numbers, item));
            self.difference.renamed.retain(|item| item.flag != 0);
        }
        self
    }
}

/// Whether an item stands under one of the numbers.
fn is_under(numbers: &[Number], item: &Item) -> bool {
    numbers.iter().any(|number| number.digest == item.number)
}

/// Whether a file has not changed for long enough. What claims to come from the future is not waited
/// for: a clock at the source is wrong, and its files would never be read. Microseconds.
const fn is_settled(now: i64, modified: i64, settle: i64) -> bool {
    modified > now || now.saturating_sub(modified) >= settle
}

fn is_demographics(file: &Found) -> bool {
    file.name.kind == normalize::ssmix::data_type::DataKind::Adt00
        && flag_number(file.name.flag) == 1
}

/// Lets the next sweep read what is kept and withheld once more: it may fit the new demographics.
/// That stands in the items and is accepted with them, so no crash makes it forgotten.
fn read_again(known: &Known, read: &[ReadFile], moved: &mut Vec<Item>) {
    let taken = moved.iter().chain(read.iter().map(|file| &file.item));
    let taken: BTreeSet<i64> = taken.map(|item| item.path).collect();
    let withheld = |item: &&Item| {
        item.outcome == Outcome::Withheld && item.flag != VANISHED && item.origin == Origin::Storage
    };
    let kept = known.items.iter().filter(withheld);
    moved.extend(kept.filter(|item| !taken.contains(&item.path)).cloned());
    for item in moved
        .iter_mut()
        .filter(|item| item.outcome == Outcome::Withheld)
    {
        item.modified = NEVER;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a file is read ten time units after the epoch that was modified then.
    #[track_caller]
    fn check(modified: i64, settle: i64, expected: bool) {
        assert_eq!(is_settled(10, modified, settle), expected);
    }

    #[test]
    fn a_file_is_read_once_it_has_not_changed_for_long_enough() {
        check(8, 2, true);
        check(9, 2, false);
        check(10, 2, false);
        check(10, 0, true);
    }

    #[test]
    fn a_file_from_the_future_is_read() {
        check(11, 2, true);
        check(i64::MAX, i64::MAX, true);
    }
}
