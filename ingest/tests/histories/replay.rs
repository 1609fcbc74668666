//! A program that reads better than the one before: replay says what that changes before it writes
//! anything, then a physician reads what today's program reads, and a second replay has nothing to do.

use std::collections::BTreeMap;
use std::time::Duration;

use ingest::{Counts, Ingest, Replayed, Scope};
use model::record::{Body, Kind, Record};
use samples::{Mix, Moment, Network};
use store::{ItemChange, Packed, PatientChange, Publish, SlotChange, Standing};

use crate::hospital::{HOSPITAL, Hospital};
use crate::pushed::{messages, push_as};
use crate::reference::Person;

async fn replay(hospital: &Hospital, apply: bool) -> Replayed {
    let feeds = Ingest::new(hospital.store.clone(), 1 << 20);
    feeds
        .replay(&Scope::default(), apply, &|_, _| {})
        .await
        .unwrap()
}

/// Keeps of a patient's laboratory results, in each item, all but the last one and the first one with
/// a note, as a program that understood less would. How many items, how many results are left.
async fn understand_less(hospital: &Hospital, number: usize) -> (usize, usize) {
    let (store, facility) = (&hospital.store, HOSPITAL.parse().unwrap());
    let roster = store
        .papers(normalize::text::fold)
        .roster(&facility)
        .await
        .unwrap();
    let (entry, intake) = (&roster[number], &store.intake());
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

/// A hospital of so many patients; of every third one it pushes what the others have in its storage,
/// where one file is too large to be read.
async fn hospital(postgres: bool, patients: u64) -> (Hospital, Vec<Person>) {
    let network = Network::generate(5, patients)
        .with_mix(Mix::Ordinary)
        .with_files(80 * patients);
    let mut hospital = Hospital::open(postgres, Duration::ZERO).await;
    hospital.at(Moment::day(2026, 11, 1));
    let mut people = Vec::new();
    for (at, patient) in network.patients().enumerate() {
        let person = Person::OfHospital(Box::new(patient.clone()));
        hospital.consent(&person).await;
        if at % 3 == 1 {
            push_as(&hospital, person.local_id(), &messages(&patient)).await;
        } else {
            hospital.lay(&patient);
        }
        if at == 2 {
            hospital.outgrow(&patient);
        }
        people.push(person);
    }
    hospital.sweep().await;
    (hospital, people)
}

#[tokio::test]
async fn what_todays_program_reads_otherwise_is_told_and_then_written() {
    const PATIENTS: usize = 20;
    const FEWER: [usize; 3] = [0, 1, 18];
    for postgres in [false, true] {
        let (hospital, people) = hospital(postgres, PATIENTS as u64).await;
        let reads = async || {
            let mut lines = Vec::new();
            for at in FEWER {
                lines.push(hospital.reads(&people[at]).await);
            }
            lines
        };
        let expected = reads().await;
        let nothing = replay(&hospital, false).await;
        assert!(
            nothing.is_unchanged() && nothing.items > 1000,
            "{nothing:?}"
        );
        assert_eq!((nothing.patients, nothing.left), (PATIENTS, 0));

        let (mut changed, mut left) = (0, 0);
        for number in FEWER {
            let (items, results) = understand_less(&hospital, number).await;
            assert!(items > 3 && results >= items, "{items} {results}");
            (changed, left) = (changed + items, left + results);
        }
        let less = reads().await;
        let count = |lines: &[Vec<String>]| lines.iter().map(Vec::len).sum::<usize>();
        assert_eq!(count(&less), count(&expected) - changed);
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
        assert_eq!(
            (plan.records.len(), plan.patients),
            (1, PATIENTS),
            "{plan:?}"
        );
        assert_eq!(reads().await, less, "a plan writes nothing");

        assert_eq!(replay(&hospital, true).await, plan);
        assert_eq!(reads().await, expected);
        assert_eq!(replay(&hospital, true).await, nothing);
    }
}

#[tokio::test]
async fn what_does_not_open_is_left_and_everybody_else_is_written() {
    let flip: fn(&mut Vec<u8>) = |bytes| *bytes.last_mut().unwrap() ^= 1;
    let cut: fn(&mut Vec<u8>) = |bytes| bytes.truncate(bytes.len() - 1);
    for damage in [flip, cut] {
        let (mut hospital, people) = hospital(false, 3).await;
        let expected = hospital.reads(&people[0]).await;
        let all = replay(&hospital, false).await;
        let (changed, _) = understand_less(&hospital, 0).await;
        understand_less(&hospital, 2).await;
        // The last frame is of the last patient.
        hospital.damage(damage);
        hospital.restart(true).await;
        let written = replay(&hospital, true).await;
        assert_eq!((written.patients, written.left), (2, 1));
        assert!(written.items < all.items && written.changed_items == changed);
        assert_eq!(hospital.reads(&people[0]).await, expected);
    }
}
