//! Replay: what is kept is read once more, from its own bytes, with the program of today. What would
//! change is told by kind and count; only who asks for it writes it. Doing it twice changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::feed::{Feed, Source};
use model::id::{FacilityId, PatientId, PatientNumber};
use model::papers::LinkState;
use model::record::{Kind, Record};
use normalize::ssmix::data_type::DataKind;
use serde::Serialize;
use store::{
    Content, Error, Item, ItemChange, Joined, Known, Link, Origin, Papers, PatientChange,
    RosterEntry, SlotChange, Store, Taken,
};
use tokio::task::JoinSet;

use crate::Progress;
use crate::cpu::Pace;
use crate::feed::ssmix::again::Kept;
use crate::feed::ssmix::change::Resolver;
use crate::feed::ssmix::prove::test;
use crate::feed::ssmix::read::{Number, ReadFile, Reader};
use crate::feed::ssmix::show::{SlotKind, VANISHED};
use crate::feed::ssmix::unless_cut;

/// So many patients are read at once.
const AT_ONCE: usize = 8;
/// A patient's items are read in portions of about so many bytes.
const PORTION_BYTES: i64 = 8 * 1024 * 1024;
/// Other changes of a patient make their replay start again, at most so often.
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
    /// Patients whose items were read.
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

/// What became of a patient, or of one portion of what is kept of them.
struct Portion {
    replayed: Replayed,
    change: Option<PatientChange>,
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
        let mut roster = self.papers.roster(&self.facility).await?;
        roster.retain(|entry| only.is_none_or(|only| entry.public == only));
        let total = roster.len();
        let (mut sum, mut done) = (Replayed::default(), 0);
        let mut waiting = roster.into_iter();
        // Tasks of their own, so that what lies between computing and waiting has all cores too.
        let mut at_work = JoinSet::new();
        loop {
            while at_work.len() < AT_ONCE
                && let Some(entry) = waiting.next()
            {
                let replay = self.clone();
                at_work.spawn(async move { replay.patient(entry).await });
            }
            let Some(replayed) = at_work.join_next().await else {
                break;
            };
            progress(done, total);
            done += 1;
            sum.add(replayed.map_err(|_| Error::Unavailable("replay"))??);
        }
        progress(total, total);
        Ok(sum)
    }

    async fn patient(&self, entry: RosterEntry) -> Result<Replayed, Error> {
        let patient = entry.patient;
        for _ in 0..ATTEMPTS {
            match self.once(patient).await {
                Err(Error::StaleEpoch) => {}
                Err(Error::NotFound | Error::Corrupt(_)) => break,
                other => return other,
            }
        }
        Ok(Replayed {
            left: 1,
            ..Replayed::default()
        })
    }

    async fn once(&self, patient: PatientNumber) -> Result<Replayed, Error> {
        let mut sum = Replayed {
            patients: 1,
            ..Replayed::default()
        };
        let mut known = self.known(patient).await?;
        for paths in portions(&known) {
            let Some(entry) = self.entry(patient).await? else {
                return Ok(sum);
            };
            let Portion { replayed, change } = self.portion(&entry, &known, &paths).await?;
            sum.add(replayed);
            if let Some(change) = change.filter(|_| self.apply) {
                self.store.intake().accept(vec![change]).await?;
                known = self.known(patient).await?;
            }
        }
        Ok(sum)
    }

    async fn known(&self, patient: PatientNumber) -> Result<Known, Error> {
        self.store.intake().known(patient, &self.facility).await
    }

    /// The patient with the numbers that are proved.
    async fn entry(&self, patient: PatientNumber) -> Result<Option<RosterEntry>, Error> {
        let entries = self.papers.entries(&self.facility, &[patient]).await?;
        let mut entry = entries.into_iter().next();
        if let Some(entry) = &mut entry {
            entry.links.retain(|link| link.state == LinkState::Proved);
        }
        Ok(entry.filter(|entry| !entry.links.is_empty()))
    }

    /// Reads some of a patient's items again.
    async fn portion(
        &self,
        entry: &RosterEntry,
        known: &Known,
        paths: &BTreeSet<i64>,
    ) -> Result<Portion, Error> {
        let intake = self.store.intake();
        let items = known.items.iter().filter(|item| paths.contains(&item.path));
        let items: Vec<Item> = items.cloned().collect();
        let contents = intake.contents(entry.patient, &items).await?;
        let rules = intake.rules(entry.patient, &self.facility).await?;
        let kept: Arc<Kept> = Arc::new(items.into_iter().zip(contents).collect());
        let mut read = self.read(entry, known, &kept).await;
        let stated = self.papers.demographics(&[entry.patient]).await?;
        test(&self.papers, entry, &stated, &mut read).await?;
        let mut replayed = Replayed {
            items: read.len(),
            ..Replayed::default()
        };
        let before: BTreeMap<i64, &(Item, Content)> =
            kept.iter().map(|kept| (kept.0.path, kept)).collect();
        let mut changed = BTreeSet::new();
        for file in &mut read {
            let path = file.item.path;
            let Some((item, content)) = before.get(&path) else {
                continue;
            };
            keep_what_was_received(file, rules.get(&path));
            let same_rules = rules.get(&path).map_or(&[][..], Vec::as_slice) == file.rules();
            let is_else_the_same = same_rules && says_the_same(item, &file.item);
            file.compare(&intake, content, is_else_the_same)?;
            if !file.is_kept() {
                changed.insert(path);
                let after = file.records()?;
                replayed.count(&content.records()?, &after.iter().collect::<Vec<_>>());
            }
        }
        replayed.changed_items = changed.len();
        let resolver = Resolver {
            feed: &self.stored,
            intake: &intake,
            entry,
            known,
        };
        let change = resolver.resolve(read, Vec::new(), Taken::default());
        let change = change.await.map_err(unless_cut)?;
        let joined = match change.joined {
            Some(_) => intake.joined(entry.patient, &self.facility).await?,
            None => Vec::new(),
        };
        let change = difference(change, known, &changed, &joined, &mut replayed);
        Ok(Portion { replayed, change })
    }

    /// Reads items by the rules of the feed that they came by.
    async fn read(&self, entry: &RosterEntry, known: &Known, kept: &Arc<Kept>) -> Vec<ReadFile> {
        let stated = |digest| {
            let there = known.items.iter().filter(|item| item.flag != VANISHED);
            let mut theirs = there.filter(|item| item.number == digest);
            theirs.any(|item| SlotKind::numbered(item.kind).kind == DataKind::Adt00)
        };
        let reader = |feed: &Arc<Feed>| {
            let number = |link: &Link| Number {
                id: feed.identity.canonical(link.local_id.id.reveal()),
                digest: link.number,
                demographics: stated(link.number),
            };
            Reader {
                feed: Arc::clone(feed),
                intake: self.store.intake(),
                most: u64::MAX,
                pace: Pace::Bulk,
                numbers: entry.links.iter().map(number).collect(),
            }
        };
        let mut read = reader(&self.stored).compared(kept, Origin::Storage).await;
        read.extend(reader(&self.pushed).compared(kept, Origin::Pushed).await);
        read
    }
}

