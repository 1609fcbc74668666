use super::*;
use crate::testing;

/// The records of one file under a number.
fn file(number: &str, name: &str, message: &str) -> Vec<Record> {
    let text = format!(
        "MSH|^~\\&|H|1|GW|R|20240510||ADT^{message}^X|1|P|2.5||||||~ISO IR87\r\
         PID|1||{number}||A^B||19580314|F\r"
    );
    let (event, segments) = message.split_once(' ').unwrap();
    let text = text.replace(message, event) + segments;
    testing::read(&format!("{number}_{name}"), text.as_bytes()).records
}

/// The keys of what these files say together, joined as a feed joins them.
#[track_caller]
fn check(
    join: impl Fn(&FacilityId, &[Contribution<'_>]) -> Vec<Joined>,
    files: &[Vec<Record>],
    expected: &[&str],
) {
    let contributions: Vec<Contribution<'_>> = files
        .iter()
        .flatten()
        .map(|record| Contribution {
            version: "1",
            record,
            superseded_only: false,
        })
        .collect();
    let facility = "1319999999".parse().unwrap();
    let joined = join(&facility, &contributions);
    let keys: Vec<&str> = joined
        .iter()
        .map(|joined| joined.record.meta.source_key.as_str())
        .collect();
    assert_eq!(keys, expected);
}

#[test]
fn an_item_id_names_an_allergy_of_its_own_number_only() {
    let list = |number, allergen| {
        let item = format!("A60 IAM|1|DA|^{allergen}||||1^H\r");
        file(
            number,
            "-_ADT-61_999999999999999_20240510101531045_-_1",
            &item,
        )
    };
    let files = [list("0000000001", "Penicillin"), list("0000000002", "Egg")];
    check(allergies, &files, &["0000000001|id:1", "0000000002|id:1"]);
}

#[test]
fn an_order_number_names_a_stay_of_its_own_number_only() {
    let admission = |number, day| {
        let visit = format!("A01 PV1|1|I|W1{}202403{day}\r", "|".repeat(41));
        let name = format!("202403{day}_ADT-22_000000000000077_202403{day}090000000_01_1");
        file(number, &name, &visit)
    };
    let files = [admission("0000000001", "01"), admission("0000000002", "02")];
    check(
        encounters,
        &files,
        &["0000000001|000000000000077", "0000000002|000000000000077"],
    );
}
