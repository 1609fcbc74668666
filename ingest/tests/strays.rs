//! A file lies in the folder of one patient and is of another: nothing of it becomes the first one's,
//! however much the two have in common.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ingest::{Ingest, Report};
use model::feed::{Fallback, Feed, FeedState, Identity, Source};
use model::id::PersonId;
use model::network::{Facility, Network, Profile};
use model::papers::ConsentPaper;
use store::{Clock, Entry, MasterKey, Store, StoreConfig};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../networks/example");
const HOSPITAL: &str = "1319999901";
const PATIENT: &str = "0000000001";
const OTHER: &str = "0000000002";

fn network(root: &Path) -> Network {
    let read = |name: &str| fs::read_to_string(Path::new(EXAMPLE).join(name)).unwrap();
    let source = Source::SsMix2Tree {
        roots: vec![root.to_owned()],
        sweep: Duration::from_secs(600),
        settle: Duration::ZERO,
    };
    let feed = Feed {
        id: "storage".to_owned(),
        title: "標準化ストレージ".to_owned(),
        facility: HOSPITAL.parse().unwrap(),
        state: FeedState::Active,
        source,
        fallback: Fallback::Cp932,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [1; 32],
    };
    Network {
        id: "example".to_owned(),
        profile: Profile::parse("profile.toml", &read("profile.toml"))
            .value
            .unwrap(),
        facilities: Facility::parse_all("facilities.tsv", &read("facilities.tsv"))
            .value
            .unwrap(),
        feeds: BTreeMap::from([(feed.id.clone(), feed)]),
        hash: [1; 32],
    }
}

/// A file in the folder of [`PATIENT`], under the name and with the number of `of`.
fn lay(root: &Path, of: &str, kind: &str, order: u32, names: &str) {
    let message = match kind {
        "ADT-00" => "ADT^A08^ADT_A01",
        _ => "OML^O33^OML_O33",
    };
    let text = format!(
        "MSH|^~\\&|A|B|C|D|20260301101010||{message}|1|P|2.5||||||UNICODE UTF-8\r\
         PID|0001||{of}^^^^PI||{names}||19580314|F\rPV1|0001|O\r"
    );
    let (date, order) = match kind {
        "ADT-00" => ("-", "999999999999999".to_owned()),
        _ => ("20260301", format!("{order:015}")),
    };
    let folder = root.join(format!("000/000/{PATIENT}/{date}/{kind}"));
    fs::create_dir_all(&folder).unwrap();
    let name = format!("{of}_{date}_{kind}_{order}_20260301101010000_01_1");
    fs::write(folder.join(name), text).unwrap();
}

const NAMES: &str = "宮本^京美^^^^^L^I~ミヤモト^キョウミ^^^^^L^P";

async fn sweep(root: &Path) -> Report {
    let hub = tempfile::tempdir().unwrap();
    let config = StoreConfig::local(hub.path(), MasterKey::random().unwrap());
    let store = Store::open(config, Arc::new(network(root)), Clock::system())
        .await
        .unwrap();
    let papers = store.papers(normalize::text::fold);
    papers.recompute_all().await.unwrap();
    let ids = format!("{HOSPITAL}:{PATIENT}");
    let paper = ConsentPaper::from_fields(|field| match field {
        "consent_no" | "form" => "C-1",
        "kana" => "ミヤモト キョウミ",
        "birth_date" | "signed_on" | "from" => "1958-03-14",
        "sex" => "female",
        "local_ids" => &ids,
        "sources" | "readers" | "categories" => "*",
        "to" => "",
        _ => "1",
    });
    papers
        .enter_consent(PersonId(1), &paper.unwrap(), Entry::Active)
        .await
        .unwrap();
    Ingest::new(store, 1 << 20)
        .once(None, &|_, _| {})
        .await
        .unwrap()
}

#[tokio::test]
async fn what_names_somebody_else_is_withheld_even_from_a_namesake() {
    let root = tempfile::tempdir().unwrap();
    lay(root.path(), PATIENT, "ADT-00", 0, NAMES);
    lay(root.path(), PATIENT, "OML-11", 1, NAMES);
    lay(root.path(), OTHER, "OML-11", 2, NAMES);
    lay(root.path(), OTHER, "OML-11", 3, "");
    let report = sweep(root.path()).await;
    assert_eq!((report.read, report.withheld), (2, 2), "{report:?}");
    assert_eq!(report.findings.get("D2301"), Some(&2), "{report:?}");
}

#[tokio::test]
async fn the_demographics_of_somebody_else_prove_nothing() {
    let root = tempfile::tempdir().unwrap();
    lay(root.path(), OTHER, "ADT-00", 0, NAMES);
    let report = sweep(root.path()).await;
    assert_eq!((report.unproved_links, report.read), (1, 0), "{report:?}");
}
