//! Neighbouring frames of a segment are read together: a request costs more than the bytes between
//! two frames.

use std::collections::BTreeMap;

use super::Place;
use crate::error::Error;

/// So many bytes that nobody asked for are read rather than asking twice.
const GAP: i64 = 64 * 1024;
/// No more is read at once, unless it is one frame.
const LONGEST: i64 = 8 * 1024 * 1024;

/// Bytes of a segment from `start` up to and without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) segment: i64,
    pub(super) start: i64,
    pub(super) end: i64,
}

/// Spans that hold all places, in their order, each byte once.
pub(super) fn spans(places: &[Place]) -> Vec<Span> {
    let mut places = places.to_vec();
    places.sort_unstable();
    let mut spans: Vec<Span> = Vec::new();
    for Place {
        segment,
        at,
        length,
    } in places
    {
        let end = at.saturating_add(length);
        match spans.last_mut() {
            Some(last)
                if last.segment == segment
                    && (at < last.end || at - last.end <= GAP && end - last.start <= LONGEST) =>
            {
                last.end = last.end.max(end);
            }
            _ => spans.push(Span {
                segment,
                start: at,
                end,
            }),
        }
    }
    spans
}

/// The bytes of spans.
#[derive(Default)]
pub(super) struct Fetched<B>(BTreeMap<(i64, i64), B>);

impl<B: AsRef<[u8]>> Fetched<B> {
    pub(super) fn add(&mut self, segment: i64, start: i64, bytes: B) {
        self.0.insert((segment, start), bytes);
    }

    /// The sealed frame of a place.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the segment is missing or ends before.
    pub(super) fn frame(&self, place: Place) -> Result<&[u8], Error> {
        let before = self.0.range(..=(place.segment, place.at)).next_back();
        let found = before.filter(|((segment, _), _)| *segment == place.segment);
        let frame = found.and_then(|((_, start), bytes)| {
            let from = usize::try_from(place.at - start).ok()?;
            let length = usize::try_from(place.length).ok()?;
            bytes.as_ref().get(from..from.checked_add(length)?)
        });
        frame.ok_or(Error::Corrupt("segment"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Places of segment 1 as (at, length), and the spans expected.
    fn check(places: &[(i64, i64)], expected: &[(i64, i64)]) {
        let place = |&(at, length): &(i64, i64)| Place {
            segment: 1,
            at,
            length,
        };
        let places: Vec<Place> = places.iter().map(place).collect();
        let found = spans(&places);
        let found: Vec<(i64, i64)> = found.iter().map(|span| (span.start, span.end)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn neighbours_are_one_span_in_whatever_order_they_are_asked_for() {
        check(&[(20, 10), (0, 10), (10, 10), (0, 10)], &[(0, 30)]);
    }

    #[test]
    fn a_small_gap_is_read_along_and_a_large_one_is_not() {
        check(&[(0, 10), (10 + GAP, 10)], &[(0, 20 + GAP)]);
        check(&[(0, 10), (11 + GAP, 10)], &[(0, 10), (11 + GAP, 21 + GAP)]);
    }

    #[test]
    fn no_span_grows_without_end() {
        let half = LONGEST / 2;
        check(
            &[(0, half), (half, half), (LONGEST, 10)],
            &[(0, LONGEST), (LONGEST, LONGEST + 10)],
        );
        check(&[(0, LONGEST * 2)], &[(0, LONGEST * 2)]);
    }

    #[test]
    fn frames_come_out_of_spans_and_missing_bytes_are_an_error() {
        let mut fetched = Fetched::default();
        fetched.add(1, 100, b"abcdef".to_vec());
        let frame = |segment, at, length| {
            let place = Place {
                segment,
                at,
                length,
            };
            fetched.frame(place).ok()
        };
        assert_eq!(frame(1, 102, 3), Some(b"cde".as_slice()));
        assert_eq!(frame(1, 102, 5), None);
        assert_eq!(frame(1, 99, 2), None);
        assert_eq!(frame(2, 102, 3), None);
    }
}
