//! The written form of `musubi.toml`: every key, with what holds when it is absent. Each key can be
//! given by the environment too, as `MUSUBI_` and its name in capitals with `_` for dots.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use auth::Front;
use model::address::Block;
use model::mistake::{Mistake, rule};
use model::network::Network;
use model::written::{Entry, Key, Notes, Override, Word, closest, fill, put};

use crate::config::blobs::BlobsUrl;
use crate::config::databases::{DatabaseUrl, Databases};
use crate::config::{Config, KeySource, Log, Reading, read_network};

/// A configuration on its way to its checked form.
pub(super) struct Draft {
    base: PathBuf,
    environment: Vec<(String, String)>,
    network: Option<PathBuf>,
    pub(super) databases: [Option<DatabaseUrl>; 4],
    pub(super) blobs: Option<BlobsUrl>,
    pub(super) allow_http: bool,
    master: KeySource,
    master_file_is_written: bool,
    listen: SocketAddr,
    front: Front,
    metrics: Option<SocketAddr>,
    log: Log,
    max_item: u64,
    width: Option<u32>,
}

/// What every variable of the environment begins with that is a key.
pub(super) const PREFIX: &str = "MUSUBI_";

const KEYS: &[Key<Draft>] = &[
    Key::required("schema", |_, e| e.exactly("musubi/1")),
    Key::new("network", r#""networks/example""#, |d, e| {
        put(&mut d.network, path(&d.base, e).map(Some))
    }),
    Key::new(
        "database.records",
        r#""sqlite://data/records.db""#,
        |d, e| d.database(0, e),
    ),
    Key::new("database.office", r#""sqlite://data/office.db""#, |d, e| {
        d.database(1, e)
    }),
    Key::new("database.audit", r#""sqlite://data/audit.db""#, |d, e| {
        d.database(2, e)
    }),
    Key::new("database.keys", r#""sqlite://data/keys.db""#, |d, e| {
        d.database(3, e)
    }),
    Key::new("blobs.allow_http", "false", |d, e| {
        put(&mut d.allow_http, e.switch())
    }),
    Key::new("blobs.url", r#""file://data/blobs""#, Draft::blobs_url),
    Key::new(
        "keys.master.file",
        r#""data/master.key""#,
        Draft::master_file,
    ),
    Key::optional("keys.master.env", Draft::master_env),
    Key::new("serve.listen", r#""127.0.0.1:8080""#, |d, e| {
        put(&mut d.listen, loopback(e))
    }),
    Key::optional("serve.public_url", |d, e| {
        let expected = "an address such as \"https://hub.example.jp\", without a path";
        put(&mut d.front.site, e.parsed(expected).map(Some))
    }),
    Key::new("serve.trusted_proxies", "[]", |d, e| {
        put(&mut d.front.proxies, proxies(e))
    }),
    Key::not_built_at_all("serve.tls"),
    Key::new("metrics.listen", r#""127.0.0.1:9464""#, |d, e| {
        put(&mut d.metrics, loopback_or_off(e))
    }),
    Key::new("log.format", r#""human""#, |d, e| {
        put(&mut d.log.json, e.word(FORMATS))
    }),
    Key::new("log.level", r#""info""#, |d, e| {
        put(&mut d.log.level, e.word(LEVELS))
    }),
    Key::new("ingest.max_item", r#""16MiB""#, |d, e| {
        put(&mut d.max_item, e.size())
    }),
    Key::optional("ingest.width", |d, e| {
        put(&mut d.width, e.number(1..=1024).map(Some))
    }),
];

const FORMATS: [Word<bool>; 2] = [("human", Some(false)), ("json", Some(true))];
const LEVELS: [Word<tracing::Level>; 5] = [
    ("error", Some(tracing::Level::ERROR)),
    ("warn", Some(tracing::Level::WARN)),
    ("info", Some(tracing::Level::INFO)),
    ("debug", Some(tracing::Level::DEBUG)),
    ("trace", Some(tracing::Level::TRACE)),
];

/// Reads the text of `musubi.toml`, with the variables of the environment going before it, and the
/// network that it names.
pub(super) fn read(
    file: &str,
    text: &str,
    base: &Path,
    environment: &[(String, String)],
) -> Reading {
    let overrides: Vec<Override<'_>> = environment
        .iter()
        .filter_map(|(name, text)| {
            let key = KEYS
                .iter()
                .find(|key| name.strip_prefix(PREFIX) == Some(&variable(key.name)))?;
            Some(Override {
                key: key.name,
                source: name,
                text,
            })
        })
        .collect();
    let mut draft = Draft::new(base, environment);
    let Notes { defaults, mistakes } = fill(file, text, &overrides, KEYS, &mut draft);
    let strangers = environment
        .iter()
        .filter_map(stranger)
        .filter(|stranger| !draft.master.is_in(&stranger.file));
    let mut reading = Reading {
        config: None,
        defaults: vec![(file.to_owned(), defaults)],
        warnings: draft.warnings(file),
        mistakes: mistakes.into_iter().chain(strangers).collect(),
    };
    // The network is read even when other keys are wrong, so that all mistakes come at once.
    if let Some(folder) = draft.network.clone() {
        let network = read_network(&folder, base, &mut reading);
        let usable = network.filter(|_| reading.mistakes.is_empty());
        reading.config = usable.and_then(|network| draft.checked(network));
    }
    reading
}

