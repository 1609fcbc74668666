//! `Consent`: how far the requester's own reach into a patient's data goes, one per source. It tells
//! nothing of other readers, of who signed, or of the paper.

use crate::json::Value;
use jiff::civil::Date;
use model::id::{FacilityId, PatientId, RecordId};
use model::record::Categories;
use model::time::Instant;

use super::Rendering;
use super::datatypes::{codeable, coding, reference};
use super::meta::{Version, organization, versioned};
use super::object::Object;

/// The reach of one reader into one source.
pub(crate) struct Reached<'a> {
    pub(crate) id: RecordId,
    pub(crate) patient: PatientId,
    pub(crate) reader: &'a FacilityId,
    pub(crate) source: &'a FacilityId,
    pub(crate) categories: Categories,
    pub(crate) valid_from: Instant,
    /// Exclusive.
    pub(crate) valid_to: Instant,
    pub(crate) since: Instant,
    pub(crate) is_active: bool,
}

/// Renders a reach.
pub(crate) fn render(reach: &Reached<'_>, on: &Rendering<'_>) -> Value {
    let version = Version {
        id: reach.since.0.to_string(),
        updated: Some(reach.since),
    };
    let status = if reach.is_active {
        "active"
    } else {
        "inactive"
    };
    Object::resource("Consent")
        .with("id", reach.id.to_string())
        .with("meta", versioned(&version, Some("JP_Consent")))
        .with("language", "ja")
        .with("status", status)
        .with(
            "scope",
            codeable(
                "http://terminology.hl7.org/CodeSystem/consentscope",
                "patient-privacy",
            ),
        )
        .with(
            "category",
            vec![Value::from(codeable("http://loinc.org", "59284-0"))],
        )
        .with("patient", reference("Patient", reach.patient))
        .with("dateTime", reach.since.to_string())
        .with(
            "organization",
            vec![Value::from(organization(reach.source, on))],
        )
        .with(
            "policy",
            vec![Value::from(Object::new().with("uri", policy(on)))],
        )
        .with("provision", provision(reach, on))
        .into()
}

/// The regulation of the network in its version.
fn policy(on: &Rendering<'_>) -> String {
    let profile = &on.network.profile;
    format!(
        "urn:musubi:regulation:{}:{}",
        super::url::encode(&on.network.id),
        super::url::encode(&profile.version)
    )
}

fn provision(reach: &Reached<'_>, on: &Rendering<'_>) -> Object {
    let recipient = codeable(
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        "IRCP",
    );
    let actor = Object::new()
        .with("role", recipient)
        .with("reference", organization(reach.reader, on));
    let purpose = coding(
        "http://terminology.hl7.org/CodeSystem/v3-ActReason",
        "TREAT",
    );
    let classes = reach
        .categories
        .iter()
        .map(|category| coding("urn:musubi:category", category.name()).into());
    Object::new()
        .with("type", "permit")
        .with("period", period(reach))
        .with("actor", vec![Value::from(actor)])
        .with("purpose", vec![Value::from(purpose)])
        .with("class", classes.collect::<Vec<Value>>())
}

/// A `Period` counts its last day; consents hold by day.
fn period(reach: &Reached<'_>) -> Object {
    let first = (reach.valid_from > Instant::MIN).then(|| reach.valid_from.day());
    let last = (reach.valid_to < Instant::MAX).then(|| reach.valid_to.plus_seconds(-1).day());
    let text = |day: Date| day.to_string();
    Object::new()
        .with("start", first.map(text))
        .with("end", last.map(text))
}
