//! Hostile and broken input: each file gives a finding, stops nothing, and a good file after it is
//! read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{CLINIC, Hub, Kind, paper, patients};

/// More would mean that a file is read into memory more than a few times.
const MOST_MIB: u64 = 600;

/// A hub with one patient whose laboratory results are kept back.
struct Stage {
    hub: Hub,
    patient: samples::Patient,
    /// The folder of the patient in the storage.
    folder: PathBuf,
    /// A good laboratory result, not yet in the storage, with its path.
    good: (PathBuf, Vec<u8>),
}

impl Stage {
    fn new(seed: u64) -> Self {
        let hub = Hub::new(Kind::Sqlite);
        let patient = patients(seed, 1, 60).remove(0);
        hub.admit(&patient);
        let id = &patient.person.local_id;
        let folder = hub.storage().join(&id[..3]).join(&id[3..6]).join(id);
        let mut results = Vec::new();
        for day in folders(&folder) {
            for file in files(&day.join("OML-11"))
                .into_iter()
                .filter(|file| file.to_str().unwrap().ends_with("_1"))
            {
                results.push((file.clone(), fs::read(&file).unwrap()));
            }
            let _ = fs::remove_dir_all(day.join("OML-11"));
        }
        hub.secretary();
        hub.consents(&[paper("N-1", &patient, CLINIC, "*")]);
        hub.ingest();
        Self {
            hub,
            patient,
            folder,
            good: results.remove(0),
        }
    }

    /// Where a laboratory result with this order number would lie.
    fn place(&self, order: u32) -> PathBuf {
        let id = &self.patient.person.local_id;
        let folder = self.folder.join("20240510/OML-11");
        fs::create_dir_all(&folder).unwrap();
        folder.join(format!(
            "{id}_20240510_OML-11_{order:015}_20240510103046984_01_1"
        ))
    }

    /// Writes such a file.
    fn lay(&self, order: u32, bytes: impl AsRef<[u8]>) {
        fs::write(self.place(order), bytes).unwrap();
    }

    /// The head of a message of this patient, up to where a result would follow.
    fn head(&self) -> String {
        let id = &self.patient.person.local_id;
        let birth = self.patient.paper.birth_date.replace('-', "");
        format!(
            "MSH|^~\\&|HIS|1319999901|GW|RCV|20240510103046||OUL^R22^OUL_R22|1|P|2.5||||||~ISO IR87||ISO 2022-1994\rPID|1||{id}^^^^PI||||{birth}|{}\r",
            self.patient.paper.sex
        )
    }

    /// The good file arrives; it must become readable.
    fn heals(&self) {
        fs::create_dir_all(self.good.0.parent().unwrap()).unwrap();
        fs::write(&self.good.0, &self.good.1).unwrap();
        let token = self.hub.token("treating", "physician", CLINIC);
        let running = self.hub.serve("serve,ingest");
        let search = format!(
            "Observation?patient={}&category=laboratory",
            self.hub.patient("N-1")
        );
        running.until("a good file after it is read", || {
            running.total(&token, &search) > 0
        });
        assert!(
            running.peak_memory() < MOST_MIB,
            "{} MiB",
            running.peak_memory()
        );
        assert!(running.stop());
    }

    /// One file alone: the rules of its findings, and how many files were withheld.
    fn alone(&self, order: u32, bytes: impl AsRef<[u8]>) -> (Vec<String>, u64) {
        self.lay(order, bytes);
        let report = self.hub.ingest();
        (rules(&report), report["withheld"].as_u64().unwrap())
    }
}

