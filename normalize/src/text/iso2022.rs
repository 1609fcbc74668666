//! ISO-2022-JP as hospitals write it: JIS X 0208 of three editions, NEC and IBM extensions, JIS X
//! 0212, half-width katakana in three ways, empty runs, runs that nobody closed, eight-bit text in
//! between. Two-byte runs become EUC-JP bytes, for which `encoding_rs` has the tables.

use encoding_rs::{Decoder, DecoderResult, EUC_JP};

use super::{Builder, multibyte};
use crate::lint;

const ESC: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;

/// Which characters bytes 21 to 7E mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    /// ASCII, and JIS X 0201 roman read as ASCII because delimiters live at 5C and 7E.
    Ascii,
    /// Half-width katakana.
    Kana,
    /// JIS X 0208, also for JIS C 6226-1978 and the common part of JIS X 0213 plane 1.
    Kanji,
    /// JIS X 0212.
    Supplement,
    /// Two-byte sets without a table here.
    Foreign,
}

/// Whether the bytes contain an escape sequence or a shift of this family.
pub(super) fn is_announced(bytes: &[u8]) -> bool {
    memchr::memchr_iter(ESC, bytes).any(|at| matches!(bytes.get(at + 1), Some(b'$' | b'(')))
        || (bytes.is_ascii() && memchr::memchr(SHIFT_OUT, bytes).is_some())
}

pub(super) fn decode(bytes: &[u8], out: &mut Builder) {
    let mut lines = Lines {
        bytes,
        ascii: str::from_utf8(bytes).ok().filter(|text| text.is_ascii()),
        decoder: EUC_JP.new_decoder_without_bom_handling(),
        scratch: Vec::new(),
    };
    let mut start = 0;
    while start < bytes.len() {
        let end = bytes
            .get(start..)
            .and_then(|rest| memchr::memchr2(b'\r', b'\n', rest))
            .map_or(bytes.len(), |length| start + length);
        lines.decode(start, end, out);
        let after = bytes.len().min(end + 1);
        out.run(end, 0);
        out.text.extend(
            bytes
                .get(end..after)
                .into_iter()
                .flatten()
                .map(|byte| char::from(*byte)),
        );
        start = after;
    }
}

/// How well a reading of a line went.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    /// Half characters, unclosed runs, unknown characters.
    faults: u32,
    /// A field separator stood where a kanji begins.
    doubtful: bool,
}

struct Lines<'a> {
    bytes: &'a [u8],
    /// The bytes where all of them have seven bits, as they should.
    ascii: Option<&'a str>,
    decoder: Decoder,
    scratch: Vec<u8>,
}

