use model::code::Concept;
use model::encounter::Encounter;
use model::observation::Observation;
use model::patient::Patient;
use model::person::{Sex, Writing};

use super::*;
use crate::Normalized;
use crate::testing::{self, rules};

fn read(kind: &str, event: &str, segments: &[&str]) -> Normalized {
    let patient = "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F";
    let mut lines = vec![format!(
        "MSH|^~\\&|H|1|GW|R|20240513143000||ADT^{event}^X|1|P|2.5||||||UNICODE UTF-8"
    )];
    lines.push("EVN||20240513142950".to_owned());
    if !segments.iter().any(|segment| segment.starts_with("PID")) {
        lines.push(patient.to_owned());
    }
    lines.extend(segments.iter().map(|segment| (*segment).to_owned()));
    let date = if matches!(kind, "ADT-00" | "ADT-61") {
        "-"
    } else {
        "20240513"
    };
    let name = format!("0000123456_{date}_{kind}_999999999999999_20240513143000000_01_1");
    testing::read(&name, lines.join("\r").as_bytes())
}

fn visit(class: &str, fields: &[(usize, &str)]) -> String {
    let mut segment = vec!["PV1".to_owned(), "0001".to_owned(), class.to_owned()];
    segment.resize(46, String::new());
    for (number, text) in fields {
        segment[*number] = (*text).to_owned();
    }
    segment.join("|")
}

fn encounter(read: &Normalized) -> &Encounter {
    match &read.records[0].body {
        Body::Encounter(encounter) => encounter,
        Body::Event(event) => &event.stay,
        _ => panic!("no encounter"),
    }
}

fn patient(segment: &str) -> (Patient, Vec<String>) {
    let read = read("ADT-00", "A08", &[segment]);
    let found = rules(&read).into_iter().map(str::to_owned).collect();
    let patient = read
        .records
        .into_iter()
        .find_map(|record| match record.body {
            Body::Patient(patient) => Some(*patient),
            _ => None,
        });
    (patient.unwrap(), found)
}

#[test]
fn a_reception_is_an_encounter_whose_time_tells_it_from_others_of_its_day() {
    let read = read(
        "ADT-12",
        "A04",
        &[&visit("O", &[(3, "01^^^^^C"), (44, "20240513082500")])],
    );
    assert_eq!(
        read.records[0].meta.source_key,
        "AMB|0000123456|20240513|ADT-12|999999999999999|2024-05-13T08:25:00+09:00"
    );
    let encounter = encounter(&read);
    assert_eq!(encounter.status, EncounterStatus::Received);
    // PV1-10 is not sent for a reception: the department of the file name stands in.
    let department = encounter.department.as_ref().unwrap();
    assert_eq!(department.code_in(&CodeSystem::Department), Some("01"));
}

#[test]
fn a_message_without_its_time_takes_the_day_of_its_folder() {
    for (kind, event, class) in [
        ("ADT-12", "A04", "O"),
        ("ADT-22", "A01", "I"),
        ("ADT-52", "A03", "I"),
    ] {
        let read = read(kind, event, &[&visit(class, &[])]);
        assert_eq!(rules(&read), ["D2012"], "{kind}");
        assert_eq!(
            read.records[0].meta.occurred,
            Occurred::at("2024-05-13".parse().unwrap()),
            "{kind}"
        );
    }
}

#[test]
fn the_digit_0_is_the_letter_o_and_a_contradicting_class_is_found() {
    let time = (44, "20240513082500");
    assert_eq!(
        rules(&read("ADT-12", "A04", &[&visit("0", &[time])])),
        ["D2019"]
    );
    assert_eq!(
        rules(&read("ADT-12", "A04", &[&visit("I", &[time])])),
        ["D2015"]
    );
    assert_eq!(
        rules(&read("ADT-22", "A01", &[&visit("O", &[time])])),
        ["D2015"]
    );
}

#[test]
fn cancel_events_are_events_that_cancel() {
    for (kind, event, field) in [("ADT-22", "A11", 44), ("ADT-52", "A13", 45)] {
        let read = read(kind, event, &[&visit("I", &[(field, "20240513140000")])]);
        let Body::Event(told) = &read.records[0].body else {
            panic!("no event")
        };
        assert!(read.cancels && told.cancels, "{kind}");
        assert_eq!(told.at, read.event_time, "{kind}");
    }
}

