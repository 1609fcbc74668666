//! Who saw what: an append-only hash chain per writer, with signed heads, in a database of its own.
//! Nothing is disclosed before its row is durable.
//!
//! One batch is in flight at a time and there is no timer: the next batch is what arrived meanwhile,
//! so one sync serves all who wait. The head is copied to the keys database within a second, so that
//! a cut tail is found too.

mod event;
mod verify;

use std::cell::Cell;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::time::Instant;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

pub use event::{Action, Event, Row};
pub use verify::{Damage, Verdict, Walk};

use crate::clock::Clock;
use crate::db::{Db, Insert, Type, params};
use crate::error::Error;
use crate::keys::Keys;
use crate::seal::{random, sha256};

const COPY_EVERY: Duration = Duration::from_millis(500);
/// A batch is one transaction; more than this waits for the next.
const BATCH: usize = 1_024;

const ROWS: Insert = Insert {
    table: "event",
    columns: &[
        ("writer", Type::Int),
        ("seq", Type::Int),
        ("previous", Type::Bytes),
        ("leaf", Type::Bytes),
        ("content", Type::Bytes),
        ("at", Type::Int),
        ("patient", Type::Int),
        ("person", Type::Int),
    ],
    conflict: "",
};

const HEAD: &str = "insert into head (writer, seq, leaf, signature) values ($1, $2, $3, $4) \
     on conflict (writer) do update set seq = excluded.seq, leaf = excluded.leaf, signature = excluded.signature";
const COPY: &str = "insert into audit_head (writer, seq, head, signature) values ($1, $2, $3, $4) \
     on conflict (writer) do update set seq = excluded.seq, head = excluded.head, signature = excluded.signature";
const VIEWED: &str = "insert into last_view (patient, person, at) values ($1, $2, $3) \
     on conflict (patient, person) do update set at = excluded.at";

tokio::task_local! {
    /// How many rows the work that is watched handed in.
    static HANDED_IN: Cell<usize>;
}

/// Does some work, and says how many rows it handed to the audit. Work that it spawned as tasks of
/// their own does not count.
pub async fn watched<T>(work: impl Future<Output = T>) -> (T, usize) {
    let counted = async { (work.await, HANDED_IN.with(Cell::get)) };
    HANDED_IN.scope(Cell::new(0), counted).await
}

/// Hash of a row; ties it to its place and to the row before.
fn leaf(writer: i64, seq: i64, previous: &[u8], content: &[u8]) -> [u8; 32] {
    sha256(&[
        &[0],
        &writer.to_le_bytes(),
        &seq.to_le_bytes(),
        previous,
        content,
    ])
}

/// What a head's signature says.
fn signed(writer: i64, seq: i64, leaf: &[u8]) -> Vec<u8> {
    [
        b"musubi audit head 1 ".as_slice(),
        &writer.to_le_bytes(),
        &seq.to_le_bytes(),
        leaf,
    ]
    .concat()
}

struct Waiting {
    event: Event,
    done: oneshot::Sender<Result<(), Error>>,
}

/// The audit of this process.
#[derive(Clone)]
pub struct Audit {
    db: Db,
    keys: Keys,
    clock: Clock,
    network_hash: [u8; 32],
    sender: mpsc::UnboundedSender<Option<Waiting>>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
    fails: Arc<AtomicBool>,
}

/// A row on its way to the disk.
#[must_use = "nothing may be disclosed before the row is durable"]
pub struct Pending(oneshot::Receiver<Result<(), Error>>);

impl Pending {
    /// Waits until the row is durable.
    pub async fn durable(self) -> Result<(), Error> {
        self.0.await.map_err(|_| Error::Unavailable("audit"))?
    }
}

