//! An HL7 v2.5 message: decoded as a whole, cut into segments and fields at once, and inside a field
//! on demand, sub-components by `hl7-parser`. Every part knows where its bytes stood, and nothing is copied before it is wanted.

mod repetition;

use std::borrow::Cow;

use model::feed::Fallback;
use model::finding::{Finding, Place};

use super::cut::{self, Cut};
use super::escape;
use crate::lint::{self, Findings};
use crate::text::{self, Decoded, Encoding};

pub use repetition::Repetition;

/// The delimiters of a message (MSH-1, MSH-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    /// Between fields.
    pub field: char,
    /// Between components.
    pub component: char,
    /// Between repetitions.
    pub repetition: char,
    /// Around escape sequences.
    pub escape: char,
    /// Between sub-components; absent in an MSH-2 of three characters.
    pub subcomponent: Option<char>,
}

impl Separators {
    /// `|^~\&`
    pub const STANDARD: Self = Self {
        field: '|',
        component: '^',
        repetition: '~',
        escape: '\\',
        subcomponent: Some('&'),
    };

    /// The same for hl7-parser, which takes components apart.
    fn inside_a_component(&self) -> hl7_parser::message::Separators {
        hl7_parser::message::Separators {
            field: self.field,
            component: self.component,
            subcomponent: self.subcomponent.unwrap_or(self.component),
            repetition: self.repetition,
            escape: self.escape,
            lenient_newlines: false,
        }
    }
}

/// Delimiters in one field beyond which taking it apart costs more memory than any real field is
/// worth.
const MOST_PARTS: usize = 20_000;

/// A message; owns its decoded text.
#[derive(Debug, Clone)]
pub struct Message {
    decoded: Decoded,
    cut: Cut,
    declared: String,
    findings: Findings,
}

impl Message {
    /// Decodes and cuts an item. Where it holds several messages, the first is read.
    ///
    /// # Errors
    /// The findings, one of which withholds the item, when there is no MSH to begin with or the
    /// text cannot be decoded.
    pub fn parse(bytes: &[u8], fallback: Fallback) -> Result<Self, Vec<Finding>> {
        let declared = declared_character_sets(bytes);
        let decoded = text::decode(bytes, &declared, fallback);
        let mut findings = Findings::default();
        let Some(cut) = cut::cut(&decoded, &mut findings) else {
            let place = Place {
                end: text::offset(bytes.len()),
                ..Place::default()
            };
            findings.add(lint::D2001, place);
            return Err(findings.into_vec());
        };
        let mut message = Self {
            decoded,
            cut,
            declared,
            findings,
        };
        message.take_notices();
        message.check_header();
        if message.findings.withhold() {
            return Err(message.findings.into_vec());
        }
        Ok(message)
    }

