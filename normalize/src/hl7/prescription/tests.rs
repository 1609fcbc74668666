use super::*;
use crate::Normalized;
use crate::testing::{read, rules};

const FILE: &str = "0000123456_20240510_OMP-01_000000000000001_20240510103046984_01_1";

fn message(segments: &[&str]) -> Normalized {
    let header = "MSH|^~\\&|HIS||GW||20240510||RDE^O11^RDE_O11|1|P|2.5||||||UNICODE UTF-8";
    let patient = "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F";
    let lines = [&[header, patient], segments].concat().join("\r");
    read(FILE, lines.as_bytes())
}

fn medications(read: &Normalized) -> Vec<&MedicationRequest> {
    let bodies = read.records.iter().map(|record| &record.body);
    bodies
        .filter_map(|body| match body {
            Body::Medication(request) => Some(&**request),
            _ => None,
        })
        .collect()
}

#[track_caller]
fn check_status(control: &str, status: &str, expected: MedicationStatus) {
    let order = format!("ORC|{control}|1||1|{status}||||20240510");
    let read = message(&[&order, DRUG]);
    assert!(
        medications(&read)[0].status == expected,
        "{control} {status}"
    );
}

const DRUG: &str = "RXE||103835401^ムコダイン^HOT9|1||TAB^錠^MR9P";

#[test]
fn where_an_order_stands() {
    check_status("NW", "", MedicationStatus::Active);
    check_status("XO", "", MedicationStatus::Active);
    for control in ["CA", "OC", "CR"] {
        check_status(control, "", MedicationStatus::Cancelled);
    }
    check_status("DC", "", MedicationStatus::Stopped);
    check_status("OD", "", MedicationStatus::Stopped);
    check_status("HD", "", MedicationStatus::OnHold);
    check_status("SC", "DC", MedicationStatus::Stopped);
    check_status("SC", "CM", MedicationStatus::Active);
}

/// RP number, position and key of each drug, by the ORC-4 of its group.
#[track_caller]
fn check_numbers(groups: &[&str], expected: &[(&str, u32, &str)]) {
    let orders: Vec<String> = groups
        .iter()
        .map(|group| format!("ORC|NW|1||{group}|||||20240510"))
        .collect();
    let segments: Vec<&str> = orders
        .iter()
        .flat_map(|order| [order.as_str(), DRUG])
        .collect();
    let read = message(&segments);
    let found = read
        .records
        .iter()
        .zip(medications(&read))
        .map(|(record, request)| {
            let key = record
                .meta
                .source_key
                .strip_prefix("0000123456|20240510|OMP-01|000000000000001|")
                .unwrap();
            (request.rp_number.as_str(), request.order_in_rp, key)
        });
    assert_eq!(found.collect::<Vec<_>>(), expected);
}

#[test]
fn drugs_of_an_rp_are_numbered_and_none_are_merged() {
    check_numbers(
        &["1_01", "1_01", "1_02"],
        &[("1", 1, "1_01|1"), ("1", 2, "1_01|2"), ("2", 1, "1_02|1")],
    );
    check_numbers(
        &["1_01_001", "1_01_002"],
        &[("1", 1, "1_01_001|1"), ("1", 2, "1_01_002|1")],
    );
    check_numbers(&["1", "2"], &[("1", 1, "1|1"), ("2", 1, "2|1")]);
}

#[test]
fn drugs_without_a_group_share_no_rp() {
    check_numbers(&["", ""], &[("1", 1, "|1"), ("2", 1, "|2")]);
}

#[test]
fn a_second_drug_without_an_order_of_its_own_shares_the_first_one() {
    let read = message(&["ORC|NW|1||1|||||20240510", DRUG, "TQ1|1", DRUG]);
    let placers = medications(&read)
        .into_iter()
        .map(|request| request.order.placer.clone());
    assert_eq!(
        placers.collect::<Vec<_>>(),
        [Some("1".to_owned()), Some("1".to_owned())]
    );
    assert_eq!(rules(&read), [""; 0]);
}

#[test]
fn timing_may_stand_before_the_drug() {
    let read = message(&[
        "ORC|NW|1||1|||||20240510",
        "TQ1|1|||||5^d",
        "RXR|PO^口^HL70162",
        DRUG,
    ]);
    let request = medications(&read)[0];
    assert_eq!(request.usages[0].days.as_ref().unwrap().as_str(), "5");
    assert_eq!(request.routes.len(), 1);
}

#[test]
fn incomplete_groups_are_found() {
    assert_eq!(rules(&message(&["ORC|CA|1||1|||||20240510"])), ["D2011"]);
    assert_eq!(
        rules(&message(&["NTE|1||前置き", DRUG])),
        ["D2018", "D2011"]
    );
    let read = message(&["ORC|NW|1||1|||||20240510", "RXE||\"\"|1||TAB"]);
    assert_eq!(
        (rules(&read), read.records.len()),
        (vec!["D2012", "D2034"], 0)
    );
}

#[test]
fn an_order_is_of_the_day_it_was_entered() {
    let read = message(&["ORC|NW|1||1|||||20240510103045", DRUG]);
    assert_eq!(
        read.records[0].meta.occurred.from.to_string(),
        "2024-05-10T10:30:45.000+09:00"
    );
}

#[test]
fn allergies_in_an_order_are_statements_of_their_own() {
    let read = message(&[
        "AL1|1|DA^薬剤^HL70127|^ペニシリン",
        "ORC|NW|1||1|||||20240510",
        DRUG,
    ]);
    let kinds: Vec<Kind> = read.records.iter().map(|record| record.meta.kind).collect();
    assert_eq!(kinds, [Kind::MedicationRequest, Kind::AllergyStatement]);
}
