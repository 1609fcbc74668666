//! Configuration: the one place that reads the environment and configuration files. The written
//! form becomes a checked one, and every mistake of every file is reported together.
//!
//! | file | holds |
//! | --- | --- |
//! | `config/keys.rs` | every key of `musubi.toml` |
//! | `config/blobs.rs` | a folder, or a bucket with what the environment says of it |
//! | `config/databases.rs` | what four database URLs must have in common |
//! | `config/folder.rs` | a network's folder as one value |
//! | `config/master.rs` | the master key behind its reference |

mod blobs;
mod databases;
mod folder;
mod keys;
mod master;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use auth::Front;
use model::mistake::{Mistake, rule};
use model::network::Network;
use model::written::{DefaultTaken, position};

pub(crate) use blobs::BlobsUrl;
pub(crate) use databases::Databases;
pub(crate) use folder::read_network;
pub(crate) use master::KeySource;

/// The checked form of everything that is configured.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The network that is served.
    pub(crate) network: Arc<Network>,
    /// Where rows are kept.
    pub(crate) databases: Databases,
    /// Where sealed bytes are kept.
    pub(crate) blobs: BlobsUrl,
    /// Where the master key comes from.
    pub(crate) master: KeySource,
    /// Address of pages and interfaces.
    pub(crate) listen: SocketAddr,
    /// What stands between the program and its clients.
    pub(crate) front: Front,
    /// Address of health and metrics, if wanted.
    pub(crate) metrics: Option<SocketAddr>,
    /// How the program logs.
    pub(crate) log: Log,
    /// Greatest size of an item, in bytes; more is not read.
    pub(crate) max_item: u64,
    /// How many items are worked on at the same time.
    pub(crate) width: usize,
    /// Folder of what the program writes besides databases; it holds the folder of sealed bytes.
    pub(crate) data: PathBuf,
}

/// How the program logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Log {
    /// One JSON object a line instead of text for people.
    pub(crate) json: bool,
    /// The least important level that is written.
    pub(crate) level: tracing::Level,
}

/// What reading the configuration gave.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The checked form; absent when there is any mistake.
    pub(crate) config: Option<Config>,
    /// The keys that were absent, by file.
    pub(crate) defaults: Vec<(String, Vec<DefaultTaken>)>,
    /// What is acceptable here and would not be elsewhere.
    pub(crate) warnings: Vec<Mistake>,
    /// Everything that is wrong.
    pub(crate) mistakes: Vec<Mistake>,
}

/// A configuration that nothing can start with.
#[derive(Debug)]
pub(crate) struct Unusable(Vec<Mistake>);

impl std::error::Error for Unusable {}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|mistake| writeln!(out, "{mistake}"))?;
        write!(
            out,
            "the configuration has {} mistakes; nothing was started",
            self.0.len()
        )
    }
}

impl Reading {
    /// The configuration, if nothing is wrong with it.
    ///
    /// # Errors
    /// [`Unusable`] with all mistakes.
    pub(crate) fn checked(self) -> Result<Config, Unusable> {
        self.config.ok_or(Unusable(self.mistakes))
    }
}

/// The file that is read where none is named, if it is there.
const USUAL_FILE: &str = "musubi.toml";

/// What an absent file says: every key takes its default.
const NO_FILE: &str = "schema = \"musubi/1\"\n";

/// Reads `musubi.toml` (or the named file, or only defaults when there is none), the environment and
/// the network's folder. Relative paths count from the folder of the file.
///
/// # Errors
/// The named file cannot be read.
pub(crate) fn load(named: Option<&Path>) -> anyhow::Result<Reading> {
    let usual = Path::new(USUAL_FILE);
    let path = named.or_else(|| usual.exists().then_some(usual));
    let text = match path {
        None => Ok(NO_FILE.to_owned()),
        Some(path) => {
            let bytes =
                std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            utf8(path, bytes)
        }
    };
    let file = path.unwrap_or(usual);
    let base = file.parent().unwrap_or(Path::new(""));
    Ok(match text {
        Ok(text) => keys::read(&file.display().to_string(), &text, base, &environment()),
        Err(mistake) => Reading {
            mistakes: vec![mistake],
            ..Reading::default()
        },
    })
}

/// The variables that configure the program, by name. What is not UTF-8 is kept as far as it can be
/// read, so that it is refused and not overlooked.
fn environment() -> Vec<(String, String)> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    variables
        .filter(|(name, _)| name.starts_with(keys::PREFIX) || name.starts_with(blobs::PREFIX))
        .collect()
}

/// A secret of the environment, by the name that the configuration gives.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
fn secret(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("reading the environment variable {name}"))
}

/// Reads a file of the configuration; what fails is a mistake of the configuration.
fn text_of(path: &Path) -> Result<String, Mistake> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    utf8(path, bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Mistake {
    let message = format!("cannot be read: {}", error.to_string().to_lowercase());
    Mistake {
        rule: rule::UNRESOLVED,
        file: path.display().to_string(),
        line: 0,
        column: 0,
        message,
        help: None,
    }
}

fn utf8(path: &Path, bytes: Vec<u8>) -> Result<String, Mistake> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let (line, column) = position(&String::from_utf8_lossy(error.as_bytes()), good);
        let (file, message) = (
            path.display().to_string(),
            "the text is not UTF-8".to_owned(),
        );
        Mistake {
            rule: rule::SYNTAX,
            file,
            line,
            column,
            message,
            help: None,
        }
    })
}

#[cfg(test)]
mod tests;
