//! Golden answers: `samples/hl7/<case>.hl7` is read under the file name that stands in
//! `<case>.golden.json`, and must give what else stands there. A new case begins as
//! `{"file": "…"}`; `UPDATE_GOLDEN=1` writes the rest, for a reviewer to read.

use std::path::Path;

use ::normalize::Normalized;
use model::finding::Finding;
use serde_json::{Value, json};

fn cases() -> Vec<String> {
    let entries = std::fs::read_dir(crate::samples().join("hl7")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut cases: Vec<String> = names.filter_map(|name| Some(name.strip_suffix(".hl7")?.to_owned())).collect();
    cases.sort();
    cases
}

fn place(finding: &Finding) -> String {
    let place = &finding.place;
    let mut text = format!("{} {}[{}]-{}", finding.rule, place.segment, place.ordinal, place.field);
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

fn check(case: &str, golden: &Path) {
    let bytes = std::fs::read(golden.with_file_name(format!("{case}.hl7"))).unwrap();
    let text = std::fs::read_to_string(golden).unwrap_or_else(|_| panic!("{case} has no golden answer"));
    let expected: Value = serde_json::from_str(&text).unwrap();
    let name = expected["file"].as_str().unwrap();
    let found = answer(name, &crate::read(name, &bytes));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(golden, format!("{found:#}\n")).unwrap();
    } else {
        assert_eq!(format!("{found:#}\n"), text, "{case}: read the difference, then UPDATE_GOLDEN=1");
    }
}

#[test]
fn samples_mean_what_their_golden_answers_say() {
    let cases = cases();
    assert!(!cases.is_empty());
    for case in cases {
        check(&case, &crate::samples().join(format!("hl7/{case}.golden.json")));
    }
}
