//! What a physician gets to read, as a line for each fact: enough of it to tell versions apart.

use std::fmt::Write;

use model::code::Concept;
use model::condition::VerificationStatus;
use model::encounter::EncounterClass;
use model::medication::MedicationKind;
use model::observation::Value;
use model::patient::Patient;
use model::record::{Body, ReadRecord};

/// The line of a record.
pub(crate) fn line(record: &ReadRecord) -> String {
    let mut line = fact(&record.body);
    if record.superseded_only {
        line.push_str(" superseded-only");
    }
    line
}

fn fact(body: &Body) -> String {
    match body {
        Body::Patient(patient) => format!("Patient {}", names(patient)),
        Body::Encounter(encounter) => {
            let class = match encounter.class {
                EncounterClass::Ambulatory => "AMB",
                EncounterClass::Inpatient => "IMP",
            };
            format!(
                "Encounter {class} {} {}",
                text(encounter.start),
                text(encounter.end)
            )
        }
        Body::Condition(condition) => {
            let status = match condition.verification {
                VerificationStatus::EnteredInError => "entered-in-error".to_owned(),
                _ => word(&condition.clinical),
            };
            format!(
                "Condition {} {status}",
                text(condition.identifier.as_deref())
            )
        }
        Body::Allergy(allergy) => format!(
            "AllergyIntolerance {} {} {}",
            text(
                allergy
                    .code
                    .codings
                    .first()
                    .map(|coding| coding.code.as_str())
            ),
            text(allergy.identifier.as_deref()),
            if allergy.is_taken_back() {
                "taken back"
            } else {
                ""
            }
        ),
        Body::Medication(request) => {
            let mut line = format!(
                "MedicationRequest {} {}",
                text(request.order.placer.as_deref()),
                request.rp_number
            );
            let administration = match request.kind {
                MedicationKind::Prescription => request.order_in_rp.to_string(),
                MedicationKind::Injection => text(request.sequence.as_deref()),
            };
            let total = request.dispense.as_ref().or(request.dose.as_ref());
            let _ = write!(
                line,
                " {administration} {}",
                text(total.map(|total| total.value.as_str()))
            );
            let mixed = request.ingredients.iter().map(|part| code(&part.drug));
            let drugs: Vec<String> = if request.ingredients.is_empty() {
                vec![code(&request.drug)]
            } else {
                mixed.collect()
            };
            format!("{line} {}", drugs.join("+"))
        }
        Body::Observation(observation) => format!(
            "Observation {} {} {} {}",
            code(&observation.code),
            text(observation.effective),
            word(&observation.status),
            text(observation.value.as_ref().map(value))
        ),
        Body::Event(_) => "an event".to_owned(),
    }
}

/// A result's value as sent.
pub(crate) fn value(value: &Value) -> String {
    match value {
        Value::Quantity(quantity) => {
            let comparator = quantity.comparator.as_ref().map_or_else(String::new, word);
            format!("{comparator}{}", quantity.value.as_str())
        }
        Value::Ratio(one, many) => format!("{}:{}", one.value.as_str(), many.value.as_str()),
        Value::Concept(concept) => code(concept),
        Value::Text(text) => text.clone(),
        Value::Range(_) | Value::Time(_) => "not in the samples".to_owned(),
    }
}

fn names(patient: &Patient) -> String {
    let mut names: Vec<String> = patient
        .names
        .iter()
        .map(|name| name.text.replace(['\u{3000}', ' '], ""))
        .collect();
    names.sort();
    format!(
        "{} {} {}",
        patient.local_id,
        text(patient.birth_date),
        names.join(",")
    )
}

fn code(concept: &Concept) -> String {
    concept.first_code().unwrap_or_default().to_owned()
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The word that a closed list gives in FHIR.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value)
        .unwrap()
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
