//! The door for records. A batch is one sync of the segment, then one transaction whose first
//! statement is a write and whose last reads the patients' epochs: a paper that came in between
//! stops the batch.
//!
//! | file | says |
//! | --- | --- |
//! | `change` | what is kept of a patient, and what changes of it |
//! | `known`, `bearing` | how it is looked up: all of some patients, or what bears on some messages |
//! | `head` | what a row says of a record |
//! | `rows`, `columns` | how a change becomes rows |
//! | `inbox` | pushed messages that wait to be accepted |
//! | `findings` | what was found in the files, counted |
//! | `receive` | how messages that a sender pushes are kept until a batch takes them |
//! | `received` | how they are counted |

mod bearing;
mod change;
mod columns;
mod findings;
mod head;
mod inbox;
mod known;
mod receive;
mod received;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::id::{FacilityId, PatientId, PatientNumber, RecordKey};
use model::record::{Kind, Record};
use model::time::Instant;

use crate::Store;
use crate::db::{Db, Tx, params};
use crate::error::Error;
use crate::frame::Frame;
use crate::keys::{Keys, PatientKey};

pub(crate) use columns::PATIENTS;

pub use bearing::{Bearing, Namesake, Touching};
pub use change::{
    FoundBy, Item, ItemChange, Joined, Known, Origin, Outcome, PatientChange, Publish, Slot,
    SlotChange, Standing, Taken,
};
pub use findings::RuleCount;
pub use head::Head;
pub(crate) use head::key as record_key;
pub use inbox::{Queue, Waiting};
pub(crate) use receive::Arrivals;
pub use receive::{Fate, Pushed, Received, Whose};
pub use received::{FateCount, Reception};

/// State of a record that was taken back: it is kept, and nobody sees it.
pub(crate) const WITHDRAWN: i64 = 0;
/// State of a record whose source is current.
pub(crate) const CURRENT: i64 = 1;
/// State of a record of which only superseded files remain.
pub(crate) const SUPERSEDED_ONLY: i64 = 2;
/// State of a diagnosis that its slot's current list no longer has.
pub(crate) const ABSENT: i64 = 3;

/// The door for records.
#[derive(Clone)]
pub struct Intake {
    store: Store,
}

impl Store {
    /// The door for machines that bring records.
    pub fn intake(&self) -> Intake {
        Intake {
            store: self.clone(),
        }
    }
}

/// What is kept of an item.
pub struct Content(Frame);

impl Content {
    /// The bytes as they came.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the frame is damaged, as below.
    pub fn raw(&self) -> Result<&[u8], Error> {
        self.0.raw()
    }

    /// The name under which they came.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn name(&self) -> Result<&str, Error> {
        self.0.name()
    }

    /// The records read from them.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn records(&self) -> Result<Vec<Record>, Error> {
        self.0.records()
    }

    /// Whether just these records were read from them.
    pub fn holds(&self, records: &[Record]) -> bool {
        self.0.holds(records)
    }
}

impl Intake {
    /// Digest of a slot.
    pub fn slot_digest(&self, facility: &FacilityId, slot: &str) -> i64 {
        self.store
            .0
            .keys
            .place("slot", &[&facility.number().to_le_bytes(), slot.as_bytes()])
    }

    /// Digest of a path without its flag, below one of a facility's roots.
    pub fn path_digest(&self, facility: &FacilityId, root: usize, path: &str) -> i64 {
        let root = u64::try_from(root).unwrap_or(u64::MAX).to_le_bytes();
        self.store.0.keys.place(
            "path",
            &[&facility.number().to_le_bytes(), &root, path.as_bytes()],
        )
    }

    /// Digest of an item's bytes, or of a short text that takes part in comparisons only.
    pub fn content_digest(&self, bytes: &[u8]) -> i64 {
        self.store.0.keys.place("content", &[bytes])
    }

    /// What is kept of a patient's items, in their order.
    ///
    /// # Errors
    /// As [`Intake::contents_of`].
    pub async fn contents(
        &self,
        patient: PatientNumber,
        items: &[Item],
    ) -> Result<Vec<Content>, Error> {
        let items: Vec<(PatientNumber, &Item)> = items.iter().map(|item| (patient, item)).collect();
        self.contents_of(&items).await
    }

