//! Character sets: whatever bytes come, every character of the text leads back to its own bytes, no
//! line break comes or goes, and reading the text again gives the text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::feed::Fallback;
use normalize::text::{Decoded, decode, fold, half_width};

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = fuzz::choice(data) else {
        return;
    };
    let declared = ["", "~ISO IR87", "UNICODE UTF-8"][usize::from(choice >> 2) % 3];
    let decoded = decode(bytes, declared, fuzz::fallback(choice));
    positions(bytes, &decoded);
    notices(bytes, &decoded);
    lines(bytes, &decoded);

    let hidden = |char: char| matches!(char, '\u{E000}'..='\u{F8FF}' | '\u{FFFD}');
    assert!(
        !decoded.text.contains(hidden),
        "a character that means nothing elsewhere"
    );
    let again = ["\u{FEFF}", &decoded.text].concat();
    let again = decode(again.as_bytes(), declared, Fallback::Utf8);
    assert_eq!(again.text, decoded.text, "the text in UTF-8 is the text");

    let folded = fold(&decoded.text);
    assert_eq!(fold(&folded), folded, "what is folded folds to itself");
    assert_eq!(
        half_width(&half_width(&decoded.text)),
        half_width(&decoded.text)
    );
});

/// Characters stand in the order of their bytes, and ASCII is what its byte says.
fn positions(bytes: &[u8], decoded: &Decoded) {
    let mut least = 0;
    for (at, char) in decoded.text.char_indices() {
        let raw = decoded.raw(at) as usize;
        assert!(
            raw >= least,
            "{char:?} at {at} comes from {raw}, before {least}"
        );
        assert!(
            raw < bytes.len(),
            "{char:?} at {at} comes from {raw}, behind the end"
        );
        if char.is_ascii() {
            assert_eq!(char::from(bytes[raw]), char, "at {at}, from {raw}");
        }
        least = raw + 1;
    }
    assert!(decoded.raw(decoded.text.len()) as usize <= bytes.len());
}

fn notices(bytes: &[u8], decoded: &Decoded) {
    for notice in &decoded.notices {
        assert!(notice.start <= notice.end, "{notice:?}");
        assert!(notice.end as usize <= bytes.len(), "{notice:?}");
        assert!(
            decoded.text.is_char_boundary(notice.text as usize),
            "{notice:?}"
        );
    }
}

/// A line break that was swallowed or made would move what follows into another segment.
fn lines(bytes: &[u8], decoded: &Decoded) {
    let is_break = |byte: &u8| matches!(*byte, b'\r' | b'\n');
    let breaks: Vec<u8> = bytes.iter().copied().filter(is_break).collect();
    let kept: Vec<u8> = decoded.text.bytes().filter(is_break).collect();
    assert_eq!(kept, breaks);
}
