//! What the tests of this crate share.

use std::time::Duration;

use model::feed::{Fallback, Feed, FeedState, Identity, Source};

use crate::hl7::message::{Message, Segment};
use crate::lint::Findings;
use crate::ssmix::path::{self, FileName};
use crate::{Context, Format, Item, Normalized, normalize};

/// A feed without quirks.
pub(crate) fn feed() -> Feed {
    Feed {
        id: "hospital".to_owned(),
        title: "架空記念病院".to_owned(),
        facility: "1319999999".parse().unwrap(),
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

/// A file name of the storage.
pub(crate) fn file(name: &str) -> FileName {
    path::parse(name).unwrap_or_else(|finding| panic!("{} {name}", finding.rule))
}

/// Reads bytes under a file name.
pub(crate) fn read(name: &str, bytes: &[u8]) -> Normalized {
    let file = file(name);
    let feed = feed();
    normalize(
        &Item {
            format: Format::SsMix2(&file),
            bytes,
        },
        &Context {
            feed: &feed,
            patient_from_order: false,
        },
    )
}

/// Reads one segment behind an ordinary header, and says which rules were breached.
pub(crate) fn of_segment<T>(
    segment: &str,
    read: impl FnOnce(&Segment<'_>, &mut Findings) -> T,
) -> (T, Vec<String>) {
    let bytes = format!("MSH|^~\\&|HIS||GW||20240510||ZZZ|1|P|2.5||||||UNICODE UTF-8\r{segment}\r");
    let message = Message::parse(bytes.as_bytes(), Fallback::Cp932).unwrap();
    let mut findings = Findings::default();
    let result = read(&message.segments().nth(1).unwrap(), &mut findings);
    let rules = findings
        .into_vec()
        .into_iter()
        .map(|finding| format!("{}@{}", finding.rule, finding.place.field));
    (result, rules.collect())
}

/// The ids of the rules that were found, in order.
pub(crate) fn rules(normalized: &Normalized) -> Vec<&str> {
    normalized
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}