    /// What is kept of items of some patients, in their order.
    ///
    /// # Errors
    /// [`Error::NotFound`] when a patient's key is gone, [`Error::Corrupt`] when a frame does not
    /// open.
    pub async fn contents_of(
        &self,
        items: &[(PatientNumber, &Item)],
    ) -> Result<Vec<Content>, Error> {
        let patients: BTreeSet<i64> = items.iter().map(|(patient, _)| patient.0).collect();
        let keys = self.keys(patients).await?;
        let sealed = |(patient, item): &(PatientNumber, &Item)| {
            let key = keys.get(patient).ok_or(Error::NotFound)?;
            let place = item.place.ok_or(Error::Corrupt("item without frame"))?;
            Ok((Arc::clone(key), place))
        };
        let sealed = items.iter().map(sealed).collect::<Result<_, Error>>()?;
        let frames = self.store.0.raw.read(sealed).await?;
        Ok(frames.into_iter().map(Content).collect())
    }

    /// The records of some patients at a facility that several items say together.
    ///
    /// # Errors
    /// [`Error::NotFound`] when a patient's key is gone, [`Error::Corrupt`] when one does not open.
    pub async fn joined(
        &self,
        patients: &[PatientNumber],
        facility: &FacilityId,
    ) -> Result<BTreeMap<PatientNumber, Vec<Record>>, Error> {
        let sql = "select patient, key, body from record where facility = $1 and segment = 0 and state <> 0 \
                   and category in (2, 8) and patient";
        let numbers = numbers(patients);
        let rows: Vec<(i64, i64, Vec<u8>)> =
            self.db().fetch_among_of(sql, facility, &numbers).await?;
        let keys = self.keys(rows.iter().map(|row| row.0).collect()).await?;
        let mut joined: BTreeMap<PatientNumber, Vec<Record>> = BTreeMap::new();
        for (patient, record, sealed) in rows {
            let patient = PatientNumber(patient);
            let key = keys.get(&patient).ok_or(Error::NotFound)?;
            let plain = key.open_body(RecordKey(record), &sealed)?;
            let record = serde_json::from_slice(&plain).map_err(|_| Error::Corrupt("record"))?;
            joined.entry(patient).or_default().push(record);
        }
        Ok(joined)
    }

    async fn keys(
        &self,
        patients: BTreeSet<i64>,
    ) -> Result<BTreeMap<PatientNumber, Arc<PatientKey>>, Error> {
        let patients: Vec<i64> = patients.into_iter().collect();
        self.store.0.keys.patients(&patients).await
    }

    /// Makes changes durable, all or nothing. Frames are durable before any row points to them.
    ///
    /// # Errors
    /// [`Error::StaleEpoch`] when a paper or another lane came in between: read [`Intake::known`] again.
    pub async fn accept(&self, mut changes: Vec<PatientChange>) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let keys = self.seal(&mut changes).await?;
        let taken: Vec<Taken> = changes
            .iter_mut()
            .map(|change| std::mem::take(&mut change.taken))
            .collect();
        let (rows, claims) = self.rows(changes, keys).await?;
        let mut tx = self.store.0.records.begin_write_first().await?;
        // INVARIANT: the first statement is a write; see `Db::begin_write_first`.
        claim(&mut tx, &claims).await?;
        rows.write(&mut tx).await?;
        inbox::take(&mut tx, taken).await?;
        let now = self.store.0.clock.now();
        for claim in &claims {
            claim.replace_joined(&mut tx, now).await?;
        }
        epochs_hold(&mut tx, &claims).await?;
        tx.commit().await
    }

    /// Turns changes into rows before the transaction begins, on a thread that may take its time.
    async fn rows(
        &self,
        changes: Vec<PatientChange>,
        keys: BTreeMap<PatientNumber, Arc<PatientKey>>,
    ) -> Result<(rows::Writer, Vec<Claim>), Error> {
        let store = self.store.clone();
        let work = move || {
            let mut writer = rows::Writer::new(store.0.keys.clone(), store.0.clock.now());
            for change in &changes {
                let key = keys.get(&change.patient).ok_or(Error::NotFound)?;
                writer.add(change, key)?;
            }
            let claims = changes
                .iter()
                .map(|change| Claim::of(change, &store.0.keys));
            Ok((writer, claims.collect()))
        };
        let written = tokio::task::spawn_blocking(work).await;
        written.map_err(|_| Error::Unavailable("row writer"))?
    }

    /// Seals and appends the frames of new items; their places go into the items.
    async fn seal(
        &self,
        changes: &mut [PatientChange],
    ) -> Result<BTreeMap<PatientNumber, Arc<PatientKey>>, Error> {
        let patients = changes.iter().map(|change| change.patient.0);
        let keys = self.keys(patients.collect()).await?;
        let mut frames = Vec::new();
        for change in changes.iter_mut() {
            let key = keys.get(&change.patient).ok_or(Error::StaleEpoch)?;
            for item in &mut change.items {
                if let Some(packed) = item.packed.take() {
                    frames.push((Arc::clone(key), packed));
                    item.item.place = None;
                }
            }
        }
        let mut places = self.store.0.raw.append(frames).await?.into_iter();
        for item in changes.iter_mut().flat_map(|change| &mut change.items) {
            if item.item.place.is_none() {
                item.item.place = Some(places.next().ok_or(Error::Corrupt("item without frame"))?);
            }
        }
        Ok(keys)
    }
}

