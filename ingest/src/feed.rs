//! The kinds of feeds, and what they have in common.

pub(crate) mod pushed;
pub(crate) mod ssmix;

use std::sync::Arc;

use model::feed::{Feed, Source};
use store::Store;

use self::ssmix::Tree;

/// A feed that can be swept.
pub(crate) enum Swept {
    /// SS-MIX2 標準化ストレージ
    Tree(Tree),
}

impl Swept {
    /// The running form of a feed; nothing when its senders push.
    pub(crate) fn new(feed: Arc<Feed>, store: Store, most: u64) -> Option<Self> {
        match feed.source {
            Source::SsMix2Tree { .. } => Some(Self::Tree(Tree::new(feed, store, most))),
            Source::MllpListen(_) => None,
        }
    }
}
