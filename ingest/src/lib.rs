//! When: feeds bring what hospitals keep and send, in an ordered line, and back-fill what a new consent
//! opens.
//!
//! | file | answers |
//! | --- | --- |
//! | `feed`, `feed/ssmix`, `feed/pushed` | where bytes come from |
//! | `feed/mllp` | how senders push, and what they are told |
//! | `patient` | what they say of a patient, and what changes because of it |
//! | `duties` | what follows from papers, and what is done again and again |
//! | `held` | which of several processes does it |
//! | [`cpu`] | how waiting and computing meet |
//! | `replay` | how what is kept is read once more |
//! | [`report`] | what a sweep did |
//!
//! `ingest` carries items from `normalize` to `store`, which do not know each other.

pub mod cpu;
mod duties;
mod feed;
mod held;
mod patient;
mod replay;
pub mod report;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::feed::{Feed, FeedState};
use model::id::FacilityId;
use store::{Error, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

use duties::{follow, pack, retain};
pub use feed::mllp::frames::{Frame, Frames};
use held::while_held;
use replay::Replay;
pub use replay::{Counts, Replayed, Scope};
pub use report::Report;

/// All feeds of the network.
#[derive(Clone)]
pub struct Ingest {
    store: Store,
    most: u64,
}

/// What a caller learns while a sweep runs: patients done, patients in all.
pub type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

impl Ingest {
    /// Feeds over a store; `most` bounds the size of one item in bytes.
    pub const fn new(store: Store, most: u64) -> Self {
        Self { store, most }
    }

    fn feeds(&self) -> impl Iterator<Item = Arc<Feed>> {
        let active = self
            .store
            .network()
            .feeds
            .values()
            .filter(|feed| feed.state == FeedState::Active);
        active
            .cloned()
            .map(Arc::new)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// Does what papers and regulation ask for, then sweeps one feed, or all of them, once.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such active feed; otherwise what the store said.
    pub async fn once(&self, only: Option<&str>, progress: Progress<'_>) -> Result<Report, Error> {
        retain(self.store.clone()).await?;
        let followed = follow(&self.store).await?;
        let feeds: Vec<Arc<Feed>> = self
            .feeds()
            .filter(|feed| only.is_none_or(|id| feed.id == id))
            .collect();
        if feeds.is_empty() && only.is_some() {
            return Err(Error::NotFound);
        }
        let mut report = Report {
            failed_errands: followed.failed,
            ..Report::default()
        };
        for feed in feeds {
            report.add(feed::once(&feed, &self.store, self.most, progress).await?);
        }
        pack(self.store.clone()).await?;
        Ok(report)
    }

    /// Reads what is kept once more, of the patients whose papers are in force; writes what reads
    /// otherwise only when `apply` says so.
    ///
    /// # Errors
    /// When the store does not answer. What was written stays; the next replay goes on.
    pub async fn replay(
        &self,
        scope: &Scope,
        apply: bool,
        progress: Progress<'_>,
    ) -> Result<Replayed, Error> {
        let feeds = self.store.network().feeds.values();
        let facilities: BTreeSet<&FacilityId> = feeds
            .map(|feed| &feed.facility)
            .filter(|facility| scope.facility.as_ref().is_none_or(|only| only == *facility))
            .collect();
        let mut sum = Replayed::default();
        for facility in facilities {
            if let Some(replay) = Replay::new(&self.store, facility.clone(), apply) {
                sum.add(replay.run(scope.patient, progress).await?);
            }
        }
        Ok(sum)
    }

    /// Runs until `stop` says so: errands of papers, daily duties, feeds, each in one process of the
    /// network at a time. A feed that fails waits and goes on by itself; it stops no other feed.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        let (store, until) = (&self.store, &stop);
        duties::spawn(&mut tasks, store, until);
        for feed in self.feeds() {
            let name = format!("feed {}", feed.id);
            let span = tracing::info_span!("feed", feed = %feed.id);
            let (work, most) = (store.clone(), self.most);
            let ending = stop.clone();
            let running = move || feed::run(Arc::clone(&feed), work.clone(), most, ending.clone());
            tasks.spawn(while_held(&name, store, until, running).instrument(span));
        }
        while tasks.join_next().await.is_some() {}
    }
}
