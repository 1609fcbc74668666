use proptest::prelude::*;

use super::*;

/// 2026-04-01T09:00:00+09:00
const AT: Instant = Instant(1_775_001_600_000_000);

fn header(bytes: &[u8]) -> Header {
    Header::read(bytes, Fallback::Cp932)
}

/// What a sender of these bytes is told, one line a segment.
#[track_caller]
fn check(message: &[u8], expected: &str) {
    let header = header(message);
    let ack = header.acknowledge(header.fault(), 7, AT);
    let text = String::from_utf8(ack).unwrap();
    assert_eq!(text.replace('\r', "\n"), expected);
}

#[test]
fn what_is_kept_is_accepted() {
    check(
        b"MSH|^~\\&|HIS01|1319999999|GW|RCV|20240510101530.123||ADT^A08^ADT_A01|20240510000001|P|2.5||||||~ISO IR87\rPID|1\r",
        "MSH|^~\\&|GW|RCV|HIS01|1319999999|20260401090000||ACK^A08^ACK|7|P|2.5\nMSA|AA|20240510000001\n",
    );
}

#[test]
fn the_delimiters_are_the_senders() {
    check(
        b"MSH#*~\\&#A#B#C#D#1##OUL*R22#x^1#P#2.5\r",
        "MSH#*~\\&#C#D#A#B#20260401090000##ACK*R22*ACK#7#P#2.5\nMSA#AA#x^1\n",
    );
}

#[test]
fn an_answer_is_never_cut_by_delimiters_that_nobody_sent() {
    check(
        b"MSH\\MSH-2\\A\\B\\C\\D\\1\\\\OUL\\x\\P\\2.5\r",
        "MSH\\^~|&\\C\\D\\A\\B\\20260401090000\\\\ACK\\7\\P\\2.5\nMSA\\AA\\x\n",
    );
}

#[test]
fn what_is_not_of_production_is_rejected() {
    for processing in ["T", "D", "T^A"] {
        check(
            format!("MSH|^~\\&|A|B|C|D|1||ADT^A08|9|{processing}|2.5\r").as_bytes(),
            &format!(
                "MSH|^~\\&|C|D|A|B|20260401090000||ACK^A08^ACK|7|{processing}|2.5\n\
                 MSA|AR|9|Unsupported processing id\n\
                 ERR||MSH^1^11|202^Unsupported processing id^HL70357|E\n"
            ),
        );
    }
}

#[test]
fn what_is_no_v2_is_rejected() {
    check(
        b"MSH|^~\\&|A|B|C|D|1||ADT^A08|9|P|3.0\r",
        "MSH|^~\\&|C|D|A|B|20260401090000||ACK^A08^ACK|7|P|3.0\n\
         MSA|AR|9|Unsupported version id\nERR||MSH^1^12|203^Unsupported version id^HL70357|E\n",
    );
}

#[test]
fn without_a_control_id_there_is_nothing_to_answer() {
    let rejected =
        "MSA|AR||Required field missing\nERR||MSH^1^10|101^Required field missing^HL70357|E\n";
    check(
        b"MSH|^~\\&|A|B|C|D|1||ADT^A08||P|2.5\r",
        &format!("MSH|^~\\&|C|D|A|B|20260401090000||ACK^A08^ACK|7|P|2.5\n{rejected}"),
    );
    for junk in [b"".as_slice(), b"hello", b"\xff\xfe\x00", b"MSH", b"MSHA|x"] {
        check(
            junk,
            &format!("MSH|^~\\&|||||20260401090000||ACK|7|P|2.5\n{rejected}"),
        );
    }
}

#[test]
fn while_nothing_is_kept_it_is_an_error() {
    let header = header(b"MSH|^~\\&|A|B|C|D|1||ADT^A08|9|P|2.5\r");
    let ack = header.acknowledge(Some(Fault::NotKept), 7, AT);
    let text = String::from_utf8(ack).unwrap();
    assert!(text.ends_with(
        "MSA|AE|9|Application internal error\rERR|||207^Application internal error^HL70357|E\r"
    ));
}

#[test]
fn senders_of_earlier_versions_are_answered_in_their_own() {
    check(
        b"MSH|^~\\&|A|B|C|D|1||ADT^A08|9|P|2.3\r",
        "MSH|^~\\&|C|D|A|B|20260401090000||ACK|7|P|2.3\nMSA|AA|9\n",
    );
    check(
        b"MSH|^~\\&|A|B|C|D|1||ADT^A08|9|T|2.4\r",
        "MSH|^~\\&|C|D|A|B|20260401090000||ACK^A08^ACK|7|T|2.4\n\
         MSA|AR|9|Unsupported processing id\nERR|MSH^1^11^202&Unsupported processing id&HL70357\n",
    );
}

#[test]
fn junk_with_a_control_id_is_accepted_and_is_no_message() {
    let junk = header(b"queue 3\nMSH|^~\\&|A|B|C|D|1||ADT^A08|9|P|2.5\r");
    assert_eq!((junk.is_message(), junk.fault()), (false, None));
    assert_eq!(junk.control(), b"9");
}

#[test]
fn kanji_in_the_header_move_no_field_and_go_nowhere() {
    // Both character sets have kanji whose second byte is that of the separator.
    let iso = b"MSH|^~\\&|A|\x1b$B4|1!\x1b(B|C|D|1||ADT^A08|9|P|2.5\r";
    let sjis = b"MSH|^~\\&|A|\x83|\x95\x7c|C|D|1||ADT^A08|9|P|2.5\r";
    for message in [iso.as_slice(), sjis] {
        check(
            message,
            "MSH|^~\\&|C|D|A||20260401090000||ACK^A08^ACK|7|P|2.5\nMSA|AA|9\n",
        );
    }
    check(
        "MSH|^~\\&|A|あ|C|D|1||ADT^A08|9|P|2.5\r".as_bytes(),
        "MSH|^~\\&|C|D|A||20260401090000||ACK^A08^ACK|7|P|2.5\nMSA|AA|9\n",
    );
}

#[test]
fn a_header_that_does_not_end_costs_no_more_than_any_other() {
    let long = [
        b"MSH|^~\\&|A|B|C|D|1||ADT^A08|9|P|2.5|".as_slice(),
        &[b'|'; 1 << 20],
    ]
    .concat();
    let header = header(&long);
    assert_eq!(header.fields.len(), FIELDS);
    assert_eq!((header.control(), header.fault()), (b"9".as_slice(), None));
}

#[test]
fn messages_are_counted_by_the_events_of_the_storage() {
    let kind = |kind: &str| header(format!("MSH|^~\\&|||||||{kind}|9|P|2.5").as_bytes()).kind();
    assert_eq!(kind("OUL^R22^OUL_R22"), "OUL^R22");
    assert_eq!(kind("宮本^A08"), "other");
    assert_eq!(kind(""), "other");
}

proptest! {
    #[test]
    fn every_answer_is_a_short_message_of_ascii(bytes: Vec<u8>, msh: bool) {
        let bytes = if msh { [b"MSH|^~\\&|", bytes.as_slice()].concat() } else { bytes };
        let header = header(&bytes);
        let ack = header.acknowledge(header.fault(), i64::MAX, AT);
        prop_assert!(ack.is_ascii() && ack.len() < 2_048 && ack.starts_with(b"MSH"));
        prop_assert!(!ack.iter().any(|byte| byte.is_ascii_control() && *byte != b'\r'));
        prop_assert_eq!(&ack, &header.acknowledge(header.fault(), i64::MAX, AT));
    }
}
