//! A hospital pushes HL7 messages: what was acknowledged is there, whatever happens next.

use std::io::BufRead;

use serde_json::Value;

use crate::support::{BOTH, HOSPITAL, Hub, Kind, pushing};

const PATIENT: &str = "0000123456";

/// A hub to which a hospital pushes, and a patient's paper.
fn hub(kind: Kind) -> Hub {
    let hub = Hub::new(kind);
    hub.listens();
    hub.secretary();
    hub.consents(&[format!(
        "C-1,C-1,1,2026-04-01,署名者,self,ミヤモト キョウミ,1958-03-14,female,{HOSPITAL}:{PATIENT},*,*,*,2020-01-01,,説明者,事務局"
    )]);
    hub
}

fn message(control: &str, patient: &str) -> String {
    pushing::message(control, patient, "宮本^京美^^^^^L^I")
}

fn pushed(hub: &Hub) -> Value {
    hub.json(&["status"], "")["pushed"][0].clone()
}

#[test]
fn a_sender_of_another_hand_is_answered_and_counted() {
    let hub = hub(Kind::Sqlite);
    let running = hub.serve("serve,ingest");
    let messages = [
        message("1", PATIENT),
        message("2", "77"),
        message("3", ""),
        message("4", PATIENT).replace("|P|", "|T|"),
        message("5", PATIENT),
    ];
    for ahead in [1, 5] {
        let (mut sender, told) = running.push(ahead, &messages.concat());
        let told: Vec<String> = told.lines().map(Result::unwrap).collect();
        assert_eq!(told, ["AA 1", "AA 2", "AA 3", "AR 4", "AA 5"]);
        assert!(sender.wait().unwrap().success());
    }
    let pushed = pushed(&hub);
    assert_eq!(
        (&pushed["state"], &pushed["received"]),
        (&"listening".into(), &10.into())
    );
    assert_eq!(
        (&pushed["kept"], &pushed["quarantined"]),
        (&4.into(), &2.into())
    );
    assert_eq!(pushed["not_on_file"][0]["kind"], "ADT^A08");
    assert_eq!(pushed["not_on_file"][0]["count"], 2);
    assert_eq!(pushed["refused"][0]["kind"], "D2006");
    assert_eq!(pushed["quarantine"][0]["rule"], "D2300");
    let metrics = running.metrics();
    for line in [
        "musubi_ack_total{feed=\"his\",code=\"AA\"} 8",
        "musubi_feed_messages_total{feed=\"his\",type=\"ADT^A08\",result=\"not_on_file\"} 2",
        "musubi_source_up{feed=\"his\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    let ready = running.probe("/readyz").json();
    assert_eq!(ready["stalled_feeds"], Value::Array(Vec::new()));
    assert!(!running.log().contains(PATIENT));
    assert!(running.stop());
}

#[test]
fn what_was_acknowledged_is_there_after_a_crash() {
    for kind in BOTH {
        let hub = hub(kind);
        let mut acknowledged = 0;
        for crash in 0..4 {
            let running = hub.serve("serve,ingest");
            let messages = (0..400).map(|number| message(&format!("{crash}-{number}"), PATIENT));
            let (mut sender, told) = running.push(20, &messages.collect::<String>());
            let mut answers = told.lines().map_while(Result::ok);
            let before = answers.by_ref().take(1 + 30 * crash).count();
            running.kill();
            // What the sender had already got when the program died.
            acknowledged += before + answers.count();
            let _ = sender.wait();
        }
        let pushed = pushed(&hub);
        let kept = pushed["kept"].as_u64().unwrap();
        assert!(
            usize::try_from(kept).unwrap() >= acknowledged,
            "{kept} of {acknowledged}"
        );
    }
}
