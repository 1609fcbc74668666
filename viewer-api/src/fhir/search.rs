//! Searches: from the pairs of a query to what is asked, by the parameters that the resource table
//! offers and no others. Values of a request never reach an error text.

pub(crate) mod date;
pub(crate) mod person;
pub(crate) mod token;

use model::id::RecordId;
use model::record::{Categories, Kind};
use store::{RecordQuery, Sort};

use self::person::Person;
use super::resources::{FacetValue, Found, Meaning, Parameter, Resource};
use crate::error::Error;

const DEFAULT_COUNT: u32 = 50;
const MAX_COUNT: u32 = 200;

/// Parameters of every search that say how to answer, not what to find.
const RESULT: [Parameter; 4] = [
    Parameter {
        name: "_count",
        kind: "number",
        meaning: Meaning::Count,
    },
    Parameter {
        name: "_sort",
        kind: "string",
        meaning: Meaning::Sort,
    },
    Parameter {
        name: "_include",
        kind: "string",
        meaning: Meaning::Include,
    },
    Parameter {
        name: "_revinclude",
        kind: "string",
        meaning: Meaning::RevInclude,
    },
];

/// Parameters that concern the exchange and are read before the search.
const EXCHANGE: [&str; 3] = ["_format", "_pretty", "_cursor"];

/// Parameters that would make the result smaller in a way that is not offered; ignoring them would
/// answer another question than was asked.
const REFUSED: [&str; 3] = ["_has", "_filter", "_query"];

/// Parameters that would need a time of change, refused where there is none to look at.
const OF_CHANGE: [&str; 2] = ["_lastUpdated", "_sort"];

/// A facet that no record has, for a search that can find nothing.
const NOTHING: i64 = 1 << 62;

/// Names and values of a query.
pub(crate) type Pairs = Vec<(String, String)>;

/// What a search asks.
pub(crate) struct Search {
    /// The parameters that were used, as given.
    pub(crate) used: Pairs,
    /// The patient it names; a text that is no id names nobody.
    pub(crate) patient: Option<String>,
    /// `_id`, as texts.
    pub(crate) ids: Option<Vec<String>>,
    /// What is asked about records.
    pub(crate) records: RecordQuery,
    /// Which categories the search can find at most.
    pub(crate) asked: Categories,
    pub(crate) includes_patient: bool,
    pub(crate) includes_provenance: bool,
    /// What is asked about a person.
    pub(crate) person: Person,
}

impl Search {
    fn of(resource: &Resource) -> Self {
        let kind = if let Found::Records(kind) = resource.found {
            kind
        } else {
            Kind::Patient
        };
        Self {
            used: Vec::new(),
            patient: None,
            ids: None,
            records: RecordQuery {
                limit: DEFAULT_COUNT,
                ..RecordQuery::new(kind)
            },
            asked: resource.opened_by,
            includes_patient: false,
            includes_provenance: false,
            person: Person::default(),
        }
    }

    /// Reads the pairs of a query. What is not offered is ignored, unless the client asks to be
    /// `strict` (FHIR R4 §3.1.1.3.1).
    pub(crate) fn parse(
        resource: &Resource,
        pairs: &[(String, String)],
        strict: bool,
    ) -> Result<Self, Error> {
        let mut search = Self::of(resource);
        for (key, value) in pairs {
            let (name, modifier) = key
                .split_once(':')
                .map_or((key.as_str(), None), |(name, rest)| (name, Some(rest)));
            let unknowable = !resource.is_updated() && OF_CHANGE.contains(&name);
            if unknowable || REFUSED.contains(&name) {
                return Err(Error::Unsupported(format!("{name} is not offered")));
            }
            if EXCHANGE.contains(&name) || value.is_empty() {
                continue;
            }
            let Some(parameter) = RESULT
                .iter()
                .chain(resource.search)
                .find(|known| known.name == name)
            else {
                if strict {
                    return Err(Error::Unsupported("a parameter is not offered".to_owned()));
                }
                continue;
            };
            if modifier.is_some() {
                return Err(Error::Unsupported(format!(
                    "{} is offered without modifiers",
                    parameter.name
                )));
            }
            search.take(resource, parameter, value)?;
        }
        search.bound()
    }

    /// Puts the named ids into the query and refuses what does not fit it.
    fn bound(mut self) -> Result<Self, Error> {
        if let Some(ids) = &self.ids {
            self.records.ids = ids
                .iter()
                .filter_map(|id| id.parse::<RecordId>().ok())
                .collect();
            if self.records.ids.is_empty() {
                self.records.facets.push(NOTHING);
            }
        }
        if self.records.fits() {
            Ok(self)
        } else {
            Err(Error::Invalid("too many alternatives".to_owned()))
        }
    }

