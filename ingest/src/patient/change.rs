//! What changes for one patient: what the touched slots show, then what is joined.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::feed::Feed;
use model::record::{Body, Kind, Record};
use model::time::Instant;
use normalize::join::{self, Contribution, allergies, encounters};
use normalize::ssmix::data_type::DataKind;
use store::{
    Error, FoundBy, Intake, Item, ItemChange, Joined, Known, PatientChange, RosterEntry, Slot,
    SlotChange, Standing, Taken, Token,
};

use super::fact::{self, Fact, Facts, JOINS_ALLERGIES, JOINS_ENCOUNTERS};
use super::overtaken::Overtaken;
use super::read::ReadFile;
use super::show::{Outline, Shown, SlotKind, outline, shown, standing_number};

/// What was read and what is kept, ready to be resolved.
pub(crate) struct Resolver<'a> {
    pub(crate) feed: &'a Feed,
    pub(crate) intake: &'a Intake,
    pub(crate) entry: &'a RosterEntry,
    pub(crate) known: &'a Known,
}

/// What items say, by their paths.
type Said = BTreeMap<i64, Facts>;

impl Resolver<'_> {
    /// What changes for the patient because of what was read, and of what was renamed or has vanished;
    /// `taken` are the messages that wait no longer.
    pub(crate) async fn resolve(
        &self,
        read: Vec<ReadFile>,
        moved: Vec<Item>,
        taken: Taken,
    ) -> Result<PatientChange, Error> {
        let mut items: BTreeMap<i64, Item> = self
            .known
            .items
            .iter()
            .map(|item| (item.path, item.clone()))
            .collect();
        let mut kinds: BTreeMap<i64, SlotKind> = BTreeMap::new();
        let mut touched = BTreeSet::new();
        for item in moved.iter().chain(read.iter().map(|file| &file.item)) {
            touched.insert(item.slot);
            kinds.insert(item.slot, SlotKind::numbered(item.kind));
            items.insert(item.path, item.clone());
        }
        kinds.extend(
            read.iter()
                .map(|file| (file.item.slot, file.slot_kind.clone())),
        );
        let overtaken = Overtaken::by(items.values());
        touched.extend(overtaken.slots(&items, &touched));
        for item in items.values().filter(|item| touched.contains(&item.slot)) {
            kinds
                .entry(item.slot)
                .or_insert_with(|| SlotKind::numbered(item.kind));
        }
        let mut slots: BTreeMap<i64, Vec<Item>> = by_slot(
            items
                .values()
                .filter(|item| touched.contains(&item.slot))
                .cloned(),
        )
        .into_iter()
        .map(|(slot, items)| (slot, overtaken.as_they_count(items)))
        .collect();
        let mut outlines: BTreeMap<i64, Outline> = slots
            .iter()
            .filter_map(|(slot, items)| Some((*slot, outline(kinds.get(slot)?, self.feed, items))))
            .collect();
        let settled = self.settled(&read, &moved, &slots, &outlines);
        slots.retain(|slot, _| !settled.contains(slot));
        outlines.retain(|slot, _| !settled.contains(slot));
        let mut said: Said = read
            .iter()
            .filter(|file| !file.is_kept() || settled.contains(&file.item.slot))
            .map(|file| (file.item.path, Arc::clone(&file.facts)))
            .collect();
        self.fetch(needed(&slots, &outlines), &mut said).await?;
        let shown: BTreeMap<i64, Shown> = slots
            .iter()
            .filter_map(|(slot, items)| Some((*slot, shown(outlines.get(slot)?, items, &said))))
            .collect();
        let joined = self.join(&shown, &settled, &items, &mut said).await?;
        let tokens = self.tokens(&shown, &items);
        let entry = self.entry;
        Ok(PatientChange {
            patient: entry.patient,
            public: entry.public,
            epoch: entry.epoch,
            facility: self.feed.facility.clone(),
            joins: self.known.joins,
            items: self.item_changes(read, moved, &shown)?,
            slots: self.slot_changes(shown),
            joined,
            tokens,
            taken,
        })
    }

    /// Slots that show what they showed: all that touches them are files that were read again and are
    /// as they were kept.
    fn settled(
        &self,
        read: &[ReadFile],
        moved: &[Item],
        slots: &BTreeMap<i64, Vec<Item>>,
        outlines: &BTreeMap<i64, Outline>,
    ) -> BTreeSet<i64> {
        let kept = read.iter().filter(|file| file.is_kept());
        let kept: Said = kept
            .map(|file| (file.item.path, Arc::clone(&file.facts)))
            .collect();
        if kept.is_empty() {
            return BTreeSet::new();
        }
        let changed = read.iter().filter(|file| !file.is_kept());
        let changed = changed.map(|file| &file.item).chain(moved);
        let changed: BTreeSet<i64> = changed.map(|item| item.slot).collect();
        let is_settled = |slot: &i64, outline: &Outline| {
            let before = self.known.slots.get(slot)?;
            let items = slots.get(slot).filter(|_| !changed.contains(slot))?;
            Some(outline.is_shown(before, items, &kept))
        };
        let settled = outlines
            .iter()
            .filter(|(slot, outline)| is_settled(slot, outline) == Some(true));
        settled.map(|(slot, _)| *slot).collect()
    }

    /// Loads the records of kept items that are not at hand.
    async fn fetch(&self, wanted: Vec<Item>, said: &mut Said) -> Result<(), Error> {
        let wanted: Vec<Item> = wanted
            .into_iter()
            .filter(|item| !said.contains_key(&item.path))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let contents = self.intake.contents(self.entry.patient, &wanted).await?;
        for (item, content) in wanted.iter().zip(contents) {
            said.insert(item.path, fact::of(self.intake, content.records()?));
        }
        Ok(())
    }

    /// Joins again when a slot that takes part in a join was touched.
    async fn join(
        &self,
        shown: &BTreeMap<i64, Shown>,
        settled: &BTreeSet<i64>,
        items: &BTreeMap<i64, Item>,
        said: &mut Said,
    ) -> Result<Option<Vec<Joined>>, Error> {
        let before = |slot: &i64| self.known.slots.get(slot).map_or(0, |slot| slot.joins);
        let touched = shown
            .iter()
            .fold(0, |bits, (slot, shown)| bits | shown.joins | before(slot));
        let touched = settled
            .iter()
            .fold(touched, |bits, slot| bits | before(slot));
        if touched & (JOINS_ENCOUNTERS | JOINS_ALLERGIES) == 0 {
            return Ok(None);
        }
        let (slots, kept) = self.joining().await?;
        let kept: BTreeMap<i64, &Item> = kept.iter().map(|item| (item.path, item)).collect();
        let elsewhere = slots
            .values()
            .filter(|slot| slot.joins != 0 && !shown.contains_key(&slot.slot));
        let elsewhere = elsewhere.flat_map(|slot| slot.published.iter().copied());
        let here = shown.values().filter(|shown| shown.joins != 0);
        let here = here.flat_map(|shown| shown.published.iter().copied());
        let contributing: Vec<(Item, bool)> = elsewhere
            .chain(here)
            .filter_map(|(path, standing)| {
                let superseded_only = standing == standing_number(Standing::SupersededOnly);
                let item = items.get(&path).or_else(|| kept.get(&path).copied())?;
                Some((item.clone(), superseded_only))
            })
            .collect();
        let wanted = contributing.iter().map(|(item, _)| item.clone());
        self.fetch(wanted.collect(), said).await?;
        let mut numbers: BTreeMap<i64, Vec<Says<'_>>> = BTreeMap::new();
        for (item, superseded_only) in &contributing {
            if let Some(facts) = said.get(&item.path) {
                let version = version_text(item.version, item.department);
                let says = (version, *superseded_only, facts.as_ref());
                numbers.entry(item.number).or_default().push(says);
            }
        }
        let facility = &self.feed.facility;
        let joined = numbers.iter().flat_map(|(number, versions)| {
            let mut joined = encounters(facility, &contributions(versions, Kind::EncounterEvent));
            let allergy = contributions(versions, Kind::AllergyStatement);
            joined.extend(allergies(facility, &allergy));
            joined.into_iter().map(|joined| stands(*number, joined))
        });
        Ok(Some(joined.collect()))
    }

    /// The slots that joins read, and items of them that may not be at hand.
    async fn joining(&self) -> Result<(Cow<'_, BTreeMap<i64, Slot>>, Vec<Item>), Error> {
        if !self.known.is_part {
            return Ok((Cow::Borrowed(&self.known.slots), Vec::new()));
        }
        let (patient, facility) = (self.entry.patient, &self.feed.facility);
        let (slots, items) = self.intake.joining(patient, facility).await?;
        Ok((Cow::Owned(slots), items))
    }

    /// By what the patient is found under each number under which a statement about who they are was
    /// touched. The facility's own demographics replace what stood there.
    fn tokens(
        &self,
        shown: &BTreeMap<i64, Shown>,
        items: &BTreeMap<i64, Item>,
    ) -> BTreeMap<i64, FoundBy> {
        let mut found: BTreeMap<i64, FoundBy> = BTreeMap::new();
        let mut told = BTreeSet::new();
        for item in items.values() {
            let Some(shown) = shown.get(&item.slot) else {
                continue;
            };
            let is_demographics = SlotKind::numbered(item.kind).kind == DataKind::Adt00;
            if !is_demographics && shown.of_patient.is_empty() {
                continue;
            }
            let found = found.entry(item.number).or_default();
            found.only |= is_demographics;
            if told.insert(item.slot) {
                found.tokens.extend(self.said(&shown.of_patient));
            }
        }
        found
    }

    /// By what statements about the patient find them.
    fn said(&self, statements: &[Arc<Record>]) -> Vec<Token> {
        let said = statements.iter().filter_map(|record| match &record.body {
            Body::Patient(patient) => Some(super::tokens::of(&self.feed.facility, patient)),
            _ => None,
        });
        said.flatten().collect()
    }

    /// Every item whose row changes; items that a touched slot shows need their place in the batch.
    fn item_changes(
        &self,
        read: Vec<ReadFile>,
        moved: Vec<Item>,
        shown: &BTreeMap<i64, Shown>,
    ) -> Result<Vec<ItemChange>, Error> {
        let kept: BTreeMap<i64, &Item> = self
            .known
            .items
            .iter()
            .map(|item| (item.path, item))
            .collect();
        let mut changes: BTreeMap<i64, ItemChange> = BTreeMap::new();
        let shown_paths = shown
            .values()
            .flat_map(|shown| shown.published.iter().map(|(path, _)| *path));
        for item in shown_paths
            .filter_map(|path| kept.get(&path).copied().cloned())
            .chain(moved)
        {
            changes.insert(
                item.path,
                ItemChange {
                    item,
                    packed: None,
                    findings: None,
                    fresh: false,
                },
            );
        }
        for mut file in read.into_iter().filter(|file| !file.is_kept()) {
            let (item, findings) = (file.item.clone(), std::mem::take(&mut file.findings));
            let change = ItemChange {
                fresh: !kept.contains_key(&item.path),
                item,
                packed: file.pack()?,
                findings: Some(findings),
            };
            changes.insert(change.item.path, change);
        }
        Ok(changes.into_values().collect())
    }

    fn slot_changes(&self, shown: BTreeMap<i64, Shown>) -> Vec<SlotChange> {
        let change = |(slot, shown): (i64, Shown)| SlotChange {
            slot,
            state: shown.state,
            joins: shown.joins,
            published: shown.published,
            publish: shown.publish,
            before: self.known.slots.get(&slot).cloned(),
        };
        shown.into_iter().map(change).collect()
    }
}

