//! A hospital that registered somebody twice: one patient, with what stands under either number.

use std::fs;

use crate::support::{CLINIC, Hub, Kind, encoded, paper, patients};

#[test]
fn a_patient_with_two_numbers_at_one_hospital_has_what_stands_under_either() {
    let two = patients(45, 2, 60);
    let (patient, other) = (&two[0], &two[1].person.local_id);
    let hub = Hub::new(Kind::Sqlite);
    hub.admit(patient);
    register_again(&hub, patient, other);
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
    let total = |kind: &str| running.total(&token, &format!("{kind}?patient={id}"));
    let before = ["Observation", "MedicationRequest"].map(total);
    assert!(before.iter().all(|count| *count > 0));

    hub.consents(&[paper("N-1", patient, CLINIC, "*").replace(&once, &both)]);
    let report = hub.ingest();
    assert_eq!(files(), 2 * alone, "{report}");
    assert_eq!(hub.patient("N-1"), id);
    assert_eq!(
        ["Observation", "MedicationRequest"].map(total),
        before.map(|count| 2 * count)
    );
    for number in [number, other] {
        let system = "urn:oid:1.2.392.100495.20.3.51.11319999901";
        let found = running.all(
            &token,
            &format!(
                "Patient?identifier={}",
                encoded(&format!("{system}|{number}"))
            ),
        );
        assert_eq!(found.len(), 1);
        let identifiers = found[0]["identifier"].as_array().unwrap();
        assert!(
            identifiers
                .iter()
                .any(|identifier| identifier["value"] == **number)
        );
    }

    let again = hub.ingest();
    assert_eq!(
        (&again["moved"], &again["read"], files()),
        (&0.into(), &0.into(), 2 * alone),
        "{again}"
    );
    hub.withdraw("N-1");
    hub.ingest();
    assert_eq!(
        (files(), ["Observation", "MedicationRequest"].map(total)),
        (alone, before)
    );
}

/// The same person under another number: only the number differs in the files.
fn register_again(hub: &Hub, patient: &samples::Patient, other: &str) {
    let number = &patient.person.local_id;
    for (entry, bytes) in patient.tree.files().filter(|(entry, _)| entry.root == 0) {
        let path = entry.version.path(entry.flag).replace(number, other);
        let inner = path.split_once(other).unwrap().1;
        let folder = format!("{}/{}/{other}", &other[..3], &other[3..6]);
        let path = hub.storage().join(format!("{folder}{inner}"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, replaced(bytes, number.as_bytes(), other.as_bytes())).unwrap();
    }
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
