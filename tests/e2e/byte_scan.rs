//! What lies on the disk names nobody: neither in the program's own folder nor in PostgreSQL's, write-
//! ahead logs included, in any character set. Words of fewer than six bytes are left out: they occur by
//! chance.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use samples::charset::{Charset, half_width};

use crate::needles::{Scanner, Words};
use crate::support::{BOTH, CLINIC, Hub, Kind, encoded, paper};

/// An account name, which nothing seals: the scan must find it.
const PLANTED: &str = "planted-in-the-clear";

/// What the scan finds of this story, in the program's folder and in the server's.
fn found<'a>(hub: &Hub, kind: Kind, scanner: &'a Scanner, since: SystemTime) -> BTreeSet<&'a str> {
    let storage = hub.path().join("data/demo-hospital");
    let (mut found, files) = scanner.scan(&hub.path().join("data"), &storage, since);
    assert!(files > 0, "the data folder was looked into");
    if kind == Kind::Postgres {
        let server = samples::postgres::data_folder().unwrap();
        let (more, files) = scanner.scan(&server, Path::new(""), since);
        assert!(files > 50, "the server's folder was looked into");
        found.extend(more);
    }
    found
}

#[test]
fn nothing_on_the_disk_names_a_patient() {
    let patients: Vec<_> = samples::Network::generate(61, 28)
        .with_files(28 * 12)
        .patients()
        .collect();
    let scanner = Words::names(&patients).scanner(PLANTED);
    for kind in BOTH {
        let since = SystemTime::now() - Duration::from_secs(2);
        let hub = Hub::new(kind);
        hub.second_root();
        hub.listens();
        patients.iter().for_each(|patient| hub.admit(patient));
        hub.secretary();
        let line = |(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*");
        hub.consents(&patients.iter().enumerate().map(line).collect::<Vec<_>>());
        hub.ingest();
        let token = hub.token("treating", "physician", CLINIC);
        hub.person(PLANTED, "nurse", CLINIC);
        let running = hub.serve("serve,office,ingest");
        let mut seen = 0;
        for patient in &patients {
            let (kana, birth) = (
                encoded(&patient.person.family_kana),
                &patient.paper.birth_date,
            );
            let search =
                format!("Patient?name={kana}&birthdate={birth}&_revinclude=Provenance:target");
            for person in running
                .all(&token, &search)
                .iter()
                .filter(|one| one["resourceType"] == "Patient")
            {
                let id = person["id"].as_str().unwrap();
                seen += running.total(
                    &token,
                    &format!("Observation?patient={id}&_include=Observation:patient"),
                );
            }
        }
        assert!(seen > 100, "the patients were really read");
        running.push_of(&patients);
        hub.withdraw("N-2");
        // While everything runs: logs are written ahead and not yet tidied away.
        assert_eq!(
            found(&hub, kind, &scanner, since),
            BTreeSet::from([PLANTED]),
            "{kind:?}"
        );
    }
}

#[test]
fn the_scan_finds_a_name_in_every_character_set() {
    let patients: Vec<_> = samples::Network::generate(61, 6).patients().collect();
    let scanner = Words::names(&patients).scanner(PLANTED);
    let (folder, none) = (tempfile::tempdir().unwrap(), Path::new(""));
    let file = folder.path().join("segment");
    let noise = [0xA5_u8; 5000];
    for person in patients.iter().map(|patient| &patient.person) {
        let name = format!("{}{}", person.family, person.given);
        for text in [
            name,
            half_width(&person.kana()),
            person.kana(),
            person.local_id.clone(),
        ] {
            for charset in [Charset::Utf8, Charset::Cp932, Charset::Iso2022Jp] {
                fs::write(
                    &file,
                    [&noise, charset.encode(&text).as_slice(), &noise].concat(),
                )
                .unwrap();
                let (found, files) = scanner.scan(folder.path(), none, SystemTime::UNIX_EPOCH);
                assert!(
                    files == 1 && found.contains(text.as_str()),
                    "{text} {charset:?}"
                );
            }
        }
    }
    assert_eq!(
        scanner.scan(folder.path(), &file, SystemTime::UNIX_EPOCH),
        (BTreeSet::new(), 0)
    );
    fs::write(&file, noise).unwrap();
    assert_eq!(
        scanner.scan(folder.path(), none, SystemTime::UNIX_EPOCH),
        (BTreeSet::new(), 1)
    );
}
