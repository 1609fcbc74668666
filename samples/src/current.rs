//! Which version of a slot counts: the reference model that readers are compared with.

use crate::storage::Flag;
use crate::time::Moment;
use std::collections::BTreeMap;

/// What a slot says, as a function of the set of its versions. Whether the version that counts
/// is itself a cancel message stands in its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No version at all.
    Absent,
    /// This version is in force.
    Current(Moment),
    /// Only superseded versions are left; the last one is shown, marked.
    SupersededOnly(Moment),
    /// Deleted; nothing is shown.
    Deleted,
}

/// The state of the versions `(time, flag)` of one slot over all roots.
///
/// The same version may lie in two roots with two flags: `1` wins over `0`, `0` over `2`.
/// Order and repetition of the input do not matter.
pub fn current(versions: impl IntoIterator<Item = (Moment, Flag)>) -> State {
    let mut by_time: BTreeMap<Moment, Flag> = BTreeMap::new();
    for (time, flag) in versions {
        by_time
            .entry(time)
            .and_modify(|known| *known = stronger(*known, flag))
            .or_insert(flag);
    }
    let latest = |wanted: Flag| {
        let mut newest_first = by_time.iter().rev();
        newest_first.find_map(|(time, flag)| (*flag == wanted).then_some(*time))
    };
    if let Some(time) = latest(Flag::Current) {
        State::Current(time)
    } else if latest(Flag::Deleted).is_some() {
        State::Deleted
    } else {
        latest(Flag::Superseded).map_or(State::Absent, State::SupersededOnly)
    }
}

const fn stronger(a: Flag, b: Flag) -> Flag {
    match (a, b) {
        (Flag::Current, _) | (_, Flag::Current) => Flag::Current,
        (Flag::Deleted, _) | (_, Flag::Deleted) => Flag::Deleted,
        _ => Flag::Superseded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(minute: i64) -> Moment {
        Moment::day(2024, 5, 10).at(10, minute)
    }

    fn check(versions: &[(i64, Flag)], expected: State) {
        let versions = versions.iter().map(|(minute, flag)| (at(*minute), *flag));
        assert_eq!(current(versions.clone()), expected);
        assert_eq!(current(versions.rev()), expected);
    }

    #[test]
    fn nothing_is_absent() {
        check(&[], State::Absent);
    }

    #[test]
    fn the_newest_flag_1_is_current() {
        check(
            &[
                (1, Flag::Current),
                (2, Flag::Current),
                (3, Flag::Superseded),
            ],
            State::Current(at(2)),
        );
    }

    #[test]
    fn an_insert_after_a_deletion_is_current() {
        check(
            &[(1, Flag::Deleted), (2, Flag::Deleted), (2, Flag::Current)],
            State::Current(at(2)),
        );
    }

    #[test]
    fn flag_0_without_flag_1_is_deleted() {
        check(&[(1, Flag::Superseded), (2, Flag::Deleted)], State::Deleted);
    }

    #[test]
    fn superseded_without_a_successor_keeps_the_last() {
        check(
            &[(1, Flag::Superseded), (4, Flag::Superseded)],
            State::SupersededOnly(at(4)),
        );
    }

    #[test]
    fn a_version_with_two_flags_takes_the_stronger() {
        check(&[(1, Flag::Superseded), (1, Flag::Deleted)], State::Deleted);
        check(
            &[(1, Flag::Superseded), (1, Flag::Current)],
            State::Current(at(1)),
        );
    }
}