impl Audit {
    pub(crate) fn open(
        db: Db,
        keys: Keys,
        clock: Clock,
        network_hash: [u8; 32],
    ) -> Result<Self, Error> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let fails = Arc::new(AtomicBool::new(false));
        let chain = Chain {
            fails: Arc::clone(&fails),
            db: db.clone(),
            keys: keys.clone(),
            writer: i64::from_le_bytes(random()?) & i64::MAX,
            seq: 0,
            leaf: [0; 32],
            copied: 0,
            viewed: Viewed::default(),
            is_told: false,
        };
        let writer = tokio::spawn(chain.run(receiver));
        Ok(Self {
            db,
            keys,
            clock,
            network_hash,
            sender,
            writer: Arc::new(Mutex::new(Some(writer))),
            fails,
        })
    }

    /// Hands a row to the writer; the caller may work on while it becomes durable.
    pub fn submit(&self, mut event: Event) -> Pending {
        let (done, waiting) = oneshot::channel();
        event.stamp(self.clock.now(), &self.network_hash);
        // Nobody watches the machine's own work.
        let _ = HANDED_IN.try_with(|rows| rows.set(rows.get() + 1));
        // A writer that is gone drops `done`, and the caller learns it when it waits.
        let _ = self.sender.send(Some(Waiting { event, done }));
        Pending(waiting)
    }

    /// Writes a row and waits until it is durable.
    pub async fn record(&self, event: Event) -> Result<(), Error> {
        self.submit(event).durable().await
    }

    /// Whether rows can be written. It is tried only after some could not.
    pub async fn answers(&self) -> bool {
        if !self.fails.load(Ordering::SeqCst) {
            return true;
        }
        // A row that says so is the proof.
        self.record(Event::new(Action::Resumed)).await.is_ok()
    }

    /// Query parameters as they may stand in a row; nothing when there are none.
    ///
    /// # Errors
    /// When they cannot be sealed.
    pub fn sealed(&self, parameters: &str) -> Result<Option<String>, Error> {
        if parameters.is_empty() {
            return Ok(None);
        }
        let sealed = self
            .keys
            .seal_office("audit parameters", parameters.as_bytes())?;
        Ok(Some(data_encoding::BASE64.encode(&sealed)))
    }

    /// Walks all chains and says what is wrong with them.
    pub async fn verify(&self) -> Result<Verdict, Error> {
        verify::run(&self.db, &self.keys).await
    }

    /// Rows of a period, oldest first, at most `limit`.
    pub async fn rows(&self, from: Instant, to: Instant, limit: u32) -> Result<Vec<Row>, Error> {
        let sql = "select content from event where at >= $1 and at < $2 order by at, writer, seq limit cast($3 as bigint)";
        let rows: Vec<(Vec<u8>,)> = self
            .db
            .fetch_all(sql, params![from, to, i64::from(limit)])
            .await?;
        rows.iter().map(|(content,)| Row::parse(content)).collect()
    }

    /// Day of the last view of a patient by anybody.
    pub async fn last_view(
        &self,
        patient: model::id::PatientNumber,
    ) -> Result<Option<Instant>, Error> {
        let sql = "select at from last_view where patient = $1 and person = 0";
        let row: Option<(i64,)> = self.db.fetch_optional(sql, params![patient]).await?;
        Ok(row.map(|(at,)| Instant(at)))
    }

    pub(crate) const fn db(&self) -> &Db {
        &self.db
    }

    /// Writes what waits, copies the head and stops the writer.
    pub(crate) async fn close(&self) {
        let _ = self.sender.send(None);
        if let Some(writer) = self.writer.lock().await.take() {
            let _ = writer.await;
        }
    }
}

/// The writer's end of its chain.
struct Chain {
    db: Db,
    keys: Keys,
    writer: i64,
    seq: i64,
    leaf: [u8; 32],
    copied: i64,
    viewed: Viewed,
    fails: Arc<AtomicBool>,
    /// The last batch, or the last copy, failed; that was said.
    is_told: bool,
}

/// Whose views of one day stand in `last_view` already: (patient, person).
#[derive(Default)]
struct Viewed {
    day: i64,
    pairs: HashSet<(i64, i64)>,
}

impl Viewed {
    fn has(&self, day: i64, pair: (i64, i64)) -> bool {
        self.day == day && self.pairs.contains(&pair)
    }

    /// A new day forgets the one before: each pair is written once a day, and memory does not grow
    /// with the days. Around midnight a row may come late; its day is over, so it is not kept.
    fn add(&mut self, day: i64, pair: (i64, i64)) {
        if day > self.day {
            *self = Self {
                day,
                pairs: HashSet::new(),
            };
        }
        if day == self.day {
            self.pairs.insert(pair);
        }
    }
}

