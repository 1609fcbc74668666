//! Group commit across connections: one group is in flight, and the next one is what arrived
//! meanwhile. No timer: a lonely message waits for nobody.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::feed::{Feed, OnFailure};
use store::{Error, Fate, Pushed, Received, Store};
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc, oneshot};

/// Messages of one group at most.
const MOST: usize = 512;
/// Bytes of one group at most, unless one message alone has more.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A store that takes longer than this is said not to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// While the store does not answer it is tried again so soon, then less and less often.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// A sender whose message is held back does not come again sooner.
const HELD_BACK: Duration = Duration::from_secs(1);

/// A message that waits for its answer.
pub(super) struct Waiting {
    pub(super) pushed: Pushed,
    /// What became of it; nothing while the store does not answer and the sender is to be told so.
    pub(super) answer: oneshot::Sender<Option<Received>>,
    /// The place of a large message: its bytes are here, whether its sender is still there or not.
    pub(super) _place: Option<Arc<OwnedSemaphorePermit>>,
}

/// Makes groups durable.
pub(super) struct Groups {
    pub(super) feed: Arc<Feed>,
    pub(super) store: Store,
    pub(super) on_failure: OnFailure,
    /// Told when something waits in the inbox.
    pub(super) kept: Arc<Notify>,
    pub(super) standing: Standing,
}

impl Groups {
    /// Runs until nobody can bring a message any more.
    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Waiting>) {
        let mut arrived = Vec::new();
        while queue.recv_many(&mut arrived, MOST).await > 0 {
            while !arrived.is_empty() {
                let rest = arrived.split_off(first_group(&arrived));
                let group = std::mem::replace(&mut arrived, rest);
                self.keep(group).await;
            }
        }
    }

    /// Keeps a group. Where one patient is the trouble, its halves, and their halves, until the messages
    /// are found that must be held back; then everything else of that patient is held back too, because
    /// the order of a patient's messages tells which one counts.
    async fn keep(&mut self, group: Vec<Waiting>) {
        let (mut groups, mut troubled) = (vec![group], BTreeSet::new());
        while let Some(group) = groups.pop() {
            let is_held_back = |waiting: &Waiting| {
                let local = waiting.pushed.local();
                local.is_some_and(|local| troubled.contains(local))
            };
            let (held_back, group): (Vec<Waiting>, Vec<Waiting>) =
                group.into_iter().partition(is_held_back);
            held_back.into_iter().for_each(|one| self.hold_back(one));
            if group.is_empty() {
                continue;
            }
            let mut left = self.keep_together(group).await;
            let second = left.split_off(left.len() / 2);
            match (left.is_empty(), second) {
                (true, second) => {
                    for one in second {
                        troubled.extend(one.pushed.local().cloned());
                        self.hold_back(one);
                    }
                }
                (false, second) => groups.extend([second, left]),
            }
        }
    }

    /// Keeps a group, however long it takes, or tells that it cannot be kept. Gives it back where a
    /// patient is being erased or what is kept of one does not open: others need not wait for that.
    async fn keep_together(&mut self, mut group: Vec<Waiting>) -> Vec<Waiting> {
        let mut wait = FIRST_WAIT;
        loop {
            let error = match self.receive(&group).await {
                Ok(received) => {
                    self.standing.is(Ok(()));
                    self.answer(group, &received);
                    return Vec::new();
                }
                Err(Error::StaleEpoch | Error::NotFound | Error::Corrupt(_)) => return group,
                Err(error) => error,
            };
            self.standing.is(Err(&error));
            if self.on_failure == OnFailure::Error {
                group.into_iter().for_each(refuse);
                return Vec::new();
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            // Who is gone sends again.
            group.retain(|waiting| !waiting.answer.is_closed());
            if group.is_empty() {
                return group;
            }
        }
    }

    /// A message that cannot be kept now, for a reason of its patient alone: its sender is told so, or
    /// finds its connection ended a moment later and sends it again.
    fn hold_back(&self, waiting: Waiting) {
        tracing::warn!(feed = %self.feed.id, "a message cannot be kept now because of what stands of its patient");
        if self.on_failure == OnFailure::Error {
            return refuse(waiting);
        }
        tokio::spawn(async move {
            tokio::time::sleep(HELD_BACK).await;
            drop(waiting);
        });
    }

    async fn receive(&mut self, group: &[Waiting]) -> Result<Vec<Received>, Error> {
        let pushed = group.iter().map(|waiting| waiting.pushed.clone()).collect();
        let intake = self.store.intake();
        let mut receiving = std::pin::pin!(intake.receive(&self.feed, pushed));
        match tokio::time::timeout(PATIENCE, &mut receiving).await {
            Ok(received) => received,
            Err(_) => {
                self.standing.is(Err(&Error::Unavailable("answer in time")));
                receiving.await
            }
        }
    }

    fn answer(&self, group: Vec<Waiting>, received: &[Received]) {
        for (waiting, received) in group.into_iter().zip(received) {
            // Who is gone sends again, and is told the same.
            let _ = waiting.answer.send(Some(*received));
        }
        if received.iter().any(|received| received.fate == Fate::Kept) {
            self.kept.notify_one();
        }
    }
}

/// Says that a message cannot be kept. Who is gone sends again.
fn refuse(waiting: Waiting) {
    let _ = waiting.answer.send(None);
}

/// How many of the messages make the next group.
fn first_group(arrived: &[Waiting]) -> usize {
    let mut bytes = 0;
    let fits = |waiting: &&Waiting| {
        bytes += waiting.pushed.raw.len();
        bytes <= MOST_BYTES
    };
    arrived.iter().take_while(fits).count().max(1)
}

/// Whether a feed can do its work, as log, metrics and readiness say it.
pub(super) struct Standing {
    feed: Arc<Feed>,
    store: Store,
    is_up: Option<bool>,
}

impl Standing {
    /// Nothing is known yet.
    pub(super) const fn new(feed: Arc<Feed>, store: Store) -> Self {
        Self {
            feed,
            store,
            is_up: None,
        }
    }

    /// Says how it is, once each time that it changes.
    pub(super) fn is(&mut self, now: Result<(), &dyn std::error::Error>) {
        if self.is_up == Some(now.is_ok()) {
            return;
        }
        match now {
            Ok(()) if self.is_up.is_none() => {}
            Ok(()) => tracing::info!("what senders push is kept again"),
            Err(error) => {
                tracing::error!(%error, "nothing that senders push can be kept; nothing is acknowledged until it can");
            }
        }
        self.is_up = Some(now.is_ok());
        let up = if now.is_ok() { 1.0 } else { 0.0 };
        metrics::gauge!("musubi_source_up", "feed" => self.feed.id.clone()).set(up);
        let (jobs, feed, listens) = (self.store.jobs(), self.feed.id.clone(), now.is_ok());
        jobs.set_stalled(&feed, !listens);
        // For the status of other processes; this one goes on without it.
        tokio::spawn(async move {
            let said = async {
                if listens {
                    jobs.feed_listens(&feed).await
                } else {
                    jobs.feed_failed(&feed).await
                }
            };
            let _ = tokio::time::timeout(PATIENCE, said).await;
        });
    }
}
