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
    let mut header: &[u8] = b"MSH|^~\\&";
    for line in bytes.split(|byte| matches!(*byte, b'\r' | b'\n')) {
        if line.starts_with(b"MSH") {
            header = delimiters(line).unwrap_or(header);
        } else if line.starts_with(b"PID") {
            match (id_of_line(header, line, feed), &found) {
                (None, _) => return Subject::Unreadable,
                (Some(id), Some(before)) if id != *before => return Subject::Different,
                (id, _) => found = id,
            }
        }
    }
    found.map_or(Subject::Unreadable, Subject::Id)
}

/// A header as far as MSH-2.
fn delimiters(line: &[u8]) -> Option<&[u8]> {
    let separator = line.get(3)?;
    let end = memchr::memchr(*separator, line.get(4..)?)?;
    line.get(..4 + end)
}

/// Decodes only the line and what its delimiters are: kanji never contain the bytes of a line end.
fn id_of_line(header: &[u8], line: &[u8], feed: &Feed) -> Option<String> {
    let message = Message::parse(&[header, b"\r", line].concat(), feed.fallback).ok()?;
    let id = pid::local_id(&message.first("PID")?, &feed.identity)?;
    LocalPatientId::parse(feed.facility.clone(), &id)
        .is_ok()
        .then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::feed;

    #[track_caller]
    fn check(text: &str, expected: &Subject) {
        assert!(subject(text.as_bytes(), &feed()) == *expected, "{text}");
    }

    fn id(id: &str) -> Subject {
        Subject::Id(id.to_owned())
    }

    #[test]
    fn the_number_is_that_of_pid_3() {
        check(
            "MSH|^~\\&|A\rPID|0001||0000123456^^^^PI||宮本^京美\rPV1|1",
            &id("0000123456"),
        );
        check("MSH|^~\\&|A\nPID|||0000123456", &id("0000123456"));
        check("MSH|^~\\&\rPID|||A1^^^^MR~B2^^^^PI", &id("B2"));
        check("MSH#*~\\&#A\rPID###0000123456****PI##", &id("0000123456"));
    }

    #[test]
    fn kanji_around_it_do_not_matter() {
        let line = b"MSH|^~\\&\rPID|||0000123456||\x1b$B5\\K\\\x1b(B^\x1b$B5~H~\x1b(B\r";
        assert!(subject(line, &feed()) == id("0000123456"));
    }

    #[test]
    fn two_patients_in_one_item_are_nobody() {
        check(
            "MSH|^~\\&\rPID|||1\rMSH|^~\\&\rPID|||2",
            &Subject::Different,
        );
        check("MSH|^~\\&\rPID|||1\rMSH|^~\\&\rPID|||1", &id("1"));
    }

    #[test]
    fn an_item_without_a_usable_number_is_unreadable() {
        for text in [
            "",
            "MSH|^~\\&\r",
            "PID",
            "PID||",
            "PID|||",
            "PID|||\"\"",
            "PID|||../x",
            "PID|||1234567890123456",
        ] {
            check(text, &Subject::Unreadable);
        }
    }
}