    fn take(
        &mut self,
        resource: &Resource,
        parameter: &Parameter,
        value: &str,
    ) -> Result<(), Error> {
        let unusable = || Error::Invalid(format!("the value of {} cannot be used", parameter.name));
        match parameter.meaning {
            Meaning::Patient => self.name_patient(value).ok_or_else(unusable)?,
            Meaning::Id => self.narrow_ids(value),
            Meaning::Date => {
                date::narrow(&mut self.records.occurred, value).ok_or_else(unusable)?;
            }
            Meaning::Updated => {
                date::narrow(&mut self.records.updated, value).ok_or_else(unusable)?;
            }
            Meaning::Code => self.name_codes(value).ok_or_else(unusable)?,
            Meaning::Facet(known) => self.narrow_facets(known, value),
            Meaning::Count => {
                self.records.limit = value.parse::<u32>().map_err(|_| unusable())?.min(MAX_COUNT);
            }
            Meaning::Sort => {
                let offered = sort(value).filter(|sort| resource.sorts(*sort));
                self.records.sort = offered.ok_or_else(unusable)?;
            }
            Meaning::Include if resource.needs_patient() => {
                self.includes_patient = includes(resource, value).ok_or_else(unusable)?;
            }
            Meaning::RevInclude if resource.has_provenance() => {
                self.includes_provenance = (value == "Provenance:target")
                    .then_some(true)
                    .ok_or_else(unusable)?;
            }
            Meaning::Include | Meaning::RevInclude => return Ok(()),
            Meaning::Identifier
            | Meaning::Name
            | Meaning::Family
            | Meaning::Given
            | Meaning::BirthDate
            | Meaning::Gender => {
                self.person
                    .take(parameter.meaning, value)
                    .ok_or_else(unusable)?;
            }
        }
        let echoed = if matches!(parameter.meaning, Meaning::Count) {
            self.records.limit.to_string()
        } else {
            value.to_owned()
        };
        self.used.push((parameter.name.to_owned(), echoed));
        Ok(())
    }

    /// Takes `Patient/id`, `id` or an address ending in either; one patient only.
    fn name_patient(&mut self, value: &str) -> Option<()> {
        let id = value.rsplit('/').next().unwrap_or_default().to_owned();
        let is_same = self.patient.as_ref().is_none_or(|known| *known == id);
        (is_same && !value.contains(',')).then(|| self.patient = Some(id))
    }

    fn narrow_ids(&mut self, value: &str) {
        let named: Vec<String> = value.split(',').map(str::to_owned).collect();
        let both = |known: Vec<String>| known.into_iter().filter(|id| named.contains(id)).collect();
        self.ids = Some(self.ids.take().map_or_else(|| named.clone(), both));
    }

    /// Alternatives only: one text of the query holds one list of codes.
    fn name_codes(&mut self, value: &str) -> Option<()> {
        let codes = token::codes(value)?;
        self.records
            .codes
            .is_empty()
            .then(|| self.records.codes = codes)
    }

    /// Values that a resource does not know find nothing, but do not widen the search.
    fn narrow_facets(&mut self, known: &[FacetValue], value: &str) {
        let meant = |text: &str| {
            known
                .iter()
                .filter(|one| token::token(text).is(one.system, one.code))
                .collect::<Vec<_>>()
        };
        let meant: Vec<&FacetValue> = value.split(',').flat_map(meant).collect();
        let mask = meant.iter().fold(0, |mask, one| mask | one.bit);
        self.records
            .facets
            .push(if mask == 0 { NOTHING } else { mask });
        let opened = meant
            .iter()
            .fold(Categories::NONE, |all, one| all.or(one.categories));
        if !opened.is_empty() {
            self.asked = self.asked.and(opened);
        }
    }

    /// The used parameters as a query.
    pub(crate) fn query(&self) -> String {
        let pair =
            |(name, value): &(String, String)| format!("{name}={}", super::url::encode(value));
        self.used.iter().map(pair).collect::<Vec<_>>().join("&")
    }
}

fn sort(value: &str) -> Option<Sort> {
    match value {
        "-date" => Some(Sort::DateDescending),
        "date" => Some(Sort::DateAscending),
        "-_lastUpdated" => Some(Sort::UpdatedDescending),
        "_lastUpdated" => Some(Sort::UpdatedAscending),
        _ => None,
    }
}

/// `Type:patient`, `Type:patient:Patient` or `*:patient`.
fn includes(resource: &Resource, value: &str) -> Option<bool> {
    let (kind, rest) = value.split_once(':')?;
    let is_patient = rest == "patient" || rest == "patient:Patient";
    ((kind == "*" || kind == resource.name) && is_patient).then_some(true)
}

#[cfg(test)]
mod tests;
