//! A hospital's storage on a disk, and the hub that reads it: the store, the feed, and a physician of
//! the clinic who looks. The clock is the test's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use consent::{Purpose, Requester, Verified, Via, Viewing};
use ingest::{Ingest, Report};
use model::feed::{Fallback, Feed, FeedState, Identity, Mllp, OnFailure, Source};
use model::id::{PatientId, PersonId};
use model::network::{Facility, Factor, Limit, Network, Profession, Profile, Retention};
use model::papers::{ConsentPaper, WithdrawalPaper};
use model::record::{Categories, Kind};
use model::time::Instant;
use samples::{Moment, Operation};
use store::{
    Blobs, Call, Clock, Entry, MasterKey, PatientQuery, RecordQuery, Refused, Store, StoreConfig,
    Token,
};
use tempfile::TempDir;

use crate::reading;
use crate::reference::Person;

pub(crate) const HOSPITAL: &str = samples::hospital::FACILITY;
const CLINIC: &str = "1319999902";
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../networks/example");
/// No file of the samples is larger.
const MOST_BYTES: u64 = 1 << 20;

/// The storage and its hub.
pub(crate) struct Hospital {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    config: StoreConfig,
    network: Arc<Network>,
    roots: [PathBuf; 2],
    patients: BTreeMap<String, PatientId>,
    _folder: TempDir,
}

impl Hospital {
    /// An empty storage of two roots, whose files are read when they lie unchanged for `settle`.
    pub(crate) async fn open(postgres: bool, settle: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config =
            StoreConfig::local(&folder.path().join("hub"), MasterKey::random().unwrap());
        if postgres {
            let url = samples::postgres::database().unwrap();
            config.records.clone_from(&url);
            config.office.clone_from(&url);
            config.audit.clone_from(&url);
            config.keys = url;
        }
        let roots = samples::roots(folder.path());
        for root in &roots {
            std::fs::create_dir_all(root).unwrap();
        }
        let network = Arc::new(network(roots.to_vec(), settle));
        let clock = Clock::fixed(instant(Moment::day(2010, 1, 1)));
        let store = open(&config, &network, &clock).await;
        Self {
            store,
            clock,
            config,
            network,
            roots,
            patients: BTreeMap::new(),
            _folder: folder,
        }
    }

    /// Damages the one segment in which the hub keeps sealed bytes.
    pub(crate) fn damage(&self, damage: fn(&mut Vec<u8>)) {
        let Blobs::Folder(folder) = &self.config.blobs else {
            panic!("sealed bytes lie in a folder");
        };
        let files = std::fs::read_dir(folder).unwrap();
        let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        let file = files.pop().filter(|_| files.is_empty()).unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        damage(&mut bytes);
        std::fs::write(file, bytes).unwrap();
    }

    /// The same hub with databases of its own, which has read nothing yet.
    pub(crate) async fn anew(&self, people: &[Person]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::local(folder.path(), MasterKey::random().unwrap());
        let network = Arc::clone(&self.network);
        let clock = self.clock.clone();
        let store = open(&config, &network, &clock).await;
        let (roots, patients) = (self.roots.clone(), BTreeMap::new());
        let mut hub = Self {
            store,
            clock,
            config,
            network,
            roots,
            patients,
            _folder: folder,
        };
        for person in people {
            hub.consent(person).await;
        }
        hub
    }

    /// Ends as a crash would, or in order, and starts again with the data as they are.
    pub(crate) async fn restart(&mut self, in_order: bool) {
        if in_order {
            self.store.close().await;
        }
        self.store = open(&self.config, &self.network, &self.clock).await;
    }

    /// Turns the clock.
    pub(crate) fn at(&self, now: Moment) {
        self.clock.set(instant(now));
    }

    /// The hospital does one thing to its storage.
    pub(crate) fn does(&self, operation: &Operation, now: Moment) {
        operation.apply(&self.roots, now).unwrap();
    }

    /// Lays everything of a patient into the storage.
    pub(crate) fn lay(&self, patient: &samples::Patient) {
        patient.write(&self.roots).unwrap();
    }

