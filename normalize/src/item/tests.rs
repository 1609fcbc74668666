use model::record::Record;

use super::*;
use crate::ssmix::path;
use crate::testing::{self, rules};

const NAME: &str = "0000123456_20240513_ADT-22_999999999999999_20240513143000000_01_1";
const PATIENT: &str = "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I~ﾐﾔﾓﾄ^ｷｮｳﾐ^^^^^L^P||19580314|F";
const VISIT: &str =
    "PV1|0001|I|05E^512^2^^^N|||||||||||||||||||||||||||||||||||||||||20240513140000";

fn message(event: &str, processing: &str, patient: &str) -> String {
    format!(
        "MSH|^~\\&|H|1|GW|R|20240513143000||ADT^{event}^X|1|{processing}|2.5||||||UNICODE UTF-8\rEVN||20240513142950\r{patient}\r{VISIT}\r"
    )
}

#[track_caller]
fn check(text: &str, name: &str, records: usize, expected: &[&str]) -> Normalized {
    let read = testing::read(name, text.as_bytes());
    assert_eq!(
        (read.records.len(), rules(&read).as_slice()),
        (records, expected)
    );
    read
}

#[test]
fn a_sound_message_gives_records_and_no_finding() {
    let read = check(&message("A01", "P", PATIENT), NAME, 1, &[]);
    assert_eq!(read.subject.as_deref(), Some("0000123456"));
    assert_eq!(
        read.event_time.unwrap().to_string(),
        "2024-05-13T14:00:00+09:00"
    );
    assert!(!read.cancels);
}

#[test]
fn the_pid_is_evidence_in_folded_form() {
    let evidence = check(&message("A01", "P", PATIENT), NAME, 1, &[])
        .evidence
        .unwrap();
    assert_eq!(evidence.birth_date.unwrap().to_string(), "1958-03-14");
    assert_eq!(evidence.sex, Some(Sex::Female));
    assert_eq!(
        (evidence.kana.as_deref(), evidence.kanji.as_deref()),
        (Some("ミヤモト キヨウミ"), Some("宮本 京美"))
    );
}

#[test]
fn family_and_given_name_stand_apart_where_the_sender_tells_them_apart() {
    for (sent, kanji) in [
        ("宮本^京美", "宮本 京美"),
        ("宮本　京美^", "宮本 京美"),
        ("宮本京美^", "宮本京美"),
        ("ダ　シルバ^マリア", "ダシルバ マリア"),
    ] {
        let patient = format!("PID|0001||0000123456^^^^PI||{sent}^^^^^L^I||19580314|F");
        let read = check(&message("A01", "P", &patient), NAME, 1, &[]);
        assert_eq!(
            read.evidence.unwrap().kanji.as_deref(),
            Some(kanji),
            "{sent}"
        );
    }
}

#[test]
fn a_name_with_lost_characters_is_no_evidence() {
    for lost in ["■本^京美", "宮〓^京美", "?^京美", "・^京美"] {
        let patient = format!("PID|0001||0000123456^^^^PI||{lost}^^^^^L^I||195803|F");
        let evidence = check(&message("A01", "P", &patient), NAME, 1, &[])
            .evidence
            .unwrap();
        assert!(
            evidence.kanji.is_none() && evidence.kana.is_none() && evidence.birth_date.is_none()
        );
    }
}

#[test]
fn another_patient_than_the_file_name_says_is_withheld() {
    let other = PATIENT.replace("0000123456", "0000123457");
    let read = check(&message("A01", "P", &other), NAME, 0, &["D2301"]);
    assert_eq!(read.subject.as_deref(), Some("0000123457"));
    let place = &read.findings[0].place;
    assert_eq!(
        (place.segment.as_str(), place.ordinal, place.field),
        ("PID", 3, 3)
    );
}

#[test]
fn a_message_of_two_patients_is_withheld() {
    let both = |second: &str| format!("{PATIENT}\r{VISIT}\r{second}");
    let other = PATIENT.replace("0000123456", "0000123457");
    check(&message("A01", "P", &both(&other)), NAME, 0, &["D2301"]);
    let nobody = both("PID|0002||");
    check(&message("A01", "P", &nobody), NAME, 0, &["D2301"]);
    let again = testing::read(NAME, message("A01", "P", &both(PATIENT)).as_bytes());
    assert!(!rules(&again).contains(&"D2301") && !again.records.is_empty());
}

#[test]
fn a_message_that_unfolds_too_far_is_withheld() {
    let name = "0000123456_20240513_OML-11_000000000000001_20240513143000000_01_1";
    let withheld = |specimen: &str, results: usize| {
        let result = "OBX|1|NM|A^B^L||1|||||||F\r".repeat(results);
        let text = format!(
            "MSH|^~\\&|H|1|GW|R|20240513143000||OML^O33^OML_O33|1|P|2.5||||||UNICODE UTF-8\r{PATIENT}\rSPM|1|||023^{specimen}^JC10\rORC|SC|1\rOBR|1|1||E001^X^L\r{result}"
        );
        let read = testing::read(name, text.as_bytes());
        let too_large = rules(&read).contains(&"S1110");
        assert_eq!(too_large, read.records.is_empty());
        too_large
    };
    assert!(!withheld("血清", 2_000));
    assert!(!withheld(&"x".repeat(10_000), 2_000));
    assert!(withheld(&"x".repeat(1_000_000), 1_000));
    assert!(withheld("血清", 60_000));
}

