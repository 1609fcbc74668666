//! The way to an object store that speaks S3.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3Builder;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use zeroize::Zeroizing;

use crate::error::Error;

/// Somebody who listens answers a connection sooner.
const CONNECT: Duration = Duration::from_secs(5);
/// One try of one request; 64 MiB pass a slow line in that time.
const REQUEST: Duration = Duration::from_secs(120);
/// After a failure of the server or the network.
const RETRIES: usize = 3;

/// A bucket of an object store that speaks S3, and what opens it.
#[derive(Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What the keys of all objects begin with; may be empty. `[0-9a-z/]`, because everything else
    /// would be percent-encoded, and differently by different servers.
    pub prefix: String,
    /// Where the server is (`https://host:port`); Amazon's own of the region when absent. Over plain
    /// HTTP what is sent is sealed, and its amount and times are not.
    pub endpoint: Option<String>,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks.
    pub access_key: AccessKey,
}

/// An access key. It cannot be printed, and is wiped from memory when dropped.
#[derive(Clone)]
pub struct AccessKey {
    id: Zeroizing<String>,
    secret: Zeroizing<String>,
    token: Option<Zeroizing<String>>,
}

impl AccessKey {
    /// The key's id and secret, and the session's token where there is one.
    pub fn new(id: String, secret: String, token: Option<String>) -> Self {
        Self {
            id: Zeroizing::new(id),
            secret: Zeroizing::new(secret),
            token: token.map(Zeroizing::new),
        }
    }
}

impl Bucket {
    /// The bucket's objects; connects to nothing yet.
    pub(super) fn open(&self) -> Result<Arc<dyn ObjectStore>, Error> {
        let AccessKey { id, secret, token } = &self.access_key;
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            max_retries: RETRIES,
            retry_timeout: REQUEST,
        };
        let endpoint = self.endpoint.as_deref();
        let client = ClientOptions::new()
            .with_connect_timeout(CONNECT)
            .with_timeout(REQUEST)
            .with_allow_http(endpoint.is_some_and(|url| url.starts_with("http://")));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.name)
            .with_region(&self.region)
            .with_access_key_id(id.as_str())
            .with_secret_access_key(secret.as_str())
            .with_retry(retry)
            .with_client_options(client);
        if let Some(token) = token {
            builder = builder.with_token(token.as_str());
        }
        if let Some(endpoint) = endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        // The library's own error may quote what it was given.
        let opened = builder.build();
        let opened = opened.map_err(|_| Error::Conflict("the object store's settings"))?;
        Ok(Arc::new(opened))
    }
}
