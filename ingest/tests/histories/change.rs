//! The real feed over a real tree that changes under it: sweeps at any moment, also between the two
//! halves of a step, crashes and restarts, consents that come late.

use std::time::Duration;

use samples::random::Random;
use samples::step::Timed;
use samples::{Moment, Network, Step, Tree, histories};

use crate::hospital::Hospital;
use crate::reference::Person;

const SEED: u64 = 2_026;

/// One hospital's story.
#[derive(Clone, Copy)]
struct Plan {
    seed: u64,
    postgres: bool,
    settle: Duration,
}

impl Plan {
    fn at_once(seed: u64) -> Self {
        Self {
            seed,
            postgres: false,
            settle: Duration::ZERO,
        }
    }

    fn settling(seed: u64) -> Self {
        Self {
            settle: Duration::from_secs(2),
            ..Self::at_once(seed)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_histories_stand_readable_as_the_reference_says() {
    for seed in SEED..SEED + 6 {
        tell(Plan::at_once(seed), one_slot(seed, 6)).await;
        tell(Plan::settling(seed + 100), one_slot(seed + 100, 4)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_data_and_every_deviation_stands_readable_as_the_reference_says() {
    let hospital = Network::generate(SEED, 28).with_files(28 * 30);
    for first in (0..28).step_by(4) {
        let patients =
            (first..first + 4).map(|number| Person::OfHospital(Box::new(hospital.patient(number))));
        tell(Plan::at_once(first), patients.collect()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_keeps_the_same() {
    let postgres = |seed| Plan {
        postgres: true,
        ..Plan::at_once(seed)
    };
    tell(postgres(1), one_slot(1, 4)).await;
    let hospital = Network::generate(SEED + 1, 6).with_files(6 * 30);
    tell(
        postgres(2),
        hospital
            .patients()
            .map(|patient| Person::OfHospital(Box::new(patient)))
            .collect(),
    )
    .await;
}

fn one_slot(seed: u64, people: u64) -> Vec<Person> {
    histories(seed, people, 12)
        .map(|history| Person::OfOneSlot(Box::new(history)))
        .collect()
}

/// Tells a story: the steps of all people in the order of time, each in the halves that a reader can
/// observe, with something of the hub's between any two of them.
async fn tell(plan: Plan, people: Vec<Person>) {
    let mut random = Random::new(plan.seed, 7);
    let mut story = Story {
        plan,
        hospital: Hospital::open(plan.postgres, plan.settle).await,
        trees: people.iter().map(|_| Tree::default()).collect(),
        people,
        moments: 0,
    };
    for (who, Timed { at, step }) in story.steps() {
        for part in parts(step) {
            for operation in part.operations() {
                story.hospital.does(&operation, at);
            }
            story.trees[who].apply(&part);
            story.meanwhile(at, &mut random).await;
        }
    }
    story.end().await;
}

struct Story {
    plan: Plan,
    hospital: Hospital,
    people: Vec<Person>,
    trees: Vec<Tree>,
    moments: u32,
}

impl Story {
    /// The steps of everybody, with whose they are.
    fn steps(&self) -> Vec<(usize, Timed)> {
        let mut steps: Vec<(usize, Timed)> = Vec::new();
        for (who, person) in self.people.iter().enumerate() {
            let own = match person {
                Person::OfOneSlot(history) => {
                    [history.introduction.as_slice(), history.steps.as_slice()].concat()
                }
                Person::OfHospital(patient) => patient.steps.clone(),
            };
            steps.extend(own.into_iter().map(|timed| (who, timed)));
        }
        steps.sort_by_key(|(_, timed)| timed.at);
        steps
    }

    /// What the hub does between two changes of the storage: mostly nothing.
    async fn meanwhile(&mut self, at: Moment, random: &mut Random) {
        self.hospital.at(at);
        match random.below(40) {
            0..8 => drop(self.hospital.sweep().await),
            8..10 => {
                let after = Duration::from_millis(random.below(20));
                self.hospital.sweep_cut_off(after).await;
            }
            10 => self.hospital.restart(random.chance(50)).await,
            11..14 => self.consent_of_somebody(random).await,
            14..20 => self.compare(at, false).await,
            _ => {}
        }
    }

    async fn consent_of_somebody(&mut self, random: &mut Random) {
        let waiting = |person: &&Person| person.keeps_their_name() && !self.hospital.knows(person);
        let waiting: Vec<&Person> = self.people.iter().filter(waiting).collect();
        if !waiting.is_empty() {
            let person = *random.pick(&waiting);
            self.hospital.consent(person).await;
        }
    }

    /// Lets everything settle and compares what stands readable with the reference.
    async fn compare(&mut self, at: Moment, whole: bool) {
        let settled = at.plus_millis(i64::try_from(self.plan.settle.as_millis()).unwrap());
        self.hospital.at(settled);
        let report = self.hospital.sweep().await;
        assert!(!report.paused);
        self.moments += 1;
        for (person, tree) in self.people.iter().zip(&self.trees) {
            let expected = if self.hospital.knows(person) {
                person.lines(tree, whole)
            } else {
                Vec::new()
            };
            let mut read = self.hospital.reads(person).await;
            read.retain(|line| person.speaks_of(line, tree, whole));
            let place = format!(
                "seed {}, patient {}, moment {}",
                self.plan.seed,
                person.local_id(),
                self.moments
            );
            assert_eq!(
                Comparison::of(&read, &expected),
                Comparison::default(),
                "{place}"
            );
        }
    }

    /// At the end everybody has consented, nothing changes any more, and a hub that reads all of it
    /// for the first time shows the same.
    async fn end(mut self) {
        for person in &self.people {
            if !self.hospital.knows(person) {
                self.hospital.consent(person).await;
            }
        }
        let late = Moment::day(2030, 1, 1);
        self.compare(late, true).await;
        assert_eq!(
            self.hospital.sweep().await.files(),
            0,
            "a second sweep finds nothing new"
        );
        let anew = self.hospital.anew(&self.people).await;
        anew.sweep().await;
        for person in &self.people {
            assert_eq!(
                anew.reads(person).await,
                self.hospital.reads(person).await,
                "seed {}",
                self.plan.seed
            );
        }
        assert!(
            self.moments > 1,
            "seed {}: nothing was compared on the way",
            self.plan.seed
        );
    }
}

/// The smallest acts of a step: a reader may look between them.
fn parts(step: Step) -> Vec<Step> {
    use samples::Flag::{Current, Deleted, Superseded};
    match step {
        Step::Supersede { retired, by } => {
            let rename = |version| Step::Rename {
                root: by.root,
                version,
                from: Current,
                to: Superseded,
            };
            retired
                .into_iter()
                .map(rename)
                .chain([Step::Write(by.clone())])
                .collect()
        }
        Step::Delete { retired, by } => {
            let rename = |(version, from)| Step::Rename {
                root: by.root,
                version,
                from,
                to: Deleted,
            };
            retired
                .into_iter()
                .map(rename)
                .chain([Step::Write(by.clone())])
                .collect()
        }
        whole => vec![whole],
    }
}

/// How two lists in the alphabet's order differ.
#[derive(Debug, Default, PartialEq, Eq)]
struct Comparison {
    missing: Vec<String>,
    surplus: Vec<String>,
}

impl Comparison {
    fn of(read: &[String], expected: &[String]) -> Self {
        Self {
            missing: without(expected, read),
            surplus: without(read, expected),
        }
    }
}

/// What is left of a list when each entry of another one took one away.
fn without(list: &[String], other: &[String]) -> Vec<String> {
    let mut left = list.to_vec();
    for entry in other {
        if let Some(at) = left.iter().position(|one| one == entry) {
            left.remove(at);
        }
    }
    left
}