#[test]
fn a_message_without_a_patient_is_withheld() {
    check(&message("A01", "P", "PID|0001||||"), NAME, 0, &["D2300"]);
    check(&message("A01", "P", "PD1|"), NAME, 0, &["D2300", "D2018"]);
}

#[test]
fn ids_compare_after_the_rules_of_the_feed() {
    let mut feed = testing::feed();
    feed.identity.strip_leading_zeros = true;
    let text = message("A01", "P", &PATIENT.replace("0000123456", "123456"));
    let file = testing::file(NAME);
    let item = Item {
        format: Format::SsMix2(&file),
        bytes: text.as_bytes(),
    };
    let read = normalize(
        &item,
        &Context {
            feed: &feed,
            patient_from_order: false,
        },
    );
    assert_eq!(
        (read.subject.as_deref(), read.records.len()),
        (Some("123456"), 1)
    );
}

#[test]
fn the_data_kind_decides_and_another_message_type_is_a_warning() {
    let read = check(&message("A04", "P", PATIENT), NAME, 1, &["D2004"]);
    assert_eq!(read.records[0].meta.kind, Kind::EncounterEvent);
}

#[test]
fn only_production_gives_records() {
    for processing in ["T", "D", ""] {
        check(&message("A01", processing, PATIENT), NAME, 0, &["D2006"]);
    }
}

#[test]
fn what_is_no_text_or_no_message_is_withheld() {
    let read = testing::read(NAME, b"hello");
    assert_eq!((read.records.len(), rules(&read)), (0, vec!["D2001"]));
    let mut noise = b"MSH|^~\\&|H|1|GW|R|20240513143000||ADT^A01^X|1|P|2.5\rPID|||1||".to_vec();
    noise.extend([0x80, 0xFF, 0xA0, 0xFD].repeat(50));
    let read = testing::read(NAME, &noise);
    assert!(read.records.is_empty() && rules(&read).contains(&"D2023"));
}

#[test]
fn other_kinds_are_kept_as_they_are_but_checked_for_the_patient() {
    let name = NAME.replace("ADT-22", "ADT-42");
    let read = check(&message("A02", "P", PATIENT), &name, 0, &["S1116"]);
    assert!(read.subject.is_some() && read.evidence.is_some());
    let other = PATIENT.replace("0000123456", "9");
    check(&message("A02", "P", &other), &name, 0, &["D2301", "S1116"]);
    check(
        &message("A02", "P", PATIENT),
        &NAME.replace("ADT-22", "OML-12"),
        0,
        &["S1103", "S1116"],
    );
}

#[test]
fn dates_and_numbers_are_checked_against_the_file_name() {
    check(
        &message("A01", "P", PATIENT),
        &NAME.replace("_20240513_", "_20240514_"),
        1,
        &["D2311"],
    );
    check(
        &message("A01", "P", PATIENT),
        &NAME.replace("_20240513143000000_", "_20240520143000000_"),
        1,
        &["D2312"],
    );
    let order = "MSH|^~\\&|H|1|GW|R|20240513143000||OMD^O03^OMD_O03|1|P|2.5||||||UNICODE UTF-8\r";
    let order = format!("{order}{PATIENT}\rORC|NW|24000124|||||||20240513165900");
    let name = "0000123456_20240513_OMD_000000024000123_20240513143000000_01_1";
    check(&order, name, 0, &["D2310", "S1116"]);
    check(
        &order,
        &name.replace("000000024000123", "000000024000124"),
        0,
        &["S1116"],
    );
}

#[test]
fn folders_that_contradict_the_name_are_found_and_the_item_is_read() {
    let file = path::parse(&format!("000/012/0000123456/20240513/ADT-52/{NAME}"))
        .ok()
        .unwrap();
    let feed = testing::feed();
    let text = message("A01", "P", PATIENT);
    let item = Item {
        format: Format::SsMix2(&file),
        bytes: text.as_bytes(),
    };
    let read = normalize(
        &item,
        &Context {
            feed: &feed,
            patient_from_order: false,
        },
    );
    assert_eq!((read.records.len(), rules(&read)), (1, vec!["S1101"]));
}

#[test]
fn where_a_facility_sends_no_demographics_the_pid_of_an_item_is_the_patient() {
    let file = testing::file(NAME);
    let text = message("A01", "P", PATIENT);
    let item = Item {
        format: Format::SsMix2(&file),
        bytes: text.as_bytes(),
    };
    let read = normalize(
        &item,
        &Context {
            feed: &testing::feed(),
            patient_from_order: true,
        },
    );
    let patients: Vec<&Record> = read
        .records
        .iter()
        .filter(|record| record.meta.kind == Kind::Patient)
        .collect();
    let [record] = patients.as_slice() else {
        panic!("{} patients", patients.len())
    };
    let Body::Patient(patient) = &record.body else {
        panic!("no patient")
    };
    assert!(patient.from_order);
    assert_eq!(record.meta.source_key, "patient-from-order|0000123456");
    assert_eq!(patient.names[1].text, "ミヤモト キョウミ");
    assert_eq!(patient.names[1].original.as_deref(), Some("ﾐﾔﾓﾄ ｷｮｳﾐ"));
}
