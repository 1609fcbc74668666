//! The resource table: what is served, under which profiles, opened by which categories, found by
//! which parameters. Routes, CapabilityStatement and the trial of all routes follow from it.

use model::record::{Categories, Category, Kind, facet};

use store::Sort;

use super::system::{
    ACT_CODE, ALLERGY_CATEGORY, CONDITION_CLINICAL, CONSENT_STATUS, OBSERVATION_CATEGORY,
    ORDER_SETTING, REQUEST_STATUS,
};

/// A resource type of the face.
pub struct Resource {
    /// FHIR resource type.
    pub name: &'static str,
    /// JP Core profiles its instances conform to.
    pub profiles: &'static [&'static str],
    /// Where instances come from.
    pub found: Found,
    /// The categories any of which opens the type; a role with none of them is refused.
    pub opened_by: Categories,
    /// Search parameters; none when the type is read only by id.
    pub search: &'static [Parameter],
}

/// Where the instances of a type come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The patients whom the reader may know.
    Patients,
    /// Records of a kind, of one patient.
    Records(Kind),
    /// The facility register.
    Register,
    /// The reader's own reach into one patient's data.
    Reach,
    /// Any record, by the id of the record.
    Targets,
}

/// A search parameter.
pub struct Parameter {
    /// Name, as in a query.
    pub name: &'static str,
    /// FHIR search parameter type.
    pub kind: &'static str,
    /// What it means here.
    pub meaning: Meaning,
}

