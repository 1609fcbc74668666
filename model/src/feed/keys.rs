//! The written form of a feed: every key of `feeds/<id>.toml`, with what holds when it is absent.
//! Some keys are of one kind of source only; `keys/mllp.rs` reads those of senders that push.

mod mllp;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeTable;

use crate::feed::{Fallback, Feed, FeedState, Identity, Mllp, OnFailure, Quirk, Source};
use crate::id::FacilityId;
use crate::mistake::{Mistake, rule};
use crate::network::Facility;
use crate::written::{Entry, Key, Parsed, Word, put, read};

/// What else is known of the network while a feed file is read.
#[derive(Clone, Copy)]
pub struct Neighbours<'a> {
    /// The facilities; absent when their register could not be read.
    pub facilities: Option<&'a BTreeMap<FacilityId, Facility>>,
    /// The feeds that were read before.
    pub feeds: &'a BTreeMap<String, Feed>,
}

/// A feed on its way to its checked form.
struct Draft<'a> {
    neighbours: Neighbours<'a>,
    id: String,
    title: String,
    facility: Option<FacilityId>,
    state: FeedState,
    kind: Kind,
    roots: Vec<PathBuf>,
    sweep: Duration,
    settle: Duration,
    mllp: Mllp,
    fallback: Fallback,
    identity: Identity,
    quirks: Vec<Quirk>,
}

/// What kind of source a feed has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tree,
    Mllp,
}

