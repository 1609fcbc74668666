//! Who asks from where: the other end of a request, and whether others can read along.
//!
//! Behind a proxy the other end of every connection is the proxy, and its headers alone tell of the
//! client. They are believed from the proxies that the configuration names, and from nobody else.
//! Where they cannot be understood, or come unasked, the client is a stranger far away.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use model::address::Block;

use crate::refusal::Refusal;
use crate::state::Auth;

/// What stands between this program and its clients; by default nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Front {
    /// Address under which clients know the program, when it is another than the listener's.
    pub site: Option<Site>,
    /// The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub proxies: Vec<Block>,
}

/// An address for browsers, `https` and host, and no path: an origin of RFC 6454 §6.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site(String);

impl Site {
    /// As a browser writes it, e.g. `https://hub.example.jp`.
    pub fn origin(&self) -> &str {
        &self.0
    }
}

/// The text is no such address.
#[derive(Debug, PartialEq, Eq)]
pub struct Unfit;

impl FromStr for Site {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        let named = text.strip_prefix("https://").ok_or(Unfit)?;
        let authority: Authority = named.parse().map_err(|_| Unfit)?;
        let port = named.strip_prefix(authority.host()).ok_or(Unfit)?;
        let known = match port.strip_prefix(':') {
            Some(digits) => digits.parse::<u16>().is_ok_and(|port| port > 0),
            None => port.is_empty(),
        };
        if authority.host().is_empty() || !known {
            return Err(Unfit);
        }
        let named = named.strip_suffix(":443").unwrap_or(named);
        Ok(Self(format!("https://{}", named.to_ascii_lowercase())))
    }
}

/// The connection of a request. A TLS listener puts it into the request's extensions; for a plain
/// one axum's [`ConnectInfo`] and the [`Front`] tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// The client; `0.0.0.0` when nobody knows.
    pub peer: IpAddr,
    /// Whether others cannot read along.
    pub tls: bool,
}

const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Connection {
    /// Whether a secret may travel on it: TLS, or it does not leave the machine.
    pub(crate) fn is_private(&self) -> bool {
        self.tls || self.peer.is_loopback()
    }

    pub(crate) fn of(parts: &Parts, front: &Front) -> Result<Self, Refusal> {
        if let Some(connection) = parts.extensions.get::<Self>() {
            return Ok(*connection);
        }
        let plain = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        plain
            .map(|ConnectInfo(peer)| front.connection(peer.ip(), &parts.headers))
            .ok_or(Refusal::Unavailable(store::Error::Unavailable(
                "connection",
            )))
    }
}

impl FromRequestParts<Auth> for Connection {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, auth: &Auth) -> Result<Self, Refusal> {
        Self::of(parts, &auth.front)
    }
}

impl Front {
    /// The connection behind a plain one, by what proxies say of it.
    // INVARIANT: nobody who comes through a proxy is at a loopback address of this machine.
    fn connection(&self, peer: IpAddr, headers: &HeaderMap) -> Connection {
        let peer = peer.to_canonical();
        if self.trusts(peer) {
            let (peer, tls) = self
                .client(headers)
                .zip(over_tls(headers))
                .unwrap_or((UNKNOWN, false));
            return Connection { peer, tls };
        }
        let passed_on =
            peer.is_loopback() && headers.keys().any(|name| is_of_a_proxy(name.as_str()));
        Connection {
            peer: if passed_on { UNKNOWN } else { peer },
            tls: false,
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.proxies.iter().any(|block| block.holds(address))
    }

    /// The last address that is no proxy's own: what stands before it is the client's word. Nothing
    /// when that cannot be read.
    fn client(&self, headers: &HeaderMap) -> Option<IpAddr> {
        let passed = words(headers, "x-forwarded-for")?;
        if passed.is_empty() {
            return None;
        }
        for word in passed.into_iter().rev() {
            let address = address(word)?;
            if !self.trusts(address) {
                let far = !address.is_loopback();
                return Some(if far { address } else { UNKNOWN });
            }
        }
        Some(UNKNOWN)
    }
}

/// Whether every proxy says that the client speaks TLS; nothing when one says something else.
fn over_tls(headers: &HeaderMap) -> Option<bool> {
    let said = words(headers, "x-forwarded-proto")?;
    let tls = !said.is_empty() && said.iter().all(|word| word.eq_ignore_ascii_case("https"));
    let known = |word: &&str| {
        ["http", "https"]
            .iter()
            .any(|one| word.eq_ignore_ascii_case(one))
    };
    said.iter().all(known).then_some(tls)
}

/// The words of a list in all its headers, in order.
fn words<'a>(headers: &'a HeaderMap, name: &str) -> Option<Vec<&'a str>> {
    let texts: Result<Vec<&str>, _> = headers
        .get_all(name)
        .iter()
        .map(axum::http::HeaderValue::to_str)
        .collect();
    let words = texts.ok()?.into_iter().flat_map(|text| text.split(','));
    Some(words.map(str::trim).collect())
}

/// An address, which some proxies write with a port.
fn address(word: &str) -> Option<IpAddr> {
    let with_port = || word.parse::<SocketAddr>().map(|address| address.ip()).ok();
    let bare = word.trim_start_matches('[').trim_end_matches(']');
    let address: Option<IpAddr> = bare.parse().ok().or_else(with_port);
    address.map(|address| address.to_canonical())
}

/// A header by which a proxy tells that it passes something on (RFC 7239, and habit).
fn is_of_a_proxy(name: &str) -> bool {
    name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip", "via"].contains(&name)
}

#[cfg(test)]
mod tests;