/// What the variable of a key is called behind its prefix.
fn variable(key: &str) -> String {
    key.to_uppercase().replace('.', "_")
}

/// A variable that is no key and looks like one.
fn stranger((name, _): &(String, String)) -> Option<Mistake> {
    let bare = name.strip_prefix(PREFIX)?;
    let variables: Vec<String> = KEYS.iter().map(|key| variable(key.name)).collect();
    let meant =
        closest(bare, variables.iter().map(String::as_str)).filter(|meant| *meant != bare)?;
    Some(Mistake {
        rule: rule::UNKNOWN_KEY,
        file: name.clone(),
        line: 0,
        column: 0,
        message: "no key has this variable".to_owned(),
        help: Some(format!("did you mean {PREFIX}{meant}?")),
    })
}

impl Draft {
    fn new(base: &Path, environment: &[(String, String)]) -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            base: base.to_owned(),
            environment: environment.to_vec(),
            network: None,
            databases: [const { None }; 4],
            blobs: None,
            allow_http: false,
            master: KeySource::File(PathBuf::new()),
            master_file_is_written: false,
            listen: nowhere,
            front: Front::default(),
            metrics: None,
            log: Log {
                json: false,
                level: tracing::Level::INFO,
            },
            max_item: 0,
            width: None,
        }
    }

    fn master_file(&mut self, entry: &Entry<'_>) -> Option<()> {
        self.master_file_is_written = !entry.is_default();
        self.master = KeySource::File(path(&self.base, entry)?);
        Some(())
    }

    fn master_env(&mut self, entry: &Entry<'_>) -> Option<()> {
        let name = entry.text()?;
        if self.master_file_is_written {
            entry.refuse(
                rule::REFUSED,
                "stands beside `keys.master.file`: there is one master key",
                None,
            );
            return None;
        }
        self.master = KeySource::Environment(name.to_owned());
        Some(())
    }

    /// What is acceptable on loopback only.
    fn warnings(&self, file: &str) -> Vec<Mistake> {
        let warning = |message: &str, help: Option<&str>| Mistake {
            rule: rule::REFUSED,
            file: file.to_owned(),
            line: 0,
            column: 0,
            message: message.to_owned(),
            help: help.map(str::to_owned),
        };
        let plain = warning(
            "`serve.listen` speaks plain HTTP; only this machine reaches it",
            None,
        );
        let unheard = warning(
            "`serve.public_url` is set and `serve.trusted_proxies` names nobody: whoever comes \
             through a proxy is a stranger without TLS, and read tokens are refused",
            Some("name the proxy's address in `serve.trusted_proxies`"),
        );
        let unheard =
            (self.front.site.is_some() && self.front.proxies.is_empty()).then_some(unheard);
        std::iter::once(plain)
            .chain(unheard)
            .chain(self.master.open_to_others())
            .collect()
    }

    fn checked(self, network: Network) -> Option<Config> {
        let [records, office, audit, keys] = self.databases;
        let databases = Databases {
            records: records?.url(),
            office: office?.url(),
            audit: audit?.url(),
            keys: keys?.url(),
        };
        let blobs = self.blobs?;
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        Some(Config {
            network: Arc::new(network),
            databases,
            data: blobs.data(&self.base),
            blobs,
            master: self.master,
            listen: self.listen,
            front: self.front,
            metrics: self.metrics,
            log: self.log,
            max_item: self.max_item,
            width: self
                .width
                .and_then(|width| usize::try_from(width).ok())
                .unwrap_or_else(processors),
        })
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// A variable of the environment that says something.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let mut variables = self.environment.iter();
        let (_, text) = variables.find(|(found, _)| found == name)?;
        Some(text.trim()).filter(|text| !text.is_empty())
    }
}

fn path(base: &Path, entry: &Entry<'_>) -> Option<PathBuf> {
    entry.text().map(|text| base.join(text))
}

/// An address that only this machine reaches: without TLS there is no other.
fn loopback(entry: &Entry<'_>) -> Option<SocketAddr> {
    let address: SocketAddr = entry.parsed("an address such as \"127.0.0.1:8080\"")?;
    if !address.ip().is_loopback() {
        let help = "listen on 127.0.0.1 or [::1] behind a proxy that speaks TLS";
        entry.refuse(
            rule::REFUSED,
            "is reachable from outside without TLS",
            Some(help.to_owned()),
        );
        return None;
    }
    Some(address)
}

/// Every item is read before the first failure counts, so that all of them are noted.
fn proxies(entry: &Entry<'_>) -> Option<Vec<Block>> {
    let expected = "an address such as \"127.0.0.1\" or a block of them such as \"10.0.0.0/8\"";
    let items: Vec<Option<Block>> = entry
        .items()?
        .iter()
        .map(|item| item.parsed(expected))
        .collect();
    items.into_iter().collect()
}

fn loopback_or_off(entry: &Entry<'_>) -> Option<Option<SocketAddr>> {
    if entry.text()? == "off" {
        Some(None)
    } else {
        loopback(entry).map(Some)
    }
}
