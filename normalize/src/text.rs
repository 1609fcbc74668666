//! Character sets of Japanese hospitals: bytes become text, whatever the header claims, with a way
//! back from every character to its bytes. What had to be guessed or repaired is noticed.
//!
//! | file | holds |
//! | --- | --- |
//! | `iso2022.rs` | ISO-2022-JP with the deviations of real senders |
//! | `multibyte.rs` | CP932, EUC-JP, UTF-8 |
//! | `run.rs` | positions: text back to bytes |
//! | `fold.rs`, `variant.rs` | forms for comparing and searching |

mod fold;
mod iso2022;
mod multibyte;
mod run;
mod variant;

use model::feed::Fallback;

pub use fold::{fold, full_width_kana, half_width};
pub(crate) use run::offset;

use crate::lint::{self, Rule};
use run::Run;

/// What stands for a character that cannot be shown (GETA MARK, as Japanese printers do).
pub const GETA: char = '〓';

/// The character set in which bytes were found to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Nothing but ASCII.
    Ascii,
    /// ISO-2022-JP and its extensions.
    Iso2022Jp,
    /// UTF-8.
    Utf8,
    /// Windows code page 932, of which `Shift_JIS` is a part.
    Cp932,
    /// EUC-JP.
    EucJp,
}

impl Encoding {
    /// Whether a declaration (MSH-18, HL7 table 0211) allows this character set. An absent
    /// declaration allows ASCII only.
    pub fn agrees_with(self, declared: &str) -> bool {
        let unicode = declared.contains("UTF-8") || declared.contains("UNICODE");
        match self {
            Self::Ascii => true,
            Self::Iso2022Jp => {
                declared.contains("IR87")
                    || declared.contains("IR 87")
                    || declared.contains("IR159")
            }
            Self::Utf8 => unicode,
            Self::Cp932 | Self::EucJp => false,
        }
    }
}

/// Something that decoding noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// The rule.
    pub rule: Rule,
    /// Byte in the decoded text.
    pub text: u32,
    /// First byte in the original.
    pub start: u32,
    /// Byte after the last one.
    pub end: u32,
}

/// Decoded text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text; never contains U+FFFD.
    pub text: String,
    /// The character set that the bytes are in.
    pub encoding: Encoding,
    /// What had to be repaired.
    pub notices: Vec<Notice>,
    runs: Vec<Run>,
}

impl Decoded {
    /// The original position of a byte of the text.
    pub fn raw(&self, position: usize) -> u32 {
        run::raw(&self.runs, &self.text, position)
    }
}

/// Turns bytes into text. The bytes decide; the declaration (MSH-18) only where they leave it open;
/// the fallback for eight-bit text that says nothing about itself.
pub fn decode(bytes: &[u8], declared: &str, fallback: Fallback) -> Decoded {
    let (body, start) = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(body) => (body, 3),
        None => (bytes, 0),
    };
    let encoding = detect(body, start > 0, declared, fallback);
    let mut builder = Builder::new(body, start);
    match encoding {
        Encoding::Ascii | Encoding::Iso2022Jp => iso2022::decode(body, &mut builder),
        Encoding::Utf8 => multibyte::utf8(body, &mut builder),
        Encoding::Cp932 => multibyte::cp932(body, &mut builder),
        Encoding::EucJp => multibyte::euc_jp(body, &mut builder),
    }
    builder.finish(encoding)
}

fn detect(bytes: &[u8], marked: bool, declared: &str, fallback: Fallback) -> Encoding {
    if iso2022::is_announced(bytes) {
        return Encoding::Iso2022Jp;
    }
    if bytes.is_ascii() {
        return Encoding::Ascii;
    }
    let hinted = marked || Encoding::Utf8.agrees_with(declared);
    // Two-byte characters of EUC-JP can all look like UTF-8, but Japanese UTF-8 has three bytes.
    let ambiguous = fallback == Fallback::EucJp && !hinted && bytes.iter().all(|byte| *byte < 0xE0);
    if !ambiguous && multibyte::is_utf8(bytes, hinted) {
        return Encoding::Utf8;
    }
    match fallback {
        Fallback::Cp932 => Encoding::Cp932,
        Fallback::Utf8 => Encoding::Utf8,
        Fallback::EucJp => Encoding::EucJp,
        Fallback::Iso2022Jp => Encoding::Iso2022Jp,
    }
}

