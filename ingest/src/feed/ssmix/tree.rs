//! Looking into a standardized storage without touching it: only folders of patients on the roster,
//! only regular files, nothing outside the roots, and nothing is written or locked.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use model::feed::Identity;
use normalize::ssmix::path::{FileName, folder, parse};

/// A patient's folder is at most this deep: date, kind, file.
const DEPTH: usize = 3;
/// A folder with more entries than this is not a patient's.
const MOST_FILES: usize = 1_000_000;

/// A file of a patient.
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
}

/// Lists a patient's files under all their numbers in all roots. A root that cannot be read is an
/// error: an unmounted share must not look like a hospital that deleted everything.
pub(crate) fn list(
    roots: &[PathBuf],
    numbers: &[&str],
    identity: &Identity,
) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for (at, root) in roots.iter().enumerate() {
        // Reading the root itself tells an empty storage from one that is not mounted.
        fs::read_dir(root)?;
        for (number, local_id) in numbers.iter().enumerate() {
            let place = Below { root, at, number };
            match is_inside(root, &folder(local_id)) {
                Ok(true) => place.walk(&root.join(folder(local_id)), DEPTH, &mut listing),
                Ok(false) => {
                    for folder in padded_folders(root, local_id, identity)? {
                        place.walk(&folder, DEPTH, &mut listing);
                    }
                }
                Err(_) => listing.unreadable += 1,
            }
        }
    }
    Ok(listing)
}

/// Where padding differs, the levels are listed once.
fn padded_folders(root: &Path, local_id: &str, identity: &Identity) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    if *identity == Identity::default() {
        return Ok(folders);
    }
    let wanted = identity.canonical(local_id);
    for first in folders_of(root)? {
        for second in folders_of(&first)? {
            for third in folders_of(&second)? {
                let name = third.file_name().and_then(|name| name.to_str());
                if name.is_some_and(|name| identity.canonical(name) == wanted) {
                    folders.push(third);
                }
            }
        }
    }
    Ok(folders)
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

/// What reading a file gave.
pub(crate) enum Content {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It is larger than an item may be.
    TooLarge,
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const NAME: &str = "0000123456_20240510_OMP-01_000000024000123_20240510103046984_01_1";

    fn storage() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("000/012/0000123456/20240510/OMP-01");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(NAME), "MSH|").unwrap();
        root
    }

    fn count(root: &Path, id: &str, identity: &Identity) -> (usize, usize) {
        let listing = list(&[root.to_owned()], &[id], identity).unwrap();
        (listing.files.len(), listing.strange)
    }

    #[test]
    fn only_the_folder_of_the_patient_is_opened() {
        let root = storage();
        assert_eq!(
            count(root.path(), "0000123456", &Identity::default()),
            (1, 0)
        );
        assert_eq!(
            count(root.path(), "0000123457", &Identity::default()),
            (0, 0)
        );
        assert_eq!(count(root.path(), "123456", &Identity::default()), (0, 0));
        let padded = Identity {
            strip_leading_zeros: true,
            pad_to: None,
        };
        assert_eq!(count(root.path(), "123456", &padded), (1, 0));
    }

    #[test]
    fn links_loops_and_strange_names_are_counted_and_not_followed() {
        let root = storage();
        let patient = root.path().join("000/012/0000123456");
        symlink(&patient, patient.join("loop")).unwrap();
        symlink("/etc/passwd", patient.join("20240510/OMP-01/x")).unwrap();
        fs::write(patient.join("20240510/OMP-01/Thumbs.db"), "x").unwrap();
        fs::write(
            patient.join("20240510/OMP-01").join(format!("{NAME}.tmp")),
            "x",
        )
        .unwrap();
        assert_eq!(
            count(root.path(), "0000123456", &Identity::default()),
            (1, 4)
        );
    }

    #[test]
    fn a_linked_folder_above_the_patients_is_not_followed() {
        let (elsewhere, root) = (storage(), tempfile::tempdir().unwrap());
        symlink(elsewhere.path().join("000"), root.path().join("000")).unwrap();
        assert_eq!(
            count(root.path(), "0000123456", &Identity::default()),
            (0, 0)
        );
    }

    /// How many files are found, and how often something cannot be looked into, while a folder has
    /// these rights; nothing when the test runs as somebody to whom no folder is shut.
    fn while_shut(mode: u32, folder: &str) -> Option<(usize, usize, usize)> {
        let root = storage();
        let shut = root.path().join(folder);
        fs::set_permissions(&shut, fs::Permissions::from_mode(mode)).unwrap();
        let holds = fs::symlink_metadata(shut.join("anything"))
            .is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied);
        let listing = list(
            &[root.path().to_owned()],
            &["0000123456"],
            &Identity::default(),
        );
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o755)).unwrap();
        let listing = listing.unwrap();
        holds.then_some((listing.files.len(), listing.strange, listing.unreadable))
    }

    #[test]
    fn a_folder_above_the_patients_that_is_shut_is_not_gone() {
        for folder in ["000", "000/012", "000/012/0000123456"] {
            let found = while_shut(0o000, folder).unwrap_or((0, 0, 1));
            assert_eq!(found, (0, 0, 1), "{folder}");
        }
    }

    #[test]
    fn names_without_what_they_stand_for_are_not_gone() {
        let found = while_shut(0o444, "000/012/0000123456/20240510/OMP-01");
        assert_eq!(found.unwrap_or((0, 0, 1)), (0, 0, 1));
    }

    #[test]
    fn a_storage_that_is_not_mounted_is_an_error() {
        let root = storage();
        let gone = root.path().join("gone");
        assert!(list(&[gone], &["0000123456"], &Identity::default()).is_err());
    }

    #[test]
    fn nothing_of_a_file_that_is_too_large_is_kept() {
        let root = storage();
        let path = root.path().join("large");
        fs::write(&path, vec![b'x'; 100]).unwrap();
        assert!(matches!(read(&path, 99), Ok(Content::TooLarge)));
        assert!(matches!(read(&path, 100), Ok(Content::Bytes(bytes)) if bytes.len() == 100));
    }
}
