//! Looking into a standardized storage without touching it: only folders of patients on the roster,
//! only regular files, nothing outside the roots, and nothing is written or locked.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use model::feed::Identity;
use normalize::ssmix::path::{FileName, folder, parse};

use crate::patient::read::Content;

/// A patient's folder is at most this deep: date, kind, file.
const DEPTH: usize = 3;
/// So many levels of folders stand above those of patients.
const UPPER_LEVELS: usize = 2;
/// The names of the folders above them have at most so many characters.
const UPPER_NAME: usize = 3;
/// A folder with more entries than this is not a patient's.
const MOST_FILES: usize = 1_000_000;

/// A file of a patient.
#[derive(Clone)]
pub(crate) struct Found {
    /// Which of the patient's numbers.
    pub(crate) number: usize,
    /// Which of the feed's roots.
    pub(crate) root: usize,
    /// What the name says.
    pub(crate) name: FileName,
    /// Path below the root, without the flag: names the version in this root.
    pub(crate) version_path: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Size in bytes.
    pub(crate) size: i64,
    /// Modification time, microseconds.
    pub(crate) modified: i64,
}

/// What a look into a patient's folders gave.
#[derive(Default)]
pub(crate) struct Listing {
    /// The files whose names are of the storage.
    pub(crate) files: Vec<Found>,
    /// How many entries are not of the storage: temporary files, links and the like.
    pub(crate) strange: usize,
    /// How many folders could not be looked into; what lies in them has not vanished.
    pub(crate) unreadable: usize,
    /// Whether files may lie elsewhere too; what is not seen has not vanished.
    pub(crate) is_partial: bool,
}

/// Where the folders of numbers lie that the facility pads in other ways than the papers do.
pub(crate) struct Padded {
    identity: Identity,
    /// By number, for those that were asked for and for no other.
    folders: BTreeMap<String, Vec<(usize, PathBuf)>>,
    /// How many folders above the patients' could not be looked into; any number may be there.
    pub(crate) unreadable: usize,
}

impl Padded {
    /// One look over the levels above the patients' folders, for all these numbers at once. Of other
    /// numbers nothing is remembered.
    ///
    /// # Errors
    /// When a root cannot be read.
    pub(crate) fn find<'a>(
        roots: &[PathBuf],
        numbers: impl IntoIterator<Item = &'a str>,
        identity: &Identity,
    ) -> io::Result<Self> {
        let wanted = numbers.into_iter();
        let mut padded = Self {
            identity: identity.clone(),
            folders: wanted
                .map(|number| (identity.canonical(number), Vec::new()))
                .collect(),
            unreadable: 0,
        };
        for (at, root) in roots.iter().enumerate() {
            fs::read_dir(root)?;
            let mut upper = vec![root.clone()];
            for _ in 0..UPPER_LEVELS {
                let below = upper.iter().flat_map(|folder| padded.below(folder));
                upper = below.filter(|folder| is_upper(folder)).collect();
            }
            for folder in upper {
                for folder in padded.below(&folder) {
                    padded.keep(at, folder);
                }
            }
        }
        Ok(padded)
    }

    /// The folders in a folder; counted when that cannot be told.
    fn below(&mut self, folder: &Path) -> Vec<PathBuf> {
        match folders_of(folder) {
            Ok(folders) => folders,
            Err(error) if is_gone(&error) => Vec::new(),
            Err(_) => {
                self.unreadable += 1;
                Vec::new()
            }
        }
    }

    fn keep(&mut self, root: usize, folder: PathBuf) {
        let name = folder.file_name().and_then(|name| name.to_str());
        let number = name.map(|name| self.identity.canonical(name));
        if let Some(folders) = number.and_then(|number| self.folders.get_mut(&number)) {
            folders.push((root, folder));
        }
    }

    /// The folders of a number below a root; nothing when it was not asked for.
    fn of(&self, number: &str, root: usize) -> Option<impl Iterator<Item = &Path>> {
        let folders = self.folders.get(&self.identity.canonical(number))?.iter();
        Some(folders.filter_map(move |(at, folder)| (*at == root).then_some(folder.as_path())))
    }
}