/// Every key of a feed file that every kind of source has.
fn keys<'a>() -> Vec<Key<Draft<'a>>> {
    vec![
        Key::required("schema", |_, e| e.exactly("feed/1")),
        Key::required("id", |d, e| put(&mut d.id, id(d.neighbours, e))),
        Key::required("title", |d, e| {
            put(&mut d.title, e.text().map(str::to_owned))
        }),
        Key::required("facility", |d, e| {
            put(&mut d.facility, facility(d.neighbours, e).map(Some))
        }),
        Key::required("state", |d, e| put(&mut d.state, e.word(STATES))),
        Key::not_built("extends", "[]"),
        Key::not_built("timezone", r#""Asia/Tokyo""#),
        Key::not_built_at_all("owner"),
        Key::new("quirks", "[]", |d, e| put(&mut d.quirks, e.words(&QUIRKS))),
        Key::required("source.kind", |d, e| put(&mut d.kind, e.word(KINDS))),
        Key::not_built("source.max_item", r#""16MiB""#),
        Key::not_built("decode.charset", r#""declared""#),
        Key::new("decode.fallback", r#""cp932""#, |d, e| {
            put(&mut d.fallback, e.word(FALLBACKS))
        }),
        Key::not_built("decode.on_undecodable", r#""quarantine""#),
        Key::not_built_at_all("decode.machine_dependent"),
        Key::not_built("decode.newline", r#""any""#),
        Key::new("identity.strip_leading_zeros", "false", |d, e| {
            put(&mut d.identity.strip_leading_zeros, e.switch())
        }),
        Key::optional("identity.pad_to", |d, e| {
            put(&mut d.identity.pad_to, pad_to(e).map(Some))
        }),
        Key::not_built("identity.check", r#""none""#),
        Key::not_built_at_all("map"),
        Key::not_built_at_all("validate"),
        Key::not_built_at_all("quality"),
        Key::not_built_at_all("observe"),
        Key::not_built_at_all("alert"),
        Key::not_built_at_all("test"),
    ]
}

/// Keys of a storage.
fn tree_keys<'a>() -> Vec<Key<Draft<'a>>> {
    vec![
        Key::required("source.roots", |d, e| {
            put(&mut d.roots, roots(d.neighbours, e))
        }),
        Key::new("source.sweep", r#""10m""#, |d, e| {
            put(&mut d.sweep, e.interval())
        }),
        Key::new("source.settle", r#""2s""#, |d, e| {
            put(&mut d.settle, e.interval())
        }),
        Key::not_built("source.watch", r#""sweep""#),
        Key::not_built_at_all("source.io_budget"),
        Key::not_built_at_all("source.index"),
    ]
}

/// Keys of senders that push.
fn mllp_keys<'a>() -> Vec<Key<Draft<'a>>> {
    vec![
        Key::required("source.listen", |d, e| {
            put(&mut d.mllp.listen, mllp::listen(d.neighbours, e))
        }),
        Key::new("source.allow", "[]", |d, e| {
            put(&mut d.mllp.allow, mllp::blocks(e))
        }),
        Key::new("source.idle", r#""1d""#, |d, e| {
            put(&mut d.mllp.idle, e.interval())
        }),
        Key::new("source.connections", "256", |d, e| {
            let number = e.number(1..=4096)?;
            put(&mut d.mllp.connections, usize::try_from(number).ok())
        }),
        Key::optional("source.tls", |d, e| {
            put(&mut d.mllp.tls, mllp::tls(e).map(Some))
        }),
        Key::new("source.senders", "[]", |d, e| {
            put(&mut d.mllp.senders, mllp::senders(e))
        }),
        Key::new("ack.mode", r#""original""#, |_, e| {
            e.word(mllp::ACK_MODES).map(drop)
        }),
        Key::new("ack.on_failure", r#""wait""#, |d, e| {
            put(&mut d.mllp.on_failure, e.word(mllp::ON_FAILURE))
        }),
        Key::only("ack.point", r#""committed""#),
        Key::only("ack.on_parse_error", r#""AA+quarantine""#),
        Key::only("ack.on_policy_error", r#""AR""#),
        Key::only("ack.on_overload", r#""wait""#),
        Key::only("ack.text", r#""id-only""#),
        Key::not_built_at_all("ack.deadline"),
    ]
}

/// A key of another kind of source: known, and wrong here.
fn foreign<'a>(key: &Key<Draft<'a>>) -> Key<Draft<'a>> {
    Key::optional(key.name, |draft, entry| {
        let (this, other) = match draft.kind {
            Kind::Tree => ("ssmix2-tree", "mllp-listen"),
            Kind::Mllp => ("mllp-listen", "ssmix2-tree"),
        };
        let what = format!("is a key of another kind of source than \"{this}\"");
        let help = format!("leave it out, or write `source.kind = \"{other}\"`");
        entry.refuse(rule::REFUSED, &what, Some(help));
        None
    })
}

/// The kind that a file names, before its keys are read.
fn kind_of(text: &str) -> Option<Kind> {
    let (root, _) = DeTable::parse_recoverable(text);
    let source = root.get_ref().get("source")?.get_ref().as_table()?;
    let kind = source.get("kind")?.get_ref().as_str()?;
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    known.and_then(|(_, kind)| *kind)
}

const STATES: [Word<FeedState>; 5] = [
    ("draft", None),
    ("shadow", None),
    ("active", Some(FeedState::Active)),
    ("paused", Some(FeedState::Paused)),
    ("retired", Some(FeedState::Retired)),
];
const KINDS: [Word<Kind>; 14] = [
    ("ssmix2-tree", Some(Kind::Tree)),
    ("ssmix2-ext", None),
    ("ssmix2-transaction", None),
    ("mllp-listen", Some(Kind::Mllp)),
    ("mllp-dial", None),
    ("hl7-file", None),
    ("cda-tree", None),
    ("cda-http", None),
    ("dicom-scp", None),
    ("dicom-qr", None),
    ("dicom-folder", None),
    ("fhir-bundle", None),
    ("fhir-pull", None),
    ("csv", None),
];
const FALLBACKS: [Word<Fallback>; 4] = [
    ("cp932", Some(Fallback::Cp932)),
    ("utf-8", Some(Fallback::Utf8)),
    ("euc-jp", Some(Fallback::EucJp)),
    ("iso-2022-jp", Some(Fallback::Iso2022Jp)),
];
const QUIRKS: [Word<Quirk>; 2] = [
    ("adt61-delta", Some(Quirk::Adt61Delta)),
    ("oml11-merge", Some(Quirk::Oml11Merge)),
];

impl Feed {
    /// Reads a feed file. `hash` is the digest of its text; the file's name is given for the places
    /// of mistakes only.
    pub fn parse(
        file: &str,
        text: &str,
        hash: [u8; 32],
        neighbours: Neighbours<'_>,
    ) -> Parsed<Self> {
        let kind = kind_of(text).unwrap_or(Kind::Tree);
        let (own, others) = match kind {
            Kind::Tree => (tree_keys(), mllp_keys()),
            Kind::Mllp => (mllp_keys(), tree_keys()),
        };
        let foreign: Vec<_> = others.iter().map(foreign).collect();
        let names: Vec<&str> = foreign.iter().map(|key| key.name).collect();
        let keys: Vec<_> = keys().into_iter().chain(own).chain(foreign).collect();
        let draft = Draft::new(neighbours, kind);
        let Parsed {
            value,
            mut defaults,
            mut mistakes,
        } = read(file, text, &keys, draft);
        defaults.retain(|taken| !names.contains(&taken.key));
        let absence = |(rule, message, help): (_, String, Option<&str>)| Mistake {
            rule,
            file: file.to_owned(),
            line: 0,
            column: 0,
            message,
            help: help.map(str::to_owned),
        };
        let found = value.as_ref().map(Draft::contradictions);
        mistakes.extend(found.into_iter().flatten().map(absence));
        let value = value.filter(|_| mistakes.is_empty());
        Parsed {
            value: value.and_then(|draft| draft.checked(hash)),
            defaults,
            mistakes,
        }
    }
}

impl<'a> Draft<'a> {
    fn new(neighbours: Neighbours<'a>, kind: Kind) -> Self {
        Self {
            neighbours,
            id: String::new(),
            title: String::new(),
            facility: None,
            state: FeedState::Paused,
            kind,
            roots: Vec::new(),
            sweep: Duration::ZERO,
            settle: Duration::ZERO,
            mllp: Mllp {
                listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                allow: Vec::new(),
                idle: Duration::ZERO,
                connections: 1,
                tls: None,
                senders: Vec::new(),
                on_failure: OnFailure::default(),
            },
            fallback: Fallback::default(),
            identity: Identity::default(),
            quirks: Vec::new(),
        }
    }

    /// What keys say together, or beside other feeds, that none of them says alone: rule, message,
    /// help.
    fn contradictions(&self) -> Vec<(&'static str, String, Option<&'static str>)> {
        let mut found = Vec::new();
        if self.kind == Kind::Mllp {
            let inside = mllp::contradictions(&self.mllp).into_iter();
            found.extend(inside.map(|(rule, message, help)| (rule, message, Some(help))));
        }
        let same = |other: &&Feed| Some(&other.facility) == self.facility.as_ref();
        let others = || self.neighbours.feeds.values().filter(same);
        let is_line = |other: &&Feed| other.source.listen().is_some() == (self.kind == Kind::Mllp);
        let differs = |other: &&Feed| other.fallback != self.fallback;
        if let Some(other) = others().filter(is_line).find(differs) {
            let message = format!(
                "`decode.fallback` differs from that of feed \"{}\", which brings data of the same facility in the same way",
                other.id
            );
            let help = "what is kept is read again by one rule: write the same in both";
            found.push((rule::REFUSED, message, Some(help)));
        }
        if let Some(other) = others().find(|other| other.quirks != self.quirks) {
            let message = format!(
                "`quirks` differ from those of feed \"{}\", which brings data of the same facility",
                other.id
            );
            let help = "what a list means must not depend on how it came: write the same in both";
            found.push((rule::REFUSED, message, Some(help)));
        }
        if let Some(other) = others().find(|other| other.identity != self.identity) {
            let message = format!(
                "`identity` differs from that of feed \"{}\", which brings data of the same facility",
                other.id
            );
            let help = "one number is one patient, whichever feed says it: write the same in both";
            found.push((rule::REFUSED, message, Some(help)));
        }
        found
    }

    fn checked(self, hash: [u8; 32]) -> Option<Feed> {
        let source = match self.kind {
            Kind::Tree => Source::SsMix2Tree {
                roots: self.roots,
                sweep: self.sweep,
                settle: self.settle,
            },
            Kind::Mllp => Source::MllpListen(self.mllp),
        };
        Some(Feed {
            id: self.id,
            title: self.title,
            facility: self.facility?,
            state: self.state,
            source,
            fallback: self.fallback,
            identity: self.identity,
            quirks: self.quirks,
            hash,
        })
    }
}

/// ASCII letters, digits, dots and hyphens; of this feed alone.
fn id(neighbours: Neighbours<'_>, entry: &Entry<'_>) -> Option<String> {
    let id = entry.text()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    if id.len() > 64 || !id.bytes().all(allowed) {
        entry.wrong_type("1 to 64 ASCII letters, digits, dots or hyphens");
        return None;
    }
    if neighbours.feeds.contains_key(id) {
        entry.refuse(
            rule::DUPLICATE,
            &format!("= \"{id}\" is the id of another feed"),
            None,
        );
        return None;
    }
    Some(id.to_owned())
}

fn facility(neighbours: Neighbours<'_>, entry: &Entry<'_>) -> Option<FacilityId> {
    let code = entry.parsed("a facility code of ten digits")?;
    if neighbours
        .facilities
        .is_some_and(|facilities| !facilities.contains_key(&code))
    {
        entry.refuse(
            rule::UNRESOLVED,
            &format!("= \"{code}\" is not in facilities.tsv"),
            None,
        );
        return None;
    }
    Some(code)
}

/// Folders that no other feed reads, from inside or from outside.
fn roots(neighbours: Neighbours<'_>, entry: &Entry<'_>) -> Option<Vec<PathBuf>> {
    let items = entry.items()?;
    if items.is_empty() {
        entry.refuse(rule::MISSING, "names no folder", None);
        return None;
    }
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut good = true;
    for item in items {
        let Some(root) = item.text().map(PathBuf::from) else {
            good = false;
            continue;
        };
        let overlaps = |other: &PathBuf| root.starts_with(other) || other.starts_with(&root);
        let elsewhere = neighbours
            .feeds
            .values()
            .find(|feed| feed.source.roots().iter().any(overlaps));
        if let Some(feed) = elsewhere {
            item.refuse(
                rule::SHARED_ROOT,
                &format!("claims a folder that feed \"{}\" reads", feed.id),
                None,
            );
            good = false;
        } else if roots.iter().any(overlaps) {
            item.refuse(rule::DUPLICATE, "names a folder twice", None);
            good = false;
        }
        roots.push(root);
    }
    good.then_some(roots)
}

fn pad_to(entry: &Entry<'_>) -> Option<u8> {
    entry
        .number(1..=15)
        .and_then(|length| u8::try_from(length).ok())
}

#[cfg(test)]
mod tests;