impl Lines<'_> {
    /// Decodes a line; the state never survives its end. Where a field separator could as well be
    /// the first half of a kanji (7C is a legal row of the IBM extensions) and the reading as kanji
    /// has faults or gives a segment without its usual fields, the reading as separator is kept if
    /// it gives more fields.
    fn decode(&mut self, start: usize, end: usize, out: &mut Builder) {
        let mark = out.mark();
        let reading = self.read(start, end, false, out);
        if !reading.doubtful {
            return;
        }
        let fields = |out: &Builder| {
            out.text
                .get(mark.text..)
                .map_or(0, |line| line.matches('|').count())
        };
        let as_kanji = fields(out);
        let line = out.text.get(mark.text..).unwrap_or_default();
        if reading.faults == 0 && as_kanji >= least_fields(line) {
            return;
        }
        out.back_to(mark);
        let other = self.read(start, end, true, out);
        if other.faults > reading.faults || fields(out) <= as_kanji {
            out.back_to(mark);
            self.read(start, end, false, out);
        }
    }

    /// One reading of a line. With `separators_close`, a delimiter at the place where a kanji would
    /// begin ends the run.
    fn read(
        &mut self,
        start: usize,
        end: usize,
        separators_close: bool,
        out: &mut Builder,
    ) -> Reading {
        let mut reading = Reading::default();
        let (mut at, mut set) = (start, Set::Ascii);
        while at < end {
            if self.bytes.get(at) == Some(&ESC) {
                (at, set) = self.escape(at, end, set, out);
                continue;
            }
            (at, set) = match set {
                Set::Ascii => self.ascii(at, end, out),
                Set::Kana => self.kana(at, end, out, &mut reading),
                Set::Kanji | Set::Supplement | Set::Foreign => {
                    self.pairs(at, end, set, separators_close, out, &mut reading)
                }
            };
        }
        if set != Set::Ascii {
            out.notice(lint::D2025, end, end);
            reading.faults += 1;
        }
        reading
    }

    /// Reads an escape sequence: where text goes on, and in which set.
    fn escape(&self, at: usize, end: usize, set: Set, out: &mut Builder) -> (usize, Set) {
        let sequence = self.bytes.get(at + 1..end).unwrap_or_default();
        let (length, next, rule) = match sequence {
            [b'(', b'B' | b'J' | b'H', ..] => (3, Set::Ascii, None),
            [b'(', b'I', ..] => (3, Set::Kana, Some(lint::D2028)),
            [b'(', 0x40..=0x7E, ..] => (3, Set::Ascii, Some(lint::D2022)),
            [b'$', b'B' | b'@', ..] => (3, Set::Kanji, None),
            [b'$', b'(', b'B' | b'@', ..] => (4, Set::Kanji, None),
            [b'$', b'(', b'D', ..] => (4, Set::Supplement, Some(lint::D2021)),
            [b'$', b'(', b'O' | b'Q', ..] => (4, Set::Kanji, Some(lint::D2022)),
            [b'$', b'(', 0x40..=0x7E, ..] => (4, Set::Foreign, Some(lint::D2022)),
            [b'$', 0x40..=0x7E, ..] => (3, Set::Foreign, Some(lint::D2022)),
            [b'&', b'@', ..] => (3, set, None),
            [b'.' | b'-' | b')' | b'*', 0x40..=0x7E, ..] => (3, set, Some(lint::D2022)),
            _ => (1, set, Some(lint::D2027)),
        };
        if let Some(rule) = rule {
            out.notice(rule, at, at + length);
        }
        (at + length, next)
    }

    fn ascii(&self, at: usize, end: usize, out: &mut Builder) -> (usize, Set) {
        let rest = self.bytes.get(at..end).unwrap_or_default();
        let special = |byte: &u8| matches!(*byte, ESC | SHIFT_OUT | SHIFT_IN | 0x80..);
        let found = match self.ascii {
            Some(_) => memchr::memchr3(ESC, SHIFT_OUT, SHIFT_IN, rest),
            None => rest.iter().position(special),
        };
        let length = found.unwrap_or(rest.len());
        let plain = match (self.ascii, rest.get(..length)) {
            (Some(text), _) => text.get(at..at + length),
            (None, plain) => plain.and_then(|plain| str::from_utf8(plain).ok()),
        };
        out.run(at, 0);
        out.text.push_str(plain.unwrap_or_default());
        match rest.get(length) {
            Some(&SHIFT_OUT) => {
                out.notice(lint::D2028, at + length, at + length + 1);
                (at + length + 1, Set::Kana)
            }
            Some(&SHIFT_IN) => (at + length + 1, Set::Ascii),
            Some(0x80..) => (
                multibyte::foreign(self.bytes, at + length, end, out),
                Set::Ascii,
            ),
            _ => (at + length, Set::Ascii),
        }
    }

    fn kana(
        &self,
        at: usize,
        end: usize,
        out: &mut Builder,
        reading: &mut Reading,
    ) -> (usize, Set) {
        out.run(at, 1);
        for position in at..end {
            match self.bytes.get(position).copied() {
                Some(byte @ (0x21..=0x5F | 0xA1..=0xDF)) => out.text.push(half_kana(byte)),
                Some(SHIFT_IN) => return (position + 1, Set::Ascii),
                Some(ESC) | None => return (position, Set::Kana),
                Some(_) => {
                    out.notice(lint::D2025, position, position);
                    reading.faults += 1;
                    return (position, Set::Ascii);
                }
            }
        }
        (end, Set::Kana)
    }

    fn pairs(
        &mut self,
        start: usize,
        end: usize,
        set: Set,
        separators_close: bool,
        out: &mut Builder,
        reading: &mut Reading,
    ) -> (usize, Set) {
        self.scratch.clear();
        let run = self.bytes.get(start..end).unwrap_or_default();
        let sound = |pair: &&[u8]| matches!(pair, [first @ 0x21..=0x7E, 0x21..=0x7E] if !is_delimiter(*first));
        // Most runs are sound to their end.
        let sound = 2 * run.chunks_exact(2).take_while(sound).count();
        self.push_pairs(set, run.get(..sound).unwrap_or_default());
        let (mut at, mut next) = (start + sound, set);
        while at < end {
            let (first, second) = (self.byte(at), self.byte(at + 1).filter(|_| at + 1 < end));
            let delimiter = first.is_some_and(is_delimiter);
            reading.doubtful |= first == Some(b'|');
            match (first, second) {
                (Some(ESC), _) => break,
                (Some(first @ 0x21..=0x7E), Some(second @ 0x21..=0x7E))
                    if !(delimiter && separators_close) =>
                {
                    self.push_pairs(set, &[first, second]);
                    at += 2;
                }
                // Half a character: another program cut the field at a byte.
                (Some(0x21..=0x7E), _) if !delimiter => {
                    self.flush(start, set, out, reading);
                    out.notice(lint::D2107, at, at + 1);
                    reading.faults += 1;
                    let closed = second.is_none() || second == Some(ESC);
                    return (at + 1, if closed { set } else { Set::Ascii });
                }
                _ => {
                    next = Set::Ascii;
                    break;
                }
            }
        }
        self.flush(start, set, out, reading);
        if next == Set::Ascii {
            out.notice(lint::D2025, at, at);
            reading.faults += u32::from(!separators_close);
        }
        (at, next)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn push_pairs(&mut self, set: Set, pairs: &[u8]) {
        let high = |byte: &u8| byte | 0x80;
        if set != Set::Supplement {
            self.scratch.extend(pairs.iter().map(high));
            return;
        }
        for pair in pairs.chunks_exact(2) {
            self.scratch.push(0x8F);
            self.scratch.extend(pair.iter().map(high));
        }
    }

    /// Decodes the pairs that were collected from `start` on.
    fn flush(&mut self, start: usize, set: Set, out: &mut Builder, reading: &mut Reading) {
        if self.scratch.is_empty() {
            return;
        }
        out.run(start, 2);
        let unit = if set == Set::Supplement { 3 } else { 2 };
        let place = |read: usize| start + read / unit * 2;
        if set == Set::Foreign {
            (0..self.scratch.len() / unit).for_each(|index| {
                out.replace(lint::D2024, start + index * 2, start + index * 2 + 2);
            });
            return;
        }
        self.notice_extensions(start, set, out);
        let mut rest = self.scratch.as_slice();
        let mut read = 0;
        loop {
            out.text.reserve(rest.len() * 3);
            let (result, used) =
                self.decoder
                    .decode_to_string_without_replacement(rest, &mut out.text, false);
            read += used;
            if !matches!(result, DecoderResult::Malformed(..)) {
                return;
            }
            let row = self
                .scratch
                .get(read.saturating_sub(2))
                .copied()
                .unwrap_or_default();
            let user_defined = set == Set::Kanji && row >= 0xF5;
            let rule = if user_defined {
                lint::D2026
            } else {
                lint::D2024
            };
            out.replace(rule, place(read).saturating_sub(2), place(read));
            reading.faults += u32::from(!user_defined);
            rest = self.scratch.get(read..).unwrap_or_default();
        }
    }

    /// NEC row 13 and the IBM extensions are not in the declared set, but every CP932 exporter
    /// writes them.
    fn notice_extensions(&self, start: usize, set: Set, out: &mut Builder) {
        let extended = |pair: &[u8]| matches!(pair.first(), Some(0xAD | 0xF9..=0xFC));
        if set == Set::Kanji
            && let Some(index) = self.scratch.chunks(2).position(extended)
        {
            out.notice(lint::D2021, start + index * 2, start + index * 2 + 2);
        }
    }
}

/// Whether a byte stands between fields or inside them in nearly every message.
fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b'|' | b'^' | b'~' | b'\\' | b'&')
}

/// Fewest separators that a segment of the profile has when nothing swallowed them.
fn least_fields(line: &str) -> usize {
    match line.get(..3) {
        Some("PID") => 8,
        Some("OBX" | "PRB") => 5,
        Some("RXE" | "IAM") => 6,
        Some("RXC" | "SPM" | "OBR") => 4,
        Some("PV1" | "AL1") => 3,
        _ => 0,
    }
}

fn half_kana(byte: u8) -> char {
    char::from_u32(0xFF61 + u32::from(byte & 0x7F) - 0x21).unwrap_or(super::GETA)
}
