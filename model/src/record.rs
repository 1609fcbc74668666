//! A record: one normalized fact. [`RecordMeta`] holds all that rules and queries look at, [`Body`]
//! the rest. Rules never look into a body; rendering never looks at rules.

use serde::{Deserialize, Serialize};

use crate::allergy::Allergy;
use crate::code::{Coding, Concept};
use crate::condition::{ClinicalStatus, Condition};
use crate::encounter::{Encounter, EncounterClass, EncounterEvent};
use crate::id::{FacilityId, PatientId, RecordId};
use crate::medication::{MedicationRequest, MedicationStatus};
use crate::observation::{Observation, ObservationCategory};
use crate::patient::Patient;
use crate::time::{Instant, PartialDateTime};

/// The 21 information categories that rights and consents speak of. Each is one bit of a
/// [`Categories`] mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the profile's own words")]
pub enum Category {
    Demographics,
    Encounter,
    Problem,
    Allergy,
    Prescription,
    Dispensing,
    Injection,
    Lab,
    Micro,
    Image,
    ImageReport,
    OtherReport,
    Summary,
    PhysicianNote,
    NursingNote,
    OtherProfNote,
    Flowsheet,
    ReferralDoc,
    Checkup,
    Handbook,
    SelfEntered,
}

impl Category {
    /// All of them, with the word that configuration files use.
    pub const ALL: [(Self, &'static str); 21] = [
        (Self::Demographics, "demographics"),
        (Self::Encounter, "encounter"),
        (Self::Problem, "problem"),
        (Self::Allergy, "allergy"),
        (Self::Prescription, "prescription"),
        (Self::Dispensing, "dispensing"),
        (Self::Injection, "injection"),
        (Self::Lab, "lab"),
        (Self::Micro, "micro"),
        (Self::Image, "image"),
        (Self::ImageReport, "image_report"),
        (Self::OtherReport, "other_report"),
        (Self::Summary, "summary"),
        (Self::PhysicianNote, "physician_note"),
        (Self::NursingNote, "nursing_note"),
        (Self::OtherProfNote, "other_prof_note"),
        (Self::Flowsheet, "flowsheet"),
        (Self::ReferralDoc, "referral_doc"),
        (Self::Checkup, "checkup"),
        (Self::Handbook, "handbook"),
        (Self::SelfEntered, "self_entered"),
    ];

    /// The category of a word, if it is one.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == word)
            .map(|(category, _)| *category)
    }

    /// The word of the category.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(category, _)| *category == self)
            .map_or("", |(_, name)| name)
    }

    /// The category as a mask of one bit.
    pub const fn bit(self) -> i64 {
        1 << self as u8
    }
}

/// A set of categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Categories(pub i64);

impl Categories {
    /// None.
    pub const NONE: Self = Self(0);
    /// All 21.
    pub const ALL: Self = Self((1 << 21) - 1);

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in one or the other.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the category is in the set.
    pub const fn contains(self, category: Category) -> bool {
        self.0 & category.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The categories of the set, in their fixed order.
    pub fn iter(self) -> impl Iterator<Item = Category> {
        Category::ALL
            .into_iter()
            .map(|(category, _)| category)
            .filter(move |category| self.contains(*category))
    }
}

impl FromIterator<Category> for Categories {
    fn from_iter<I: IntoIterator<Item = Category>>(categories: I) -> Self {
        categories
            .into_iter()
            .fold(Self::NONE, |set, category| Self(set.0 | category.bit()))
    }
}

/// How delicate a record is. A grant opens up to a limit.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// 通常
    #[default]
    Normal = 0,
    /// 制限 (PRB-25 V, R, HIV, PSY)
    Restricted = 1,
    /// 未告知: not yet told to the patient
    Untold = 2,
}

/// What kind of fact; one kind is one FHIR resource type, or one that is never served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "FHIR resource types")]
pub enum Kind {
    Patient = 1,
    Encounter = 2,
    Condition = 3,
    AllergyIntolerance = 4,
    MedicationRequest = 5,
    Observation = 6,
    /// An inpatient event before joining; stored, never served.
    EncounterEvent = 7,
    /// An allergy as one item states it, before joining; stored, never served.
    AllergyStatement = 8,
}

