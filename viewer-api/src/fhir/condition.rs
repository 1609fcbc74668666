//! `Condition`: diagnoses (`JP_Condition`, with the modifiers of `JP_Condition_Diagnosis`).

use crate::json::Value;
use model::code::{CodeSystem, Concept};
use model::condition::{ClinicalStatus, Condition, VerificationStatus};
use model::id::FacilityId;
use model::record::ReadRecord;

use super::Rendering;
use super::contained::Contained;
use super::datatypes::{
    codeable, codings, concept, date_time, extension, note, source_field, words,
};
use super::meta::{Version, instance, meta, opening, origin, patient_of};
use super::object::Object;
use super::system::{CONDITION_CLINICAL, ICD10, ICD10_2013};

const EXTENSIONS: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_Disease";
const VERIFICATION: &str = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/condition-category";

/// Renders a diagnosis.
pub(crate) fn render(record: &ReadRecord, condition: &Condition, on: &Rendering<'_>) -> Value {
    let facility = &record.meta.facility;
    let mut contained = Contained::default();
    let recorder = condition
        .recorder
        .as_ref()
        .and_then(|staff| contained.staff(staff, facility));
    let shown_end = condition
        .abatement
        .filter(|_| may_end(condition))
        .map(date_time);
    let onset_text = condition
        .onset_text
        .as_deref()
        .filter(|_| condition.onset.is_none());
    let sent = condition.security.as_ref();
    opening(
        "Condition",
        record,
        meta(record, &Version::of(record), "JP_Condition", &[], sent),
    )
    .with("contained", contained)
    .with("extension", extensions(record, condition))
    .with(
        "identifier",
        condition
            .identifier
            .as_deref()
            .map(|number| vec![Value::from(instance(number, record, on))]),
    )
    .with(
        "clinicalStatus",
        clinical(condition).map(|code| codeable(CONDITION_CLINICAL, code)),
    )
    .with(
        "verificationStatus",
        codeable(VERIFICATION, verification(condition)),
    )
    .with("category", categories(condition, facility))
    .with("code", code(condition, facility))
    .with("subject", patient_of(record))
    .with("onsetDateTime", condition.onset.map(date_time))
    .with("onsetString", onset_text)
    .with("abatementDateTime", shown_end)
    .with("recordedDate", condition.recorded.map(date_time))
    .with("recorder", recorder)
    .with("note", notes(condition))
    .into()
}

/// The clinical status; an entry in error has none (con-5).
fn clinical(condition: &Condition) -> Option<&'static str> {
    let code = match condition.clinical {
        ClinicalStatus::Active => "active",
        ClinicalStatus::Inactive => "inactive",
        ClinicalStatus::Resolved => "resolved",
    };
    (condition.verification != VerificationStatus::EnteredInError).then_some(code)
}

const fn verification(condition: &Condition) -> &'static str {
    match condition.verification {
        VerificationStatus::Confirmed => "confirmed",
        VerificationStatus::Provisional => "provisional",
        VerificationStatus::EnteredInError => "entered-in-error",
    }
}

/// Whether the resource may have an end (con-4).
fn may_end(condition: &Condition) -> bool {
    clinical(condition).is_some_and(|code| code != "active")
}

fn categories(condition: &Condition, facility: &FacilityId) -> Vec<Value> {
    let list = codeable(CATEGORY, "problem-list-item");
    let sent = condition
        .kinds
        .iter()
        .chain(&condition.rank)
        .map(|kind| concept(kind, facility));
    std::iter::once(list).chain(sent).map(Value::from).collect()
}

/// The code, with its modifiers; the text is the whole name.
fn code(condition: &Condition, facility: &FacilityId) -> Object {
    let modifier = |position: &'static str| {
        move |sent: &Concept| {
            extension(
                &format!("{EXTENSIONS}{position}Modifier"),
                "valueCodeableConcept",
                concept(sent, facility),
            )
        }
    };
    let prefixes = condition.prefixes.iter().map(modifier("Prefix"));
    let suffixes = condition.suffixes.iter().map(modifier("Postfix"));
    let modifiers: Vec<Value> = prefixes.chain(suffixes).collect();
    Object::new()
        .with("extension", modifiers)
        .with(
            "coding",
            codings(
                &condition.code,
                facility,
                (&CodeSystem::Icd10, edition(condition)),
            ),
        )
        .with("text", full_name(condition))
}

/// ICD-10 of the edition of 2013 has a system of its own in JP Core; no edition means 2003
/// (JAHIS 病名情報データ交換規約).
fn edition(condition: &Condition) -> &'static str {
    match condition.icd_edition.as_deref() {
        Some("2013") => ICD10_2013,
        _ => ICD10,
    }
}

/// The disease in the facility's words, with every modifier that these words leave out.
fn full_name(condition: &Condition) -> Option<String> {
    let name = words(&condition.code)?;
    let missing = |modifiers: &[Concept]| -> String {
        modifiers
            .iter()
            .filter_map(words)
            .filter(|word| !name.contains(word))
            .collect()
    };
    Some(format!(
        "{}{name}{}",
        missing(&condition.prefixes),
        missing(&condition.suffixes)
    ))
}

fn extensions(record: &ReadRecord, condition: &Condition) -> Vec<Value> {
    let facility = &record.meta.facility;
    let outcome = condition.outcome.as_ref();
    let outcome = outcome.map(|outcome| {
        extension(
            &format!("{EXTENSIONS}Outcome"),
            "valueCodeableConcept",
            concept(outcome, facility),
        )
    });
    let expected = condition
        .expected_end
        .map(|end| source_field("PRB-8", "valueDateTime", date_time(end)));
    origin(record, condition.department.as_ref())
        .chain(outcome)
        .chain(expected)
        .collect()
}

fn notes(condition: &Condition) -> Vec<Value> {
    let onset = condition
        .onset_text
        .as_ref()
        .filter(|_| condition.onset.is_some());
    let end = condition.abatement.filter(|_| !may_end(condition));
    let onset = onset.map(|text| note(format!("発症: {text}")));
    let end = end.map(|end| note(format!("転帰日: {}", date_time(end))));
    condition
        .notes
        .iter()
        .map(|text| note(text.as_str()))
        .chain(onset)
        .chain(end)
        .collect()
}
