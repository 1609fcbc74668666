//! Text into the bytes of Japanese hospitals.
//!
//! ISO-2022-JP is written here from the EUC-JP form of a text, because the web's encoder folds
//! half-width katakana and this storage has to contain them.

use encoding_rs::{EUC_JP, SHIFT_JIS};
use std::borrow::Cow;

/// Stands for a character that a set has not (下駄).
const GETA: &str = "〓";

/// How a file's text becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Charset {
    /// ISO-2022-JP, the form that SS-MIX2 prescribes; rows 13 and 89–92 and half-width katakana
    /// are written when the text has them, as exporters do.
    Iso2022Jp,
    /// UTF-8 without a byte order mark.
    Utf8,
    /// `Shift_JIS` with the extensions of Microsoft code page 932.
    Cp932,
}

impl Charset {
    /// The bytes of `text`; what the set cannot hold becomes `〓`.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.as_bytes().to_vec(),
            Self::Cp932 => table(SHIFT_JIS, text).into_owned(),
            Self::Iso2022Jp => shift(&table(EUC_JP, text)),
        }
    }
}

/// The text by the table of an encoding, with `〓` where it has no entry.
fn table<'a>(encoding: &'static encoding_rs::Encoding, text: &'a str) -> Cow<'a, [u8]> {
    let (bytes, _, lossy) = encoding.encode(text);
    if !lossy {
        return bytes;
    }
    let mut buffer = [0; 4];
    let mut out = Vec::with_capacity(text.len());
    for character in text.chars() {
        let one = microsoft(character).encode_utf8(&mut buffer);
        let (bytes, _, missing) = encoding.encode(one);
        if missing {
            out.extend_from_slice(&encoding.encode(GETA).0);
        } else {
            out.extend_from_slice(&bytes);
        }
    }
    Cow::Owned(out)
}

/// The character that code page 932 has in the cell of the one that JIS X 0208 has there.
const fn microsoft(character: char) -> char {
    match character {
        '〜' => '～',
        '‖' => '∥',
        '¢' => '￠',
        '£' => '￡',
        '¬' => '￢',
        other => other,
    }
}

/// The graphic set that is switched on (ISO/IEC 2022).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shift {
    Ascii,
    Kanji,
    Katakana,
}

impl Shift {
    const fn escape(self) -> &'static [u8] {
        match self {
            Self::Ascii => b"\x1B(B",
            Self::Kanji => b"\x1B$B",
            Self::Katakana => b"\x1B(I",
        }
    }
}

/// EUC-JP into seven bits: the same rows and cells, behind escape sequences.
fn shift(euc: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(euc.len() + euc.len() / 4);
    let mut state = Shift::Ascii;
    let mut bytes = euc.iter().copied();
    while let Some(first) = bytes.next() {
        // 0x8E announces a half-width katakana, any other high byte is a row.
        let wanted = match first {
            0x8E => Shift::Katakana,
            0x80.. => Shift::Kanji,
            _ => Shift::Ascii,
        };
        if wanted != state {
            out.extend_from_slice(wanted.escape());
            state = wanted;
        }
        if wanted != Shift::Katakana {
            out.push(first & 0x7F);
        }
        if wanted != Shift::Ascii {
            out.extend(bytes.next().map(|second| second & 0x7F));
        }
    }
    if state != Shift::Ascii {
        out.extend_from_slice(Shift::Ascii.escape());
    }
    out
}

/// Full-width katakana as half-width ones; other characters stay.
pub fn half_width(kana: &str) -> String {
    const FULL: &str = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォャュョッー";
    const HALF: &str = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｬｭｮｯｰ";
    const VOICED: &str = "ガギグゲゴザジズゼゾダヂヅデドバビブベボ";
    const BASE: &str = "カキクケコサシスセソタチツテトハヒフヘホ";
    let swap = |from: &str, to: &str, c: char| from.chars().zip(to.chars()).find(|(f, _)| *f == c);
    let mut out = String::with_capacity(kana.len());
    for character in kana.chars() {
        let (plain, mark) = match swap(VOICED, BASE, character) {
            Some((_, base)) => (base, "ﾞ"),
            None => match swap("パピプペポ", "ハヒフヘホ", character) {
                Some((_, base)) => (base, "ﾟ"),
                None => (character, ""),
            },
        };
        out.push(swap(FULL, HALF, plain).map_or(plain, |(_, half)| half));
        out.push_str(mark);
    }
    out
}

#[cfg(test)]
mod tests;
