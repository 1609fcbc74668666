//! Durations and sizes as people write them.

use std::time::Duration;

use crate::network::Limit;

/// `P2Y`, `P999D`, `PT12H`, `P1DT30M` (ISO 8601), or `unlimited`.
pub(super) fn limit(text: &str) -> Option<Limit> {
    if text == "unlimited" {
        return Some(Limit::Unlimited);
    }
    // The library also reads other spellings; a regulation has one.
    let span: jiff::Span = text.starts_with('P').then(|| text.parse().ok()).flatten()?;
    let whole_seconds =
        span.get_milliseconds() == 0 && span.get_microseconds() == 0 && span.get_nanoseconds() == 0;
    if span.is_negative() || !whole_seconds {
        return None;
    }
    let months = i32::from(span.get_years())
        .checked_mul(12)?
        .checked_add(span.get_months())?;
    let days = span
        .get_weeks()
        .checked_mul(7)?
        .checked_add(span.get_days())?;
    let minutes = i64::from(span.get_hours())
        .checked_mul(60)?
        .checked_add(span.get_minutes())?;
    let seconds = minutes.checked_mul(60)?.checked_add(span.get_seconds())?;
    Some(Limit::Span {
        months,
        days,
        seconds,
    })
}

/// `2s`, `10m`, `6h`, `1d`, `500ms`.
pub(super) fn interval(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3_600),
        "d" => seconds(86_400),
        _ => None,
    }
}

/// `512KiB`, `16MiB`, `1GiB`: bytes.
pub(super) fn size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    match unit {
        "B" => Some(number),
        "KiB" => number.checked_mul(1 << 10),
        "MiB" => number.checked_mul(1 << 20),
        "GiB" => number.checked_mul(1 << 30),
        _ => None,
    }
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let (number, unit) =
        text.split_at_checked(text.find(|letter: char| !letter.is_ascii_digit())?)?;
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regulations_write_iso_8601() {
        let check = |text: &str, months, days, seconds| {
            assert_eq!(
                limit(text),
                Some(Limit::Span {
                    months,
                    days,
                    seconds
                }),
                "{text}"
            );
        };
        check("P2Y", 24, 0, 0);
        check("P1Y6M", 18, 0, 0);
        check("P999D", 0, 999, 0);
        check("P2W", 0, 14, 0);
        check("PT0S", 0, 0, 0);
        check("P1DT1H30M", 0, 1, 5_400);
        assert_eq!(limit("unlimited"), Some(Limit::Unlimited));
    }

    #[test]
    fn other_spellings_of_a_limit_are_refused() {
        for text in [
            "",
            "P",
            "2y",
            "2 years",
            "-P2Y",
            "P-2Y",
            "P2",
            "PT0.5S",
            "forever",
            "p2y",
            "P99999999999Y",
        ] {
            assert_eq!(limit(text), None, "{text}");
        }
    }

    #[test]
    fn intervals_and_sizes_have_units() {
        assert_eq!(interval("10m"), Some(Duration::from_secs(600)));
        assert_eq!(interval("2s"), Some(Duration::from_secs(2)));
        assert_eq!(interval("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(size("16MiB"), Some(16 << 20));
        for text in [
            "",
            "10",
            "m",
            "10 m",
            "10min",
            "-1s",
            "1.5h",
            "99999999999999999999s",
        ] {
            assert_eq!(interval(text), None, "{text}");
        }
        for text in ["16", "16MB", "16mib", "99999999999GiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
