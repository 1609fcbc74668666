//! The current state of a slot. A storage renames a file when a newer one supersedes it, in two
//! steps and without a lock, and copies of one file may lie in several roots: so the state is a
//! function of the *set* of versions, whatever their order and however often each was seen.

use std::collections::BTreeMap;

use model::time::Instant;

use super::data_type::DataKind;
use super::path::Flag;

/// One version of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// 発生日時 of the file name.
    pub time: String,
    /// コンディションフラグ
    pub flag: Flag,
    /// Digest of the content.
    pub content: u64,
    /// When the event of an event kind happened.
    pub event_time: Option<Instant>,
    /// Whether the message is a cancel event.
    pub cancels: bool,
}

/// What became of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SlotState {
    /// A valid version counts.
    Current,
    /// Only superseded versions remain; the last one counts, in transition.
    SupersededOnly,
    /// Deleted.
    Deleted,
    /// Called off by a cancel event.
    Cancelled,
}

/// State of a slot, and which versions give records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Current {
    /// What became of the slot.
    pub state: SlotState,
    /// Indexes of the versions whose records are published, ascending.
    pub published: Vec<usize>,
}

/// The current state of a slot of `kind`. `order_is_real` says whether the slot has an order number
/// of its own: without one, several receptions or moves of one day share a slot, and versions
/// flagged as superseded whose events happened at another time are events of their own.
pub fn current(kind: &DataKind, order_is_real: bool, versions: &[Version]) -> Current {
    let distinct = distinct(versions);
    let flagged = |flag: Flag| distinct.iter().filter(move |kept| kept.flag == flag);
    let (last, state) = match (
        flagged(Flag::Active).next_back(),
        flagged(Flag::Deleted).next(),
    ) {
        (Some(last), _) => (last, SlotState::Current),
        (None, Some(_)) => {
            return Current {
                state: SlotState::Deleted,
                published: Vec::new(),
            };
        }
        (None, None) => match flagged(Flag::Superseded).next_back() {
            Some(last) => (last, SlotState::SupersededOnly),
            None => {
                return Current {
                    state: SlotState::Deleted,
                    published: Vec::new(),
                };
            }
        },
    };
    let mut published: Vec<usize> = Vec::new();
    if !last.version.cancels {
        published.push(last.index);
    }
    if kind.repeats_in_slot() && !order_is_real {
        published.extend(other_events(&distinct, last));
    }
    published.sort_unstable();
    let state = if published.is_empty() {
        SlotState::Cancelled
    } else {
        state
    };
    Current { state, published }
}

/// A version with the flag that counts, and the first place where it stands.
struct Kept<'a> {
    version: &'a Version,
    flag: Flag,
    index: usize,
}

/// Each version once, in the order of time. One version with two flags is a rename half done, or
/// two roots: valid wins, else deleted.
fn distinct(versions: &[Version]) -> Vec<Kept<'_>> {
    let rank = |flag: Flag| match flag {
        Flag::Active => 2,
        Flag::Deleted => 1,
        Flag::Superseded => 0,
    };
    let mut kept: BTreeMap<(&str, u64), Kept<'_>> = BTreeMap::new();
    for (index, version) in versions.iter().enumerate() {
        kept.entry((&version.time, version.content))
            .and_modify(|before| {
                if rank(version.flag) > rank(before.flag) {
                    before.flag = version.flag;
                }
            })
            .or_insert(Kept {
                version,
                flag: version.flag,
                index,
            });
    }
    kept.into_values().collect()
}

