use proptest::prelude::*;

use super::*;

fn facility() -> FacilityId {
    "1319999999".parse().unwrap()
}

fn time(text: &str) -> PartialDateTime {
    text.parse().unwrap()
}

/// An event as its item states it: kind, version, time, admission that it names, ward.
#[derive(Clone)]
struct Told {
    version: String,
    record: Record,
    superseded: bool,
}

fn told(kind: EventKind, version: &str, at: &str, admitted: Option<&str>, ward: &str) -> Told {
    let bed = model::person::Bed {
        ward: Some(ward.to_owned()),
        ..Default::default()
    };
    let stay = Encounter {
        class: EncounterClass::Inpatient,
        status: EncounterStatus::InProgress,
        start: None,
        end: None,
        department: None,
        locations: vec![Stay {
            bed,
            start: None,
            end: None,
        }],
        attending: Vec::new(),
        admitting: Vec::new(),
        disposition: None,
        number: None,
        other: Vec::new(),
    };
    let event = EncounterEvent {
        kind,
        cancels: false,
        number: None,
        version: version.to_owned(),
        at: Some(time(at)),
        admitted: admitted.map(time),
        stay,
    };
    let meta = RecordMeta {
        facility: facility(),
        kind: Kind::EncounterEvent,
        category: Category::Encounter,
        sensitivity: Sensitivity::Normal,
        occurred: Occurred::at(time(at)),
        source_key: version.to_owned(),
    };
    Told {
        version: version.to_owned(),
        record: Record {
            meta,
            body: Body::Event(Box::new(event)),
        },
        superseded: false,
    }
}

fn admission(version: &str, at: &str) -> Told {
    told(EventKind::Admission, version, at, None, "05E")
}

fn discharge(version: &str, at: &str) -> Told {
    told(EventKind::Discharge, version, at, None, "05E")
}

fn changed(mut told: Told, change: impl FnOnce(&mut EncounterEvent)) -> Told {
    if let Body::Event(event) = &mut told.record.body {
        change(event);
    }
    told
}

fn cancel(told: Told) -> Told {
    changed(told, |event| event.cancels = true)
}

fn superseded(told: Told) -> Told {
    Told {
        superseded: true,
        ..told
    }
}

fn joined(events: &[Told]) -> Vec<Joined> {
    let contributions: Vec<Contribution<'_>> = events
        .iter()
        .map(|told| Contribution {
            version: &told.version,
            record: &told.record,
            superseded_only: told.superseded,
        })
        .collect();
    stays(&facility(), &contributions)
}

fn join(events: &[Told]) -> Vec<Record> {
    joined(events)
        .into_iter()
        .map(|joined| joined.record)
        .collect()
}

/// Stays as `key status start end`.
fn tell(records: &[Record]) -> Vec<String> {
    let mut lines: Vec<String> = records
        .iter()
        .map(|record| {
            let Body::Encounter(stay) = &record.body else {
                panic!("no encounter")
            };
            let day = |time: Option<PartialDateTime>| {
                time.map_or("-".to_owned(), |time| time.date().to_string())
            };
            format!(
                "{} {:?} {} {}",
                record.meta.source_key,
                stay.status,
                day(stay.start),
                day(stay.end)
            )
        })
        .collect();
    lines.sort();
    lines
}

#[track_caller]
fn check(events: &[Told], expected: &[&str]) {
    assert_eq!(tell(&join(events)), expected);
}

#[test]
fn a_stay_is_marked_when_one_of_its_events_is_superseded_only() {
    let admitted = admission("1", "2024-05-13");
    let discharged = discharge("2", "2024-05-16");
    let earlier = superseded(admission("0", "2024-05-13"));
    for (events, marked) in [
        (vec![admitted.clone(), discharged.clone()], false),
        (vec![superseded(admitted.clone())], true),
        (vec![superseded(admitted.clone()), discharged.clone()], true),
        (vec![admitted.clone(), superseded(discharged.clone())], true),
        // A discharge without an admission.
        (vec![superseded(discharged.clone())], true),
        // What another statement about the same admission says is not in it.
        (vec![earlier, admitted, discharged], false),
    ] {
        let marks: Vec<bool> = joined(&events)
            .iter()
            .map(|joined| joined.superseded_only)
            .collect();
        assert_eq!(marks, [marked]);
    }
}

#[test]
fn an_admission_alone_is_a_stay_in_progress() {
    check(
        &[admission("1", "2024-05-13")],
        &["IMP|2024-05-13 InProgress 2024-05-13 -"],
    );
}

#[test]
fn a_discharge_closes_the_latest_admission_before_it() {
    let events = [
        admission("1", "2024-03-01"),
        admission("2", "2024-05-13"),
        discharge("3", "2024-05-16"),
    ];
    check(
        &events,
        &[
            "IMP|2024-03-01 InProgress 2024-03-01 -",
            "IMP|2024-05-13 Finished 2024-05-13 2024-05-16",
        ],
    );
}

#[test]
fn a_discharge_that_names_its_admission_closes_that_one() {
    let named = told(
        EventKind::Discharge,
        "3",
        "2024-05-16",
        Some("2024-03-01"),
        "05E",
    );
    check(
        &[
            admission("1", "2024-03-01"),
            admission("2", "2024-05-13"),
            named,
        ],
        &[
            "IMP|2024-03-01 Finished 2024-03-01 2024-05-16",
            "IMP|2024-05-13 InProgress 2024-05-13 -",
        ],
    );
}

