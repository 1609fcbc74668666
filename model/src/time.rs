//! Times: instants of the machine, and the partial dates and times that hospitals write.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::text_form::stored_as_text;

/// Japan has no summer time today, and clinical times mean the clock on the wall: +09:00, always.
const JST_MINUTES: i16 = 9 * 60;

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instant(pub i64);

impl Instant {
    /// Before everything.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything; the open end of a period.
    pub const MAX: Self = Self(i64::MAX);

    /// This instant moved by a number of seconds, within the representable range.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// The day in Japan.
    pub fn day(self) -> Date {
        self.civil().date()
    }

    /// Date and time in Japan.
    pub fn civil(self) -> DateTime {
        jiff::Timestamp::from_microsecond(self.0)
            .map(|timestamp| Offset::constant(9).to_datetime(timestamp))
            .unwrap_or(if self.0 < 0 {
                DateTime::MIN
            } else {
                DateTime::MAX
            })
    }

    /// The first instant of a day in Japan.
    pub fn start_of(day: Date) -> Self {
        from_civil(day.to_datetime(Time::midnight()), JST_MINUTES)
    }
}

impl fmt::Display for Instant {
    /// FHIR `instant` with milliseconds and +09:00.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:.3}+09:00", self.civil())
    }
}

fn from_civil(civil: DateTime, offset_minutes: i16) -> Instant {
    Offset::from_seconds(i32::from(offset_minutes) * 60)
        .ok()
        .and_then(|offset| offset.to_timestamp(civil).ok())
        .map_or(Instant::MIN, |timestamp| {
            Instant(timestamp.as_microsecond())
        })
}

/// How much of a date and time was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// `YYYY`
    Year,
    /// `YYYY-MM`
    Month,
    /// `YYYY-MM-DD`
    Day,
    /// Date and time; seconds that were not sent are zero.
    Second,
    /// Date and time with a fraction of a second.
    Fraction,
}

/// A date or a date with time as a hospital wrote it, with its precision kept. Its text form, also
/// for storage, is FHIR `dateTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialDateTime {
    civil: DateTime,
    offset_minutes: i16,
    precision: Precision,
}

/// Why a text is not a FHIR `dateTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date or time")]
pub struct InvalidTime;

impl PartialDateTime {
    /// A year.
    pub fn year(year: i16) -> Result<Self, InvalidTime> {
        Self::from_date(year, 1, 1, Precision::Year)
    }

    /// A month of a year.
    pub fn month(year: i16, month: i8) -> Result<Self, InvalidTime> {
        Self::from_date(year, month, 1, Precision::Month)
    }

    /// A day.
    pub fn day(date: Date) -> Self {
        Self {
            civil: date.to_datetime(Time::midnight()),
            offset_minutes: JST_MINUTES,
            precision: Precision::Day,
        }
    }

    /// A day with a time of day; `offset_minutes` east of Greenwich, Japan when none was sent.
    pub fn at(civil: DateTime, offset_minutes: Option<i16>) -> Self {
        let precision = if civil.subsec_nanosecond() == 0 {
            Precision::Second
        } else {
            Precision::Fraction
        };
        Self {
            civil,
            offset_minutes: offset_minutes.unwrap_or(JST_MINUTES),
            precision,
        }
    }

    fn from_date(year: i16, month: i8, day: i8, precision: Precision) -> Result<Self, InvalidTime> {
        let date = Date::new(year, month, day).map_err(|_| InvalidTime)?;
        Ok(Self {
            precision,
            ..Self::day(date)
        })
    }

    /// How much was given.
    pub const fn precision(&self) -> Precision {
        self.precision
    }

    /// The day that was written.
    pub fn date(&self) -> Date {
        self.civil.date()
    }

    /// The first instant that is meant.
    pub fn start(&self) -> Instant {
        from_civil(self.civil, self.offset_minutes)
    }

    /// The last instant that is meant (a day means the whole day).
    pub fn end(&self) -> Instant {
        let first = self.civil.date();
        let next = match self.precision {
            Precision::Year => Date::new(first.year().saturating_add(1), 1, 1).ok(),
            Precision::Month => first.last_of_month().tomorrow().ok(),
            Precision::Day => first.tomorrow().ok(),
            Precision::Second => return Instant(self.start().0.saturating_add(999_999)),
            Precision::Fraction => return self.start(),
        };
        next.map_or(Instant::MAX, |date| {
            Instant(Instant::start_of(date).0.saturating_sub(1))
        })
    }
}

impl fmt::Display for PartialDateTime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(digits) = self.digits() {
            return out.write_str(digits.as_str());
        }
        let date = self.civil.date();
        match self.precision {
            Precision::Year => write!(out, "{:04}", date.year()),
            Precision::Month => write!(out, "{:04}-{:02}", date.year(), date.month()),
            Precision::Day => write!(out, "{date}"),
            Precision::Second | Precision::Fraction => {
                let sign = if self.offset_minutes < 0 { '-' } else { '+' };
                let minutes = self.offset_minutes.unsigned_abs();
                write!(
                    out,
                    "{}{sign}{:02}:{:02}",
                    self.civil,
                    minutes / 60,
                    minutes % 60
                )
            }
        }
    }
}