    /// One of a patient's laboratory files grows larger than any that is read.
    pub(crate) fn outgrow(&self, patient: &samples::Patient) {
        let paths = patient
            .tree
            .files()
            .map(|(entry, _)| entry.version.path(entry.flag));
        let places = paths.flat_map(|path| self.roots.iter().map(move |root| root.join(&path)));
        let is_lab =
            |place: &PathBuf| place.is_file() && place.to_string_lossy().contains("OML-11");
        let file = places.filter(is_lab).last().unwrap();
        let file = std::fs::File::create(file).unwrap();
        file.set_len(MOST_BYTES + 1).unwrap();
    }

    /// A consent of a patient for the clinic comes in.
    pub(crate) async fn consent(&mut self, person: &Person) {
        let local_id = person.local_id();
        self.consent_naming(local_id, person, &[local_id]).await;
    }

    /// One that names these numbers of theirs.
    pub(crate) async fn consent_naming(
        &mut self,
        consent_no: &str,
        person: &Person,
        numbers: &[&str],
    ) {
        let (kana, birth_date, sex) = person.paper();
        let ids = numbers.iter().map(|number| format!("{HOSPITAL}:{number}"));
        let ids = ids.collect::<Vec<_>>().join(";");
        let paper = ConsentPaper::from_fields(|field| match field {
            "consent_no" => consent_no,
            "form" => "C-1",
            "form_version" => "1",
            "signer" | "explained_by" | "kept_at" => "事務局",
            "relation" => "self",
            "kana" => &kana,
            "birth_date" | "signed_on" | "from" => &birth_date,
            "sex" => match sex.as_str() {
                "F" => "female",
                _ => "male",
            },
            "local_ids" => &ids,
            "sources" => HOSPITAL,
            "readers" => CLINIC,
            "categories" => "*",
            _ => "",
        });
        let papers = self.store.papers(normalize::text::fold);
        let entered = papers
            .enter_consent(PersonId(1), &paper.unwrap(), Entry::Active)
            .await;
        let local_id = person.local_id().to_owned();
        self.patients.insert(local_id, entered.unwrap().public);
    }

    /// A consent ends, with a complete paper.
    pub(crate) async fn withdraw(&self, consent_no: &str) {
        let paper = WithdrawalPaper {
            consent_no: consent_no.parse().unwrap(),
            withdrawn_on: "2026-11-01".parse().ok(),
            signer: Some("本人".to_owned()),
            relation: Some("self".to_owned()),
            identity_check: Some("旅券".to_owned()),
        };
        let papers = self.store.papers(normalize::text::fold);
        papers.withdraw(PersonId(1), &paper).await.unwrap();
    }

    /// Does everything that follows from papers, and lets no feed read.
    pub(crate) async fn follow(&self) {
        let papers = self.store.papers(normalize::text::fold);
        while self.store.jobs().follow(&papers).await.unwrap().done > 0 {}
    }

    /// Begins to do what follows from papers, and is cut off after a while, as a crash would.
    pub(crate) async fn follow_cut_off(&mut self, after: Duration) {
        let _ = tokio::time::timeout(after, self.follow()).await;
        self.restart(false).await;
    }

    /// Whether a consent of the patient is on file.
    pub(crate) fn knows(&self, person: &Person) -> bool {
        self.patients.contains_key(person.local_id())
    }

    /// Sweeps once.
    pub(crate) async fn sweep(&self) -> Report {
        self.feeds().once(None, &|_, _| {}).await.unwrap()
    }

    /// Begins a sweep that is cut off after a while, as a crash would.
    pub(crate) async fn sweep_cut_off(&mut self, after: Duration) {
        let feeds = self.feeds();
        let _ = tokio::time::timeout(after, feeds.once(None, &|_, _| {})).await;
        self.restart(false).await;
    }

    fn feeds(&self) -> Ingest {
        Ingest::new(self.store.clone(), MOST_BYTES)
    }

    /// Whether a physician of the clinic finds somebody by a number at the hospital.
    pub(crate) async fn finds(&self, number: &str) -> bool {
        let query = PatientQuery {
            tokens: vec![Token::Identifier(HOSPITAL.to_owned(), number.to_owned())],
            ..PatientQuery::default()
        };
        let door = self.store.disclosure();
        let found = door.find_patients(&physician(), &call(), &query).await;
        !found
            .unwrap_or_else(|refused| panic!("{refused:?}"))
            .is_empty()
    }

