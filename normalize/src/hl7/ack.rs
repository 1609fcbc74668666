//! Acknowledgements in original mode (HL7 v2.5 §2.9.2): what the header of a message alone decides,
//! and the bytes that its sender gets. Plain ASCII, with nothing of the message's body; the same
//! header, number and time give the same bytes again.

use model::feed::Fallback;
use model::time::Instant;

use crate::ssmix::data_type::trigger;

/// The header of a message as its bytes stand; fields that are not there are empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    separator: u8,
    /// MSH-2 and the fields behind it, by number − 2.
    fields: Vec<Vec<u8>>,
    is_first: bool,
    is_found: bool,
}

/// Why a message is not acknowledged with AA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No control id (MSH-10) that could be answered.
    NoControlId,
    /// MSH-11 says that it is not of production.
    NotProduction,
    /// MSH-12 says a version that is no v2.
    Version,
    /// Larger than may come.
    TooLarge,
    /// The store does not answer.
    NotKept,
}

/// A row of HL7 table 0357, where it was found, and what the sender is to do: MSA-1.
struct Condition {
    answer: &'static str,
    code: &'static str,
    text: &'static str,
    field: Option<u8>,
}

impl Fault {
    const fn condition(self) -> Condition {
        let (answer, code, text, field) = match self {
            Self::NoControlId => ("AR", "101", "Required field missing", Some(10)),
            Self::NotProduction => ("AR", "202", "Unsupported processing id", Some(11)),
            Self::Version => ("AR", "203", "Unsupported version id", Some(12)),
            Self::TooLarge => ("AR", "207", "Message larger than allowed", None),
            Self::NotKept => ("AE", "207", "Application internal error", None),
        };
        Condition {
            answer,
            code,
            text,
            field,
        }
    }

    /// What the sender is told (MSA-1).
    pub const fn answer(self) -> &'static str {
        self.condition().answer
    }
}

/// What the sender of a message that is kept, or that is nobody's on file, is told (MSA-1).
pub const ACCEPTED: &str = "AA";

/// So much of a header is looked at, and so many of its fields: those up to MSH-12.
const HEAD: usize = 4096;
const FIELDS: usize = 11;
/// A control id that cannot be longer: twenty characters in v2.5, 199 in later versions.
const LONGEST: usize = 199;

impl Header {
    /// Reads the first MSH of a message, or of what should have been one.
    pub fn read(bytes: &[u8], fallback: Fallback) -> Self {
        let mut lines = bytes.split(|byte| matches!(*byte, b'\r' | b'\n'));
        let bare = |line| <[u8]>::strip_prefix(line, b"\xEF\xBB\xBF").unwrap_or(line);
        let mut lines = lines.by_ref().map(bare).filter(|line| !line.is_empty());
        let is_header = |line: &&[u8]| line.starts_with(b"MSH") && separator(line).is_some();
        let first = lines.next();
        let is_first = first.as_ref().is_some_and(is_header);
        let found = first.into_iter().chain(lines).find(is_header);
        let (separator, line) = found
            .and_then(|line| Some((separator(line)?, line.get(4..line.len().min(HEAD))?)))
            .unwrap_or((b'|', b""));
        Self {
            separator,
            fields: cut(line, separator, fallback),
            is_first,
            is_found: found.is_some(),
        }
    }

    /// Whether the bytes begin as a message does.
    pub const fn is_message(&self) -> bool {
        self.is_first
    }

    /// The control id (MSH-10) as it came; empty when there is none that could be answered.
    pub fn control(&self) -> &[u8] {
        let control = self.field(10);
        if control.len() > LONGEST || !control.iter().all(is_text) {
            return b"";
        }
        control
    }

    /// Message type and event, e.g. `ADT^A08`; `other` for those that the storage does not know.
    pub fn kind(&self) -> String {
        let part = |number| std::str::from_utf8(self.part(9, number)).unwrap_or_default();
        let known = trigger(part(0).trim(), part(1).trim());
        known.map_or_else(
            || "other".to_owned(),
            |(message, event)| format!("{message}^{event}"),
        )
    }

    /// What the header says against keeping the message.
    pub fn fault(&self) -> Option<Fault> {
        let processing = self.part(11, 0).trim_ascii();
        let version = self.part(12, 0).trim_ascii();
        if self.is_found && !processing.is_empty() && processing != b"P" {
            Some(Fault::NotProduction)
        } else if !version.is_empty() && !version.starts_with(b"2.") {
            Some(Fault::Version)
        } else if self.control().is_empty() {
            Some(Fault::NoControlId)
        } else {
            None
        }
    }

    /// The acknowledgement: AA, or what a fault asks for. `arrival` becomes its own control id.
    pub fn acknowledge(&self, fault: Option<Fault>, arrival: i64, at: Instant) -> Vec<u8> {
        let mut ack = Vec::with_capacity(256);
        self.header(&mut ack, arrival, at);
        let condition = fault.map(Fault::condition);
        let answer = condition.as_ref().map_or(ACCEPTED, |known| known.answer);
        let text = condition.as_ref().map_or("", |known| known.text);
        self.segment(
            &mut ack,
            &[b"MSA", answer.as_bytes(), self.control(), text.as_bytes()],
        );
        if let Some(condition) = condition {
            self.error(&mut ack, &condition);
        }
        ack
    }

