//! Messages that a sender pushes: whoever is told that one is kept must be able to rely on it, so a
//! group of them is one durable transaction before any is answered. What is kept stands sealed in the
//! inbox until a batch takes it; of patients who are not on file nothing is written but a count.
//!
//! Papers are asked afresh for each group, and once more before its transaction ends: a message that
//! comes right after a consent is kept, and one that comes after a withdrawal is not. The first
//! statement is a write and the patients' locks are held, as in `accept`, so whatever was written
//! under papers that end meanwhile is there when the erase job looks.

mod group;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::feed::Feed;
use model::id::{LocalPatientId, PatientNumber};
use model::time::Instant;

use super::Intake;
use super::received::COUNTS;
use crate::db::{Tx, params};
use crate::error::Error;
use crate::jobs::{ERASE, Newcomer};
use crate::keys::{PatientKey, QuarantineKey};
use crate::papers::{OnFile, on_file};
use group::{Group, INBOX, QUARANTINE, Sealed};

/// So often a group begins again because a paper, or another process, came in between.
const ATTEMPTS: usize = 8;
/// A message as a sender pushed it. Cheap to clone.
#[derive(Clone)]
pub struct Pushed {
    /// The bytes as they came.
    pub raw: Arc<Vec<u8>>,
    /// The control id (MSH-10) as it came; empty when there is none.
    pub control: Vec<u8>,
    /// Message type and event, e.g. `ADT^A08`, or `other`: one of few ASCII words, by which it is
    /// counted.
    pub kind: String,
    /// Whose it is.
    pub whose: Whose,
}

/// Whose a message is, as far as it can be told before anything is kept.
#[derive(Clone)]
pub enum Whose {
    /// The patient of this number.
    Of(LocalPatientId),
    /// That cannot be told; a rule says why. `answer` is what the sender will be told (MSA-1).
    Unknown {
        /// Id of the rule.
        rule: &'static str,
        /// What the sender will be told.
        answer: &'static str,
    },
    /// It does not matter: the sender is told that nothing is kept.
    Refused,
}

/// What became of a message. It is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Ascends with every message of every feed.
    pub arrival: i64,
    /// When.
    pub at: Instant,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Sealed under its patient's key, in the inbox.
    Kept = 1,
    /// Not kept: no paper in force names its patient.
    NotOnFile = 2,
    /// Sealed under the key of the feed's quarantine.
    Quarantined = 3,
    /// Not kept, as its sender is told.
    Refused = 4,
}

/// The last arrival number that this process used.
#[derive(Default)]
pub(crate) struct Arrivals(AtomicI64);

impl Arrivals {
    /// The first of so many numbers: the clock's microseconds, or behind the last one.
    fn take(&self, now: Instant, count: i64) -> i64 {
        let next = |last: i64| now.0.max(last.saturating_add(1));
        let last_of = |last| Some(next(last).saturating_add(count - 1));
        let (set, fetched) = (Ordering::SeqCst, Ordering::SeqCst);
        match self.0.fetch_update(set, fetched, last_of) {
            Ok(last) | Err(last) => next(last),
        }
    }

    fn are_behind(&self, last: i64) {
        self.0.fetch_max(last, Ordering::SeqCst);
    }
}

impl Intake {
    /// Makes messages of a feed durable, all or none, in their order; what became of each.
    ///
    /// # Errors
    /// [`Error::StaleEpoch`] when somebody's papers keep changing, or somebody is being erased who has
    /// consented anew; [`Error::Corrupt`] when the key of one does not open.
    /// When a database does not answer: none may be acknowledged.
    pub async fn receive(&self, feed: &Feed, pushed: Vec<Pushed>) -> Result<Vec<Received>, Error> {
        if pushed.is_empty() {
            return Ok(Vec::new());
        }
        for _ in 1..ATTEMPTS {
            match self.receive_under(feed, pushed.clone()).await {
                Err(Error::StaleEpoch) => {}
                received => return received,
            }
        }
        self.receive_under(feed, pushed).await
    }

    /// As [`Intake::receive`], unless the papers change meanwhile.
    async fn receive_under(
        &self,
        feed: &Feed,
        pushed: Vec<Pushed>,
    ) -> Result<Vec<Received>, Error> {
        let owners = self.owners(&pushed).await?;
        let at = self.store.0.clock.now();
        let count = i64::try_from(pushed.len()).unwrap_or(i64::MAX);
        let group = Group {
            first: self.store.0.arrivals.take(at, count),
            at,
            feed: feed.clone(),
            patients: self.patients(&owners).await?,
            quarantine: self.quarantine_key(feed, &pushed, at).await?,
            pushed,
            owners,
        };
        let keys = self.store.0.keys.clone();
        let sealed = tokio::task::spawn_blocking(move || group.seal(&keys));
        let sealed = sealed.await.map_err(|_| Error::Unavailable("sealing"))??;
        self.write(feed, sealed).await
    }

