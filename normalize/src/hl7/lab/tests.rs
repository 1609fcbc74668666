use crate::Normalized;
use crate::testing::{read, rules};

use super::*;

const FILE: &str = "0000123456_20240510_OML-11_000000000000001_20240510112233050_01_1";

fn message(segments: &[&str]) -> Normalized {
    let header = "MSH|^~\\&|HIS||GW||20240510||OUL^R22^OUL_R22|1|P|2.5||||||UNICODE UTF-8";
    let patient = "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F";
    let lines = [&[header, patient], segments].concat().join("\r");
    read(FILE, lines.as_bytes())
}

fn observations(read: &Normalized) -> Vec<&Observation> {
    let bodies = read.records.iter().map(|record| &record.body);
    bodies
        .filter_map(|body| match body {
            Body::Observation(observation) => Some(&**observation),
            _ => None,
        })
        .collect()
}

/// Specimen, set and doctor of each result.
#[track_caller]
fn check(segments: &[&str], expected: &[&str]) {
    let read = message(segments);
    let described = observations(&read).into_iter().map(|observation| {
        let specimen = observation
            .specimen
            .as_ref()
            .and_then(|specimen| specimen.number.as_deref());
        let report = observation.report.as_ref();
        let set = report.and_then(|report| report.set.as_ref()?.first_code());
        let doctor = report.and_then(|report| report.requester.as_ref()?.id.as_deref());
        [specimen, set, doctor]
            .map(|part| part.unwrap_or("-"))
            .join(" ")
    });
    assert_eq!(described.collect::<Vec<_>>(), expected);
    assert_eq!(rules(&read), [""; 0]);
}

const RESULT: &str = "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2||||||F";

#[test]
fn the_order_may_stand_behind_its_set_or_before_it() {
    let (first, second) = ("OBR|1|1||A1^血算^99X", "OBR|2|1||A2^生化学^99X");
    let (one, two) = ("ORC|SC|1||||||||||D1", "ORC|SC|1||||||||||D2");
    let expected = ["S1 A1 D1", "S2 A2 D2"];
    check(
        &[
            "SPM|1|S1", first, one, RESULT, "SPM|2|S2", second, two, RESULT,
        ],
        &expected,
    );
    check(
        &[
            "SPM|1|S1", one, first, RESULT, "SPM|2|S2", two, second, RESULT,
        ],
        &expected,
    );
    check(
        &["SPM|1|S1", first, one, RESULT, second, two, RESULT],
        &["S1 A1 D1", "S1 A2 D2"],
    );
}

#[test]
fn the_specimen_of_an_unsolicited_result_stands_behind_it() {
    check(
        &[
            "ORC|RE|1||||||||||D1",
            "OBR|1|1||A1^血算^99X",
            RESULT,
            "SPM|1|S1",
        ],
        &["S1 A1 D1"],
    );
}

#[test]
fn results_without_set_or_specimen_are_read() {
    check(&[RESULT], &["- - -"]);
    check(&["SPM|1|S1", RESULT], &["S1 - -"]);
}

#[test]
fn the_same_test_twice_has_two_keys() {
    let read = message(&["SPM|1|S1", "OBR|1|1||A1^血算^99X", RESULT, RESULT]);
    let keys: Vec<&str> = read
        .records
        .iter()
        .map(|record| record.meta.source_key.as_str())
        .collect();
    let slot = "0000123456|20240510|OML-11|000000000000001";
    assert_eq!(
        keys,
        [
            format!("{slot}|S1|3A010000002327101||1"),
            format!("{slot}|S1|3A010000002327101||2")
        ]
    );
}

#[test]
fn times_come_from_result_then_set_then_specimen() {
    let time = |segments: &[&str]| {
        observations(&message(segments))[0]
            .effective
            .unwrap()
            .to_string()
    };
    let timed = format!("{RESULT}|||20240503");
    let (specimen, set) = (
        format!("SPM|1|S1{}20240501", "|".repeat(15)),
        "OBR|1|1||A1^血算^99X|||20240502",
    );
    assert_eq!(time(&[&specimen, set, &timed]), "2024-05-03");
    assert_eq!(time(&[&specimen, set, RESULT]), "2024-05-02");
    assert_eq!(
        time(&[&specimen, "OBR|1|1||A1^血算^99X", RESULT]),
        "2024-05-01"
    );
}

#[test]
fn an_undated_result_answers_no_search_by_date() {
    let read = message(&["OBR|1|1||A1^血算^99X", RESULT]);
    assert!(!read.records[0].meta.occurred.is_dated());
}

#[test]
fn class_six_is_microbiology() {
    let category = |segments: &[&str]| message(segments).records[0].meta.category;
    let local = "OBX|1|ST|90001^染色^99X||GPC||||||F";
    assert_eq!(category(&[RESULT]), Category::Lab);
    assert_eq!(
        category(&["OBX|1|ST|6B010000006174112^菌量^JC10||3+||||||F"]),
        Category::Micro
    );
    assert_eq!(
        category(&["OBR|1|1||6A010000006174100^塗抹^JC10", local]),
        Category::Micro
    );
    assert_eq!(category(&["OBR|1|1||A1^血算^99X", local]), Category::Lab);
}

#[test]
fn remarks_belong_to_what_stands_before_them() {
    let read = message(&["OBR|1|1||A1^血算^99X", "NTE|1||溶血", RESULT, "NTE|1||再検"]);
    let observation = observations(&read)[0];
    assert_eq!(observation.notes, ["再検"]);
    let report = observation.report.as_ref().unwrap();
    assert!(
        report
            .other
            .contains(&("NTE-3".to_owned(), "溶血".to_owned()))
    );
}

#[test]
fn what_belongs_nowhere_is_found() {
    assert_eq!(rules(&message(&["NTE|1||前置き", RESULT])), ["D2018"]);
    assert_eq!(
        rules(&message(&["SPM|1|S1", "OBR|1|1||A1^血算^99X"])),
        ["D2011"]
    );
}
