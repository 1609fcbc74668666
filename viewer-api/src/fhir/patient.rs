//! `Patient`: one per person of the network, out of what each visible facility says of them.

use crate::json::Value;
use model::id::PatientId;
use model::patient::Patient;
use model::record::{Body, ReadRecord};
use model::time::{Instant, PartialDateTime, Precision};

use super::Rendering;
use super::datatypes::{codeable, identifier};
use super::meta::{Tag, Version, organization, versioned};
use super::object::Object;
use super::person::{address, gender, human_name, telecom};
use super::system;

/// Renders a person from the demographics that the reader may see, newest first.
pub(crate) fn render(
    id: PatientId,
    statements: &[ReadRecord],
    updated: Instant,
    on: &Rendering<'_>,
) -> Value {
    let said: Vec<&Patient> = statements.iter().filter_map(demographics).collect();
    Object::resource("Patient")
        .with("id", id.to_string())
        .with("meta", meta(&said, updated))
        .with("language", "ja")
        .with("identifier", identifiers(id, statements, on))
        .with("active", true)
        .with(
            "name",
            distinct(said.iter().flat_map(|one| &one.names).map(human_name)),
        )
        .with(
            "telecom",
            distinct(
                said.iter()
                    .flat_map(|one| &one.telecoms)
                    .filter(|one| !one.value.trim().is_empty())
                    .map(telecom),
            ),
        )
        .with("gender", said.iter().find_map(|one| one.sex).map(gender))
        .with(
            "birthDate",
            said.iter().find_map(|one| one.birth_date).map(date),
        )
        .with(
            "address",
            distinct(said.iter().flat_map(|one| &one.addresses).map(address)),
        )
        .into()
}

pub(crate) fn demographics(statement: &ReadRecord) -> Option<&Patient> {
    match &statement.body {
        Body::Patient(patient) => Some(patient),
        _ => None,
    }
}

/// A patient's version counts the statements too: one that is no longer visible changes the
/// resource without making any other newer.
pub(crate) fn version(statements: usize, updated: Instant) -> Version {
    Version {
        id: format!("{}.{statements}", updated.0),
        updated: Some(updated),
    }
}

fn meta(said: &[&Patient], updated: Instant) -> Object {
    let from_order = said.first().is_some_and(|newest| newest.from_order);
    let tags = from_order.then(|| Value::from(Tag::FromOrder.coding()));
    versioned(&version(said.len(), updated), Some("JP_Patient"))
        .with("tag", tags.map(|tag| vec![tag]))
}

fn identifiers(id: PatientId, statements: &[ReadRecord], on: &Rendering<'_>) -> Vec<Value> {
    let of_network = identifier(&on.network.profile.patient_system, &id.to_string());
    let kind = codeable("http://terminology.hl7.org/CodeSystem/v2-0203", "PI");
    let kind = Value::from(kind);
    let local = statements.iter().filter_map(|statement| {
        let facility = &statement.meta.facility;
        let number = demographics(statement)?.local_id.as_str();
        let shown = Object::new()
            .with("use", "official")
            .with("type", kind.clone())
            .with("system", system::local_patient(facility))
            .with("value", number)
            .with("assigner", organization(facility, on));
        Some(Value::from(shown))
    });
    local.chain([of_network.into()]).collect()
}

/// A `date`: as much of it as was sent, never a time of day.
fn date(birth: PartialDateTime) -> String {
    match birth.precision() {
        Precision::Second | Precision::Fraction => birth.date().to_string(),
        Precision::Year | Precision::Month | Precision::Day => birth.to_string(),
    }
}

fn distinct(values: impl Iterator<Item = Object>) -> Vec<Value> {
    values.map(Value::from).fold(Vec::new(), |mut kept, value| {
        if !kept.contains(&value) {
            kept.push(value);
        }
        kept
    })
}
