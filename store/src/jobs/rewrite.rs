//! Giving back what erased frames leave in segments. Frames that rows still point to are sealed anew
//! into another segment, made durable there, and the rows follow in one transaction; the old one goes
//! when nothing has pointed to it for a while. A crash between two steps leaves dead bytes or a segment
//! without rows, and the next run begins again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::id::PatientNumber;
use model::time::Instant;

use super::Jobs;
use crate::db::params;
use crate::error::Error;
use crate::raw::{Place, Stored, Unsealed, is_small};

/// A segment is rewritten when more of it is dead.
const DEAD_PERCENT: i64 = 30;
/// A batch that is being accepted and a reader with places in hand are done in less, and so is a
/// backup that copied the rows first.
const UNUSED_SECONDS: i64 = 7 * 24 * 60 * 60;
/// Rows of so many bytes follow in one transaction; a batch of a feed waits no longer than for that.
const PORTION: i64 = 1024 * 1024;

/// Bytes that rows point to, by segment. Who withdrew a record reads its frame no more.
const LIVE: &str = "select segment, cast(sum(frame_length) as bigint) from \
     (select patient, segment, frame_at, frame_length from item \
     union select patient, segment, frame_at, frame_length from record where segment <> 0 and state <> 0) as live \
     group by segment";
const ITEMS: &str =
    "select patient, slot, path, frame_at, frame_length from item where segment = $1";
const RECORDS: &str =
    "select patient, key, frame_at, frame_length from record where segment = $1 and state <> 0";
const MOVE_ITEM: &str = "update item set segment = $6, frame_at = $7, frame_length = $8 \
     where patient = $1 and slot = $2 and path = $3 and segment = $4 and frame_at = $5";
const MOVE_RECORD: &str = "update record set segment = $5, frame_at = $6, frame_length = $7 \
     where patient = $1 and key = $2 and segment = $3 and frame_at = $4";

/// What became of the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rewritten {
    /// Segments whose living frames were moved.
    pub moved: usize,
    /// Segments that were removed.
    pub removed: usize,
    /// Segments that could not be rewritten and stay as they are.
    pub failed: usize,
}

/// Whose frame begins where in a segment.
pub(super) type Frame = (PatientNumber, i64);

/// What points into a segment.
#[derive(Default)]
pub(super) struct Pointing {
    /// With slot and path.
    items: BTreeMap<Frame, Vec<(i64, i64)>>,
    /// With the key.
    records: BTreeMap<Frame, Vec<i64>>,
    pub(super) lengths: BTreeMap<Frame, i64>,
}

/// Frames that stand in another segment as well, durable.
pub(super) type Copied = BTreeMap<Frame, Place>;

impl Jobs {
    /// Rewrites segments of which too much is dead, and removes those to which nothing points any
    /// more. To be called once a day, while everything else goes on.
    ///
    /// # Errors
    /// When the database or the place of the segments does not answer; nothing is lost then.
    pub async fn rewrite(&self) -> Result<Rewritten, Error> {
        // Segments first: what comes after is young, and nobody removes it.
        let stored = self.store.0.raw.stored().await?;
        let live = self.live().await?;
        let mut rewritten = Rewritten::default();
        for segment in stored {
            match live.get(&segment.number) {
                None => rewritten.removed += usize::from(self.remove(segment).await?),
                // What waits to be packed gives its dead bytes back there.
                Some(_) if is_small(segment.number) => {}
                Some(live) if is_wasteful(segment.size, *live) => {
                    match self.rewrite_segment(segment.number).await {
                        Ok(()) => rewritten.moved += 1,
                        Err(error) => {
                            tracing::error!(%error, "a segment could not be rewritten; it stays as it is");
                            rewritten.failed += 1;
                        }
                    }
                }
                Some(_) => {}
            }
        }
        Ok(rewritten)
    }

    async fn live(&self) -> Result<BTreeMap<i64, i64>, Error> {
        let rows: Vec<(i64, i64)> = self.store.0.records.fetch_all(LIVE, params![]).await?;
        Ok(rows.into_iter().collect())
    }

    async fn remove(&self, segment: Stored) -> Result<bool, Error> {
        let unused: Instant = segment.modified.plus_seconds(UNUSED_SECONDS);
        if unused > self.store.0.clock.now() {
            return Ok(false);
        }
        self.store.0.raw.remove(segment.number).await
    }

    async fn rewrite_segment(&self, segment: i64) -> Result<(), Error> {
        self.store.0.raw.finish(segment).await;
        let pointing = self.pointing(segment).await?;
        for portion in portions(&pointing.lengths, self.store.0.raw.portion()) {
            let copied = self.copy(segment, &portion).await?;
            self.repoint(segment, &pointing, &copied).await?;
        }
        let now = self.store.0.clock.now();
        self.store.0.raw.leave(segment, now).await
    }