/// What a search parameter means.
#[derive(Clone, Copy)]
#[expect(missing_docs, reason = "the names are those of the parameters")]
pub enum Meaning {
    Id,
    Updated,
    Count,
    Sort,
    Include,
    RevInclude,
    Patient,
    Date,
    Code,
    /// One of a closed set of values.
    Facet(&'static [FacetValue]),
    Identifier,
    Name,
    Family,
    Given,
    BirthDate,
    Gender,
}

/// A value of a closed set.
pub struct FacetValue {
    /// Its FHIR code system.
    pub system: &'static str,
    /// Its code.
    pub code: &'static str,
    /// The facet of records that have it.
    pub bit: i64,
    /// The categories of records that can have it.
    pub categories: Categories,
}

/// Facets of [`Found::Reach`], which is no record.
pub(crate) const REACH_ACTIVE: i64 = 1;
pub(crate) const REACH_INACTIVE: i64 = 1 << 1;

const fn of(categories: &[Category]) -> Categories {
    let mut set = Categories::NONE;
    let mut rest = categories;
    while let [first, others @ ..] = rest {
        set = set.or(Categories(first.bit()));
        rest = others;
    }
    set
}

const fn value(
    system: &'static str,
    code: &'static str,
    bit: i64,
    categories: &[Category],
) -> FacetValue {
    FacetValue {
        system,
        code,
        bit,
        categories: of(categories),
    }
}

const fn parameter(name: &'static str, kind: &'static str, meaning: Meaning) -> Parameter {
    Parameter {
        name,
        kind,
        meaning,
    }
}

const ID: Parameter = parameter("_id", "token", Meaning::Id);
const UPDATED: Parameter = parameter("_lastUpdated", "date", Meaning::Updated);
const PATIENT: Parameter = parameter("patient", "reference", Meaning::Patient);
const ORDERS: &[Category] = &[Category::Prescription, Category::Injection];
const LAB: &[Category] = &[Category::Lab, Category::Micro];
const MEASURED: &[Category] = &[Category::Demographics];

/// Everything that is served.
pub static RESOURCES: [Resource; 9] = [
    Resource {
        name: "Patient",
        profiles: &["JP_Patient"],
        found: Found::Patients,
        opened_by: of(&[Category::Demographics]),
        search: &[
            ID,
            UPDATED,
            parameter("identifier", "token", Meaning::Identifier),
            parameter("name", "string", Meaning::Name),
            parameter("family", "string", Meaning::Family),
            parameter("given", "string", Meaning::Given),
            parameter("birthdate", "date", Meaning::BirthDate),
            parameter("gender", "token", Meaning::Gender),
        ],
    },
    Resource {
        name: "Organization",
        profiles: &["JP_Organization"],
        found: Found::Register,
        opened_by: Categories::ALL,
        search: &[ID],
    },
    Resource {
        name: "Encounter",
        profiles: &["JP_Encounter"],
        found: Found::Records(Kind::Encounter),
        opened_by: of(&[Category::Encounter]),
        search: &[
            ID,
            UPDATED,
            PATIENT,
            parameter("date", "date", Meaning::Date),
            parameter(
                "class",
                "token",
                Meaning::Facet(&[
                    value(ACT_CODE, "AMB", facet::AMBULATORY, &[Category::Encounter]),
                    value(ACT_CODE, "IMP", facet::INPATIENT, &[Category::Encounter]),
                ]),
            ),
        ],
    },
    Resource {
        name: "Condition",
        profiles: &["JP_Condition"],
        found: Found::Records(Kind::Condition),
        opened_by: of(&[Category::Problem]),
        search: &[
            ID,
            UPDATED,
            PATIENT,
            parameter("code", "token", Meaning::Code),
            parameter(
                "clinical-status",
                "token",
                Meaning::Facet(&[
                    value(
                        CONDITION_CLINICAL,
                        "active",
                        facet::ACTIVE,
                        &[Category::Problem],
                    ),
                    value(
                        CONDITION_CLINICAL,
                        "inactive",
                        facet::INACTIVE,
                        &[Category::Problem],
                    ),
                    value(
                        CONDITION_CLINICAL,
                        "resolved",
                        facet::RESOLVED,
                        &[Category::Problem],
                    ),
                ]),
            ),
        ],
    },
    Resource {
        name: "AllergyIntolerance",
        profiles: &["JP_AllergyIntolerance"],
        found: Found::Records(Kind::AllergyIntolerance),
        opened_by: of(&[Category::Allergy]),
        search: &[
            ID,
            UPDATED,
            PATIENT,
            parameter(
                "category",
                "token",
                Meaning::Facet(&[
                    value(ALLERGY_CATEGORY, "food", facet::FOOD, &[Category::Allergy]),
                    value(
                        ALLERGY_CATEGORY,
                        "medication",
                        facet::MEDICATION,
                        &[Category::Allergy],
                    ),
                    value(
                        ALLERGY_CATEGORY,
                        "environment",
                        facet::ENVIRONMENT,
                        &[Category::Allergy],
                    ),
                    value(
                        ALLERGY_CATEGORY,
                        "biologic",
                        facet::BIOLOGIC,
                        &[Category::Allergy],
                    ),
                ]),
            ),
        ],
    },
    Resource {
        name: "MedicationRequest",
        profiles: &["JP_MedicationRequest", "JP_MedicationRequest_Injection"],
        found: Found::Records(Kind::MedicationRequest),
        opened_by: of(ORDERS),
        search: &[
            ID,
            UPDATED,
            PATIENT,
            parameter("authoredon", "date", Meaning::Date),
            parameter("code", "token", Meaning::Code),
            parameter(
                "status",
                "token",
                Meaning::Facet(&[
                    value(REQUEST_STATUS, "active", facet::REQUEST_ACTIVE, ORDERS),
                    value(REQUEST_STATUS, "on-hold", facet::REQUEST_ON_HOLD, ORDERS),
                    value(
                        REQUEST_STATUS,
                        "cancelled",
                        facet::REQUEST_CANCELLED,
                        ORDERS,
                    ),
                    value(REQUEST_STATUS, "stopped", facet::REQUEST_STOPPED, ORDERS),
                ]),
            ),
            parameter(
                "category",
                "token",
                Meaning::Facet(&[
                    value(ORDER_SETTING, "O", facet::OUTPATIENT_ORDER, ORDERS),
                    value(ORDER_SETTING, "I", facet::INPATIENT_ORDER, ORDERS),
                ]),
            ),
        ],
    },
    Resource {
        name: "Observation",
        profiles: &[
            "JP_Observation_LabResult",
            "JP_Observation_BodyMeasurement",
            "JP_Observation_Common",
        ],
        found: Found::Records(Kind::Observation),
        opened_by: of(&[Category::Lab, Category::Micro, Category::Demographics]),
        search: &[
            ID,
            UPDATED,
            PATIENT,
            parameter("date", "date", Meaning::Date),
            parameter("code", "token", Meaning::Code),
            parameter(
                "category",
                "token",
                Meaning::Facet(&[
                    value(OBSERVATION_CATEGORY, "laboratory", facet::LABORATORY, LAB),
                    value(
                        OBSERVATION_CATEGORY,
                        "body-measurement",
                        facet::BODY_MEASUREMENT,
                        MEASURED,
                    ),
                    value(OBSERVATION_CATEGORY, "exam", facet::EXAM, MEASURED),
                ]),
            ),
        ],
    },
    Resource {
        name: "Consent",
        profiles: &["JP_Consent"],
        found: Found::Reach,
        opened_by: Categories::ALL,
        search: &[
            ID,
            UPDATED,
            PATIENT,
            parameter(
                "status",
                "token",
                Meaning::Facet(&[
                    FacetValue {
                        system: CONSENT_STATUS,
                        code: "active",
                        bit: REACH_ACTIVE,
                        categories: Categories::ALL,
                    },
                    FacetValue {
                        system: CONSENT_STATUS,
                        code: "inactive",
                        bit: REACH_INACTIVE,
                        categories: Categories::ALL,
                    },
                ]),
            ),
        ],
    },
    Resource {
        name: "Provenance",
        profiles: &[],
        found: Found::Targets,
        opened_by: Categories::ALL,
        search: &[],
    },
];

impl Resource {
    /// The kind of its records.
    pub(crate) const fn kind(&self) -> Option<Kind> {
        match self.found {
            Found::Records(kind) => Some(kind),
            _ => None,
        }
    }

    /// Whether a search must name one patient, who can then be included.
    pub fn needs_patient(&self) -> bool {
        matches!(self.found, Found::Records(_) | Found::Reach)
    }

    /// Whether the provenance of its instances can be included.
    pub fn has_provenance(&self) -> bool {
        matches!(self.found, Found::Records(_) | Found::Patients)
    }

    /// Whether results can be put into an order.
    pub(crate) fn sorts(&self, sort: Sort) -> bool {
        match self.found {
            Found::Records(_) => true,
            // A person has no date, and a reach holds for a period.
            Found::Patients | Found::Reach => {
                matches!(sort, Sort::UpdatedAscending | Sort::UpdatedDescending)
            }
            Found::Register | Found::Targets => false,
        }
    }

    /// Whether its instances know when they were last changed.
    pub(crate) fn is_updated(&self) -> bool {
        self.found != Found::Register
    }
}
