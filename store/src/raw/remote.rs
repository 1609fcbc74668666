//! Segments in an object store. A batch of some size is one object, written once under its random
//! number. A smaller one would make too many objects: it is kept in the records database, which is as
//! durable, until `jobs::pack` puts many of them together. A place is the same for both.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::time::Instant;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::span::{Fetched, Span, spans};
use super::{FULL, Place, Sealed, Stored, Unsealed, fresh, is_small, seal};
use crate::clock::Clock;
use crate::db::{Db, params};
use crate::error::Error;
use crate::keys::PatientKey;

/// No object is put for less, but by [`Remote::put`].
pub(crate) const LEAST: i64 = 4 * 1024 * 1024;
/// So many bytes are moved at once: an object of good size that fits into memory several times.
pub(crate) const PORTION: i64 = 16 * 1024 * 1024;
/// Bytes that sealing adds to a frame.
const SEAL: usize = 28;
/// A put whose answer got lost finds its own object there, and tries another number.
const NUMBERS: usize = 3;
/// Requests of one read at a time.
const AT_ONCE: usize = 8;
/// A reader waits no longer; the retries of single requests are inside.
const READ: Duration = Duration::from_secs(15);
const WRITE: Duration = Duration::from_secs(240);
const PROBE: Duration = Duration::from_secs(3);
/// What a probe said holds for so long.
const FRESH: Duration = Duration::from_secs(5);

const NO_BUCKET: &str = "object store: no such bucket";
const DENIED: &str = "object store: access denied";
/// What S3 calls it when somebody may not, or is not whom they say.
const DENIALS: [&str; 3] = [
    "AccessDenied",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
];

const KEEP: &str = "insert into small_segment (number, bytes, waits_since) values ($1, $2, $3)";
const SMALL: &str =
    "select number, cast(length(bytes) as bigint), waits_since from small_segment order by number";
const LEFT: &str = "select number, left_at from segment_left";
const LEAVE: &str = "insert into segment_left (number, left_at) values ($1, $2) \
     on conflict (number) do update set left_at = excluded.left_at";

/// Reads spans of small segments, which are given as a JSON list of number, start and length.
macro_rules! spans_of_small {
    ($list:literal) => {
        concat!(
            "select s.number, cast(j.value ->> 1 as bigint), \
             substr(s.bytes, cast(j.value ->> 1 as integer) + 1, cast(j.value ->> 2 as integer)) from ",
            $list,
            " join small_segment s on s.number = cast(j.value ->> 0 as bigint)"
        )
    };
}
const SPANS_SQLITE: &str = spans_of_small!("json_each($1) as j");
const SPANS_POSTGRES: &str = spans_of_small!("json_array_elements(cast($1 as json)) as j(value)");

/// The segments below one prefix of an object store.
#[derive(Clone)]
pub(crate) struct Remote {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    records: Db,
    clock: Clock,
    probed: Arc<Mutex<Option<(tokio::time::Instant, bool)>>>,
}

impl Remote {
    pub(super) fn new(
        objects: Arc<dyn ObjectStore>,
        prefix: &str,
        records: Db,
        clock: Clock,
    ) -> Self {
        Self {
            objects,
            prefix: Path::from(prefix),
            records,
            clock,
            probed: Arc::default(),
        }
    }

    /// The folder of the segments.
    fn folder(&self) -> Path {
        self.prefix.clone().join("segments")
    }

    fn path(&self, number: i64) -> Path {
        self.folder().join(format!("{number:016x}"))
    }

    /// Objects for what is large enough; the rest is kept in the database.
    pub(super) async fn append(&self, frames: Vec<Unsealed>) -> Result<Vec<Place>, Error> {
        let mut places = Vec::with_capacity(frames.len());
        for (size, group) in groups(frames) {
            places.extend(if size < LEAST {
                self.keep(group).await?
            } else {
                self.put_one(group).await?
            });
        }
        Ok(places)
    }

    /// Objects, however small.
    pub(super) async fn put(&self, frames: Vec<Unsealed>) -> Result<Vec<Place>, Error> {
        let mut places = Vec::with_capacity(frames.len());
        for (_, group) in groups(frames) {
            places.extend(self.put_one(group).await?);
        }
        Ok(places)
    }

