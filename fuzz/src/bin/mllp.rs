//! MLLP: packets do not matter, no byte of a stream is counted twice, and each message in it can be
//! answered and named.

#![no_main]

use ingest::{Frame, Frames};
use libfuzzer_sys::fuzz_target;
use model::feed::Feed;
use model::time::Instant;
use normalize::hl7::ack::Header;
use normalize::ssmix::path::{FileName, parse};
use normalize::ssmix::pushed::name;
use normalize::{Subject, subject};

/// 2026-04-01T09:00:00+09:00
const AT: Instant = Instant(1_775_001_600_000_000);

fuzz_target!(|data: &[u8]| {
    let Some((choice, stream)) = fuzz::choice(data) else {
        return;
    };
    let most = if choice & 4 == 0 { 1 << 16 } else { 40 };
    let whole = cut(most, [stream]);
    assert!(whole == cut(most, stream.chunks(1)), "one byte a packet");
    let packets = stream.chunk_by(|byte, _| byte.count_ones() % 3 != 0);
    assert!(whole == cut(most, packets), "packets of several sizes");

    let (found, junk) = whole;
    let framed: usize = found.iter().map(|frame| length(frame, most)).sum();
    assert!(
        framed as u64 + junk <= stream.len() as u64,
        "a byte counted twice"
    );
    let feed = fuzz::feed(fuzz::fallback(choice));
    for frame in &found {
        let (Frame::Message(bytes) | Frame::TooLarge(bytes)) = frame;
        if matches!(frame, Frame::Message(_)) {
            let packet = [b"\x0b", bytes.as_slice(), b"\x1c\r"].concat();
            assert!(
                cut(most, [packet.as_slice()]) == (vec![frame.clone()], 0),
                "the same frame again"
            );
        }
        acknowledgement(bytes, &feed);
        named(bytes, &feed);
    }
});

/// The frames of a stream, and the junk between them.
fn cut<'a>(most: usize, packets: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, u64) {
    let mut frames = Frames::new(most);
    let mut found = Vec::new();
    for packet in packets {
        frames.push(packet, &mut found);
        assert!(
            frames.held() <= 2 * most.max(4096),
            "{} are held",
            frames.held()
        );
        assert!(frames.is_begun() || !frames.is_ending());
    }
    found.extend(frames.end());
    assert!(!frames.is_begun() && frames.held() == 0);
    (found, frames.take_junk())
}

/// Bytes of a frame, as far as they are known.
fn length(frame: &Frame, most: usize) -> usize {
    match frame {
        Frame::Message(bytes) => {
            assert!(bytes.len() <= most);
            bytes.len()
        }
        Frame::TooLarge(head) => {
            assert!(head.len() <= most);
            most + 1
        }
    }
}

/// An answer is a short message of ASCII that says what was asked and nothing else.
fn acknowledgement(bytes: &[u8], feed: &Feed) {
    let header = Header::read(bytes, feed.fallback);
    let fault = header.fault();
    let ack = header.acknowledge(fault, 7, AT);
    assert!(ack.is_ascii() && ack.len() < 2048);
    assert!(
        ack.iter()
            .all(|byte| !byte.is_ascii_control() || *byte == b'\r')
    );

    let answer = Header::read(&ack, feed.fallback);
    assert!(answer.is_message());
    assert_eq!(answer.control(), b"7");
    let separator = ack[3];
    let lines: Vec<Vec<&[u8]>> = ack
        .split(|byte| *byte == b'\r')
        .map(|line| line.split(|byte| *byte == separator).collect())
        .collect();
    let names: Vec<&[u8]> = lines.iter().map(|fields| fields[0]).collect();
    let expected: &[&[u8]] = match fault {
        None => &[b"MSH", b"MSA", b""],
        Some(_) => &[b"MSH", b"MSA", b"ERR", b""],
    };
    assert_eq!(names, expected);
    let told = fault.map_or("AA", |fault| fault.answer());
    assert_eq!(lines[1].get(1).copied(), Some(told.as_bytes()));
    assert_eq!(
        lines[1].get(2).copied().unwrap_or_default(),
        header.control()
    );
}

/// A message of a patient has the name that a storage would give it.
fn named(bytes: &[u8], feed: &Feed) {
    let file = name(bytes, feed, AT);
    assert!(file == name(bytes, feed, AT));
    if let Subject::Id(id) = subject(bytes, feed)
        && file.patient == id
    {
        let written = format!("{}_1", file.without_flag());
        let again = parse(&written).unwrap_or_else(|wrong| panic!("{} {written}", wrong.rule));
        // How it deviates is a matter of how it was written.
        let bare = FileName {
            deviations: Vec::new(),
            ..again
        };
        assert!(bare == file, "{written}");
    }
}