fn rules(report: &Value) -> Vec<String> {
    report["findings"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default()
}

#[test]
fn broken_messages_are_withheld_with_a_finding_each() {
    let stage = Stage::new(31);
    let good = &stage.good.1;
    let other_set: Vec<u8> = [
        stage.head().as_bytes(),
        b"NTE|1||\xff\xfe\xfd\xfc\x80\x80\r",
    ]
    .concat();
    let cases: [(&str, Vec<u8>, &str); 6] = [
        ("an empty file", Vec::new(), "S1111"),
        ("no message", b"hello\r\n".to_vec(), "D2001"),
        ("NULs only", vec![0; 5000], "D2001"),
        ("cut in the header", good[..5].to_vec(), "D2300"),
        (
            "cut before the patient",
            good[..good.iter().position(|byte| *byte == b'\r').unwrap()].to_vec(),
            "D2300",
        ),
        ("other bytes than any character set has", other_set, "D20"),
    ];
    for (number, (what, bytes, rule)) in (1..).zip(cases) {
        let (found, withheld) = stage.alone(number, bytes);
        assert!(
            found.iter().any(|one| one.starts_with(rule)),
            "{what}: {found:?}"
        );
        assert!(withheld == 1 || rule == "D20", "{what}");
    }
    let status = stage.hub.json(&["status"], "");
    let listed: Vec<&str> = status["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["rule"].as_str().unwrap())
        .collect();
    assert!(
        ["S1111", "D2001", "D2300"]
            .iter()
            .all(|rule| listed.contains(rule)),
        "{listed:?}"
    );
    stage.heals();
}

#[test]
fn odd_messages_are_noticed() {
    let stage = Stage::new(32);
    let good = &stage.good.1;
    let swapped: Vec<u8> = stage.head().replace('|', "#").into_bytes();
    let middle = good.len() * 2 / 3;
    let with_nul = [&good[..middle], b"\0\0", &good[middle..]].concat();
    for (number, (what, bytes)) in (1..).zip([
        ("cut in the middle", good[..middle].to_vec()),
        ("cut after the patient", stage.head().into_bytes()),
        ("other delimiters", swapped),
        ("NULs inside", with_nul),
        (
            "delimiters only",
            [
                stage.head().as_bytes(),
                b"OBX",
                "|".repeat(1 << 20).as_bytes(),
            ]
            .concat(),
        ),
        (
            "repetitions only",
            [
                stage.head().as_bytes(),
                b"OBX|1|",
                "~".repeat(1 << 20).as_bytes(),
            ]
            .concat(),
        ),
        (
            "components only",
            [
                stage.head().as_bytes(),
                b"OBX|1|NM|",
                "^&".repeat(1 << 19).as_bytes(),
            ]
            .concat(),
        ),
        (
            "escapes only",
            [
                stage.head().as_bytes(),
                b"OBX|1|ST|",
                "\\X".repeat(1 << 19).as_bytes(),
            ]
            .concat(),
        ),
        (
            "a million segments",
            [stage.head(), "OBX\r".repeat(1 << 18)]
                .concat()
                .into_bytes(),
        ),
    ]) {
        let (found, _) = stage.alone(number, bytes);
        assert!(!found.is_empty(), "{what}");
    }
    stage.heals();
}

#[test]
fn a_line_of_100_mib_is_not_read() {
    let stage = Stage::new(33);
    let path = stage.place(1);
    fs::write(&path, stage.head()).unwrap();
    // A hole reads as NULs and needs no disk.
    fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap()
        .set_len(100 << 20)
        .unwrap();
    let mut filled = stage.head().into_bytes();
    filled.resize(15 << 20, b'x');
    stage.lay(2, filled);
    let report = stage.hub.ingest();
    assert!(rules(&report).contains(&"S1110".to_owned()), "{report}");
    assert!(report["bytes"].as_u64().unwrap() > 100 << 20);
    stage.heals();
}

#[test]
fn names_that_are_tricks_lead_nowhere() {
    let stage = Stage::new(34);
    let day = stage.folder.join("20240510/OML-11");
    fs::create_dir_all(&day).unwrap();
    let id = &stage.patient.person.local_id;
    let good = &stage.good.1;
    let secret = stage.hub.path().join("secret");
    fs::write(&secret, good).unwrap();
    symlink(&secret, stage.place(1)).unwrap();
    symlink(&stage.folder, day.join("loop")).unwrap();
    symlink(stage.place(3), stage.place(2)).unwrap();
    symlink(stage.place(2), stage.place(3)).unwrap();
    symlink("/", stage.folder.join("20240511")).unwrap();
    fs::create_dir_all(stage.place(4).join("deep/deeper/deepest")).unwrap();
    fs::write(stage.place(4).join("deep/file"), good).unwrap();
    fs::write(day.join("x".repeat(255)), good).unwrap();
    fs::write(
        day.join(format!(
            "..{id}_20240510_OML-11_..\\.._20240510103046984_01_1"
        )),
        good,
    )
    .unwrap();
    fs::write(day.join("\u{202e}1_10_489640301"), good).unwrap();
    fs::write(
        day.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff\xfe\x80_1")),
        good,
    )
    .unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(stage.place(5))
            .status()
            .unwrap()
            .success()
    );
    let report = stage.hub.ingest();
    assert_eq!(report["read"], 0, "{report}");
    assert_eq!(report["findings"]["S1117"], 11, "{report}");
    let told = |stage: &Stage| {
        let status = stage.hub.musubi(&["status", "--json"], "");
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let found = status["findings"].as_array().unwrap().clone();
        found.into_iter().find(|one| one["rule"] == "S1117")
    };
    let first = told(&stage).unwrap();
    assert_eq!(first["feed"], "demo-hospital");
    assert_eq!(
        (&first["count"], &first["severity"]),
        (&11.into(), &"error".into())
    );
    stage.hub.ingest();
    let second = told(&stage).unwrap();
    assert_eq!(second["count"], 11, "counted by sweep, not added up");
    assert!(first["last"].as_str().unwrap() < second["last"].as_str().unwrap());
    stage.heals();
    fs::remove_dir_all(&day).unwrap();
    fs::remove_file(stage.folder.join("20240511")).unwrap();
    stage.hub.ingest();
    assert_eq!(told(&stage), None, "what is repaired is past");
}

#[test]
fn somebody_elses_message_under_a_patients_name_is_withheld() {
    let stage = Stage::new(35);
    let text = String::from_utf8_lossy(&stage.good.1).into_owned();
    let other = text.replace(stage.patient.person.local_id.as_str(), "0099999999");
    let (found, withheld) = stage.alone(1, other);
    assert!(
        found.contains(&"D2301".to_owned()) && withheld == 1,
        "{found:?}"
    );
    let two = [
        stage.good.1.as_slice(),
        text.replace(stage.patient.person.local_id.as_str(), "0099999999")
            .as_bytes(),
    ]
    .concat();
    let (found, _) = stage.alone(2, two);
    assert!(
        !found.is_empty(),
        "two messages of two patients in one file"
    );
    stage.heals();
}

#[test]
fn what_may_not_be_opened_is_noticed_and_takes_nothing_away() {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if root {
        // Nothing is shut to root, so there is nothing to try.
        return;
    }
    let stage = Stage::new(36);
    let shut = |path: &Path, shut: bool| {
        let mode = if shut { "000" } else { "755" };
        assert!(
            Command::new("chmod")
                .arg(mode)
                .arg(path)
                .status()
                .unwrap()
                .success()
        );
    };
    stage.lay(1, &stage.good.1);
    shut(&stage.place(1), true);
    let day = folders(&stage.folder)
        .into_iter()
        .find(|day| !day.ends_with("20240510"))
        .unwrap();
    shut(&day, true);
    let report = stage.hub.ingest();
    assert_eq!(
        (&report["findings"]["S1112"], &report["moved"]),
        (&2.into(), &0.into()),
        "{report}"
    );
    shut(&day, false);
    shut(&stage.place(1), false);
    stage.heals();
}
