//! A withdrawal holds from the moment its command has returned, whatever runs at that moment; then
//! everything is erased, and a new consent begins from nothing.

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use crate::support::{BOTH, CLINIC, Hub, Kind, Running, paper, patients, until};

/// Whether anything of a patient can be read.
fn is_open(running: &Running, token: &str, patient: &str) -> bool {
    let found = running.total(token, &format!("Observation?patient={patient}&_count=1")) > 0;
    let read = running
        .get(Some(token), &format!("/fhir/Patient/{patient}"))
        .status;
    assert!(matches!(read, 200 | 404), "{read}");
    found || read == 200
}

/// How many files are kept of all patients.
fn kept(hub: &Hub) -> u64 {
    let output = hub.musubi(&["status", "--json"], "");
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    status["feeds"][0]["files"].as_u64().unwrap()
}

/// The details of the deletion records so far.
fn deletions(hub: &Hub) -> Vec<String> {
    let shown = hub.json(
        &["audit", "show", "--limit", "100000", "--as", "secretary"],
        "",
    );
    let rows = shown["rows"].as_array().unwrap().iter();
    let erased = rows.filter(|row| row["action"] == "erased");
    erased
        .map(|row| row["detail"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_read_that_starts_after_a_withdrawal_succeeds() {
    for kind in BOTH {
        let hub = Hub::new(kind);
        let patient = patients(21, 1, 60).remove(0);
        hub.admit(&patient);
        hub.secretary();
        hub.consents(&[paper("N-1", &patient, CLINIC, "*")]);
        hub.ingest();
        let id = hub.patient("N-1");
        let token = hub.token("treating", "physician", CLINIC);
        let running = hub.serve("serve,office,ingest");
        let record = running.all(&token, &format!("Condition?patient={id}"))[0]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let ways = [
            format!("/fhir/Observation?patient={id}&_count=5"),
            format!("/fhir/Patient/{id}"),
            format!("/fhir/Condition/{record}"),
            format!("/fhir/Encounter?patient={id}&_include=Encounter:patient"),
        ];
        let over = AtomicBool::new(false);
        let reading = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let reader = |number: usize| {
                let mut reads = Vec::new();
                let read = || {
                    let start = Instant::now();
                    let answer = running.get(Some(&token), &ways[number % ways.len()]);
                    (start, answer.status == 200 && answer.json()["total"] != 0)
                };
                assert!(read().1, "{kind:?}: readable before the withdrawal");
                reading.fetch_add(1, Ordering::SeqCst);
                while !over.load(Ordering::SeqCst) {
                    reads.push(read());
                }
                reads
            };
            let readers: Vec<_> = (0..8)
                .map(|number| scope.spawn(move || reader(number)))
                .collect();
            until("every reader has read", || {
                reading.load(Ordering::SeqCst) == readers.len()
            });
            hub.withdraw("N-1");
            let withdrawn = Instant::now();
            until("the readers went on", || {
                withdrawn.elapsed().as_millis() > 500
            });
            over.store(true, Ordering::SeqCst);
            for reads in readers.into_iter().map(|reader| reader.join().unwrap()) {
                let mut after = reads;
                after.retain(|(start, _)| *start >= withdrawn);
                assert!(!after.is_empty(), "{kind:?}: nobody read after it");
                assert!(
                    after.iter().all(|(_, open)| !open),
                    "{kind:?}: read after the withdrawal"
                );
            }
        });
    }
}

#[test]
fn a_withdrawal_ends_a_back_fill_and_a_new_consent_begins_again() {
    for kind in BOTH {
        let hub = Hub::new(kind);
        let large = patients(22, 3, 300);
        hub.secretary();
        let token = hub.token("treating", "physician", CLINIC);
        let running = hub.serve("serve,office,ingest");
        let mut shut = Vec::new();
        for (number, patient) in large.iter().enumerate() {
            hub.admit(patient);
            let consent_no = format!("N-{number}");
            hub.consents(&[paper(&consent_no, patient, CLINIC, "*")]);
            let id = hub.patient(&consent_no);
            if number % 2 == 1 {
                // At once, or when the first file of the patient was seen: in the middle in any case.
                until("the back-fill has begun", || {
                    kept(&hub) > 0 || is_open(&running, &token, &id)
                });
            }
            hub.withdraw(&consent_no);
            assert!(
                !is_open(&running, &token, &id),
                "{kind:?}: open after the withdrawal"
            );
            shut.push(id);
            until("everything is erased", || {
                kept(&hub) == 0 && deletions(&hub).len() > number
            });
        }
        let records = deletions(&hub);
        assert!(
            records
                .iter()
                .all(|detail| detail.contains("keys destroyed: ")),
            "{records:?}"
        );
        assert!(
            records
                .iter()
                .any(|detail| !detail.contains("keys destroyed: none")),
            "{records:?}"
        );
        assert!(shut.iter().all(|id| !is_open(&running, &token, id)));
        hub.consents(&[paper("N-9", &large[0], CLINIC, "*")]);
        let id = hub.patient("N-9");
        let all = large[0].truth()["observations"].as_array().unwrap().len() as u64;
        let search = format!("Observation?patient={id}");
        running.until("a new consent fetches again", || {
            running.total(&token, &search) == all
        });
        let troubles: Vec<String> = running
            .log()
            .lines()
            .filter(|line| line.contains("ERROR"))
            .map(str::to_owned)
            .collect();
        assert!(
            troubles.is_empty(),
            "a withdrawal is no failure of the feed: {troubles:#?}"
        );
        assert!(running.stop());
        assert_eq!(hub.json(&["audit", "verify"], "")["good"], true);
    }
}

#[test]
fn inside_the_hold_a_withdrawal_can_be_taken_back() {
    let hub = Hub::new(Kind::Sqlite);
    hub.edit("profile.toml", "hold = \"PT0S\"", "hold = \"P1D\"");
    let patient = patients(23, 1, 60).remove(0);
    hub.admit(&patient);
    hub.secretary();
    hub.consents(&[paper("N-1", &patient, CLINIC, "*")]);
    hub.ingest();
    let id = hub.patient("N-1");
    let token = hub.token("treating", "physician", CLINIC);
    let running = hub.serve("serve,office,ingest");
    let before = kept(&hub);
    let shown = running.total(&token, &format!("Observation?patient={id}"));
    assert!(is_open(&running, &token, &id) && before > 0);
    hub.withdraw("N-1");
    assert!(!is_open(&running, &token, &id));
    hub.json(&["consent", "restore", "N-1", "--as", "secretary"], "");
    assert!(is_open(&running, &token, &id));
    assert_eq!(
        running.total(&token, &format!("Observation?patient={id}")),
        shown
    );
    assert_eq!((kept(&hub), deletions(&hub).len()), (before, 0));
}

#[test]
fn an_erasing_that_fails_is_told_by_every_command_that_tries() {
    let url = samples::postgres::database().unwrap();
    let mut hub = Hub::new(Kind::Sqlite);
    for name in ["RECORDS", "OFFICE", "AUDIT", "KEYS"] {
        hub.set(&format!("MUSUBI_DATABASE_{name}"), &url);
    }
    let check = |arguments: &[&str], code: i32, told: [&str; 2]| {
        let ended = hub.musubi(arguments, "");
        let said = [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text));
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {said:?}");
        let fits = |(said, told): (&str, &str)| said.contains(told);
        let both = said.iter().map(AsRef::as_ref).zip(told);
        assert!(both.into_iter().all(fits), "{arguments:?}: {said:?}");
    };
    check(&["ingest", "--once"], 0, ["", ""]);
    check(&["status"], 0, ["", ""]);
    let run = |sql: &str| {
        let done = Command::new("psql").args([&url, "-c", sql]).output();
        assert!(done.unwrap().status.success(), "{sql}");
    };
    // Of a patient whom no paper knows.
    run("insert into records.job values (0, 2, 0, 0)");
    let failed = "1 errands of papers failed and are kept";
    check(&["ingest", "--once"], 1, ["", failed]);
    check(
        &["ingest", "--once", "--json"],
        1,
        ["\"failed_errands\":1", failed],
    );
    check(&["status"], 1, ["fail: of 1 patients, since 20", ""]);
    let shown = "\"failed_errands\":{\"patients\":1,\"since\":\"20";
    check(&["status", "--json"], 1, [shown, ""]);
    run("delete from records.job");
    check(&["ingest", "--once"], 0, ["", ""]);
    check(&["status"], 0, ["", ""]);
}
