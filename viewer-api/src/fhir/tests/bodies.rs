//! Bodies of every kind: the emptiest, the fullest, and one for each value of each closed set.

mod allergy;
mod condition;
mod encounter;
mod medication;
mod observation;
mod person;

use std::collections::BTreeMap;

use model::allergy::Allergy;
use model::code::{CodeSystem, Coding, Concept};
use model::condition::Condition;
use model::encounter::Encounter;
use model::id::{FacilityId, PatientId, RecordId};
use model::medication::MedicationRequest;
use model::network::{Facility, Network, Profile};
use model::observation::Observation;
use model::patient::Patient;
use model::person::Staff;
use model::quantity::{Decimal, Quantity};
use model::record::{Body, Category, Kind, Occurred, ReadRecord, RecordMeta, Sensitivity};
use model::time::{Instant, PartialDateTime};

pub(crate) use allergy::*;
pub(crate) use condition::*;
pub(crate) use encounter::*;
pub(crate) use medication::*;
pub(crate) use observation::*;
pub(crate) use person::*;

use crate::fhir::Rendering;

pub(crate) const PATIENT: PatientId = PatientId([7; 16]);

pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn time(text: &str) -> Option<PartialDateTime> {
    Some(text.parse().unwrap())
}

pub(crate) fn facility() -> FacilityId {
    "1319999901".parse().unwrap()
}

pub(crate) fn coded(system: CodeSystem, code: &str, display: &str) -> Concept {
    let coding = Coding {
        system: Some(system),
        code: code.to_owned(),
        display: text(display),
    };
    Concept {
        codings: vec![coding],
        text: None,
    }
}

pub(crate) fn hl7(table: u16, code: &str) -> Option<Concept> {
    Some(coded(CodeSystem::Hl7Table(table), code, code))
}

pub(crate) fn quantity(value: &str, code: &str, unit: &str) -> Quantity {
    let unit = coded(CodeSystem::Merit9, code, unit);
    Quantity {
        value: Decimal::parse(value).unwrap(),
        comparator: None,
        unit: Some(unit),
    }
}

fn doctor() -> Staff {
    Staff {
        id: text("D0101"),
        name: text("服部 時夫"),
        kana: text("ハットリ トキオ"),
    }
}

fn other(field: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), "そのまま".to_owned())]
}

pub(crate) fn network() -> Network {
    let profile = include_str!("../../../../networks/example/profile.toml");
    let facilities = include_str!("../../../../networks/example/facilities.tsv");
    Network {
        id: "example".to_owned(),
        profile: Profile::parse("profile.toml", profile).value.unwrap(),
        facilities: Facility::parse_all("facilities.tsv", facilities)
            .value
            .unwrap(),
        feeds: BTreeMap::new(),
        hash: [9; 32],
    }
}

pub(crate) fn on(network: &Network) -> Rendering<'_> {
    Rendering {
        network,
        today: "2024-05-10".parse().unwrap(),
    }
}

/// A record of a body, on the tenth of May 2024.
pub(crate) fn record(kind: Kind, category: Category, body: Body) -> ReadRecord {
    ReadRecord {
        id: RecordId([1; 16]),
        patient: PATIENT,
        meta: RecordMeta {
            facility: facility(),
            kind,
            category,
            sensitivity: Sensitivity::Normal,
            occurred: Occurred::at("2024-05-10".parse().unwrap()),
            source_key: String::new(),
        },
        body,
        last_updated: Instant::start_of("2024-05-11".parse().unwrap()),
        version: 3,
        superseded_only: false,
        source: "00112233aabbccdd".to_owned(),
    }
}

pub(crate) fn of_patient(body: Patient) -> ReadRecord {
    record(
        Kind::Patient,
        Category::Demographics,
        Body::Patient(Box::new(body)),
    )
}

pub(crate) fn of_encounter(body: Encounter) -> ReadRecord {
    record(
        Kind::Encounter,
        Category::Encounter,
        Body::Encounter(Box::new(body)),
    )
}

pub(crate) fn of_condition(body: Condition) -> ReadRecord {
    record(
        Kind::Condition,
        Category::Problem,
        Body::Condition(Box::new(body)),
    )
}

pub(crate) fn of_allergy(body: Allergy) -> ReadRecord {
    record(
        Kind::AllergyIntolerance,
        Category::Allergy,
        Body::Allergy(Box::new(body)),
    )
}

pub(crate) fn of_medication(body: MedicationRequest) -> ReadRecord {
    record(
        Kind::MedicationRequest,
        Category::Prescription,
        Body::Medication(Box::new(body)),
    )
}

pub(crate) fn of_observation(body: Observation) -> ReadRecord {
    record(
        Kind::Observation,
        Category::Lab,
        Body::Observation(Box::new(body)),
    )
}
