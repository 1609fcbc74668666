//! A crash at any moment loses nothing, and what changes at the hospital changes here.

use std::fs;
use std::time::{Duration, Instant};

use samples::{Flag, Shown, Step};
use serde_json::Value;

use crate::support::{BOTH, CLINIC, Hub, Kind, Running, content, paper, patients};

/// A hub that knows all patients by paper and has read nothing yet.
fn hub(kind: Kind, patients: &[samples::Patient]) -> Hub {
    let hub = Hub::new(kind);
    patients.iter().for_each(|patient| hub.admit(patient));
    hub.secretary();
    let line = |(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*");
    hub.consents(&patients.iter().enumerate().map(line).collect::<Vec<_>>());
    hub
}

/// What the clinic reads of all patients.
fn read(hub: &Hub, count: usize) -> Vec<Vec<String>> {
    let token = hub.token("treating", "physician", CLINIC);
    let running = hub.serve("serve");
    (0..count)
        .map(|number| content(&running, &token, &hub.patient(&format!("N-{number}"))))
        .collect()
}

/// Fails with the first resources that differ.
fn assert_same(found: &[Vec<String>], expected: &[Vec<String>]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.len(), expected.len());
        found
            .iter()
            .zip(expected)
            .for_each(|(found, expected)| assert_eq!(found, expected));
    }
}

#[test]
fn a_crash_at_any_moment_loses_nothing() {
    let patients = patients(41, 4, 80);
    for kind in BOTH {
        let undisturbed = hub(kind, &patients);
        let start = Instant::now();
        undisturbed.ingest();
        let whole = start.elapsed();
        let expected = read(&undisturbed, patients.len());
        assert!(expected.iter().all(|resources| resources.len() > 50));
        let disturbed = hub(kind, &patients);
        for part in [20, 45, 60, 75, 85, 95, 100, 105] {
            let mut child = disturbed.start(&["ingest", "--once"]);
            // Not a wait for anything: these are the moments of the crashes.
            std::thread::sleep(whole * part / 100);
            let _ = child.kill();
            child.wait().unwrap();
        }
        disturbed.ingest();
        assert_same(&read(&disturbed, patients.len()), &expected);
        assert_eq!(disturbed.ingest()["read"], 0, "nothing is left to read");
    }
}

#[test]
fn a_server_that_crashed_goes_on_with_its_back_fill() {
    let patients = patients(42, 2, 200);
    let undisturbed = hub(Kind::Sqlite, &patients);
    undisturbed.ingest();
    let expected = read(&undisturbed, patients.len());
    let disturbed = hub(Kind::Sqlite, &patients);
    for moment in [10, 300] {
        let running = disturbed.serve("serve,office,ingest");
        std::thread::sleep(Duration::from_millis(moment));
        running.kill();
    }
    let running = disturbed.serve("serve,ingest");
    let kept: usize = patients.iter().map(|patient| patient.tree.len()).sum();
    running.until("everything is kept", || {
        disturbed.json(&["status"], "")["feeds"][0]["files"] == kept
    });
    assert!(running.stop());
    assert_same(&read(&disturbed, patients.len()), &expected);
    let audit = disturbed.json(&["audit", "verify"], "");
    assert_eq!(audit["good"], true, "{audit}");
}

/// What a reader shows of the slot of a history.
fn shown(running: &Running, token: &str, patient: &str, history: &samples::History) -> Shown {
    let laboratory = history.slot.kind == samples::Kind::Oml11;
    let search = if laboratory {
        "Observation?category=laboratory&"
    } else {
        "Encounter?"
    };
    let found = running.all(token, &format!("{search}patient={patient}"));
    let one = |wanted: &dyn Fn(&Value) -> Option<String>| {
        let mut marks: Vec<(String, bool)> = found
            .iter()
            .filter_map(|one| Some((wanted(one)?, is_superseded(one))))
            .collect();
        assert!(marks.len() <= 1, "one slot shows {} facts", marks.len());
        match marks.pop() {
            None => Shown::Nothing,
            Some((mark, true)) => Shown::Superseded(mark),
            Some((mark, false)) => Shown::Version(mark),
        }
    };
    if laboratory {
        one(&|resource| {
            resource["valueQuantity"]["value"]
                .as_number()
                .map(ToString::to_string)
        })
    } else {
        one(&|resource| resource["period"]["start"].as_str().map(str::to_owned))
    }
}

fn is_superseded(resource: &Value) -> bool {
    resource["meta"]["tag"].to_string().contains("superseded")
}

