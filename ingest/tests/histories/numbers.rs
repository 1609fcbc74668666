//! Somebody whom the hospital registered under two numbers ends the consent that names the second one.
//! Its data go, and what stands under the first one reads as if there had never been another: also what
//! was pushed, what waits, and what the storage has no more, though nobody sends or writes it again.

use std::collections::BTreeMap;
use std::time::Duration;

use samples::storage::Flag;
use samples::{Kind, Mix, Moment, Network, Operation, Patient};
use store::{Item, Known, Slot};

use crate::hospital::{HOSPITAL, Hospital};
use crate::pushed::push_as;
use crate::reference::Person;

const SEED: u64 = 20_261_122;

/// What a hospital has under one number: files, by their paths, and messages.
struct Given {
    number: String,
    stored: Vec<(String, Vec<u8>)>,
    pushed: Vec<Vec<u8>>,
}

impl Given {
    /// Slots by turns: one in the storage, the next one over the line. What is left out is not there.
    fn of(patient: &Patient, number: &str, left_out: Kind) -> Self {
        let own = &patient.person.local_id;
        let mut given = Self {
            number: number.to_owned(),
            stored: Vec::new(),
            pushed: Vec::new(),
        };
        let slots = patient.tree.slots().into_iter().enumerate();
        let turns: BTreeMap<_, bool> = slots.map(|(at, slot)| (slot, at % 2 == 0)).collect();
        for (entry, bytes) in patient.tree.files() {
            let slot = &entry.version.slot;
            if entry.flag != Flag::Current || slot.kind == left_out {
                continue;
            }
            let bytes = renumbered(bytes, own, number);
            if turns[slot] {
                let path = entry.version.path(entry.flag).replace(own, number);
                let (_, inner) = path.split_once(number).unwrap();
                let folder = format!("{}/{}/{number}", &number[..3], &number[3..6]);
                given.stored.push((format!("{folder}{inner}"), bytes));
            } else {
                given.pushed.push(bytes);
            }
        }
        given
    }

    async fn arrives(&self, hospital: &Hospital) {
        for (path, bytes) in &self.stored {
            let create = Operation::Create {
                root: 0,
                path: path.clone(),
                bytes: bytes.as_slice().into(),
            };
            hospital.does(&create, Moment::day(2026, 10, 1));
        }
        push_as(hospital, &self.number, &self.pushed).await;
        hospital.sweep().await;
    }
}

