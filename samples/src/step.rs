//! What a hospital does to its storage over time, one step after another.
//!
//! A [`Step`] is what the sender means (a correction, a deletion); its [`Operation`]s are what a
//! reader can observe between two looks. [`apply`] does a step on a real tree.

use crate::storage::{Flag, Version};
use crate::time::Moment;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// One act of the sender, in one root of the facility.
#[derive(Clone, Debug)]
pub enum Step {
    /// A file appears, whatever else lies in its slot: first versions, copies in a second root,
    /// late files with an earlier 発生日時.
    Write(Content),
    /// A correction: every file in force becomes `_2`, then the new one appears with `_1`.
    Supersede {
        /// Versions that were in force.
        retired: Vec<Version>,
        /// The new version.
        by: Content,
    },
    /// A deletion: every file becomes `_0`, then the delete message appears with `_0`.
    Delete {
        /// Versions and their flags until now.
        retired: Vec<(Version, Flag)>,
        /// The delete message.
        by: Content,
    },
    /// The flag of one file changes without anything new; a rename keeps the modification time.
    Rename {
        /// Index of the root.
        root: usize,
        /// Which file.
        version: Version,
        /// Flag until now.
        from: Flag,
        /// Flag from now on.
        to: Flag,
    },
    /// A file is gone, as in storages that keep no history.
    Vanish {
        /// Index of the root.
        root: usize,
        /// Which file.
        version: Version,
        /// Its flag.
        flag: Flag,
    },
}

/// A file with its bytes.
#[derive(Clone, Debug)]
pub struct Content {
    /// Index of the root.
    pub root: usize,
    /// Name without the flag.
    pub version: Version,
    /// The flag it appears with.
    pub flag: Flag,
    /// The message.
    pub bytes: Arc<[u8]>,
}

/// A step and the moment when it happens.
#[derive(Clone, Debug)]
pub struct Timed {
    /// When.
    pub at: Moment,
    /// What.
    pub step: Step,
}

/// One change of a folder, as a directory listing shows it. Paths are relative to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A new file.
    Create {
        /// Index of the root.
        root: usize,
        /// Where.
        path: String,
        /// The message.
        bytes: Arc<[u8]>,
    },
    /// A file gets another name.
    Rename {
        /// Index of the root.
        root: usize,
        /// Old name.
        from: String,
        /// New name.
        to: String,
    },
    /// A file is gone.
    Remove {
        /// Index of the root.
        root: usize,
        /// Where.
        path: String,
    },
}

impl Step {
    /// The changes in their order; between two of them a reader sees the half-done step.
    pub fn operations(&self) -> Vec<Operation> {
        let rename = |root, version: &Version, from, to| Operation::Rename {
            root,
            from: version.path(from),
            to: version.path(to),
        };
        match self {
            Self::Write(content) => vec![content.create()],
            Self::Supersede { retired, by } => {
                let renames = retired
                    .iter()
                    .map(|version| rename(by.root, version, Flag::Current, Flag::Superseded));
                renames.chain([by.create()]).collect()
            }
            Self::Delete { retired, by } => {
                let renames = retired
                    .iter()
                    .map(|(version, flag)| rename(by.root, version, *flag, Flag::Deleted));
                renames.chain([by.create()]).collect()
            }
            Self::Rename {
                root,
                version,
                from,
                to,
            } => vec![rename(*root, version, *from, *to)],
            Self::Vanish {
                root,
                version,
                flag,
            } => vec![Operation::Remove {
                root: *root,
                path: version.path(*flag),
            }],
        }
    }
}

impl Content {
    fn create(&self) -> Operation {
        Operation::Create {
            root: self.root,
            path: self.version.path(self.flag),
            bytes: Arc::clone(&self.bytes),
        }
    }
}

/// Does a step on real folders at the moment `now`: what it creates carries that modification
/// time, and so do the folders it changes; a renamed file keeps its own.
///
/// # Errors
/// When the file system refuses, or a step names a root that is not among `roots`.
pub fn apply<P: AsRef<Path>>(step: &Step, roots: &[P], now: Moment) -> io::Result<()> {
    step.operations()
        .iter()
        .try_for_each(|operation| operation.apply(roots, now))
}

impl Operation {
    /// Does one operation; see [`apply`].
    ///
    /// # Errors
    /// When the file system refuses, or the root is not among `roots`.
    pub fn apply<P: AsRef<Path>>(&self, roots: &[P], now: Moment) -> io::Result<()> {
        let below = |root: usize, path: &str| {
            let root = roots
                .get(root)
                .ok_or_else(|| io::Error::other("no such root"))?;
            Ok::<_, io::Error>(root.as_ref().join(path))
        };
        let changed = match self {
            Self::Create { root, path, bytes } => {
                let path = below(*root, path)?;
                create(&path, bytes, now)?;
                path
            }
            Self::Rename { root, from, to } => {
                let to = below(*root, to)?;
                fs::rename(below(*root, from)?, &to)?;
                to
            }
            Self::Remove { root, path } => {
                let path = below(*root, path)?;
                fs::remove_file(&path)?;
                path
            }
        };
        match changed.parent() {
            Some(folder) => File::open(folder)?.set_modified(now.system_time()),
            None => Ok(()),
        }
    }
}

/// A new file with its modification time, and the folders above it.
pub(crate) fn create(path: &Path, bytes: &[u8], now: Moment) -> io::Result<()> {
    let mut file = match File::create(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create(path)?
        }
        created => created?,
    };
    file.write_all(bytes)?;
    file.set_modified(now.system_time())
}
