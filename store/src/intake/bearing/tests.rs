//! Of what is kept of a patient, a message sees what bears on it and no more.

use std::collections::BTreeSet;

use super::*;
use crate::db::{Value, params};
use crate::intake::PATIENTS;
use crate::intake::columns::{ITEMS, SLOTS};
use crate::testing::{Stage, clinic, hospital, on_both};

const PATIENT: PatientNumber = PatientNumber(7);
const STORED: i64 = 1;
const PUSHED: i64 = 2;
const READ: i64 = 1;
const WITHHELD: i64 = 3;

const DEMOGRAPHICS_KIND: i64 = 2;

/// An item as `(facility, slot, path, control, content, outcome, origin)`.
type Kept = (FacilityId, i64, i64, i64, i64, i64, i64);

fn kept() -> Vec<Kept> {
    let of = |slot, path, control, content, outcome, origin| {
        (hospital(), slot, path, control, content, outcome, origin)
    };
    let mut kept = vec![
        of(1, 10, 100, 1000, READ, PUSHED),
        of(1, 11, 0, 1001, READ, STORED),
        // The storage has the messages of slot 1 and the new one elsewhere.
        of(2, 20, 0, 1000, READ, STORED),
        of(3, 30, 0, 5000, READ, STORED),
        of(4, 40, 101, 1002, READ, PUSHED),
        of(5, 50, 102, 1003, WITHHELD, PUSHED),
        of(6, 60, 0, 1004, WITHHELD, STORED),
        (clinic(), 7, 70, 0, 5000, READ, STORED),
        // Another hospital counts its control ids by itself.
        (clinic(), 8, 80, 101, 1005, READ, PUSHED),
    ];
    kept.extend((1000..1200).map(|path| of(path, path, path, path * 10, READ, PUSHED)));
    kept
}

async fn keep(stage: &Stage) {
    let mut tx = stage.store.0.records.begin_write_first().await.unwrap();
    let patient = params![PATIENT, vec![0_u8; 16], 3_i64].to_vec();
    tx.insert_many(&PATIENTS, vec![patient]).await.unwrap();
    let item = |(facility, slot, path, control, content, outcome, origin): Kept| {
        let none = 0_i64;
        let kind = if slot == 6 { DEMOGRAPHICS_KIND } else { none };
        let row: &[Value] = params![
            PATIENT,
            slot,
            path,
            &facility,
            kind,
            1_i64,
            none,
            none,
            content,
            none,
            control,
            none,
            none,
            outcome,
            origin,
            slot * 1000,
            none,
            none,
            none
        ];
        row.to_vec()
    };
    let slot = |(facility, slot, ..): Kept| {
        let joins = i64::from(slot == 3);
        let none = Vec::<u8>::new();
        let row: &[Value] = params![PATIENT, slot, &facility, 1_i64, joins, none.clone(), none];
        (slot, row.to_vec())
    };
    let slots: BTreeMap<i64, Vec<Value>> = kept().into_iter().map(slot).collect();
    let items = kept().into_iter().map(item).collect();
    tx.insert_many(&ITEMS, items).await.unwrap();
    tx.insert_many(&SLOTS, slots.into_values().collect())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// A message for slot 1 whose control id slot 4 has.
fn touching(releases: bool) -> Touching {
    Touching {
        patient: PATIENT,
        slots: BTreeSet::from([1, 99]),
        messages: vec![(101, 5000)],
        releases,
    }
}

async fn look(stage: &Stage, releases: bool) -> (Vec<i64>, Vec<i64>, Vec<i64>) {
    let stranger = Touching {
        patient: PatientNumber(8),
        ..touching(releases)
    };
    let asked = [touching(releases), stranger];
    let bearing = stage.store.intake().bearing(&hospital(), &asked).await;
    let mut bearing = bearing.unwrap();
    let found = bearing.remove(&PATIENT).unwrap();
    assert!(bearing.is_empty(), "of a stranger nothing is kept");
    assert_eq!((found.known.joins, found.known.is_part), (3, true));
    let mut paths: Vec<i64> = found.known.items.iter().map(|item| item.path).collect();
    paths.sort_unstable();
    let slots = found.known.slots.into_keys().collect();
    assert_eq!(found.demographics, BTreeSet::from([6_000]));
    let namesakes = found.namesakes.iter().map(|same| same.path).collect();
    (paths, slots, namesakes)
}

#[tokio::test]
async fn a_message_sees_its_slots_what_the_storage_says_alike_and_its_control_id() {
    on_both(async |stage| {
        keep(stage).await;
        let (paths, slots, namesakes) = look(stage, false).await;
        assert_eq!(paths, [10, 11, 20, 30]);
        assert_eq!(slots, [1]);
        assert_eq!(namesakes, [40]);
    })
    .await;
}

#[tokio::test]
async fn demographics_see_also_what_was_pushed_and_is_withheld() {
    on_both(async |stage| {
        keep(stage).await;
        let (paths, slots, _) = look(stage, true).await;
        assert_eq!(paths, [10, 11, 20, 30, 50]);
        assert_eq!(slots, [1, 5]);
    })
    .await;
}

#[tokio::test]
async fn joins_see_the_slots_that_take_part() {
    on_both(async |stage| {
        keep(stage).await;
        let (slots, items) = stage
            .store
            .intake()
            .joining(PATIENT, &hospital())
            .await
            .unwrap();
        let paths: Vec<i64> = items.iter().map(|item| item.path).collect();
        assert_eq!(
            (slots.into_keys().collect::<Vec<_>>(), paths),
            (vec![3], vec![30])
        );
    })
    .await;
}
