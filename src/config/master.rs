//! The master key behind its reference: 32 bytes in base64, in a file that only its owner may read,
//! or in a variable of the environment.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use data_encoding::BASE64;
use model::mistake::{Mistake, rule};
use store::MasterKey;

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeySource {
    /// A file; made at the first start.
    File(PathBuf),
    /// A variable of the environment, by name.
    Environment(String),
}

impl KeySource {
    /// The key. A file that is not there is made with a fresh key: the store knows its own master key
    /// again, so a lost file is noticed and never replaced in silence.
    ///
    /// # Errors
    /// The file cannot be read or made, the variable is not set, or what they hold is not a key.
    pub(crate) fn load(&self) -> anyhow::Result<MasterKey> {
        match self {
            Self::Environment(name) => {
                decoded(&super::secret(name)?).with_context(|| format!("reading {name}"))
            }
            Self::File(path) if path.exists() => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("reading {}", path.display()))?;
                decoded(&text).with_context(|| format!("reading {}", path.display()))
            }
            Self::File(path) => made(path).with_context(|| {
                let path = path.display();
                format!(
                    "there is no master key at {path}, and none can be made there; make it beforehand, as the \
                     user of the service: (umask 077; head -c 32 /dev/urandom | base64 > {path})"
                )
            }),
        }
    }

    /// Whether the key stands in this variable of the environment.
    pub(super) fn is_in(&self, variable: &str) -> bool {
        matches!(self, Self::Environment(name) if name == variable)
    }

    /// What to say when others than the owner may read the key's file.
    pub(super) fn open_to_others(&self) -> Option<Mistake> {
        let Self::File(path) = self else { return None };
        let mode = std::fs::metadata(path).ok()?.permissions().mode();
        let message = format!(
            "others than the owner may read the master key (mode {:03o})",
            mode & 0o777
        );
        let help = Some(format!("chmod 600 {}", path.display()));
        let file = path.display().to_string();
        let mistake = Mistake {
            rule: rule::REFUSED,
            file,
            line: 0,
            column: 0,
            message,
            help,
        };
        (mode & 0o077 != 0).then_some(mistake)
    }
}

fn decoded(text: &str) -> anyhow::Result<MasterKey> {
    let bytes = BASE64
        .decode(text.trim().as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes
        .map(MasterKey::new)
        .context("the master key must be 32 bytes in base64")
}

fn made(path: &Path) -> anyhow::Result<MasterKey> {
    let key = MasterKey::random()?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", BASE64.encode(key.bytes()))?;
    file.sync_all()?;
    Ok(key)
}
