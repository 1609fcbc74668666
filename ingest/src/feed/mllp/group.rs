//! Group commit across connections: one group is in flight, and the next one is what arrived
//! meanwhile. No timer: a lonely message waits for nobody.

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

    /// Keeps a group, however long it takes; or tells that it cannot be kept.
    async fn keep(&mut self, mut group: Vec<Waiting>) {
        let mut wait = FIRST_WAIT;
        loop {
            let error = match self.receive(&group).await {
                Ok(received) => {
                    self.standing.is(Ok(()));
                    return self.answer(group, &received);
                }
                Err(error) => error,
            };
            self.standing.is(Err(&error));
            if self.on_failure == OnFailure::Error {
                for waiting in group {
                    let _ = waiting.answer.send(None);
                }
                return;
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            // Who is gone sends again.
            group.retain(|waiting| !waiting.answer.is_closed());
            if group.is_empty() {
                return;
            }
        }
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
