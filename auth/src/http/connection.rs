//! Over what a request came.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use crate::refusal::Refusal;

/// The connection of a request. A TLS listener puts it into the request's extensions; for a plain
/// one axum's [`ConnectInfo`] suffices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// The other end.
    pub peer: IpAddr,
    /// Whether others cannot read along.
    pub tls: bool,
}

impl Connection {
    /// Whether a secret may travel on it: TLS, or it does not leave the machine.
    pub(crate) fn is_private(&self) -> bool {
        self.tls || self.peer.to_canonical().is_loopback()
    }

    pub(crate) fn of(parts: &Parts) -> Result<Self, Refusal> {
        if let Some(connection) = parts.extensions.get::<Self>() {
            return Ok(*connection);
        }
        let plain = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        plain
            .map(|ConnectInfo(peer)| Self {
                peer: peer.ip(),
                tls: false,
            })
            .ok_or(Refusal::Unavailable(store::Error::Unavailable(
                "connection",
            )))
    }
}

impl<S: Sync> FromRequestParts<S> for Connection {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::of(parts)
    }
}
