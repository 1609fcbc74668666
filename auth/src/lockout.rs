//! How often somebody may fail. Passwords and one-time codes are counted apart, so that guessing the
//! one does not lock the other; network addresses are counted too. Names that do not exist are
//! counted like those that do. Pure.
//!
//! An attempt counts as a failure from the moment it begins until it succeeds: attempts that come at
//! once cannot outrun the count.

use model::time::Instant;
use store::Counter;

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// What one kind of counter leads to. All times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Pause after a failure: up to how many failures, how long.
    pause: &'static [(i64, i64)],
    /// This many failures …
    most: i64,
    /// … within this time …
    window: i64,
    /// … hold further attempts this long.
    hold: i64,
    /// This many failures in a day hold further attempts until somebody unlocks the account.
    most_a_day: i64,
    /// A success clears all failures of the window, not only its own attempt.
    forgives: bool,
}

/// Passwords for one account name.
pub const PASSWORD: Rule = Rule {
    pause: &[(2, 1), (8, 3), (i64::MAX, 5)],
    most: 10,
    window: 15 * MINUTE,
    hold: 15 * MINUTE,
    most_a_day: 50,
    forgives: true,
};

/// One-time codes for one account. The failure that begins a hold also ends the sign-in: the
/// password must be given again.
pub const TOTP: Rule = Rule {
    pause: &[(i64::MAX, 1)],
    most: 5,
    window: 5 * MINUTE,
    hold: 5 * MINUTE,
    most_a_day: 20,
    forgives: true,
};

/// Attempts from one network address. A success takes back its own attempt only: behind one address
/// sit many people, and one of them may know one password.
pub const ADDRESS: Rule = Rule {
    pause: &[],
    most: 30,
    window: 10 * MINUTE,
    hold: 15 * MINUTE,
    most_a_day: i64::MAX,
    forgives: false,
};

/// Why an attempt may not be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// So many seconds longer.
    For(i64),
    /// Until somebody unlocks the account.
    UntilUnlocked,
}

/// What follows if the attempt fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stake {
    /// A pause.
    Pause,
    /// Further attempts are held for a while.
    Hold,
    /// Further attempts are held until somebody unlocks the account.
    Lock,
}

/// Begins an attempt, or refuses it.
pub fn attempt(rule: &Rule, counter: &mut Counter, now: Instant) -> Result<Stake, Held> {
    if now < counter.blocked_until {
        return Err(held(counter.blocked_until, now));
    }
    if counter.failures == 0 || now >= counter.window_start.plus_seconds(rule.window) {
        (counter.failures, counter.window_start) = (0, now);
    }
    if counter.day_failures == 0 || now >= counter.day_start.plus_seconds(DAY) {
        (counter.day_failures, counter.day_start) = (0, now);
    }
    counter.failures += 1;
    counter.day_failures += 1;
    let pause = rule
        .pause
        .iter()
        .find(|(upto, _)| counter.failures <= *upto);
    let (until, stake) = if counter.day_failures >= rule.most_a_day {
        (Instant::MAX, Stake::Lock)
    } else if counter.failures >= rule.most {
        (now.plus_seconds(rule.hold), Stake::Hold)
    } else {
        (
            now.plus_seconds(pause.map_or(0, |(_, seconds)| *seconds)),
            Stake::Pause,
        )
    };
    counter.blocked_until = until;
    Ok(stake)
}

fn held(until: Instant, now: Instant) -> Held {
    if until == Instant::MAX {
        return Held::UntilUnlocked;
    }
    let left = until.0.saturating_sub(now.0);
    Held::For(left.saturating_add(999_999) / 1_000_000)
}

