//! How feeds stand, for status and for the pause of mass changes.

use std::sync::PoisonError;

use model::time::Instant;

use super::Jobs;
use crate::db::params;
use crate::error::Error;

/// A person lets losses pass once.
const RESUMED: i64 = -1;

/// How a feed stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedStatus {
    /// End of the last sweep, if there was one.
    pub swept_at: Option<Instant>,
    /// Files that the last sweep read.
    pub items: i64,
    /// Of them withheld.
    pub withheld: i64,
    /// Whether the source could be reached.
    pub up: bool,
    /// Since when losses are paused.
    pub paused_since: Option<Instant>,
    /// Whether a person lets the next sweep's losses pass.
    pub resumed: bool,
}

const SWEPT: &str = "insert into feed_state (feed, swept_at, items, withheld, up, paused_since) values ($1, $2, $3, $4, 1, 0) \
     on conflict (feed) do update set swept_at = excluded.swept_at, items = excluded.items, \
     withheld = excluded.withheld, up = 1, \
     paused_since = case when feed_state.paused_since < 0 then 0 else feed_state.paused_since end";
const FAILED: &str = "insert into feed_state (feed, swept_at, items, withheld, up, paused_since) values ($1, 0, 0, 0, 0, 0) \
     on conflict (feed) do update set up = 0";
const UP: &str = "insert into feed_state (feed, swept_at, items, withheld, up, paused_since) values ($1, 0, 0, 0, 1, 0) \
     on conflict (feed) do update set up = 1";
const PAUSED: &str = "insert into feed_state (feed, swept_at, items, withheld, up, paused_since) values ($1, 0, 0, 0, 1, $2) \
     on conflict (feed) do update set paused_since = excluded.paused_since where feed_state.paused_since <= 0";

impl Jobs {
    /// How a feed stands.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feed(&self, feed: &str) -> Result<FeedStatus, Error> {
        let sql =
            "select swept_at, items, withheld, up, paused_since from feed_state where feed = $1";
        let row: Option<(i64, i64, i64, i64, i64)> = self
            .store
            .0
            .records
            .fetch_optional(sql, params![feed])
            .await?;
        let (swept, items, withheld, up, paused) = row.unwrap_or_default();
        Ok(FeedStatus {
            swept_at: (swept > 0).then_some(Instant(swept)),
            items,
            withheld,
            up: up != 0,
            paused_since: (paused > 0).then_some(Instant(paused)),
            resumed: paused == RESUMED,
        })
    }

    /// A sweep ended.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feed_swept(&self, feed: &str, items: usize, withheld: usize) -> Result<(), Error> {
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let params = params![
            feed,
            self.store.0.clock.now(),
            number(items),
            number(withheld)
        ];
        self.store.0.records.execute(SWEPT, params).await?;
        Ok(())
    }

    /// The source could not be read, or nothing that it pushes can be kept.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feed_failed(&self, feed: &str) -> Result<(), Error> {
        self.store.0.records.execute(FAILED, params![feed]).await?;
        Ok(())
    }

    /// Senders can push, and what they push is kept.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feed_listens(&self, feed: &str) -> Result<(), Error> {
        self.store.0.records.execute(UP, params![feed]).await?;
        Ok(())
    }

    /// Says whether a feed of this process cannot do its work. It is remembered in memory
    /// only: the database may be what is missing.
    pub fn set_stalled(&self, feed: &str, is_stalled: bool) {
        let stalled = self.store.0.stalled.lock();
        let mut stalled = stalled.unwrap_or_else(PoisonError::into_inner);
        if is_stalled {
            stalled.insert(feed.to_owned());
        } else {
            stalled.remove(feed);
        }
    }

    /// The feeds of this process that cannot keep what their senders push.
    pub fn stalled(&self) -> Vec<String> {
        let stalled = self.store.0.stalled.lock();
        let stalled = stalled.unwrap_or_else(PoisonError::into_inner);
        stalled.iter().cloned().collect()
    }

    /// Too much would be taken away at once: nothing is, until a person looked.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn pause_feed(&self, feed: &str) -> Result<(), Error> {
        self.store
            .0
            .records
            .execute(PAUSED, params![feed, self.store.0.clock.now()])
            .await?;
        Ok(())
    }

    /// A person looked: the next sweep's losses pass. Whether the feed was paused.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn resume_feed(&self, feed: &str) -> Result<bool, Error> {
        let sql = "update feed_state set paused_since = $2 where feed = $1 and paused_since > 0";
        Ok(self
            .store
            .0
            .records
            .execute(sql, params![feed, RESUMED])
            .await?
            > 0)
    }
}