/// What is left to write when all that is as before is taken away; nothing when all is.
fn difference(
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

/// What only its arrival told about a message stands as it did.
fn keep_what_was_received(file: &mut ReadFile, rules: Option<&Vec<String>>) {
    for rule in [normalize::lint::R3010, normalize::lint::D2305] {
        if rules.is_some_and(|rules| rules.iter().any(|kept| kept == rule.id)) {
            file.findings
                .push(rule.at(model::finding::Place::default()));
        }
    }
}

fn says_the_same(before: &Item, after: &Item) -> bool {
    let of = |item: &Item| (item.outcome, item.event_at, item.cancels);
    of(before) == of(after)
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

/// Paths of a patient's items, split by bytes with the versions of a slot together.
fn portions(known: &Known) -> Vec<BTreeSet<i64>> {
    let there = known.items.iter().filter(|item| item.flag != VANISHED);
    let mut items: Vec<&Item> = there.collect();
    items.sort_by_key(|item| item.slot);
    let mut portions: Vec<BTreeSet<i64>> = Vec::new();
    let (mut bytes, mut slot) = (PORTION_BYTES, None);
    for item in items {
        if bytes >= PORTION_BYTES && slot != Some(item.slot) {
            portions.push(BTreeSet::new());
            bytes = 0;
        }
        bytes += item.size;
        slot = Some(item.slot);
        if let Some(portion) = portions.last_mut() {
            portion.insert(item.path);
        }
    }
    portions
}
