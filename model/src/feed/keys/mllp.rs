//! How the keys of a feed are read whose senders push.

use std::net::SocketAddr;
use std::path::PathBuf;

use data_encoding::HEXLOWER_PERMISSIVE;

use super::Neighbours;
use crate::address::Block;
use crate::feed::{Mllp, OnFailure, Sender, Tls};
use crate::mistake::rule;
use crate::written::{Entry, Word};

pub(super) const ON_FAILURE: [Word<OnFailure>; 2] = [
    ("wait", Some(OnFailure::Wait)),
    ("AE", Some(OnFailure::Error)),
];
pub(super) const ACK_MODES: [Word<()>; 4] = [
    ("original", Some(())),
    ("enhanced", None),
    ("as-requested", None),
    ("none", None),
];
/// Where the path of a file of [`Tls`] goes.
type File = fn(&mut Tls) -> &mut PathBuf;
const TLS: [Word<File>; 3] = [
    ("certificate", Some(|tls| &mut tls.certificate)),
    ("key", Some(|tls| &mut tls.key)),
    ("authorities", Some(|tls| &mut tls.authorities)),
];

/// An address at which no other feed listens.
pub(super) fn listen(neighbours: Neighbours<'_>, entry: &Entry<'_>) -> Option<SocketAddr> {
    let address: SocketAddr = entry.parsed("an address such as \"10.1.2.3:2575\"")?;
    let collides = |other: SocketAddr| {
        let everywhere = address.ip().is_unspecified() || other.ip().is_unspecified();
        address.port() == other.port() && (everywhere || address.ip() == other.ip())
    };
    let taken = |other: Option<SocketAddr>| other.is_some_and(collides);
    let mut others = neighbours.feeds.values();
    if let Some(feed) = others.find(|feed| taken(feed.source.listen())) {
        let what = format!("is an address at which feed \"{}\" listens", feed.id);
        entry.refuse(rule::DUPLICATE, &what, None);
        return None;
    }
    Some(address)
}

/// Every item is read before the first failure counts, so that all of them are noted.
pub(super) fn blocks(entry: &Entry<'_>) -> Option<Vec<Block>> {
    let expected = "an address such as \"10.1.2.3\" or a block of them such as \"10.1.2.0/24\"";
    let items = entry.items()?;
    let items: Vec<_> = items.iter().map(|item| item.parsed(expected)).collect();
    items.into_iter().collect()
}

pub(super) fn tls(entry: &Entry<'_>) -> Option<Tls> {
    let mut tls = Tls {
        certificate: PathBuf::new(),
        key: PathBuf::new(),
        authorities: PathBuf::new(),
    };
    let mut good = true;
    for (place, name, value) in entry.members()? {
        match (place.means(name, TLS), value.text()) {
            (Some(file), Some(path)) => *file(&mut tls) = path.into(),
            _ => good = false,
        }
    }
    for (name, file) in TLS {
        if good && file.is_some_and(|file| file(&mut tls).as_os_str().is_empty()) {
            entry.refuse(rule::MISSING, &format!("says no `{name}`"), None);
            good = false;
        }
    }
    good.then_some(tls)
}

pub(super) fn senders(entry: &Entry<'_>) -> Option<Vec<Sender>> {
    let items = entry.items()?;
    let items: Vec<Option<Sender>> = items.iter().map(sender).collect();
    let senders: Vec<Sender> = items.into_iter().collect::<Option<_>>()?;
    for (at, sender) in senders.iter().enumerate() {
        if senders.iter().skip(at + 1).any(|s| s.name == sender.name) {
            let what = format!("has two senders \"{}\"", sender.name);
            entry.refuse(rule::DUPLICATE, &what, None);
            return None;
        }
    }
    Some(senders)
}

fn sender(entry: &Entry<'_>) -> Option<Sender> {
    const MEMBERS: [Word<u8>; 3] = [
        ("name", Some(0)),
        ("addresses", Some(1)),
        ("certificate", Some(2)),
    ];
    let mut sender = Sender {
        name: String::new(),
        addresses: Vec::new(),
        certificate: None,
    };
    let mut good = true;
    for (place, name, value) in entry.members()? {
        let read = match place.means(name, MEMBERS) {
            Some(0) => self::name(&value).map(|name| sender.name = name),
            Some(1) => blocks(&value).map(|blocks| sender.addresses = blocks),
            Some(_) => fingerprint(&value).map(|digest| sender.certificate = Some(digest)),
            None => None,
        };
        good &= read.is_some();
    }
    if good && sender.name.is_empty() {
        entry.refuse(rule::MISSING, "has a sender without `name`", None);
        return None;
    }
    good.then_some(sender)
}

fn name(entry: &Entry<'_>) -> Option<String> {
    let name = entry.text()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    if name.len() > 64 || !name.bytes().all(allowed) {
        entry.wrong_type("1 to 64 ASCII letters, digits, dots or hyphens");
        return None;
    }
    Some(name.to_owned())
}

/// As `openssl x509 -fingerprint -sha256` prints it, with or without colons.
fn fingerprint(entry: &Entry<'_>) -> Option<[u8; 32]> {
    let text = entry.text()?;
    let bare = text.strip_prefix("sha256:").unwrap_or(text);
    let digits: String = bare.chars().filter(|letter| *letter != ':').collect();
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
    let digest = bytes.and_then(|bytes| bytes.try_into().ok());
    if digest.is_none() {
        entry.wrong_type("the SHA-256 fingerprint of a certificate, 64 hexadecimal digits");
    }
    digest
}

/// What the keys say together that none of them may: each with its help.
pub(super) fn contradictions(mllp: &Mllp) -> Vec<(&'static str, String, &'static str)> {
    let mut found = Vec::new();
    if mllp.tls.is_none() && mllp.allow.is_empty() && mllp.senders.is_empty() {
        let message = "without `source.tls` it must be said who may connect".to_owned();
        found.push((rule::MISSING, message, "write `source.allow`"));
    }
    for Sender {
        name,
        addresses,
        certificate,
    } in &mllp.senders
    {
        let wrong = match (&mllp.tls, certificate) {
            (None, Some(_)) => "shows a certificate, which it cannot without `source.tls`",
            (None, None) if addresses.is_empty() && mllp.allow.is_empty() => {
                "has neither addresses nor a certificate"
            }
            (Some(_), None) => "has no `certificate`, although there is `source.tls`",
            _ => continue,
        };
        let help = "`addresses` say who a sender is without TLS, `certificate` with it";
        found.push((rule::REFUSED, format!("sender \"{name}\" {wrong}"), help));
    }
    found
}
