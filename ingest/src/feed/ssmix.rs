//! A pull feed over an SS-MIX2 標準化ストレージ: the files at the hospital are the source until
//! they are accepted, so nothing is queued. A sweep walks the patients on the roster in the order of
//! their numbers; of everybody else no folder is opened.
//!
//! | file | does |
//! | --- | --- |
//! | `tree` | looks into the folders |
//! | `read` | bytes → records, in parallel |
//! | `show` | what a slot shows, from the set of its versions |
//! | `change` | what changes for one patient |
//! | `tokens` | by what a patient is found |

mod change;
mod read;
mod show;
mod tokens;
mod tree;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::feed::{Feed, Source};
use model::id::PatientNumber;
use model::papers::LinkState;
use normalize::lint;
use store::{Error, Evidence, Item, Outcome, Papers, PatientChange, RosterEntry, Store};

use self::change::{Difference, Resolver, difference};
use self::read::{ReadFile, Reader, flag_number};
use self::tree::{Found, Listing};
use crate::report::Report;

/// A batch is one transaction of about so many rows; a record is a row, an item another.
const BATCH_ROWS: usize = 20_000;
/// A patient's files are read in portions of about so many bytes.
const PORTION_BYTES: i64 = 32 * 1024 * 1024;
/// More losses than this share of what is kept pause the feed's losses, from so many items on.
const MASS_SHARE: usize = 20;
const MASS_FLOOR: usize = 200;
/// A paper that comes in between makes a batch start again, at most so often.
const ATTEMPTS: usize = 5;

/// A tree feed, ready to sweep.
pub(crate) struct Tree {
    feed: Arc<Feed>,
    store: Store,
    papers: Papers,
    roots: Vec<PathBuf>,
    settle: Duration,
    most: u64,
}

/// A patient's storage compared with what is kept.
struct Compared {
    entry: RosterEntry,
    known: store::Known,
    difference: Difference,
    demographics: bool,
    /// Entries that are not of the storage.
    strange: usize,
    /// Folders that could not be looked into.
    unreadable: usize,
}

impl Tree {
    /// A feed over its roots. `most` bounds the size of one file.
    pub(crate) fn new(feed: Arc<Feed>, store: Store, most: u64) -> Self {
        let Source::SsMix2Tree { roots, settle, .. } = &feed.source;
        let (roots, settle) = (roots.clone(), *settle);
        let papers = store.papers(normalize::text::fold);
        Self {
            feed,
            store,
            papers,
            roots,
            settle,
            most,
        }
    }

