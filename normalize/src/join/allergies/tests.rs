use model::code::{Coding, Concept};

use super::*;
use crate::testing;

fn statement(source: AllergySource, words: &str, severity: &str) -> Record {
    let kind = match source {
        AllergySource::AllergyList => "ADT-61",
        AllergySource::Demographics => "ADT-00",
        AllergySource::Order => "OMP-01",
    };
    let (event, segment) = match source {
        AllergySource::AllergyList => ("A60", format!("IAM|1|DA|^{words}|{severity}||A\r")),
        _ => ("A08", format!("AL1|1|DA|^{words}|{severity}\r")),
    };
    let text = format!(
        "MSH|^~\\&|H|1|GW|R|20240510||ADT^{event}^X|1|P|2.5||||||~ISO IR87\rPID|1||0000123456||A^B||19580314|F\r{segment}"
    );
    let read = testing::read(
        &format!("0000123456_-_{kind}_999999999999999_20240510101531045_-_1"),
        text.as_bytes(),
    );
    let mut found = read
        .records
        .into_iter()
        .filter(|record| record.meta.kind == Kind::AllergyStatement);
    let mut record = found.next().unwrap();
    // Under a kind that nobody reads as orders here, only the source matters.
    if let Body::Allergy(allergy) = &mut record.body {
        allergy.source = source;
    }
    record
}

fn facility() -> FacilityId {
    "1319999999".parse().unwrap()
}

#[track_caller]
fn check(statements: &[(&str, Record)], expected: &[(AllergySource, &str)]) {
    let contributions: Vec<Contribution<'_>> = statements
        .iter()
        .map(|(version, record)| Contribution {
            version,
            record,
            superseded_only: false,
        })
        .collect();
    let mut reversed = contributions.clone();
    reversed.reverse();
    for contributions in [contributions, reversed] {
        let joined = list(&facility(), &contributions);
        let told: Vec<(AllergySource, &str)> = joined
            .iter()
            .map(|joined| {
                let record = &joined.record;
                assert_eq!(record.meta.kind, Kind::AllergyIntolerance);
                let Body::Allergy(allergy) = &record.body else {
                    panic!("no allergy")
                };
                (
                    allergy.source,
                    allergy
                        .severity
                        .as_ref()
                        .and_then(Concept::first_code)
                        .unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(told, expected);
    }
}

use AllergySource::{AllergyList, Demographics, Order};

#[test]
fn the_allergy_list_is_trusted_more_than_demographics_and_orders() {
    let list = statement(AllergyList, "ペニシリン", "SV");
    let demographics = statement(Demographics, "ペニシリン", "MO");
    let order = statement(Order, "ペニシリン", "MI");
    check(
        &[
            ("1", list),
            ("2", demographics.clone()),
            ("3", order.clone()),
        ],
        &[(AllergyList, "SV")],
    );
    check(
        &[("2", demographics), ("3", order)],
        &[(Demographics, "MO")],
    );
}

#[test]
fn lists_never_delete_each_other() {
    let list = statement(AllergyList, "ソバ", "SV");
    let demographics = statement(Demographics, "ペニシリン", "MO");
    check(
        &[("1", list), ("2", demographics)],
        &[(AllergyList, "SV"), (Demographics, "MO")],
    );
}

#[test]
fn an_order_adds_only_what_no_list_has() {
    let order = statement(Order, "アスピリン", "MO");
    check(
        &[("1", statement(AllergyList, "ソバ", "SV")), ("2", order)],
        &[(Order, "MO"), (AllergyList, "SV")],
    );
    // The same allergen under another spelling.
    check(
        &[
            ("1", statement(AllergyList, "ソバ", "SV")),
            ("2", statement(Order, "ｿﾊﾞ", "MO")),
        ],
        &[(AllergyList, "SV")],
    );
}

#[test]
fn of_the_same_list_the_newest_statement_counts() {
    let old = statement(Order, "ソバ", "MI");
    let new = statement(Order, "ソバ", "SV");
    check(
        &[("20240510101531045|01", new), ("20240509101531045|01", old)],
        &[(Order, "SV")],
    );
}

#[test]
fn an_item_with_a_number_of_its_own_still_hides_the_same_allergen_elsewhere() {
    let mut list = statement(AllergyList, "ソバ", "SV");
    let mut order = statement(Order, "ソバ", "MO");
    for (record, id) in [(&mut list, Some("A-1")), (&mut order, None)] {
        if let Body::Allergy(allergy) = &mut record.body {
            allergy.identifier = id.map(str::to_owned);
            allergy.code.codings.push(Coding {
                system: None,
                code: "X1".to_owned(),
                display: None,
            });
        }
    }
    check(&[("1", list), ("2", order)], &[(AllergyList, "SV")]);
}
