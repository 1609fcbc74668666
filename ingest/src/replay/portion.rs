//! A portion of a replay: items of some patients, read together and compared with what is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::feed::Feed;
use model::id::PatientNumber;
use model::papers::LinkState;
use model::record::Record;
use normalize::ssmix::data_type::DataKind;
use store::{Error, Intake, Item, Known, Link, Origin, PatientChange, RosterEntry, Taken};

use super::difference::difference;
use super::{Replay, Replayed};
use crate::cpu::Pace;
use crate::patient::again::{Kept, compared};
use crate::patient::change::Resolver;
use crate::patient::fit::test;
use crate::patient::read::{Number, ReadFile, Reader};
use crate::patient::show::{SlotKind, VANISHED};
use crate::patient::unless_cut;

/// Items are read in portions of about so many bytes; with their records they take six times as much.
pub(super) const PORTION_BYTES: i64 = 4 * 1024 * 1024;

/// Items of a patient that are read at once.
pub(super) struct Part {
    pub(super) patient: PatientNumber,
    pub(super) known: Known,
    pub(super) paths: BTreeSet<i64>,
}

impl Part {
    /// All that is kept of a patient.
    pub(super) fn whole(patient: PatientNumber, known: Known) -> Self {
        let paths = there(&known).map(|item| item.path).collect();
        Self {
            patient,
            known,
            paths,
        }
    }

    pub(super) fn bytes(&self) -> i64 {
        self.items().map(|item| item.size).sum()
    }

    fn items(&self) -> impl Iterator<Item = &Item> {
        let items = self.known.items.iter();
        items.filter(|item| self.paths.contains(&item.path))
    }

    /// Who reads items that came by a feed.
    fn reader(&self, feed: &Arc<Feed>, intake: &Intake, entry: &RosterEntry) -> Arc<Reader> {
        let stated = |digest| {
            let mut theirs = there(&self.known).filter(|item| item.number == digest);
            theirs.any(|item| SlotKind::numbered(item.kind).kind == DataKind::Adt00)
        };
        let number = |link: &Link| Number {
            id: feed.identity.canonical(link.local_id.id.reveal()),
            digest: link.number,
            demographics: stated(link.number),
        };
        Arc::new(Reader {
            feed: Arc::clone(feed),
            intake: intake.clone(),
            pace: Pace::Bulk,
            numbers: entry.links.iter().map(number).collect(),
        })
    }
}

/// What the items of a portion say today, by patient; each with its place among what is kept.
type Reread = BTreeMap<PatientNumber, (Vec<usize>, Vec<ReadFile>)>;

/// The rules that findings about items name.
type Rules = BTreeMap<(PatientNumber, i64), Vec<String>>;

impl Replay {
    /// Reads items of different patients again, and writes what reads otherwise where that is asked for.
    pub(super) async fn portion(&self, parts: &[Part]) -> Result<Replayed, Error> {
        let intake = self.store.intake();
        let asked: Vec<PatientNumber> = parts.iter().map(|part| part.patient).collect();
        let entries = self.entries(&asked).await?;
        let parts: Vec<(&Part, &RosterEntry)> = parts
            .iter()
            .filter_map(|part| Some((part, entries.get(&part.patient)?)))
            .collect();
        let patients: Vec<PatientNumber> = entries.keys().copied().collect();
        let kept = Arc::new(self.kept(&parts).await?);
        let rules = intake.rules(&patients, &self.facility).await?;
        let stated = self.papers.demographics(&patients).await?;
        let mut reread = by_patient(&kept, compared(&kept).await?);
        let (mut replayed, mut resolved) = (Replayed::default(), Vec::with_capacity(parts.len()));
        for (part, entry) in parts {
            let (places, mut read) = reread.remove(&part.patient).unwrap_or_default();
            test(&self.papers, entry, &stated, &mut read).await?;
            let was = places.iter().filter_map(|at| kept.get(*at));
            let changed = compare(&intake, was, &rules, &mut read, &mut replayed)?;
            let resolver = Resolver {
                feed: &self.stored,
                intake: &intake,
                entry,
                known: &part.known,
            };
            let change = resolver.resolve(read, Vec::new(), Taken::default());
            resolved.push((part, changed, change.await.map_err(unless_cut)?));
        }
        let joining = resolved
            .iter()
            .filter(|(.., change)| change.joined.is_some());
        let joining: Vec<PatientNumber> = joining.map(|(part, ..)| part.patient).collect();
        let joined = intake.joined(&joining, &self.facility).await?;
        let change = |(part, changed, change): (&Part, BTreeSet<i64>, PatientChange)| {
            let before = joined.get(&part.patient).map_or(&[][..], Vec::as_slice);
            difference(change, &part.known, &changed, before, &mut replayed)
        };
        let changes: Vec<PatientChange> = resolved.into_iter().filter_map(change).collect();
        if self.apply {
            intake.accept(changes).await?;
        }
        Ok(replayed)
    }

