//! Golden answers: `samples/hl7/<case>.hl7` is read under the file name that stands in
//! `<case>.golden.json`, and must give what else stands there. A new case begins as
//! `{"file": "…"}`; `UPDATE_GOLDEN=1` writes the rest, for a reviewer to read.

use ::normalize::Normalized;
use model::finding::Finding;
use serde_json::{Value, json};

/// The names of the cases.
pub(crate) fn cases() -> Vec<String> {
    let entries = std::fs::read_dir(crate::samples().join("hl7")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(".hl7")?.to_owned()))
        .collect();
    cases.sort();
    cases
}

/// A case's file name and bytes.
fn item(case: &str) -> (String, Vec<u8>) {
    let folder = crate::samples().join("hl7");
    let golden = std::fs::read_to_string(folder.join(format!("{case}.golden.json")));
    let golden = golden.unwrap_or_else(|_| panic!("{case} has no golden answer"));
    let golden: Value = serde_json::from_str(&golden).unwrap();
    (
        golden["file"].as_str().unwrap().to_owned(),
        std::fs::read(folder.join(format!("{case}.hl7"))).unwrap(),
    )
}

fn place(finding: &Finding) -> String {
    let place = &finding.place;
    let mut text = format!(
        "{} {}[{}]-{}",
        finding.rule, place.segment, place.ordinal, place.field
    );
    if place.repetition > 0 {
        text += &format!("({})", place.repetition);
    }
    if place.component > 0 {
        text += &format!(".{}", place.component);
    }
    text + &format!(" {}..{}", place.start, place.end)
}

fn answer(name: &str, read: &Normalized) -> Value {
    json!({
        "file": name,
        "subject": read.subject,
        "cancels": read.cancels,
        "event_time": read.event_time,
        "findings": read.findings.iter().map(place).collect::<Vec<_>>(),
        "records": read.records,
    })
}

fn check(case: &str) {
    let (name, bytes) = item(case);
    let found = format!("{:#}\n", answer(&name, &crate::read(&name, &bytes)));
    let golden = crate::samples().join(format!("hl7/{case}.golden.json"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, found).unwrap();
    } else {
        let expected = std::fs::read_to_string(golden).unwrap();
        assert_eq!(
            found, expected,
            "{case}: read the difference, then UPDATE_GOLDEN=1"
        );
    }
}

#[test]
fn samples_mean_what_their_golden_answers_say() {
    let cases = cases();
    assert!(!cases.is_empty());
    for case in cases {
        check(&case);
    }
}
