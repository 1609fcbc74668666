//! How often strangers were turned away: per minute and network address, until the minute is over and
//! its counts go to the audit. Pure.

use std::collections::BTreeMap;

use model::time::Instant;

const MINUTE: i64 = 60_000_000;
/// So many addresses are told apart; further ones are counted together.
const MOST: usize = 4_096;
/// What the further ones are called.
const OTHERS: &str = "other addresses";

/// Strangers who were turned away and are not in the audit yet.
#[derive(Debug, Default)]
pub(crate) struct Strangers {
    counts: BTreeMap<(i64, String), u64>,
}

/// What was refused to one address in one minute.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TurnedAway {
    /// When the minute began.
    pub(crate) minute: Instant,
    /// From where.
    pub(crate) place: String,
    /// How often.
    pub(crate) requests: u64,
}

impl Strangers {
    /// One more was turned away.
    pub(crate) fn count(&mut self, place: String, now: Instant) {
        self.add(TurnedAway {
            minute: now,
            place,
            requests: 1,
        });
    }

    /// What was taken out and did not reach the audit is counted again.
    pub(crate) fn add(&mut self, away: TurnedAway) {
        let minute = away.minute.0.div_euclid(MINUTE);
        let key = (minute, away.place);
        let room = self.counts.len() < MOST || self.counts.contains_key(&key);
        let key = if room {
            key
        } else {
            (minute, OTHERS.to_owned())
        };
        *self.counts.entry(key).or_default() += away.requests;
    }

    /// Takes out the minutes that began before a time.
    pub(crate) fn take(&mut self, before: Instant) -> Vec<TurnedAway> {
        let first_kept = (before.0.div_euclid(MINUTE), String::new());
        let kept = self.counts.split_off(&first_kept);
        let taken = std::mem::replace(&mut self.counts, kept);
        taken
            .into_iter()
            .map(|((minute, place), requests)| TurnedAway {
                minute: Instant(minute.saturating_mul(MINUTE)),
                place,
                requests,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(1_775_001_600_000_000);

    #[test]
    fn a_minute_and_an_address_are_one_count() {
        let mut strangers = Strangers::default();
        for (place, second) in [("a", 0), ("b", 1), ("a", 59), ("a", 60)] {
            strangers.count(place.to_owned(), START.plus_seconds(second));
        }
        let counted = |strangers: &mut Strangers, second| -> Vec<(String, u64)> {
            let taken = strangers.take(START.plus_seconds(second));
            taken
                .into_iter()
                .map(|one| (one.place, one.requests))
                .collect()
        };
        assert_eq!(counted(&mut strangers, 59), []);
        let first = [("a".to_owned(), 2), ("b".to_owned(), 1)];
        assert_eq!(counted(&mut strangers, 60), first.clone());
        // The audit was not there for them.
        for (place, requests) in first.clone() {
            let minute = START;
            strangers.add(TurnedAway {
                minute,
                place,
                requests,
            });
        }
        assert_eq!(counted(&mut strangers, 60), first);
        assert_eq!(counted(&mut strangers, 120), [("a".to_owned(), 1)]);
        assert_eq!(counted(&mut strangers, 180), []);
    }

    #[test]
    fn a_crowd_of_addresses_does_not_fill_the_memory() {
        let mut strangers = Strangers::default();
        for number in 0..3 * MOST {
            strangers.count(number.to_string(), START);
        }
        let taken = strangers.take(START.plus_seconds(60));
        assert_eq!(taken.len(), MOST + 1);
        let requests: u64 = taken.iter().map(|one| one.requests).sum();
        assert_eq!(requests, 3 * MOST as u64);
    }
}
