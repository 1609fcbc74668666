use super::*;
use encoding_rs::ISO_2022_JP;
use proptest::prelude::*;

/// What the table of the Python codecs says: JIS cell, `Shift_JIS` bytes, CP932 character.
fn cells() -> impl Iterator<Item = (Vec<u8>, Vec<u8>, String)> {
    let hex = |text: &str| {
        let digits: Vec<char> = text.chars().collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap())
            .collect::<Vec<u8>>()
    };
    include_str!("../../charset/jisx0208_cp932.tsv")
        .lines()
        .skip(1)
        .map(move |line| {
            let columns: Vec<&str> = line.split('\t').collect();
            (hex(columns[0]), hex(columns[1]), columns[4].to_owned())
        })
}

fn check(text: &str, bytes: &[u8]) {
    assert_eq!(Charset::Iso2022Jp.encode(text), bytes);
}

#[test]
fn a_name_with_delimiter_bytes_is_the_published_vector() {
    check(
        "宮本^京美",
        b"\x1B$B\x35\x5C\x4B\x5C\x1B(B^\x1B$B\x35\x7E\x48\x7E\x1B(B",
    );
}

#[test]
fn half_width_katakana_keep_their_width() {
    check("ﾐﾔ|", b"\x1B(I\x50\x54\x1B(B|");
}

#[test]
fn an_extension_character_stands_in_row_92() {
    check("髙", b"\x1B$B\x7C\x62\x1B(B");
}

#[test]
fn a_character_outside_every_table_is_a_geta() {
    check("𠮷", b"\x1B$B\x22\x2E\x1B(B");
    assert_eq!(Charset::Cp932.encode("𠮷a"), b"\x81\xACa");
}

#[test]
fn every_cell_of_the_oracle_is_written_as_it_says() {
    let mut compared = 0;
    for (jis, sjis, character) in cells() {
        // The NEC and IBM copies of one character have several cells: the encoder takes one.
        if !Charset::Cp932.encode(&character).eq(&sjis) {
            continue;
        }
        let mut expected = b"\x1B$B".to_vec();
        expected.extend_from_slice(&jis);
        expected.extend_from_slice(b"\x1B(B");
        check(&character, &expected);
        compared += 1;
    }
    assert!(compared > 6_900, "{compared} cells compared");
}

#[test]
fn what_a_web_decoder_reads_is_what_was_written() {
    let text = "MSH|^~\\&|髙橋 ①㈱|ﾐﾔﾓﾄ|服部時夫\r日本橋−１〜２\r";
    let bytes = Charset::Iso2022Jp.encode(text);
    let (back, _, lossy) = ISO_2022_JP.decode(&bytes);
    // The decoder takes the CP932 reading of the two cells that differ.
    let expected = text.replace('−', "－").replace('〜', "～");
    assert!(!lossy);
    assert_eq!(back, expected);
}

#[test]
fn kana_become_half_width_with_their_marks() {
    assert_eq!(half_width("ミヤモト　バパッー"), "ﾐﾔﾓﾄ　ﾊﾞﾊﾟｯｰ");
}

/// Characters that both sides can hold: ASCII, the oracle's cells, half-width katakana.
fn writable() -> impl Strategy<Value = char> {
    let cells: Vec<char> = cells()
        .filter_map(|(_, _, text)| text.chars().next())
        .collect();
    prop_oneof![
        prop::char::range(' ', '~'),
        prop::sample::select(cells),
        prop::char::range('｡', 'ﾟ'),
    ]
}

proptest! {
    #[test]
    fn every_mixture_is_read_as_it_was_written(characters in prop::collection::vec(writable(), 0..60)) {
        let text: String = characters.into_iter().collect();
        let iso2022 = Charset::Iso2022Jp.encode(&text);
        let (back, _, lossy) = ISO_2022_JP.decode(&iso2022);
        prop_assert!(!lossy);
        prop_assert_eq!(back, text.as_str());
        let cp932 = Charset::Cp932.encode(&text);
        let (back, _, lossy) = SHIFT_JIS.decode(&cp932);
        prop_assert!(!lossy);
        prop_assert_eq!(back, text.as_str());
    }
}