    /// The patients with the numbers that are proved; who has none is left out.
    async fn entries(
        &self,
        patients: &[PatientNumber],
    ) -> Result<BTreeMap<PatientNumber, RosterEntry>, Error> {
        let entries = self.papers.entries(&self.facility, patients).await?;
        let proved = |mut entry: RosterEntry| {
            entry.links.retain(|link| link.state == LinkState::Proved);
            (!entry.links.is_empty()).then_some((entry.patient, entry))
        };
        Ok(entries.into_iter().filter_map(proved).collect())
    }

    /// What is kept of the items, with who reads them: by the rules of the feed that they came by.
    async fn kept(&self, parts: &[(&Part, &RosterEntry)]) -> Result<Vec<Kept>, Error> {
        let intake = self.store.intake();
        let items = parts
            .iter()
            .flat_map(|(part, _)| part.items().map(|item| (part.patient, item)));
        let items: Vec<(PatientNumber, &Item)> = items.collect();
        let contents = intake.contents_of(&items).await.map_err(unless_cut)?;
        let mut contents = contents.into_iter();
        let mut kept = Vec::with_capacity(items.len());
        for (part, entry) in parts {
            let stored = part.reader(&self.stored, &intake, entry);
            let pushed = part.reader(&self.pushed, &intake, entry);
            let theirs = part.items().zip(contents.by_ref());
            kept.extend(theirs.map(|(item, content)| Kept {
                reader: Arc::clone(match item.origin {
                    Origin::Storage => &stored,
                    Origin::Pushed => &pushed,
                }),
                patient: part.patient,
                item: item.clone(),
                content,
            }));
        }
        Ok(kept)
    }
}

fn by_patient(kept: &[Kept], read: Vec<(usize, ReadFile)>) -> Reread {
    let mut reread = Reread::new();
    for (at, file) in read {
        if let Some(kept) = kept.get(at) {
            let (places, read) = reread.entry(kept.patient).or_default();
            places.push(at);
            read.push(file);
        }
    }
    reread
}

/// Compares a patient's items with what was kept of them: the paths of those that read otherwise.
fn compare<'a>(
    intake: &Intake,
    kept: impl Iterator<Item = &'a Kept>,
    rules: &Rules,
    read: &mut [ReadFile],
    replayed: &mut Replayed,
) -> Result<BTreeSet<i64>, Error> {
    let mut changed = BTreeSet::new();
    for (kept, file) in kept.zip(&mut *read) {
        let before = rules.get(&(kept.patient, kept.item.path));
        let before = before.map_or(&[][..], Vec::as_slice);
        keep_what_was_received(file, before);
        let is_else_the_same = before == file.rules() && says_the_same(&kept.item, &file.item);
        file.compare(intake, &kept.content, is_else_the_same)?;
        if !file.is_kept() {
            changed.insert(kept.item.path);
            let after = file.records()?;
            let after: Vec<&Record> = after.iter().collect();
            replayed.count(&kept.content.records()?, &after);
        }
    }
    replayed.items += read.len();
    replayed.changed_items += changed.len();
    Ok(changed)
}

/// What only its arrival told about a message stands as it did.
fn keep_what_was_received(file: &mut ReadFile, rules: &[String]) {
    for rule in [normalize::lint::R3010, normalize::lint::D2305] {
        if rules.iter().any(|kept| kept == rule.id) {
            file.findings
                .push(rule.at(model::finding::Place::default()));
        }
    }
}

fn says_the_same(before: &Item, after: &Item) -> bool {
    let of = |item: &Item| (item.outcome, item.event_at, item.cancels);
    of(before) == of(after)
}

fn there(known: &Known) -> impl Iterator<Item = &Item> {
    known.items.iter().filter(|item| item.flag != VANISHED)
}

/// Paths of a patient's items, split by bytes with the versions of a slot together.
pub(super) fn portions(known: &Known) -> Vec<BTreeSet<i64>> {
    let mut items: Vec<&Item> = there(known).collect();
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
