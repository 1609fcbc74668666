//! Files of storages, read whole: what `normalize` says about them.

mod golden;
mod hospital_twins;

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::normalize::ssmix::path;
use ::normalize::{Context, Format, Item, Normalized, normalize};
use model::feed::{Fallback, Feed, FeedState, Identity, Source};

/// The folder of the project's samples.
fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

/// Reads a file of a storage under its name, for a feed without quirks.
fn read(name: &str, bytes: &[u8]) -> Normalized {
    let feed = Feed {
        id: "hospital".to_owned(),
        title: "架空記念病院".to_owned(),
        facility: "1319999901".parse().unwrap(),
        state: FeedState::Active,
        source: Source::SsMix2Tree { roots: Vec::new(), sweep: Duration::ZERO, settle: Duration::ZERO },
        fallback: Fallback::Cp932,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [0; 32],
    };
    let file = path::parse(name).unwrap_or_else(|finding| panic!("{} {name}", finding.rule));
    let item = Item { format: Format::SsMix2(&file), bytes };
    normalize(&item, &Context { feed: &feed, patient_from_order: false })
}
