//! By what a patient is found: blind tokens are made of these texts.

use std::collections::BTreeSet;

use model::id::FacilityId;
use model::patient::Patient;
use model::person::{PersonName, Sex};
use normalize::text::fold;
use store::Token;

/// Names are found whole and by their first 2, 3 or 4 characters.
const PREFIXES: std::ops::RangeInclusive<usize> = 2..=4;

/// The tokens of a facility's statement about a patient.
pub(crate) fn of(facility: &FacilityId, patient: &Patient) -> Vec<Token> {
    let mut tokens = vec![Token::Identifier(
        facility.to_string(),
        patient.local_id.clone(),
    )];
    tokens.extend(
        patient
            .birth_date
            .map(|date| Token::BirthDate(date.to_string())),
    );
    tokens.extend(patient.sex.map(|sex| Token::Gender(gender(sex).to_owned())));
    for name in &patient.names {
        tokens.extend(of_name(name));
    }
    tokens
}

const fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Other => "other",
        Sex::Unknown => "unknown",
    }
}

fn of_name(name: &PersonName) -> Vec<Token> {
    let forms = |text: Option<&str>| text.map(forms_of).unwrap_or_default();
    let family = forms(name.family.as_deref());
    let given = forms(name.given.as_deref());
    let whole = forms_of(&name.text);
    let any: BTreeSet<&String> = family.iter().chain(&given).chain(&whole).collect();
    let mut tokens: Vec<Token> = any
        .into_iter()
        .map(|text| Token::Name(text.clone()))
        .collect();
    tokens.extend(family.iter().map(|text| Token::Family(text.clone())));
    tokens.extend(given.iter().map(|text| Token::Given(text.clone())));
    tokens
}

/// A folded name and its beginnings.
fn forms_of(text: &str) -> Vec<String> {
    let folded = fold(text);
    let length = folded.chars().count();
    let beginning = |size: usize| folded.chars().take(size).collect::<String>();
    PREFIXES
        .filter(|size| *size < length)
        .map(beginning)
        .chain((length > 0).then(|| folded.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_whole_and_by_its_beginnings() {
        assert_eq!(forms_of("ミヤモト"), ["ミヤ", "ミヤモ", "ミヤモト"]);
        assert_eq!(forms_of("髙"), ["高"]);
        assert!(forms_of("").is_empty());
    }
}
