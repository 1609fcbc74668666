//! Escape sequences inside data (HL7 v2.5 §2.7), read once, from left to right, after cutting.

use std::borrow::Cow;

use super::message::Separators;
use crate::lint::{self, Rule};

/// What an escape sequence, or what looks like one, means.
enum Escape {
    /// A delimiter or decoded bytes.
    Text(String),
    /// A new line (`\.br\`, `\X0D\`).
    Break,
    /// Formatting that plain text has no use for.
    Formatting,
    /// Nothing known.
    Unknown,
}

/// Longest content between two escape characters that is looked at.
const LONGEST: usize = 512;

/// Whether any byte may be of an escape character or of a control character, of which some are two
/// bytes that begin with C2.
pub(super) fn needs_a_look(text: &str, escape: char) -> bool {
    let first = first_byte(escape);
    let suspicious = |byte: u8| byte.is_ascii_control() || byte == 0xC2 || byte == first;
    // To the end in any case: so many bytes at once are tested faster than one after the other.
    text.bytes()
        .fold(false, |found, byte| found | suspicious(byte))
}

/// The byte with which a delimiter begins in UTF-8; it stands only where a character begins.
pub(super) fn first_byte(delimiter: char) -> u8 {
    let mut bytes = [0; 4];
    delimiter.encode_utf8(&mut bytes);
    let [first, ..] = bytes;
    first
}

/// Replaces escape sequences by what they mean; unknown ones stay, formatting and control
/// characters go.
pub(super) fn unescape<'a>(text: &'a str, separators: &Separators) -> Cow<'a, str> {
    if !needs_a_look(text, separators.escape) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, content, after)) = next(rest, separators.escape) {
        out.extend(before.chars().filter(|char| !is_dropped(*char)));
        match content.map(|content| (content, meaning(content, separators))) {
            Some((_, Escape::Text(text))) => out.push_str(&text),
            Some((_, Escape::Break)) => out.push('\n'),
            Some((_, Escape::Formatting)) => {}
            Some((_, Escape::Unknown)) | None => {
                out.push(separators.escape);
                rest = rest
                    .get(before.len() + separators.escape.len_utf8()..)
                    .unwrap_or_default();
                continue;
            }
        }
        rest = after;
    }
    out.extend(rest.chars().filter(|char| !is_dropped(*char)));
    Cow::Owned(out)
}

/// What is worth noticing in a field: rule and byte position in the text.
pub(super) fn notices(
    text: &str,
    separators: &Separators,
    mut notice: impl FnMut(Rule, usize, usize),
) {
    if !needs_a_look(text, separators.escape) {
        return;
    }
    if let Some(at) = text.find(is_dropped) {
        notice(lint::D2027, at, at + 1);
    }
    let mut at = 0;
    while let Some((before, content, _)) =
        next(text.get(at..).unwrap_or_default(), separators.escape)
    {
        let (start, one) = (at + before.len(), separators.escape.len_utf8());
        let end = start + content.map_or(one, |content| content.len() + 2 * one);
        at = end;
        match content.map_or(Escape::Unknown, |content| meaning(content, separators)) {
            Escape::Text(_) | Escape::Break => {}
            Escape::Formatting => notice(lint::D2029, start, end),
            Escape::Unknown => {
                notice(lint::D2030, start, start + one);
                at = start + one;
            }
        }
    }
}

/// Control characters have no place in text, and some stores and browsers refuse them.
fn is_dropped(char: char) -> bool {
    char.is_control() && char != '\t' && char != '\n'
}

/// The text before the next escape character, the content up to its partner, the text after.
fn next(text: &str, escape: char) -> Option<(&str, Option<&str>, &str)> {
    let (before, rest) = text.split_once(escape)?;
    match rest.split_once(escape) {
        Some((content, after)) if content.len() <= LONGEST => Some((before, Some(content), after)),
        _ => Some((before, None, rest)),
    }
}

fn meaning(content: &str, separators: &Separators) -> Escape {
    let text = |char: char| Escape::Text(char.to_string());
    match content {
        "F" => text(separators.field),
        "S" => text(separators.component),
        "T" => text(separators.subcomponent.unwrap_or('&')),
        "R" => text(separators.repetition),
        "E" => text(separators.escape),
        "H" | "N" => Escape::Formatting,
        _ => match content.split_at_checked(1) {
            Some((".", command)) => formatting(command),
            Some(("X", digits)) => hexadecimal(digits),
            _ => Escape::Unknown,
        },
    }
}

fn formatting(command: &str) -> Escape {
    match command.get(..2) {
        Some("br" | "sp") => Escape::Break,
        Some("in" | "ti" | "fi" | "nf" | "ce" | "sk") => Escape::Formatting,
        _ => Escape::Unknown,
    }
}

fn hexadecimal(digits: &str) -> Escape {
    let pairs = digits
        .as_bytes()
        .chunks(2)
        .map(|pair| str::from_utf8(pair).ok().filter(|pair| pair.len() == 2));
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(pair?, 16).ok())
        .collect();
    match bytes.as_deref() {
        None | Some([]) => Escape::Unknown,
        Some([0x0D | 0x0A] | [0x0D, 0x0A]) => Escape::Break,
        Some(bytes) => {
            let text = match str::from_utf8(bytes) {
                Ok(text) => Some(Cow::Borrowed(text)),
                Err(_) => encoding_rs::SHIFT_JIS
                    .decode_without_bom_handling_and_without_replacement(bytes),
            };
            match text {
                Some(text)
                    if !text.contains(|char| {
                        is_dropped(char) || char == char::REPLACEMENT_CHARACTER
                    }) =>
                {
                    Escape::Text(text.into_owned())
                }
                _ => Escape::Unknown,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, rules: &[&str]) {
        let separators = Separators::STANDARD;
        assert_eq!(unescape(text, &separators), expected);
        let mut found = Vec::new();
        notices(text, &separators, |rule, _, _| found.push(rule.id));
        assert_eq!(found, rules, "{text}");
    }

    #[test]
    fn delimiters_come_back() {
        check(r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f", &[]);
        check(r"\E\F\E\", r"\F\", &[]);
    }

    #[test]
    fn kanji_before_an_escape_stay_whole() {
        check(r"血圧\T\脈拍\F\宮本", "血圧&脈拍|宮本", &[]);
    }

    #[test]
    fn lines_break_where_the_sender_broke_them() {
        check(
            r"一行\.br\二行\X0D\三行\X0D0A\四行\X0A\五行",
            "一行\n二行\n三行\n四行\n五行",
            &[],
        );
    }

    #[test]
    fn hexadecimal_bytes_are_text() {
        check(r"\X41\\X8ABF\\XE6BCA2\", "A漢漢", &[]);
        check(r"\XEFBFBD\", r"\XEFBFBD\", &["D2030"; 2]);
        check(r"\X\\XG1\\X4\", r"\X\\XG1\\X4\", &["D2030"; 6]);
    }

    #[test]
    fn formatting_goes_and_is_noticed() {
        check(r"\H\注意\N\", "注意", &["D2029", "D2029"]);
    }

    #[test]
    fn what_is_unknown_stays_and_a_lone_backslash_eats_nothing() {
        check(r"C:\dir", r"C:\dir", &["D2030"]);
        check(r"\Zxx\a\T\b", r"\Zxx\a&b", &["D2030", "D2030"]);
        check(r"100\", r"100\", &["D2030"]);
    }

    #[test]
    fn control_characters_go_and_are_noticed() {
        check("a\u{0}b\tc", "ab\tc", &["D2027"]);
    }
}
