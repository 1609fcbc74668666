//! A hospital's storage on a disk outside the repository.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use normalize::ssmix::path::{FileName, parse};
use samples::{Mix, Network};

/// Written last: who has it has the whole storage.
const PAPERS: &str = "papers.tsv";

/// Folder below which the second hospital's storage lies.
pub(crate) const SECOND: &str = "second";

/// A written storage with what its patients signed.
pub(crate) struct Hospital {
    /// Where it lies.
    pub(crate) folder: PathBuf,
    /// Its two roots.
    pub(crate) roots: Vec<PathBuf>,
    /// What papers say, one a patient.
    pub(crate) papers: Vec<Paper>,
    /// How many files there are.
    pub(crate) files: u64,
}

/// What a patient's paper says.
pub(crate) struct Paper {
    pub(crate) local_id: String,
    pub(crate) kana: String,
    pub(crate) birth_date: String,
    pub(crate) sex: String,
}

/// One file of the storage.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) name: FileName,
}

impl Hospital {
    /// Writes about so many files of so many patients below a folder, unless they lie there already;
    /// the same numbers give the same bytes.
    pub(crate) fn write(folder: &Path, patients: u64, files: u64) -> anyhow::Result<Self> {
        let folder = folder.join(format!("{files}-of-{patients}"));
        if !folder.join(PAPERS).exists() {
            let network = Network::generate(1, patients)
                .with_mix(Mix::Ordinary)
                .with_files(files);
            let written = samples::write(&network, &folder)?;
            let mut table = format!("{written}\n");
            for patient in network.patients() {
                let (id, paper) = (patient.person.local_id, patient.paper);
                table.push_str(&format!(
                    "{id}\t{}\t{}\t{}\n",
                    paper.kana, paper.birth_date, paper.sex
                ));
            }
            fs::write(folder.join(PAPERS), table)?;
        }
        Self::open(&folder)
    }

    /// A storage that [`Hospital::write`] wrote.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let roots = samples::roots(folder);
        roots.iter().try_for_each(fs::create_dir_all)?;
        let table = fs::read_to_string(folder.join(PAPERS))?;
        let mut lines = table.lines();
        let files = lines.next().context("the number of files")?.parse()?;
        let papers = lines.map(Paper::read).collect::<Option<_>>();
        Ok(Self {
            folder: folder.to_owned(),
            roots: roots.to_vec(),
            papers: papers.context("four columns")?,
            files,
        })
    }

    /// The roots of the second hospital beside this one; empty unless it was written there.
    pub(crate) fn second(&self) -> anyhow::Result<Vec<PathBuf>> {
        let name = self.folder.file_name().context("a folder")?;
        let roots = samples::roots(&self.folder.with_file_name(SECOND).join(name));
        roots.iter().try_for_each(fs::create_dir_all)?;
        Ok(roots.to_vec())
    }

    /// Looks through the storage as a feed does: names, sizes, times. Each file is shown once.
    pub(crate) fn each(&self, mut show: impl FnMut(File)) -> anyhow::Result<()> {
        self.roots
            .iter()
            .try_for_each(|root| walk(root, root, &mut show))
    }
}

impl Paper {
    fn read(line: &str) -> Option<Self> {
        let mut cells = line.split('\t').map(str::to_owned);
        Some(Self {
            local_id: cells.next()?,
            kana: cells.next()?,
            birth_date: cells.next()?,
            sex: cells.next()?,
        })
    }
}

fn walk(root: &Path, folder: &Path, show: &mut impl FnMut(File)) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(root, &entry.path(), show)?;
            continue;
        }
        entry.metadata()?;
        let path = entry.path();
        let relative = path.strip_prefix(root)?.to_string_lossy().into_owned();
        if let Ok(name) = parse(&relative) {
            show(File { path, name });
        }
    }
    Ok(())
}
