//! A hospital of a story: its storage, the feed that reads it, and the store behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ingest::{Ingest, Report};
use model::feed::{Fallback, Feed, FeedState, Identity, Source};
use model::id::PersonId;
use model::network::{Facility, Network, Profile};
use model::papers::ConsentPaper;
use store::{Clock, Entry, MasterKey, Store, StoreConfig};
use tempfile::TempDir;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../networks/example");
const HOSPITAL: &str = "1319999901";
/// The number of a patient.
pub(crate) const FIRST: &str = "0000000001";
/// The number of another one.
pub(crate) const SECOND: &str = "0000000002";
/// The names that the papers say.
pub(crate) const NAMES: &str = "宮本^京美^^^^^L^I~ミヤモト^キョウミ^^^^^L^P";

/// A storage and the store that its feed fills.
pub(crate) struct Hospital {
    storage: TempDir,
    kept: TempDir,
    store: Store,
}

impl Hospital {
    /// An empty storage; numbers compare verbatim, and no file has to settle.
    pub(crate) async fn new() -> Self {
        Self::with(Identity::default()).await
    }

    /// The same; numbers compare as this says.
    pub(crate) async fn with(identity: Identity) -> Self {
        let (storage, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let config = StoreConfig::local(kept.path(), MasterKey::random().unwrap());
        let network = Arc::new(network(storage.path(), identity));
        let store = Store::open(config, network, Clock::system()).await.unwrap();
        let papers = store.papers(normalize::text::fold);
        papers.recompute_all().await.unwrap();
        Self {
            storage,
            kept,
            store,
        }
    }

    /// A paper of somebody with these numbers opens everything to everybody.
    pub(crate) async fn consent(&self, consent_no: &str, numbers: &[&str]) {
        let ids = numbers.iter().map(|number| format!("{HOSPITAL}:{number}"));
        let ids = ids.collect::<Vec<_>>().join(";");
        let paper = ConsentPaper::from_fields(|field| match field {
            "consent_no" => consent_no,
            "form" => "C-1",
            "kana" => "ミヤモト キョウミ",
            "birth_date" | "signed_on" | "from" => "1958-03-14",
            "sex" => "female",
            "local_ids" => &ids,
            "sources" | "readers" | "categories" => "*",
            "to" => "",
            _ => "1",
        });
        let papers = self.store.papers(normalize::text::fold);
        papers
            .enter_consent(PersonId(1), &paper.unwrap(), Entry::Active)
            .await
            .unwrap();
    }

    /// Lays a file into the folder of `folder`, under the name and with the number of `of`; its path.
    pub(crate) fn lay(
        &self,
        folder: &str,
        of: &str,
        kind: &str,
        order: u32,
        names: &str,
    ) -> PathBuf {
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
        let upper = self.storage.path().join(&folder[..3]).join(&folder[3..6]);
        let folder = upper.join(folder).join(date).join(kind);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{of}_{date}_{kind}_{order}_20260301101010000_01_1"));
        fs::write(&path, text).unwrap();
        path
    }

    /// One sweep of the feed.
    pub(crate) async fn sweep(&self) -> Report {
        let feeds = Ingest::new(self.store.clone(), 1 << 20);
        feeds.once(None, &|_, _| {}).await.unwrap()
    }

    /// The folder that the feed reads.
    pub(crate) fn storage(&self) -> &Path {
        self.storage.path()
    }

    /// The files in which frames are kept.
    pub(crate) fn segments(&self) -> Vec<PathBuf> {
        let listed = fs::read_dir(self.kept.path().join("blobs")).unwrap();
        let paths = listed.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_file()).collect()
    }

    /// The store that the feed fills.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

fn network(root: &Path, identity: Identity) -> Network {
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
        identity,
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
