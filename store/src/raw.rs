//! Segments of sealed frames. A batch's frames are durable before the database learns of their
//! places. Bytes that no row points to, left by a crash or an erasing, are dead and do no harm;
//! `jobs::rewrite` gives them back.
//!
//! | file | holds |
//! | --- | --- |
//! | `raw/local.rs` | segments as files of a folder, appended to |
//! | `raw/remote.rs` | segments as write-once objects, and small ones in the records database |
//! | `raw/bucket.rs` | the way to an object store that speaks S3 |
//! | `raw/span.rs` | neighbouring frames, read together |

mod bucket;
mod local;
mod remote;
mod span;
#[cfg(test)]
pub(crate) mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use model::time::Instant;

use crate::clock::Clock;
use crate::db::Db;
use crate::error::Error;
use crate::frame::{Frame, Packed};
use crate::keys::PatientKey;
use crate::seal::random;

pub use bucket::{AccessKey, Bucket};

use local::Local;
pub(crate) use remote::LEAST as PACK_LEAST;
use remote::Remote;

/// No segment begins another frame behind this size.
const FULL: i64 = 64 * 1024 * 1024;

/// Where sealed bytes are kept.
#[derive(Clone)]
pub enum Blobs {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of an object store that speaks S3.
    Bucket(Bucket),
    /// Any object store.
    #[cfg(test)]
    Objects(Arc<dyn object_store::ObjectStore>),
}

/// Where a frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) segment: i64,
    pub(crate) at: i64,
    pub(crate) length: i64,
}

/// A frame to be sealed, with the key of its patient.
pub(crate) type Unsealed = (Arc<PatientKey>, Packed);

/// A frame that is kept, with the key of its patient.
pub(crate) type Sealed = (Arc<PatientKey>, Place);

/// The segments of a store.
#[derive(Clone)]
pub(crate) enum Raw {
    Local(Local),
    Remote(Remote),
}

/// A segment as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) number: i64,
    /// In bytes.
    pub(crate) size: i64,
    /// When it was last written to, or left.
    pub(crate) modified: Instant,
}

/// Whether a segment is a row of the records database that waits to be packed.
pub(crate) const fn is_small(segment: i64) -> bool {
    segment < 0
}

impl Raw {
    /// Opens the place; small segments are rows of `records`.
    pub(crate) fn open(blobs: &Blobs, records: &Db, clock: &Clock) -> Result<Self, Error> {
        let remote = |objects, prefix| Remote::new(objects, prefix, records.clone(), clock.clone());
        Ok(match blobs {
            Blobs::Folder(folder) => Self::Local(Local::open(folder)?),
            Blobs::Bucket(bucket) => Self::Remote(remote(bucket.open()?, &bucket.prefix)),
            #[cfg(test)]
            Blobs::Objects(objects) => Self::Remote(remote(Arc::clone(objects), "")),
        })
    }

    /// Seals and keeps frames, each under its patient's key; durable when this returns. The places
    /// come in the order of the frames.
    pub(crate) async fn append(&self, frames: Vec<Unsealed>) -> Result<Vec<Place>, Error> {
        match self {
            _ if frames.is_empty() => Ok(Vec::new()),
            Self::Local(local) => local.append(frames).await,
            Self::Remote(remote) => remote.append(frames).await,
        }
    }

    /// As [`Raw::append`], for frames that were small and now stay where they are, however few.
    pub(crate) async fn pack(&self, frames: Vec<Unsealed>) -> Result<Vec<Place>, Error> {
        match self {
            _ if frames.is_empty() => Ok(Vec::new()),
            Self::Local(local) => local.append(frames).await,
            Self::Remote(remote) => remote.put(frames).await,
        }
    }

    /// So many bytes are best moved to another segment at once.
    pub(crate) const fn portion(&self) -> i64 {
        match self {
            Self::Local(_) => local::PORTION,
            Self::Remote(_) => remote::PORTION,
        }
    }

    /// Reads and opens frames, in the order asked for.
    pub(crate) async fn read(&self, frames: Vec<Sealed>) -> Result<Vec<Frame>, Error> {
        self.open_each(frames, |plain| Frame::unpack(&plain)).await
    }

    /// Frames, to be sealed and kept anew.
    pub(crate) async fn packed(&self, frames: Vec<Sealed>) -> Result<Vec<Packed>, Error> {
        self.open_each(frames, |plain| Ok(Packed::opened(plain)))
            .await
    }

    async fn open_each<T: Send + 'static>(
        &self,
        frames: Vec<Sealed>,
        each: impl Fn(Vec<u8>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let open = move |key: &PatientKey, place: Place, sealed: &[u8]| {
            each(key.open_frame(place.segment, place.at, sealed)?)
        };
        match self {
            Self::Local(local) => local.open_each(frames, open).await,
            Self::Remote(remote) => remote.open_each(frames, open).await,
        }
    }

    /// All segments that are kept.
    pub(crate) async fn stored(&self) -> Result<Vec<Stored>, Error> {
        match self {
            Self::Local(local) => local.stored().await,
            Self::Remote(remote) => remote.stored().await,
        }
    }

    /// Makes sure that this process appends to a segment no more.
    pub(crate) async fn finish(&self, number: i64) {
        match self {
            Self::Local(local) => local.finish(number).await,
            Self::Remote(_) => {} // Written once.
        }
    }

    /// Notes that nothing points to a segment from now on.
    pub(crate) async fn leave(&self, number: i64, now: Instant) -> Result<(), Error> {
        match self {
            Self::Local(local) => local.leave(number, now).await,
            Self::Remote(remote) => remote.leave(number, now).await,
        }
    }

    /// Removes a segment to which nothing points, unless somebody still writes to it. Whether it is
    /// gone.
    pub(crate) async fn remove(&self, number: i64) -> Result<bool, Error> {
        match self {
            Self::Local(local) => local.remove(number).await,
            Self::Remote(remote) => remote.remove(number).await.map(|()| true),
        }
    }

    /// Whether the place of the segments answers. May be asked often.
    pub(crate) async fn answers(&self) -> bool {
        match self {
            Self::Local(local) => local.answers().await,
            Self::Remote(remote) => remote.answers().await,
        }
    }
}

/// A number for a new segment, above zero.
fn fresh() -> Result<i64, Error> {
    Ok((i64::from_le_bytes(random()?) & i64::MAX).max(1))
}

/// The bytes of a frame that will stand in a segment behind `at`, with its place.
fn seal(segment: i64, at: i64, (key, packed): &Unsealed) -> Result<(Place, Vec<u8>), Error> {
    let sealed = key.seal_frame(segment, at, packed.bytes())?;
    let length = i64::try_from(sealed.len()).map_err(|_| Error::Corrupt("frame"))?;
    let place = Place {
        segment,
        at,
        length,
    };
    Ok((place, sealed))
}
