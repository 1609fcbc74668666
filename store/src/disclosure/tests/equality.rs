//! `consent::decide` and the condition that every query carries are one rule said twice. Random
//! worlds of grants, records and people hold them together; most moments lie at a border or one
//! microsecond beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use consent::{About, Basis, Question, RecordFacts, Requester, Standing, Viewing, admit, decide};
use model::id::{FacilityId, PatientNumber, RecordId};
use model::network::{Factor, Network, Profession};
use model::papers::EffectiveGrant;
use model::record::{Categories, Category, Kind, Occurred, Record, Sensitivity};
use model::time::Instant;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio::task::JoinSet;

use super::scene::{
    DAY, Reader, demographics, diagnosis, grant, id_of, introduce, keep, lab, requester,
};
use crate::disclosure::{RecordQuery, Refused};
use crate::testing::{NOW, clinic, hospital, network, on_both, pharmacy};
use crate::{Clock, Store};

const WORLDS: usize = 100;
const PATIENTS: i64 = 3;
const CATEGORIES: [Category; 4] = [
    Category::Demographics,
    Category::Problem,
    Category::Lab,
    Category::Prescription,
];
const KINDS: [Kind; 3] = [Kind::Patient, Kind::Condition, Kind::Observation];
/// When most records occurred.
const EVENT: i64 = NOW.0 - 30 * DAY;

/// A patient is a number from 0; worlds give them numbers of their own.
#[derive(Debug, Clone)]
struct World {
    now: Instant,
    grants: Vec<(i64, EffectiveGrant)>,
    records: Vec<(i64, Kind, RecordFacts, bool)>,
    people: Vec<(Profession, FacilityId, bool)>,
}

fn facility() -> impl Strategy<Value = FacilityId> {
    let stranger: FacilityId = "1319999904".parse().unwrap();
    prop_oneof![
        4 => Just(hospital()),
        4 => Just(clinic()),
        2 => Just(pharmacy()),
        1 => Just(stranger),
    ]
}

/// Around a moment, or an open end.
fn around(moment: i64, open: Instant) -> impl Strategy<Value = Instant> {
    let beside = prop_oneof![
        (-1..=1_i64).boxed(),
        select(vec![-DAY, DAY - 1, DAY]).boxed()
    ];
    prop_oneof![
        2 => beside.prop_map(move |offset| Instant(moment + offset)),
        1 => Just(open),
    ]
}

fn sensitivity() -> impl Strategy<Value = Sensitivity> {
    prop_oneof![
        4 => Just(Sensitivity::Normal),
        1 => Just(Sensitivity::Restricted),
        1 => Just(Sensitivity::Untold),
    ]
}

prop_compose! {
    fn grants()(
        patient in 0..PATIENTS,
        (reader, source) in (facility(), facility()),
        categories in subsequence(CATEGORIES.to_vec(), 0..=4),
        sensitivity_max in sensitivity(),
        (valid_from, valid_to) in (around(NOW.0, Instant::MIN), around(NOW.0, Instant::MAX)),
        (window_from, window_to) in (around(EVENT, Instant::MIN), around(EVENT, Instant::MAX)),
    ) -> (i64, EffectiveGrant) {
        let categories = match categories.as_slice() {
            [] => Categories::ALL,
            some => some.iter().copied().collect(),
        };
        (patient, EffectiveGrant {
            reader, source, categories, sensitivity_max, valid_from, valid_to, window_from, window_to,
        })
    }
}

prop_compose! {
    fn records()(
        patient in 0..PATIENTS,
        kind in select(KINDS.to_vec()),
        source in facility(),
        category in select(CATEGORIES.to_vec()),
        sensitivity in sensitivity(),
        occurred_from in prop_oneof![9 => around(EVENT, Instant::MIN), 1 => Just(Instant::MAX)],
        dated in prop::bool::weighted(0.8),
    ) -> (i64, Kind, RecordFacts, bool) {
        (patient, kind, RecordFacts { source, category, sensitivity, occurred_from }, dated)
    }
}