/// Takes an attempt back that succeeded.
pub fn succeed(rule: &Rule, counter: &mut Counter) {
    counter.day_failures = (counter.day_failures - 1).max(0);
    counter.failures = if rule.forgives {
        0
    } else {
        (counter.failures - 1).max(0)
    };
    if counter.failures < rule.most && counter.day_failures < rule.most_a_day {
        counter.blocked_until = Instant::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(1_775_001_600_000_000);

    /// Fails `times` times, each as early as it may, and says when the next attempt may begin, in
    /// seconds from the start.
    fn fail(rule: &Rule, times: i64) -> (Counter, Instant) {
        let (mut counter, mut now) = (Counter::default(), START);
        for _ in 0..times {
            attempt(rule, &mut counter, now).unwrap();
            now = now.max(counter.blocked_until);
        }
        (counter, now)
    }

    fn check(rule: &Rule, times: i64, expected: Result<Stake, Held>) {
        let (mut counter, now) = fail(rule, times - 1);
        assert_eq!(
            attempt(rule, &mut counter, now),
            expected,
            "attempt {times}"
        );
    }

    /// Length of the pause after so many failures in a row.
    fn check_pause(rule: &Rule, times: i64, seconds: i64) {
        let (mut counter, now) = fail(rule, times - 1);
        attempt(rule, &mut counter, now).unwrap();
        let early = Instant(now.plus_seconds(seconds).0 - 1);
        let mut refused = counter;
        assert_eq!(attempt(rule, &mut refused, now), Err(Held::For(seconds)));
        assert_eq!(attempt(rule, &mut refused, early), Err(Held::For(1)));
        assert_eq!(refused, counter, "a refused attempt is not counted");
        assert!(attempt(rule, &mut counter, now.plus_seconds(seconds)).is_ok());
    }

    #[test]
    fn password_failures_pause_one_three_and_five_seconds() {
        check_pause(&PASSWORD, 2, 1);
        check_pause(&PASSWORD, 3, 3);
        check_pause(&PASSWORD, 8, 3);
        check_pause(&PASSWORD, 9, 5);
    }

    #[test]
    fn the_tenth_wrong_password_in_a_quarter_of_an_hour_holds_for_another() {
        check(&PASSWORD, 9, Ok(Stake::Pause));
        check(&PASSWORD, 10, Ok(Stake::Hold));
        check_pause(&PASSWORD, 10, 15 * MINUTE);
    }

    #[test]
    fn failures_older_than_the_window_do_not_add_up() {
        let (mut counter, _) = fail(&PASSWORD, 9);
        let last = Instant(START.plus_seconds(15 * MINUTE).0 - 1);
        assert_eq!(
            attempt(&PASSWORD, &mut counter.clone(), last),
            Ok(Stake::Hold)
        );
        let next = START.plus_seconds(15 * MINUTE);
        assert_eq!(attempt(&PASSWORD, &mut counter, next), Ok(Stake::Pause));
    }

    #[test]
    fn the_fiftieth_wrong_password_of_a_day_locks_until_somebody_unlocks() {
        check(&PASSWORD, 49, Ok(Stake::Pause));
        check(&PASSWORD, 50, Ok(Stake::Lock));
        let (mut counter, _) = fail(&PASSWORD, 50);
        let years = START.plus_seconds(1_000 * DAY);
        assert_eq!(
            attempt(&PASSWORD, &mut counter, years),
            Err(Held::UntilUnlocked)
        );
    }

    #[test]
    fn a_day_later_the_days_failures_are_forgotten() {
        let (mut counter, now) = fail(&PASSWORD, 49);
        assert!(now < START.plus_seconds(DAY));
        assert_eq!(
            attempt(&PASSWORD, &mut counter, START.plus_seconds(DAY)),
            Ok(Stake::Pause)
        );
        assert_eq!(counter.day_failures, 1);
    }

    #[test]
    fn the_fifth_wrong_code_in_five_minutes_ends_the_sign_in() {
        check_pause(&TOTP, 4, 1);
        check(&TOTP, 4, Ok(Stake::Pause));
        check(&TOTP, 5, Ok(Stake::Hold));
        check_pause(&TOTP, 5, 5 * MINUTE);
    }

    #[test]
    fn the_twentieth_wrong_code_of_a_day_locks_until_somebody_unlocks() {
        check(&TOTP, 19, Ok(Stake::Pause));
        check(&TOTP, 20, Ok(Stake::Lock));
    }

    #[test]
    fn thirty_failures_from_one_address_in_ten_minutes_hold_it_for_a_quarter_of_an_hour() {
        check(&ADDRESS, 29, Ok(Stake::Pause));
        check(&ADDRESS, 30, Ok(Stake::Hold));
        check_pause(&ADDRESS, 30, 15 * MINUTE);
    }

    #[test]
    fn a_right_password_clears_the_window_but_not_the_day() {
        let (mut counter, _) = fail(&PASSWORD, 9);
        succeed(&PASSWORD, &mut counter);
        assert_eq!((counter.failures, counter.day_failures), (0, 8));
        assert_eq!(attempt(&PASSWORD, &mut counter, START), Ok(Stake::Pause));
    }

    #[test]
    fn a_right_last_attempt_takes_the_hold_back() {
        for (rule, last) in [
            (PASSWORD, 10),
            (PASSWORD, 50),
            (TOTP, 5),
            (TOTP, 20),
            (ADDRESS, 30),
        ] {
            let (mut counter, now) = fail(&rule, last);
            succeed(&rule, &mut counter);
            assert!(attempt(&rule, &mut counter, now.min(START.plus_seconds(DAY - 1))).is_ok());
        }
    }

    #[test]
    fn who_knows_one_password_cannot_clear_an_address() {
        let (mut counter, _) = fail(&ADDRESS, 28);
        for _ in 0..5 {
            attempt(&ADDRESS, &mut counter, START).unwrap();
            succeed(&ADDRESS, &mut counter);
        }
        assert_eq!(counter.failures, 28);
    }

    #[test]
    fn attempts_at_once_are_refused_while_the_first_is_being_checked() {
        let mut counter = Counter::default();
        assert_eq!(attempt(&PASSWORD, &mut counter, START), Ok(Stake::Pause));
        assert_eq!(attempt(&PASSWORD, &mut counter, START), Err(Held::For(1)));
    }
}