    async fn put_one(&self, frames: Vec<Unsealed>) -> Result<Vec<Place>, Error> {
        let frames = Arc::new(frames);
        for _ in 0..NUMBERS {
            let number = fresh()?;
            let (bytes, places) = sealed(number, Arc::clone(&frames)).await?;
            let path = self.path(number);
            let put = self
                .objects
                .put_opts(&path, bytes.into(), PutMode::Create.into());
            match within(WRITE, put).await {
                Ok(_) => return Ok(places),
                Err(object_store::Error::AlreadyExists { .. }) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(Error::Unavailable("object store"))
    }

    async fn keep(&self, frames: Vec<Unsealed>) -> Result<Vec<Place>, Error> {
        let number = -fresh()?;
        let (bytes, places) = sealed(number, Arc::new(frames)).await?;
        let params = params![number, bytes, self.clock.now()];
        self.records.execute(KEEP, params).await?;
        Ok(places)
    }

    /// Gives each frame to `open`.
    pub(super) async fn open_each<T: Send + 'static>(
        &self,
        frames: Vec<Sealed>,
        open: impl Fn(&PatientKey, Place, &[u8]) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let places: Vec<Place> = frames.iter().map(|(_, place)| *place).collect();
        let fetched = self.fetch(&places).await?;
        let opened = tokio::task::spawn_blocking(move || {
            let each = |(key, place): Sealed| open(&key, place, fetched.frame(place)?);
            frames.into_iter().map(each).collect()
        });
        opened
            .await
            .map_err(|_| Error::Unavailable("segment reader"))?
    }

    /// Small segments are asked for in one statement, objects a few at a time.
    async fn fetch(&self, places: &[Place]) -> Result<Fetched<Bytes>, Error> {
        let (small, large): (Vec<Span>, Vec<Span>) = spans(places)
            .into_iter()
            .partition(|span| is_small(span.segment));
        let mut fetched = Fetched::default();
        if !small.is_empty() {
            self.fetch_small(&small, &mut fetched).await?;
        }
        let (mut waiting, mut running) = (large.into_iter(), JoinSet::new());
        loop {
            while running.len() < AT_ONCE
                && let Some(span) = waiting.next()
            {
                running.spawn(self.clone().fetch_span(span));
            }
            let Some(done) = running.join_next().await else {
                return Ok(fetched);
            };
            let (span, bytes) = done.map_err(|_| Error::Unavailable("segment reader"))??;
            fetched.add(span.segment, span.start, bytes);
        }
    }

    async fn fetch_small(&self, spans: &[Span], fetched: &mut Fetched<Bytes>) -> Result<(), Error> {
        let list: Vec<[i64; 3]> = spans
            .iter()
            .map(|span| [span.segment, span.start, span.end - span.start])
            .collect();
        let list = serde_json::to_string(&list)
            .map_err(|error| Error::Other("list of spans", error.into()))?;
        let sql = self.records.text(SPANS_SQLITE, SPANS_POSTGRES);
        let rows: Vec<(i64, i64, Vec<u8>)> = self.records.fetch_all(sql, params![list]).await?;
        for (segment, start, bytes) in rows {
            fetched.add(segment, start, bytes.into());
        }
        Ok(())
    }

    async fn fetch_span(self, span: Span) -> Result<(Span, Bytes), Error> {
        let place = |number| u64::try_from(number).map_err(|_| Error::Corrupt("place"));
        let range = place(span.start)?..place(span.end)?;
        let path = self.path(span.segment);
        match within(READ, self.objects.get_range(&path, range.clone())).await {
            Ok(bytes) => Ok((span, bytes)),
            Err(object_store::Error::NotFound { .. }) => Err(Error::Corrupt("segment")),
            Err(error) => match within(PROBE, self.objects.head(&path)).await {
                // No later try finds what is not there.
                Ok(object) if object.size < range.end => Err(Error::Corrupt("segment")),
                _ => Err(failed(&error)),
            },
        }
    }

    pub(super) async fn stored(&self) -> Result<Vec<Stored>, Error> {
        let folder = self.folder();
        let listed = within(WRITE, self.objects.list_with_delimiter(Some(&folder))).await;
        let listed = listed.map_err(|error| failed(&error))?;
        let mut stored: Vec<Stored> = listed.objects.iter().filter_map(stored).collect();
        let small: Vec<(i64, i64, i64)> = self.records.fetch_all(SMALL, params![]).await?;
        stored.extend(small.into_iter().map(|(number, size, since)| Stored {
            number,
            size,
            modified: Instant(since),
        }));
        let left: Vec<(i64, i64)> = self.records.fetch_all(LEFT, params![]).await?;
        let left: BTreeMap<i64, i64> = left.into_iter().collect();
        for segment in &mut stored {
            if let Some(left) = left.get(&segment.number) {
                segment.modified = segment.modified.max(Instant(*left));
            }
        }
        Ok(stored)
    }

    pub(super) async fn leave(&self, number: i64, now: Instant) -> Result<(), Error> {
        self.records.execute(LEAVE, params![number, now]).await?;
        Ok(())
    }

    /// The note goes first: an object without one is as old as its own time says, which is older.
    pub(super) async fn remove(&self, number: i64) -> Result<(), Error> {
        let note = "delete from segment_left where number = $1";
        self.records.execute(note, params![number]).await?;
        if is_small(number) {
            let row = "delete from small_segment where number = $1";
            self.records.execute(row, params![number]).await?;
            return Ok(());
        }
        let path = self.path(number);
        match within(WRITE, self.objects.delete(&path)).await {
            // Some servers say that nothing was there, some do not.
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Lists the prefix, which has one folder; whoever asks meanwhile waits for the same answer.
    pub(super) async fn answers(&self) -> bool {
        let mut probed = self.probed.lock().await;
        if let Some((when, answer)) = *probed
            && when.elapsed() < FRESH
        {
            return answer;
        }
        let listed = within(PROBE, self.objects.list_with_delimiter(Some(&self.prefix)));
        let answer = match listed.await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(error = %failed(&error), "the object store does not answer");
                false
            }
        };
        *probed = Some((tokio::time::Instant::now(), answer));
        answer
    }
}

/// Frames in groups that fit into one segment, with about their size when sealed.
fn groups(frames: Vec<Unsealed>) -> Vec<(i64, Vec<Unsealed>)> {
    let mut groups: Vec<(i64, Vec<Unsealed>)> = Vec::new();
    for frame in frames {
        let size = i64::try_from(frame.1.bytes().len() + SEAL).unwrap_or(i64::MAX);
        match groups.last_mut() {
            Some((sum, group)) if sum.saturating_add(size) <= FULL => {
                *sum += size;
                group.push(frame);
            }
            _ => groups.push((size, vec![frame])),
        }
    }
    groups
}

async fn sealed(number: i64, frames: Arc<Vec<Unsealed>>) -> Result<(Vec<u8>, Vec<Place>), Error> {
    let work = move || {
        let room = |(_, packed): &Unsealed| packed.bytes().len() + SEAL;
        let mut bytes = Vec::with_capacity(frames.iter().map(room).sum());
        let (mut places, mut end) = (Vec::with_capacity(frames.len()), 0);
        for frame in frames.iter() {
            let (place, sealed) = seal(number, end, frame)?;
            bytes.extend_from_slice(&sealed);
            end += place.length;
            places.push(place);
        }
        Ok((bytes, places))
    };
    let sealed = tokio::task::spawn_blocking(work).await;
    sealed.map_err(|_| Error::Unavailable("segment writer"))?
}

/// Nothing when the object is no segment.
fn stored(object: &ObjectMeta) -> Option<Stored> {
    let number = object.location.filename()?;
    Some(Stored {
        number: i64::from_str_radix(number, 16).ok()?,
        size: i64::try_from(object.size).unwrap_or(i64::MAX),
        modified: Instant(object.last_modified.timestamp_micros()),
    })
}

pub(super) async fn within<T>(
    limit: Duration,
    request: impl Future<Output = object_store::Result<T>>,
) -> object_store::Result<T> {
    let answer = tokio::time::timeout(limit, request).await;
    answer.unwrap_or_else(|late| {
        Err(object_store::Error::Generic {
            store: "S3",
            source: late.into(),
        })
    })
}

/// What the caller can do about it. The library's text is left out: it quotes addresses, and what a
/// server says about signatures.
pub(super) fn failed(error: &object_store::Error) -> Error {
    use object_store::Error as Failed;
    Error::Unavailable(match error {
        Failed::NotFound { .. } => NO_BUCKET,
        Failed::PermissionDenied { .. } | Failed::Unauthenticated { .. } => DENIED,
        Failed::NotImplemented { .. } | Failed::NotSupported { .. } => {
            "object store: it does not know conditional writes"
        }
        // Of a listing the server's code is in the text only.
        other => {
            let text = other.to_string();
            if text.contains("NoSuchBucket") {
                NO_BUCKET
            } else if DENIALS.iter().any(|code| text.contains(code)) {
                DENIED
            } else {
                "object store"
            }
        }
    })
}