impl Chain {
    async fn run(mut self, mut receiver: mpsc::UnboundedReceiver<Option<Waiting>>) {
        let mut last_copy = tokio::time::Instant::now();
        loop {
            let due = last_copy + COPY_EVERY;
            let first = tokio::select! {
                first = receiver.recv() => first.flatten(),
                () = tokio::time::sleep_until(due), if self.copied != self.seq => {
                    self.copy().await;
                    last_copy = tokio::time::Instant::now();
                    continue;
                }
            };
            let Some(first) = first else { break };
            let mut batch = vec![first];
            let mut closing = false;
            while batch.len() < BATCH
                && let Ok(next) = receiver.try_recv()
            {
                match next {
                    Some(waiting) => batch.push(waiting),
                    None => closing = true,
                }
            }
            self.commit(batch).await;
            if closing {
                break;
            }
        }
        self.copy().await;
    }

    async fn commit(&mut self, batch: Vec<Waiting>) {
        let events: Vec<&Event> = batch.iter().map(|waiting| &waiting.event).collect();
        let written = self.write(&events).await;
        let failed = written.is_err();
        self.fails.store(failed, Ordering::SeqCst);
        if let Err(error) = written {
            if !std::mem::replace(&mut self.is_told, true) {
                tracing::error!(%error, "audit rows cannot be written; nothing is disclosed until they can");
            }
            self.begin_anew().await;
        } else if std::mem::take(&mut self.is_told) {
            tracing::info!("audit rows are written again");
        }
        for waiting in batch {
            let _ = waiting.done.send(if failed {
                Err(Error::Unavailable("audit"))
            } else {
                Ok(())
            });
        }
    }

    /// Goes on with a chain of its own: whether the failed batch became durable is not known, and its
    /// numbers may be taken.
    async fn begin_anew(&mut self) {
        self.copy().await;
        if let Ok(writer) = random() {
            self.writer = i64::from_le_bytes(writer) & i64::MAX;
            (self.seq, self.leaf, self.copied) = (0, [0; 32], 0);
        }
    }

    async fn write(&mut self, events: &[&Event]) -> Result<(), Error> {
        let (mut seq, mut previous) = (self.seq, self.leaf);
        let mut rows = Vec::with_capacity(events.len());
        let mut views = Vec::new();
        for event in events {
            let content = event.canonical()?;
            seq += 1;
            let leaf = leaf(self.writer, seq, &previous, &content);
            let (at, patient, person) = (event.at(), event.patient_number(), event.person());
            rows.push(vec![
                self.writer.into(),
                seq.into(),
                previous.to_vec().into(),
                leaf.to_vec().into(),
                content.into(),
                at.into(),
                patient.into(),
                person.into(),
            ]);
            if event.is_view() {
                views.push((patient, person, at));
            }
            previous = leaf;
        }
        let signature = self.keys.sign(&signed(self.writer, seq, &previous));
        let mut tx = self.db.begin().await?;
        tx.insert_many(&ROWS, rows).await?;
        tx.execute(
            HEAD,
            params![self.writer, seq, previous.to_vec(), signature],
        )
        .await?;
        let mut seen = Vec::new();
        for (patient, person, at) in views {
            for person in [person, 0] {
                let day = at.0.div_euclid(86_400_000_000);
                if !self.viewed.has(day, (patient, person)) {
                    tx.execute(VIEWED, params![patient, person, at]).await?;
                    seen.push((day, (patient, person)));
                }
            }
        }
        tx.commit().await?;
        for (day, pair) in seen {
            self.viewed.add(day, pair);
        }
        (self.seq, self.leaf) = (seq, previous);
        Ok(())
    }

    async fn copy(&mut self) {
        if self.copied == self.seq {
            return;
        }
        let signature = self.keys.sign(&signed(self.writer, self.seq, &self.leaf));
        let params = params![self.writer, self.seq, self.leaf.to_vec(), signature];
        match self.keys.db().execute(COPY, params).await {
            Ok(_) => self.copied = self.seq,
            Err(error) => {
                if !std::mem::replace(&mut self.is_told, true) {
                    tracing::error!(%error, "the audit's head could not be copied to the keys database");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
