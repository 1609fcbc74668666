//! Several processes share one PostgreSQL and one object store. Whichever dies, another one goes on:
//! nothing that was acknowledged is lost, and nothing is there twice.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use samples::storage::Flag;
use serde_json::Value;

use crate::support::{CLINIC, Hub, Kind, Running, content, paper, patients, until};

/// Patients of the storage; the others' messages are pushed.
const STORED: usize = 3;
const ALL: usize = 5;
const ROLES: &str = "serve,office,ingest";

fn people() -> Vec<samples::Patient> {
    patients(71, ALL, 60)
}

/// A hub that a hospital pushes to as well; its storage has the first patients.
fn hub(mut hub: Hub, bucket: Option<&samples::s3::Bucket>) -> Hub {
    if let Some(bucket) = bucket {
        hub.set("MUSUBI_BLOBS_URL", &format!("s3://{}/kita", bucket.name));
        hub.set("AWS_ENDPOINT_URL", &bucket.endpoint);
        hub.set("AWS_ACCESS_KEY_ID", bucket.access_key);
        hub.set("AWS_SECRET_ACCESS_KEY", bucket.secret_key);
    }
    hub.listens();
    hub.secretary();
    people()[..STORED]
        .iter()
        .for_each(|patient| hub.admit(patient));
    hub
}

/// Enters everybody's consent; their public ids.
fn consent(hub: &Hub) -> Vec<String> {
    let line = |(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*");
    hub.consents(&people().iter().enumerate().map(line).collect::<Vec<_>>());
    (0..ALL)
        .map(|number| hub.patient(&format!("N-{number}")))
        .collect()
}

/// What the hospital sends of the other patients, in the order of time.
fn messages() -> Vec<Vec<u8>> {
    let mut sent = BTreeMap::new();
    for patient in &people()[STORED..] {
        for (entry, bytes) in patient
            .tree
            .files()
            .filter(|(entry, _)| entry.flag == Flag::Current)
        {
            sent.insert(
                (entry.version.time, entry.version.path(Flag::Current)),
                bytes.to_vec(),
            );
        }
    }
    sent.into_values().collect()
}

/// Sends a message as a hospital does, and waits for its answer; whether it was acknowledged.
fn push(to: &mut TcpStream, message: &[u8]) -> bool {
    let frame = [b"\x0b", message, b"\x1c\r"].concat();
    if to.write_all(&frame).is_err() {
        return false;
    }
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\x1c\r") {
        match to.read(&mut byte) {
            Ok(1) => answer.push(byte[0]),
            _ => return false,
        }
    }
    String::from_utf8_lossy(&answer).contains("MSA|AA|")
}

/// What the clinic reads of patients.
fn read(running: &Running, token: &str, patients: &[String]) -> Vec<Vec<String>> {
    let of = |patient: &String| content(running, token, patient);
    patients.iter().map(of).collect()
}

fn waits(hub: &Hub) -> u64 {
    hub.json_of_findings(&["status"])["pushed"][0]["waiting"]
        .as_u64()
        .unwrap()
}

/// What a hub reads to which nothing happens.
fn expected() -> Vec<Vec<String>> {
    let hub = hub(Hub::new(Kind::Sqlite), None);
    let patients = consent(&hub);
    let token = hub.token("treating", "physician", CLINIC);
    let running = hub.serve(ROLES);
    let mut sender = TcpStream::connect(running.mllp()).unwrap();
    assert!(messages().iter().all(|message| push(&mut sender, message)));
    until("everything pushed is accepted", || waits(&hub) == 0);
    assert!(running.stop());
    hub.ingest();
    let running = hub.serve("serve");
    read(&running, &token, &patients)
}

/// Takes out the process that holds a lease.
fn holder(all: &mut Vec<Running>, lease: &str) -> Running {
    let holds = |one: &Running| one.log().contains(&format!("lease={lease}"));
    until("somebody holds the lease", || all.iter().any(holds));
    let at = all.iter().position(holds).unwrap();
    all.remove(at)
}

fn files(hub: &Hub) -> u64 {
    let status: Value = hub.json_of_findings(&["status"]);
    status["feeds"][0]["files"].as_u64().unwrap()
}

#[test]
fn a_holder_that_dies_is_followed_and_nothing_is_lost_or_doubled() {
    let expected = expected();
    let bucket = samples::s3::s3s().unwrap();
    let hub = hub(Hub::new(Kind::Postgres), Some(&bucket));
    let token = hub.token("treating", "physician", CLINIC);
    let mut all: Vec<Running> = (0..3).map(|_| hub.serve(ROLES)).collect();

    // In the middle of a back-fill.
    let tree = holder(&mut all, "feed demo-hospital");
    let patients = consent(&hub);
    until("the back-fill has begun", || files(&hub) > 0);
    tree.kill();
    all.push(hub.serve(ROLES));

    // In the middle of a live feed.
    let line = holder(&mut all, "feed his");
    let mut sender = TcpStream::connect(line.mllp()).unwrap();
    let messages = messages();
    let half = messages.len() / 2;
    assert!(
        messages[..half]
            .iter()
            .all(|message| push(&mut sender, message))
    );
    line.kill();
    assert!(
        !push(&mut sender, &messages[half]),
        "nobody is there to acknowledge it"
    );
    all.push(hub.serve(ROLES));
    let line = holder(&mut all, "feed his");
    let mut sender = TcpStream::connect(line.mllp()).unwrap();
    sender
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // A sender that got no answer sends again what it may have sent before.
    assert!(
        messages[half - 1..]
            .iter()
            .all(|message| push(&mut sender, message))
    );
    all.push(line);

    until("everything pushed is accepted", || waits(&hub) == 0);
    until("everything stored is read", || {
        read(&all[0], &token, &patients[..STORED]) == expected[..STORED]
    });
    for running in &all {
        assert!(
            read(running, &token, &patients) == expected,
            "each process says the same"
        );
    }

    // A withdrawal at one door shuts the others at once.
    let patient = &patients[0];
    hub.withdraw("N-0");
    for running in &all {
        assert_eq!(
            running.total(&token, &format!("Observation?patient={patient}")),
            0
        );
    }
    assert!(all.into_iter().all(Running::stop));
    assert_eq!(hub.json(&["audit", "verify"], "")["good"], true);
}
