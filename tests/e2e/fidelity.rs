//! What FHIR returns is what the hospital's files say: every patient of whole storages, read over HTTP
//! and compared, field by field, by the second reader in `tests/independent`, which shares neither
//! code nor tables with the normalizer.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use samples::{Network, Patient, Quirk};

use crate::fhir_rules::validate;
use crate::support::{CLINIC, HOSPITAL, Hub, Kind, Running, copy, project, unpack};

/// So many people read at once.
const READERS: usize = 4;
const PATIENT_SYSTEM: &str = "urn:oid:1.2.392.100495.20.3.51.1";
const SEARCHES: [&str; 5] = [
    "Encounter",
    "Condition",
    "AllergyIntolerance",
    "MedicationRequest",
    "Observation",
];

#[test]
fn every_fact_of_three_hundred_patients_is_answered_as_it_stands_in_their_files() {
    let hub = Hub::new(Kind::Sqlite);
    unpack("ss-mix2/hospital-twins-a.tar.xz", &hub.storage());
    let storage = Storage {
        roots: vec![hub.storage()],
        fields: "twins",
        closed: BTreeSet::new(),
    };
    let papers = storage.papers(hub.path());
    storage.compare(&hub, &papers);
}

#[test]
fn the_licensed_samples_are_answered_as_they_stand() {
    let hub = Hub::new(Kind::Sqlite);
    copy(&project().join("samples/ss-mix2/nho"), &hub.storage());
    let storage = Storage {
        roots: vec![hub.storage()],
        fields: "nho",
        closed: BTreeSet::new(),
    };
    let papers = storage.papers(hub.path());
    storage.compare(&hub, &papers);
}

#[test]
fn two_storages_with_every_deviation_are_answered_as_they_stand() {
    for seed in [31, 32] {
        let hub = Hub::new(Kind::Sqlite);
        hub.second_root();
        let network = Network::generate(seed, 60);
        let (mut papers, mut closed) = (Vec::new(), BTreeSet::new());
        for patient in network.patients() {
            hub.admit(&patient);
            papers.push(paper(&patient));
            if is_closed(&patient) {
                closed.insert(patient.person.local_id);
            }
        }
        let roots = samples::roots(&hub.path().join("data/demo-hospital"));
        Storage {
            roots: roots.to_vec(),
            fields: "generated",
            closed,
        }
        .compare(&hub, &papers);
    }
}

/// The consent form of an invented patient.
fn paper(patient: &Patient) -> String {
    let (id, paper) = (&patient.person.local_id, &patient.paper);
    let sex = if paper.sex == "F" { "female" } else { "male" };
    format!(
        "T-{id},C-1,1,2026-04-01,署名者,self,{},{},{sex},{HOSPITAL}:{id},{HOSPITAL},*,*,2020-01-01,,説明者,事務局",
        paper.kana, paper.birth_date
    )
}

/// Whether the paper speaks of another person than the hospital: then nothing may be read.
fn is_closed(patient: &Patient) -> bool {
    let about_paper = |quirk: &Quirk| {
        matches!(
            quirk,
            Quirk::PaperKanaDiffers | Quirk::PaperBirthDateDiffers
        )
    };
    patient.quirks.iter().any(about_paper)
}

/// A storage, and what is to be said of it.
struct Storage {
    roots: Vec<PathBuf>,
    /// Set of fields of which each must have been compared.
    fields: &'static str,
    /// Patients who must not be readable.
    closed: BTreeSet<String>,
}

impl Storage {
    /// The second reader, told of this storage.
    fn reader(&self) -> Command {
        let mut reader = Command::new("python3");
        reader
            .arg(project().join("tests/independent"))
            .arg("--storage")
            .args(&self.roots);
        reader.args(["--facility", HOSPITAL]);
        reader
    }

    /// Consent forms of all patients, as their demographics say.
    fn papers(&self, folder: &Path) -> Vec<String> {
        let file = folder.join("papers.csv");
        let status = self.reader().arg("--papers").arg(&file).status().unwrap();
        assert!(status.success());
        fs::read_to_string(file)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Takes the papers in, ingests, reads everything of everybody and compares.
    #[expect(
        clippy::print_stdout,
        reason = "the table of what was compared is what people read"
    )]
    fn compare(&self, hub: &Hub, papers: &[String]) {
        hub.secretary();
        hub.consents(papers);
        let token = hub.token("physician", "physician", CLINIC);
        hub.ingest();
        let running = hub.serve("serve");
        let ids: Vec<&str> = papers.iter().filter_map(|line| local_id(line)).collect();
        let answers = hub.path().join("answers");
        fs::create_dir(&answers).unwrap();
        read_all(&running, &token, &ids, &answers);
        let roster = hub.path().join("roster");
        let readable: Vec<&str> = ids
            .into_iter()
            .filter(|id| !self.closed.contains(*id))
            .collect();
        fs::write(&roster, readable.join("\n")).unwrap();
        let mut reader = self.reader();
        reader
            .arg("--fhir")
            .arg(answers)
            .arg("--roster")
            .arg(roster)
            .args(["--require", self.fields]);
        reader
            .arg("--exceptions")
            .arg(project().join("tests/independent/exceptions.tsv"));
        let output = reader.output().unwrap();
        let table = String::from_utf8_lossy(&output.stdout);
        println!("{}\n{table}", self.fields);
        assert!(
            output.status.success(),
            "{table}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The number at the hospital that a consent form names.
fn local_id(line: &str) -> Option<&str> {
    line.split(',')
        .find_map(|field| field.strip_prefix(HOSPITAL)?.strip_prefix(':'))
}

/// Everything that each patient's searches answer, one file a patient, as received; each answer keeps
/// the rules of FHIR.
fn read_all(running: &Running, token: &str, ids: &[&str], answers: &Path) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                while let Some(id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let pages = everything(running, token, id);
                    fs::write(
                        answers.join(format!("{id}.json")),
                        format!("[{}]", pages.join(",")),
                    )
                    .unwrap();
                }
            });
        }
    });
}

fn everything(running: &Running, token: &str, id: &str) -> Vec<String> {
    let mut pages = pages(
        running,
        token,
        &format!("Patient?identifier={PATIENT_SYSTEM}{HOSPITAL}%7C{id}"),
    );
    let found: serde_json::Value = serde_json::from_str(&pages[0]).unwrap();
    if let Some(patient) = found["entry"][0]["resource"]["id"].as_str() {
        for kind in SEARCHES {
            pages.extend(self::pages(
                running,
                token,
                &format!("{kind}?patient={patient}&_count=200"),
            ));
        }
    }
    pages
}

/// The pages of a search, as received.
fn pages(running: &Running, token: &str, search: &str) -> Vec<String> {
    let mut pages = Vec::new();
    let mut next = Some(format!("/fhir/{search}"));
    while let Some(path) = next.take() {
        let answer = running.get(Some(token), &path);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let bundle = answer.json();
        assert_eq!(validate(&bundle), Vec::<String>::new(), "{}", answer.body);
        next = next_page(running, &bundle);
        pages.push(answer.body);
    }
    pages
}

fn next_page(running: &Running, bundle: &serde_json::Value) -> Option<String> {
    let links = bundle["link"].as_array()?;
    let link = links.iter().find(|link| link["relation"] == "next")?;
    Some(
        link["url"]
            .as_str()?
            .trim_start_matches(&running.base)
            .to_owned(),
    )
}