/// When a fact was true of the patient. A fact without a date sorts by its item's version time but
/// answers no search by date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Occurred {
    /// First instant; the sort key.
    pub from: Instant,
    /// Last instant; [`Instant::MAX`] while it lasts, before `from` when the fact has no date.
    pub to: Instant,
}

impl Occurred {
    /// A fact with a date.
    pub fn at(time: PartialDateTime) -> Self {
        Self {
            from: time.start(),
            to: time.end(),
        }
    }

    /// A fact that begins with one time and ends with another, or lasts.
    pub fn between(start: PartialDateTime, end: Option<PartialDateTime>) -> Self {
        Self {
            from: start.start(),
            to: end.map_or(Instant::MAX, |end| end.end()),
        }
    }

    /// A fact without a date.
    pub const fn undated(version: Instant) -> Self {
        Self {
            from: version,
            to: Instant::MIN,
        }
    }

    /// Whether the fact has a date.
    pub fn is_dated(&self) -> bool {
        self.to >= self.from
    }
}

/// All that rules and queries look at.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordMeta {
    /// The facility that stated the fact.
    pub facility: FacilityId,
    /// Kind of fact.
    pub kind: Kind,
    /// Information category.
    pub category: Category,
    /// How delicate.
    pub sensitivity: Sensitivity,
    /// When.
    pub occurred: Occurred,
    /// What identifies the fact at the facility; unlinkable once keyed.
    pub source_key: String,
}

/// A normalized fact.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// What rules and queries look at.
    pub meta: RecordMeta,
    /// The rest.
    pub body: Body,
}

/// A record as a reader gets it: with its public names, and only what this reader may see.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadRecord {
    /// Public id.
    pub id: RecordId,
    /// Whose.
    pub patient: PatientId,
    /// What rules and queries look at; the source key is empty.
    pub meta: RecordMeta,
    /// The rest.
    pub body: Body,
    /// When it became visible to this reader.
    pub last_updated: Instant,
    /// Grows with each version.
    pub version: i64,
    /// Whether only superseded files of the source remain (SS-MIX2 flag 2): in transition.
    pub superseded_only: bool,
    /// Keyed digest of the message it came from.
    pub source: String,
}

/// The content of a record. Closed on purpose: adding a kind makes the compiler list every place
/// that must speak.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "one variant per kind")]
pub enum Body {
    Patient(Box<Patient>),
    Encounter(Box<Encounter>),
    Condition(Box<Condition>),
    Allergy(Box<Allergy>),
    Medication(Box<MedicationRequest>),
    Observation(Box<Observation>),
    Event(Box<EncounterEvent>),
}

/// Search facets: a small word per kind, one bit a value, so that a filter is one `&`.
pub mod facet {
    /// Demographics taken from an order.
    pub const FROM_ORDER: i64 = 1;
    /// Encounter class.
    pub const AMBULATORY: i64 = 1;
    /// Encounter class.
    pub const INPATIENT: i64 = 1 << 1;
    /// Condition clinical status.
    pub const ACTIVE: i64 = 1;
    /// Condition clinical status.
    pub const INACTIVE: i64 = 1 << 1;
    /// Condition clinical status.
    pub const RESOLVED: i64 = 1 << 2;
    /// Condition without a clinical status (entered in error).
    pub const NO_STATUS: i64 = 1 << 3;
    /// Allergy category.
    pub const FOOD: i64 = 1;
    /// Allergy category.
    pub const MEDICATION: i64 = 1 << 1;
    /// Allergy category.
    pub const ENVIRONMENT: i64 = 1 << 2;
    /// Allergy category.
    pub const BIOLOGIC: i64 = 1 << 3;
    /// Medication status.
    pub const REQUEST_ACTIVE: i64 = 1;
    /// Medication status.
    pub const REQUEST_ON_HOLD: i64 = 1 << 1;
    /// Medication status.
    pub const REQUEST_CANCELLED: i64 = 1 << 2;
    /// Medication status.
    pub const REQUEST_STOPPED: i64 = 1 << 3;
    /// Medication category.
    pub const OUTPATIENT_ORDER: i64 = 1 << 4;
    /// Medication category.
    pub const INPATIENT_ORDER: i64 = 1 << 5;
    /// Observation category.
    pub const LABORATORY: i64 = 1;
    /// Observation category.
    pub const BODY_MEASUREMENT: i64 = 1 << 1;
    /// Observation category.
    pub const EXAM: i64 = 1 << 2;
}