/// Text under construction.
struct Builder {
    text: String,
    runs: Vec<Run>,
    notices: Vec<Notice>,
    base: usize,
    replaced: usize,
}

/// A state of the builder to which it can return.
#[derive(Clone, Copy)]
struct Mark {
    text: usize,
    runs: usize,
    notices: usize,
    replaced: usize,
}

/// As with findings: nobody reads more, and a broken item must not fill the memory.
const MOST_NOTICES: usize = 1000;

impl Builder {
    fn new(bytes: &[u8], base: usize) -> Self {
        let text = String::with_capacity(bytes.len() + bytes.len() / 2);
        Self {
            text,
            runs: Vec::new(),
            notices: Vec::new(),
            base,
            replaced: 0,
        }
    }

    /// From here on characters take `width` bytes of the original, beginning at `raw`.
    fn run(&mut self, raw: usize, width: u32) {
        let run = Run {
            text: offset(self.text.len()),
            raw: offset(self.base + raw),
            width,
        };
        match self.runs.last_mut() {
            Some(last) if last.text == run.text => *last = run,
            _ => self.runs.push(run),
        }
    }

    fn notice(&mut self, rule: Rule, start: usize, end: usize) {
        if self.notices.len() < MOST_NOTICES {
            let (start, end) = (offset(self.base + start), offset(self.base + end));
            self.notices.push(Notice {
                rule,
                text: offset(self.text.len()),
                start,
                end,
            });
        }
    }

    /// Puts the geta mark where a character cannot be read.
    fn replace(&mut self, rule: Rule, start: usize, end: usize) {
        self.notice(rule, start, end);
        self.text.push(GETA);
        if rule != lint::D2026 {
            self.replaced += 1;
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            text: self.text.len(),
            runs: self.runs.len(),
            notices: self.notices.len(),
            replaced: self.replaced,
        }
    }

    fn back_to(&mut self, mark: Mark) {
        self.text.truncate(mark.text);
        self.runs.truncate(mark.runs);
        self.notices.truncate(mark.notices);
        self.replaced = mark.replaced;
    }

    fn finish(mut self, encoding: Encoding) -> Decoded {
        self.hide_private_characters();
        let wide = || self.text.chars().filter(|char| !char.is_ascii()).count();
        if self.replaced > 8 && self.replaced * 4 > wide() {
            let end = self.notices.last().map_or(0, |notice| notice.end);
            self.notices.push(Notice {
                rule: lint::D2023,
                text: 0,
                start: offset(self.base),
                end,
            });
        }
        Decoded {
            text: self.text,
            encoding,
            notices: self.notices,
            runs: self.runs,
        }
    }

    /// Private-use characters (CP932 F040–F9FC) mean something at their hospital only, and U+FFFD
    /// is what another program left of a character it could not read.
    fn hide_private_characters(&mut self) {
        let hidden = |char: char| matches!(char, '\u{E000}'..='\u{F8FF}' | '\u{FFFD}');
        let bytes = self.text.as_bytes();
        let is_hidden = |at: usize| {
            let char = bytes.get(at..at + 3);
            matches!(
                char,
                Some([0xEE, ..] | [0xEF, ..=0xA3, _] | [0xEF, 0xBF, 0xBD])
            )
        };
        // Full-width letters begin with the same byte as some of them.
        if !memchr::memchr2_iter(0xEE, 0xEF, bytes).any(is_hidden) {
            return;
        }
        let found: Vec<usize> = self
            .text
            .match_indices(hidden)
            .map(|(at, _)| at)
            .take(MOST_NOTICES)
            .collect();
        for at in found {
            let (start, end) = (
                run::raw(&self.runs, &self.text, at),
                run::raw(&self.runs, &self.text, at + 3),
            );
            self.notices.push(Notice {
                rule: lint::D2026,
                text: offset(at),
                start,
                end,
            });
        }
        // All of them, like the geta mark, are three bytes of UTF-8: positions stay.
        self.text = self.text.replace(hidden, GETA.encode_utf8(&mut [0; 4]));
    }
}

#[cfg(test)]
mod tests;
