//! Replay: what is kept is read once more, from its own bytes, with the program of today. What would
//! change is told by kind and count; only who asks for it writes it. Doing it twice changes nothing.

mod difference;
mod portion;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::feed::{Feed, Source};
use model::id::{FacilityId, PatientId, PatientNumber};
use model::record::{Kind, Record};
use serde::Serialize;
use store::{Error, Known, Papers, RosterEntry, Store};
use tokio::task::JoinSet;

use self::portion::{PORTION_BYTES, Part, portions};
use crate::Progress;

/// So many portions are read at once.
const AT_ONCE: usize = 8;
/// So many patients are read together, unless that is more than a portion.
const TOGETHER: usize = 16;
/// Other changes of a patient make a portion start again, at most so often.
const ATTEMPTS: usize = 5;

/// What a replay is about.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Only this facility.
    pub facility: Option<FacilityId>,
    /// Only this patient.
    pub patient: Option<PatientId>,
}

/// What reading again changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Patients who were looked at.
    pub patients: usize,
    /// Items that were read again.
    pub items: usize,
    /// Of them those that read otherwise than before.
    pub changed_items: usize,
    /// Records by kind.
    pub records: BTreeMap<String, Counts>,
    /// Patients who are left as they are: their papers have just changed, or what is kept of them
    /// does not open.
    pub left: usize,
}

/// How many records of a kind change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Only today's program reads them.
    pub added: usize,
    /// Today's program reads them otherwise.
    pub changed: usize,
    /// Today's program does not read them.
    pub removed: usize,
}

impl Replayed {
    /// Whether there is nothing to change.
    pub fn is_unchanged(&self) -> bool {
        self.changed_items == 0 && self.records.is_empty()
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.patients += other.patients;
        self.items += other.items;
        self.changed_items += other.changed_items;
        self.left += other.left;
        for (kind, counts) in other.records {
            let sum = self.records.entry(kind).or_default();
            sum.added += counts.added;
            sum.changed += counts.changed;
            sum.removed += counts.removed;
        }
    }

    /// Counts what is told apart by kind and key.
    fn count(&mut self, before: &[Record], after: &[&Record]) {
        let key = |record: &Record| (record.meta.kind, record.meta.source_key.clone());
        let mut gone: BTreeMap<(Kind, String), &Record> =
            before.iter().map(|record| (key(record), record)).collect();
        for record in after {
            let change: fn(&mut Counts) = match gone.remove(&key(record)) {
                None => |counts| counts.added += 1,
                Some(before) if before != *record => |counts| counts.changed += 1,
                Some(_) => continue,
            };
            change(self.of(record.meta.kind));
        }
        for (kind, _) in gone.into_keys() {
            self.of(kind).removed += 1;
        }
    }

    fn of(&mut self, kind: Kind) -> &mut Counts {
        self.records.entry(format!("{kind:?}")).or_default()
    }
}

/// A replay of one facility.
#[derive(Clone)]
pub(crate) struct Replay {
    store: Store,
    papers: Papers,
    facility: FacilityId,
    /// By whose rules a storage's files are read, and by whose what was pushed.
    stored: Arc<Feed>,
    pushed: Arc<Feed>,
    apply: bool,
}

impl Replay {
    /// A replay of a facility; nothing when no feed says how its items are read.
    pub(crate) fn new(store: &Store, facility: FacilityId, apply: bool) -> Option<Self> {
        let feeds = store.network().feeds.values();
        let feeds: Vec<&Feed> = feeds.filter(|feed| feed.facility == facility).collect();
        let is_tree = |feed: &&&Feed| matches!(feed.source, Source::SsMix2Tree { .. });
        let any = feeds.first()?;
        let stored = feeds.iter().find(is_tree).unwrap_or(any);
        let pushed = feeds.iter().find(|feed| !is_tree(feed)).unwrap_or(any);
        Some(Self {
            papers: store.papers(normalize::text::fold),
            store: store.clone(),
            facility,
            stored: Arc::new((*stored).clone()),
            pushed: Arc::new((*pushed).clone()),
            apply,
        })
    }

