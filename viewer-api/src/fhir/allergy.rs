//! `AllergyIntolerance`: what the patient does not tolerate.

use crate::json::Value;
use model::allergy::{Allergy, AllergySource};
use model::record::ReadRecord;

use super::Rendering;
use super::contained::Contained;
use super::datatypes::{codeable, concept, date_time, note, source_field};
use super::meta::{Tag, Version, hl7_code, instance, meta, opening, origin, patient_of};
use super::object::Object;

const CLINICAL: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification";

/// Renders an allergy.
pub(crate) fn render(record: &ReadRecord, allergy: &Allergy, on: &Rendering<'_>) -> Value {
    let facility = &record.meta.facility;
    let mut contained = Contained::default();
    let asserter = allergy
        .asserter
        .as_ref()
        .and_then(|staff| contained.staff(staff, facility));
    let tags: &[Tag] = if allergy.source == AllergySource::Order {
        &[Tag::FromOrder]
    } else {
        &[]
    };
    let (clinical, verification) = statuses(allergy);
    let onset_text = allergy
        .onset_text
        .as_deref()
        .filter(|_| allergy.onset.is_none());
    opening(
        "AllergyIntolerance",
        record,
        meta(
            record,
            &Version::of(record),
            "JP_AllergyIntolerance",
            tags,
            None,
        ),
    )
    .with("contained", contained)
    .with("extension", extensions(record, allergy))
    .with(
        "identifier",
        allergy
            .identifier
            .as_deref()
            .map(|number| vec![Value::from(instance(number, record, on))]),
    )
    .with(
        "clinicalStatus",
        clinical.map(|code| codeable(CLINICAL, code)),
    )
    .with(
        "verificationStatus",
        verification.map(|code| codeable(VERIFICATION, code)),
    )
    .with("type", kind(allergy))
    .with("category", category(allergy).map(|code| vec![code]))
    .with("code", concept(&allergy.code, facility))
    .with("patient", patient_of(record))
    .with("onsetDateTime", allergy.onset.map(date_time))
    .with("onsetString", onset_text)
    .with("recordedDate", allergy.recorded.map(date_time))
    .with("asserter", asserter)
    .with("note", notes(allergy))
    .with(
        "reaction",
        reaction(allergy).map(|reaction| vec![Value::from(reaction)]),
    )
    .into()
}

/// Clinical and verification status (IAM-6 and IAM-17, HL7 table 0438). An entry in error has no
/// clinical status, every other has one (ait-1, ait-2).
fn statuses(allergy: &Allergy) -> (Option<&'static str>, Option<&'static str>) {
    if allergy.is_taken_back() {
        return (Some("inactive"), Some("refuted"));
    }
    match hl7_code(allergy.clinical.as_ref(), 438) {
        Some("E") => (None, Some("entered-in-error")),
        Some("C") => (Some("active"), Some("confirmed")),
        Some("I") => (Some("inactive"), Some("confirmed")),
        Some("D" | "P" | "S" | "U") => (Some("active"), Some("unconfirmed")),
        _ => (Some("active"), None),
    }
}

/// HL7 table 0436.
fn kind(allergy: &Allergy) -> Option<&'static str> {
    match hl7_code(allergy.sensitivity.as_ref(), 436)? {
        "AL" => Some("allergy"),
        "AD" | "IN" | "SE" => Some("intolerance"),
        _ => None,
    }
}

/// HL7 table 0127.
fn category(allergy: &Allergy) -> Option<&'static str> {
    match allergy.kind.as_ref()?.first_code()? {
        "DA" => Some("medication"),
        "FA" => Some("food"),
        "EA" | "PA" | "LA" => Some("environment"),
        "AA" => Some("biologic"),
        _ => None,
    }
}

/// HL7 table 0128.
fn severity(allergy: &Allergy) -> Option<&'static str> {
    match hl7_code(allergy.severity.as_ref(), 128)? {
        "SV" => Some("severe"),
        "MO" => Some("moderate"),
        "MI" => Some("mild"),
        _ => None,
    }
}

/// Reactions; R4 demands a manifestation as soon as a severity is said.
fn reaction(allergy: &Allergy) -> Option<Object> {
    let severity = severity(allergy);
    if allergy.reactions.is_empty() && severity.is_none() {
        return None;
    }
    let shown = |text: &str| Value::from(Object::new().with("text", text));
    let mut manifestations: Vec<Value> = allergy.reactions.iter().map(|text| shown(text)).collect();
    if manifestations.is_empty() {
        manifestations.push(shown("反応情報なし"));
    }
    let reaction = Object::new().with("manifestation", manifestations);
    Some(
        reaction
            .with("description", allergy.reactions.join("、"))
            .with("severity", severity),
    )
}

/// What the sender said in fields whose FHIR element is coarser or absent.
fn extensions(record: &ReadRecord, allergy: &Allergy) -> Vec<Value> {
    let facility = &record.meta.facility;
    let fields = [
        ("IAM-2", &allergy.kind),
        ("IAM-4", &allergy.severity),
        ("IAM-6", &allergy.action),
        ("IAM-9", &allergy.sensitivity),
        ("IAM-17", &allergy.clinical),
    ];
    let fields = fields.into_iter().filter_map(|(field, sent)| {
        sent.as_ref()
            .map(|sent| source_field(field, "valueCodeableConcept", concept(sent, facility)))
    });
    origin(record, None).chain(fields).collect()
}

fn notes(allergy: &Allergy) -> Vec<Value> {
    let onset = allergy
        .onset_text
        .as_ref()
        .filter(|_| allergy.onset.is_some());
    let onset = onset.map(|text| note(format!("発症: {text}")));
    allergy
        .reason
        .iter()
        .map(|reason| note(reason.as_str()))
        .chain(onset)
        .collect()
}
