//! A disk that is full, a disk that takes no writes, a database that is away: feeds wait and say so,
//! nothing is acknowledged that is not kept, and all of it goes on by itself.

mod disk;

use std::fs;
use std::thread::JoinHandle;

use samples::Patient;
use serde_json::{Value, json};

use crate::support::{CLINIC, Hub, Kind, Message, Running, Sender, content, paper, patients};
use disk::{Deaf, Small};

/// A hub at work, and what is still to come.
struct Scene {
    running: Running,
    token: String,
    patients: Vec<Patient>,
    /// Public ids of both patients.
    ids: [String; 2],
}

/// A hub to which a hospital pushes, and whose storage lies outside the hub's folder of data.
fn hub(kind: Kind) -> Hub {
    let hub = Hub::new(kind);
    hub.listens();
    let root = hub.path().join("hospital/1319999901");
    fs::create_dir_all(&root).unwrap();
    let root = root.display().to_string();
    let feed = "feeds/demo-hospital.toml";
    hub.edit(feed, "data/demo-hospital/1319999901", &root);
    hub
}

impl Scene {
    /// The first of two patients is read, and the other one's paper is here.
    fn begin(hub: &Hub) -> Self {
        let patients = patients(48, 2, 60);
        hub.secretary();
        let line = |(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*");
        hub.consents(&patients.iter().enumerate().map(line).collect::<Vec<_>>());
        store(hub, &patients[0]);
        let token = hub.token("treating", "physician", CLINIC);
        let ids = ["N-0", "N-1"].map(|number| hub.patient(number));
        let running = hub.serve("serve,ingest");
        let scene = Self {
            running,
            token,
            patients,
            ids,
        };
        let all = scene.patients[0].tree.len();
        scene
            .running
            .until("the first is read", || files(hub) == all);
        let sender = scene.push("P1", 1).join().unwrap();
        assert_eq!(sender.acknowledged.len(), 1);
        scene
            .running
            .until("the message is accepted", || files(hub) == all + 1);
        scene
    }

    /// Pushes a message of the first patient so many times; the sender is done when all are acknowledged.
    fn push(&self, control: &str, times: usize) -> JoinHandle<Sender> {
        let (_, bytes) = self.patients[0].tree.files().next().unwrap();
        let mut sender = Sender::default();
        let message = |time| Message::new(format!("{control}.{time}"), bytes);
        sender.due.extend((0..times).map(message));
        let address = self.running.mllp();
        std::thread::spawn(move || {
            sender.send(&address, 1);
            sender
        })
    }

    fn ready(&self) -> (u16, Value) {
        let ready = self.running.probe("/readyz");
        (ready.status, ready.json())
    }

    /// Waits until nothing goes on any more, and everybody can see it; so many messages are pushed.
    fn stalls(&self, hub: &Hub, messages: usize) -> JoinHandle<Sender> {
        store(hub, &self.patients[1]);
        let sender = self.push("P2", messages);
        let feeds = ["demo-hospital", "his"];
        self.running.until("both feeds wait, and say so", || {
            let metrics = self.running.metrics();
            let is_down =
                |feed| metrics.contains(&format!("musubi_source_up{{feed=\"{feed}\"}} 0"));
            self.ready().1["stalled_feeds"] == json!(feeds) && feeds.iter().all(is_down)
        });
        assert!(!sender.is_finished(), "the last one is not acknowledged");
        sender
    }

    /// Waits until everything is there.
    fn goes_on(self, hub: &Hub, sender: JoinHandle<Sender>) {
        let sender = sender.join().unwrap();
        assert!(sender.due.is_empty(), "acknowledged in the end");
        self.running.until("it goes on by itself", || {
            let (status, said) = self.ready();
            status == 200 && said["stalled_feeds"] == json!([])
        });
        let all = self
            .patients
            .iter()
            .map(|patient| patient.tree.len())
            .sum::<usize>()
            + 1;
        // The same bytes under another control id are another message.
        self.running.until("everything is kept", || {
            files(hub) == all + sender.acknowledged.len()
        });
        for id in &self.ids {
            assert!(content(&self.running, &self.token, id).len() > 20);
        }
        let log = self.running.log();
        for said in ["acknowledged until", "sweep failed"] {
            let times = log.matches(said).count();
            // Where room comes and goes with SQLite's log, some of many messages are kept in between.
            let is_once = times == 1 || (times > 1 && sender.acknowledged.len() > 1);
            assert!(is_once, "{said} is said once: {log}");
        }
        assert!(self.running.stop());
        let audit = hub.json(&["audit", "verify"], "");
        assert_eq!(audit["good"], true, "{audit}");
    }

    /// Nobody reads where no row of the audit can be written, and whoever watches the hub is told.
    fn is_shut(&self) {
        let path = format!("/fhir/Condition?patient={}", self.ids[0]);
        let read = self.running.get(Some(&self.token), &path);
        assert_eq!(read.status, 503, "{}", read.body);
        let (status, said) = self.ready();
        assert_eq!((status, &said["audit"]), (503, &Value::Bool(false)));
    }
}

/// Lays a patient's files into the hospital's storage.
fn store(hub: &Hub, patient: &Patient) {
    let roots = samples::roots(&hub.path().join("hospital"));
    patient.write(&roots).unwrap();
}

/// Items that are kept, of the storage and of the line.
fn files(hub: &Hub) -> usize {
    let status = hub.musubi(&["status", "--json"], "");
    let status: Value = serde_json::from_slice(&status.stdout).unwrap_or_default();
    let counts = [&status["feeds"][0]["files"], &status["pushed"][0]["items"]];
    let counts = counts.into_iter().filter_map(Value::as_u64);
    usize::try_from(counts.sum::<u64>()).unwrap()
}

#[test]
fn a_full_disk_stops_nothing_but_the_time() {
    let hub = hub(Kind::Sqlite);
    let disk = Small::mount(&hub.path().join("data"));
    let scene = Scene::begin(&hub);
    disk.fill();
    let segments = disk.segments();
    // Some fit into the room that SQLite's log has taken already.
    let sender = scene.stalls(&hub, 400);
    // Such a message may be accepted where its frame fits into the last page.
    let is_kept = |(segment, size): (_, u64)| {
        let before = segments.get(&segment).copied().unwrap_or_default();
        before > 0 && size - before < 4096
    };
    let left = disk.segments();
    assert!(
        left.into_iter().all(is_kept),
        "attempts leave nothing behind"
    );
    disk.make_room();
    scene.goes_on(&hub, sender);
}

#[test]
fn a_disk_that_takes_no_writes_stops_nothing_but_the_time() {
    let hub = hub(Kind::Sqlite);
    let scene = Scene::begin(&hub);
    let data = hub.path().join("data");
    let logs =
        ["records", "office", "audit", "keys"].map(|name| data.join(format!("{name}.db-wal")));
    let deaf = Deaf::make(scene.running.id(), &logs);
    let sender = scene.stalls(&hub, 1);
    scene.is_shut();
    deaf.end();
    scene.goes_on(&hub, sender);
}

#[test]
fn a_segment_that_failed_is_not_written_to_again() {
    let hub = hub(Kind::Sqlite);
    let scene = Scene::begin(&hub);
    let data = hub.path().join("data");
    let before = disk::segments(&data);
    let written: Vec<_> = before.keys().cloned().collect();
    let deaf = Deaf::make(scene.running.id(), &written);
    store(&hub, &scene.patients[1]);
    let all = scene
        .patients
        .iter()
        .map(|patient| patient.tree.len())
        .sum::<usize>()
        + 1;
    scene
        .running
        .until("everything is kept", || files(&hub) == all);
    deaf.end();
    let after = disk::segments(&data);
    assert!(before.iter().all(|(segment, size)| after[segment] == *size));
    assert!(after.len() > before.len(), "another segment took its place");
    assert!(scene.running.log().contains("the disk is read-only"));
}

#[test]
fn a_database_that_is_away_stops_nothing_but_the_time() {
    let mut server = samples::postgres::Own::start().unwrap();
    let mut hub = hub(Kind::Sqlite);
    for name in ["RECORDS", "OFFICE", "AUDIT", "KEYS"] {
        hub.set(&format!("MUSUBI_DATABASE_{name}"), &server.url());
    }
    let scene = Scene::begin(&hub);
    server.stop().unwrap();
    let sender = scene.stalls(&hub, 1);
    let (status, said) = scene.ready();
    assert_eq!((status, &said["records"]), (503, &Value::Bool(false)));
    server.again().unwrap();
    scene.goes_on(&hub, sender);
}
