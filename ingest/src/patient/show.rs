//! What a slot shows: a pure function of the set of its versions and of what each version says.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::feed::{Feed, Quirk};
use model::id::RecordKey;
use model::record::{Kind, Record};
use normalize::ssmix::data_type::DataKind;
use normalize::ssmix::path::Flag;
use normalize::ssmix::{Current, SlotState, Version, current};
use store::{Head, Item, Publish, Slot, Standing};

use super::fact::{Fact, Facts, joins_of};

/// Flag of an item that the source no longer has.
pub(crate) const VANISHED: i64 = 3;

/// Which data kind a slot is of, and whether its order number is real; kept as one number.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SlotKind {
    pub(crate) kind: DataKind,
    pub(crate) order_is_real: bool,
}

impl SlotKind {
    pub(crate) fn number(&self) -> i64 {
        self.kind.number() * 2 + i64::from(self.order_is_real)
    }

    pub(crate) fn numbered(number: i64) -> Self {
        Self {
            kind: DataKind::numbered(number / 2),
            order_is_real: number % 2 == 1,
        }
    }

    /// Its name in metrics.
    pub(crate) fn name(&self) -> &str {
        match self.kind.name() {
            "" => "other",
            name => name,
        }
    }
}

/// A slot as it now stands, before the records are at hand.
pub(crate) struct Outline {
    current: Current,
    /// Indexes of items whose records must be at hand, with how they stand.
    pub(crate) needed: Vec<(usize, Standing)>,
}

/// Which items of a slot count, and which others must be looked at too.
pub(crate) fn outline(kind: &SlotKind, feed: &Feed, items: &[Item]) -> Outline {
    let alive: Vec<usize> = (0..items.len())
        .filter(|at| items.get(*at).is_some_and(|item| item.flag != VANISHED))
        .collect();
    let versions: Vec<Version> = alive
        .iter()
        .filter_map(|at| items.get(*at))
        .map(version)
        .collect();
    let current = current(&kind.kind, kind.order_is_real, &versions);
    let standing = if current.state == SlotState::SupersededOnly {
        Standing::SupersededOnly
    } else {
        Standing::Current
    };
    let shown: Vec<usize> = current
        .published
        .iter()
        .filter_map(|index| alive.get(*index).copied())
        .collect();
    let mut needed: Vec<(usize, Standing)> = shown.iter().map(|at| (*at, standing)).collect();
    if current.state == SlotState::Current && !shown.is_empty() && looks_back(kind, feed) {
        let superseded =
            |at: &usize| items.get(*at).is_some_and(|item| item.flag == 2) && !shown.contains(at);
        let mut older: Vec<usize> = alive.iter().copied().filter(superseded).collect();
        // Newest first: the newest version that has a fact speaks for it.
        older.sort_by_key(|at| {
            std::cmp::Reverse(items.get(*at).map(|item| (item.version, item.content)))
        });
        needed.extend(older.into_iter().map(|at| (at, Standing::Absent)));
    }
    Outline { current, needed }
}

/// Kinds in which older versions still say something: diagnoses that are no longer listed, and the
/// senders that write only what changed.
fn looks_back(kind: &SlotKind, feed: &Feed) -> bool {
    match kind.kind {
        DataKind::Ppr01 => true,
        DataKind::Adt61 => feed.has(Quirk::Adt61Delta),
        DataKind::Oml11 => feed.has(Quirk::Oml11Merge),
        _ => false,
    }
}

fn version(item: &Item) -> Version {
    Version {
        time: format!("{:020}", item.version.0),
        flag: match item.flag {
            1 => Flag::Active,
            2 => Flag::Superseded,
            _ => Flag::Deleted,
        },
        content: item.content.cast_unsigned(),
        event_time: item.event_at,
        cancels: item.cancels,
    }
}

/// Number of a state in the slot's row.
pub(crate) const fn state_number(state: SlotState) -> i64 {
    match state {
        SlotState::Deleted => 0,
        SlotState::Current => 1,
        SlotState::SupersededOnly => 2,
        SlotState::Cancelled => 3,
    }
}

/// Number of a standing in the slot's row.
pub(crate) const fn standing_number(standing: Standing) -> i64 {
    match standing {
        Standing::Current => 1,
        Standing::SupersededOnly => 2,
        Standing::Absent => 3,
    }
}

impl Outline {
    /// Whether a slot is shown just so, from items that are all kept as they were read; `kept` has
    /// what joins read of them.
    pub(crate) fn is_shown(
        &self,
        before: &Slot,
        items: &[Item],
        kept: &BTreeMap<i64, Facts>,
    ) -> bool {
        let (mut published, mut joins) = (Vec::with_capacity(self.needed.len()), 0);
        for (at, standing) in &self.needed {
            let path = items.get(*at).map(|item| item.path);
            let Some((path, facts)) = path.and_then(|path| Some((path, kept.get(&path)?))) else {
                return false;
            };
            published.push((path, standing_number(*standing)));
            joins |= facts
                .iter()
                .fold(0, |bits, fact| bits | joins_of(fact.head.kind));
        }
        (before.state, before.joins, &before.published)
            == (state_number(self.current.state), joins, &published)
    }
}

/// What a slot shows.
pub(crate) struct Shown {
    pub(crate) state: i64,
    pub(crate) joins: i64,
    pub(crate) published: Vec<(i64, i64)>,
    pub(crate) publish: Vec<Publish>,
    /// Shown records that say who the patient is.
    pub(crate) of_patient: Vec<Arc<Record>>,
}

/// The records a slot shows, each fact once: the current version speaks first, then the newest older
/// one that has it.
pub(crate) fn shown(outline: &Outline, items: &[Item], said: &BTreeMap<i64, Facts>) -> Shown {
    let mut publish: BTreeMap<RecordKey, (Publish, Option<Arc<Record>>)> = BTreeMap::new();
    let mut published = Vec::new();
    let mut joins = 0;
    for (at, standing) in &outline.needed {
        let Some(item) = items.get(*at) else { continue };
        let Some(facts) = said.get(&item.path) else {
            continue;
        };
        published.push((item.path, standing_number(*standing)));
        for (ordinal, Fact { head, record }) in facts.iter().enumerate() {
            joins |= joins_of(head.kind);
            let Some(standing) = stands(*standing, head) else {
                continue;
            };
            let one = Publish {
                path: item.path,
                ordinal,
                head: *head,
                standing,
            };
            publish.entry(head.key).or_insert((one, record.clone()));
        }
    }
    let is_of_patient = |(one, _): &&(Publish, _)| one.head.kind == Kind::Patient;
    let of_patient = publish.values().filter(is_of_patient);
    let of_patient = of_patient.filter_map(|(_, record)| record.clone());
    Shown {
        state: state_number(outline.current.state),
        joins,
        published,
        of_patient: of_patient.collect(),
        publish: publish.into_values().map(|(publish, _)| publish).collect(),
    }
}

/// How a fact of an older version stands: a diagnosis that was taken back does not come back, and
/// results of a merging sender are as current as the newest ones.
fn stands(standing: Standing, head: &Head) -> Option<Standing> {
    match (head.kind, standing) {
        (Kind::Condition, Standing::Absent) => (!head.is_taken_back()).then_some(Standing::Absent),
        (_, Standing::Absent) => Some(Standing::Current),
        (_, other) => Some(other),
    }
}