impl Body {
    /// The facets of [`facet`] that hold of this body.
    pub fn facets(&self) -> i64 {
        match self {
            Self::Patient(patient) => i64::from(patient.from_order) * facet::FROM_ORDER,
            Self::Event(_) => 0,
            Self::Encounter(encounter) => match encounter.class {
                EncounterClass::Ambulatory => facet::AMBULATORY,
                EncounterClass::Inpatient => facet::INPATIENT,
            },
            Self::Condition(condition) => match condition.clinical {
                _ if condition.verification
                    == crate::condition::VerificationStatus::EnteredInError =>
                {
                    facet::NO_STATUS
                }
                ClinicalStatus::Active => facet::ACTIVE,
                ClinicalStatus::Inactive => facet::INACTIVE,
                ClinicalStatus::Resolved => facet::RESOLVED,
            },
            Self::Allergy(allergy) => match allergy.kind.as_ref().and_then(Concept::first_code) {
                Some("DA") => facet::MEDICATION,
                Some("FA") => facet::FOOD,
                Some("EA" | "PA" | "LA") => facet::ENVIRONMENT,
                Some("AA") => facet::BIOLOGIC,
                _ => 0,
            },
            Self::Medication(request) => medication_facets(request),
            Self::Observation(observation) => match observation.category {
                ObservationCategory::Laboratory => facet::LABORATORY,
                ObservationCategory::BodyMeasurement => facet::BODY_MEASUREMENT,
                ObservationCategory::Exam => facet::EXAM,
            },
        }
    }

    /// The facets of a diagnosis that its facility's current list no longer has: one that was active
    /// is inactive.
    pub fn facets_when_absent(&self) -> i64 {
        match self.facets() {
            facet::ACTIVE => facet::INACTIVE,
            other => other,
        }
    }

    /// The codings that a search by `code` finds this body by, most important first.
    pub fn search_codes(&self) -> Vec<&Coding> {
        match self {
            Self::Condition(condition) => condition.code.codings.iter().collect(),
            Self::Medication(request) => {
                let mixed = request
                    .ingredients
                    .iter()
                    .flat_map(|part| part.drug.codings.iter());
                if request.ingredients.is_empty() {
                    request.drug.codings.iter().collect()
                } else {
                    mixed.collect()
                }
            }
            Self::Observation(observation) => observation.code.codings.iter().collect(),
            Self::Patient(_) | Self::Encounter(_) | Self::Allergy(_) | Self::Event(_) => Vec::new(),
        }
    }
}

fn medication_facets(request: &MedicationRequest) -> i64 {
    let status = match request.status {
        MedicationStatus::Active => facet::REQUEST_ACTIVE,
        MedicationStatus::OnHold => facet::REQUEST_ON_HOLD,
        MedicationStatus::Cancelled => facet::REQUEST_CANCELLED,
        MedicationStatus::Stopped => facet::REQUEST_STOPPED,
    };
    let setting = match request.order.setting.as_ref().and_then(Concept::first_code) {
        Some("O" | "0") => facet::OUTPATIENT_ORDER,
        Some("I") => facet::INPATIENT_ORDER,
        _ => 0,
    };
    status | setting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_its_own_bit_and_word() {
        let mask = Category::ALL.iter().fold(0, |mask, (category, name)| {
            assert_eq!(Category::named(name), Some(*category));
            assert_eq!(mask & category.bit(), 0);
            mask | category.bit()
        });
        assert_eq!(Categories(mask), Categories::ALL);
    }

    #[test]
    fn an_undated_fact_overlaps_no_period() {
        let undated = Occurred::undated(Instant(5));
        assert!(!undated.is_dated());
        assert!(Occurred::at("2024-05-10".parse().unwrap()).is_dated());
    }
}