/// Lists a patient's files under all their numbers in all roots. A root that cannot be read is an
/// error: an unmounted share must not look like a hospital that deleted everything.
pub(crate) fn list(
    roots: &[PathBuf],
    numbers: &[&str],
    padded: Option<&Padded>,
) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for (at, root) in roots.iter().enumerate() {
        // Reading the root itself tells an empty storage from one that is not mounted.
        fs::read_dir(root)?;
        for (number, local_id) in numbers.iter().enumerate() {
            let place = Below { root, at, number };
            place.look(local_id, padded, &mut listing);
        }
    }
    Ok(listing)
}

/// Whether every step of the path is there and a folder itself, not a link to one that may lie
/// anywhere. What cannot be told is an error: it must not look like a folder that is gone.
fn is_inside(root: &Path, folder: &str) -> io::Result<bool> {
    let mut path = root.to_owned();
    for step in folder.split('/') {
        path.push(step);
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => return Ok(false),
            Err(error) if is_gone(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Whether there is nothing at a path.
fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Whether a folder may stand above those of patients, by its name: the first and the next three
/// characters of their numbers. `lost+found` is none, and who may look into it does not matter.
fn is_upper(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.chars().count() <= UPPER_NAME)
}

fn folders_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // `file_type` does not follow links: a link loop ends here.
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}

/// Where a look goes: a number's folder below a root.
struct Below<'a> {
    root: &'a Path,
    at: usize,
    number: usize,
}

impl Below<'_> {
    /// The folder follows from the number; where the facility pads it in another way, there may be
    /// one beside it.
    fn look(&self, local_id: &str, padded: Option<&Padded>, listing: &mut Listing) {
        let direct = folder(local_id);
        match is_inside(self.root, &direct) {
            Ok(true) => self.walk(&self.root.join(&direct), DEPTH, listing),
            Ok(false) => {}
            Err(_) => listing.unreadable += 1,
        }
        let Some(padded) = padded else { return };
        let Some(folders) = padded.of(local_id, self.at) else {
            // A paper named the number after the look at the levels above.
            listing.is_partial = true;
            return;
        };
        listing.is_partial |= padded.unreadable > 0;
        let direct = self.root.join(direct);
        for folder in folders.filter(|folder| *folder != direct) {
            self.walk(folder, DEPTH, listing);
        }
    }

    fn walk(&self, folder: &Path, depth: usize, listing: &mut Listing) {
        let Ok(entries) = fs::read_dir(folder) else {
            listing.unreadable += 1;
            return;
        };
        for entry in entries {
            let Ok((kind, entry)) = entry.and_then(|entry| Ok((entry.file_type()?, entry))) else {
                listing.unreadable += 1;
                continue;
            };
            if kind.is_dir() && depth > 1 {
                self.walk(&entry.path(), depth - 1, listing);
            } else if kind.is_file() && listing.files.len() < MOST_FILES {
                match entry.metadata() {
                    Ok(meta) => match self.found(&entry, &meta) {
                        Some(found) => listing.files.push(found),
                        None => listing.strange += 1,
                    },
                    // A file may vanish between the listing and this look.
                    Err(error) if is_gone(&error) => {}
                    Err(_) => listing.unreadable += 1,
                }
            } else {
                listing.strange += 1;
            }
        }
    }

    fn found(&self, entry: &fs::DirEntry, meta: &fs::Metadata) -> Option<Found> {
        let path = entry.path();
        let relative = path.strip_prefix(self.root).ok()?.to_str()?;
        let name = parse(relative).ok()?;
        let modified = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Found {
            number: self.number,
            root: self.at,
            version_path: relative
                .rsplit_once('_')
                .map(|(version, _)| version.to_owned())?,
            name,
            size: i64::try_from(meta.len()).ok()?,
            modified: i64::try_from(modified.as_micros()).ok()?,
            path,
        })
    }
}

/// Reads a file, but nothing of one that is larger than allowed.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Content> {
    let file = File::open(path)?;
    let mut bytes =
        Vec::with_capacity(usize::try_from(file.metadata()?.len().min(most)).unwrap_or(0));
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let too_large = u64::try_from(bytes.len()).is_ok_and(|length| length > most);
    Ok(if too_large {
        Content::TooLarge
    } else {
        Content::Bytes(bytes)
    })
}

#[cfg(test)]
mod tests;
