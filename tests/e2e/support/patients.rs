//! Invented patients, their papers, and what a reader sees of them.

use serde_json::Value;

use super::{HOSPITAL, Running};

/// A line of the consent form for an invented patient, as their paper says it.
pub(crate) fn paper(
    consent_no: &str,
    patient: &samples::Patient,
    readers: &str,
    categories: &str,
) -> String {
    let samples::network::Paper {
        kana,
        birth_date,
        sex,
    } = &patient.paper;
    let sex = if sex == "F" { "female" } else { "male" };
    format!(
        "{consent_no},C-1,1,2026-04-01,署名者,self,{kana},{birth_date},{sex},{HOSPITAL}:{},{HOSPITAL},{readers},{categories},\
         2020-01-01,,説明者,事務局",
        patient.person.local_id
    )
}

/// Patients of a well-kept storage whose link is proved and who have something of every kind.
pub(crate) fn patients(seed: u64, count: usize, files: u64) -> Vec<samples::Patient> {
    let network = samples::Network::generate(seed, 60)
        .with_mix(samples::Mix::Ordinary)
        .with_files(files * 60);
    let whole = |patient: &samples::Patient| {
        let truth = patient.truth();
        [
            "encounters",
            "conditions",
            "allergies",
            "medicationRequests",
            "observations",
        ]
        .iter()
        .all(|family| !truth[family].as_array().unwrap().is_empty())
    };
    let found: Vec<_> = network.patients().filter(whole).take(count).collect();
    assert_eq!(
        found.len(),
        count,
        "the generator makes patients with something of every kind"
    );
    found
}

/// The types that are found by patient.
pub(crate) const CLINICAL: [&str; 5] = [
    "AllergyIntolerance",
    "Condition",
    "Encounter",
    "MedicationRequest",
    "Observation",
];

/// Everything a reader sees of a patient, without what differs between two hubs: ids and times of
/// keeping.
pub(crate) fn content(running: &Running, token: &str, patient: &str) -> Vec<String> {
    let of_type = |kind: &&str| running.all(token, &format!("{kind}?patient={patient}&_count=200"));
    let mut resources: Vec<Value> = CLINICAL.iter().flat_map(of_type).collect();
    resources.push(
        running
            .get(Some(token), &format!("/fhir/Patient/{patient}"))
            .json(),
    );
    let mut texts: Vec<String> = resources
        .into_iter()
        .map(|resource| without_ids(resource).to_string().replace(patient, ""))
        .collect();
    texts.sort();
    texts
}

fn without_ids(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let told = fields.into_iter().filter(|(name, _)| {
                !["id", "lastUpdated", "versionId", "reference", "source"].contains(&name.as_str())
            });
            Value::Object(
                told.map(|(name, value)| (name, without_ids(value)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_ids).collect()),
        other => other,
    }
}