    /// Who of the messages' patients is on file, in their order.
    async fn owners(&self, pushed: &[Pushed]) -> Result<Vec<Option<OnFile>>, Error> {
        let named = pushed.iter().filter_map(Pushed::local);
        let found = on_file(&self.store.0, &named.collect::<Vec<_>>()).await?;
        let mut found = found.into_iter();
        let owner = |message: &Pushed| message.local().and_then(|_| found.next().flatten());
        Ok(pushed.iter().map(owner).collect())
    }

    /// The keys of patients. Who has none yet, because the paper is that new, gets one.
    async fn patients(
        &self,
        owners: &[Option<OnFile>],
    ) -> Result<BTreeMap<PatientNumber, Arc<PatientKey>>, Error> {
        let keys = &self.store.0.keys;
        let wanted: BTreeMap<i64, OnFile> = owners
            .iter()
            .flatten()
            .map(|owner| (owner.patient.0, *owner))
            .collect();
        let numbers: Vec<i64> = wanted.keys().copied().collect();
        let mut found = keys.patients(&numbers).await?;
        let fresh: Vec<Newcomer> = wanted
            .values()
            .filter(|owner| !found.contains_key(&owner.patient))
            .map(|owner| (owner.patient, owner.public, owner.epoch))
            .collect();
        if !fresh.is_empty() {
            self.store.jobs().introduce(&fresh).await?;
            let numbers: Vec<i64> = fresh.iter().map(|(patient, ..)| patient.0).collect();
            found.extend(keys.patients(&numbers).await?);
        }
        Ok(found)
    }

    /// Today's key of the feed's quarantine, when some message needs it.
    async fn quarantine_key(
        &self,
        feed: &Feed,
        pushed: &[Pushed],
        at: Instant,
    ) -> Result<Option<QuarantineKey>, Error> {
        let is_unknown = |message: &Pushed| matches!(message.whose, Whose::Unknown { .. });
        if !pushed.iter().any(is_unknown) {
            return Ok(None);
        }
        let day = Instant::start_of(at.day());
        let key = self.store.0.keys.ensure_quarantine(&feed.id, day).await?;
        Ok(Some(key))
    }

    async fn write(&self, feed: &Feed, group: Sealed) -> Result<Vec<Received>, Error> {
        let mut tx = self.db().begin_write_first().await?;
        let patients: Vec<i64> = group.epochs.iter().map(|(patient, _)| *patient).collect();
        // The locks come first, as in the erase pass: two orders would be a deadlock.
        tx.share_patients(&patients).await?;
        // INVARIANT: the first statement is a write; see `Db::begin_write_first`.
        if !number(&mut tx, &feed.id, &group.received).await? {
            drop(tx);
            self.catch_up(&feed.id).await?;
            return Err(Error::StaleEpoch);
        }
        tx.insert_many(&INBOX, group.inbox).await?;
        tx.insert_many(&QUARANTINE, group.quarantine).await?;
        tx.insert_many(&COUNTS, group.counts).await?;
        let sql = "select number, epoch from office.patient where number";
        let epochs: Vec<(i64, i64)> = tx.fetch_among(sql, &patients).await?;
        if epochs.into_iter().collect::<BTreeSet<_>>() != group.epochs {
            return Err(Error::StaleEpoch);
        }
        if self.are_erased(&mut tx, &patients).await? {
            return Err(Error::StaleEpoch);
        }
        tx.commit().await?;
        Ok(group.received)
    }

    /// Whether somebody is being erased who has a new paper already. The old key takes with it what is
    /// sealed under it, and a message that was acknowledged does not come again.
    async fn are_erased(&self, tx: &mut Tx, patients: &[i64]) -> Result<bool, Error> {
        let sql = "select kind, due_at from job where patient";
        let jobs: Vec<(i64, i64)> = tx.fetch_among(sql, patients).await?;
        let now = self.store.0.clock.now().0;
        Ok(jobs.iter().any(|(kind, due)| *kind == ERASE && *due <= now))
    }

    /// Another process has used higher numbers, or the clock was set back.
    async fn catch_up(&self, feed: &str) -> Result<(), Error> {
        let sql = "select arrival from reception where feed = $1";
        let row: Option<(i64,)> = self.db().fetch_optional(sql, params![feed]).await?;
        if let Some((last,)) = row {
            self.store.0.arrivals.are_behind(last);
        }
        Ok(())
    }
}

/// Notes the last number of a group; false when somebody has used higher ones than its first.
async fn number(tx: &mut Tx, feed: &str, received: &[Received]) -> Result<bool, Error> {
    let sql = "insert into reception (feed, arrival) values ($1, $2) \
               on conflict (feed) do update set arrival = excluded.arrival where reception.arrival < $3";
    let first = received.first().map_or(0, |first| first.arrival);
    let last = received.last().map_or(0, |last| last.arrival);
    Ok(tx.execute(sql, params![feed, last, first]).await? == 1)
}

impl Pushed {
    /// The patient's number, when it is known.
    pub const fn local(&self) -> Option<&LocalPatientId> {
        match &self.whose {
            Whose::Of(local) => Some(local),
            Whose::Unknown { .. } | Whose::Refused => None,
        }
    }
}

#[cfg(test)]
mod tests;
