//! Date parameters: a prefix and a date or time of any precision (FHIR R4 §3.1.1.5.6).

use model::time::{Instant, PartialDateTime};
use store::DateFilter;

/// Narrows bounds by `ge2024-05` and the like; a time without zone is of Japan.
pub(crate) fn narrow(filter: &mut DateFilter, value: &str) -> Option<()> {
    let is_prefix = value.bytes().take(2).all(|byte| byte.is_ascii_lowercase());
    let (prefix, text) = if is_prefix {
        value.split_at_checked(2)?
    } else {
        ("eq", value)
    };
    let (start, end) = span(text)?;
    let before = |instant: Instant| Instant(instant.0.saturating_sub(1));
    let after = |instant: Instant| Instant(instant.0.saturating_add(1));
    match prefix {
        "eq" => filter.within(start, end),
        "ne" => return filter.not_within(start, end).then_some(()),
        "ge" => filter.ends_from(start),
        "gt" => filter.ends_from(after(end)),
        "le" => filter.begins_by(end),
        "lt" => filter.begins_by(before(start)),
        "sa" => filter.begins_from(after(end)),
        "eb" => filter.ends_by(before(start)),
        _ => return None,
    }
    Some(())
}

/// First and last instant of a date or time. A `+` that was not escaped arrives as a blank.
pub(crate) fn span(text: &str) -> Option<(Instant, Instant)> {
    let text = text.replace(' ', "+");
    let Some((date, time)) = text.split_once('T') else {
        return whole(&text);
    };
    let at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(at)?;
    let zone = if zone.is_empty() { "+09:00" } else { zone };
    if clock.len() == 5 {
        let (start, _) = whole(&format!("{date}T{clock}:00{zone}"))?;
        return Some((start, Instant(start.0.saturating_add(60_000_000 - 1))));
    }
    whole(&format!("{date}T{clock}{zone}"))
}

fn whole(text: &str) -> Option<(Instant, Instant)> {
    let time: PartialDateTime = text.parse().ok()?;
    Some((time.start(), time.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, &str)>) {
        let shown = span(text).map(|(start, end)| (start.to_string(), end.to_string()));
        let expected =
            expected.map(|(start, end)| (format!("{start}+09:00"), format!("{end}+09:00")));
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn a_date_means_all_of_it() {
        check(
            "2024",
            Some(("2024-01-01T00:00:00.000", "2024-12-31T23:59:59.999")),
        );
        check(
            "2024-02",
            Some(("2024-02-01T00:00:00.000", "2024-02-29T23:59:59.999")),
        );
        check(
            "2024-05-10",
            Some(("2024-05-10T00:00:00.000", "2024-05-10T23:59:59.999")),
        );
        check(
            "2024-05-10T08:45",
            Some(("2024-05-10T08:45:00.000", "2024-05-10T08:45:59.999")),
        );
        check(
            "2024-05-10T08:45:30",
            Some(("2024-05-10T08:45:30.000", "2024-05-10T08:45:30.999")),
        );
    }

    #[test]
    fn every_prefix_sets_its_own_bound() {
        let filter = |value: &str| {
            let mut filter = DateFilter::default();
            narrow(&mut filter, value).map(|()| filter)
        };
        let start = Instant::start_of("2024-05-10".parse().unwrap());
        let end = Instant(start.0 + 86_400_000_000 - 1);
        let mut from_start = DateFilter::default();
        from_start.ends_from(start);
        assert_eq!(filter("ge2024-05-10"), Some(from_start));
        let mut from_next_day = DateFilter::default();
        from_next_day.ends_from(Instant(end.0 + 1));
        assert_eq!(filter("gt2024-05-10"), Some(from_next_day));
        let mut within = DateFilter::default();
        within.within(start, end);
        assert_eq!(filter("2024-05-10"), Some(within));
        assert_eq!(filter("eq2024-05-10"), Some(within));
    }

    #[test]
    fn zones_may_be_given_and_a_plus_may_be_a_blank() {
        check(
            "2024-05-10T00:00:00Z",
            Some(("2024-05-10T09:00:00.000", "2024-05-10T09:00:00.999")),
        );
        check(
            "2024-05-10T08:45:00 09:00",
            Some(("2024-05-10T08:45:00.000", "2024-05-10T08:45:00.999")),
        );
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "24",
            "2024-13",
            "2024-05-10T",
            "yesterday",
            "2024-05-10T25:00",
            "２０２４",
        ] {
            check(text, None);
        }
        assert!(narrow(&mut DateFilter::default(), "ap2024").is_none());
        assert!(narrow(&mut DateFilter::default(), "x2024").is_none());
    }
}
