use proptest::prelude::*;

use super::*;

const MOST: usize = 40;

/// Frames of a stream that came in one packet, as text, and the junk in it.
fn frames_of(packets: &[&[u8]]) -> (Vec<Frame>, u64) {
    let mut frames = Frames::new(MOST);
    let mut found = Vec::new();
    for packet in packets {
        frames.push(packet, &mut found);
    }
    found.extend(frames.end());
    (found, frames.take_junk())
}

#[track_caller]
fn check(stream: &[u8], expected: &[&str], junk: u64) {
    let (found, counted) = frames_of(&[stream]);
    let text = |frame: &Frame| match frame {
        Frame::Message(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Frame::TooLarge(head) => format!("too large: {}", String::from_utf8_lossy(head)),
    };
    let found: Vec<String> = found.iter().map(text).collect();
    assert_eq!(
        (found, counted),
        (
            expected.iter().map(|text| (*text).to_owned()).collect(),
            junk
        )
    );
}

#[test]
fn many_messages_in_one_packet() {
    check(b"\x0bMSH|a\x1c\r\x0bMSH|b\x1c\r", &["MSH|a", "MSH|b"], 0);
    check(
        b"\x0bMSH|a\x1c\r\r\n\x0bMSH|b\x1c\r\n",
        &["MSH|a", "MSH|b"],
        0,
    );
    check(b"\x0b\x1c\r", &[""], 0);
}

#[test]
fn bytes_outside_frames_are_counted_and_dropped() {
    check(
        b"hello\x0bMSH|a\x1c\rx\x0bMSH|b\x1c\ry",
        &["MSH|a", "MSH|b"],
        7,
    );
    check(b"MSH|no frame\x1c\r", &[], 13);
    check(b"\x0bMSH|cut off", &[], 11);
}

#[test]
fn a_frame_may_lack_its_last_byte() {
    check(
        b"\x0bMSH|a\x1c\x0bMSH|b\x1c\n\x0bMSH|c\x1c",
        &["MSH|a", "MSH|b", "MSH|c"],
        0,
    );
    let mut frames = Frames::new(MOST);
    let mut found = Vec::new();
    frames.push(b"\x0bMSH|a\x1c", &mut found);
    assert!(found.is_empty() && frames.is_ending());
    assert_eq!(frames.silence(), Some(Frame::Message(b"MSH|a".to_vec())));
    assert_eq!((frames.silence(), frames.is_begun()), (None, false));
}

#[test]
fn a_frame_that_its_sender_gave_up_does_not_swallow_the_next() {
    check(b"\x0bMSH|a\rPI\x0bMSH|b\x1c\r", &["MSH|b"], 9);
    check(b"\x0b\x0bMSH|b\x1c\r", &["MSH|b"], 1);
    check(b"\x0bM\x0bMS\x0bMSH|b\x1c\r", &["MSH|b"], 5);
}

#[test]
fn control_characters_inside_a_message_stay_there() {
    check(
        b"\x0bMSH|a\x0bb\x1cc\x0bMS\x1c\r",
        &["MSH|a\x0bb\x1cc\x0bMS"],
        0,
    );
}

#[test]
fn of_a_frame_that_is_too_large_only_the_head_is_kept() {
    let large = [
        b"\x0bMSH|".as_slice(),
        &[b'x'; 90],
        b"\x1c\r\x0bMSH|b\x1c\r",
    ]
    .concat();
    let head = format!("too large: MSH|{}", "x".repeat(MOST - 4));
    check(&large, &[&head, "MSH|b"], 0);
    let mut frames = Frames::new(1 << 20);
    let mut found = Vec::new();
    frames.push(b"\x0b", &mut found);
    for _ in 0..64 {
        frames.push(&[b'x'; 1 << 16], &mut found);
    }
    assert!(frames.held() <= 2 * HEAD, "{}", frames.held());
    frames.push(b"\x1c\r", &mut found);
    assert_eq!(found, [Frame::TooLarge(vec![b'x'; HEAD])]);
}

/// Streams of the bytes that matter, more often than chance has it.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(vec![VT]),
        Just(vec![FS]),
        Just(vec![FS, CR]),
        Just(vec![CR]),
        Just(b"MSH".to_vec()),
        Just(b"\x0bMSH|1\x1c\r".to_vec()),
        prop::collection::vec(any::<u8>(), 0..60),
        Just(b"MS".to_vec()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn packets_do_not_matter(stream in stream(), sizes in prop::collection::vec(1usize..9, 1..50)) {
        let mut packets = Vec::new();
        let (mut rest, mut sizes) = (stream.as_slice(), sizes.iter().cycle());
        while !rest.is_empty() {
            let (packet, behind) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
            packets.push(packet);
            rest = behind;
        }
        prop_assert_eq!(frames_of(&packets), frames_of(&[&stream]));
    }

    #[test]
    fn what_is_framed_comes_out(messages in prop::collection::vec("MSH[|a-z]{0,30}", 0..9)) {
        let stream: Vec<u8> = messages.iter().flat_map(|text| framed(text.as_bytes())).collect();
        let expected: Vec<Frame> =
            messages.into_iter().map(|text| Frame::Message(text.into_bytes())).collect();
        prop_assert_eq!(frames_of(&[&stream]), (expected, 0));
    }
}
