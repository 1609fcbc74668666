//! Numbers as they were sent: no digit is lost and none is added.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::Concept;
use crate::text_form::stored_as_text;

/// A decimal number in the digits that were sent (`1.0` stays `1.0`).
#[derive(Clone, PartialEq, Eq)]
pub struct Decimal(String);

/// Why a text is not a plain decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a plain decimal number")]
pub struct NotDecimal;

impl Decimal {
    /// Reads `-?digits[.digits]` or `.digits` (HL7 v2.5 NM: no exponent). A leading `+` is dropped,
    /// a missing zero before the point and superfluous leading zeros are repaired, because JSON
    /// numbers cannot be written otherwise.
    pub fn parse(text: &str) -> Result<Self, NotDecimal> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => ("-", rest),
            None => ("", text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits
            .split_once('.')
            .map_or((digits, None), |(w, f)| (w, Some(f)));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let nothing = whole.is_empty() && fraction.is_none_or(str::is_empty);
        if nothing || !all_digits(whole) || !fraction.is_none_or(all_digits) {
            return Err(NotDecimal);
        }
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            significant => significant,
        };
        let mut number = String::with_capacity(text.len() + 1);
        number.push_str(sign);
        number.push_str(whole);
        if let Some(fraction) = fraction.filter(|fraction| !fraction.is_empty()) {
            number.push('.');
            number.push_str(fraction);
        }
        Ok(Self(number))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Decimal {
    type Err = NotDecimal;

    fn from_str(text: &str) -> Result<Self, NotDecimal> {
        Self::parse(text)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

stored_as_text!(Decimal, |number, serializer| serializer
    .serialize_str(&number.0));

/// FHIR `Quantity.comparator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparator {
    /// `<`
    #[serde(rename = "<")]
    Less,
    /// `<=`
    #[serde(rename = "<=")]
    LessOrEqual,
    /// `>=`
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// `>`
    #[serde(rename = ">")]
    Greater,
}

/// A number with its unit.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantity {
    /// The number.
    #[serde(rename = "v")]
    pub value: Decimal,
    /// Set when the true value lies beyond `value`.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub comparator: Option<Comparator>,
    /// The unit as sent.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Concept>,
}

/// A range; either end may be open.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<Quantity>,
    /// Upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<Quantity>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(input: &str, expected: Option<&str>) {
        assert_eq!(
            Decimal::parse(input).ok().as_ref().map(Decimal::as_str),
            expected,
            "{input}"
        );
    }

    #[test]
    fn digits_stay_as_sent() {
        check("1.0", Some("1.0"));
        check("15.00", Some("15.00"));
        check("-0.5", Some("-0.5"));
        check("0", Some("0"));
    }

    #[test]
    fn forms_that_json_cannot_write_are_repaired() {
        check(".5", Some("0.5"));
        check("007", Some("7"));
        check("+3", Some("3"));
        check("3.", Some("3"));
    }

    #[test]
    fn what_is_not_plain_is_refused() {
        for text in [
            "",
            ".",
            "-",
            "1e3",
            "1,000",
            "１",
            "測定不能",
            "1.2.3",
            " 1",
        ] {
            check(text, None);
        }
    }
}