    /// Sweeps the whole roster.
    pub(crate) async fn sweep(
        &self,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Report, Error> {
        let roster = self.papers.roster(&self.feed.facility).await?;
        self.sweep_entries(roster, progress).await
    }

    /// Sweeps one patient: a new consent back-fills at once.
    pub(crate) async fn backfill(&self, patient: PatientNumber) -> Result<Report, Error> {
        let roster = self.papers.roster(&self.feed.facility).await?;
        let one = roster
            .into_iter()
            .filter(|entry| entry.patient == patient)
            .collect();
        self.sweep_entries(one, &|_, _| {}).await
    }

    async fn sweep_entries(
        &self,
        roster: Vec<RosterEntry>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Report, Error> {
        let mut report = Report::default();
        let total = roster.len();
        let paused = self.losses_are_paused(&roster, &mut report).await?;
        let mut batch = Batch::default();
        for (done, entry) in roster.into_iter().enumerate() {
            progress(done, total);
            report.patients += 1;
            match self.patient(entry, paused, &mut batch, &mut report).await {
                // The key is not made yet, or it is destroyed: that stops nobody else.
                Err(Error::NotFound) => report.waiting += 1,
                other => other?,
            }
            if batch.rows >= BATCH_ROWS {
                self.accept(&mut batch, paused, &mut report).await?;
            }
        }
        self.accept(&mut batch, paused, &mut report).await?;
        progress(total, total);
        Ok(report)
    }

    /// A hospital that replaces its system renames everything at once, and a share that is half
    /// mounted shows nothing: then nothing is taken away until a person looked.
    async fn losses_are_paused(
        &self,
        roster: &[RosterEntry],
        report: &mut Report,
    ) -> Result<bool, Error> {
        let jobs = self.store.jobs();
        let state = jobs.feed(&self.feed.id).await?;
        let (mut kept, mut lost) = (0, 0);
        // One patient alone cannot be told from a mass change; only whole sweeps are judged.
        if roster.len() > 1 {
            for entry in roster {
                let compared = self.compare(entry.clone()).await?;
                kept += compared.known.items.len();
                lost += compared.difference.losses();
            }
        }
        let mass = kept >= MASS_FLOOR && lost * MASS_SHARE > kept;
        if mass && !state.resumed {
            tracing::error!(feed = %self.feed.id, kept, lost, "mass change: losses are paused until `musubi feed resume`");
            jobs.pause_feed(&self.feed.id).await?;
            report.paused = true;
            return Ok(true);
        }
        Ok(state.paused_since.is_some())
    }

    async fn compare(&self, entry: RosterEntry) -> Result<Compared, Error> {
        let intake = self.store.intake();
        let known = intake.known(entry.patient, &self.feed.facility).await?;
        let listing = self.list(&entry).await?;
        let now = self.store.clock().now();
        let settle = i64::try_from(self.settle.as_micros()).unwrap_or(i64::MAX);
        let settled = |file: &Found| settle == 0 || now.0.saturating_sub(file.modified) >= settle;
        let demographics = listing.files.iter().any(is_demographics);
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
        // A file that is being written has not vanished.
        difference
            .vanished
            .retain(|item| !waiting.contains(&item.path));
        if listing.unreadable > 0 {
            difference.vanished.clear();
        }
        Ok(Compared {
            entry,
            known,
            difference,
            demographics,
            strange: listing.strange,
            unreadable: listing.unreadable,
        })
    }

    /// The patient's number in the form in which files of this feed are compared with it.
    fn canonical(&self, entry: &RosterEntry) -> String {
        self.feed.identity.canonical(entry.local_id.id.reveal())
    }

    async fn list(&self, entry: &RosterEntry) -> Result<Listing, Error> {
        let roots = self.roots.clone();
        let identity = self.feed.identity.clone();
        let local_id = entry.local_id.id.reveal().clone();
        let listing = tokio::task::spawn_blocking(move || tree::list(&roots, &local_id, &identity));
        listing
            .await
            .map_err(|_| Error::Unavailable("listing"))?
            .map_err(|_| Error::Unavailable("storage"))
    }

    /// One patient: prove the link, compare, read, resolve, and add to the batch. Tried again when a
    /// paper or another lane came in between.
    async fn patient(
        &self,
        entry: RosterEntry,
        paused: bool,
        batch: &mut Batch,
        report: &mut Report,
    ) -> Result<(), Error> {
        let Some(entry) = self.proved(entry, report).await? else {
            return Ok(());
        };
        let compared = self.compare(entry).await?.sparing(paused);
        report.notice(lint::S1117, compared.strange);
        report.notice(lint::S1112, compared.unreadable);
        if compared.difference.is_empty() {
            return Ok(());
        }
        for portion in portions(compared.difference) {
            // What one portion accepted, the next one must know.
            let known = if portion.first {
                compared.known.clone()
            } else {
                self.known(&compared.entry).await?
            };
            let change = self
                .change(
                    &compared.entry,
                    &known,
                    portion.difference,
                    compared.demographics,
                    report,
                )
                .await?;
            batch.add(change);
            if portion.more {
                self.accept(batch, paused, report).await?;
            }
        }
        Ok(())
    }

    async fn known(&self, entry: &RosterEntry) -> Result<store::Known, Error> {
        self.store
            .intake()
            .known(entry.patient, &self.feed.facility)
            .await
    }

    async fn change(
        &self,
        entry: &RosterEntry,
        known: &store::Known,
        difference: Difference,
        demographics: bool,
        report: &mut Report,
    ) -> Result<PatientChange, Error> {
        let intake = self.store.intake();
        let reader = Reader {
            feed: Arc::clone(&self.feed),
            intake: intake.clone(),
            most: self.most,
            patient: self.canonical(entry),
        };
        let wanted = difference.read.len();
        let mut read = reader.read(difference.read, !demographics).await;
        report.notice(lint::S1112, wanted - read.len());
        self.test(entry, &mut read).await?;
        report.count(
            &self.feed,
            &read
                .iter()
                .map(|file| (&file.item, file.findings.as_slice()))
                .collect::<Vec<_>>(),
        );
        report.moved += difference.renamed.len() + difference.vanished.len();
        let moved: Vec<Item> = difference
            .renamed
            .into_iter()
            .chain(difference.vanished)
            .collect();
        let resolver = Resolver {
            feed: &self.feed,
            intake: &intake,
            patient: entry.patient,
            known,
        };
        let resolved = resolver.resolve(read, moved).await?;
        Ok(PatientChange {
            patient: entry.patient,
            public: entry.public,
            epoch: entry.epoch,
            facility: self.feed.facility.clone(),
            joins: known.joins,
            items: resolved.items,
            slots: resolved.slots,
            joined: resolved.joined,
            tokens: resolved.tokens,
        })
    }

    /// Every item is tested against the demographics that proved the link; what disagrees may be
    /// another patient's and is withheld. New demographics of the facility join the evidence.
    async fn test(&self, entry: &RosterEntry, read: &mut [ReadFile]) -> Result<(), Error> {
        for file in read
            .iter()
            .filter(|file| file.is_demographics && file.item.outcome == Outcome::Read)
        {
            if let Some(evidence) = &file.evidence {
                self.papers
                    .prove_link(entry.patient, &entry.local_id, &facts(evidence))
                    .await?;
            }
        }
        // The files of a patient mostly say the same.
        let mut tested: Vec<(normalize::Evidence, bool)> = Vec::new();
        for file in read
            .iter_mut()
            .filter(|file| file.item.outcome != Outcome::Withheld)
        {
            let fits = match &file.evidence {
                None => false,
                Some(evidence) => match tested.iter().find(|(before, _)| before == evidence) {
                    Some((_, fits)) => *fits,
                    None => {
                        let fits = self
                            .papers
                            .fits(entry.patient, &entry.local_id, &facts(evidence))
                            .await?;
                        tested.push((evidence.clone(), fits));
                        fits
                    }
                },
            };
            if !fits {
                file.withhold(lint::D2302);
            }
        }
        Ok(())
    }

    /// The link is proved first: the facility's demographics, else the newest single file, are read,
    /// and nothing else of the folder is opened until they agree with the papers.
    async fn proved(
        &self,
        entry: RosterEntry,
        report: &mut Report,
    ) -> Result<Option<RosterEntry>, Error> {
        match entry.state {
            LinkState::Proved => return Ok(Some(entry)),
            LinkState::Disagrees => {
                report.closed_links += 1;
                return Ok(None);
            }
            LinkState::Unproved => {}
        }
        let mut files = self.list(&entry).await?.files;
        let Some(first) = read::first_to_read(&files) else {
            report.unproved_links += 1;
            return Ok(None);
        };
        let file = files.swap_remove(first);
        let reader = Reader {
            feed: Arc::clone(&self.feed),
            intake: self.store.intake(),
            most: self.most,
            patient: self.canonical(&entry),
        };
        let read = reader.read(vec![file], false).await;
        let Some((read, evidence)) = read
            .first()
            .and_then(|file| Some((file, file.evidence.as_ref()?)))
        else {
            report.unproved_links += 1;
            return Ok(None);
        };
        if read.item.outcome == Outcome::Withheld {
            report.unproved_links += 1;
            return Ok(None);
        }
        let proof = self
            .papers
            .prove_link(entry.patient, &entry.local_id, &facts(evidence))
            .await?;
        match proof.state {
            LinkState::Proved => {
                return Ok(Some(RosterEntry {
                    state: proof.state,
                    epoch: proof.epoch,
                    ..entry
                }));
            }
            LinkState::Disagrees => report.closed_links += 1,
            LinkState::Unproved => report.unproved_links += 1,
        }
        Ok(None)
    }

    /// Accepts a batch. A paper that came in between stops it: then every patient of the batch is
    /// compared and read again, alone, under the papers as they now are.
    async fn accept(
        &self,
        batch: &mut Batch,
        paused: bool,
        report: &mut Report,
    ) -> Result<(), Error> {
        let changes = std::mem::take(batch).changes;
        let patients: BTreeSet<PatientNumber> =
            changes.iter().map(|change| change.patient).collect();
        match self.store.intake().accept(changes).await {
            Err(Error::StaleEpoch | Error::NotFound) => report.repeated += 1,
            other => return other,
        }
        for patient in patients {
            self.alone(patient, paused, report).await?;
        }
        Ok(())
    }

    async fn alone(
        &self,
        patient: PatientNumber,
        paused: bool,
        report: &mut Report,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            match self.again(patient, paused).await {
                Err(Error::StaleEpoch) => {}
                Err(Error::NotFound) => {
                    report.waiting += 1;
                    return Ok(());
                }
                other => return other,
            }
        }
        Err(Error::StaleEpoch)
    }

    async fn again(&self, patient: PatientNumber, paused: bool) -> Result<(), Error> {
        let roster = self.papers.roster(&self.feed.facility).await?;
        let is_theirs =
            |entry: &RosterEntry| entry.patient == patient && entry.state == LinkState::Proved;
        for entry in roster.into_iter().filter(is_theirs) {
            let Compared {
                entry,
                known,
                difference,
                demographics,
                ..
            } = self.compare(entry).await?.sparing(paused);
            if !difference.is_empty() {
                // What is read again is counted already.
                let counted = &mut Report::default();
                let change = self
                    .change(&entry, &known, difference, demographics, counted)
                    .await?;
                self.store.intake().accept(vec![change]).await?;
            }
        }
        Ok(())
    }
}

impl Compared {
    /// Without what would be taken away, while losses are paused.
    fn sparing(mut self, paused: bool) -> Self {
        if paused {
            self.difference.vanished.clear();
            self.difference.renamed.retain(|item| item.flag != 0);
        }
        self
    }
}

fn facts(evidence: &normalize::Evidence) -> Evidence {
    Evidence {
        birth_date: evidence.birth_date,
        sex: evidence.sex,
        kana: evidence.kana.clone(),
        kanji: evidence.kanji.clone(),
    }
}

fn is_demographics(file: &Found) -> bool {
    file.name.kind == normalize::ssmix::data_type::DataKind::Adt00
        && flag_number(file.name.flag) == 1
}

/// Changes of several patients, for one transaction.
#[derive(Default)]
struct Batch {
    changes: Vec<PatientChange>,
    rows: usize,
}

impl Batch {
    fn add(&mut self, change: PatientChange) {
        self.rows += change.items.len()
            + change
                .slots
                .iter()
                .map(|slot| slot.publish.len() + 1)
                .sum::<usize>();
        self.changes.push(change);
    }
}

/// A part of a patient's difference that fits into memory.
struct Portion {
    difference: Difference,
    first: bool,
    more: bool,
}

/// Splits what is to be read by bytes. All versions of a slot should stay together, so the files are
/// taken in the order of their slots; a slot that is split anyway is only resolved twice.
fn portions(difference: Difference) -> Vec<Portion> {
    let Difference {
        mut read,
        renamed,
        vanished,
    } = difference;
    read.sort_by_cached_key(|file| (file.name.slot(), file.name.instant()));
    let mut parts = vec![Difference {
        read: Vec::new(),
        renamed,
        vanished,
    }];
    let mut bytes = 0;
    for file in read {
        bytes += file.size;
        if bytes > PORTION_BYTES {
            parts.push(Difference::default());
            bytes = file.size;
        }
        if let Some(part) = parts.last_mut() {
            part.read.push(file);
        }
    }
    let count = parts.len();
    let portion = |(at, difference)| Portion {
        difference,
        first: at == 0,
        more: at + 1 < count,
    };
    parts.into_iter().enumerate().map(portion).collect()
}

/// Name of the data kind behind the number in an item.
pub(crate) fn kind_name(number: i64) -> String {
    match show::SlotKind::numbered(number).kind.name() {
        "" => "other".to_owned(),
        name => name.to_owned(),
    }
}