    /// The segments in their order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let cuts = self.cut.segments.iter().enumerate();
        cuts.map(|(index, cut)| Segment {
            message: self,
            index,
            cut,
        })
    }

    /// The first segment of a name.
    pub fn first(&self, name: &str) -> Option<Segment<'_>> {
        self.segments().find(|segment| segment.name() == name)
    }

    /// The segments of a name.
    pub fn all<'m>(&'m self, name: &'static str) -> impl Iterator<Item = Segment<'m>> {
        self.segments()
            .filter(move |segment| segment.name() == name)
    }

    /// What decoding and cutting noticed.
    pub fn findings(&self) -> &[Finding] {
        self.findings.as_slice()
    }

    /// The delimiters.
    pub fn separators(&self) -> &Separators {
        &self.cut.separators
    }

    /// The character set of the bytes.
    pub fn encoding(&self) -> Encoding {
        self.decoded.encoding
    }

    fn text(&self, start: u32, end: u32) -> &str {
        self.decoded
            .text
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// The place of a byte of the decoded text, as deep as the field.
    fn place_at(&self, position: u32) -> Place {
        let index = self
            .cut
            .segments
            .partition_point(|segment| segment.start <= position);
        let Some(segment) = index
            .checked_sub(1)
            .and_then(|index| self.segments().nth(index))
        else {
            return Place::default();
        };
        let number = (1..=segment.field_count())
            .rev()
            .find(|number| segment.field(*number).start <= position);
        number.map_or_else(|| segment.place(), |number| segment.field(number).place())
    }

    /// Turns what decoding noticed into findings, and looks for escapes and oversized fields.
    fn take_notices(&mut self) {
        let mut found = Findings::default();
        for notice in &self.decoded.notices {
            let place = Place {
                start: notice.start,
                end: notice.end,
                ..self.place_at(notice.text)
            };
            found.add(notice.rule, place);
        }
        let separators = self.cut.separators;
        for segment in self.segments().filter(|segment| !segment.cut.is_plain) {
            let first = if segment.is_header() { 3 } else { 1 };
            for field in (first..=segment.field_count()).map(|number| segment.field(number)) {
                escape::notices(field.raw(), &separators, |rule, start, end| {
                    found.add(rule, field.place_within(start, end));
                });
            }
        }
        for segment in self
            .segments()
            .filter(|segment| segment.length() > MOST_PARTS)
        {
            for field in (1..=segment.field_count()).map(|number| segment.field(number)) {
                if field.is_oversized() {
                    found.add(lint::D2013, field.place());
                }
            }
        }
        self.findings.extend(found.into_vec());
    }

    fn check_header(&mut self) {
        let mut found = Findings::default();
        let Some(header) = self.first("MSH") else {
            return;
        };
        if self.cut.separators != Separators::STANDARD {
            found.add(lint::D2002, header.field(2).place());
        }
        if !header
            .field(12)
            .text()
            .unwrap_or_default()
            .starts_with("2.5")
        {
            found.add(lint::D2003, header.field(12).place());
        }
        if !self.decoded.encoding.agrees_with(&self.declared) {
            found.add(lint::D2020, header.field(18).place());
        }
        self.findings.extend(found.into_vec());
    }
}

/// MSH-18 as it stands in the bytes: what the sender says about the rest. The fields before it are
/// ASCII in every message that can be read at all.
fn declared_character_sets(bytes: &[u8]) -> String {
    let lines = bytes.split(|byte| matches!(*byte, b'\r' | b'\n'));
    let mut bare = lines.map(|line| line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line));
    let header = bare
        .find(|line| line.starts_with(b"MSH"))
        .unwrap_or_default();
    let separator = header.get(3).copied().unwrap_or(b'|');
    let field = header
        .split(|byte| *byte == separator)
        .nth(17)
        .unwrap_or_default();
    let ascii = field.iter().filter(|byte| byte.is_ascii());
    ascii.map(|byte| char::from(*byte)).collect()
}

/// A segment of a message.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'m> {
    message: &'m Message,
    index: usize,
    cut: &'m cut::Segment,
}

impl<'m> Segment<'m> {
    /// The name, e.g. `PID`.
    pub fn name(&self) -> &'m str {
        let start = self.cut.start;
        self.message.text(start, start + 3)
    }

    /// Whether it is the MSH, of which a message has one.
    const fn is_header(&self) -> bool {
        self.index == 0
    }

    /// Number of the segment in the message (MSH = 1).
    pub fn ordinal(&self) -> u32 {
        text::offset(self.index + 1)
    }

    /// Bytes of its text.
    pub(crate) fn length(&self) -> usize {
        self.cut.end.saturating_sub(self.cut.start) as usize
    }

    /// Number of the last field that was sent, empty or not.
    pub fn field_count(&self) -> usize {
        self.cut.fields as usize + usize::from(self.is_header())
    }

    /// Numbers of the fields that are not empty, MSH-1 aside.
    pub fn filled(&self) -> impl Iterator<Item = usize> + use<'m> {
        let shift = usize::from(self.is_header());
        let filled = self.message.cut.filled(self.cut);
        filled.map(move |index| index + shift)
    }

    /// A field by its number; MSH-1 is the field separator. A field that was not sent is empty.
    pub fn field(&self, number: usize) -> Field<'m> {
        let (start, end) = if self.is_header() && number == 1 {
            (self.cut.start + 3, self.cut.start + 4)
        } else {
            let index = number.saturating_sub(usize::from(self.is_header()));
            self.message.cut.field(self.cut, index)
        };
        Field {
            segment: *self,
            number,
            start,
            end,
        }
    }

    /// Where the segment stands.
    pub fn place(&self) -> Place {
        Place {
            segment: self.name().to_owned(),
            ordinal: self.ordinal(),
            start: self.message.decoded.raw(self.cut.start as usize),
            end: self.message.decoded.raw(self.cut.end as usize),
            ..Place::default()
        }
    }
}

