//! Append-only segments of sealed frames. A writer appends to a segment of its own; what a batch
//! appended is made durable by one sync before the database learns of it. Bytes that no row points
//! to, left by a crash or an erasing, are dead and do no harm; `jobs::rewrite` gives them back.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::time::Instant;
use tokio::sync::Mutex;

use crate::error::Error;
use crate::frame::{Frame, Packed};
use crate::keys::PatientKey;
use crate::private;
use crate::seal::random;

/// A segment is closed and the next one begun at this size.
const FULL: i64 = 64 * 1024 * 1024;

/// Where a frame stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) segment: i64,
    pub(crate) at: i64,
    pub(crate) length: i64,
}

/// The segments below one folder.
#[derive(Clone)]
pub(crate) struct Raw {
    folder: Arc<PathBuf>,
    open: Arc<Mutex<Option<Segment>>>,
}

struct Segment {
    number: i64,
    file: File,
    end: i64,
}

impl Raw {
    /// Makes sure that the folder is there.
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        private::folder(folder)?;
        Ok(Self {
            folder: Arc::new(folder.to_owned()),
            open: Arc::default(),
        })
    }

    /// Seals and appends frames, each under its patient's key; durable when this returns. The places
    /// come in the order of the frames.
    pub(crate) async fn append(
        &self,
        frames: Vec<(Arc<PatientKey>, Packed)>,
    ) -> Result<Vec<Place>, Error> {
        if frames.is_empty() {
            return Ok(Vec::new());
        }
        let mut open = self.open.clone().lock_owned().await;
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut segment = match open.take().filter(|segment| segment.end < FULL) {
                Some(segment) => segment,
                None => Segment::create(&folder)?,
            };
            let places = segment.write(&frames)?;
            // Only a segment whose last write is whole is written to again.
            *open = Some(segment);
            Ok::<_, Error>(places)
        });
        written
            .await
            .map_err(|_| Error::Unavailable("segment writer"))?
    }

    /// Reads and opens frames of one patient, in the order asked for.
    pub(crate) async fn read(
        &self,
        key: Arc<PatientKey>,
        places: Vec<Place>,
    ) -> Result<Vec<Frame>, Error> {
        let unpack = |plain: Vec<u8>| Frame::unpack(&plain);
        self.open_each(key, places, unpack).await
    }

    /// Frames of one patient, to be sealed and appended anew.
    pub(crate) async fn packed(
        &self,
        key: Arc<PatientKey>,
        places: Vec<Place>,
    ) -> Result<Vec<Packed>, Error> {
        let packed = |plain| Ok(Packed::opened(plain));
        self.open_each(key, places, packed).await
    }

    async fn open_each<T: Send + 'static>(
        &self,
        key: Arc<PatientKey>,
        places: Vec<Place>,
        each: impl Fn(Vec<u8>) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut open: Option<(i64, File)> = None;
            let mut frames = Vec::with_capacity(places.len());
            for place in places {
                let file = match open.take().filter(|(number, _)| *number == place.segment) {
                    Some((_, file)) => file,
                    None => File::open(path(&folder, place.segment))?,
                };
                let length = usize::try_from(place.length).map_err(|_| Error::Corrupt("place"))?;
                let at = u64::try_from(place.at).map_err(|_| Error::Corrupt("place"))?;
                let mut sealed = vec![0; length];
                file.read_exact_at(&mut sealed, at)?;
                open = Some((place.segment, file));
                frames.push(each(key.open_frame(place.segment, place.at, &sealed)?)?);
            }
            Ok(frames)
        });
        read.await
            .map_err(|_| Error::Unavailable("segment reader"))?
    }

    /// All segments that lie in the folder.
    pub(crate) async fn stored(&self) -> Result<Vec<Stored>, Error> {
        let folder = self.folder.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let files = std::fs::read_dir(folder.as_path())?;
            let stored = files.filter_map(|file| Stored::of(file).transpose());
            stored.collect::<Result<Vec<_>, Error>>()
        });
        listed
            .await
            .map_err(|_| Error::Unavailable("segment folder"))?
    }

    /// Makes sure that this process appends to a segment no more.
    pub(crate) async fn finish(&self, number: i64) {
        let mut open = self.open.lock().await;
        open.take_if(|segment| segment.number == number);
    }

    /// Notes that nothing points to a segment from now on.
    pub(crate) async fn leave(&self, number: i64, now: Instant) -> Result<(), Error> {
        let path = path(&self.folder, number);
        let left = tokio::task::spawn_blocking(move || {
            let file = File::options().append(true).open(path)?;
            file.set_modified(system_time(now)).map_err(Error::from)
        });
        left.await
            .map_err(|_| Error::Unavailable("segment folder"))?
    }

    /// Removes a segment to which nothing points, unless somebody still writes to it. Whether it is
    /// gone.
    pub(crate) async fn remove(&self, number: i64) -> Result<bool, Error> {
        let path = path(&self.folder, number);
        let removed = tokio::task::spawn_blocking(move || {
            let file = File::options().append(true).open(&path)?;
            if file.try_lock().is_err() {
                return Ok(false);
            }
            std::fs::remove_file(path)?;
            Ok(true)
        });
        removed
            .await
            .map_err(|_| Error::Unavailable("segment folder"))?
    }
}

