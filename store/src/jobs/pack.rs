//! Small segments become objects. What live feeds bring waits in the records database; when enough is
//! together, or something has waited for a day, its frames are sealed anew into one object, the rows
//! follow, and the small segments go a little later. As with rewriting, a crash between two steps
//! leaves dead bytes only.

use model::time::Instant;

use super::Jobs;
use super::rewrite::{Copied, Frame, Pointing};
use crate::db::params;
use crate::error::Error;
use crate::raw::{PACK_LEAST, Unsealed};

/// Whatever has waited longer is packed, however little it is.
const WAIT_SECONDS: i64 = 24 * 60 * 60;
/// A batch that is being accepted and a reader with places in hand are done in less. A backup needs no
/// longer: small segments lie in the same database as the rows.
const UNUSED_SECONDS: i64 = 60 * 60;

/// Small segments to which rows point, with the bytes that live and since when they wait; the oldest
/// first. `segment < 0` is what the indexes are for.
const WAITING: &str = "select s.number, cast(sum(live.frame_length) as bigint), s.waits_since from \
     (select patient, segment, frame_at, frame_length from item where segment < 0 \
     union select patient, segment, frame_at, frame_length from record where segment < 0 and state <> 0) as live \
     join small_segment s on s.number = live.segment \
     group by s.number, s.waits_since order by s.waits_since, s.number";
const POSTPONE: &str = "update small_segment set waits_since = $2 where number = $1";
const SOME_GO: &str = "select number from segment_left where number < 0 and left_at <= $1 limit 1";
const GONE: &str = "delete from small_segment where number in \
     (select number from segment_left where number < 0 and left_at <= $1) \
     and not exists (select 1 from item where segment < 0 and segment = small_segment.number) \
     and not exists (select 1 from record where segment < 0 and segment = small_segment.number and state <> 0)";
const GONE_NOTES: &str = "delete from segment_left where number < 0 \
     and not exists (select 1 from small_segment s where s.number = segment_left.number)";

/// Frames of several small segments on their way into one object.
#[derive(Default)]
struct Load {
    segments: Vec<(i64, Pointing, Vec<Frame>)>,
    packed: Vec<Unsealed>,
    bytes: i64,
    oldest: Option<Instant>,
}

impl Jobs {
    /// Packs small segments into objects when enough of them wait, and forgets those that were packed
    /// before. To be called every minute or so; it has nothing to do where segments are files. How
    /// many small segments were packed.
    ///
    /// # Errors
    /// When the database or the object store does not answer; nothing is lost then.
    pub async fn pack(&self) -> Result<usize, Error> {
        self.forget_packed().await?;
        let now = self.store.0.clock.now();
        let records = &self.store.0.records;
        let waiting: Vec<(i64, i64, i64)> = records.fetch_all(WAITING, params![]).await?;
        let bytes: i64 = waiting.iter().map(|(_, live, _)| live).sum();
        let oldest = waiting.first().map(|(_, _, since)| Instant(*since));
        if !is_enough(bytes, oldest, now) {
            return Ok(0);
        }
        let most = self.store.0.raw.portion();
        let (mut packed, mut load) = (0, Load::default());
        for (segment, live, since) in waiting {
            if load.bytes > 0 && load.bytes + live > most {
                packed += self.unload(std::mem::take(&mut load)).await?;
            }
            match self.load(segment, &mut load).await {
                Ok(()) => load.oldest = load.oldest.or(Some(Instant(since))),
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "a small segment could not be packed; it is tried again tomorrow");
                    records.execute(POSTPONE, params![segment, now]).await?;
                }
            }
        }
        // What could not be opened may have been most of it.
        if is_enough(load.bytes, load.oldest, now) {
            packed += self.unload(load).await?;
        }
        Ok(packed)
    }

    async fn load(&self, segment: i64, load: &mut Load) -> Result<(), Error> {
        let pointing = self.pointing(segment).await?;
        let (frames, packed) = self.opened(segment, &pointing.lengths).await?;
        let lengths = frames
            .iter()
            .filter_map(|frame| pointing.lengths.get(frame));
        load.bytes += lengths.sum::<i64>();
        load.packed.extend(packed);
        load.segments.push((segment, pointing, frames));
        Ok(())
    }

    async fn unload(&self, load: Load) -> Result<usize, Error> {
        let Load {
            segments, packed, ..
        } = load;
        let count = segments.len();
        let mut places = self.store.0.raw.pack(packed).await?.into_iter();
        for (segment, pointing, frames) in segments {
            let copied: Copied = frames.into_iter().zip(places.by_ref()).collect();
            self.repoint(segment, &pointing, &copied).await?;
            let now = self.store.0.clock.now();
            self.store.0.raw.leave(segment, now).await?;
        }
        Ok(count)
    }

    /// Small segments that were packed a while ago.
    async fn forget_packed(&self) -> Result<(), Error> {
        let before = self.store.0.clock.now().plus_seconds(-UNUSED_SECONDS);
        let records = &self.store.0.records;
        let some: Option<(i64,)> = records.fetch_optional(SOME_GO, params![before]).await?;
        if some.is_none() {
            return Ok(());
        }
        let mut tx = records.begin().await?;
        tx.execute(GONE, params![before]).await?;
        tx.execute(GONE_NOTES, params![]).await?;
        tx.commit().await
    }
}

fn is_enough(bytes: i64, oldest: Option<Instant>, now: Instant) -> bool {
    let is_old = oldest.is_some_and(|oldest| oldest.plus_seconds(WAIT_SECONDS) <= now);
    bytes >= PACK_LEAST || bytes > 0 && is_old
}