prop_compose! {
    fn worlds()(
        now in (-1..=1_i64).prop_map(|offset| Instant(NOW.0 + offset)),
        grants in vec(grants(), 0..40),
        records in vec(records(), 8..14),
        seats in vec((facility(), prop::bool::weighted(0.95)), Profession::ALL.len()),
    ) -> World {
        let people = Profession::ALL.into_iter().zip(seats);
        let people = people.map(|((profession, _), (facility, both))| (profession, facility, both));
        World { now, grants, records, people: people.collect() }
    }
}

/// A network in which professions differ in what they may see.
fn varied() -> Network {
    let mut network = network();
    network.hash = [9; 32];
    for (at, (profession, _)) in Profession::ALL.into_iter().enumerate().skip(2) {
        let seen = CATEGORIES.into_iter().enumerate();
        let seen = seen.filter(|(number, _)| at % 4 != 3 && (at + number) % 4 != 0);
        let seen = seen.map(|(_, category)| category).collect();
        network.profile.rights.insert(profession, seen);
    }
    network
}

/// A patient of a world with papers, records and the ids that the store gives them.
struct Person {
    number: PatientNumber,
    consents: Vec<model::papers::ConsentNo>,
    grants: Vec<EffectiveGrant>,
    records: Vec<(RecordId, Kind, RecordFacts)>,
}

fn written(at: usize, kind: Kind, facts: &RecordFacts, dated: bool) -> Record {
    let name = format!("r{at}");
    let mut record = match kind {
        Kind::Patient => demographics(&name),
        Kind::Condition => diagnosis(&name),
        _ => lab(&name),
    };
    let lasting = Occurred {
        from: facts.occurred_from,
        to: Instant::MAX,
    };
    record.meta.occurred = if dated {
        lasting
    } else {
        Occurred::undated(facts.occurred_from)
    };
    record.meta.facility = facts.source.clone();
    record.meta.category = facts.category;
    record.meta.sensitivity = facts.sensitivity;
    record
}

impl World {
    /// Writes the world into the store. The last patient's only consent is not in force.
    async fn settle(&self, store: &Store, world: i64) -> Vec<Person> {
        let mut people = Vec::new();
        for patient in 0..PATIENTS {
            let number = PatientNumber(world * PATIENTS + patient + 1);
            introduce(store, number).await;
            let consents = if patient == PATIENTS - 1 && world % 4 == 0 {
                let sql = "update consent set state = 3 where patient = $1";
                let withdrawn = crate::db::params![number];
                store.0.office.execute(sql, withdrawn).await.unwrap();
                Vec::new()
            } else {
                vec![format!("C-{}", number.0).parse().unwrap()]
            };
            let of_patient = self.grants.iter().filter(|(whose, _)| *whose == patient);
            let grants: Vec<EffectiveGrant> = of_patient.map(|(_, grant)| grant.clone()).collect();
            grant(store, number, &grants, NOW).await;
            let of_patient = self.records.iter().enumerate();
            let (records, rows): (Vec<_>, Vec<_>) = of_patient
                .filter(|(_, (whose, ..))| *whose == patient)
                .map(|(at, (_, kind, facts, dated))| {
                    let row = written(at, *kind, facts, *dated);
                    ((id_of(store, number, &row), *kind, facts.clone()), row)
                })
                .unzip();
            keep(store, number, rows).await;
            people.push(Person {
                number,
                consents,
                grants,
                records,
            });
        }
        people
    }
}

/// How often each answer was given.
type Answers = BTreeMap<&'static str, usize>;

struct Asking {
    reader: Reader,
    standing: Standing,
    now: Instant,
}

impl Asking {
    fn new(store: &Store, requester: Requester, now: Instant) -> Self {
        let standing = Standing::of(&requester, store.network(), false, Categories::ALL);
        Self {
            reader: Reader::new(store, requester),
            standing,
            now,
        }
    }

    fn decided(&self, patient: &Person, facts: &RecordFacts) -> Result<(), consent::Denied> {
        let question = Question {
            standing: self.standing.clone(),
            basis: Basis::Consent(patient.consents.clone()),
            epoch: 1,
            grants: patient.grants.clone(),
            about: About::Record(facts.clone()),
            now: self.now,
        };
        decide::<Viewing>(&question).map(|_| ())
    }

