//! The lane of a feed that receives: what waits in the inbox becomes records, in the order of arrival,
//! patient by patient, as what a storage holds does.
//!
//! | file | does |
//! | --- | --- |
//! | `batch` | takes messages out of the inbox, those of a patient together |
//! | `named` | the names that a storage would give them |
//! | `change` | what changes for one patient |
//! | `cancel` | which event a cancel calls off |

mod batch;
mod cancel;
mod change;
mod named;

use std::sync::Arc;
use std::time::Duration;

use model::feed::Feed;
use model::id::PatientNumber;
use model::papers::LinkState;
use store::{Error, Item, Known, Papers, PatientChange, RosterEntry, Store, Taken};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::patient::change::Resolver;
use crate::patient::overtaken::by_number;
use crate::patient::read::ReadFile;
use crate::patient::unless_cut;
use crate::report::Report;

/// Another process may have received something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What had to wait is looked at once more.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(10);
/// After a failure the lane waits, twice as long each time, at most so long.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The lane of one feed.
#[derive(Clone)]
pub(crate) struct Lane {
    feed: Arc<Feed>,
    store: Store,
    papers: Papers,
}

impl Lane {
    /// The lane of a feed that receives.
    pub(crate) fn new(feed: Arc<Feed>, store: Store) -> Self {
        let papers = store.papers(normalize::text::fold);
        Self {
            feed,
            store,
            papers,
        }
    }

    /// Where the facility has no storage, nothing can be fetched of what a paper opens, but what stands
    /// under a number that the papers name no longer is hidden, and shown when they name it again.
    async fn follow_papers(&self, report: &mut Report) -> Result<(), Error> {
        let (facility, jobs) = (&self.feed.facility, self.store.jobs());
        let mut feeds = self.store.network().feeds.values();
        if feeds.any(|feed| feed.facility == *facility && !feed.source.roots().is_empty()) {
            return Ok(());
        }
        for patient in jobs.back_fills(facility).await? {
            let begun = self.store.clock().now();
            // Papers, or the lane, came in between, or what is kept does not open; the next look tries
            // again.
            if let Err(error) = self.renumber(patient).await {
                report.about_one(error)?;
                continue;
            }
            jobs.back_filled(&[patient], facility, begun).await?;
        }
        Ok(())
    }

    async fn renumber(&self, patient: PatientNumber) -> Result<(), Error> {
        let (facility, intake) = (&self.feed.facility, self.store.intake());
        let one = [patient];
        let Some(mut entry) = self.papers.entries(facility, &one).await?.pop() else {
            return Ok(());
        };
        entry.links.retain(|link| link.state == LinkState::Proved);
        let known = intake.known(patient, facility).await?;
        let named = entry.links.iter().map(|link| link.number);
        let moved = by_number(&known.items, &named.collect::<Vec<_>>());
        if moved.is_empty() || entry.links.is_empty() {
            return Ok(());
        }
        let change = self.resolved(&entry, &known, Vec::new(), moved, Taken::default());
        intake.accept(vec![change.await?]).await
    }

    /// The change of a patient that follows from what was read, and from what moved.
    async fn resolved(
        &self,
        entry: &RosterEntry,
        known: &Known,
        read: Vec<ReadFile>,
        moved: Vec<Item>,
        taken: Taken,
    ) -> Result<PatientChange, Error> {
        let resolver = Resolver {
            feed: &self.feed,
            intake: &self.store.intake(),
            entry,
            known,
        };
        let change = resolver.resolve(read, moved, taken);
        change.await.map_err(unless_cut)
    }

    /// Accepts what waits behind an arrival number, until nothing does; gives the last one that was
    /// looked at.
    pub(crate) async fn drain(&self, mut behind: i64, report: &mut Report) -> Result<i64, Error> {
        loop {
            let queue = self.store.intake().waiting(&self.feed.id, behind).await?;
            let Some(last) = queue.last else {
                return Ok(behind);
            };
            self.take(queue.messages, report).await?;
            behind = last;
        }
    }

    /// Accepts what arrives, for ever.
    pub(crate) async fn keep_accepting(&self, arrived: &Notify) {
        let (mut behind, mut from_the_first) = (0, Instant::now());
        let (mut wait, mut fails, mut damaged) = (LOOK_EVERY, false, 0);
        loop {
            let mut report = Report::default();
            let followed = self.follow_papers(&mut report).await;
            let drained = self.drain(behind, &mut report).await;
            match followed.and(drained) {
                Ok(last) => (behind, wait, fails) = (last, LOOK_EVERY, false),
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        tracing::error!(%error, "messages wait in the inbox");
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
            if std::mem::replace(&mut damaged, report.damaged) < report.damaged {
                tracing::warn!(
                    patients = report.damaged,
                    "what is kept of patients does not open"
                );
            }
            if from_the_first.elapsed() > LOOK_AGAIN_EVERY {
                (behind, from_the_first) = (0, Instant::now());
            }
            tokio::select! {
                () = arrived.notified() => {}
                () = sleep(wait) => {}
            }
        }
    }
}
