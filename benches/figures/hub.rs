//! A hub of the example network that feeds from a written storage, with the consents of everybody.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use model::feed::{Feed, Neighbours};
use model::id::PersonId;
use model::network::{Facility, Network, Profile};
use model::papers::ConsentPaper;
use model::written::Parsed;
use store::{Clock, Entry, MasterKey, Papers, Store, StoreConfig};

use crate::hospital::Hospital;

/// The hospital's facility code.
pub(crate) const HOSPITAL: &str = "1319999901";
/// A second hospital, which has a storage of the same bytes; its patients consent only in `together`.
pub(crate) const SECOND: &str = "1319999909";
/// The feeds that read the storages, and whose they are.
pub(crate) const TREES: [(&str, &str); 2] = [("bench", HOSPITAL), ("second", SECOND)];
/// The feed to which messages are pushed.
const LINE: &str = "line";
/// Where the people who read work.
pub(crate) const CLINIC: &str = "1319999902";

/// Where rows are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// How it is named on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// An open store with its network.
pub(crate) struct Hub {
    pub(crate) store: Store,
    pub(crate) papers: Papers,
    pub(crate) network: Arc<Network>,
    folder: tempfile::TempDir,
}

impl Hub {
    /// Opens an empty store below `place`, whose feed reads the hospital's storage.
    pub(crate) async fn open(
        database: Database,
        hospital: &Hospital,
        place: &Path,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir_in(place)?;
        let mut config = StoreConfig::local(folder.path(), MasterKey::random()?);
        if database == Database::Postgres {
            let url = samples::postgres::database().map_err(anyhow::Error::msg)?;
            on_postgres(&mut config, &url);
        }
        Self::open_with(config, hospital, folder).await
    }

    /// Opens a store.
    pub(crate) async fn open_with(
        config: StoreConfig,
        hospital: &Hospital,
        folder: tempfile::TempDir,
    ) -> anyhow::Result<Self> {
        let network = Arc::new(network(hospital)?);
        let store = Store::open(config, Arc::clone(&network), Clock::system()).await?;
        let papers = store.papers(normalize::text::fold);
        papers.recompute_all().await?;
        Ok(Self {
            store,
            papers,
            network,
            folder,
        })
    }

    /// Enters a consent of everybody for the clinic, and does what follows from it at once.
    pub(crate) async fn consents(&self, hospital: &Hospital) -> anyhow::Result<()> {
        self.consents_at(HOSPITAL, hospital).await
    }

    /// The same at one of the hospitals.
    pub(crate) async fn consents_at(
        &self,
        facility: &str,
        hospital: &Hospital,
    ) -> anyhow::Result<()> {
        let mut csv = ConsentPaper::FIELDS.join(",");
        for (number, paper) in hospital.papers.iter().enumerate() {
            let sex = if paper.sex == "F" { "female" } else { "male" };
            let (local_id, kana, birth_date) = (&paper.local_id, &paper.kana, &paper.birth_date);
            csv.push_str(&format!(
                "\n{facility}-{number},C-1,1,2026-04-01,署名者,self,{kana},{birth_date},{sex},{facility}:{local_id},{facility},\
                 {CLINIC},*,2000-01-01,,説明者,事務局"
            ));
        }
        csv.push('\n');
        self.papers
            .import(PersonId(1), "consents.csv", csv.as_bytes(), Entry::Active)
            .await?;
        self.store.jobs().follow(&self.papers).await?;
        Ok(())
    }

    /// The feed that reads the storage.
    pub(crate) fn feed(&self) -> anyhow::Result<&Feed> {
        let [(tree, _), _] = TREES;
        let feed = self.network.feeds.get(tree);
        feed.context("the network has a feed")
    }

    /// The feed to which the hospital may push.
    pub(crate) fn line(&self) -> anyhow::Result<&Feed> {
        let feed = self.network.feeds.get(LINE);
        feed.context("the network has a line")
    }

    /// Size of the records' file, after its log was taken in; SQLite only.
    pub(crate) fn records_bytes(&self) -> anyhow::Result<u64> {
        Ok(std::fs::metadata(self.folder.path().join("records.db"))?.len())
    }
}

/// All four databases in one of PostgreSQL's.
pub(crate) fn on_postgres(config: &mut StoreConfig, url: &str) {
    for database in [
        &mut config.records,
        &mut config.office,
        &mut config.audit,
        &mut config.keys,
    ] {
        url.clone_into(database);
    }
}

/// The example network with other roots, and files read as soon as they are there.
fn network(hospital: &Hospital) -> anyhow::Result<Network> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("networks/example");
    let text = |name: &str| std::fs::read_to_string(folder.join(name));
    let mut profile = value(Profile::parse("profile.toml", &text("profile.toml")?))?;
    profile.limits.requests_per_minute = None;
    profile.limits.searches_per_minute = None;
    profile.limits.patients_per_hour = None;
    let second = format!("{SECOND}\tみさき病院\tミサキビョウイン\thospital\t\t*\n");
    let facilities = value(Facility::parse_all(
        "facilities.tsv",
        &(text("facilities.tsv")? + &second),
    ))?;
    let roots = [hospital.roots.clone(), hospital.second()?];
    let trees = TREES.iter().zip(roots).map(|((id, facility), roots)| format!(
        "schema = \"feed/1\"\nid = \"{id}\"\ntitle = \"bench\"\nfacility = \"{facility}\"\nstate = \"active\"\n\
         [source]\nkind = \"ssmix2-tree\"\nroots = {roots:?}\nsweep = \"10m\"\nsettle = \"0s\"\n"
    ));
    // A port that is free now; the bench listens there in a moment.
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let line = format!(
        "schema = \"feed/1\"\nid = \"{LINE}\"\ntitle = \"line\"\nfacility = \"{HOSPITAL}\"\nstate = \"active\"\n\
         [source]\nkind = \"mllp-listen\"\nlisten = \"127.0.0.1:{port}\"\nallow = [\"127.0.0.1\"]\nconnections = 512\n"
    );
    let mut feeds = BTreeMap::new();
    for written in trees.chain([line]) {
        let neighbours = Neighbours {
            facilities: Some(&facilities),
            feeds: &feeds,
        };
        let feed = value(Feed::parse("bench.toml", &written, [0; 32], neighbours))?;
        feeds.insert(feed.id.clone(), feed);
    }
    Ok(Network {
        id: "example".to_owned(),
        profile,
        facilities,
        feeds,
        hash: [1; 32],
    })
}

fn value<T>(parsed: Parsed<T>) -> anyhow::Result<T> {
    let wrong = parsed
        .mistakes
        .iter()
        .map(|mistake| format!("{mistake:?}"))
        .collect::<Vec<_>>()
        .join("; ");
    parsed
        .value
        .with_context(|| format!("the example network is good: {wrong}"))
}
