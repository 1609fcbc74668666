//! Sweeping a roster: patients in the order of their numbers, several read at once, and while one
//! batch is accepted the next one is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::future::try_join;
use futures_util::stream::{self, Stream, StreamExt};
use model::id::PatientNumber;
use model::papers::LinkState;
use normalize::lint;
use store::{Error, Link, PatientChange, RosterEntry};

use super::difference::Difference;
use super::prove::Proved;
use super::{Compared, Tree};
use crate::patient::read::Number;
use crate::report::Report;

/// A batch is one transaction of about so many rows; a record is a row, an item another.
const BATCH_ROWS: usize = 20_000;
/// A batch has not many more bytes than this.
const BATCH_BYTES: i64 = 16 * 1024 * 1024;
/// A patient's files are read in portions of about so many bytes.
const PORTION_BYTES: i64 = 8 * 1024 * 1024;
/// So many patients are looked at, proved and read at once.
const AT_ONCE: usize = 8;
/// While so many patients are read, as many again are proved.
const PROVED_AHEAD: usize = 2;
/// More losses than this share of what is kept pause the feed's losses, from so many items on.
const MASS_SHARE: usize = 20;
const MASS_FLOOR: usize = 200;
/// A paper that comes in between makes a batch start again, at most so often.
const ATTEMPTS: usize = 5;

impl Tree {
    /// Sweeps the patients of a roster.
    pub(super) async fn sweep_entries(
        &self,
        roster: Vec<RosterEntry>,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Report, Error> {
        let total = roster.len();
        let mut report = Report {
            patients: total,
            ..Report::default()
        };
        let above = self.padded.as_ref().map_or(0, |padded| padded.unreadable);
        report.notice(lint::S1112, above);
        let (touched, paused) = self.judge(roster, &mut report).await?;
        let mut done = total - touched.len();
        let proved = stream::iter(touched).chunks(AT_ONCE);
        let proved = proved.map(|entries| self.proving(entries));
        let read = proved.buffered(PROVED_AHEAD).flat_map(stream::iter).boxed();
        let read = read.map(|proved| self.patient(proved, paused));
        let mut read = read.buffered(AT_ONCE).inspect(|_| {
            progress(done, total);
            done += 1;
        });
        let mut accepted = Report::default();
        let mut batch = fill(&mut read, &mut report).await?;
        while !batch.changes.is_empty() {
            // One batch is read while the other one is accepted: that bounds the memory.
            let accepting = self.accept_batch(batch, paused, &mut accepted);
            (batch, ()) = try_join(fill(&mut read, &mut report), accepting).await?;
        }
        drop(read);
        report.add(accepted);
        if report.damaged > 0 {
            tracing::warn!(feed = %self.feed.id, patients = report.damaged, "what is kept of patients does not open");
        }
        progress(total, total);
        Ok(report)
    }

    /// Looks at everybody of whom something is kept. Who has not changed is not looked at again; and
    /// a hospital that replaces its system renames everything at once, and a share that is half
    /// mounted shows nothing: then nothing is taken away until a person looked.
    async fn judge(
        &self,
        roster: Vec<RosterEntry>,
        report: &mut Report,
    ) -> Result<(Vec<RosterEntry>, bool), Error> {
        let jobs = self.store.jobs();
        let state = jobs.feed(&self.feed.id).await?;
        let paused = state.paused_since.is_some();
        // One patient alone cannot be told from a mass change; only whole sweeps are judged.
        if roster.len() < 2 {
            return Ok((roster, paused));
        }
        let (mut kept, mut lost, mut touched) = (0, 0, Vec::new());
        let mut compared = stream::iter(roster)
            .map(|entry| self.look(entry))
            .buffered(AT_ONCE);
        while let Some(looked) = compared.next().await {
            match looked? {
                (entry, Some(compared)) if all_proved(&entry) && compared.difference.is_empty() => {
                    kept += compared.known.items.len();
                    compared.notice(report);
                }
                (entry, compared) => {
                    kept += compared
                        .as_ref()
                        .map_or(0, |compared| compared.known.items.len());
                    lost += compared.map_or(0, |compared| compared.losses());
                    touched.push(entry);
                }
            }
        }
        drop(compared);
        let mass = kept >= MASS_FLOOR && lost * MASS_SHARE > kept;
        report.paused = mass && !state.resumed;
        if report.paused && !paused {
            tracing::error!(feed = %self.feed.id, kept, lost, "mass change: losses are paused until `musubi feed resume`");
            jobs.pause_feed(&self.feed.id).await?;
        }
        Ok((touched, report.paused || paused))
    }

    /// Compares a patient of whom something is kept; of others nothing can be lost.
    async fn look(&self, entry: RosterEntry) -> Result<(RosterEntry, Option<Compared>), Error> {
        let known = self.known(&entry).await?;
        if known.items.is_empty() {
            return Ok((entry, None));
        }
        let mut proved = entry.clone();
        proved.links.retain(is_proved);
        let compared = self.compare_with(proved, known, None).await?;
        Ok((entry, Some(compared)))
    }

    /// Tries the links of patients in a task of its own, which goes on while a batch is accepted.
    fn proving(
        &self,
        entries: Vec<RosterEntry>,
    ) -> impl Future<Output = Vec<Result<Proved, Error>>> + use<> {
        let tree = self.clone();
        async move {
            let trial = tokio::spawn(async move { tree.proved(entries).await });
            let gone = |_| vec![Err(Error::Unavailable("proof of links"))];
            trial.await.unwrap_or_else(gone)
        }
    }

    /// One patient whose links were tried: compare, read, resolve.
    async fn patient(&self, proved: Result<Proved, Error>, paused: bool) -> Result<Patient, Error> {
        let Proved {
            entry,
            listing,
            mut report,
        } = proved?;
        if entry.links.is_empty() {
            return Ok(Patient::without_change(report));
        }
        let compared = self.compare(entry, listing).await?.sparing(paused);
        compared.notice(&mut report);
        if compared.difference.is_empty() {
            return Ok(Patient::without_change(report));
        }
        let Compared {
            entry,
            numbers,
            known,
            difference,
            ..
        } = compared;
        let mut portions = portions(difference).into_iter();
        let first = portions.next().unwrap_or_default();
        let bytes = first.bytes();
        let change = self
            .change(&entry, &numbers, &known, first, &mut report)
            .await?;
        let portions: Vec<Difference> = portions.collect();
        let rest = (!portions.is_empty()).then_some(Rest {
            entry,
            numbers,
            portions,
        });
        Ok(Patient {
            change: Some(change),
            bytes,
            rest,
            report,
        })
    }

    /// Accepts a batch, then the rest of a large patient portion by portion: what one portion
    /// accepted, the next one must know.
    async fn accept_batch(
        &self,
        batch: Batch,
        paused: bool,
        report: &mut Report,
    ) -> Result<(), Error> {
        self.accept(batch.changes, paused, report).await?;
        let Some(Rest {
            entry,
            numbers,
            portions,
        }) = batch.rest
        else {
            return Ok(());
        };
        for portion in portions {
            let known = self.known(&entry).await?;
            let change = self.change(&entry, &numbers, &known, portion, report);
            match change.await {
                Ok(change) => self.accept(vec![change], paused, report).await?,
                Err(error) => return report.about_one(error),
            }
        }
        Ok(())
    }

    /// Accepts a batch. A paper that came in between stops it, and so does what is kept of one patient
    /// and does not open: then every patient of the batch is compared and read again, alone, under
    /// the papers as they now are.
    async fn accept(
        &self,
        changes: Vec<PatientChange>,
        paused: bool,
        report: &mut Report,
    ) -> Result<(), Error> {
        let patients: BTreeSet<PatientNumber> =
            changes.iter().map(|change| change.patient).collect();
        match self.store.intake().accept(changes).await {
            Err(Error::StaleEpoch | Error::NotFound | Error::Corrupt(_)) => report.repeated += 1,
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
                Err(error) => return report.about_one(error),
                Ok(()) => return Ok(()),
            }
        }
        report.about_one(Error::StaleEpoch)
    }

