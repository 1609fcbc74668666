//! Files of storages, read whole: what `normalize` says about them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot read its samples fails"
)]

mod golden;
mod hospital_twins;
mod mutations;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::normalize::ssmix::path::{self, FileName};
use ::normalize::{Context, Format, Item, Normalized, normalize};
use model::feed::{Fallback, Feed, FeedState, Identity, Source};

/// The folder of the project's samples.
fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

/// A feed without quirks.
fn feed() -> Feed {
    Feed {
        id: "hospital".to_owned(),
        title: "架空記念病院".to_owned(),
        facility: "1319999901".parse().unwrap(),
        state: FeedState::Active,
        source: Source::SsMix2Tree {
            roots: Vec::new(),
            sweep: Duration::ZERO,
            settle: Duration::ZERO,
        },
        fallback: Fallback::Cp932,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [0; 32],
    }
}

/// The file name of a storage in its parts.
fn file(name: &str) -> FileName {
    path::parse(name).unwrap_or_else(|finding| panic!("{} {name}", finding.rule))
}

/// Reads a file of a storage under its name.
fn read(name: &str, bytes: &[u8]) -> Normalized {
    read_file(&file(name), bytes, false)
}

fn read_file(file: &FileName, bytes: &[u8], patient_from_order: bool) -> Normalized {
    normalize(
        &Item {
            format: Format::SsMix2(file),
            bytes,
        },
        &Context {
            feed: &feed(),
            patient_from_order,
        },
    )
}
