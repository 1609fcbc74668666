//! A hospital that pushes, by a sender of another hand.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::{HOSPITAL, Hub, Running, project};

/// A message of somebody, on one line as the sender takes it.
pub(crate) fn message(control: &str, patient: &str, names: &str) -> String {
    format!(
        "MSH|^~\\&|HIS|H|GW|R|20260301101010||ADT^A08^ADT_A01|{control}|P|2.5||||||UNICODE UTF-8\t\
         EVN||20260301101010\tPID|0001||{patient}^^^^PI||{names}||19580314|F\n"
    )
}

impl Hub {
    /// The hospital has a second feed, to which this machine may push.
    pub(crate) fn listens(&self) {
        let feed = format!(
            "schema = \"feed/1\"\nid = \"his\"\ntitle = \"中央病院 HL7\"\nfacility = \"{HOSPITAL}\"\nstate = \"active\"\n\
             [source]\nkind = \"mllp-listen\"\nlisten = \"127.0.0.1:0\"\nallow = [\"127.0.0.1\"]\n"
        );
        fs::write(self.path().join("networks/example/feeds/his.toml"), feed).unwrap();
    }
}

impl Running {
    /// Sends messages, so many ahead of their answers; what the sender writes about these.
    pub(crate) fn push(&self, ahead: usize, messages: &str) -> (Child, BufReader<ChildStdout>) {
        let address = self.mllp();
        let (host, port) = address.rsplit_once(':').unwrap();
        let mut sender = Command::new("python3")
            .arg(project().join("tests/independent/mllp.py"))
            .args([host, port, "--ahead", &ahead.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut typed = sender.stdin.take().unwrap();
        typed.write_all(messages.as_bytes()).unwrap();
        drop(typed);
        let told = BufReader::new(sender.stdout.take().unwrap());
        (sender, told)
    }

    /// The hospital pushes of each patient a message under their number, one under none, and one
    /// under a number that is on no paper. All are acknowledged.
    pub(crate) fn push_of(&self, patients: &[samples::Patient]) {
        let mut messages = String::new();
        for (number, patient) in patients.iter().enumerate() {
            let person = &patient.person;
            let (family, given, kana) = (&person.family, &person.given, person.kana());
            let names = format!("{family}^{given}^^^^^L^I~{kana}^^^^^^L^P");
            for local_id in [person.local_id.as_str(), "", "99999999"] {
                messages += &message(&number.to_string(), local_id, &names);
            }
        }
        let (mut sender, told) = self.push(8, &messages);
        let accepted = told.lines().map_while(Result::ok);
        let accepted = accepted.filter(|line| line.starts_with("AA ")).count();
        assert_eq!(accepted, 3 * patients.len());
        assert!(sender.wait().unwrap().success());
    }
}
