//! A feed: where bytes come from, as `feeds/<id>.toml` says it, checked. `feed/keys.rs` lists every
//! key of such a file.

mod keys;
mod mllp;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::FacilityId;

pub use keys::Neighbours;
pub use mllp::{Mllp, OnFailure, Sender, Tls};

/// The character set assumed where the bytes do not tell (`[decode] fallback`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fallback {
    /// Windows code page 932.
    #[default]
    Cp932,
    /// UTF-8.
    Utf8,
    /// EUC-JP.
    EucJp,
    /// ISO-2022-JP.
    Iso2022Jp,
}

/// A deviation of a sender that the program knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// ADT-61 carries only the items that changed.
    Adt61Delta,
    /// OML-11 carries only the results that are new.
    Oml11Merge,
}

/// How local patient ids compare (`[identity]`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identity {
    /// Drop zeros in front.
    pub strip_leading_zeros: bool,
    /// Fill with zeros in front up to this length.
    pub pad_to: Option<u8>,
}

impl Identity {
    /// The form in which two ids of this feed are compared.
    pub fn canonical(&self, id: &str) -> String {
        let id = id.trim();
        let bare = if self.strip_leading_zeros {
            match id.trim_start_matches('0') {
                "" if !id.is_empty() => "0",
                stripped => stripped,
            }
        } else {
            id
        };
        let width = self.pad_to.map_or(0, usize::from);
        let missing = width.saturating_sub(bare.chars().count());
        "0".repeat(missing) + bare
    }
}

/// Whether a feed runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedState {
    /// It runs.
    Active,
    /// It does not run; nothing is read.
    Paused,
    /// It never runs again; its records stay.
    Retired,
}

/// Where bytes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// SS-MIX2 標準化ストレージ on mounted paths.
    SsMix2Tree {
        /// A hospital is a set of roots.
        roots: Vec<PathBuf>,
        /// Time between two sweeps.
        sweep: Duration,
        /// How long a file must be unchanged before it is read.
        settle: Duration,
    },
    /// HL7 v2.5 over MLLP: senders connect and push.
    MllpListen(Mllp),
}

/// A feed file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Stable id.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The facility that every item of the feed belongs to, whatever the item says.
    pub facility: FacilityId,
    /// Whether it runs.
    pub state: FeedState,
    /// Where bytes come from.
    pub source: Source,
    /// Character set where the bytes do not tell.
    pub fallback: Fallback,
    /// How local ids compare.
    pub identity: Identity,
    /// Known deviations.
    pub quirks: Vec<Quirk>,
    /// Number of the feed's content hash, stands with what it produced.
    pub hash: [u8; 32],
}

impl Source {
    /// The folders that the feed reads.
    pub fn roots(&self) -> &[PathBuf] {
        match self {
            Self::SsMix2Tree { roots, .. } => roots,
            Self::MllpListen(_) => &[],
        }
    }

    /// How long a file must be unchanged before it is read.
    pub const fn settle(&self) -> Duration {
        match self {
            Self::SsMix2Tree { settle, .. } => *settle,
            Self::MllpListen(_) => Duration::ZERO,
        }
    }

    /// The address at which senders connect.
    pub const fn listen(&self) -> Option<SocketAddr> {
        match self {
            Self::SsMix2Tree { .. } => None,
            Self::MllpListen(mllp) => Some(mllp.listen),
        }
    }
}

impl Feed {
    /// Whether the sender has a named deviation.
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(identity: &Identity, id: &str, expected: &str) {
        assert_eq!(identity.canonical(id), expected);
    }

    #[test]
    fn ids_compare_verbatim_unless_the_feed_says_otherwise() {
        check(&Identity::default(), "0000123456", "0000123456");
        check(
            &Identity {
                strip_leading_zeros: true,
                pad_to: None,
            },
            "0000123456",
            "123456",
        );
        check(
            &Identity {
                strip_leading_zeros: true,
                pad_to: Some(10),
            },
            "123456",
            "0000123456",
        );
        check(
            &Identity {
                strip_leading_zeros: true,
                pad_to: None,
            },
            "000",
            "0",
        );
    }
}