    /// What points into a segment now.
    pub(super) async fn pointing(&self, segment: i64) -> Result<Pointing, Error> {
        let records = &self.store.0.records;
        let mut pointing = Pointing::default();
        let rows: Vec<(i64, i64, i64, i64, i64)> =
            records.fetch_all(ITEMS, params![segment]).await?;
        for (patient, slot, path, at, length) in rows {
            let frame = (PatientNumber(patient), at);
            pointing.items.entry(frame).or_default().push((slot, path));
            pointing.lengths.insert(frame, length);
        }
        let rows: Vec<(i64, i64, i64, i64)> = records.fetch_all(RECORDS, params![segment]).await?;
        for (patient, key, at, length) in rows {
            let frame = (PatientNumber(patient), at);
            pointing.records.entry(frame).or_default().push(key);
            pointing.lengths.insert(frame, length);
        }
        Ok(pointing)
    }

    /// Seals frames anew into another segment.
    pub(super) async fn copy(
        &self,
        segment: i64,
        frames: &BTreeMap<Frame, i64>,
    ) -> Result<Copied, Error> {
        let (moving, packed) = self.opened(segment, frames).await?;
        let places = self.store.0.raw.append(packed).await?;
        Ok(moving.into_iter().zip(places).collect())
    }

    /// Opens frames, to be sealed anew. Whose key is gone is being erased, and has nothing to be moved.
    pub(super) async fn opened(
        &self,
        segment: i64,
        frames: &BTreeMap<Frame, i64>,
    ) -> Result<(Vec<Frame>, Vec<Unsealed>), Error> {
        let shared = &self.store.0;
        let patients: BTreeSet<PatientNumber> =
            frames.keys().map(|(patient, _)| *patient).collect();
        let (mut moving, mut packed) = (Vec::new(), Vec::new());
        for patient in patients {
            let Some(key) = shared.keys.patient(patient).await? else {
                continue;
            };
            let key = Arc::new(key);
            let theirs = frames.range((patient, i64::MIN)..=(patient, i64::MAX));
            let sealed = |(frame, length): (&Frame, &i64)| {
                let place = Place {
                    segment,
                    at: frame.1,
                    length: *length,
                };
                (Arc::clone(&key), place)
            };
            let sealed = theirs.clone().map(sealed).collect();
            let opened = shared.raw.packed(sealed).await?;
            packed.extend(opened.into_iter().map(|packed| (Arc::clone(&key), packed)));
            moving.extend(theirs.map(|(frame, _)| *frame));
        }
        Ok((moving, packed))
    }

    /// Lets rows point to the copies, in transactions of some size.
    pub(super) async fn repoint(
        &self,
        segment: i64,
        pointing: &Pointing,
        copied: &Copied,
    ) -> Result<(), Error> {
        let lengths = copied.iter().map(|(frame, to)| (*frame, to.length));
        for portion in portions(&lengths.collect(), PORTION) {
            let copied = copied
                .iter()
                .filter(|(frame, _)| portion.contains_key(frame));
            let copied = copied.map(|(frame, to)| (*frame, *to)).collect();
            self.repoint_at_once(segment, pointing, &copied).await?;
        }
        Ok(())
    }

    /// All rows follow, or none. Who holds old places in hand must read them again: the patients'
    /// counts of joins go on.
    async fn repoint_at_once(
        &self,
        segment: i64,
        pointing: &Pointing,
        copied: &Copied,
    ) -> Result<(), Error> {
        let patients: BTreeSet<PatientNumber> =
            copied.keys().map(|(patient, _)| *patient).collect();
        let mut tx = self.store.0.records.begin().await?;
        for patient in patients {
            tx.lock_patient(patient.0, true).await?;
            let sql = "update patient set joins = joins + 1 where number = $1";
            tx.execute(sql, params![patient]).await?;
        }
        for (frame, to) in copied {
            let (patient, at) = *frame;
            for (slot, path) in pointing.items.get(frame).into_iter().flatten() {
                let params = params![
                    patient, *slot, *path, segment, at, to.segment, to.at, to.length
                ];
                tx.execute(MOVE_ITEM, params).await?;
            }
            for key in pointing.records.get(frame).into_iter().flatten() {
                let params = params![patient, *key, segment, at, to.segment, to.at, to.length];
                tx.execute(MOVE_RECORD, params).await?;
            }
        }
        tx.commit().await
    }
}

const fn is_wasteful(size: i64, live: i64) -> bool {
    size.saturating_sub(live).saturating_mul(100) > size.saturating_mul(DEAD_PERCENT)
}

/// Frames in portions of about so many bytes.
fn portions(frames: &BTreeMap<Frame, i64>, most: i64) -> Vec<BTreeMap<Frame, i64>> {
    let mut portions = vec![BTreeMap::new()];
    let mut bytes = 0;
    for (frame, length) in frames {
        bytes += length;
        if bytes > most {
            portions.push(BTreeMap::new());
            bytes = *length;
        }
        if let Some(portion) = portions.last_mut() {
            portion.insert(*frame, *length);
        }
    }
    portions
}
