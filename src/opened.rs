//! A configuration, opened: what almost every command begins with.

use std::path::Path;

use anyhow::Context;
use store::{Clock, Papers, Store, StoreConfig};

use crate::config::{self, Config};

/// Configuration and store.
pub(crate) struct Opened {
    /// The checked configuration.
    pub(crate) config: Config,
    /// The store.
    pub(crate) store: Store,
}

impl Opened {
    /// Reads the configuration and opens the store.
    ///
    /// # Errors
    /// [`config::Unusable`] when the configuration has mistakes; otherwise what the environment lacks.
    pub(crate) async fn new(named: Option<&Path>) -> anyhow::Result<Self> {
        Self::of(config::load(named)?.checked()?).await
    }

    /// Opens the store of a configuration.
    ///
    /// # Errors
    /// When a database cannot be reached, or the master key is another one.
    pub(crate) async fn of(config: Config) -> anyhow::Result<Self> {
        ingest::cpu::set_width(config.width);
        let databases = &config.databases;
        let wanted = StoreConfig {
            records: databases.records.clone(),
            office: databases.office.clone(),
            audit: databases.audit.clone(),
            keys: databases.keys.clone(),
            blobs: config.blobs.load()?,
            master: config.master.load()?,
        };
        let store = Store::open(wanted, config.network.clone(), Clock::system())
            .await
            .context("open the store")?;
        Ok(Self { config, store })
    }

    /// The door for papers; names on papers and in messages are folded alike.
    pub(crate) fn papers(&self) -> Papers {
        self.store.papers(normalize::text::fold)
    }

    /// Closes the store; what waits in the audit is written first.
    pub(crate) async fn close(self) {
        self.store.close().await;
    }
}
