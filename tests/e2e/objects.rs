//! A hub whose sealed bytes lie in an object store.

use crate::support::{BOTH, CLINIC, Hub, Kind, content, paper, patients};

/// A hub with two patients by paper, read once; in a bucket when there is one.
fn hub(kind: Kind, bucket: Option<&samples::s3::Bucket>) -> Hub {
    let mut hub = Hub::new(kind);
    if let Some(bucket) = bucket {
        hub.set("MUSUBI_BLOBS_URL", &format!("s3://{}/kita", bucket.name));
        hub.set("AWS_ENDPOINT_URL", &bucket.endpoint);
        hub.set("AWS_ACCESS_KEY_ID", bucket.access_key);
        hub.set("AWS_SECRET_ACCESS_KEY", bucket.secret_key);
    }
    hub.secretary();
    let patients = patients(43, 2, 60);
    patients.iter().for_each(|patient| hub.admit(patient));
    let line = |(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*");
    hub.consents(&patients.iter().enumerate().map(line).collect::<Vec<_>>());
    hub.ingest();
    hub
}

/// What the clinic reads of both patients.
fn read(hub: &Hub) -> Vec<Vec<String>> {
    let token = hub.token("treating", "physician", CLINIC);
    let running = hub.serve("serve,ingest");
    let patients = ["N-0", "N-1"].map(|number| hub.patient(number));
    let read = patients.map(|patient| content(&running, &token, &patient));
    assert!(running.stop());
    read.to_vec()
}

#[test]
fn a_hub_with_an_object_store_answers_as_one_with_files() {
    let expected = read(&hub(Kind::Sqlite, None));
    assert!(expected.iter().all(|resources| resources.len() > 50));
    for kind in BOTH {
        let bucket = samples::s3::s3s().unwrap();
        let hub = hub(kind, Some(&bucket));
        assert!(read(&hub) == expected);
        assert_eq!(hub.ingest()["read"], 0, "nothing is left to read");
        assert!(!hub.path().join("data/blobs").exists());
    }
}

#[test]
fn an_object_store_that_is_away_is_told_until_it_is_back() {
    let bucket = samples::s3::s3s().unwrap();
    let hub = hub(Kind::Sqlite, Some(&bucket));
    let running = hub.serve("serve,ingest");
    let state = || {
        let ready = running.probe("/readyz");
        (ready.status, ready.json()["blobs"] == true)
    };
    assert_eq!(state(), (200, true));
    assert!(bucket.requests() > 0);
    bucket.set_away(true);
    running.until("it is away", || state() == (503, false));
    bucket.set_away(false);
    running.until("it is back", || state() == (200, true));
    let asked = bucket.requests();
    for _ in 0..20 {
        running.probe("/readyz");
    }
    assert!(bucket.requests() - asked < 20, "every probe asks");
    let log = running.log();
    assert!(log.contains("the object store does not answer"), "{log}");
    for secret in [bucket.access_key, bucket.secret_key] {
        assert!(!log.contains(secret), "{log}");
    }
}
