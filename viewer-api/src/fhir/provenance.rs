//! `Provenance`: where one record came from; its only target is the record through which it is read.

use crate::json::Value;
use model::id::{FacilityId, PatientId};
use model::record::ReadRecord;
use model::time::Instant;

use super::Rendering;
use super::datatypes::{codeable, identifier, reference};
use super::meta::{Version, organization, source, versioned};
use super::object::Object;
use super::patient;

/// Renders the provenance of a record that is served as a resource type.
pub(crate) fn of_record(record: &ReadRecord, kind: &str, on: &Rendering<'_>) -> Value {
    let activity = if record.version > 1 {
        "UPDATE"
    } else {
        "CREATE"
    };
    head(
        &record.id.to_string(),
        reference(kind, record.id),
        &Version::of(record),
        record.last_updated,
    )
    .with(
        "activity",
        codeable(
            "http://terminology.hl7.org/CodeSystem/v3-DataOperation",
            activity,
        ),
    )
    .with("agent", agents(std::iter::once(&record.meta.facility), on))
    .with("entity", vec![entity(record)])
    .into()
}

/// Renders the provenance of a person, whom every visible statement speaks of.
pub(crate) fn of_patient(
    id: PatientId,
    statements: &[ReadRecord],
    updated: Instant,
    on: &Rendering<'_>,
) -> Value {
    let facilities = statements.iter().map(|statement| &statement.meta.facility);
    let version = patient::version(statements.len(), updated);
    head(&id.to_string(), reference("Patient", id), &version, updated)
        .with("agent", agents(facilities, on))
        .with("entity", statements.iter().map(entity).collect::<Vec<_>>())
        .into()
}

fn head(id: &str, target: Object, version: &Version, recorded: Instant) -> Object {
    Object::resource("Provenance")
        .with("id", id)
        .with("meta", versioned(version, None))
        .with("target", vec![Value::from(target)])
        .with("recorded", recorded.to_string())
}

fn agents<'a>(facilities: impl Iterator<Item = &'a FacilityId>, on: &Rendering<'_>) -> Vec<Value> {
    let system = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    let agent = |role: &str, who: Object| {
        Value::from(
            Object::new()
                .with("type", codeable(system, role))
                .with("who", who),
        )
    };
    let hub = agent(
        "assembler",
        Object::new()
            .with("type", "Device")
            .with("display", "musubi"),
    );
    std::iter::once(hub)
        .chain(facilities.map(|facility| agent("custodian", organization(facility, on))))
        .collect()
}

fn entity(record: &ReadRecord) -> Value {
    let what = Object::new().with(
        "identifier",
        identifier("urn:ietf:rfc:3986", &source(record)),
    );
    Object::new()
        .with("role", "source")
        .with("what", what)
        .into()
}