fn numbers(patients: &[PatientNumber]) -> Vec<i64> {
    patients.iter().map(|patient| patient.0).collect()
}

/// What must still be so of a patient when a batch is written, and what the joins now give.
struct Claim {
    patient: PatientNumber,
    public: PatientId,
    facility: FacilityId,
    epoch: i64,
    joins: i64,
    joined: Option<BTreeSet<i64>>,
}

impl Claim {
    fn of(change: &PatientChange, keys: &Keys) -> Self {
        let key = |joined: &Joined| record_key(keys, &joined.record).0;
        Self {
            patient: change.patient,
            public: change.public,
            facility: change.facility.clone(),
            epoch: change.epoch,
            joins: change.joins,
            joined: change
                .joined
                .as_ref()
                .map(|joined| joined.iter().map(key).collect()),
        }
    }

    /// Withdraws joined records that the join no longer gives.
    async fn replace_joined(&self, tx: &mut Tx, now: Instant) -> Result<(), Error> {
        // Before the first claim nothing was joined.
        let Some(joined) = self.joined.as_ref().filter(|_| self.joins > 0) else {
            return Ok(());
        };
        let sql = "select key from record where patient = $1 and facility = $2 and segment = 0 and state <> 0 \
                   and category in (2, 8)";
        let kept: Vec<(i64,)> = tx
            .fetch_all(sql, params![self.patient, &self.facility])
            .await?;
        let gone = kept
            .into_iter()
            .map(|(key,)| key)
            .filter(|key| !joined.contains(key))
            .collect::<Vec<i64>>();
        rows::withdraw(tx, self.patient, &gone, now).await
    }
}

/// Kinds that are stored for joining and never shown.
pub(crate) const fn is_served(kind: Kind) -> bool {
    !matches!(kind, Kind::EncounterEvent | Kind::AllergyStatement)
}

/// Takes the patients' rows, and makes sure that nobody joined in between.
async fn claim(tx: &mut Tx, claims: &[Claim]) -> Result<(), Error> {
    let of: BTreeMap<i64, &Claim> = claims
        .iter()
        .map(|claim| (claim.patient.0, claim))
        .collect();
    let numbers: Vec<i64> = of.keys().copied().collect();
    // The locks come first, as in the erase pass: two orders would be a deadlock. Only PostgreSQL
    // has them, so on SQLite the first statement stays a write.
    tx.share_patients(&numbers).await?;
    let row = |claim: &Claim| {
        let joins = claim.joins.saturating_add(1);
        params![claim.patient, claim.public.0.to_vec(), joins].to_vec()
    };
    let rows = of.into_values().map(row).collect();
    let taken = tx.insert_many(&PATIENTS, rows).await?;
    if usize::try_from(taken) == Ok(claims.len()) {
        Ok(())
    } else {
        Err(Error::StaleEpoch)
    }
}

/// The last statement: whether the papers are still those that the batch was made under.
async fn epochs_hold(tx: &mut Tx, claims: &[Claim]) -> Result<(), Error> {
    let sql =
        "select p.number from q cross join office.patient p where p.number = q.a and p.epoch = q.b";
    let wanted = claims.iter().map(|claim| (claim.patient.0, claim.epoch));
    let wanted: Vec<(i64, i64)> = wanted.collect();
    let holding: Vec<(i64,)> = tx.fetch_pairs(sql, &wanted).await?;
    if holding.len() == wanted.len() {
        Ok(())
    } else {
        Err(Error::StaleEpoch)
    }
}

impl Intake {
    /// Numbers for the status of a facility's items that came in this way: all, withheld, kept only.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count(
        &self,
        facility: &FacilityId,
        origin: Origin,
    ) -> Result<(i64, i64, i64), Error> {
        let sql = "select count(*), count(case when outcome = 3 then 1 end), count(case when outcome = 2 then 1 end) \
                   from item where facility = $1 and origin = $2";
        let params = params![facility, origin as i64];
        let row: Option<(i64, i64, i64)> = self.db().fetch_optional(sql, params).await?;
        Ok(row.unwrap_or_default())
    }

    fn db(&self) -> &Db {
        &self.store.0.records
    }
}