/// The newest version of each other event, unless a cancel event took it back.
fn other_events<'a>(
    distinct: &'a [Kept<'a>],
    last: &Kept<'_>,
) -> impl Iterator<Item = usize> + use<'a> {
    let mut events: BTreeMap<Instant, &Kept<'_>> = BTreeMap::new();
    let alive = distinct.iter().filter(|kept| kept.flag != Flag::Deleted);
    for kept in alive {
        if let Some(time) = kept
            .version
            .event_time
            .filter(|time| Some(*time) != last.version.event_time)
        {
            events.insert(time, kept);
        }
    }
    events
        .into_values()
        .filter(|kept| !kept.version.cancels)
        .map(|kept| kept.index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(time: &str, flag: Flag) -> Version {
        let content = time.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
        Version {
            time: time.to_owned(),
            flag,
            content,
            event_time: None,
            cancels: false,
        }
    }

    fn event(time: &str, flag: Flag, at: i64, cancels: bool) -> Version {
        Version {
            event_time: Some(Instant(at)),
            cancels,
            ..version(time, flag)
        }
    }

    #[track_caller]
    fn check(kind: &DataKind, versions: &[Version], state: SlotState, published: &[usize]) {
        assert_eq!(
            current(kind, false, versions),
            Current {
                state,
                published: published.to_vec()
            }
        );
    }

    #[test]
    fn the_newest_valid_version_counts() {
        let versions = [
            version("1", Flag::Superseded),
            version("3", Flag::Active),
            version("2", Flag::Active),
        ];
        check(&DataKind::Omp01, &versions, SlotState::Current, &[1]);
    }

    #[test]
    fn deleting_and_inserting_again_is_a_correction() {
        let versions = [
            version("1", Flag::Deleted),
            version("2", Flag::Deleted),
            version("3", Flag::Active),
        ];
        check(&DataKind::Omp01, &versions, SlotState::Current, &[2]);
    }

    #[test]
    fn without_a_valid_version_a_deleted_one_deletes() {
        let versions = [version("1", Flag::Deleted), version("2", Flag::Superseded)];
        check(&DataKind::Omp01, &versions, SlotState::Deleted, &[]);
    }

    #[test]
    fn superseded_versions_alone_show_the_last_one() {
        let versions = [
            version("2", Flag::Superseded),
            version("1", Flag::Superseded),
        ];
        check(&DataKind::Ppr01, &versions, SlotState::SupersededOnly, &[0]);
    }

    #[test]
    fn one_version_with_two_flags_is_valid_before_it_is_deleted() {
        let two = |one, other| [version("1", one), version("1", other)];
        check(
            &DataKind::Omp01,
            &two(Flag::Superseded, Flag::Active),
            SlotState::Current,
            &[0],
        );
        check(
            &DataKind::Omp01,
            &two(Flag::Deleted, Flag::Active),
            SlotState::Current,
            &[0],
        );
        check(
            &DataKind::Omp01,
            &two(Flag::Superseded, Flag::Deleted),
            SlotState::Deleted,
            &[],
        );
    }

    #[test]
    fn a_valid_cancel_event_calls_the_slot_off() {
        let versions = [
            event("1", Flag::Superseded, 10, false),
            event("2", Flag::Active, 10, true),
        ];
        check(&DataKind::Adt22, &versions, SlotState::Cancelled, &[]);
    }

    #[test]
    fn two_receptions_of_a_day_share_a_slot_and_both_count() {
        let versions = [
            event("1", Flag::Superseded, 10, false),
            event("2", Flag::Active, 20, false),
        ];
        check(&DataKind::Adt12, &versions, SlotState::Current, &[0, 1]);
        check(&DataKind::Adt22, &versions, SlotState::Current, &[1]);
        let real = current(&DataKind::Adt12, true, &versions);
        assert_eq!(real.published, [1]);
    }

    #[test]
    fn a_correction_of_a_reception_is_no_second_reception() {
        let versions = [
            event("1", Flag::Superseded, 10, false),
            event("2", Flag::Active, 10, false),
        ];
        check(&DataKind::Adt12, &versions, SlotState::Current, &[1]);
    }

    #[test]
    fn a_cancel_takes_back_its_own_reception_only() {
        let versions = [
            event("1", Flag::Superseded, 10, false),
            event("2", Flag::Superseded, 20, false),
            event("3", Flag::Active, 20, true),
        ];
        check(&DataKind::Adt12, &versions, SlotState::Current, &[0]);
    }

    prop_compose! {
        fn any_version()(
            time in 1..5u8,
            flag in prop::sample::select(vec![Flag::Active, Flag::Superseded, Flag::Deleted]),
            content in 0..2u64,
        ) -> Version {
            // Content follows from the version, as a file's does from its name.
            let event_time = Some(Instant(i64::from(time % 3) + i64::try_from(content).unwrap()));
            Version { time: time.to_string(), flag, content, event_time, cancels: time == 4 }
        }
    }

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(
            versions in prop::collection::vec(any_version(), 0..12),
            seed in any::<usize>(),
        ) {
            let published = |versions: &[Version]| {
                let current = current(&DataKind::Adt12, false, versions);
                let keys = current.published.iter().map(|index| (versions[*index].time.clone(), versions[*index].content));
                (current.state, keys.collect::<std::collections::BTreeSet<_>>())
            };
            let mut shuffled = versions.clone();
            if !shuffled.is_empty() {
                let turn = seed % shuffled.len();
                shuffled.rotate_left(turn);
                shuffled.reverse();
                shuffled.push(versions[turn].clone());
            }
            prop_assert_eq!(published(&versions), published(&shuffled));
        }
    }
}
