//! How much one person may do in a while (`limits.*` of the regulation), counted in memory by each
//! process for itself. Pure: what is counted depends on who asks and on what the request says, never
//! on what is found. A patient who does not exist counts like one who does.

use std::collections::{HashMap, VecDeque};

use model::id::{PatientId, PatientNumber, PersonId};
use model::network::Limits;
use model::time::Instant;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// What a person does that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Any request.
    Request,
    /// A search; its further pages are not searches of their own.
    Search,
    /// A patient is named.
    Patient(PatientId),
    /// A record is named, which says whose it is. Counted beside [`Use::Patient`]: both numbers stand
    /// for the same person, and only a look at the papers could tell.
    Chart(PatientNumber),
}

/// A limit of the regulation is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// The key of the limit.
    pub limit: &'static str,
    /// Seconds after which there is room again.
    pub wait: i64,
    /// Whether the person was let through the last time; of refusals in a row only the first is news.
    pub first: bool,
}

/// A limit: its key, how many, in how many seconds.
struct Rule {
    limit: &'static str,
    most: Option<u32>,
    window: i64,
}

/// What everybody did lately.
#[derive(Debug)]
pub struct Usage {
    limits: Limits,
    people: HashMap<PersonId, Person>,
}

#[derive(Debug, Default)]
struct Person {
    requests: Recent,
    searches: Recent,
    patients: Recent,
    charts: Recent,
}

/// What was done within a window, oldest first. Equal things count once, from when they were done
/// last.
#[derive(Debug, Default)]
struct Recent {
    done: VecDeque<(Instant, Option<u128>)>,
    refusing: bool,
}

impl Usage {
    /// Nobody did anything yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            people: HashMap::new(),
        }
    }

    /// Counts what a person does, or refuses it; what is refused is not counted.
    ///
    /// # Errors
    /// [`Exceeded`] when the limit is reached.
    pub fn admit(&mut self, person: PersonId, what: Use, now: Instant) -> Result<(), Exceeded> {
        let rule = self.rule(what);
        let Some(most) = rule.most else { return Ok(()) };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let person = self.people.entry(person).or_default();
        let (recent, thing) = match what {
            Use::Request => (&mut person.requests, None),
            Use::Search => (&mut person.searches, None),
            Use::Patient(id) => (&mut person.patients, Some(u128::from_be_bytes(id.0))),
            Use::Chart(number) => (
                &mut person.charts,
                Some(u128::from(number.0.cast_unsigned())),
            ),
        };
        recent
            .admit(most, rule.window, thing, now)
            .map_err(|(wait, first)| Exceeded {
                limit: rule.limit,
                wait,
                first,
            })
    }

    /// Forgets who did nothing within the longest window.
    pub fn forget_idle(&mut self, now: Instant) {
        let before = now.plus_seconds(-HOUR);
        self.people
            .retain(|_, person| person.recents().any(|recent| recent.is_after(before)));
    }

    const fn rule(&self, what: Use) -> Rule {
        let (limit, most, window) = match what {
            Use::Request => (
                "limits.requests_per_minute",
                self.limits.requests_per_minute,
                MINUTE,
            ),
            Use::Search => (
                "limits.searches_per_minute",
                self.limits.searches_per_minute,
                MINUTE,
            ),
            Use::Patient(_) | Use::Chart(_) => (
                "limits.patients_per_hour",
                self.limits.patients_per_hour,
                HOUR,
            ),
        };
        Rule {
            limit,
            most,
            window,
        }
    }
}

impl Person {
    fn recents(&self) -> impl Iterator<Item = &Recent> {
        [&self.requests, &self.searches, &self.patients, &self.charts].into_iter()
    }
}

impl Recent {
    /// The seconds to wait, and whether this refusal is the first of its run.
    fn admit(
        &mut self,
        most: usize,
        window: i64,
        thing: Option<u128>,
        now: Instant,
    ) -> Result<(), (i64, bool)> {
        let over = |at: Instant| at.plus_seconds(window) <= now;
        while self.done.front().is_some_and(|(at, _)| over(*at)) {
            self.done.pop_front();
        }
        let same = |(_, known): &(Instant, Option<u128>)| thing.is_some() && *known == thing;
        if let Some(known) = self.done.iter().position(same) {
            self.done.remove(known);
        }
        if self.done.len() >= most {
            let free = self
                .done
                .front()
                .map_or(now, |(at, _)| at.plus_seconds(window));
            let left = free.0.saturating_sub(now.0).saturating_add(999_999) / 1_000_000;
            return Err((left, !std::mem::replace(&mut self.refusing, true)));
        }
        self.refusing = false;
        self.done.push_back((now, thing));
        Ok(())
    }

