//! Eight-bit character sets: UTF-8, CP932, EUC-JP; whole items, and stretches of them inside
//! ISO-2022-JP.

use encoding_rs::{DecoderResult, EUC_JP, Encoding, SHIFT_JIS};

use super::{Builder, offset};
use crate::lint;

/// Whether bytes with the high bit are UTF-8. Text with a hint (mark or declaration) may have a few
/// broken characters, text without one must be so nearly flawless that nothing else is likely.
pub(super) fn is_utf8(bytes: &[u8], hinted: bool) -> bool {
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk
            .valid()
            .chars()
            .filter(|char| !char.is_ascii())
            .count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    bad == 0 || (good > bad && (hinted || good > 20 * bad))
}

pub(super) fn utf8(bytes: &[u8], out: &mut Builder) {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        out.run(at, 0);
        out.text.push_str(chunk.valid());
        at += chunk.valid().len();
        let invalid = chunk.invalid();
        if !invalid.is_empty() {
            let started = matches!(invalid.first(), Some(0xC2..=0xF4));
            let rule = if started { lint::D2107 } else { lint::D2024 };
            out.run(at, offset(invalid.len()));
            out.replace(rule, at, at + invalid.len());
            at += invalid.len();
        }
    }
}

pub(super) fn cp932(bytes: &[u8], out: &mut Builder) {
    stretches(bytes, 0, bytes.len(), &CP932, out);
}

pub(super) fn euc_jp(bytes: &[u8], out: &mut Builder) {
    stretches(bytes, 0, bytes.len(), &EUC, out);
}

/// Eight-bit bytes inside ISO-2022-JP: katakana of JIS X 0201 when all are in its range, else
/// UTF-8 or CP932. Returns where seven-bit text goes on.
pub(super) fn foreign(bytes: &[u8], start: usize, end: usize, out: &mut Builder) -> usize {
    let rest = bytes.get(start..end).unwrap_or_default();
    let length = rest.iter().position(u8::is_ascii).unwrap_or(rest.len());
    let stretch = rest.get(..length).unwrap_or_default();
    let kana = stretch.iter().all(|byte| (0xA1..=0xDF).contains(byte));
    if kana {
        out.notice(lint::D2028, start, start + length);
    } else {
        out.notice(lint::D2022, start, start + length);
    }
    if !kana && let Ok(text) = str::from_utf8(stretch) {
        out.run(start, 0);
        out.text.push_str(text);
        return start + length;
    }
    eight_bit_stretch(bytes, start, end, &CP932, out)
}

/// What tells characters of a set apart.
struct Form {
    encoding: &'static Encoding,
    /// Bytes of the character with which given bytes begin; 0 when there is none.
    width: fn(&[u8]) -> usize,
}

static CP932: Form = Form {
    encoding: SHIFT_JIS,
    width: cp932_width,
};
static EUC: Form = Form {
    encoding: EUC_JP,
    width: euc_width,
};

fn cp932_width(bytes: &[u8]) -> usize {
    match bytes {
        [0xA1..=0xDF, ..] => 1,
        [0x81..=0x9F | 0xE0..=0xFC, 0x40..=0x7E | 0x80..=0xFC, ..] => 2,
        _ => 0,
    }
}

fn euc_width(bytes: &[u8]) -> usize {
    match bytes {
        [0x8E, 0xA1..=0xDF, ..] | [0xA1..=0xFE, 0xA1..=0xFE, ..] => 2,
        [0x8F, 0xA1..=0xFE, 0xA1..=0xFE, ..] => 3,
        _ => 0,
    }
}

fn stretches(bytes: &[u8], start: usize, end: usize, form: &Form, out: &mut Builder) {
    let mut at = start;
    while at < end {
        let rest = bytes.get(at..end).unwrap_or_default();
        let length = rest
            .iter()
            .position(|byte| !byte.is_ascii())
            .unwrap_or(rest.len());
        out.run(at, 0);
        if let Some(Ok(plain)) = rest.get(..length).map(str::from_utf8) {
            out.text.push_str(plain);
        }
        at += length;
        if at < end {
            at = eight_bit_stretch(bytes, at, end, form, out);
        }
    }
}

/// Decodes characters until the next one-byte ASCII character; returns where that is.
fn eight_bit_stretch(
    bytes: &[u8],
    start: usize,
    end: usize,
    form: &Form,
    out: &mut Builder,
) -> usize {
    let mut at = start;
    let rest = |at: usize| bytes.get(at..end).unwrap_or_default();
    while rest(at).first().is_some_and(|byte| !byte.is_ascii()) {
        let width = (form.width)(rest(at));
        if width == 0 {
            out.run(at, 1);
            out.replace(lint::D2107, at, at + 1);
            at += 1;
            continue;
        }
        let mut until = at + width;
        while (form.width)(rest(until)) == width {
            until += width;
        }
        same_width(bytes, at, until, width, form.encoding, out);
        at = until;
    }
    at
}

/// Decodes characters that all have the same width.
fn same_width(
    bytes: &[u8],
    start: usize,
    end: usize,
    width: usize,
    encoding: &'static Encoding,
    out: &mut Builder,
) {
    out.run(start, offset(width));
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut at = start;
    while at < end {
        let rest = bytes.get(at..end).unwrap_or_default();
        out.text.reserve(rest.len() * 3);
        let (result, used) =
            decoder.decode_to_string_without_replacement(rest, &mut out.text, true);
        at += used;
        if !matches!(result, DecoderResult::Malformed(..)) {
            return;
        }
        // A malformed pair whose second byte is ASCII gives that byte back; it is part of the pair.
        at = start + (at - start).div_ceil(width) * width;
        out.replace(lint::D2024, at - width, at);
        decoder = encoding.new_decoder_without_bom_handling();
    }
}
