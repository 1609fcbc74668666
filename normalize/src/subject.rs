//! The patient id and nothing else: read before an item is kept, because what may happen to the
//! item depends on whose it is.

use model::feed::Feed;
use model::id::LocalPatientId;

use crate::hl7::message::Message;
use crate::hl7::segment::pid;

/// Whose item it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Subject {
    /// The patient with this number, after the feed's identity rules.
    Id(String),
    /// No usable number.
    Unreadable,
    /// Numbers of different patients.
    Different,
}

/// Reads PID-3 of every message in an item.
pub fn subject(bytes: &[u8], feed: &Feed) -> Subject {
    let mut found: Option<String> = None;
    let lines = bytes.split(|byte| matches!(*byte, b'\r' | b'\n'));
    for line in lines.filter(|line| line.starts_with(b"PID")) {
        match (id_of_line(line, feed), &found) {
            (None, _) => return Subject::Unreadable,
            (Some(id), Some(before)) if id != *before => return Subject::Different,
            (id, _) => found = id,
        }
    }
    found.map_or(Subject::Unreadable, Subject::Id)
}

/// Decodes only the line: kanji never contain the bytes of a line end. A header with the line's own
/// separator makes it a message.
fn id_of_line(line: &[u8], feed: &Feed) -> Option<String> {
    let separator = line.get(3)?;
    let mut bytes = vec![b'M', b'S', b'H', *separator];
    bytes.extend_from_slice(b"^~\\&\r");
    bytes.extend_from_slice(line);
    let message = Message::parse(&bytes, feed.fallback).ok()?;
    let id = pid::local_id(&message.first("PID")?, &feed.identity)?;
    LocalPatientId::parse(feed.facility.clone(), &id).is_ok().then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::feed;

    #[track_caller]
    fn check(text: &str, expected: Subject) {
        assert!(subject(text.as_bytes(), &feed()) == expected, "{text}");
    }

    fn id(id: &str) -> Subject {
        Subject::Id(id.to_owned())
    }

    #[test]
    fn the_number_is_that_of_pid_3() {
        check("MSH|^~\\&|A\rPID|0001||0000123456^^^^PI||宮本^京美\rPV1|1", id("0000123456"));
        check("MSH|^~\\&|A\nPID|||0000123456", id("0000123456"));
        check("MSH|^~\\&\rPID|||A1^^^^MR~B2^^^^PI", id("B2"));
    }

    #[test]
    fn kanji_around_it_do_not_matter() {
        let line = b"MSH|^~\\&\rPID|||0000123456||\x1b$B5\\K\\\x1b(B^\x1b$B5~H~\x1b(B\r";
        assert!(subject(line, &feed()) == id("0000123456"));
    }

    #[test]
    fn two_patients_in_one_item_are_nobody() {
        check("MSH|^~\\&\rPID|||1\rMSH|^~\\&\rPID|||2", Subject::Different);
        check("MSH|^~\\&\rPID|||1\rMSH|^~\\&\rPID|||1", id("1"));
    }

    #[test]
    fn an_item_without_a_usable_number_is_unreadable() {
        for text in ["", "MSH|^~\\&\r", "PID", "PID||", "PID|||", "PID|||\"\"", "PID|||../x", "PID|||1234567890123456"] {
            check(text, Subject::Unreadable);
        }
    }
}
