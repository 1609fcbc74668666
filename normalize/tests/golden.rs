//! Every sample message gives exactly the records and findings that stand beside it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use model::feed::{Fallback, Feed, FeedState, Identity, Source};
use normalize::ssmix::path::{self, FileName};
use normalize::{Context, Format, Item, Normalized, normalize};
use serde_json::{Value, json};

fn samples() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../samples/hl7"))
}

/// The cases with the file name that each has in its storage.
fn cases() -> Vec<(String, FileName)> {
    let table = fs::read_to_string(samples().join("cases.tsv")).unwrap();
    let case = |line: &str| {
        let (case, name) = line.split_once('\t').unwrap();
        (case.to_owned(), path::parse(name).unwrap_or_else(|finding| panic!("{case} {}", finding.rule)))
    };
    table.lines().map(case).collect()
}

fn feed() -> Feed {
    Feed {
        id: "hospital".to_owned(),
        title: "架空記念病院".to_owned(),
        facility: "1319999999".parse().unwrap(),
        state: FeedState::Active,
        source: Source::SsMix2Tree { roots: Vec::new(), sweep: Duration::ZERO, settle: Duration::ZERO },
        fallback: Fallback::Cp932,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [0; 32],
    }
}

fn told(read: &Normalized) -> Value {
    let evidence = read.evidence.as_ref().map(|evidence| {
        json!({
            "birth_date": evidence.birth_date.map(|date| date.to_string()),
            "sex": evidence.sex,
            "kana": evidence.kana,
            "kanji": evidence.kanji,
        })
    });
    json!({
        "subject": read.subject,
        "evidence": evidence,
        "cancels": read.cancels,
        "event_time": read.event_time,
        "records": read.records,
        "findings": read.findings,
    })
}

#[test]
fn every_sample_gives_its_golden_output() {
    let feed = feed();
    let mut wrong = Vec::new();
    for (case, file) in cases() {
        let bytes = fs::read(samples().join(format!("{case}.hl7"))).unwrap();
        let context = Context { feed: &feed, patient_from_order: false };
        let read = normalize(&Item { format: Format::SsMix2(&file), bytes: &bytes }, &context);
        let told = serde_json::to_string_pretty(&told(&read)).unwrap() + "\n";
        let golden = samples().join(format!("{case}.golden.json"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &told).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != told {
            wrong.push(case);
        }
    }
    assert!(wrong.is_empty(), "differ from their golden output: {wrong:?}");
}
