//! TS and DTM: dates and times of any precision, with the notations of Japanese wards.

use std::borrow::Cow;

use jiff::ToSpan;
use jiff::civil::{Date, Time};
use model::time::PartialDateTime;

use super::only;
use crate::hl7::message::Field;
use crate::lint::{self, Findings};
use crate::text;

/// Reads a date or time; `None` with a finding when there is text that is none (`00000000`,
/// `99999999`).
pub(crate) fn ts(field: &Field<'_>, findings: &mut Findings) -> Option<PartialDateTime> {
    let text = only(field, findings)?;
    match moment(&text) {
        Some((time, repaired)) => {
            if repaired {
                findings.add(lint::D2019, field.place());
            }
            Some(time)
        }
        None => {
            findings.add(lint::D2014, field.place());
            None
        }
    }
}

/// The date or time that a text means, and whether its notation had to be repaired: full-width
/// digits, blanks, slashes, hours from 24 to 47 of the night before, milliseconds without a dot.
pub(crate) fn moment(text: &str) -> Option<(PartialDateTime, bool)> {
    let digits = bare(text);
    let (number, zone) = match digits.find(['+', '-']) {
        Some(at) => (digits.get(..at)?, Some(zone(digits.get(at..)?)?)),
        None => (digits.as_ref(), None),
    };
    let (number, fraction) = match (number.split_once('.'), number.len()) {
        (Some((number, fraction)), _) => (number, fraction),
        (None, 17) => number.split_at_checked(14)?,
        (None, _) => (number, ""),
    };
    let odd = digits != text || (!fraction.is_empty() && !text.contains('.'));
    let (time, late) = build(number, fraction, zone)?;
    Some((time, odd || late))
}

/// Digits, fraction and zone without what people put between them.
fn bare(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(text);
    }
    let text = text::half_width(text);
    let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
    let between =
        |char: char| char.is_whitespace() || matches!(char, '/' | ':') || (dashes && char == 'T');
    let mut seen = 0;
    text.chars()
        .filter(|char| {
            seen += usize::from(*char == '-');
            !(between(*char) || dashes && *char == '-' && seen <= 2)
        })
        .collect()
}

/// `+0900` in minutes.
fn zone(text: &str) -> Option<i16> {
    let (sign, digits) = text.split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    let hours = number(hours, 2)?;
    let minutes = number(minutes, 2)?;
    let total = i16::from(hours) * 60 + i16::from(minutes);
    (hours <= 14 && minutes < 60).then_some(if sign == "-" { -total } else { total })
}

fn number(text: &str, length: usize) -> Option<i8> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Puts a time together; also says whether its hour belonged to the next day.
fn build(digits: &str, fraction: &str, zone: Option<i16>) -> Option<(PartialDateTime, bool)> {
    let two = |at: usize| digits.get(at..at + 2).and_then(|part| number(part, 2));
    if !digits.bytes().all(|byte| byte.is_ascii_digit())
        || (!fraction.is_empty() && digits.len() != 14)
    {
        return None;
    }
    let year: i16 = digits
        .get(..4)?
        .parse()
        .ok()
        .filter(|year| (1..9999).contains(year))?;
    let day = || Date::new(year, two(4)?, two(6)?).ok();
    let precise = match digits.len() {
        4 => PartialDateTime::year(year).ok()?,
        6 => PartialDateTime::month(year, two(4)?).ok()?,
        8 => PartialDateTime::day(day()?),
        10 | 12 | 14 => {
            return at(
                day()?,
                [two(8)?, two(10).unwrap_or(0), two(12).unwrap_or(0)],
                fraction,
                zone,
            );
        }
        _ => return None,
    };
    // A zone moves no date.
    Some((precise, zone.is_some()))
}

fn at(
    day: Date,
    clock: [i8; 3],
    fraction: &str,
    zone: Option<i16>,
) -> Option<(PartialDateTime, bool)> {
    let [hour, minute, second] = clock;
    let late = (24..48).contains(&hour);
    let day = if late {
        day.checked_add(1.day()).ok()?
    } else {
        day
    };
    let time = Time::new(
        hour - if late { 24 } else { 0 },
        minute,
        second,
        nanoseconds(fraction)?,
    )
    .ok()?;
    Some((PartialDateTime::at(day.to_datetime(time), zone), late))
}

/// At most six digits: finer than any clock that stamps messages.
fn nanoseconds(fraction: &str) -> Option<i32> {
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let missing = u32::try_from(9 - fraction.len()).ok()?;
    let number: i32 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().ok()?
    };
    Some(number * 10_i32.pow(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, repaired: bool) {
        let (time, was_repaired) = moment(text).unwrap();
        assert_eq!(
            (time.to_string().as_str(), was_repaired),
            (expected, repaired)
        );
    }

    #[test]
    fn precision_is_what_was_sent() {
        check("1958", "1958", false);
        check("195803", "1958-03", false);
        check("19580314", "1958-03-14", false);
        check("2024051318", "2024-05-13T18:00:00+09:00", false);
        check("202405100845", "2024-05-10T08:45:00+09:00", false);
        check("20240510084501.123", "2024-05-10T08:45:01.123+09:00", false);
        check("20240510084501-0330", "2024-05-10T08:45:01-03:30", false);
    }

    #[test]
    fn notations_of_senders_are_repaired() {
        check("20080203163012345", "2008-02-03T16:30:12.345+09:00", true);
        check("2024/05/10", "2024-05-10", true);
        check("2024-05-10", "2024-05-10", true);
        check("2024/05/10 08:45", "2024-05-10T08:45:00+09:00", true);
        check("２０２４０５１０", "2024-05-10", true);
        check("2024 0510", "2024-05-10", true);
    }

    #[test]
    fn the_night_of_a_ward_belongs_to_the_next_day() {
        check("202405312530", "2024-06-01T01:30:00+09:00", true);
        check("2024051024", "2024-05-11T00:00:00+09:00", true);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "0",
            "00000000",
            "99999999",
            "20240230",
            "2024051048",
            "昭和33年",
            "202405",
            "2024051",
        ] {
            assert!(text == "202405" || moment(text).is_none(), "{text}");
        }
        for text in [
            "20240510084560",
            "2024051008:45:01.1234567",
            "20240510+09",
            "2024051.5",
            "+0900",
        ] {
            assert!(moment(text).is_none(), "{text}");
        }
    }
}