/// What an item that takes part in a join says: its version, whether only superseded versions of its
/// slot remain, its facts.
type Says<'a> = (String, bool, &'a [Fact]);

/// The records of one kind that items contribute to a join.
fn contributions<'a>(versions: &'a [Says<'a>], kind: Kind) -> Vec<Contribution<'a>> {
    let of_one = |(version, superseded_only, facts): &'a Says<'a>| {
        let records = facts.iter().filter(move |fact| fact.head.kind == kind);
        let records = records.filter_map(|fact| fact.record.as_deref());
        records.map(move |record| Contribution {
            version,
            record,
            superseded_only: *superseded_only,
        })
    };
    versions.iter().flat_map(of_one).collect()
}

fn stands(number: i64, joined: join::Joined) -> Joined {
    let standing = if joined.superseded_only {
        Standing::SupersededOnly
    } else {
        Standing::Current
    };
    Joined {
        number,
        record: joined.record,
        standing,
    }
}

/// Items of which the touched slots need the records.
fn needed(slots: &BTreeMap<i64, Vec<Item>>, outlines: &BTreeMap<i64, Outline>) -> Vec<Item> {
    let of_slot = |(slot, outline): (&i64, &Outline)| {
        let items = slots.get(slot).map_or(&[][..], Vec::as_slice);
        outline
            .needed
            .iter()
            .filter_map(|(at, _)| items.get(*at).cloned())
            .collect::<Vec<Item>>()
    };
    outlines.iter().flat_map(of_slot).collect()
}

/// Items by slot.
fn by_slot(items: impl IntoIterator<Item = Item>) -> BTreeMap<i64, Vec<Item>> {
    let mut slots: BTreeMap<i64, Vec<Item>> = BTreeMap::new();
    for item in items {
        slots.entry(item.slot).or_default().push(item);
    }
    slots
}

/// The digits by which a version is ordered, for joins.
fn version_text(version: Instant, department: i64) -> String {
    format!("{:020}|{department}", version.0)
}