    async fn compare(&self, patient: &Person, answers: &mut Answers) {
        let mut expected: BTreeMap<Kind, BTreeSet<RecordId>> = BTreeMap::new();
        for (id, kind, facts) in &patient.records {
            let decided = self.decided(patient, facts);
            let answer = decided
                .as_ref()
                .map_or_else(|it| it.reason.code(), |()| "yes");
            *answers.entry(answer).or_default() += 1;
            if decided.is_ok() {
                expected.entry(*kind).or_default().insert(*id);
            }
            let shown = self.shown_alone(*id, *kind).await;
            assert_eq!(shown, decided.is_ok(), "{answer}: {facts:?}");
        }
        let view = match self.reader.view(patient.number).await {
            Ok(view) => view,
            Err(Refused::NotFound) => {
                assert!(expected.is_empty());
                return;
            }
            Err(Refused::Forbidden(reason)) => {
                assert_eq!(admit::<Viewing>(&self.standing).unwrap_err().reason, reason);
                return;
            }
            Err(other) => panic!("{other:?}"),
        };
        for kind in KINDS {
            let page = view.records(&RecordQuery::new(kind)).await.unwrap();
            let shown: BTreeSet<RecordId> = page.items.iter().map(|record| record.id).collect();
            let wanted = expected.remove(&kind).unwrap_or_default();
            assert_eq!(shown, wanted, "{kind:?}");
            assert_eq!(page.total, u64::try_from(wanted.len()).unwrap());
        }
    }

    async fn shown_alone(&self, id: RecordId, kind: Kind) -> bool {
        let Reader {
            door,
            requester,
            call,
        } = &self.reader;
        match door.open_record::<Viewing>(requester, call, id).await {
            Ok(view) => match view.record(kind, id).await {
                Ok(record) => record.id == id,
                Err(Refused::NotFound) => false,
                Err(other) => panic!("{other:?}"),
            },
            Err(Refused::NotFound | Refused::Forbidden(_)) => false,
            Err(other) => panic!("{other:?}"),
        }
    }
}

async fn compare(store: &Store, world: &World, number: i64, answers: &mut Answers) {
    let patients = Arc::new(world.settle(store, number).await);
    let mut asked = JoinSet::new();
    for (profession, facility, both) in &world.people {
        let mut factors = BTreeSet::from([Factor::Password, Factor::Totp]);
        if !both {
            factors.remove(&Factor::Totp);
        }
        let requester = requester(*profession, facility.clone(), factors);
        let asking = Asking::new(store, requester, world.now);
        let patients = Arc::clone(&patients);
        asked.spawn(async move {
            let mut answers = Answers::new();
            for patient in patients.iter() {
                asking.compare(patient, &mut answers).await;
            }
            answers
        });
    }
    for some in asked.join_all().await {
        for (answer, times) in some {
            *answers.entry(answer).or_default() += times;
        }
    }
}

#[tokio::test]
async fn the_decision_and_its_sql_give_the_same_answer() {
    on_both(async |stage| {
        let clock = Clock::fixed(NOW);
        let network = Arc::new(varied());
        let store = Store::open(stage.config.clone(), network, clock.clone())
            .await
            .unwrap();
        let mut random = TestRunner::deterministic();
        let mut answers = Answers::new();
        for number in (0..).take(WORLDS) {
            let world = worlds().new_tree(&mut random).unwrap().current();
            clock.set(world.now);
            compare(&store, &world, number, &mut answers).await;
        }
        store.close().await;
        assert!(
            answers.values().sum::<usize>() >= WORLDS * 80,
            "{answers:?}"
        );
        // A world in which an answer never comes would hold nothing together.
        for answer in [
            "yes",
            "STOPPED",
            "FACTOR",
            "ROLE_CATEGORY",
            "NO_CONSENT",
            "OTHER_FACILITY",
            "EXPIRED",
            "OTHER_SOURCE",
            "CATEGORY",
            "NOT_DISCLOSED",
            "SENSITIVITY",
            "WINDOW",
        ] {
            assert!(
                answers.get(answer).is_some_and(|times| *times >= 20),
                "{answer}: {answers:?}"
            );
        }
    })
    .await;
}
