//! Leases: of several processes on one database one holds a feed, or does a duty. The holder lets a
//! number go on; who sees it stand still for long enough, by their own clock, takes the lease. No
//! clocks are compared. Should a holder that was taken for dead come back, nothing is doubled or lost:
//! what two write at once is told apart by each patient's count.

use std::time::{Duration, Instant};

use super::Jobs;
use crate::db::params;
use crate::error::Error;
use crate::seal::random;

/// A holder goes on so often.
pub const BEAT: Duration = Duration::from_secs(1);
/// A holder that has not gone on for so long is taken for dead.
const PATIENCE: Duration = Duration::from_secs(4);

const SEEN: &str = "select holder, beat from lease where name = $1";
const TAKE: &str = "insert into lease (name, holder, beat) values ($1, $2, 1) on conflict (name) \
     do update set holder = excluded.holder, beat = lease.beat + 1 where lease.holder = $3 and lease.beat = $4";
const GO_ON: &str = "update lease set beat = beat + 1 where name = $1 and holder = $2";
const GIVE_BACK: &str =
    "update lease set holder = 0, beat = beat + 1 where name = $1 and holder = $2";

/// A lease that this process wants, or holds.
pub struct Lease {
    jobs: Jobs,
    name: String,
    me: i64,
    /// What was seen of another holder, and since when.
    seen: Option<(i64, i64, Instant)>,
}

impl Jobs {
    /// A lease by name; it is not held yet.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn lease(&self, name: &str) -> Result<Lease, Error> {
        Ok(Lease {
            jobs: self.clone(),
            name: name.to_owned(),
            me: i64::from_le_bytes(random()?) | 1,
            seen: None,
        })
    }
}

impl Lease {
    /// Whether other processes may want it too: an embedded database belongs to one machine.
    pub fn is_wanted(&self) -> bool {
        self.jobs.store.0.records.is_shared()
    }

    /// Tries to take the lease; to be called again and again, about every [`BEAT`]. One that
    /// nobody else wants is always free.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take(&mut self) -> Result<bool, Error> {
        let records = &self.jobs.store.0.records;
        if !self.is_wanted() {
            return Ok(true);
        }
        let row: Option<(i64, i64)> = records
            .fetch_optional(SEEN, params![self.name.as_str()])
            .await?;
        let (holder, beat) = row.unwrap_or_default();
        let still = match self.seen {
            Some((seen, at, since)) if (seen, at) == (holder, beat) => since.elapsed(),
            _ => {
                self.seen = Some((holder, beat, Instant::now()));
                Duration::ZERO
            }
        };
        if holder != 0 && holder != self.me && still < PATIENCE {
            return Ok(false);
        }
        let params = params![self.name.as_str(), self.me, holder, beat];
        Ok(records.execute(TAKE, params).await? == 1)
    }

    /// Lets the lease go on; whether it is still held.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn go_on(&self) -> Result<bool, Error> {
        let records = &self.jobs.store.0.records;
        if !self.is_wanted() {
            return Ok(true);
        }
        let params = params![self.name.as_str(), self.me];
        Ok(records.execute(GO_ON, params).await? == 1)
    }

    /// Gives the lease back, so that another process takes it at once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn give_back(&self) -> Result<(), Error> {
        let records = &self.jobs.store.0.records;
        if self.is_wanted() {
            let params = params![self.name.as_str(), self.me];
            records.execute(GIVE_BACK, params).await?;
        }
        Ok(())
    }
}