    /// Replays all patients on the facility's roster, or one of them.
    pub(crate) async fn run(
        &self,
        only: Option<PatientId>,
        progress: Progress<'_>,
    ) -> Result<Replayed, Error> {
        let roster = self.papers.roster(&self.facility).await?;
        let asked = |entry: &&RosterEntry| only.is_none_or(|only| entry.public == only);
        let patients = roster.iter().filter(asked).map(|entry| entry.patient);
        let patients: Vec<PatientNumber> = patients.collect();
        let total = patients.len();
        let mut sum = Replayed::default();
        let mut waiting = patients.chunks(TOGETHER);
        // Tasks of their own, so that what lies between computing and waiting has all cores too.
        let mut at_work = JoinSet::new();
        loop {
            while at_work.len() < AT_ONCE
                && let Some(patients) = waiting.next()
            {
                let (replay, patients) = (self.clone(), patients.to_vec());
                at_work.spawn(async move { replay.patients(&patients).await });
            }
            let Some(replayed) = at_work.join_next().await else {
                break;
            };
            progress(sum.patients + sum.left, total);
            sum.add(replayed.map_err(|_| Error::Unavailable("replay"))??);
        }
        progress(total, total);
        Ok(sum)
    }

    /// Some patients, as many together as a portion holds.
    async fn patients(&self, patients: &[PatientNumber]) -> Result<Replayed, Error> {
        let known = self.known(patients).await?;
        let mut sum = Replayed {
            patients: patients.len() - known.len(),
            ..Replayed::default()
        };
        for parts in runs(known) {
            sum.add(self.together(parts).await?);
        }
        Ok(sum)
    }

    /// Patients at once, or each alone where that is too much or somebody's papers or items stand in the
    /// way.
    async fn together(&self, parts: Vec<Part>) -> Result<Replayed, Error> {
        if parts.iter().map(Part::bytes).sum::<i64>() <= PORTION_BYTES {
            match self.portion(&parts).await {
                Err(Error::StaleEpoch | Error::NotFound | Error::Corrupt(_)) => {}
                read => {
                    return read.map(|read| Replayed {
                        patients: parts.len(),
                        ..read
                    });
                }
            }
        }
        let mut sum = Replayed::default();
        for part in parts {
            sum.add(self.alone(part).await?);
        }
        Ok(sum)
    }

    /// One patient, portion by portion. What stands in the way of one leaves the rest as it is.
    async fn alone(&self, mut part: Part) -> Result<Replayed, Error> {
        let mut sum = Replayed::default();
        for paths in portions(&part.known) {
            part.paths = paths;
            match self.persistently(&mut part).await {
                Ok(read) => {
                    // What one portion wrote, the next one must know.
                    if self.apply && !read.is_unchanged() {
                        part.known = self.known_of(part.patient).await?;
                    }
                    sum.add(read);
                }
                Err(Error::StaleEpoch | Error::NotFound | Error::Corrupt(_)) => {
                    sum.left = 1;
                    return Ok(sum);
                }
                Err(error) => return Err(error),
            }
        }
        sum.patients = 1;
        Ok(sum)
    }

    async fn persistently(&self, part: &mut Part) -> Result<Replayed, Error> {
        for _ in 1..ATTEMPTS {
            match self.portion(std::slice::from_ref(part)).await {
                Err(Error::StaleEpoch) => part.known = self.known_of(part.patient).await?,
                read => return read,
            }
        }
        self.portion(std::slice::from_ref(part)).await
    }

    async fn known(
        &self,
        patients: &[PatientNumber],
    ) -> Result<BTreeMap<PatientNumber, Known>, Error> {
        self.store.intake().known_of(patients, &self.facility).await
    }

    async fn known_of(&self, patient: PatientNumber) -> Result<Known, Error> {
        self.store.intake().known(patient, &self.facility).await
    }
}

/// Patients in runs that a portion holds; who is too large for one is a run alone.
fn runs(known: BTreeMap<PatientNumber, Known>) -> Vec<Vec<Part>> {
    let (mut runs, mut bytes): (Vec<Vec<Part>>, i64) = (Vec::new(), 0);
    for (patient, known) in known {
        let part = Part::whole(patient, known);
        let size = part.bytes();
        bytes += size;
        match runs.last_mut().filter(|_| bytes <= PORTION_BYTES) {
            Some(run) => run.push(part),
            None => {
                runs.push(vec![part]);
                bytes = size;
            }
        }
    }
    runs
}