/// Bytes with one number instead of another one of the same length.
fn renumbered(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[at..].starts_with(from.as_bytes()) {
            bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    bytes
}

/// Somebody who was in the hospital, and a further number.
fn registered_twice() -> (Patient, String) {
    let network = Network::generate(SEED, 24).with_mix(Mix::Ordinary);
    let network = network.with_files(24 * 80);
    let was_in = |patient: &Patient| {
        let kinds: Vec<Kind> = patient.versions().map(|one| one.slot.kind).collect();
        kinds.contains(&Kind::Adt22) && kinds.contains(&Kind::Adt52)
    };
    let mut patients = network.patients();
    let patient = patients.find(was_in).unwrap();
    let other = patients.next().unwrap().person.local_id;
    (patient, other)
}

/// Somebody of both numbers. Of one stay the admission stands under the first one and the discharge
/// under the second.
struct Story {
    person: Person,
    first: Given,
    second: Given,
    /// A message under either number that comes when everything else was read.
    late: [Vec<u8>; 2],
}

impl Story {
    fn new() -> Self {
        let (patient, other) = registered_twice();
        let mut first = Given::of(&patient, &patient.person.local_id, Kind::Adt52);
        let mut second = Given::of(&patient, &other, Kind::Adt22);
        let late = [&mut first, &mut second].map(|given| given.pushed.pop().unwrap());
        Self {
            person: Person::OfHospital(Box::new(patient)),
            first,
            second,
            late,
        }
    }

    /// A hub that has read what stands under the first number, of which a file is gone since.
    async fn begun(&self, postgres: bool) -> Hospital {
        let mut hospital = Hospital::open(postgres, Duration::ZERO).await;
        hospital.at(Moment::day(2026, 11, 1));
        hospital.consent(&self.person).await;
        self.first.arrives(&hospital).await;
        let results = self.first.stored.iter();
        let mut results = results.filter(|(path, _)| path.contains("OML-11"));
        let remove = Operation::Remove {
            root: 0,
            path: results.next().unwrap().0.clone(),
        };
        hospital.does(&remove, Moment::day(2026, 11, 1));
        hospital.sweep().await;
        hospital
    }

    /// All that is kept: items with what they say, slots, what waits.
    async fn kept(&self, hospital: &Hospital) -> (Vec<(Item, Vec<u8>)>, Vec<Slot>, Vec<Vec<u8>>) {
        let (intake, facility) = (hospital.store.intake(), HOSPITAL.parse().unwrap());
        let papers = hospital.store.papers(normalize::text::fold);
        let patient = papers.roster(&facility).await.unwrap()[0].patient;
        let Known { items, slots, .. } = intake.known(patient, &facility).await.unwrap();
        let contents = intake.contents(patient, &items).await.unwrap();
        let raw = contents
            .iter()
            .map(|content| content.raw().unwrap().to_vec());
        let mut items: Vec<(Item, Vec<u8>)> = items.into_iter().zip(raw).collect();
        items.sort_by_key(|(item, _)| item.path);
        let waiting = intake.waiting("line", 0).await.unwrap();
        assert_eq!(waiting.shut, 0);
        let waiting = waiting.messages.into_iter().map(|message| message.raw);
        (items, slots.into_values().collect(), waiting.collect())
    }
}

/// Tells the story; what follows from the end of the consent is cut off after so long, again and again.
async fn tell(story: &Story, postgres: bool, cuts: &[Duration]) {
    let never = story.begun(postgres).await;
    let mut hospital = story.begun(postgres).await;
    let alone = hospital.reads(&story.person).await;
    let (items, slots, _) = story.kept(&hospital).await;
    assert!(items.iter().any(|(item, _)| item.flag == 3));

    let numbers = [&story.first, &story.second].map(|given| given.number.as_str());
    hospital
        .consent_naming("C-2", &story.person, &numbers)
        .await;
    story.second.arrives(&hospital).await;
    assert!(hospital.reads(&story.person).await.len() > alone.len() + 10);
    assert!(hospital.finds(numbers[1]).await);
    for (number, late) in numbers.iter().zip(&story.late) {
        push_as(&hospital, number, std::slice::from_ref(late)).await;
    }

    hospital.withdraw("C-2").await;
    for cut in cuts {
        hospital.follow_cut_off(*cut).await;
    }
    hospital.follow().await;
    let waits = vec![story.late[0].clone()];
    assert_eq!(story.kept(&hospital).await, (items, slots, waits));
    assert_eq!(hospital.reads(&story.person).await, alone);
    assert!(hospital.finds(numbers[0]).await && !hospital.finds(numbers[1]).await);

    push_as(&never, numbers[0], &story.late[..1]).await;
    for hub in [&never, &hospital] {
        let report = hub.sweep().await;
        assert_eq!((report.read, report.moved), (1, 0), "{report:?}");
    }
    let expected = never.reads(&story.person).await;
    assert_ne!(expected, alone);
    assert_eq!(hospital.reads(&story.person).await, expected);
}

#[tokio::test]
async fn a_number_that_ends_takes_its_own_data_and_nothing_of_the_other() {
    let story = Story::new();
    for postgres in [false, true] {
        tell(&story, postgres, &[]).await;
    }
}

#[tokio::test]
async fn an_erasing_of_a_number_may_die_at_any_moment() {
    let story = Story::new();
    for (postgres, first) in [(false, 5), (false, 15), (true, 5), (true, 15)] {
        let cuts = (0..5).map(|at| Duration::from_millis(first + 20 * at));
        tell(&story, postgres, &cuts.collect::<Vec<_>>()).await;
    }
}

/// A message of a kind that is in force, under a number.
fn message(patient: &Patient, kind: Kind, number: &str) -> Vec<u8> {
    let mut files = patient.tree.files();
    let is_meant = |entry: &samples::tree::Entry| {
        entry.flag == Flag::Current && entry.version.slot.kind == kind
    };
    let (_, bytes) = files.find(|(entry, _)| is_meant(entry)).unwrap();
    renumbered(bytes, &patient.person.local_id, number)
}

/// A message that calls off an admission (A11) and does not say which one (PV1-44).
fn calls_off(admission: &[u8]) -> Vec<u8> {
    let at = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).position(|part| part == text);
    let mut bytes = admission.to_vec();
    let (is, becomes) = (b"ADT^A01^ADT_A01", b"ADT^A11^ADT_A09");
    let event = at(&bytes, is).unwrap();
    bytes[event..event + becomes.len()].copy_from_slice(becomes);
    let visit = at(&bytes, b"\rPV1|").unwrap() + 1;
    let end = visit + at(&bytes[visit..], b"\r").unwrap();
    let field = bytes[visit..end].iter().rposition(|byte| *byte == b'|');
    bytes.drain(visit + field.unwrap() + 1..end);
    bytes
}

#[tokio::test]
async fn what_comes_under_one_number_says_nothing_about_the_other() {
    let (patient, second) = registered_twice();
    let first = patient.person.local_id.clone();
    let of_first = [Kind::Adt22, Kind::Omp01].map(|kind| message(&patient, kind, &first));
    let demographics = message(&patient, Kind::Adt00, &second);
    let calls_off = calls_off(&message(&patient, Kind::Adt22, &second));
    let person = Person::OfHospital(Box::new(patient));
    let mut never = Hospital::open(false, Duration::ZERO).await;
    let mut hospital = Hospital::open(false, Duration::ZERO).await;
    for hub in [&mut never, &mut hospital] {
        hub.at(Moment::day(2026, 11, 1));
        hub.consent(&person).await;
    }
    push_as(&never, &first, &of_first).await;
    never.sweep().await;
    let alone = never.reads(&person).await;
    let is_there = |what: &str| alone.iter().any(|line| line.starts_with(what));
    assert!(is_there(&format!("Patient {first}")) && is_there("Encounter IMP"));

    hospital
        .consent_naming("C-2", &person, &[&first, &second])
        .await;
    for (number, messages) in [
        (&second, std::slice::from_ref(&demographics)),
        (&first, &of_first),
        (&second, std::slice::from_ref(&calls_off)),
    ] {
        push_as(&hospital, number, messages).await;
        hospital.sweep().await;
    }
    let both = hospital.reads(&person).await;
    assert!(alone.iter().all(|line| both.contains(line)), "{both:?}");
    hospital.withdraw("C-2").await;
    hospital.follow().await;
    assert_eq!(hospital.reads(&person).await, alone);
    assert!(hospital.finds(&first).await && !hospital.finds(&second).await);
}
