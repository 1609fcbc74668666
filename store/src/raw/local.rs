//! Segments as files of a folder. A writer appends to a segment of its own, and one sync makes a
//! batch durable.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use model::time::Instant;
use tokio::sync::Mutex;

use super::{FULL, Place, Sealed, Stored, Unsealed, fresh, seal};
use crate::error::Error;
use crate::keys::PatientKey;
use crate::private;

/// So many bytes are moved at once; a batch of a feed waits no longer than for that.
pub(super) const PORTION: i64 = 1024 * 1024;
/// A batch is handed to the system in pieces of so many bytes.
const WRITTEN_AT_ONCE: usize = 256 * 1024;

/// The segments below one folder.
#[derive(Clone)]
pub(crate) struct Local {
    folder: Arc<PathBuf>,
    open: Arc<Mutex<Option<Segment>>>,
}

struct Segment {
    number: i64,
    file: File,
    end: i64,
}

impl Local {
    /// Makes sure that the folder is there.
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        private::folder(folder)?;
        Ok(Self {
            folder: Arc::new(folder.to_owned()),
            open: Arc::default(),
        })
    }

    pub(super) async fn append(&self, frames: Vec<Unsealed>) -> Result<Vec<Place>, Error> {
        let mut open = self.open.clone().lock_owned().await;
        let folder = self.folder.clone();
        let written = tokio::task::spawn_blocking(move || {
            let mut segment = match open.take().filter(|segment| segment.end < FULL) {
                Some(segment) => segment,
                None => Segment::create(&folder)?,
            };
            match segment.write(&frames) {
                Ok(places) => {
                    *open = Some(segment);
                    Ok::<_, Error>(places)
                }
                // Only a segment whose last write is whole is written to again.
                Err(error) => {
                    segment.give_up(&folder);
                    Err(error)
                }
            }
        });
        written
            .await
            .map_err(|_| Error::Unavailable("segment writer"))?
    }

    /// Gives each frame to `open`.
    pub(super) async fn open_each<T: Send + 'static>(
        &self,
        frames: Vec<Sealed>,
        open: impl Fn(&PatientKey, Place, &[u8]) -> Result<T, Error> + Send + 'static,
    ) -> Result<Vec<T>, Error> {
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut last: Option<(i64, File)> = None;
            let mut opened = Vec::with_capacity(frames.len());
            for (key, place) in frames {
                let file = match last.take().filter(|(number, _)| *number == place.segment) {
                    Some((_, file)) => file,
                    None => File::open(path(&folder, place.segment))?,
                };
                let length = usize::try_from(place.length).map_err(|_| Error::Corrupt("place"))?;
                let at = u64::try_from(place.at).map_err(|_| Error::Corrupt("place"))?;
                let mut sealed = vec![0; length];
                file.read_exact_at(&mut sealed, at)?;
                last = Some((place.segment, file));
                opened.push(open(&key, place, &sealed)?);
            }
            Ok(opened)
        });
        read.await
            .map_err(|_| Error::Unavailable("segment reader"))?
    }

    pub(super) async fn stored(&self) -> Result<Vec<Stored>, Error> {
        let folder = self.folder.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let files = std::fs::read_dir(folder.as_path())?;
            let stored = files.filter_map(|file| stored(file).transpose());
            stored.collect::<Result<Vec<_>, Error>>()
        });
        listed
            .await
            .map_err(|_| Error::Unavailable("segment folder"))?
    }

    pub(super) async fn finish(&self, number: i64) {
        let mut open = self.open.lock().await;
        open.take_if(|segment| segment.number == number);
    }

    /// The time of the file says since when.
    pub(super) async fn leave(&self, number: i64, now: Instant) -> Result<(), Error> {
        let path = path(&self.folder, number);
        let left = tokio::task::spawn_blocking(move || {
            let file = File::options().append(true).open(path)?;
            file.set_modified(system_time(now)).map_err(Error::from)
        });
        left.await
            .map_err(|_| Error::Unavailable("segment folder"))?
    }

    pub(super) async fn remove(&self, number: i64) -> Result<bool, Error> {
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

    pub(super) async fn answers(&self) -> bool {
        let folder = self.folder.clone();
        let is_there = tokio::task::spawn_blocking(move || folder.is_dir());
        is_there.await.unwrap_or(false)
    }
}

/// Nothing when the file is no segment.
fn stored(file: std::io::Result<std::fs::DirEntry>) -> Result<Option<Stored>, Error> {
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
    Ok(Some(Stored {
        number,
        size: i64::try_from(about.len()).unwrap_or(i64::MAX),
        modified: Instant(modified),
    }))
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
        let number = fresh()?;
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

    fn write(&mut self, frames: &[Unsealed]) -> Result<Vec<Place>, Error> {
        let (mut places, mut end) = (Vec::with_capacity(frames.len()), self.end);
        let mut file = BufWriter::with_capacity(WRITTEN_AT_ONCE, &self.file);
        for frame in frames {
            let (place, sealed) = seal(self.number, end, frame)?;
            file.write_all(&sealed)?;
            end += place.length;
            places.push(place);
        }
        file.flush()?;
        self.file.sync_data()?;
        self.end = end;
        Ok(places)
    }

    /// Gives back what the last write left: no row points to it, and on a full disk every attempt would
    /// leave more.
    fn give_up(self, folder: &Path) {
        // What cannot be given back now is found by `jobs::rewrite`.
        let _ = match u64::try_from(self.end) {
            Ok(0) | Err(_) => std::fs::remove_file(path(folder, self.number)),
            Ok(end) => self.file.set_len(end),
        };
    }
}
