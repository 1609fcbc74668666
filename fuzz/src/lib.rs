//! What the targets share: the bytes behind a first one that chooses, and a feed.

use std::time::Duration;

use model::feed::{Fallback, Feed, FeedState, Identity, Source};

/// Splits off the byte that chooses among settings.
pub fn choice(data: &[u8]) -> Option<(u8, &[u8])> {
    data.split_first().map(|(first, rest)| (*first, rest))
}

/// A character set for the bytes that do not tell.
pub fn fallback(choice: u8) -> Fallback {
    match choice & 3 {
        0 => Fallback::Cp932,
        1 => Fallback::Utf8,
        2 => Fallback::EucJp,
        _ => Fallback::Iso2022Jp,
    }
}

/// A feed with no quirks.
///
/// # Panics
/// Never: the number of the facility is one.
pub fn feed(fallback: Fallback) -> Feed {
    Feed {
        id: "hospital".to_owned(),
        title: "架空記念病院".to_owned(),
        facility: "1319999901".parse().expect("a facility"),
        state: FeedState::Active,
        source: Source::SsMix2Tree {
            roots: Vec::new(),
            sweep: Duration::ZERO,
            settle: Duration::ZERO,
        },
        fallback,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [0; 32],
    }
}
