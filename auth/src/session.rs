//! How long a session lasts. Pure.

use model::network::Profession;
use model::time::Instant;
use store::Session;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// A sign-in must be finished within this time, in seconds.
pub const UNFINISHED: i64 = 5 * MINUTE;

/// Times of a session, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Without a request.
    pub idle: i64,
    /// Altogether.
    pub absolute: i64,
}

/// The limits of a role: shorter for administrative ones, whose sessions can do more harm.
pub const fn limits(profession: Profession) -> Limits {
    if profession.is_administrative() {
        Limits {
            idle: 5 * MINUTE,
            absolute: 4 * HOUR,
        }
    } else {
        Limits {
            idle: 10 * MINUTE,
            absolute: 12 * HOUR,
        }
    }
}

/// Whether the session has run out. `complete` says that its factors suffice to be signed in.
pub fn is_over(session: &Session, profession: Profession, complete: bool, now: Instant) -> bool {
    let limits = limits(profession);
    if !complete {
        return now >= session.created_at.plus_seconds(UNFINISHED);
    }
    now >= session.seen_at.plus_seconds(limits.idle)
        || now >= session.created_at.plus_seconds(limits.absolute)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::id::PersonId;

    use super::*;

    const START: Instant = Instant(1_775_001_600_000_000);

    /// A session last seen at one second and looked at in another.
    fn check(profession: Profession, complete: bool, seen: i64, now: i64, over: bool) {
        let session = Session {
            person: PersonId(1),
            factors: BTreeSet::new(),
            created_at: START,
            seen_at: START.plus_seconds(seen),
        };
        let at = START.plus_seconds(now);
        assert_eq!(
            is_over(&session, profession, complete, at),
            over,
            "{seen} {now}"
        );
    }

    #[test]
    fn a_clinical_session_ends_after_ten_idle_minutes() {
        check(Profession::Physician, true, 0, 599, false);
        check(Profession::Physician, true, 0, 600, true);
    }

    #[test]
    fn an_administrative_session_ends_after_five_idle_minutes() {
        check(Profession::Secretariat, true, 0, 299, false);
        check(Profession::Administrator, true, 0, 300, true);
    }

    #[test]
    fn a_clinical_session_ends_after_twelve_hours_of_use() {
        check(Profession::Nurse, true, 43_199, 43_199, false);
        check(Profession::Nurse, true, 43_199, 43_200, true);
    }

    #[test]
    fn an_administrative_session_ends_after_four_hours_of_use() {
        check(Profession::Secretariat, true, 14_399, 14_399, false);
        check(Profession::Secretariat, true, 14_399, 14_400, true);
    }

    #[test]
    fn a_sign_in_that_is_not_finished_ends_after_five_minutes_whatever_happens() {
        check(Profession::Physician, false, 299, 299, false);
        check(Profession::Physician, false, 299, 300, true);
    }
}