/// A field of a segment.
#[derive(Debug, Clone, Copy)]
pub struct Field<'m> {
    segment: Segment<'m>,
    number: usize,
    start: u32,
    end: u32,
}

impl<'m> Field<'m> {
    fn separators(&self) -> &'m Separators {
        self.segment.message.separators()
    }

    /// A part of the field without its escape sequences.
    fn unescape(&self, part: &'m str) -> Cow<'m, str> {
        if self.segment.cut.is_plain {
            Cow::Borrowed(part)
        } else {
            escape::unescape(part, self.separators())
        }
    }

    /// Whether nothing was sent: "no statement".
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether `""` was sent: "explicitly no value", in SS-MIX2 a filler for required fields.
    pub fn is_null(&self) -> bool {
        self.raw() == "\"\""
    }

    /// Whether the field holds anything but separators, blanks and `""`.
    pub fn has_content(&self) -> bool {
        if self.is_empty() {
            return false;
        }
        let raw = self.raw();
        // A letter or a digit is neither a delimiter nor a blank.
        if raw.bytes().any(|byte| byte.is_ascii_alphanumeric()) {
            return true;
        }
        let separators = self.separators();
        let between = |char: char| {
            char == separators.component
                || char == separators.repetition
                || Some(char) == separators.subcomponent
        };
        raw.split(between)
            .any(|part| !matches!(part.trim(), "" | "\"\""))
    }

    /// The text between the separators, escapes and all.
    pub fn raw(&self) -> &'m str {
        self.segment.message.text(self.start, self.end)
    }

    /// The first component of the first repetition, unescaped, blanks around it dropped; `None`
    /// when it is empty or `""`.
    pub fn text(&self) -> Option<Cow<'m, str>> {
        let separators = self.separators();
        let stop = |char: char| char == separators.component || char == separators.repetition;
        let first = self.raw().split(stop).next().unwrap_or_default();
        value(self.unescape(first))
            .map(without_blanks)
            .filter(|text| !text.is_empty())
    }

    /// The whole field unescaped, separators and all: for bodies that keep it in the sender's form.
    pub fn whole(&self) -> Cow<'m, str> {
        self.unescape(self.raw())
    }

    /// The repetitions; none when the field is empty.
    pub fn repetitions(&self) -> impl Iterator<Item = Repetition<'m>> + use<'m> {
        repetition::of(*self)
    }

    /// The first repetition.
    pub fn first(&self) -> Option<Repetition<'m>> {
        self.repetitions().next()
    }

    /// Where the field stands.
    pub fn place(&self) -> Place {
        self.place_within(0, (self.end - self.start) as usize)
    }

    /// Where a part of the field's text stands.
    pub(crate) fn place_within(&self, start: usize, end: usize) -> Place {
        let decoded = &self.segment.message.decoded;
        Place {
            segment: self.segment.name().to_owned(),
            ordinal: self.segment.ordinal(),
            field: text::offset(self.number),
            start: decoded.raw(self.start as usize + start),
            end: decoded.raw(self.start as usize + end),
            ..Place::default()
        }
    }

    fn is_oversized(&self) -> bool {
        if (self.end - self.start) as usize <= MOST_PARTS {
            return false;
        }
        let separators = self.separators();
        let part = |char: char| {
            char == separators.component
                || char == separators.repetition
                || Some(char) == separators.subcomponent
        };
        self.raw().matches(part).count() > MOST_PARTS
    }
}

/// A text without the blanks around it.
pub(super) fn without_blanks(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
        Cow::Owned(text) => Cow::Owned(trim(&text).to_owned()),
    }
}

/// What `str::trim` gives; most words need no look at their characters.
fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

/// A value, unless it is empty or `""`.
fn value(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!matches!(text.as_ref(), "" | "\"\"")).then_some(text)
}

#[cfg(test)]
mod tests;