#[test]
fn a_deletion_of_the_patient_states_nothing_and_is_found() {
    let read = read("ADT-00", "A23", &["PV1|0001|O"]);
    assert_eq!(
        (read.records.len(), read.cancels, rules(&read)),
        (0, true, vec!["D2303"])
    );
}

#[test]
fn names_are_read_however_they_are_split() {
    let names = |field: &str| {
        patient(&format!("PID|||0000123456||{field}||19580314|F"))
            .0
            .names
    };
    let whole = &names("宮本　京美^^^^^^L^I")[0];
    assert_eq!(
        (
            whole.family.as_deref(),
            whole.given.as_deref(),
            whole.text.as_str()
        ),
        (Some("宮本"), Some("京美"), "宮本 京美")
    );
    let unsplit = &names("宮本京美^^^^^^L^I")[0];
    assert_eq!(
        (unsplit.family.as_deref(), unsplit.text.as_str()),
        (None, "宮本京美")
    );
    let guessed: Vec<Writing> = names("宮本^京美~みやもと^きょうみ~SMITH^JOHN~ﾐﾔ^ｷｮｳ")
        .iter()
        .map(|name| name.writing)
        .collect();
    assert_eq!(
        guessed,
        [
            Writing::Ideographic,
            Writing::Phonetic,
            Writing::Alphabetic,
            Writing::Phonetic
        ]
    );
    assert_eq!(names("^^^^^^L^I~スミス^ジョン^^^^^L^P").len(), 1);
    assert_eq!(names("宮本^京美^^^^L^I")[0].kind.as_deref(), Some("L"));
}

#[test]
fn birth_date_and_sex_are_read_in_the_ways_of_older_senders() {
    let read = |birth: &str, sex: &str| {
        let (patient, found) = patient(&format!(
            "PID|||0000123456||宮本^京美^^^^^L^I||{birth}|{sex}"
        ));
        (
            patient.birth_date.map(|date| date.to_string()),
            patient.sex,
            found,
        )
    };
    let birth = Some("1958-03-14".to_owned());
    assert_eq!(
        read("19580314", "F"),
        (birth.clone(), Some(Sex::Female), vec![])
    );
    assert_eq!(
        read("F", "19580314"),
        (
            birth.clone(),
            Some(Sex::Female),
            vec!["D2019".to_owned(), "D2019".to_owned()]
        )
    );
    assert_eq!(
        read("19580314", "２"),
        (birth.clone(), Some(Sex::Female), vec!["D2019".to_owned()])
    );
    assert_eq!(
        read("19580314", "X"),
        (birth, None, vec!["D2015".to_owned()])
    );
    assert_eq!(
        read("99999999", "M"),
        (None, Some(Sex::Male), vec!["D2014".to_owned()])
    );
}

#[test]
fn addresses_and_telephones_are_read_where_senders_put_them() {
    let (read, found) = patient(
        "PID|||0000123456||宮本^京美^^^^^L^I||19580314|F|||一丁目２^^仙台市^宮城県^980^0000^JPN^H||022-000-0000^PRN^PH",
    );
    let address = &read.addresses[0];
    assert_eq!(address.postal_code.as_deref(), Some("980-0000"));
    assert_eq!(
        (address.country.as_deref(), address.kind.as_deref()),
        (Some("JPN"), Some("H"))
    );
    assert_eq!(
        (address.lines.as_slice(), address.state.as_deref()),
        (["一丁目２".to_owned()].as_slice(), Some("宮城県"))
    );
    assert_eq!(read.telecoms[0].value, "022-000-0000");
    assert_eq!(found, ["D2019"]);
}