/// A segment as it lies in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) number: i64,
    /// In bytes.
    pub(crate) size: i64,
    /// When it was last written to, or left.
    pub(crate) modified: Instant,
}

impl Stored {
    /// Nothing when the file is no segment.
    fn of(file: std::io::Result<std::fs::DirEntry>) -> Result<Option<Self>, Error> {
        let file = file?;
        let name = file.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(".segment"));
        let number = number.and_then(|number| i64::from_str_radix(number, 16).ok());
        let Some(number) = number else {
            return Ok(None);
        };
        let about = file.metadata()?;
        let since = about.modified()?.duration_since(SystemTime::UNIX_EPOCH);
        let modified = since.map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        });
        Ok(Some(Self {
            number,
            size: i64::try_from(about.len()).unwrap_or(i64::MAX),
            modified: Instant(modified),
        }))
    }
}

fn system_time(at: Instant) -> SystemTime {
    let since = Duration::from_micros(u64::try_from(at.0).unwrap_or_default());
    SystemTime::UNIX_EPOCH + since
}

/// The file of a segment; its name is the segment's random number and says nothing else.
fn path(folder: &Path, number: i64) -> PathBuf {
    folder.join(format!("{number:016x}.segment"))
}

impl Segment {
    fn create(folder: &Path) -> Result<Self, Error> {
        let number = i64::from_le_bytes(random()?) & i64::MAX;
        let file = private::file(&path(folder, number))?;
        // As long as it is open nobody removes it. Where files cannot be locked, none is ever removed.
        let _ = file.try_lock();
        // The name of the new file must be as durable as its bytes.
        File::open(folder)?.sync_all()?;
        Ok(Self {
            number,
            file,
            end: 0,
        })
    }

    fn write(&mut self, frames: &[(Arc<PatientKey>, Packed)]) -> Result<Vec<Place>, Error> {
        let mut places = Vec::with_capacity(frames.len());
        let mut buffer = Vec::new();
        let mut end = self.end;
        for (key, packed) in frames {
            let sealed = key.seal_frame(self.number, end, packed.bytes())?;
            let length = i64::try_from(sealed.len()).map_err(|_| Error::Corrupt("frame"))?;
            places.push(Place {
                segment: self.number,
                at: end,
                length,
            });
            end += length;
            buffer.extend_from_slice(&sealed);
        }
        self.file.write_all(&buffer)?;
        self.file.sync_data()?;
        self.end = end;
        Ok(places)
    }
}
