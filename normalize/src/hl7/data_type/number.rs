//! NM: plain decimal numbers, with the widths and separators of real senders.

use model::quantity::Decimal;

use super::only;
use crate::hl7::message::Field;
use crate::lint::{self, Findings};
use crate::text;

/// Reads a number; `None` with a finding when there is text that is none.
pub(crate) fn nm(field: &Field<'_>, findings: &mut Findings) -> Option<Decimal> {
    let text = only(field, findings)?;
    match decimal(&text) {
        Some((number, repaired)) => {
            if repaired {
                findings.add(lint::D2019, field.place());
            }
            Some(number)
        }
        None => {
            findings.add(lint::D2014, field.place());
            None
        }
    }
}

/// The number that a text means, and whether its spelling had to be repaired: full-width digits,
/// commas between thousands, blanks.
pub(crate) fn decimal(text: &str) -> Option<(Decimal, bool)> {
    if let Ok(number) = Decimal::parse(text) {
        return Some((number, false));
    }
    let narrow: String = text::half_width(text)
        .replace('−', "-")
        .split_whitespace()
        .collect();
    let number = Decimal::parse(&without_commas(&narrow)?).ok()?;
    Some((number, true))
}

/// Takes commas away where they part thousands, and only there.
fn without_commas(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let groups = whole.split(',').skip(1).all(|group| group.len() == 3);
    (groups && !fraction.contains(',')).then(|| text.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, bool)>) {
        let read = decimal(text);
        assert_eq!(
            read.as_ref()
                .map(|(number, repaired)| (number.as_str(), *repaired)),
            expected
        );
    }

    #[test]
    fn plain_numbers_are_not_repaired() {
        check("154.2", Some(("154.2", false)));
    }

    #[test]
    fn widths_commas_and_blanks_are_repaired() {
        check("１２．５", Some(("12.5", true)));
        check("1,234.5", Some(("1234.5", true)));
        check("－3", Some(("-3", true)));
        check(" 7 ", Some(("7", true)));
    }

    #[test]
    fn a_comma_elsewhere_is_no_number() {
        for text in ["1,5", "1,23", "0.1,234", "測定不能", ""] {
            check(text, None);
        }
    }
}