#[test]
fn values_of_the_body_belong_to_the_demographics() {
    let height = "OBX|1|NM|9N001000000000001^身長^JC10||154.2|cm^cm^ISO+|||||F";
    let blood = "OBX|2|CWE|5H010000001999911^血液型-ABO式^JC10||A^A^JSHR002||||||F";
    let read = read("ADT-00", "A08", &[height, height, blood]);
    let values: Vec<(&Record, &Observation)> = read
        .records
        .iter()
        .filter_map(|record| match &record.body {
            Body::Observation(value) => Some((record, value.as_ref())),
            _ => None,
        })
        .collect();
    let categories: Vec<ObservationCategory> =
        values.iter().map(|(_, value)| value.category).collect();
    use ObservationCategory::{BodyMeasurement, Exam};
    assert_eq!(categories, [BodyMeasurement, BodyMeasurement, Exam]);
    let keys: Vec<&str> = values
        .iter()
        .map(|(record, _)| record.meta.source_key.as_str())
        .collect();
    assert_eq!(
        keys[0],
        "0000123456|-|ADT-00|999999999999999||9N001000000000001||1"
    );
    assert_eq!(
        keys[1],
        "0000123456|-|ADT-00|999999999999999||9N001000000000001||2"
    );
    for (record, value) in values {
        assert_eq!(record.meta.category, Category::Demographics);
        // Without a time of its own a value answers no search by date, but it is known since then.
        assert!(!record.meta.occurred.is_dated());
        assert_eq!(
            value.issued.unwrap().to_string(),
            "2024-05-13T14:29:50+09:00"
        );
    }
}

#[test]
fn an_item_taken_back_stays_with_its_reason() {
    let read = read(
        "ADT-61",
        "A60",
        &["IAM|1|DA|^ペニシリン|||D^削除^HL70323||誤登録"],
    );
    let Body::Allergy(allergy) = &read.records[0].body else {
        panic!("no allergy")
    };
    assert!(allergy.is_taken_back());
    assert_eq!(allergy.reason.as_deref(), Some("誤登録"));
}

#[test]
fn an_allergy_without_an_allergen_is_left_out_and_found() {
    let read = read(
        "ADT-61",
        "A60",
        &["IAM|1|DA|||発疹|A", "IAM|2|FA|^ソバ|||A"],
    );
    assert_eq!((read.records.len(), rules(&read)), (1, vec!["D2034"]));
    let place = &read.findings[0].place;
    assert_eq!(
        (place.segment.as_str(), place.ordinal, place.field),
        ("IAM", 4, 0)
    );
}

#[test]
fn allergies_inside_other_messages_are_statements_of_an_order() {
    let read = read(
        "ADT-22",
        "A01",
        &[
            &visit("I", &[(44, "20240513140000")]),
            "AL1|1|DA|^ペニシリン",
            "AL1|2|DA|^ペニシリン",
        ],
    );
    let keys: Vec<&str> = read
        .records
        .iter()
        .map(|record| record.meta.source_key.as_str())
        .collect();
    assert_eq!(
        keys[1..],
        [
            "0000123456|20240513|ADT-22|999999999999999|DA||ペニシリン|1",
            "0000123456|20240513|ADT-22|999999999999999|DA||ペニシリン|2"
        ]
    );
    let Body::Allergy(allergy) = &read.records[1].body else {
        panic!("no allergy")
    };
    assert_eq!(allergy.source, AllergySource::Order);
}

#[test]
fn staff_in_kana_belongs_to_the_one_before() {
    let doctor = "D0101^服部^時夫^^^^^^^L^^^^^I~^ハットリ^トキオ^^^^^^^L^^^^^P";
    let read = read(
        "ADT-12",
        "A04",
        &[&visit("O", &[(7, doctor), (44, "20240513082500")])],
    );
    let [staff] = encounter(&read).attending.as_slice() else {
        panic!("several")
    };
    assert_eq!(
        (staff.id.as_deref(), staff.name.as_deref()),
        (Some("D0101"), Some("服部 時夫"))
    );
    assert_eq!(staff.kana.as_deref(), Some("ハットリ トキオ"));
}

#[test]
fn code_systems_are_read_in_the_spellings_of_senders() {
    let read = read(
        "ADT-61",
        "A60",
        &["IAM|1|DA^薬剤^HL0127|620008665^ダーゼン^ＨＯＴ９|||A"],
    );
    let Body::Allergy(allergy) = &read.records[0].body else {
        panic!("no allergy")
    };
    assert_eq!(
        allergy.code.code_in(&CodeSystem::ClaimsDrug),
        Some("620008665")
    );
    assert_eq!(
        allergy.kind.as_ref().and_then(Concept::first_code),
        Some("DA")
    );
    assert_eq!(
        allergy
            .kind
            .as_ref()
            .unwrap()
            .code_in(&CodeSystem::Hl7Table(127)),
        Some("DA")
    );
    assert!(rules(&read).contains(&"D2061"));
}
