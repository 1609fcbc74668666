//! Reading one resource by its id. An id that is none asks like one that nobody has, so that both
//! are refused alike.

use crate::json::Value;
use ::consent::Viewing;
use auth::Use;
use model::id::{FacilityId, PatientId, RecordId};
use model::record::Kind;
use store::{Call, Reach};

use super::resources::{Found, RESOURCES, Resource};
use super::{Asked, consent, organization, patient, provenance, render};
use crate::error::Error;

const NOBODY: PatientId = PatientId([0; 16]);
const NOTHING: RecordId = RecordId([0; 16]);

/// The resource of a type and an id, as this requester may see it.
pub(crate) async fn read(asked: &Asked<'_>, resource: &Resource, id: &str) -> Result<Value, Error> {
    let call = asked.call(resource.opened_by, String::new());
    match resource.found {
        Found::Register => facility(asked, &call, id).await,
        Found::Patients => person(asked, &call, id).await,
        Found::Records(kind) => record(asked, &call, kind, id).await,
        Found::Reach => reach(asked, &call, id).await,
        Found::Targets => origin(asked, &call, id).await,
    }
}

async fn facility(asked: &Asked<'_>, call: &Call, id: &str) -> Result<Value, Error> {
    asked.face.disclosure.note(asked.requester, call).await?;
    let code: Option<FacilityId> = id.parse().ok();
    let known = code.and_then(|code| asked.face.network.facilities.get(&code));
    known
        .map(|facility| organization::render(facility, &asked.rendering()))
        .ok_or(Error::NotFound)
}

async fn person(asked: &Asked<'_>, call: &Call, id: &str) -> Result<Value, Error> {
    asked.count(Use::Patient(patient_id(id))).await?;
    let view = asked
        .face
        .disclosure
        .open::<Viewing>(asked.requester, call, patient_id(id))
        .await?;
    let person = view.patient().await?;
    Ok(patient::render(
        person.id,
        &person.statements,
        person.last_updated,
        &asked.rendering(),
    ))
}

async fn record(asked: &Asked<'_>, call: &Call, kind: Kind, id: &str) -> Result<Value, Error> {
    let id = named_record(asked, id).await?;
    let view = asked
        .face
        .disclosure
        .open_record::<Viewing>(asked.requester, call, id)
        .await?;
    let record = view.record(kind, id).await?;
    render(&record, &asked.rendering()).ok_or(Error::NotFound)
}

async fn reach(asked: &Asked<'_>, call: &Call, id: &str) -> Result<Value, Error> {
    let id = named_record(asked, id).await?;
    let view = asked
        .face
        .disclosure
        .open_record::<Viewing>(asked.requester, call, id)
        .await?;
    let reach = view.reach().await?;
    let found = reach
        .iter()
        .find(|one| one.id == id)
        .ok_or(Error::NotFound)?;
    Ok(consent::render(&reached(found, asked), &asked.rendering()))
}

/// A reach with its reader, who is always the requester's own facility.
pub(crate) fn reached<'a>(reach: &'a Reach, asked: &'a Asked<'_>) -> consent::Reached<'a> {
    consent::Reached {
        id: reach.id,
        patient: reach.patient,
        reader: asked.requester.facility(),
        source: &reach.source,
        categories: reach.categories,
        valid_from: reach.valid_from,
        valid_to: reach.valid_to,
        since: reach.since,
        is_active: reach.active,
    }
}

/// The provenance of a record, or of a person: its id is its target's.
async fn origin(asked: &Asked<'_>, call: &Call, id: &str) -> Result<Value, Error> {
    let record = named_record(asked, id).await?;
    match origin_of_record(asked, call, record).await {
        Err(Error::NotFound) => {}
        other => return other,
    }
    let view = asked
        .face
        .disclosure
        .open::<Viewing>(asked.requester, call, patient_id(id))
        .await?;
    let person = view.patient().await?;
    Ok(provenance::of_patient(
        person.id,
        &person.statements,
        person.last_updated,
        &asked.rendering(),
    ))
}

async fn origin_of_record(asked: &Asked<'_>, call: &Call, id: RecordId) -> Result<Value, Error> {
    let view = asked
        .face
        .disclosure
        .open_record::<Viewing>(asked.requester, call, id)
        .await?;
    let kinds: Vec<Kind> = RESOURCES.iter().filter_map(Resource::kind).collect();
    let record = view.record_of_any(&kinds, id).await?;
    let kind = Some(record.meta.kind);
    let resource = RESOURCES.iter().find(|resource| resource.kind() == kind);
    let name = resource.ok_or(Error::NotFound)?.name;
    Ok(provenance::of_record(&record, name, &asked.rendering()))
}

/// The record that an id names, counted as a look at the patient whom the id stands for.
async fn named_record(asked: &Asked<'_>, id: &str) -> Result<RecordId, Error> {
    let id = id.parse().unwrap_or(NOTHING);
    let patient = asked.face.disclosure.patient_of(id)?;
    asked.count(Use::Chart(patient)).await?;
    Ok(id)
}

pub(crate) fn patient_id(text: &str) -> PatientId {
    text.parse().unwrap_or(NOBODY)
}
