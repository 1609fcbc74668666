//! Counters of failed attempts. Names and addresses stand here as blind tokens, whether or not such
//! an account exists. What a counter leads to is decided by the caller.

use super::{Accounts, Error, Instant};
use crate::db::params;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// Passwords for one account name.
    Password,
    /// One-time codes for one account name.
    Totp,
    /// Attempts from one network address.
    Address,
}

impl Throttle {
    const fn number(self) -> i64 {
        match self {
            Self::Password => 1,
            Self::Totp => 2,
            Self::Address => 3,
        }
    }
}

/// How often somebody failed lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counter {
    /// Failures since `window_start`.
    pub failures: i64,
    /// Start of the short window.
    pub window_start: Instant,
    /// Failures since `day_start`.
    pub day_failures: i64,
    /// Start of the day.
    pub day_start: Instant,
    /// Until when nothing more is tried; [`Instant::MAX`] until somebody unlocks it.
    pub blocked_until: Instant,
}

/// Somebody else changed the counter this often in between: no honest person does that.
const TRIES: usize = 16;

impl Accounts {
    /// Changes a counter; what `change` answers. No two calls see the same counter, on no machine, so
    /// attempts that come at once are counted one after another.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many attempts come at once.
    pub async fn count<T>(
        &self,
        kind: Throttle,
        subject: &str,
        change: impl Fn(&mut Counter) -> T,
    ) -> Result<T, Error> {
        let subject = self.0.keys.blind("throttle", subject);
        for _ in 0..TRIES {
            let before = self.counter(kind, subject).await?;
            let mut after = before;
            let answer = change(&mut after);
            if before == after || self.replace(kind, subject, &before, &after).await? {
                return Ok(answer);
            }
        }
        Err(Error::Unavailable("too many attempts at once"))
    }

    async fn counter(&self, kind: Throttle, subject: i64) -> Result<Counter, Error> {
        let sql = "select failures, window_start, day_failures, day_start, blocked_until \
                   from throttle where subject = $1 and kind = $2";
        let row: Option<(i64, i64, i64, i64, i64)> = self
            .0
            .office
            .fetch_optional(sql, params![subject, kind.number()])
            .await?;
        let counter = |(failures, window_start, day_failures, day_start, blocked_until)| Counter {
            failures,
            window_start: Instant(window_start),
            day_failures,
            day_start: Instant(day_start),
            blocked_until: Instant(blocked_until),
        };
        Ok(row.map(counter).unwrap_or_default())
    }

    /// Writes a counter if it still is what was read.
    async fn replace(
        &self,
        kind: Throttle,
        subject: i64,
        before: &Counter,
        after: &Counter,
    ) -> Result<bool, Error> {
        let sql = "insert into throttle (subject, kind, failures, window_start, day_failures, \
                                         day_start, blocked_until) \
                   values ($1, $2, $3, $4, $5, $6, $7) on conflict (subject, kind) do update set \
                       failures = excluded.failures, window_start = excluded.window_start, \
                       day_failures = excluded.day_failures, day_start = excluded.day_start, \
                       blocked_until = excluded.blocked_until \
                   where throttle.failures = $8 and throttle.window_start = $9 \
                     and throttle.day_failures = $10 and throttle.day_start = $11 \
                     and throttle.blocked_until = $12";
        let params = params![
            subject,
            kind.number(),
            after.failures,
            after.window_start,
            after.day_failures,
            after.day_start,
            after.blocked_until,
            before.failures,
            before.window_start,
            before.day_failures,
            before.day_start,
            before.blocked_until
        ];
        Ok(self.0.office.execute(sql, params).await? == 1)
    }

    /// Takes back what was counted against an account name, because the help desk knows the person,
    /// and closes the task that asked for it.
    pub async fn unlock(&self, login: &super::Login) -> Result<(), Error> {
        let subject = self.0.keys.blind("throttle", login.as_str());
        let sql = "delete from throttle where subject = $1";
        self.0.office.execute(sql, params![subject]).await?;
        self.close_lock(login).await
    }

    /// Forgets counters that hold nobody and began a day ago.
    pub async fn forget_old_counters(&self) -> Result<(), Error> {
        let now = self.0.clock.now();
        let sql = "delete from throttle where blocked_until <= $1 and day_start <= $2";
        let day_ago = now.plus_seconds(-24 * 60 * 60);
        self.0.office.execute(sql, params![now, day_ago]).await?;
        Ok(())
    }
}