    async fn again(&self, patient: PatientNumber, paused: bool) -> Result<(), Error> {
        let (facility, one) = (&self.feed.facility, [patient]);
        let mut entries = self.papers.entries(facility, &one).await?;
        let Some(mut entry) = entries.pop().filter(|entry| !entry.links.is_empty()) else {
            return Ok(());
        };
        entry.links.retain(is_proved);
        let Compared {
            entry,
            numbers,
            known,
            difference,
            ..
        } = self.compare(entry, None).await?.sparing(paused);
        if difference.is_empty() {
            return Ok(());
        }
        // What is read again is counted already.
        let counted = &mut Report::default();
        let change = self
            .change(&entry, &numbers, &known, difference, counted)
            .await?;
        self.store.intake().accept(vec![change]).await
    }
}

/// Takes read patients until the batch is full or everybody was read; then it may be empty.
async fn fill(
    read: &mut (impl Stream<Item = Result<Patient, Error>> + Unpin),
    report: &mut Report,
) -> Result<Batch, Error> {
    let mut batch = Batch::default();
    while !batch.is_full() {
        match read.next().await {
            Some(Ok(patient)) => batch.add(patient, report),
            Some(Err(error)) => report.about_one(error)?,
            None => break,
        }
    }
    Ok(batch)
}

fn is_proved(link: &Link) -> bool {
    link.state == LinkState::Proved
}

fn all_proved(entry: &RosterEntry) -> bool {
    entry.links.iter().all(is_proved)
}

impl Compared {
    fn notice(&self, report: &mut Report) {
        report.notice(lint::S1117, self.strange);
        report.notice(lint::S1112, self.unreadable);
    }
}

/// A patient who was read.
struct Patient {
    change: Option<PatientChange>,
    /// Bytes of the files that were read.
    bytes: i64,
    rest: Option<Rest>,
    report: Report,
}

impl Patient {
    const fn without_change(report: Report) -> Self {
        Self {
            change: None,
            bytes: 0,
            rest: None,
            report,
        }
    }
}

/// What is still to be read of a large patient.
struct Rest {
    entry: RosterEntry,
    numbers: Arc<[Number]>,
    portions: Vec<Difference>,
}

/// Changes of several patients, for one transaction. A large patient ends it.
#[derive(Default)]
struct Batch {
    changes: Vec<PatientChange>,
    rows: usize,
    bytes: i64,
    rest: Option<Rest>,
}

impl Batch {
    fn add(&mut self, patient: Patient, report: &mut Report) {
        report.add(patient.report);
        self.bytes += patient.bytes;
        self.rest = patient.rest;
        if let Some(change) = patient.change {
            let shown = change.slots.iter().map(|slot| slot.publish.len() + 1);
            self.rows += change.items.len() + shown.sum::<usize>();
            self.changes.push(change);
        }
    }

    const fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES || self.rest.is_some()
    }
}

impl Difference {
    fn bytes(&self) -> i64 {
        self.read.iter().map(|file| file.size).sum()
    }
}

/// Splits what is to be read by bytes. All versions of a slot should stay together, so the files are
/// taken in the order of their slots; a slot that is split anyway is only resolved twice.
fn portions(difference: Difference) -> Vec<Difference> {
    let Difference {
        mut read,
        renamed,
        vanished,
    } = difference;
    read.sort_by_cached_key(|file| (file.name.slot(&file.name.patient), file.name.instant()));
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
    parts
}
