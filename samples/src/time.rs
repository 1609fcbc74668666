//! Moments on the hospital's wall clock (Japan: +09:00, no summer time), in the digits of HL7.

use std::time::{Duration, SystemTime};

const DAY: i64 = 86_400_000;

/// A moment of local time, to the millisecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// Before every other moment.
    pub const MIN: Self = Self(i64::MIN);

    /// The beginning of a day of the Gregorian calendar.
    pub const fn day(year: i64, month: i64, day: i64) -> Self {
        // Days since 1970-03-01 by counting years from March, so that leap days come last.
        let (y, m) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let day_of_year = (153 * m + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self((era * 146_097 + day_of_era - 719_468) * DAY)
    }

    /// This moment's day at another time of day.
    #[must_use]
    pub const fn at(self, hour: i64, minute: i64) -> Self {
        Self(self.0 - self.0.rem_euclid(DAY) + (hour * 60 + minute) * 60_000)
    }

    /// So many days later (or earlier).
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0 + days * DAY)
    }

    /// So many minutes later (or earlier).
    #[must_use]
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        Self(self.0 + minutes * 60_000)
    }

    /// So many milliseconds later (or earlier).
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0 + millis)
    }

    /// Whole days between two moments.
    pub const fn days_until(self, later: Self) -> i64 {
        (later.0 - self.0) / DAY
    }

    /// Whole minutes between two moments.
    pub const fn minutes_until(self, later: Self) -> i64 {
        (later.0 - self.0) / 60_000
    }

    /// `YYYYMMDD`.
    pub fn date(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}{month:02}{day:02}")
    }

    /// `YYYYMMDDHHMM`.
    pub fn minute(self) -> String {
        let minutes = self.0.rem_euclid(DAY) / 60_000;
        format!("{}{:02}{:02}", self.date(), minutes / 60, minutes % 60)
    }

    /// `YYYYMMDDHHMMSS`.
    pub fn second(self) -> String {
        format!("{}{:02}", self.minute(), self.0.rem_euclid(60_000) / 1000)
    }

    /// `YYYYMMDDHHMMSSFFF`, the 発生日時 of a file name.
    pub fn stamp(self) -> String {
        format!("{}{:03}", self.second(), self.0.rem_euclid(1000))
    }

    /// `YYYY-MM-DD`.
    pub fn iso_date(self) -> String {
        let (year, month, day) = self.civil();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// FHIR `dateTime` to the minute; the seconds that were not sent are `:00`.
    pub fn iso_minute(self) -> String {
        let minutes = self.0.rem_euclid(DAY) / 60_000;
        format!(
            "{}T{:02}:{:02}:00+09:00",
            self.iso_date(),
            minutes / 60,
            minutes % 60
        )
    }

    /// FHIR `dateTime` to the second.
    pub fn iso_second(self) -> String {
        let seconds = self.0.rem_euclid(DAY) / 1000;
        format!(
            "{}T{:02}:{:02}:{:02}+09:00",
            self.iso_date(),
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        )
    }

    /// The same moment for a file's modification time.
    pub fn system_time(self) -> SystemTime {
        let since_epoch = u64::try_from(self.0 - 9 * 3_600_000).unwrap_or(0);
        SystemTime::UNIX_EPOCH + Duration::from_millis(since_epoch)
    }

    fn civil(self) -> (i64, i64, i64) {
        let days = self.0.div_euclid(DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let year = year_of_era + era * 400 + i64::from(month >= 10);
        (year, if month < 10 { month + 3 } else { month - 9 }, day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(moment: Moment, stamp: &str) {
        assert_eq!(moment.stamp(), stamp);
    }

    #[test]
    fn a_leap_day_is_counted() {
        check(Moment::day(2024, 2, 28).plus_days(1), "20240229000000000");
        check(Moment::day(2023, 2, 28).plus_days(1), "20230301000000000");
        check(Moment::day(1900, 2, 28).plus_days(1), "19000301000000000");
    }

    #[test]
    fn every_digit_has_its_place() {
        let moment = Moment::day(2024, 5, 10).at(8, 5).plus_millis(7_009);
        check(moment, "20240510080507009");
        assert_eq!(moment.iso_second(), "2024-05-10T08:05:07+09:00");
        assert_eq!(moment.iso_minute(), "2024-05-10T08:05:00+09:00");
    }

    #[test]
    fn a_file_time_is_universal_time() {
        let nine = Moment::day(1970, 1, 1).at(9, 0);
        assert_eq!(nine.system_time(), SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn days_follow_each_other_for_a_century() {
        let mut previous = Moment::day(1930, 1, 1).date();
        for n in 1..36_525 {
            let date = Moment::day(1930, 1, 1).plus_days(n).date();
            assert!(date > previous, "{date} after {previous}");
            previous = date;
        }
    }
}
