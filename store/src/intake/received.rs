//! What senders pushed, in numbers, and how long what nobody can say whose it is stays. Nothing here
//! names a patient.

use model::feed::Feed;
use model::time::Instant;

use super::{Fate, Intake, RuleCount};
use crate::db::{Insert, Type, params};
use crate::error::Error;
use crate::jobs::Jobs;

pub(super) const COUNTS: Insert = Insert {
    table: "reception_count",
    columns: &[
        ("feed", Type::Text),
        ("day", Type::Int),
        ("fate", Type::Int),
        ("kind", Type::Text),
        ("count", Type::Int),
    ],
    conflict: "on conflict (feed, day, fate, kind) do update set count = reception_count.count + excluded.count",
};

const DAY: i64 = 24 * 60 * 60;
/// Whole days that a message stays in quarantine.
const QUARANTINE_DAYS: i64 = 30;
/// Days of which counts are kept: this year and the same day of the last one.
const COUNTED_DAYS: i64 = 400;

/// How often messages of one kind met one fate on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FateCount {
    /// The first moment of the day.
    pub day: Instant,
    /// What became of them.
    pub fate: Fate,
    /// Message type and event, or `other`.
    pub kind: String,
    /// How many.
    pub count: i64,
}

/// What a sender pushed, in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reception {
    /// When the last message came.
    pub last: Option<Instant>,
    /// The newest day first.
    pub counts: Vec<FateCount>,
    /// Messages that wait in the inbox for a batch.
    pub waiting: i64,
    /// When the oldest of them came.
    pub oldest: Option<Instant>,
    /// Further ones, which wait for the papers to change: their link is not proved, or was refused.
    pub held: i64,
    /// Messages in quarantine, by rule.
    pub quarantined: Vec<RuleCount>,
}

impl Intake {
    /// What a feed received, in numbers.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn reception(&self, feed: &Feed) -> Result<Reception, Error> {
        let feed = params![feed.id.as_str()];
        let sql = "select day, fate, kind, count from reception_count where feed = $1 \
                   order by day desc, fate, kind";
        let counts: Vec<(i64, i64, String, i64)> = self.db().fetch_all(sql, feed).await?;
        let sql = "select count(*), coalesce(cast(sum(held) as bigint), 0), coalesce(min(case when held = 0 then received_at end), 0) from \
                   (select received_at, (select count(*) from office.patient p \
                   where p.number = inbox.patient and p.epoch = inbox.held) as held from inbox where feed = $1) as waits";
        let waiting: Option<(i64, i64, i64)> = self.db().fetch_optional(sql, feed).await?;
        let (all, held, oldest) = waiting.unwrap_or_default();
        let waiting = all - held;
        let sql = "select rule, count(*), max(received_at) from quarantine where feed = $1 \
                   group by rule order by count(*) desc, rule";
        let quarantined = self.db().fetch_all(sql, feed).await?;
        let sql = "select arrival from reception where feed = $1";
        let last: Option<(i64,)> = self.db().fetch_optional(sql, feed).await?;
        Ok(Reception {
            // Arrivals are numbered by the clock.
            last: last.map(|(arrival,)| Instant(arrival)),
            counts: counts
                .into_iter()
                .map(FateCount::of)
                .collect::<Result<_, _>>()?,
            waiting,
            oldest: (waiting > 0).then_some(Instant(oldest)),
            held,
            quarantined: quarantined.into_iter().map(RuleCount::of).collect(),
        })
    }
}

impl FateCount {
    fn of((day, fate, kind, count): (i64, i64, String, i64)) -> Result<Self, Error> {
        let fates = [
            Fate::Kept,
            Fate::NotOnFile,
            Fate::Quarantined,
            Fate::Refused,
        ];
        let fate = fates.into_iter().find(|known| *known as i64 == fate);
        Ok(Self {
            day: Instant(day),
            fate: fate.ok_or(Error::Corrupt("fate"))?,
            kind,
            count,
        })
    }
}

impl Jobs {
    /// Forgets what has been in quarantine for thirty days, and counts that are over a year old. To
    /// be called once a day. How many messages went.
    ///
    /// # Errors
    /// When a database does not answer; the next call does the rest.
    pub async fn empty_quarantine(&self) -> Result<u64, Error> {
        let shared = &self.store().0;
        let today = Instant::start_of(shared.clock.now().day());
        let last = today.plus_seconds(-DAY * (QUARANTINE_DAYS + 1));
        // The keys go first: without them the rows say nothing, wherever a copy of them is.
        shared.keys.shred_quarantine(last).await?;
        let sql = "delete from quarantine where day <= $1";
        let gone = shared.records.execute(sql, params![last]).await?;
        let counted = today.plus_seconds(-DAY * COUNTED_DAYS);
        let sql = "delete from reception_count where day < $1";
        shared.records.execute(sql, params![counted]).await?;
        Ok(gone)
    }
}
