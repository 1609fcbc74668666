//! Results whose values tell them apart, each under an order of its own: whoever reads a patient's
//! results sees at once which arrived, and which arrived twice.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use samples::person::Person;
use samples::step::Content;
use samples::{Flag, History, Kind, Step, Timed, Version};

use crate::support::Message;

/// One patient whose results come one by one.
pub(super) struct Laboratory {
    pub(super) person: Person,
    /// The demographics, as their hospital stores them.
    pub(super) introduction: Vec<Timed>,
    version: Version,
    bytes: Arc<[u8]>,
}

impl Laboratory {
    /// So many patients, always the same.
    pub(super) fn all(count: usize) -> Vec<Self> {
        // The first numbers belong to other patients of the hospital.
        let histories = samples::histories(45, 1000, 1).skip(100);
        let found: Vec<Self> = histories.filter_map(Self::of).take(count).collect();
        assert_eq!(found.len(), count, "the generator makes results");
        found
    }

    fn of(history: History) -> Option<Self> {
        let is_laboratory = history.slot.kind == Kind::Oml11;
        let Some(Step::Write(Content { version, bytes, .. })) =
            history.steps.first().map(|timed| timed.step.clone())
        else {
            return None;
        };
        is_laboratory.then_some(Self {
            person: history.person,
            introduction: history.introduction,
            version,
            bytes,
        })
    }

    /// The message of a result.
    pub(super) fn message(&self, result: u64) -> Message {
        let order = self.numbered(&self.bytes, result);
        let value = format!("||{result}|mg/dL");
        let bytes = replaced(&order, b"||1|mg/dL", value.as_bytes());
        Message::new(format!("R{result}"), &bytes)
    }

    /// Lays the file of a result into a storage.
    pub(super) fn store(&self, result: u64, root: &Path) {
        let path = self.version.path(Flag::Current);
        let path = self.numbered(path.as_bytes(), result);
        let path = root.join(String::from_utf8(path).unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As a careful sender does, so that no half of it is ever seen.
        let beside = root.join(format!("{result}.part"));
        fs::write(&beside, self.message(result).bytes).unwrap();
        fs::rename(beside, path).unwrap();
    }

    fn numbered(&self, text: &[u8], result: u64) -> Vec<u8> {
        let order = format!("{:015}", 7_000_000 + result);
        replaced(text, self.version.slot.order.as_bytes(), order.as_bytes())
    }
}

/// A text with every occurrence of a part replaced; there must be one.
fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut done = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|part| part == from) {
        done.extend_from_slice(&rest[..at]);
        done.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    assert!(rest.len() < text.len(), "{}", String::from_utf8_lossy(from));
    done.extend_from_slice(rest);
    done
}
