//! A hospital that registered somebody twice: one patient, with what stands under either number.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{CLINIC, Hub, Kind, encoded, paper, patients};

#[test]
fn a_patient_with_two_numbers_at_one_hospital_has_what_stands_under_either() {
    let two = patients(45, 2, 60);
    let (patient, other) = (&two[0], &two[1].person.local_id);
    let hub = Hub::new(Kind::Sqlite);
    hub.admit(patient);
    let more = register_again(&hub, patient, other);
    hub.secretary();
    let number = &patient.person.local_id;
    let (once, both) = (
        format!("1319999901:{number}"),
        format!("1319999901:{number};1319999901:{other}"),
    );
    hub.consents(&[paper("N-0", patient, CLINIC, "*")]);
    hub.ingest();
    let files = || {
        hub.json(&["status"], "")["feeds"][0]["files"]
            .as_u64()
            .unwrap()
    };
    let alone = files();
    let running = hub.serve("serve");
    let token = hub.token("treating", "physician", CLINIC);
    let id = hub.patient("N-0");
    let kinds = ["Observation?category=laboratory&", "MedicationRequest?"];
    let total = |kind: &str| running.total(&token, &format!("{kind}patient={id}"));
    let before = kinds.map(total);
    assert!(before.iter().all(|count| *count > 0));

    hub.consents(&[paper("N-1", patient, CLINIC, "*").replace(&once, &both)]);
    let report = hub.ingest();
    assert_eq!(files(), alone + more, "{report}");
    assert_eq!(hub.patient("N-1"), id);
    let with_both = kinds.map(total);
    assert!(with_both[0] > before[0] && with_both[1] > before[1]);
    let is_found = |by: &str| {
        let identifier = encoded(&format!("urn:oid:1.2.392.100495.20.3.51.11319999901|{by}"));
        let found = running.all(&token, &format!("Patient?identifier={identifier}"));
        let shown = |one: &Value| {
            one["identifier"]
                .as_array()
                .unwrap()
                .iter()
                .any(|shown| shown["value"] == by)
        };
        found.len() == 1 && shown(&found[0])
    };
    assert!(is_found(number) && is_found(other));
    // New demographics under the one number take nothing from the other.
    let demographics = demographics(&hub, number);
    fs::write(
        &demographics,
        [fs::read(&demographics).unwrap(), b"\r".to_vec()].concat(),
    )
    .unwrap();
    assert_eq!(hub.ingest()["read"], 1);
    assert!(is_found(number) && is_found(other));

    let again = hub.ingest();
    assert_eq!(
        (&again["moved"], &again["read"], files()),
        (&0.into(), &0.into(), alone + more),
        "{again}"
    );
    hub.withdraw("N-1");
    hub.ingest();
    assert_eq!((files(), kinds.map(total)), (alone, before));
}

#[test]
fn a_number_that_is_withdrawn_is_hidden_and_is_no_loss_of_the_hospital() {
    let three = patients(46, 3, 120);
    let (patient, other) = (&three[0], &three[1].person.local_id);
    let hub = Hub::new(Kind::Sqlite);
    hub.edit("profile.toml", "hold = \"PT0S\"", "hold = \"P7D\"");
    hub.admit(patient);
    hub.admit(&three[2]);
    register_again(&hub, patient, other);
    hub.secretary();
    let number = &patient.person.local_id;
    let (once, both) = (
        format!("1319999901:{number}"),
        format!("1319999901:{number};1319999901:{other}"),
    );
    hub.consents(&[
        paper("N-0", patient, CLINIC, "*"),
        paper("N-2", &three[2], CLINIC, "*"),
    ]);
    hub.ingest();
    let running = hub.serve("serve");
    let token = hub.token("treating", "physician", CLINIC);
    let id = hub.patient("N-0");
    let total = || running.total(&token, &format!("Observation?patient={id}"));
    let before = total();
    hub.consents(&[paper("N-1", patient, CLINIC, "*").replace(&once, &both)]);
    hub.ingest();
    let with_both = total();
    assert!(with_both > before);

    hub.withdraw("N-1");
    for sweep in ["first", "second"] {
        let report = hub.ingest();
        assert_eq!(report["paused"], false, "{sweep}: {report}");
        assert_eq!(report["moved"] == 0, sweep == "second", "{report}");
        assert_eq!(total(), before, "{sweep}");
        let feed = &hub.json(&["status"], "")["feeds"][0];
        assert_eq!(feed["state"], "running");
    }
    hub.json(&["consent", "restore", "N-1", "--as", "secretary"], "");
    hub.ingest();
    assert_eq!(total(), with_both, "what is taken back is read again");
}

/// The file with the hospital's demographics that counts now.
fn demographics(hub: &Hub, number: &str) -> PathBuf {
    let folder = format!("{}/{}/{number}/-/ADT-00", &number[..3], &number[3..6]);
    let files = fs::read_dir(hub.storage().join(folder)).unwrap();
    let mut paths = files.map(|file| file.unwrap().path());
    paths
        .find(|path| path.to_str().unwrap().ends_with("_1"))
        .unwrap()
}

/// The same person under another number, under which the hospital wrote no demographics: else only
/// the number differs in the files. How many there are.
fn register_again(hub: &Hub, patient: &samples::Patient, other: &str) -> u64 {
    let number = &patient.person.local_id;
    let mut written = 0;
    for (entry, bytes) in patient.tree.files() {
        if entry.version.path(entry.flag).contains("_ADT-00_") {
            continue;
        }
        written += 1;
        let path = entry.version.path(entry.flag).replace(number, other);
        let inner = path.split_once(other).unwrap().1;
        let folder = format!("{}/{}/{other}", &other[..3], &other[3..6]);
        let path = hub.storage().join(format!("{folder}{inner}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, replaced(bytes, number.as_bytes(), other.as_bytes())).unwrap();
    }
    written
}

/// Bytes with every occurrence of one text replaced by another of the same length.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(from.len()) {
        if bytes[at..].starts_with(from) {
            bytes[at..at + to.len()].copy_from_slice(to);
        }
    }
    bytes
}
