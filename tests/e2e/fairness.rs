//! A back-fill takes its time and nobody else's: what is pushed meanwhile can be read before it ends.

use std::io::BufRead;

use crate::support::{BOTH, CLINIC, HOSPITAL, Hub, paper, patients, pushing, until};

const PATIENT: &str = "0000123456";
/// As the paper says them.
const NAMES: &str = "宮本^京美^^^^^L^I~ミヤモト^キョウミ^^^^^L^P";

#[test]
fn a_back_fill_starves_neither_a_line_nor_a_reader() {
    for kind in BOTH {
        let hub = Hub::new(kind);
        hub.listens();
        hub.secretary();
        let large = patients(91, 3, 700);
        large.iter().for_each(|patient| hub.admit(patient));
        let all: u64 = large.iter().map(|patient| patient.tree.len() as u64).sum();
        let line = |(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*");
        let mut lines: Vec<String> = large.iter().enumerate().map(line).collect();
        lines.push(format!(
            "C-1,C-1,1,2026-04-01,署名者,self,ミヤモト キョウミ,1958-03-14,female,{HOSPITAL}:{PATIENT},*,*,*,2020-01-01,,説明者,事務局"
        ));
        let token = hub.token("treating", "physician", CLINIC);
        let running = hub.serve("serve,ingest");
        hub.consents(&lines);
        let id = hub.patient("C-1");
        let kept = || {
            let status = hub.json_of_findings(&["status"]);
            status["feeds"][0]["files"].as_u64().unwrap()
        };
        until("the back-fill has begun", || kept() > 0);
        let message = pushing::message("1", PATIENT, NAMES);
        let (mut sender, told) = running.push(1, &message);
        let told: Vec<String> = told.lines().map(Result::unwrap).collect();
        assert_eq!(told, ["AA 1"]);
        assert!(sender.wait().unwrap().success());
        running.until("what was pushed is readable", || {
            running
                .get(Some(&token), &format!("/fhir/Patient/{id}"))
                .status
                == 200
        });
        let kept = kept();
        assert!(
            kept < all,
            "{kind:?}: the back-fill was over before: {kept} of {all}"
        );
        assert!(running.stop());
    }
}