    fn is_after(&self, before: Instant) -> bool {
        self.done.back().is_some_and(|(at, _)| *at > before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant(1_775_001_600_000_000);
    const SOMEBODY: PersonId = PersonId(1);

    fn usage(most: Option<u32>) -> Usage {
        Usage::new(Limits {
            requests_per_minute: most,
            searches_per_minute: most,
            patients_per_hour: most,
        })
    }

    fn patient(number: u8) -> Use {
        Use::Patient(PatientId([number; 16]))
    }

    /// Three are allowed; they are done at once. Says how long the fourth is refused.
    fn check(done: [Use; 3], fourth: Use, seconds: i64) {
        let mut usage = usage(Some(3));
        for one in done {
            assert_eq!(usage.admit(SOMEBODY, one, START), Ok(()));
        }
        let refused = usage.admit(SOMEBODY, fourth, START).unwrap_err();
        assert_eq!((refused.wait, refused.first), (seconds, true));
        let last = Instant(START.plus_seconds(seconds).0 - 1);
        let refused = usage.admit(SOMEBODY, fourth, last).unwrap_err();
        assert_eq!((refused.wait, refused.first), (1, false));
        let free = START.plus_seconds(seconds);
        assert_eq!(usage.admit(SOMEBODY, fourth, free), Ok(()));
    }

    #[test]
    fn a_minute_has_so_many_requests() {
        check([Use::Request; 3], Use::Request, 60);
    }

    #[test]
    fn a_minute_has_so_many_searches() {
        check([Use::Search; 3], Use::Search, 60);
    }

    #[test]
    fn an_hour_has_so_many_patients() {
        check([patient(1), patient(2), patient(3)], patient(4), 3_600);
        let chart = |number| Use::Chart(PatientNumber(number));
        check([chart(1), chart(2), chart(3)], chart(-4), 3_600);
    }

    #[test]
    fn the_same_patient_again_is_free_and_stays_counted_from_then_on() {
        let mut usage = usage(Some(2));
        let mut ask = |what, seconds| usage.admit(SOMEBODY, what, START.plus_seconds(seconds));
        assert!(ask(patient(1), 0).is_ok());
        assert!(ask(patient(2), 10).is_ok());
        assert!(ask(patient(1), 20).is_ok());
        assert_eq!(ask(patient(3), 30).unwrap_err().wait, 3_580);
        assert!(ask(patient(2), 40).is_ok());
        assert_eq!(ask(patient(3), 3_610).unwrap_err().wait, 10);
    }

    #[test]
    fn what_was_refused_does_not_count() {
        let mut usage = usage(Some(1));
        let mut ask = |seconds| usage.admit(SOMEBODY, Use::Request, START.plus_seconds(seconds));
        assert!(ask(0).is_ok());
        assert!((1..60).all(|second| ask(second).is_err()));
        assert!(ask(60).is_ok());
    }

    #[test]
    fn people_and_limits_are_counted_apart() {
        let mut usage = usage(Some(1));
        assert!(usage.admit(SOMEBODY, Use::Request, START).is_ok());
        assert!(usage.admit(SOMEBODY, Use::Search, START).is_ok());
        assert!(usage.admit(SOMEBODY, patient(1), START).is_ok());
        assert!(usage.admit(PersonId(2), Use::Request, START).is_ok());
        assert_eq!(
            usage.admit(SOMEBODY, Use::Search, START).unwrap_err().limit,
            "limits.searches_per_minute"
        );
    }

    #[test]
    fn unlimited_is_not_counted_and_nobody_is_remembered_for_nothing() {
        let mut unlimited = usage(None);
        assert!((0..10_000).all(|_| unlimited.admit(SOMEBODY, Use::Request, START).is_ok()));
        assert!(unlimited.people.is_empty());
        let mut limited = usage(Some(1));
        assert!(limited.admit(SOMEBODY, patient(1), START).is_ok());
        limited.forget_idle(Instant(START.plus_seconds(HOUR).0 - 1));
        assert_eq!(limited.people.len(), 1);
        limited.forget_idle(START.plus_seconds(HOUR));
        assert!(limited.people.is_empty());
    }
}