    fn header(&self, ack: &mut Vec<u8>, arrival: i64, at: Instant) {
        let now = at.civil().strftime("%Y%m%d%H%M%S").to_string();
        let (control, kind) = (arrival.to_string(), self.ack_kind());
        let or = |number, other: &'static [u8]| match self.answerable(number) {
            b"" => other,
            field => field,
        };
        let delimiters = self.delimiters();
        self.segment(
            ack,
            &[
                b"MSH",
                &delimiters,
                self.answerable(5),
                self.answerable(6),
                self.answerable(3),
                self.answerable(4),
                now.as_bytes(),
                b"",
                &kind,
                control.as_bytes(),
                or(11, b"P"),
                or(12, b"2.5"),
            ],
        );
    }

    /// `ACK^A08^ACK`; before v2.3.1 there is no structure, and `ACK` is what every receiver knows.
    fn ack_kind(&self) -> Vec<u8> {
        let event = self.part(9, 1).trim_ascii();
        let is_event = !event.is_empty() && event.iter().all(u8::is_ascii_alphanumeric);
        if !is_event || event.len() > 3 || self.is_old() {
            return b"ACK".to_vec();
        }
        let component = [self.delimiter(0)];
        [b"ACK", event, b"ACK"].join(component.as_slice())
    }

    /// v2.5 tells an error in ERR-2 and ERR-3, earlier versions in ERR-1.
    fn error(&self, ack: &mut Vec<u8>, condition: &Condition) {
        let component = [self.delimiter(0)];
        let place = condition.field.map_or_else(Vec::new, |field| {
            [b"MSH".as_slice(), b"1", field.to_string().as_bytes()].join(component.as_slice())
        });
        let (code, text) = (condition.code.as_bytes(), condition.text.as_bytes());
        if self.version() < b"2.5".as_slice() {
            let parts = [self.delimiter(3)];
            let coded = [code, text, b"HL70357"].join(parts.as_slice());
            let place = if place.is_empty() {
                [b"", b"", b"".as_slice()].join(component.as_slice())
            } else {
                place
            };
            let old = [place, coded].join(component.as_slice());
            self.segment(ack, &[b"ERR", &old]);
        } else {
            let coded = [code, text, b"HL70357"].join(component.as_slice());
            self.segment(ack, &[b"ERR", b"", &place, &coded, b"E"]);
        }
    }

    fn segment(&self, ack: &mut Vec<u8>, fields: &[&[u8]]) {
        let filled = fields.iter().rposition(|field| !field.is_empty());
        let filled = fields.iter().take(filled.map_or(0, |last| last + 1));
        for (number, field) in filled.enumerate() {
            if number > 0 {
                ack.push(self.separator);
            }
            ack.extend_from_slice(field);
        }
        ack.push(b'\r');
    }

    fn field(&self, number: usize) -> &[u8] {
        let index = number.checked_sub(2);
        let field = index.and_then(|index| self.fields.get(index));
        field.map_or(b"", Vec::as_slice)
    }

    /// A component of a field's first repetition, from 0.
    fn part(&self, number: usize, component: usize) -> &[u8] {
        let repetition = self.delimiter(1);
        let first = self.field(number).split(|byte| *byte == repetition).next();
        let mut parts = first
            .unwrap_or_default()
            .split(|byte| *byte == self.delimiter(0));
        parts.nth(component).unwrap_or_default()
    }

    /// A field that may go into an answer: ASCII, and not longer than any such field.
    fn answerable(&self, number: usize) -> &[u8] {
        let field = self.field(number);
        if field.len() > LONGEST || !field.iter().all(is_text) {
            return b"";
        }
        field
    }

    fn version(&self) -> &[u8] {
        match self.part(12, 0).trim_ascii() {
            b"" => b"2.5",
            version => version,
        }
    }

    fn is_old(&self) -> bool {
        self.version() < b"2.3.1".as_slice()
    }

    /// MSH-2 as it came, where it can be one.
    fn delimiters(&self) -> Vec<u8> {
        let given = self.field(2);
        let fits = (1..=5).contains(&given.len()) && given.iter().all(u8::is_ascii_punctuation);
        if fits {
            given.to_vec()
        } else {
            self.usual().to_vec()
        }
    }

    /// The usual MSH-2, with `|` in place of what is MSH-1 here.
    fn usual(&self) -> [u8; 4] {
        let other = |byte| if byte == self.separator { b'|' } else { byte };
        b"^~\\&".map(other)
    }

    /// A delimiter of MSH-2: 0 component, 1 repetition, 2 escape, 3 sub-component.
    fn delimiter(&self, number: usize) -> u8 {
        let given = self.delimiters().get(number).copied();
        given
            .or_else(|| self.usual().get(number).copied())
            .unwrap_or(b'&')
    }
}

/// Printable ASCII.
const fn is_text(byte: &u8) -> bool {
    matches!(*byte, 0x20..=0x7e)
}

/// MSH-1, where it can be one.
fn separator(line: &[u8]) -> Option<u8> {
    line.get(3).copied().filter(u8::is_ascii_punctuation)
}

/// Cuts at the separator, and not at the same byte inside a kanji of ISO-2022-JP or Shift JIS.
fn cut(line: &[u8], separator: u8, fallback: Fallback) -> Vec<Vec<u8>> {
    let pairs = fallback == Fallback::Cp932 && std::str::from_utf8(line).is_err();
    let mut fields = vec![Vec::new()];
    let mut double = false;
    let mut rest = line;
    while let [byte, behind @ ..] = rest {
        match rest {
            [0x1b, b'$', ..] => double = true,
            [0x1b, b'(', ..] => double = false,
            _ => {}
        }
        let lead = pairs && matches!(*byte, 0x81..=0x9f | 0xe0..=0xfc);
        let length = if lead { 2.min(rest.len()) } else { 1 };
        if *byte == separator && !double {
            if fields.len() == FIELDS {
                break;
            }
            fields.push(Vec::new());
        } else if let Some(field) = fields.last_mut() {
            field.extend(rest.iter().take(length));
        }
        rest = rest.get(length..).unwrap_or(behind);
    }
    fields
}

#[cfg(test)]
mod tests;
