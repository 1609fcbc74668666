use super::*;

const ESC: &str = "\x1b";

#[track_caller]
fn check(bytes: &[u8], expected: &str, rules: &[&str]) -> Decoded {
    let decoded = decode(bytes, "~ISO IR87", Fallback::Cp932);
    assert_eq!(decoded.text, expected);
    let found: Vec<&str> = decoded
        .notices
        .iter()
        .map(|notice| notice.rule.id)
        .collect();
    assert_eq!(found, rules, "{expected}");
    assert!(!decoded.text.contains('\u{FFFD}'));
    decoded
}

fn iso(text: &str) -> Vec<u8> {
    text.replace('␛', ESC).into_bytes()
}

/// PID-5 of a patient whose kanji contain all the delimiter bytes.
const NAMES: [u8; 73] = [
    0x1B, 0x24, 0x42, 0x35, 0x5C, 0x4B, 0x5C, 0x1B, 0x28, 0x42, 0x5E, 0x1B, 0x24, 0x42, 0x35, 0x7E,
    0x48, 0x7E, 0x1B, 0x28, 0x42, 0x5E, 0x5E, 0x5E, 0x5E, 0x5E, 0x4C, 0x5E, 0x49, 0x7E, 0x1B, 0x24,
    0x42, 0x25, 0x5F, 0x25, 0x64, 0x25, 0x62, 0x25, 0x48, 0x1B, 0x28, 0x42, 0x5E, 0x1B, 0x24, 0x42,
    0x25, 0x2D, 0x25, 0x67, 0x25, 0x26, 0x25, 0x5F, 0x1B, 0x28, 0x42, 0x5E, 0x5E, 0x5E, 0x5E, 0x5E,
    0x4C, 0x5E, 0x50, 0x0D, 0x7C, 0x5E, 0x7E, 0x5C, 0x26,
];

#[test]
fn delimiter_bytes_inside_kanji_are_kanji() {
    check(
        &NAMES,
        "宮本^京美^^^^^L^I~ミヤモト^キョウミ^^^^^L^P\r|^~\\&",
        &[],
    );
}

#[test]
fn every_character_of_the_table_is_read_in_three_encodings() {
    let table = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../samples/charset/jisx0208_cp932.tsv"
    );
    let table = std::fs::read_to_string(table).unwrap();
    let mut rows = 0;
    for row in table.lines().filter(|row| !row.starts_with('#')) {
        let columns: Vec<&str> = row.split('\t').collect();
        let number = |index: usize| {
            u16::from_str_radix(columns[index], 16)
                .unwrap()
                .to_be_bytes()
        };
        let expected = u32::from_str_radix(columns[3].trim_start_matches("U+"), 16).unwrap();
        let expected = char::from_u32(expected).unwrap().to_string();
        let (jis, sjis) = (number(0), number(1));
        let euc = jis.map(|byte| byte | 0x80);
        let wrapped = [b"\x1b$B".as_slice(), &jis, b"\x1b(B"].concat();
        assert_eq!(
            decode(&wrapped, "", Fallback::Cp932).text,
            expected,
            "{row}"
        );
        let mut cp932 = Builder::new(&sjis, 0);
        multibyte::cp932(&sjis, &mut cp932);
        assert_eq!(cp932.text, expected, "{row}");
        let mut euc_jp = Builder::new(&euc, 0);
        multibyte::euc_jp(&euc, &mut euc_jp);
        assert_eq!(euc_jp.text, expected, "{row}");
        rows += 1;
    }
    assert_eq!(rows, 7336);
}

#[test]
fn editions_and_spellings_of_the_escapes_mean_the_same() {
    for shift in ["␛$B", "␛$@", "␛$(B", "␛$(@", "␛&@␛$B"] {
        check(&iso(&format!("{shift}5\\K\\␛(B|")), "宮本|", &[]);
    }
}

#[test]
fn empty_runs_are_nothing() {
    check(&iso("a␛$B␛(Bb␛(B␛(Bc"), "abc", &[]);
}

#[test]
fn roman_of_jis_x_0201_is_ascii_because_delimiters_live_there() {
    check(&iso("␛(JA\\T\\~B␛$B5\\␛(J|"), "A\\T\\~B宮|", &[]);
}

#[test]
fn half_width_katakana_in_three_ways() {
    check(&iso("␛(I@]6]␛(B|"), "ﾀﾝｶﾝ|", &["D2028"]);
    check(b"A\x0e@]\x0f|", "Aﾀﾝ|", &["D2028"]);
    check(b"\x1b$B5\\\x1b(B\xc0\xdd|", "宮ﾀﾝ|", &["D2028"]);
}

#[test]
fn supplementary_kanji_and_extensions_are_read_and_counted() {
    // JIS X 0212 row 16 column 1, NEC row 13, IBM row 92 (髙, whose first byte is a field separator).
    check(&iso("␛$(D0!␛(B"), "丂", &["D2021"]);
    check(&iso("␛$B-!|b␛(B|F"), "①髙|F", &["D2021"]);
}

#[test]
fn user_defined_characters_are_geta_marks() {
    let decoded = check(b"\xf0\x40\x8d\x82", "〓高", &["D2026"]);
    assert_eq!((decoded.notices[0].start, decoded.notices[0].end), (0, 2));
    check(&iso("␛$Bu!5\\␛(B"), "〓宮", &["D2026"]);
    check("\u{E000}宮".as_bytes(), "〓宮", &["D2026"]);
    for (private, expected) in [('\u{F000}', "宮〓"), ('\u{F8FF}', "宮〓")] {
        check(format!("宮{private}").as_bytes(), expected, &["D2026"]);
    }
    check("宮\u{F900}Ａ".as_bytes(), "宮\u{F900}Ａ", &[]);
    check("宮\u{FFFD}".as_bytes(), "宮〓", &["D2026"]);
}