    /// What a physician of the clinic gets to read about a patient, a line a fact, in the alphabet's
    /// order.
    pub(crate) async fn reads(&self, person: &Person) -> Vec<String> {
        let Some(patient) = self.patients.get(person.local_id()) else {
            return Vec::new();
        };
        let (door, requester, call) = (self.store.disclosure(), physician(), call());
        let view = match door.open::<Viewing>(&requester, &call, *patient).await {
            // The facility has not proved yet that it means the same person.
            Err(Refused::NotFound) => return Vec::new(),
            view => view.unwrap_or_else(|refused| panic!("{refused:?}")),
        };
        let patient = view.patient().await.unwrap();
        let mut lines: Vec<String> = patient.statements.iter().map(reading::line).collect();
        for kind in SERVED {
            let query = RecordQuery {
                limit: 10_000,
                ..RecordQuery::new(kind)
            };
            let page = view.records(&query).await.unwrap();
            assert_eq!(page.items.len() as u64, page.total);
            lines.extend(page.items.iter().map(|record| reading::line(record)));
        }
        lines.sort();
        lines
    }
}

fn call() -> Call {
    Call {
        route: "/fhir",
        request: 1,
        parameters: String::new(),
        asked: Categories::ALL,
    }
}

const SERVED: [Kind; 5] = [
    Kind::Encounter,
    Kind::Condition,
    Kind::AllergyIntolerance,
    Kind::MedicationRequest,
    Kind::Observation,
];

/// Opens the store as the program does when it starts.
async fn open(config: &StoreConfig, network: &Arc<Network>, clock: &Clock) -> Store {
    let store = Store::open(config.clone(), Arc::clone(network), clock.clone())
        .await
        .unwrap();
    store
        .papers(normalize::text::fold)
        .recompute_all()
        .await
        .unwrap();
    store
}

fn network(roots: Vec<PathBuf>, settle: Duration) -> Network {
    let read = |name: &str| std::fs::read_to_string(Path::new(EXAMPLE).join(name)).unwrap();
    let mut profile = Profile::parse("profile.toml", &read("profile.toml"))
        .value
        .unwrap();
    // Years pass in a story, and nobody looks.
    profile.retention = Retention {
        after_last_view: Limit::Unlimited,
        until: None,
    };
    let feed = Feed {
        id: "storage".to_owned(),
        title: "標準化ストレージ".to_owned(),
        facility: HOSPITAL.parse().unwrap(),
        state: FeedState::Active,
        source: Source::SsMix2Tree {
            roots,
            sweep: Duration::from_secs(600),
            settle,
        },
        fallback: Fallback::Cp932,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [1; 32],
    };
    let line = Feed {
        id: "line".to_owned(),
        source: Source::MllpListen(Mllp {
            listen: "127.0.0.1:0".parse().unwrap(),
            allow: Vec::new(),
            idle: Duration::from_secs(60),
            connections: 1,
            tls: None,
            senders: Vec::new(),
            on_failure: OnFailure::Wait,
        }),
        ..feed.clone()
    };
    Network {
        id: "example".to_owned(),
        profile,
        facilities: Facility::parse_all("facilities.tsv", &read("facilities.tsv"))
            .value
            .unwrap(),
        feeds: BTreeMap::from([feed, line].map(|feed| (feed.id.clone(), feed))),
        hash: [1; 32],
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test plays the part of sign-in"
)]
fn physician() -> Requester {
    Requester::verified(Verified {
        person: PersonId(2),
        login: "physician".to_owned(),
        profession: Profession::Physician,
        facility: CLINIC.parse().unwrap(),
        purpose: Purpose::Treatment,
        factors: BTreeSet::from([Factor::Password, Factor::Totp]),
        via: Via::Session,
    })
}

fn instant(moment: Moment) -> Instant {
    let since = moment.system_time().duration_since(UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_micros()).unwrap())
}