/// Every kind of change at once, step by step: at each step all hospitals' patients change, then one
/// sweep brings the hub to what the reference model says.
#[test]
fn what_changes_at_the_hospital_changes_here() {
    let histories: Vec<_> = samples::histories(43, 15, 12).collect();
    assert_every_change_occurs(&histories);
    for kind in BOTH {
        let hub = Hub::new(kind);
        hub.second_root();
        let roots = samples::roots(&hub.path().join("data/demo-hospital"));
        hub.secretary();
        let line = |(number, history): (usize, &samples::History)| {
            let person = &history.person;
            let (sex, born) = (
                if person.sex == "F" { "female" } else { "male" },
                person.birth.iso_date(),
            );
            format!(
                "N-{number},C-1,1,2026-04-01,署名者,self,{},{born},{sex},1319999901:{},1319999901,*,*,2020-01-01,,説明者,事務局",
                person.kana(),
                person.local_id
            )
        };
        hub.consents(&histories.iter().enumerate().map(line).collect::<Vec<_>>());
        let ids: Vec<String> = (0..histories.len())
            .map(|number| hub.patient(&format!("N-{number}")))
            .collect();
        for timed in histories.iter().flat_map(|history| &history.introduction) {
            samples::apply(&timed.step, &roots, timed.at).unwrap();
        }
        hub.ingest();
        let token = hub.token("treating", "physician", CLINIC);
        let running = hub.serve("serve");
        let mut trees: Vec<samples::Tree> = vec![samples::Tree::default(); histories.len()];
        for step in 0..12 {
            for (history, tree) in histories.iter().zip(&mut trees) {
                let timed = &history.steps[step];
                samples::apply(&timed.step, &roots, timed.at).unwrap();
                tree.apply(&timed.step);
            }
            let report = hub.ingest();
            assert_eq!(report["paused"], false);
            for ((history, tree), id) in histories.iter().zip(&trees).zip(&ids) {
                let expected = match history.shown(tree) {
                    Shown::Cancelled => Shown::Nothing,
                    other => other,
                };
                assert_eq!(
                    shown(&running, &token, id, history),
                    expected,
                    "{kind:?}, step {step}: {:?}",
                    history.steps[step]
                );
            }
        }
    }
}

/// New, superseded, deleted, renamed, gone, in the second root, and earlier than what is there.
fn assert_every_change_occurs(histories: &[samples::History]) {
    let steps = || histories.iter().flat_map(|history| &history.steps);
    let writes = |wanted: fn(&samples::step::Content) -> bool| {
        steps().any(|timed| matches!(&timed.step, Step::Write(content) if wanted(content)))
    };
    assert!(writes(
        |content| content.root == 0 && content.flag == Flag::Current
    ));
    assert!(
        writes(|content| content.root == 1),
        "a duplicate in the second root"
    );
    assert!(
        steps().any(
            |timed| matches!(&timed.step, Step::Write(content) if content.version.time < timed.at)
        ),
        "late"
    );
    for (what, is) in [
        (
            "superseded",
            (|step| matches!(step, Step::Supersede { .. })) as fn(&Step) -> bool,
        ),
        ("deleted", |step| matches!(step, Step::Delete { .. })),
        ("renamed", |step| matches!(step, Step::Rename { .. })),
        ("vanished", |step| matches!(step, Step::Vanish { .. })),
    ] {
        assert!(steps().any(|timed| is(&timed.step)), "{what}");
    }
}

#[test]
fn a_mass_change_waits_for_a_person() {
    let patients = patients(44, 3, 120);
    let hub = hub(Kind::Sqlite, &patients);
    hub.ingest();
    let token = hub.token("treating", "physician", CLINIC);
    let running = hub.serve("serve");
    let of = |number: usize| {
        running.total(
            &token,
            &format!(
                "Observation?patient={}",
                hub.patient(&format!("N-{number}"))
            ),
        )
    };
    let before = [of(0), of(1), of(2)];
    let id = &patients[0].person.local_id;
    let folder = hub.storage().join(&id[..3]).join(&id[3..6]).join(id);
    let aside = hub.path().join("aside");
    fs::rename(&folder, &aside).unwrap();
    for _ in 0..2 {
        hub.ingest();
        assert_eq!(
            [of(0), of(1), of(2)],
            before,
            "nothing is taken away before somebody looked"
        );
        let status = hub.musubi(&["status", "--json"], "");
        let told: Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(
            (&told["feeds"][0]["paused"], status.status.code()),
            (&Value::Bool(true), Some(1))
        );
    }
    assert!(
        hub.musubi(&["feed", "resume", "demo-hospital"], "")
            .status
            .success()
    );
    hub.ingest();
    assert_eq!([of(0), of(1), of(2)], [0, before[1], before[2]]);
    fs::rename(&aside, &folder).unwrap();
    hub.ingest();
    assert_eq!(
        [of(0), of(1), of(2)],
        before,
        "what comes back is read again"
    );
}