#[test]
fn a_missing_return_to_ascii_ends_with_the_line_or_a_control_byte() {
    check(&iso("A|␛$B5\\K\\\rB|C"), "A|宮本\rB|C", &["D2025"]);
    check(&iso("A|␛$B5\\K\\ B|C"), "A|宮本 B|C", &["D2025"]);
}

#[test]
fn a_separator_after_an_open_run_is_found_again() {
    let line = "PID|0001||0000123456^^^^PI||␛$B5\\K\\^␛$B5~H~␛(B^^^^^L^I||19580314|F\r";
    check(
        &iso(line),
        "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F\r",
        &["D2025"],
    );
    let open = "PID|0001||0000123456^^^^PI||␛$B5\\K\\||19580314|F\r";
    check(
        &iso(open),
        "PID|0001||0000123456^^^^PI||宮本||19580314|F\r",
        &["D2025"],
    );
}

#[test]
fn a_kanji_whose_first_byte_is_a_separator_stays_a_kanji() {
    let line = "PID|0001||0000123456^^^^PI||␛$B|b66␛(B||19580314|F\r";
    check(
        &iso(line),
        "PID|0001||0000123456^^^^PI||髙橋||19580314|F\r",
        &["D2021"],
    );
}

#[test]
fn a_character_cut_in_half_goes() {
    check(&iso("␛$B5\\K␛(B|"), "宮|", &["D2107"]);
    let name = "宮本京美".as_bytes();
    let cut = decode(&name[..name.len() - 1], "UNICODE UTF-8", Fallback::Cp932);
    assert_eq!(
        (cut.text.as_str(), cut.notices[0].rule),
        ("宮本京〓", lint::D2107)
    );
}

#[test]
fn a_character_cut_in_half_does_not_swallow_what_follows() {
    // One byte is left of two, or two of three (JIS X 0212 in EUC-JP).
    for half in [b"\xb0".as_slice(), b"\x8f\xb0"] {
        let line = [b"OBX|", half, b"\rPID|"].concat();
        let expected = format!("OBX|{}\rPID|", "〓".repeat(half.len()));
        assert_eq!(decode(&line, "", Fallback::EucJp).text, expected);
    }
}

#[test]
fn undeclared_and_wrongly_declared_text_is_read() {
    check("宮本|京美".as_bytes(), "宮本|京美", &[]);
    check(b"\xEF\xBB\xBF|\xe5\xae\xae", "|宮", &[]);
    check(b"\x8b\x7b\x96\x7b|\xc0\xdd\x95\x5c", "宮本|ﾀﾝ表", &[]);
    assert_eq!(
        decode(b"\x8b\x7b", "UNICODE UTF-8", Fallback::Cp932).encoding,
        Encoding::Cp932
    );
    assert_eq!(decode(b"\xb5\xdc", "", Fallback::EucJp).text, "宮");
}

#[test]
fn other_sets_inside_are_read_and_found() {
    check(b"\x1b$B5\\\x1b(B|\x96\x7b|", "宮|本|", &["D2022"]);
    check("\x1b$B5\\\x1b(B|本|".as_bytes(), "宮|本|", &["D2022"]);
    check(&iso("A␛.AB"), "AB", &["D2022"]);
}

#[test]
fn what_is_no_text_cannot_be_decoded() {
    let noise: Vec<u8> = (0..400u32)
        .map(|index| [0x80, 0xA0, 0xFD, 0xFF][index as usize % 4])
        .collect();
    let decoded = decode(&noise, "", Fallback::EucJp);
    assert!(
        decoded
            .notices
            .iter()
            .any(|notice| notice.rule == lint::D2023)
    );
    assert!(!decoded.text.contains('\u{FFFD}'));
}

#[test]
fn every_character_leads_back_to_its_bytes() {
    let bytes = iso("A|␛$B5\\K\\␛(B|ZZ");
    let decoded = decode(&bytes, "", Fallback::Cp932);
    for (char, raw) in [('A', 0), ('|', 1), ('宮', 5), ('本', 7)] {
        assert_eq!(decoded.raw(decoded.text.find(char).unwrap()), raw, "{char}");
    }
    assert_eq!(decoded.raw(decoded.text.find('Z').unwrap()), 13);
    let decoded = decode(b"a\x8b\x7b\xc0\xdd\x96\x7bz", "", Fallback::Cp932);
    for (char, raw) in [('a', 0), ('宮', 1), ('ﾀ', 3), ('ﾝ', 4), ('本', 5), ('z', 7)] {
        assert_eq!(decoded.raw(decoded.text.find(char).unwrap()), raw, "{char}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_bytes_break_the_decoder(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(0x1B), Just(b'$'), Just(b'B'), Just(b'(')], 0..200),
        ) {
            for fallback in [Fallback::Cp932, Fallback::Utf8, Fallback::EucJp, Fallback::Iso2022Jp] {
                let decoded = decode(&bytes, "", fallback);
                prop_assert!(!decoded.text.contains(char::REPLACEMENT_CHARACTER));
                for (at, _) in decoded.text.char_indices() {
                    prop_assert!(decoded.raw(at) as usize <= bytes.len());
                }
            }
        }

        #[test]
        fn valid_utf8_stays_as_it_is(text in "[ -~あ-んァ-ヶ一-龠０-９ｱ-ﾝ]{0,60}") {
            prop_assert_eq!(decode(text.as_bytes(), "", Fallback::Cp932).text, text);
        }
    }
}
