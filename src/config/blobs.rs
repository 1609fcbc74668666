//! Where sealed bytes are kept: a folder, or a bucket of an object store. Server and access key of a
//! bucket come from the environment, under the names that every program for S3 uses.

use std::path::{Path, PathBuf};

use model::mistake::rule;
use model::written::Entry;
use store::{AccessKey, Blobs, Bucket};

use crate::config::keys::Draft;

/// What every variable of the environment begins with that tells of an object store.
pub(super) const PREFIX: &str = "AWS_";

const ENDPOINTS: [&str; 2] = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"];
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
const TOKEN: &str = "AWS_SESSION_TOKEN";
/// What servers are used to that know no regions.
const USUAL_REGION: &str = "us-east-1";

/// Where sealed bytes are kept; it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlobsUrl {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket of an object store.
    Bucket(BucketUrl),
}

/// A bucket, and where its server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BucketUrl {
    name: String,
    prefix: String,
    endpoint: Option<String>,
    region: String,
    has_token: bool,
}

impl BlobsUrl {
    /// The place, with the access key of the environment.
    ///
    /// # Errors
    /// A variable of the access key is not set.
    pub(crate) fn load(&self) -> anyhow::Result<Blobs> {
        let url = match self {
            Self::Folder(folder) => return Ok(Blobs::Folder(folder.clone())),
            Self::Bucket(url) => url,
        };
        let token = url.has_token.then(|| super::secret(TOKEN)).transpose()?;
        Ok(Blobs::Bucket(Bucket {
            name: url.name.clone(),
            prefix: url.prefix.clone(),
            endpoint: url.endpoint.clone(),
            region: url.region.clone(),
            access_key: AccessKey::new(super::secret(KEY_ID)?, super::secret(SECRET)?, token),
        }))
    }

    /// The folder that holds the sealed bytes' folder.
    pub(super) fn data(&self, base: &Path) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.parent().unwrap_or(base).to_owned(),
            Self::Bucket(_) => base.join("data"),
        }
    }
}

impl Draft {
    /// Reads `blobs.url`, and what the environment says of a bucket.
    pub(super) fn blobs_url(&mut self, entry: &Entry<'_>) -> Option<()> {
        let text = entry.text()?;
        let url = if let Some(path) = text.strip_prefix("file://").filter(|path| !path.is_empty()) {
            BlobsUrl::Folder(self.base().join(path))
        } else if let Some(place) = text.strip_prefix("s3://") {
            BlobsUrl::Bucket(self.bucket(entry, place)?)
        } else {
            entry.wrong_type(
                "a folder such as \"file://data/blobs\" or a bucket such as \"s3://bucket/prefix\"",
            );
            return None;
        };
        self.blobs = Some(url);
        Some(())
    }

    /// Everything that is missing is noted before the first absence counts.
    fn bucket(&self, entry: &Entry<'_>, place: &str) -> Option<BucketUrl> {
        let named = named(entry, place);
        let endpoint = ENDPOINTS.into_iter().find_map(|name| self.variable(name));
        let endpoint = endpoint
            .map(|url| self.endpoint(entry, url))
            .map_or(Some(None), |url| url.map(Some));
        let region = REGIONS.into_iter().find_map(|name| self.variable(name));
        let usual = (endpoint != Some(None)).then_some(USUAL_REGION);
        let region = region.or(usual).or_else(|| {
            missing(
                entry,
                "AWS_REGION",
                "or AWS_ENDPOINT_URL for another server than Amazon's",
            )
        });
        let key = [KEY_ID, SECRET].map(|name| {
            let found = self.variable(name);
            found.or_else(|| missing(entry, name, "put it where only the service reads it"))
        });
        let (name, prefix) = named?;
        let [Some(_), Some(_)] = key else { return None };
        Some(BucketUrl {
            name,
            prefix,
            endpoint: endpoint?,
            region: region?.to_owned(),
            has_token: self.variable(TOKEN).is_some(),
        })
    }

    /// A server's address. Over plain HTTP nobody is known for who they are.
    fn endpoint(&self, entry: &Entry<'_>, url: &str) -> Option<String> {
        let url = url.trim_end_matches('/');
        let (scheme, host) = url.split_once("://").unwrap_or(("", url));
        if host.contains('@') {
            entry.refuse(
                rule::LITERAL_SECRET,
                "has an endpoint that holds a password",
                None,
            );
            return None;
        }
        if !["http", "https"].contains(&scheme) || host.is_empty() || host.contains(['?', '#']) {
            let help = "write AWS_ENDPOINT_URL as https://host:port".to_owned();
            entry.refuse(rule::TYPE, "has an endpoint that is no address", Some(help));
            return None;
        }
        if scheme == "http" && !self.allow_http && !is_loopback(host) {
            let help = "use https, or set `blobs.allow_http` where the network is yours alone";
            entry.refuse(
                rule::REFUSED,
                "has an endpoint that speaks plain HTTP beyond this machine",
                Some(help.to_owned()),
            );
            return None;
        }
        Some(url.to_owned())
    }
}

/// Bucket and prefix, in letters that every server keeps as they are.
fn named(entry: &Entry<'_>, place: &str) -> Option<(String, String)> {
    let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
    let in_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let in_prefix = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9');
    let prefix = prefix.trim_end_matches('/');
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(in_prefix);
    let good = (3..=63).contains(&name.len())
        && name.bytes().all(in_name)
        && (prefix.is_empty() || prefix.split('/').all(is_part));
    if !good {
        entry.wrong_type(
            "s3://bucket/prefix, with a bucket of 3 to 63 of a-z 0-9 - . and a prefix of a-z 0-9 /",
        );
    }
    good.then(|| (name.to_owned(), prefix.to_owned()))
}

fn missing<T>(entry: &Entry<'_>, variable: &str, help: &str) -> Option<T> {
    let what = format!("needs {variable} in the environment");
    entry.refuse(rule::UNRESOLVED, &what, Some(help.to_owned()));
    None
}

fn is_loopback(host: &str) -> bool {
    let host = host.split('/').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
