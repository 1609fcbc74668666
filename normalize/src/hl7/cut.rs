//! Cuts decoded text into segments and fields: positions only, nothing is copied. Line ends of
//! every kind, blank lines, batch wrappers, trailing junk and odd delimiters are all accepted.

use model::finding::Place;

use super::escape;
use super::message::Separators;
use crate::lint::{self, Findings};
use crate::text::{Decoded, offset};

/// Positions of segments and fields in the text.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    pub(super) separators: Separators,
    pub(super) segments: Vec<Segment>,
    /// Where each field begins; field 0 is the name.
    starts: Vec<u32>,
}

/// Position of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Fields after the name.
    pub(super) fields: u32,
    /// Whether it holds neither an escape character nor a control character.
    pub(super) is_plain: bool,
    first: u32,
}

impl Cut {
    /// Start and end of a field; both the segment's end when the field was not sent.
    pub(super) fn field(&self, segment: &Segment, index: usize) -> (u32, u32) {
        if index > segment.fields as usize {
            return (segment.end, segment.end);
        }
        let at = segment.first as usize + index;
        let start = self.starts.get(at).copied().unwrap_or(segment.end);
        let end = match self.starts.get(at + 1) {
            Some(next) if index < segment.fields as usize => {
                next - offset(self.separators.field.len_utf8())
            }
            _ => segment.end,
        };
        (start, end)
    }

    /// Which fields behind the name hold anything.
    pub(super) fn filled(&self, segment: &Segment) -> impl Iterator<Item = usize> {
        let (first, last) = (segment.first as usize + 1, segment.fields as usize);
        let starts = self.starts.get(first..first + last).unwrap_or_default();
        let separator = offset(self.separators.field.len_utf8());
        let next = starts.iter().skip(1).map(move |next| next - separator);
        let ends = next.chain([segment.end]);
        (1..)
            .zip(starts.iter().zip(ends))
            .filter(|(_, (start, end))| **start < *end)
            .map(|(index, _)| index)
    }

    fn push(&mut self, text: &str, start: usize, end: usize) {
        let first = offset(self.starts.len());
        self.starts.push(offset(start));
        let line = text.get(start..end).unwrap_or_default();
        // A field separator is ASCII.
        let separator = u8::try_from(self.separators.field).unwrap_or(b'|');
        self.starts.extend(
            memchr::memchr_iter(separator, line.as_bytes()).map(|at| offset(start + at + 1)),
        );
        let fields = offset(self.starts.len()) - first - 1;
        self.segments.push(Segment {
            start: offset(start),
            end: offset(end),
            fields,
            is_plain: !escape::needs_a_look(line, self.separators.escape),
            first,
        });
    }
}

/// Cuts a message. `None` when the text does not begin with MSH and a usable field separator.
pub(super) fn cut(decoded: &Decoded, findings: &mut Findings) -> Option<Cut> {
    let text = &decoded.text;
    let mut lines = lines(text)
        .skip_while(|(start, end)| is_wrapper(text.get(*start..*end).unwrap_or_default()));
    let (start, end) = lines.next()?;
    let header = text.get(start..end)?;
    let separators = separators(header.strip_prefix("MSH")?)?;
    let mut cut = Cut {
        separators,
        segments: Vec::new(),
        starts: Vec::new(),
    };
    cut.push(text, start, end);
    for (start, end) in lines {
        let line = text.get(start..end).unwrap_or_default();
        let place = || Place {
            start: decoded.raw(start),
            end: decoded.raw(end),
            ordinal: offset(cut.segments.len() + 1),
            ..Place::default()
        };
        if line.starts_with("MSH") {
            findings.add(
                lint::D2005,
                Place {
                    segment: "MSH".to_owned(),
                    ..place()
                },
            );
            break;
        }
        if is_wrapper(line) {
            continue;
        }
        if is_segment(line, separators.field) {
            cut.push(text, start, end);
        } else {
            findings.add(lint::D2010, place());
        }
    }
    Some(cut)
}

/// Lines that hold anything, without what some transports leave around them.
fn lines(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let ends = memchr::memchr2_iter(b'\r', b'\n', text.as_bytes());
    let mut next = 0;
    ends.chain([text.len()]).filter_map(move |end| {
        let start = std::mem::replace(&mut next, end + 1);
        let line = text.get(start..end).unwrap_or_default();
        let kept = line.trim_start_matches(['\0', '\u{0B}', '\u{1A}', '\u{1C}', ' ', '\u{FEFF}']);
        // Blanks at the end belong to the last field; blanks alone are no segment.
        let end = start + line.trim_end_matches(['\0', '\u{1A}', '\u{1C}']).len();
        (!kept.is_empty()).then_some((start + line.len() - kept.len(), end))
    })
}

/// Batch and file wrappers (HL7 v2.5 §2.10.3) say nothing about patients.
fn is_wrapper(line: &str) -> bool {
    ["FHS", "BHS", "BTS", "FTS"]
        .iter()
        .any(|name| line.starts_with(name))
}

fn is_segment(line: &str, separator: char) -> bool {
    let name = line.get(..3).unwrap_or_default();
    let letters = name
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let first = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_uppercase());
    first
        && letters
        && line
            .get(3..)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
}

/// Reads MSH-1 and MSH-2 from what follows `MSH`. An MSH-2 that cannot be meant is taken as the
/// standard one.
fn separators(rest: &str) -> Option<Separators> {
    let field = rest
        .chars()
        .next()
        .filter(|char| usable(*char) && char.is_ascii())?;
    let encoding = rest.get(1..)?.split(field).next().unwrap_or_default();
    let mut chars = encoding.chars();
    let (component, repetition, escape, subcomponent) =
        (chars.next(), chars.next(), chars.next(), chars.next());
    let distinct = |chars: &[char]| {
        chars.iter().enumerate().all(|(index, char)| {
            usable(*char)
                && *char != field
                && !chars.get(..index).unwrap_or_default().contains(char)
        })
    };
    match (component, repetition, escape) {
        (Some(component), Some(repetition), Some(escape))
            if distinct(&[component, repetition, escape])
                && subcomponent
                    .is_none_or(|last| distinct(&[component, repetition, escape, last])) =>
        {
            Some(Separators {
                field,
                component,
                repetition,
                escape,
                subcomponent,
            })
        }
        _ => Some(Separators {
            field,
            ..Separators::STANDARD
        }),
    }
}

fn usable(char: char) -> bool {
    !char.is_alphanumeric()
        && !char.is_whitespace()
        && !char.is_control()
        && char != '"'
        && char != '.'
}
