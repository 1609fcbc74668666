//! When: feeds bring what hospitals keep, in an ordered line, and back-fill what a new consent opens.
//!
//! | file | answers |
//! | --- | --- |
//! | `feed`, `feed/ssmix` | where bytes come from, and what changes because of them |
//! | [`cpu`] | how waiting and computing meet |
//! | `replay` | how what is kept is read once more |
//! | [`report`] | what a sweep did |
//!
//! `ingest` carries items from `normalize` to `store`, which do not know each other.

pub mod cpu;
mod feed;
mod replay;
pub mod report;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::feed::{Feed, FeedState, Source};
use model::id::FacilityId;
use store::{Error, Followed, Rewritten, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::Instrument;

use feed::Swept;
use replay::Replay;
pub use replay::{Counts, Replayed, Scope};
pub use report::Report;

/// How often papers are asked for what must follow from them.
const ERRANDS_EVERY: Duration = Duration::from_millis(250);
/// How often the regulation is asked what is kept no longer, and dead bytes are given back.
const ONCE_A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// After a failure a feed waits, twice as long each time, at most so long.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// While nothing but errands that fail is left, a new paper waits no longer than this.
const LONGEST_VAIN_WAIT: Duration = Duration::from_secs(10);

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
            // Who pushes has nothing that could be fetched.
            if feed.source.listen().is_some() {
                continue;
            }
            let begun = self.store.clock().now();
            report.add(sweep(&feed, &self.store, self.most, progress).await?);
            for patient in self.store.jobs().back_fills(&feed.facility).await? {
                self.store
                    .jobs()
                    .back_filled(patient, &feed.facility, begun)
                    .await?;
            }
        }
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

    /// Runs until `stop` says so: errands of papers, back-fills, sweeps. A feed that fails waits and
    /// goes on by itself; it stops no other feed.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        tasks.spawn(errands(self.store.clone()));
        tasks.spawn(daily("retention", self.store.clone(), retain));
        tasks.spawn(daily("segments", self.store.clone(), rewrite));
        for feed in self.feeds() {
            let span = tracing::info_span!("feed", feed = %feed.id);
            tasks.spawn(
                sweeper(Arc::clone(&feed), self.store.clone(), self.most).instrument(span.clone()),
            );
            tasks.spawn(backfiller(feed, self.store.clone(), self.most).instrument(span));
        }
        // A closed channel means the same as a stop. Batches are transactions: cutting one loses nothing.
        let _ = stop.wait_for(|stopping| *stopping).await;
        tasks.shutdown().await;
    }
}

async fn sweep(
    feed: &Arc<Feed>,
    store: &Store,
    most: u64,
    progress: Progress<'_>,
) -> Result<Report, Error> {
    let Some(Swept::Tree(tree)) = Swept::new(Arc::clone(feed), store.clone(), most) else {
        return Ok(Report::default());
    };
    let swept = tree.sweep(progress).await;
    metrics::gauge!("musubi_source_up", "feed" => feed.id.clone()).set(if swept.is_ok() {
        1.0
    } else {
        0.0
    });
    let report = match swept {
        Ok(report) => report,
        Err(error) => {
            store.jobs().feed_failed(&feed.id).await?;
            return Err(error);
        }
    };
    store
        .jobs()
        .feed_swept(&feed.id, report.files(), report.withheld)
        .await?;
    store.intake().noticed(&feed.id, &report.noticed).await?;
    if report.files() + report.moved > 0 {
        tracing::info!(
            feed = %feed.id, patients = report.patients, read = report.read, kept = report.kept,
            withheld = report.withheld, moved = report.moved, "swept"
        );
    }
    Ok(report)
}

async fn follow(store: &Store) -> Result<Followed, Error> {
    store
        .jobs()
        .follow(&store.papers(normalize::text::fold))
        .await
}

async fn retain(store: Store) -> Result<(), Error> {
    let papers = store.papers(normalize::text::fold);
    let ended = store.jobs().retain(&papers).await?;
    if ended > 0 {
        tracing::info!(patients = ended, "kept no longer, as the regulation says");
    }
    Ok(())
}

async fn rewrite(store: Store) -> Result<(), Error> {
    let rewritten = store.jobs().rewrite().await?;
    if rewritten != Rewritten::default() {
        let Rewritten {
            moved,
            removed,
            failed,
        } = rewritten;
        tracing::info!(
            moved,
            removed,
            failed,
            "dead bytes of segments were given back"
        );
    }
    Ok(())
}

/// What must follow from papers: keys, introductions, erasing.
async fn errands(store: Store) {
    let mut wait = ERRANDS_EVERY;
    loop {
        match follow(&store).await {
            Ok(followed) => {
                // What fails again and again is tried less often.
                let in_vain = followed.done == 0 && followed.failed > 0;
                wait = if in_vain {
                    (wait * 2).min(LONGEST_VAIN_WAIT)
                } else {
                    ERRANDS_EVERY
                };
            }
            Err(error) => {
                tracing::error!(%error, "errands of papers wait");
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        tokio::time::sleep(wait).await;
    }
}

/// At the start and once a day a duty that may take long, or fail, without holding up anything else.
/// It is idempotent: one that is cut by the end of the process begins again at the next start.
async fn daily<Done: Future<Output = Result<(), Error>>>(
    duty: &'static str,
    store: Store,
    once: impl Fn(Store) -> Done,
) {
    let mut wait = ERRANDS_EVERY;
    loop {
        match once(store.clone()).await {
            Ok(()) => {
                wait = ERRANDS_EVERY;
                tokio::time::sleep(ONCE_A_DAY).await;
            }
            Err(error) => {
                tracing::error!(%error, duty, "a daily duty failed and is tried again");
                wait = (wait * 2).min(LONGEST_WAIT);
                tokio::time::sleep(wait).await;
            }
        }
    }
}

async fn sweeper(feed: Arc<Feed>, store: Store, most: u64) {
    let Source::SsMix2Tree { sweep: every, .. } = &feed.source else {
        return;
    };
    let mut wait = *every;
    loop {
        match sweep(&feed, &store, most, &|_, _| {}).await {
            Ok(_) => wait = *every,
            Err(error) => {
                tracing::error!(%error, retry_s = wait.as_secs(), "sweep failed; the feed waits and tries again");
                wait = (wait * 2).min(LONGEST_WAIT.max(*every));
            }
        }
        tokio::time::sleep(wait).await;
    }
}

async fn backfiller(feed: Arc<Feed>, store: Store, most: u64) {
    let mut wait = ERRANDS_EVERY;
    loop {
        match backfill(&feed, &store, most).await {
            Ok(()) => wait = ERRANDS_EVERY,
            Err(error) => {
                tracing::warn!(%error, "back-fill waits");
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        tokio::time::sleep(wait).await;
    }
}

async fn backfill(feed: &Arc<Feed>, store: &Store, most: u64) -> Result<(), Error> {
    for patient in store.jobs().back_fills(&feed.facility).await? {
        let Some(Swept::Tree(tree)) = Swept::new(Arc::clone(feed), store.clone(), most) else {
            return Ok(());
        };
        let begun = store.clock().now();
        let report = tree.backfill(patient).await?;
        if report.waiting > 0 {
            // Erased or not introduced yet; what follows from the papers decides whether it comes again.
            continue;
        }
        let jobs = store.jobs();
        jobs.back_filled(patient, &feed.facility, begun).await?;
        tracing::info!(feed = %feed.id, read = report.read, withheld = report.withheld, "back-filled a patient");
    }
    Ok(())
}
