//! A whole generated storage (samples/ss-mix2/hospital-twins-a.tar.xz, 12,822 files of 300 invented
//! patients, see SOURCES.md beside it): everything in it becomes records, and nothing is an error.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::finding::Severity;
use model::time::Instant;
use normalize::ssmix::pushed;

fn unpacked() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hospital-twins-a");
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/ss-mix2/hospital-twins-a.tar.xz");
    if !folder.join("complete").exists() {
        std::fs::create_dir_all(&folder).unwrap();
        let tar = Command::new("tar")
            .arg("-xJf")
            .arg(archive)
            .arg("-C")
            .arg(&folder)
            .status()
            .unwrap();
        assert!(tar.success());
        std::fs::write(folder.join("complete"), []).unwrap();
    }
    folder
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.file_name().unwrap() != "complete" {
            found.push(path);
        }
    }
}

fn check(counted: &BTreeMap<String, u32>, expected: &[(&str, u32)]) {
    let counted: Vec<(&str, u32)> = counted
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .collect();
    assert_eq!(counted, expected);
}

#[test]
fn every_file_is_read_without_an_error() {
    let folder = unpacked();
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    assert_eq!(paths.len(), 12_822);
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    let mut rules: BTreeMap<String, u32> = BTreeMap::new();
    for path in &paths {
        let relative = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        let read = crate::read(relative, &std::fs::read(path).unwrap());
        for record in &read.records {
            *kinds
                .entry(format!(
                    "{:?} {}",
                    record.meta.kind,
                    record.meta.category.name()
                ))
                .or_default() += 1;
        }
        for finding in &read.findings {
            let place = &finding.place;
            let key = format!("{} {}-{}", finding.rule, place.segment, place.field);
            *rules
                .entry(format!("{:?} {key}", finding.severity))
                .or_default() += 1;
            assert_ne!(finding.severity, Severity::Error, "{key}");
        }
    }
    check(
        &kinds,
        &[
            ("AllergyStatement allergy", 4_319),
            ("Condition problem", 767),
            ("Encounter encounter", 3_372),
            ("EncounterEvent encounter", 580),
            ("MedicationRequest injection", 2_616),
            ("MedicationRequest prescription", 6_287),
            ("Observation demographics", 1_200),
            ("Observation lab", 44_640),
            ("Patient demographics", 300),
        ],
    );
    // What the generator does otherwise than the standard: components of telephones and names out of
    // place, ADT^A01 for receptions, and a usage code of the evening with the words of the morning.
    check(
        &rules,
        &[
            ("Info D2017 PID-14", 6_185),
            ("Info D2019 PID-5", 12_822),
            ("Warn D2004 MSH-9", 3_372),
            ("Warn D2033 TQ1-3", 2_154),
        ],
    );
}

#[test]
fn a_pushed_message_has_the_slot_and_the_version_that_the_storage_gives_it() {
    let folder = unpacked();
    let mut paths = Vec::new();
    files(&folder, &mut paths);
    let feed = crate::feed();
    let mut differing: BTreeMap<String, u32> = BTreeMap::new();
    for path in &paths {
        let relative = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        let file = crate::file(relative);
        let pushed = pushed::name(&std::fs::read(path).unwrap(), &feed, Instant(i64::MAX / 2));
        // MSH-7 has hundredths of a second here, the file names have thousandths.
        let later = file.instant().0 - pushed.instant().0;
        assert!((0..10_000).contains(&later), "{later}");
        if pushed.slot(&pushed.patient) != file.slot(&file.patient) {
            let key = format!("{} as {}", file.kind.name(), pushed.kind.name());
            *differing.entry(key).or_default() += 1;
        }
    }
    // The generator sends receptions as ADT^A01: over a line that is an admission. Stays and lists of
    // diagnoses have order numbers in its file names that their messages do not tell.
    check(
        &differing,
        &[
            ("ADT-12 as ADT-22", 3_372),
            ("ADT-22 as ADT-22", 290),
            ("ADT-52 as ADT-52", 290),
            ("PPR-01 as PPR-01", 746),
        ],
    );
}
