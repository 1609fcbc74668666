//! Numbers in laboratory texts: plain ones, compared ones such as `< 0.02`, and ranges.

use model::code::Concept;
use model::observation::ReferenceRange;
use model::quantity::{Comparator, Decimal, Quantity, Range};

use crate::hl7::segment::decimal;
use crate::text;

/// Signs that stand before a number. A sign behind it (`0.02<`) may mean either direction, so such
/// a text stays text.
const SIGNS: [(&str, Comparator); 12] = [
    ("<=", Comparator::LessOrEqual),
    ("=<", Comparator::LessOrEqual),
    ("≦", Comparator::LessOrEqual),
    ("≤", Comparator::LessOrEqual),
    (">=", Comparator::GreaterOrEqual),
    ("=>", Comparator::GreaterOrEqual),
    ("≧", Comparator::GreaterOrEqual),
    ("≥", Comparator::GreaterOrEqual),
    ("<", Comparator::Less),
    ("〈", Comparator::Less),
    (">", Comparator::Greater),
    ("〉", Comparator::Greater),
];

/// The sign that a comparator is written with, if the text is one.
pub(crate) fn comparator(sign: &str) -> Option<Comparator> {
    let sign = text::half_width(sign);
    let sign = sign.trim();
    SIGNS
        .iter()
        .find(|(written, _)| *written == sign)
        .map(|(_, comparator)| *comparator)
}

/// A plain number, in the widths and with the commas of real senders, but of one piece.
pub(crate) fn plain(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.contains(char::is_whitespace) {
        None
    } else {
        decimal(text).map(|(number, _)| number)
    }
}

/// A number behind a comparing sign.
pub(crate) fn compared(text: &str) -> Option<(Comparator, Decimal)> {
    let text = text::half_width(text);
    let text = text.trim();
    let (rest, comparator) = SIGNS
        .iter()
        .find_map(|(sign, comparator)| Some((text.strip_prefix(sign)?, *comparator)))?;
    Some((comparator, plain(rest)?))
}

/// What is normal (OBX-7): the text, and its limits where the whole text is one plain range or
/// one limit.
pub(crate) fn reference_range(text: &str, unit: Option<&Concept>) -> ReferenceRange {
    let quantity = |value| Quantity {
        value,
        comparator: None,
        unit: unit.cloned(),
    };
    let (low, high) = limits(text);
    let limits = (low.is_some() || high.is_some()).then(|| Range {
        low: low.map(quantity),
        high: high.map(quantity),
    });
    ReferenceRange {
        text: text.trim().to_owned(),
        limits,
    }
}

fn limits(text: &str) -> (Option<Decimal>, Option<Decimal>) {
    if let Some((comparator, limit)) = compared(text).or_else(|| worded(text)) {
        return match comparator {
            Comparator::Less | Comparator::LessOrEqual => (None, Some(limit)),
            Comparator::Greater | Comparator::GreaterOrEqual => (Some(limit), None),
        };
    }
    match between(text) {
        Some((low, high)) => (Some(low), Some(high)),
        None => (None, None),
    }
}

/// `10以上`, `5.0以下`, `0.15未満`, `3超`.
fn worded(text: &str) -> Option<(Comparator, Decimal)> {
    const WORDS: [(&str, Comparator); 4] = [
        ("以下", Comparator::LessOrEqual),
        ("以上", Comparator::GreaterOrEqual),
        ("未満", Comparator::Less),
        ("超", Comparator::Greater),
    ];
    let text = text.trim();
    let (number, comparator) = WORDS
        .iter()
        .find_map(|(word, comparator)| Some((text.strip_suffix(word)?, *comparator)))?;
    Some((comparator, plain(number)?))
}

/// `6.5-8.2`, also with the wave dashes and minus signs that character sets turn a hyphen into.
pub(crate) fn between(text: &str) -> Option<(Decimal, Decimal)> {
    let text = text::half_width(text);
    let dash =
        |(_, character): &(usize, char)| matches!(character, '-' | '~' | '〜' | '‐' | '–' | '−');
    // A dash at the very start is the sign of the first number.
    let (at, sign) = text.trim_start().char_indices().skip(1).find(dash)?;
    let (low, high) = text.trim_start().split_at_checked(at)?;
    let (low, high) = (plain(low)?, plain(high.strip_prefix(sign)?)?);
    is_ascending(&low, &high).then_some((low, high))
}

fn is_ascending(low: &Decimal, high: &Decimal) -> bool {
    let number = |decimal: &Decimal| decimal.as_str().parse::<f64>();
    matches!((number(low), number(high)), (Ok(low), Ok(high)) if low <= high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let sign = |comparator| match comparator {
            Comparator::Less => "<",
            Comparator::LessOrEqual => "<=",
            Comparator::Greater => ">",
            Comparator::GreaterOrEqual => ">=",
        };
        let found = match (plain(text), compared(text)) {
            (Some(number), _) => number.as_str().to_owned(),
            (None, Some((comparator, number))) => {
                format!("{}{}", sign(comparator), number.as_str())
            }
            (None, None) => "text".to_owned(),
        };
        assert_eq!(found, expected, "{text}");
    }

    fn check_range(text: &str, expected: Option<(&str, &str)>) {
        let limits = reference_range(text, None).limits;
        let end =
            |end: Option<Quantity>| end.map_or(String::new(), |end| end.value.as_str().to_owned());
        let found = limits.map(|limits| (end(limits.low), end(limits.high)));
        assert_eq!(
            found,
            expected.map(|(low, high)| (low.to_owned(), high.to_owned())),
            "{text}"
        );
    }

    #[test]
    fn plain_numbers() {
        check("7.2", "7.2");
        check(" 15.00 ", "15.00");
        check("１２．３", "12.3");
        check("－０．５", "-0.5");
        check("−0.5", "-0.5");
        check("1,234", "1234");
        check("12,345,678.9", "12345678.9");
    }

    #[test]
    fn compared_numbers() {
        check("< 0.02", "<0.02");
        check("＜０．０２", "<0.02");
        check(">=100", ">=100");
        check("=>100", ">=100");
        check("≦5", "<=5");
        check("> 1,000", ">1000");
    }

    #[test]
    fn anything_else_stays_text() {
        for text in [
            "測定不能",
            "  -",
            " 3 +",
            "(-)",
            "2.3(±)",
            "0.02<",
            "1:320",
            "1-4",
            "1,23",
            "1.3E+2",
            "< 少",
            "",
            "<",
        ] {
            check(text, "text");
        }
    }

    #[test]
    fn ranges_are_numbers_only_where_the_text_is_plain() {
        check_range("13-30", Some(("13", "30")));
        check_range("6.70-8.3", Some(("6.70", "8.3")));
        check_range(" 6.6 ～ 8.1 ", Some(("6.6", "8.1")));
        check_range("3.5〜5.0", Some(("3.5", "5.0")));
        check_range("-2.0-2.0", Some(("-2.0", "2.0")));
        check_range("-5--1", Some(("-5", "-1")));
        check_range("<0.15", Some(("", "0.15")));
        check_range(">10", Some(("10", "")));
        check_range("１０以下", Some(("", "10")));
        check_range("40以上", Some(("40", "")));
        for text in [
            "(-)",
            "M:13.7-16.8 F:11.6-14.8",
            "8-3",
            "陰性",
            "-",
            "",
            "1-2-3",
        ] {
            check_range(text, None);
        }
    }
}