/// The text form of a time of the years 0 to 9999 without a fraction of a second. A shorter form is
/// the beginning of the longest.
struct Digits {
    longest: [u8; 25],
    length: usize,
}

impl Digits {
    fn as_str(&self) -> &str {
        let bytes = self.longest.get(..self.length).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl PartialDateTime {
    fn digits(&self) -> Option<Digits> {
        let length = match self.precision {
            Precision::Year => 4,
            Precision::Month => 7,
            Precision::Day => 10,
            Precision::Second => 25,
            Precision::Fraction => return None,
        };
        let year = u16::try_from(self.civil.year()).ok()?;
        // Hours have two digits; nowhere is further away than 14 of them.
        let zone = Some(self.offset_minutes.unsigned_abs()).filter(|zone| *zone < 100 * 60)?;
        let sign = if self.offset_minutes < 0 { b'-' } else { b'+' };
        let (date, clock) = (self.civil.date(), self.civil.time());
        let small = |number: i8| two(u16::from(number.unsigned_abs()));
        let ([y1, y2], [y3, y4]) = (two(year / 100), two(year % 100));
        let ([m1, m2], [d1, d2]) = (small(date.month()), small(date.day()));
        let ([h1, h2], [n1, n2]) = (small(clock.hour()), small(clock.minute()));
        let [s1, s2] = small(clock.second());
        let ([z1, z2], [z3, z4]) = (two(zone / 60), two(zone % 60));
        let longest = [
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2,
            sign, z1, z2, b':', z3, z4,
        ];
        Some(Digits { longest, length })
    }
}

/// The two digits of a number below 100.
fn two(number: u16) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit).unwrap_or_default())
}

impl FromStr for PartialDateTime {
    type Err = InvalidTime;

    fn from_str(text: &str) -> Result<Self, InvalidTime> {
        let number = |range: std::ops::Range<usize>| text.get(range).ok_or(InvalidTime);
        if !text.is_ascii() {
            return Err(InvalidTime);
        }
        let parse = |part: &str| part.parse::<i16>().map_err(|_| InvalidTime);
        match text.len() {
            4 => Self::year(parse(text)?),
            7 => Self::month(
                parse(number(0..4)?)?,
                i8::try_from(parse(number(5..7)?)?).map_err(|_| InvalidTime)?,
            ),
            10 => text.parse().map(Self::day).map_err(|_| InvalidTime),
            _ => {
                let (civil, offset) = match text.strip_suffix('Z') {
                    Some(civil) => (civil, 0),
                    None => {
                        let (civil, zone) = text
                            .split_at_checked(text.len().saturating_sub(6))
                            .ok_or(InvalidTime)?;
                        (civil, parse_offset(zone)?)
                    }
                };
                let civil = civil.parse().map_err(|_| InvalidTime)?;
                Ok(Self::at(civil, Some(offset)))
            }
        }
    }
}

/// `+09:00` in minutes.
fn parse_offset(zone: &str) -> Result<i16, InvalidTime> {
    let (sign, rest) = match zone.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(InvalidTime),
    };
    let (hours, minutes) = rest.split_once(':').ok_or(InvalidTime)?;
    let part = |text: &str| {
        text.parse::<i16>()
            .ok()
            .filter(|number| (0..60).contains(number))
    };
    match (part(hours), part(minutes)) {
        (Some(hours), Some(minutes)) if hours <= 14 => Ok(sign * (hours * 60 + minutes)),
        _ => Err(InvalidTime),
    }
}

stored_as_text!(PartialDateTime, |time, serializer| match time.digits() {
    Some(digits) => serializer.serialize_str(digits.as_str()),
    None => serializer.collect_str(time),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_come_back_with_their_precision() {
        for text in [
            "1958",
            "0000",
            "0042",
            "1958-03",
            "1958-03-14",
            "2024-05-10T08:45:00+09:00",
            "2024-05-10T08:45:00.123+09:00",
            "2024-05-10T08:45:00-03:30",
            "2024-05-10T08:45:00-00:30",
            "9999-12-31T23:59:59+14:00",
        ] {
            assert_eq!(text.parse::<PartialDateTime>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "19",
            "1958-13",
            "1958-02-30",
            "2024-05-10T25:00:00+09:00",
            "2024-05-10T08:45",
            "昭和33年",
        ] {
            assert!(text.parse::<PartialDateTime>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_lasts_until_its_last_microsecond_in_japan() {
        let day: PartialDateTime = "2024-05-10".parse().unwrap();
        let midnight: PartialDateTime = "2024-05-11T00:00:00+09:00".parse().unwrap();
        assert_eq!(day.end().0 + 1, midnight.start().0);
        assert_eq!(day.start().to_string(), "2024-05-10T00:00:00.000+09:00");
        assert_eq!(day.end().to_string(), "2024-05-10T23:59:59.999+09:00");
    }

    #[test]
    fn summer_time_of_1950_does_not_shift_clinical_times() {
        let time: PartialDateTime = "1950-07-01T12:00:00+09:00".parse().unwrap();
        assert_eq!(time.start().to_string(), "1950-07-01T12:00:00.000+09:00");
    }
}
