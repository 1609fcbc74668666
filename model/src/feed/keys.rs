//! The written form of a feed: every key of `feeds/<id>.toml`, with what holds when it is absent.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::feed::{Fallback, Feed, FeedState, Identity, Quirk, Source};
use crate::id::FacilityId;
use crate::mistake::rule;
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
    roots: Vec<PathBuf>,
    sweep: Duration,
    settle: Duration,
    fallback: Fallback,
    identity: Identity,
    quirks: Vec<Quirk>,
}

/// Every key of a feed file.
fn keys<'a>() -> [Key<Draft<'a>>; 34] {
    [
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
        Key::required("source.kind", |_, e| e.word(KINDS).map(drop)),
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
        Key::not_built("source.max_item", r#""16MiB""#),
        Key::not_built_at_all("source.io_budget"),
        Key::not_built_at_all("source.index"),
        Key::not_built_at_all("source.listen"),
        Key::not_built_at_all("source.allow"),
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
        Key::not_built_at_all("ack"),
        Key::not_built_at_all("map"),
        Key::not_built_at_all("validate"),
        Key::not_built_at_all("quality"),
        Key::not_built_at_all("observe"),
        Key::not_built_at_all("alert"),
        Key::not_built_at_all("test"),
    ]
}

const STATES: [Word<FeedState>; 5] = [
    ("draft", None),
    ("shadow", None),
    ("active", Some(FeedState::Active)),
    ("paused", Some(FeedState::Paused)),
    ("retired", Some(FeedState::Retired)),
];
const KINDS: [Word<()>; 14] = [
    ("ssmix2-tree", Some(())),
    ("ssmix2-ext", None),
    ("ssmix2-transaction", None),
    ("mllp-listen", None),
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
        let Parsed {
            value,
            defaults,
            mistakes,
        } = read(file, text, &keys(), Draft::new(neighbours));
        Parsed {
            value: value.and_then(|draft| draft.checked(hash)),
            defaults,
            mistakes,
        }
    }
}

impl<'a> Draft<'a> {
    fn new(neighbours: Neighbours<'a>) -> Self {
        Self {
            neighbours,
            id: String::new(),
            title: String::new(),
            facility: None,
            state: FeedState::Paused,
            roots: Vec::new(),
            sweep: Duration::ZERO,
            settle: Duration::ZERO,
            fallback: Fallback::default(),
            identity: Identity::default(),
            quirks: Vec::new(),
        }
    }

    fn checked(self, hash: [u8; 32]) -> Option<Feed> {
        let Self {
            id,
            title,
            state,
            roots,
            sweep,
            settle,
            fallback,
            identity,
            quirks,
            ..
        } = self;
        let source = Source::SsMix2Tree {
            roots,
            sweep,
            settle,
        };
        Some(Feed {
            id,
            title,
            facility: self.facility?,
            state,
            source,
            fallback,
            identity,
            quirks,
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