#[test]
fn a_discharge_without_an_admission_is_a_stay_of_unknown_begin() {
    check(
        &[discharge("1", "2024-05-16")],
        &["IMP||2024-05-16 Unknown - 2024-05-16"],
    );
    let named = told(
        EventKind::Discharge,
        "1",
        "2024-05-16",
        Some("2024-05-13"),
        "05E",
    );
    check(&[named], &["IMP|2024-05-13 Finished 2024-05-13 2024-05-16"]);
}

#[test]
fn a_discharge_before_every_admission_closes_none() {
    check(
        &[admission("1", "2024-05-13"), discharge("2", "2024-05-01")],
        &[
            "IMP|2024-05-13 InProgress 2024-05-13 -",
            "IMP||2024-05-01 Unknown - 2024-05-01",
        ],
    );
}

#[test]
fn a_cancelled_admission_never_was_and_a_cancelled_discharge_reopens() {
    check(
        &[
            admission("1", "2024-05-13"),
            cancel(admission("2", "2024-05-13")),
        ],
        &[],
    );
    check(
        &[
            admission("1", "2024-05-13"),
            discharge("2", "2024-05-16"),
            cancel(discharge("3", "2024-05-16")),
        ],
        &["IMP|2024-05-13 InProgress 2024-05-13 -"],
    );
    let another = cancel(admission("2", "2024-05-14"));
    check(
        &[admission("1", "2024-05-13"), another],
        &["IMP|2024-05-13 InProgress 2024-05-13 -"],
    );
}

#[test]
fn an_event_sent_again_after_its_cancel_counts() {
    let events = [
        admission("1", "2024-05-13"),
        cancel(admission("2", "2024-05-13")),
        admission("3", "2024-05-13"),
    ];
    check(&events, &["IMP|2024-05-13 InProgress 2024-05-13 -"]);
}

#[test]
fn a_stay_with_an_order_number_keeps_its_key_when_its_start_is_corrected() {
    let numbered = |told| {
        changed(told, |event: &mut EncounterEvent| {
            event.number = Some("24000123".to_owned());
        })
    };
    check(
        &[
            numbered(admission("1", "2024-05-13")),
            numbered(admission("2", "2024-05-14")),
            numbered(discharge("3", "2024-05-16")),
        ],
        &["24000123 Finished 2024-05-14 2024-05-16"],
    );
}

#[test]
fn the_newest_discharge_of_a_stay_counts() {
    let events = [
        admission("1", "2024-05-13"),
        discharge("2", "2024-05-16"),
        discharge("3", "2024-05-17"),
    ];
    check(&events, &["IMP|2024-05-13 Finished 2024-05-13 2024-05-17"]);
}

#[test]
fn both_beds_stay_with_what_is_known_of_their_periods() {
    let moved = told(EventKind::Discharge, "2", "2024-05-16", None, "06W");
    let records = join(&[admission("1", "2024-05-13"), moved]);
    let Body::Encounter(stay) = &records[0].body else {
        panic!("no encounter")
    };
    let beds: Vec<_> = stay
        .locations
        .iter()
        .map(|stay| (stay.bed.ward.as_deref(), stay.start, stay.end))
        .collect();
    let (start, end) = (Some(time("2024-05-13")), Some(time("2024-05-16")));
    assert_eq!(beds, [(Some("05E"), start, None), (Some("06W"), None, end)]);
    let same = join(&[admission("1", "2024-05-13"), discharge("2", "2024-05-16")]);
    let Body::Encounter(stay) = &same[0].body else {
        panic!("no encounter")
    };
    assert_eq!((stay.locations.len(), stay.locations[0].end), (1, end));
}

/// Whether it opens, version, day, whether it cancels, day of the admission that it names.
type Drawn = (bool, u8, u8, bool, Option<u8>);

fn drawn() -> impl Strategy<Value = Vec<Drawn>> {
    prop::collection::vec(
        (
            any::<bool>(),
            1..7u8,
            1..6u8,
            any::<bool>(),
            prop::option::of(1..6u8),
        ),
        0..10,
    )
}

fn events(drawn: &[Drawn]) -> Vec<Told> {
    let mut events: Vec<Told> = drawn
        .iter()
        .map(|(opens, version, day, cancels, named)| {
            let date = |day: &u8| format!("2024-05-{day:02}");
            let kind = if *opens {
                EventKind::Admission
            } else {
                EventKind::Discharge
            };
            let named = named.as_ref().filter(|_| !opens).map(date);
            // A version is one message, so it says the same wherever it is seen.
            let version = format!(
                "{version}{day}{}",
                u8::from(*opens) + 2 * u8::from(*cancels)
            );
            let told = told(kind, &version, &date(day), named.as_deref(), "05E");
            if *cancels { cancel(told) } else { told }
        })
        .collect();
    events.sort_by(|one, other| one.version.cmp(&other.version));
    events.dedup_by(|one, other| one.version == other.version);
    events
}

proptest! {
    #[test]
    fn the_order_of_arrival_does_not_matter(drawn in drawn(), turn in 0..10usize) {
        let mut events = events(&drawn);
        let before = tell(&join(&events));
        if !events.is_empty() {
            let middle = turn % events.len();
            events.rotate_left(middle);
            events.reverse();
        }
        prop_assert_eq!(before, tell(&join(&events)));
    }

    #[test]
    fn no_two_stays_share_a_key(drawn in drawn()) {
        let mut keys: Vec<String> = join(&events(&drawn)).into_iter().map(|record| record.meta.source_key).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), all);
    }
}
