//! A search for a person: what it says about them, and whether that is enough.

use model::time::{PartialDateTime, Precision};
use store::{PatientQuery, Token};

use super::token::token;
use crate::error::Error;
use crate::fhir::resources::Meaning;
use crate::fhir::system;

/// So many parts of a description fit one query of the store.
const PARTS: usize = 6;

/// A description of a person; each part is one value.
#[derive(Default)]
pub(crate) struct Person {
    parts: Vec<Part>,
}

enum Part {
    Identifier { system: String, value: String },
    Name(Meaning, String),
    BirthDate(String),
    Gender(String),
}

impl Person {
    /// Takes one part. Alternatives cannot be asked for: a person is described, not listed.
    pub(super) fn take(&mut self, meaning: Meaning, value: &str) -> Option<()> {
        if value.contains(',') || self.parts.len() >= PARTS {
            return None;
        }
        self.parts.push(match meaning {
            Meaning::Identifier => {
                let token = token(value);
                Part::Identifier {
                    system: token.system.filter(|system| !system.is_empty())?,
                    value: token.code,
                }
            }
            Meaning::BirthDate => Part::BirthDate(birth_date(value)?),
            Meaning::Gender => Part::Gender(gender(value)?),
            _ => Part::Name(meaning, value.to_owned()),
        });
        Some(())
    }

    /// Refuses a description that would find too many people.
    pub(crate) fn suffices(&self) -> Result<(), Error> {
        let said = |wanted: fn(&Part) -> bool| usize::from(self.parts.iter().any(wanted));
        let identifier = said(|part| matches!(part, Part::Identifier { .. }));
        let traits = said(|part| matches!(part, Part::Name(..)))
            + said(|part| matches!(part, Part::BirthDate(_)))
            + said(|part| matches!(part, Part::Gender(_)));
        if identifier > 0 || traits > 1 {
            return Ok(());
        }
        Err(Error::TooFewCriteria(
            "a search for a patient needs _id, identifier, or two of name, birthdate and gender",
        ))
    }

    /// The patients' ids of the network that the description names as identifiers.
    pub(crate) fn network_ids(&self, patient_system: &str) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(move |part| match part {
            Part::Identifier { system, value } if system == patient_system => Some(value.as_str()),
            _ => None,
        })
    }

    /// The rest as the store looks for it, the most telling part first; nothing when some part
    /// cannot be of anybody.
    pub(crate) fn query(
        &self,
        patient_system: &str,
        fold: fn(&str) -> String,
    ) -> Option<PatientQuery> {
        let mut tokens = Vec::new();
        for part in &self.parts {
            match part {
                Part::Identifier { system, .. } if system == patient_system => {}
                Part::Identifier { system, value } => {
                    let facility = system::patient_facility(system)?;
                    tokens.push((0, Token::Identifier(facility.to_string(), value.clone())));
                }
                Part::BirthDate(date) => tokens.push((1, Token::BirthDate(date.clone()))),
                Part::Name(meaning, text) => tokens.extend(name_tokens(*meaning, text, fold)),
                Part::Gender(code) => tokens.push((3, Token::Gender(code.clone()))),
            }
        }
        tokens.sort_by_key(|(rank, _)| *rank);
        (tokens.len() <= PARTS).then(|| PatientQuery {
            tokens: tokens.into_iter().map(|(_, token)| token).collect(),
            ..PatientQuery::default()
        })
    }
}

/// A name may be given as one text with blanks between its parts.
fn name_tokens(meaning: Meaning, text: &str, fold: fn(&str) -> String) -> Vec<(u8, Token)> {
    let make = match meaning {
        Meaning::Family => Token::Family,
        Meaning::Given => Token::Given,
        _ => Token::Name,
    };
    text.split_whitespace()
        .map(|part| (2, make(fold(part))))
        .collect()
}

/// A whole date, compared for equality only.
fn birth_date(value: &str) -> Option<String> {
    let date: PartialDateTime = value.strip_prefix("eq").unwrap_or(value).parse().ok()?;
    (date.precision() == Precision::Day).then(|| date.to_string())
}

fn gender(value: &str) -> Option<String> {
    let token = token(value);
    let known = ["male", "female", "other", "unknown"]
        .into_iter()
        .find(|code| token.is(system::GENDER, code));
    known.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: &str = "urn:example:patient";

    fn person(parts: &[(Meaning, &str)]) -> Person {
        let mut person = Person::default();
        for (meaning, value) in parts {
            person.take(*meaning, value).unwrap();
        }
        person
    }

    fn check(parts: &[(Meaning, &str)], enough: bool) {
        assert_eq!(person(parts).suffices().is_ok(), enough);
    }

    #[test]
    fn a_name_alone_is_not_enough() {
        check(&[], false);
        check(&[(Meaning::Name, "見本")], false);
        check(
            &[(Meaning::Family, "見本"), (Meaning::Given, "花子")],
            false,
        );
        check(
            &[(Meaning::Name, "見本"), (Meaning::Gender, "female")],
            true,
        );
        check(
            &[
                (Meaning::BirthDate, "1948-04-15"),
                (Meaning::Gender, "female"),
            ],
            true,
        );
        check(
            &[(
                Meaning::Identifier,
                "urn:oid:1.2.392.100495.20.3.51.11319999901|0000123456",
            )],
            true,
        );
    }

    #[test]
    fn a_description_that_cannot_be_looked_up_is_refused() {
        let refused = |meaning, value| Person::default().take(meaning, value).is_none();
        assert!(refused(Meaning::BirthDate, "1948"));
        assert!(refused(Meaning::BirthDate, "ge1948-04-15"));
        assert!(refused(Meaning::Gender, "woman"));
        assert!(refused(Meaning::Identifier, "0000123456"));
        assert!(refused(Meaning::Name, "見本,宮本"));
    }

    #[test]
    fn the_most_telling_part_is_looked_up_first() {
        let asked = [
            (Meaning::Gender, "female"),
            (Meaning::Name, "見本 花子"),
            (Meaning::BirthDate, "1948-04-15"),
        ];
        let query = person(&asked).query(NETWORK, str::to_owned).unwrap();
        assert!(matches!(query.tokens.first(), Some(Token::BirthDate(_))));
        assert!(matches!(query.tokens.last(), Some(Token::Gender(_))));
        assert_eq!(query.tokens.len(), 4);
    }

    #[test]
    fn a_number_of_an_unknown_system_is_nobodys() {
        let unknown = person(&[(Meaning::Identifier, "urn:other|1")]);
        assert!(unknown.query(NETWORK, str::to_owned).is_none());
        let of_network = person(&[(Meaning::Identifier, "urn:example:patient|abc")]);
        assert_eq!(of_network.network_ids(NETWORK).collect::<Vec<_>>(), ["abc"]);
    }
}
