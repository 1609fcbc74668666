//! What a clinician gets to see, and what nobody else does.

use std::fs;

use crate::support::{BOTH, CLINIC, HOSPITAL, Hub, PHARMACY};

/// The licensed sample patient: kana, birth date and number as its ADT-00 says.
fn consent(number: &str, readers: &str) -> String {
    format!(
        "{number},C-1,1,2026-04-01,署名者,self,カンジャタロウ,1948-04-05,male,{HOSPITAL}:9999013,{HOSPITAL},{readers},*,\
         2020-01-01,,説明者,事務局"
    )
}

fn hub(kind: crate::support::Kind) -> Hub {
    let hub = Hub::new(kind);
    crate::support::copy(
        &crate::support::project().join("samples/ss-mix2/nho"),
        &hub.storage(),
    );
    hub.secretary();
    hub
}

#[test]
fn a_consent_for_the_clinic_opens_for_the_clinic_and_a_withdrawal_shuts() {
    for kind in BOTH {
        let hub = hub(kind);
        let physician = hub.token("physician", "physician", CLINIC);
        let pharmacist = hub.token("pharmacist", "pharmacist", PHARMACY);
        let running = hub.serve("serve,office,ingest");
        hub.consents(&[consent("N-1", CLINIC)]);
        let patient = hub.patient("N-1");
        let prescriptions = format!("MedicationRequest?patient={patient}");
        running.until("the new consent is back-filled at once", || {
            running.total(&physician, &prescriptions) == 3
        });
        assert_eq!(running.total(&pharmacist, &prescriptions), 0);
        hub.withdraw("N-1");
        assert_eq!(running.total(&physician, &prescriptions), 0);
        assert_eq!(
            running
                .get(Some(&physician), &format!("/fhir/Patient/{patient}"))
                .status,
            404
        );
        assert!(running.stop());
        let verified = hub.json(&["audit", "verify"], "");
        assert_eq!(verified["good"], true);
    }
}

#[test]
fn a_storage_is_never_written_to() {
    let hub = hub(crate::support::Kind::Sqlite);
    let before = listing(&hub);
    hub.consents(&[consent("N-1", "*")]);
    let report = hub.ingest();
    assert_eq!(report["patients"], 1);
    assert_eq!(listing(&hub), before);
}

fn listing(hub: &Hub) -> Vec<(String, u64, std::time::SystemTime)> {
    let mut files = Vec::new();
    let mut folders = vec![hub.storage()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let meta = entry.metadata().unwrap();
            files.push((
                entry.path().display().to_string(),
                meta.len(),
                meta.modified().unwrap(),
            ));
            if meta.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    files.sort();
    files
}

#[test]
fn a_task_is_closed_by_whoever_looked_at_it() {
    let hub = Hub::new(crate::support::Kind::Sqlite);
    hub.secretary();
    hub.consents(&[consent("N-1", "*")]);
    let other = consent("N-2", "*").replace("カンジャタロウ", "ベツジンジロウ");
    let file = hub.path().join("other.csv");
    fs::write(&file, format!("{}\n{other}\n", crate::support::CONSENTS)).unwrap();
    let refused = hub.musubi(&["consent", "import", "other.csv", "--as", "secretary"], "");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(hub.musubi(&["status"], "").status.code(), Some(1));
    let closed = hub.musubi(&["status", "--close", "1", "--as", "secretary"], "");
    assert_eq!(
        closed.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&closed.stderr)
    );
    assert_ne!(
        hub.musubi(&["status", "--close", "1", "--as", "secretary"], "")
            .status
            .code(),
        Some(0)
    );
}
