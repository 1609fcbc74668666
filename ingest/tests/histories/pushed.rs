//! A hospital sends over a line what it also writes into its storage: whichever comes first, and
//! however late, a physician reads the same.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::id::LocalPatientId;
use samples::random::Random;
use samples::storage::Flag;
use samples::{Mix, Moment, Network, Patient};
use store::{Fate, Pushed, Whose};

use crate::hospital::{HOSPITAL, Hospital};
use crate::reference::Person;

const SEED: u64 = 20_261_121;
const PATIENTS: u64 = 12;

/// What a sender would have sent of a patient, in the order of time: the files of slots that are in
/// force, and those that they superseded.
pub(crate) fn messages(patient: &Patient) -> Vec<Vec<u8>> {
    let files = || patient.tree.files();
    let in_force = files().filter(|(entry, _)| entry.flag == Flag::Current);
    let in_force: BTreeSet<_> = in_force.map(|(entry, _)| &entry.version.slot).collect();
    let mut sent: Vec<_> = files()
        .filter(|(entry, _)| entry.flag != Flag::Deleted)
        .filter(|(entry, _)| in_force.contains(&entry.version.slot))
        .collect();
    sent.sort_by_key(|(entry, _)| entry.version.time);
    sent.into_iter().map(|(_, bytes)| bytes.to_vec()).collect()
}

async fn push(hospital: &Hospital, patient: &Patient, messages: &[Vec<u8>]) {
    push_as(hospital, &patient.person.local_id, messages).await;
}

/// Messages under a number, which somebody's paper names, come over the line.
pub(crate) async fn push_as(hospital: &Hospital, number: &str, messages: &[Vec<u8>]) {
    let local = LocalPatientId::parse(HOSPITAL.parse().unwrap(), number);
    let whose = Whose::Of(local.ok().unwrap());
    let pushed = messages.iter().enumerate().map(|(at, bytes)| Pushed {
        raw: Arc::new(bytes.clone()),
        control: at.to_string().into_bytes(),
        kind: "other".to_owned(),
        whose: whose.clone(),
    });
    let feed = hospital.store.network().feeds["line"].clone();
    let received = hospital
        .store
        .intake()
        .receive(&feed, pushed.collect())
        .await;
    assert!(received.unwrap().iter().all(|one| one.fate == Fate::Kept));
}

async fn opened(patients: &[Person], postgres: bool) -> Hospital {
    let mut hospital = Hospital::open(postgres, Duration::ZERO).await;
    hospital.at(Moment::day(2026, 11, 1));
    for person in patients {
        hospital.consent(person).await;
    }
    hospital
}

async fn reads(hospital: &Hospital, people: &[Person]) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    for person in people {
        lines.push(hospital.reads(person).await);
    }
    lines
}

#[tokio::test]
async fn what_is_pushed_reads_as_what_is_stored() {
    let network = Network::generate(SEED, PATIENTS)
        .with_mix(Mix::Ordinary)
        .with_files(60 * PATIENTS);
    let patients: Vec<Patient> = network.patients().collect();
    let people: Vec<Person> = network
        .patients()
        .map(|one| Person::OfHospital(Box::new(one)))
        .collect();
    let mut random = Random::new(SEED, 0);
    for postgres in [false, true] {
        let stored = opened(&people, postgres).await;
        let pushed = opened(&people, postgres).await;
        for patient in &patients {
            stored.lay(patient);
            let mut messages = messages(patient);
            for at in (1..messages.len()).rev() {
                messages.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
            }
            for some in messages.chunks(7) {
                push(&pushed, patient, some).await;
            }
        }
        stored.sweep().await;
        let expected = reads(&stored, &people).await;
        let report = pushed.sweep().await;
        assert_eq!(
            reads(&pushed, &people).await,
            expected,
            "pushed: {report:?}"
        );

        for patient in &patients {
            pushed.lay(patient);
            push(&stored, patient, &messages(patient)).await;
            push(&pushed, patient, &messages(patient)).await;
        }
        pushed.sweep().await;
        assert_eq!(
            reads(&pushed, &people).await,
            expected,
            "pushed, then stored"
        );
        stored.sweep().await;
        assert_eq!(
            reads(&stored, &people).await,
            expected,
            "stored, then pushed"
        );
    }
}
