//! A program that reads better than the one before: replay says what that changes before it writes
//! anything, then a physician reads what today's program reads, and a second replay has nothing to do.

use std::collections::BTreeMap;
use std::time::Duration;

use ingest::{Counts, Ingest, Replayed, Scope};
use model::record::{Body, Kind, Record};
use samples::{Mix, Moment, Network};
use store::{ItemChange, Packed, PatientChange, Publish, SlotChange, Standing};

use crate::hospital::{HOSPITAL, Hospital};
use crate::reference::Person;

async fn replay(hospital: &Hospital, apply: bool) -> Replayed {
    let feeds = Ingest::new(hospital.store.clone(), 1 << 20);
    feeds
        .replay(&Scope::default(), apply, &|_, _| {})
        .await
        .unwrap()
}

/// Keeps of a patient's laboratory results, in each item, all but the last one and that without its
/// unit, as a program that understood less would. How many items, how many results are left.
async fn understand_less(hospital: &Hospital) -> (usize, usize) {
    let (store, facility) = (&hospital.store, HOSPITAL.parse().unwrap());
    let roster = store
        .papers(normalize::text::fold)
        .roster(&facility)
        .await
        .unwrap();
    let (entry, intake) = (&roster[0], &store.intake());
    let known = intake.known(entry.patient, &facility).await.unwrap();
    let contents = intake.contents(entry.patient, &known.items).await.unwrap();
    let (mut items, mut slots, mut left) = (Vec::new(), Vec::new(), 0);
    for (item, content) in known.items.iter().zip(contents) {
        let mut records = content.records().unwrap();
        let is_result = |record: &Record| record.meta.kind == Kind::Observation;
        let is_shown = known.slots[&item.slot].published.contains(&(item.path, 1));
        if records.len() < 2 || !records.iter().all(is_result) || !is_shown {
            continue;
        }
        records.pop();
        let Body::Observation(first) = &mut records[0].body else {
            panic!("a result is an observation")
        };
        first.notes.push("as it was".to_owned());
        left += records.len();
        let packed = Packed::new(content.raw().unwrap(), content.name().unwrap(), &records);
        items.push(ItemChange {
            item: item.clone(),
            packed: Some(packed.unwrap()),
            findings: None,
            fresh: false,
        });
        let before = known.slots[&item.slot].clone();
        let publish = records
            .into_iter()
            .enumerate()
            .map(|(ordinal, record)| Publish {
                path: item.path,
                ordinal,
                head: intake.head(&record),
                standing: Standing::Current,
            });
        slots.push(SlotChange {
            slot: item.slot,
            state: before.state,
            joins: before.joins,
            published: before.published.clone(),
            publish: publish.collect(),
            before: Some(before),
        });
    }
    let changed = items.len();
    let change = PatientChange {
        patient: entry.patient,
        public: entry.public,
        epoch: entry.epoch,
        facility,
        joins: known.joins,
        items,
        slots,
        joined: None,
        tokens: BTreeMap::new(),
        taken: store::Taken::default(),
    };
    intake.accept(vec![change]).await.unwrap();
    (changed, left)
}

#[tokio::test]
async fn what_todays_program_reads_otherwise_is_told_and_then_written() {
    let network = Network::generate(5, 3)
        .with_mix(Mix::Ordinary)
        .with_files(240);
    let people: Vec<Person> = network
        .patients()
        .map(|one| Person::OfHospital(Box::new(one)))
        .collect();
    for postgres in [false, true] {
        let mut hospital = Hospital::open(postgres, Duration::ZERO).await;
        hospital.at(Moment::day(2026, 11, 1));
        for (person, patient) in people.iter().zip(network.patients()) {
            hospital.consent(person).await;
            hospital.lay(&patient);
        }
        hospital.sweep().await;
        let expected = hospital.reads(&people[0]).await;
        let nothing = replay(&hospital, false).await;
        assert!(nothing.is_unchanged() && nothing.items > 100, "{nothing:?}");

        let (changed, left) = understand_less(&hospital).await;
        let less = hospital.reads(&people[0]).await;
        assert!(changed > 3 && less.len() == expected.len() - changed);
        let plan = replay(&hospital, false).await;
        let results = Counts {
            added: changed,
            changed,
            removed: 0,
        };
        assert_eq!(
            (plan.changed_items, plan.records["Observation"]),
            (changed, results)
        );
        assert!(left >= changed && plan.records.len() == 1, "{plan:?}");
        assert_eq!(
            hospital.reads(&people[0]).await,
            less,
            "a plan writes nothing"
        );

        assert_eq!(replay(&hospital, true).await, plan);
        assert_eq!(hospital.reads(&people[0]).await, expected);
        assert_eq!(replay(&hospital, true).await, nothing);
    }
}

#[tokio::test]
async fn what_does_not_open_is_left_and_everybody_else_is_read() {
    let network = Network::generate(5, 3)
        .with_mix(Mix::Ordinary)
        .with_files(240);
    let mut hospital = Hospital::open(false, Duration::ZERO).await;
    hospital.at(Moment::day(2026, 11, 1));
    for patient in network.patients() {
        hospital
            .consent(&Person::OfHospital(Box::new(patient.clone())))
            .await;
        hospital.lay(&patient);
    }
    hospital.sweep().await;
    let all = replay(&hospital, false).await;
    assert_eq!((all.patients, all.left), (3, 0));

    hospital.bend_a_byte();
    let rest = replay(&hospital, false).await;
    assert_eq!((rest.patients, rest.left), (2, 1));
    assert!(0 < rest.items && rest.items < all.items && rest.is_unchanged());
}
