//! A hospital's storage on a disk outside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use normalize::ssmix::path::{FileName, parse};
use samples::network::Paper;
use samples::{Mix, Network};

/// A written storage with what its patients signed.
pub(crate) struct Hospital {
    /// Its two roots.
    pub(crate) roots: Vec<PathBuf>,
    /// Local ids and what papers say, one a patient.
    pub(crate) papers: Vec<(String, Paper)>,
    /// How many files there are.
    pub(crate) files: u64,
    _folder: tempfile::TempDir,
}

/// One file of the storage.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) name: FileName,
}

impl Hospital {
    /// Writes about so many files of so many patients; the same numbers give the same bytes.
    pub(crate) fn write(patients: u64, files: u64) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let network = Network::generate(1, patients)
            .with_mix(Mix::Ordinary)
            .with_files(files);
        let files = samples::write(&network, folder.path())?;
        let roots = samples::roots(folder.path());
        roots.iter().try_for_each(fs::create_dir_all)?;
        let papers = network
            .patients()
            .map(|patient| (patient.person.local_id, patient.paper));
        Ok(Self {
            roots: roots.to_vec(),
            papers: papers.collect(),
            files,
            _folder: folder,
        })
    }

    /// Looks through the storage as a feed does: names, sizes, times.
    pub(crate) fn list(&self) -> anyhow::Result<Vec<File>> {
        let mut files = Vec::new();
        for root in &self.roots {
            walk(root, root, &mut files)?;
        }
        Ok(files)
    }
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(root, &entry.path(), files)?;
            continue;
        }
        entry.metadata()?;
        let path = entry.path();
        let relative = path.strip_prefix(root)?.to_string_lossy().into_owned();
        if let Ok(name) = parse(&relative) {
            files.push(File { path, name });
        }
    }
    Ok(())
}
