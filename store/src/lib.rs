//! What is kept: records, papers, audit, keys. Only this crate knows SQL, objects and keys.
//!
//! It has three doors. Machines put records in through `Intake`; people put papers in through
//! `Papers`; people look through `Disclosure`, the only place that hands clinical values out, as
//! `Disclosed<T>`, after the permit and the durable audit row.
//!
//! | file | answers |
//! | --- | --- |
//! | `db` | how do statements reach SQLite or PostgreSQL |
//! | `seal`, `keys` | how is everything sealed, and how does a patient's key die |
//! | `frame`, `raw` | how are an item's bytes and records kept |
//! | `intake` | how do records come in |
//! | `papers` | how do people's decisions come in, and what follows |
//! | `disclosure` | what may this reader see |
//! | `audit` | who saw what |
//! | `accounts` | who are the people |
//! | `jobs` | what follows from papers later |

mod accounts;
mod audit;
mod clock;
mod db;
mod disclosure;
mod error;
mod frame;
mod intake;
mod jobs;
mod keys;
mod papers;
mod private;
mod raw;
mod seal;
#[cfg(test)]
mod testing;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use model::network::Network;

pub use accounts::{
    Account, Accounts, Counter, Digest, InvalidLogin, Login, NewPerson, Person, ReadToken, Session,
    StoredTotp, Throttle,
};
pub use audit::{
    Action as AuditAction, Audit, Damage, Event, Pending, Row, Verdict, Walk, watched,
};
pub use clock::Clock;
pub use disclosure::{
    Call, CodeQuery, DateFilter, Disclosed, Disclosure, Page, PatientQuery, Position, Reach,
    ReadPatient, RecordQuery, Refused, Sort, Token, View,
};
pub use error::Error;
pub use frame::Packed;
pub use intake::{
    Bearing, Content, Fate, FateCount, FoundBy, Head, Intake, Item, ItemChange, Joined, Known,
    Namesake, Origin, Outcome, PatientChange, Publish, Pushed, Queue, Received, Reception,
    RuleCount, Slot, SlotChange, Standing, Taken, Touching, Waiting, Whose,
};
pub use jobs::{BEAT, Failing, FeedStatus, Followed, Jobs, Lease, Rewritten};
pub use keys::MasterKey;
pub use papers::{
    Conflict, Demographics, Disagreement, Entered, Entry, Erasure, Errand, Evidence, Fold, Ground,
    ImportError, Imported, Link, PaperError, Papers, Proof, RosterEntry, Shown, Task, TaskKind,
    What, Wrong,
};
pub use raw::{AccessKey, Blobs, Bucket};

use db::{Db, Name};
use intake::Arrivals;
use keys::Keys;
use raw::Raw;

/// Where everything is kept.
#[derive(Clone)]
pub struct StoreConfig {
    /// URL of the records (`sqlite://…` or `postgres://…`).
    pub records: String,
    /// URL of papers and people.
    pub office: String,
    /// URL of the audit.
    pub audit: String,
    /// URL of the wrapped keys.
    pub keys: String,
    /// Where sealed bytes are kept.
    pub blobs: Blobs,
    /// The key that everything hangs on.
    pub master: MasterKey,
}

impl StoreConfig {
    /// SQLite and local files below one folder.
    pub fn local(folder: &Path, master: MasterKey) -> Self {
        let url = |name: &str| format!("sqlite://{}", folder.join(name).display());
        Self {
            records: url("records.db"),
            office: url("office.db"),
            audit: url("audit.db"),
            keys: url("keys.db"),
            blobs: Blobs::Folder(folder.join("blobs")),
            master,
        }
    }
}

/// The open store. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

/// What all doors share.
pub(crate) struct Shared {
    pub(crate) records: Db,
    pub(crate) office: Db,
    pub(crate) audit: Audit,
    pub(crate) keys: Keys,
    pub(crate) raw: Raw,
    pub(crate) network: Arc<Network>,
    pub(crate) clock: Clock,
    pub(crate) arrivals: Arrivals,
    /// Feeds that cannot keep what their senders push.
    pub(crate) stalled: Mutex<BTreeSet<String>>,
}

impl Store {
    /// Opens all four databases and the segments, and checks the master key.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a database cannot be reached, [`Error::Conflict`] when the master
    /// key is not the one of this store.
    pub async fn open(
        config: StoreConfig,
        network: Arc<Network>,
        clock: Clock,
    ) -> Result<Self, Error> {
        let office = Db::open(Name::Office, &config.office, None).await?;
        let records = Db::open(Name::Records, &config.records, Some(&config.office)).await?;
        let audit = Db::open(Name::Audit, &config.audit, None).await?;
        let keys = Db::open(Name::Keys, &config.keys, None).await?;
        let keys = Keys::open(keys, &config.master, &network.id, clock.clone()).await?;
        let raw = Raw::open(&config.blobs, &records, &clock)?;
        let audit = Audit::open(audit, keys.clone(), clock.clone(), network.hash)?;
        Ok(Self(Arc::new(Shared {
            records,
            office,
            audit,
            keys,
            raw,
            network,
            clock,
            arrivals: Arrivals::default(),
            stalled: Mutex::default(),
        })))
    }

    /// The network this store serves.
    pub fn network(&self) -> &Arc<Network> {
        &self.0.network
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The door for people.
    pub fn accounts(&self) -> Accounts {
        Accounts::new(self.0.clone())
    }

    /// The audit.
    pub fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// Writes what waits in the audit, waits for running statements and closes all databases.
    pub async fn close(&self) {
        self.0.audit.close().await;
        for db in [
            &self.0.records,
            &self.0.office,
            self.0.audit.db(),
            self.0.keys.db(),
        ] {
            db.close().await;
        }
    }
}
