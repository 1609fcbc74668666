//! When the power fails the page cache is gone: only what was synced is kept. So the calls of a real
//! `musubi serve` are recorded, and each promise to somebody outside must stand behind the syncs of
//! what was promised. Without any one of these syncs the check must fail.

mod order;
mod trace;

use std::fs;
use std::process::Command;

use samples::Patient;
use serde_json::json;

use crate::support::{
    CLINIC, HOSPITAL, Hub, Kind, Message, Running, Sender, paper, patients, until,
};
use order::{faults, syncs};
use trace::events;

/// What is recorded of all calls.
const CALLS: &str = "trace=openat,write,writev,pwrite64,fdatasync,fsync,recvfrom,sendto,sendmsg";
/// And so many bytes of what they carry: an acknowledgement stands behind its header.
const BYTES: &str = "400";

/// How far a hub has come: items, and messages that wait.
fn far(hub: &Hub) -> (u64, u64) {
    let status = hub.json(&["status"], "");
    let count = |count: &serde_json::Value| count.as_u64().unwrap();
    (
        count(&status["feeds"][0]["files"]),
        count(&status["pushed"][0]["waiting"]),
    )
}

#[test]
fn no_promise_is_given_before_what_it_rests_on_is_synced() {
    let patients = patients(47, 3, 60);
    let [known, new, strange] = &patients[..] else {
        panic!("two patients were made")
    };
    let hub = Hub::new(Kind::Sqlite);
    hub.listens();
    // Nothing else is written meanwhile, by chance.
    hub.edit(
        "feeds/demo-hospital.toml",
        "sweep = \"1s\"",
        "sweep = \"1h\"",
    );
    hub.secretary();
    hub.admit(known);
    hub.admit(new);
    hub.consents(&[paper("N-1", known, CLINIC, "*")]);
    hub.ingest();
    let secret = hub.person("clerk", "secretariat", HOSPITAL);
    let token = hub.token("treating", "physician", CLINIC);
    let id = hub.patient("N-1");
    let begun = far(&hub).0;

    let record = hub.path().join("record");
    let mut strace = Command::new("strace");
    // The program stays our child: signals reach it, and not strace.
    strace.args([
        "-D",
        "-f",
        "--seccomp-bpf",
        "-yy",
        "-s",
        BYTES,
        "-e",
        CALLS,
        "-o",
    ]);
    let running = hub.serve_under(strace.arg(&record), "serve,office,ingest");
    let process = running.id();
    enter(&running, &secret, new);
    let files = u64::try_from(new.tree.len()).unwrap();
    until("a new patient is back-filled", || {
        far(&hub).0 == begun + files
    });
    for patient in [known, strange] {
        push(&running, patient);
        until("the message is accepted", || far(&hub).1 == 0);
    }
    for kind in ["Condition", "Observation"] {
        let read = running.get(Some(&token), &format!("/fhir/{kind}?patient={id}"));
        assert_eq!(read.status, 200, "{}", read.body);
    }
    assert!(running.stop());

    let process = process.to_string();
    let is_end = |line: &str| {
        let mut words = line.split_whitespace();
        words.next() == Some(&process) && words.eq(["+++", "exited", "with", "0", "+++"])
    };
    until("the record is complete", || {
        fs::read_to_string(&record).unwrap().lines().any(is_end)
    });
    let events = events(&fs::read_to_string(&record).unwrap());
    assert_eq!(faults(&events), Vec::<String>::new());
    let needed = syncs(&events);
    // Two acknowledgements, two reads, a paper; segments with their rows.
    assert!(needed.len() >= 10, "{needed:?}");
    for sync in needed {
        let mut without = events.clone();
        let taken = without.remove(sync);
        assert_ne!(faults(&without), Vec::<String>::new(), "{taken:?}");
    }
}

/// A message about somebody is acknowledged.
fn push(running: &Running, patient: &Patient) {
    let (_, message) = patient.tree.files().next().unwrap();
    let mut sender = Sender::default();
    sender.due.push_back(Message::new("P1".to_owned(), message));
    sender.send(&running.mllp(), 1);
    assert!(sender.due.is_empty());
}

/// Enters a consent over HTTP, and puts it in force.
fn enter(running: &Running, secret: &str, patient: &Patient) {
    let session = running.sign_in("clerk", secret);
    let headers = [
        ("cookie", session.cookie.as_str()),
        ("x-csrf-token", &session.csrf),
        ("content-type", "application/json"),
    ];
    let paper = &patient.paper;
    let sex = if paper.sex == "F" { "female" } else { "male" };
    let form = json!({
        "consent_no": "N-2", "form": "C-1", "form_version": "1", "signed_on": "2026-03-31",
        "signer": "署名者", "relation": "self", "kana": paper.kana, "birth_date": paper.birth_date,
        "sex": sex, "local_ids": format!("{HOSPITAL}:{}", patient.person.local_id),
        "sources": HOSPITAL, "readers": [CLINIC], "categories": "*", "from": "2020-01-01",
        "explained_by": "窓口", "kept_at": "棚1",
    });
    let post = |path: &str, body: String| {
        let answer = running.send(reqwest::Method::POST, path, &headers, body);
        (answer.status, answer.body)
    };
    let (status, said) = post("/office/consents", form.to_string());
    assert_eq!(status, 201, "{said}");
    let (status, said) = post("/office/consents/N-2/check", String::new());
    assert_eq!(status, 200, "{said}");
}
