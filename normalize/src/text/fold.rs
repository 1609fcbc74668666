//! Forms for comparing and searching: what a person would call "the same name" becomes the same
//! text. Only for comparing; what is shown stays as sent.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::variant::{SUBSTITUTIONS, VARIANTS};

static COMMON_FORMS: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let forms = VARIANTS
        .iter()
        .flat_map(|(variants, common)| variants.chars().map(|variant| (variant, *common)));
    forms.collect()
});

/// Folds a text for comparison: full-width letters and digits become half-width and lower-case,
/// half-width katakana full-width, hiragana katakana, small kana large, variant kanji their common
/// form, environment-dependent characters the spelling that senders are told to use instead;
/// blanks go, and all dashes are one.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for char in full_width_kana(text).chars() {
        match SUBSTITUTIONS.binary_search_by_key(&char, |(from, _)| *from) {
            Ok(index) => {
                let spelling = SUBSTITUTIONS.get(index).map_or("", |(_, to)| *to);
                spelling
                    .chars()
                    .for_each(|char| fold_char(char, &mut folded));
            }
            Err(_) => fold_char(char, &mut folded),
        }
    }
    folded
}

fn fold_char(char: char, folded: &mut String) {
    let char = half_width_char(char);
    match char {
        _ if char.is_whitespace() || char.is_control() => {}
        'ぁ'..='ゖ' | 'ァ'..='ヶ' => folded.push(large_kana(katakana(char))),
        '-' | '\u{2010}'..='\u{2015}' | '−' | 'ー' | '─' | '━' => {
            let long = folded.ends_with(|before| matches!(before, 'ァ'..='ヺ' | 'ー'));
            folded.push(if long { 'ー' } else { '-' });
        }
        '〜' | '～' => folded.push('~'),
        '∥' => folded.push('‖'),
        '\u{3400}'.. => folded.push(common_form(char)),
        _ => folded.extend(char.to_lowercase()),
    }
}

fn katakana(char: char) -> char {
    match char {
        'ぁ'..='ゖ' => char::from_u32(u32::from(char) + 0x60).unwrap_or(char),
        _ => char,
    }
}

fn large_kana(char: char) -> char {
    match char {
        'ァ' | 'ィ' | 'ゥ' | 'ェ' | 'ォ' | 'ッ' | 'ャ' | 'ュ' | 'ョ' | 'ヮ' => {
            char::from_u32(u32::from(char) + 1).unwrap_or(char)
        }
        'ヵ' => 'カ',
        'ヶ' => 'ケ',
        _ => char,
    }
}

fn common_form(char: char) -> char {
    COMMON_FORMS.get(&char).copied().unwrap_or(char)
}

fn half_width_char(char: char) -> char {
    match char {
        '！'..='～' => char::from_u32(u32::from(char) - 0xFEE0).unwrap_or(char),
        '　' => ' ',
        '￥' => '¥',
        '￠' => '¢',
        '￡' => '£',
        '￢' => '¬',
        _ => char,
    }
}

/// Full-width letters, digits and signs as ASCII; everything else stays.
pub fn half_width(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    text.chars().map(half_width_char).collect()
}

/// Half-width katakana as full-width katakana, with their voice marks joined; everything else
/// stays.
pub fn full_width_kana(text: &str) -> String {
    let mut full = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let Some(wide) = wide_kana(char) else {
            full.push(char);
            continue;
        };
        let voiced = chars.peek().and_then(|mark| voiced(wide, *mark));
        if voiced.is_some() {
            chars.next();
        }
        full.push(voiced.unwrap_or(wide));
    }
    full
}

/// U+FF61 to U+FF9F in order.
const WIDE: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";

fn wide_kana(char: char) -> Option<char> {
    let index = u32::from(char)
        .checked_sub(0xFF61)
        .filter(|index| *index < 63)?;
    WIDE.chars().nth(usize::try_from(index).ok()?)
}

fn voiced(kana: char, mark: char) -> Option<char> {
    let up = |by: u32| char::from_u32(u32::from(kana) + by);
    match (kana, mark) {
        ('ウ', 'ﾞ') => Some('ヴ'),
        ('カ'..='ト' | 'ハ'..='ホ', 'ﾞ') => up(1),
        ('ハ'..='ホ', 'ﾟ') => up(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(one: &str, other: &str) {
        assert_eq!(fold(one), fold(other), "{one} {other}");
    }

    #[test]
    fn a_name_is_found_however_it_is_typed() {
        same("ﾐﾔﾓﾄ ｷｮｳﾐ", "ミヤモト　キョウミ");
        same("みやもと きょうみ", "ミヤモトキヨウミ");
        same("髙﨑", "高崎");
        same("濵田", "浜田");
        same("渡邉", "渡辺");
        same("齋藤", "斉藤");
        same("德田", "徳田");
        same("𠮷野家", "吉野家");
        same("ＳＭＩＴＨ", "Smith");
        same("ｶﾞｯﾁｬ ﾊﾟﾋﾟ ｳﾞｨ", "ガッチャ パピ ヴィ");
        same("シー", "シ－");
        same("一丁目２−３", "一丁目2－3");
    }

    #[test]
    fn environment_dependent_characters_are_their_replacements() {
        same("㈱①Ⅱ㎎", "(株)(1)IImg");
        same("ⅲ", "iii");
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [
            ("宮本", "宮元"),
            ("ハハ", "パパ"),
            ("カキ", "ガギ"),
            ("123", "１２４"),
        ] {
            assert_ne!(fold(one), fold(other));
        }
    }

    #[test]
    fn half_width_kana_are_shown_full_width_and_nothing_else_changes() {
        assert_eq!(
            full_width_kana("ﾐﾔﾓﾄ･ｷﾞﾝ 宮本 Aｰ"),
            "ミヤモト・ギン 宮本 Aー"
        );
        assert_eq!(half_width("ＩＳＯ＋　ｇ／ｄｌ ミ"), "ISO+ g/dl ミ");
    }

    #[test]
    fn tables_are_in_order() {
        assert!(SUBSTITUTIONS.is_sorted_by_key(|(from, _)| *from));
    }
}
