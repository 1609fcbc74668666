//! What holds of every element, wherever it stands (FHIR R4 data types, JP Core extensions).

use serde_json::Value;

use super::{Broken, choices, has, text};

const EXTENSIONS: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/";

/// JP Core extensions with the one value type they may have.
const EXTENSION_TYPES: &[(&str, &str)] = &[
    ("JP_Condition_DiseaseOutcome", "valueCodeableConcept"),
    (
        "JP_Condition_DiseasePostfixModifier",
        "valueCodeableConcept",
    ),
    ("JP_Condition_DiseasePrefixModifier", "valueCodeableConcept"),
    ("JP_MedicationDosage_Device", "valueReference"),
    ("JP_MedicationDosage_Line", "valueCodeableConcept"),
    ("JP_MedicationDosage_PeriodOfUse", "valuePeriod"),
    ("JP_MedicationDosage_UsageDuration", "valueDuration"),
    (
        "JP_MedicationRequest_DispenseRequest_ExpectedRepeatCount",
        "valueInteger",
    ),
    (
        "JP_MedicationRequest_DispenseRequest_InstructionForDispense",
        "valueCodeableConcept",
    ),
    (
        "JP_Medication_IngredientStrength_StrengthType",
        "valueCodeableConcept",
    ),
    ("JP_Medication_Ingredient_DrugNo", "valueInteger"),
    (
        "JP_Organization_InsuranceOrganizationCategory",
        "valueCoding",
    ),
    ("JP_Organization_InsuranceOrganizationNo", "valueIdentifier"),
    ("JP_Organization_PrefectureNo", "valueCoding"),
];

/// What never leaves: insurance, next of kin, the number that fetches a prescription.
const FORBIDDEN: &[&str] = &[
    "JP_Insurance_memberID",
    "InsurerNumber",
    "InsuredPerson",
    "PublicPayerNumber",
    "引換番号",
    "Coverage/",
];

/// Elements whose type is `SimpleQuantity`: no comparator.
const SIMPLE: &[&str] = &["doseQuantity", "rateQuantity", "low", "high", "quantity"];

/// What holds of every element, wherever it stands.
pub(super) fn everywhere(value: &Value, path: &str, key: &str, broken: &mut Broken) {
    match value {
        Value::Null => broken.unless(false, path, "no null"),
        Value::String(text) => of_text(text, path, key, broken),
        Value::Array(values) => {
            broken.unless(!values.is_empty(), path, "no empty array");
            values
                .iter()
                .for_each(|value| everywhere(value, path, key, broken));
        }
        Value::Object(map) => {
            broken.unless(!map.is_empty(), path, "ele-1: no empty object");
            of_object(value, path, key, broken);
            for (inner, value) in map {
                everywhere(value, &format!("{path}.{inner}"), inner, broken);
            }
        }
        Value::Bool(_) | Value::Number(_) => {}
    }
}

fn of_text(text: &str, path: &str, key: &str, broken: &mut Broken) {
    let readable =
        |character: char| !character.is_control() || matches!(character, '\t' | '\r' | '\n');
    broken.unless(text.chars().all(readable), path, "no control characters");
    broken.unless(!text.trim().is_empty(), path, "no blank text");
    broken.unless(
        FORBIDDEN.iter().all(|word| !text.contains(word)),
        path,
        "never leaves",
    );
    match key {
        "system" if path.ends_with("telecom.system") => {}
        "system" | "url" | "uri" | "fullUrl" => {
            let relative = path.ends_with("extension.extension.url");
            broken.unless(
                relative || (text.contains(':') && !text.contains(' ')),
                path,
                "an absolute address",
            );
        }
        "code" => broken.unless(
            text == text.split_whitespace().collect::<Vec<_>>().join(" "),
            path,
            "a code",
        ),
        "lastUpdated" | "issued" | "recorded" => {
            broken.unless(is_date_time(text, 19), path, "an instant");
        }
        "birthDate" => broken.unless(text.len() <= 10 && is_date_time(text, 4), path, "a date"),
        "start" | "end" | "authoredOn" | "dateTime" | "recordedDate" | "receivedTime" => {
            broken.unless(is_date_time(text, 4), path, "a dateTime");
        }
        _ if key.ends_with("DateTime") => broken.unless(is_date_time(text, 4), path, "a dateTime"),
        _ => {}
    }
}

fn of_object(value: &Value, path: &str, key: &str, broken: &mut Broken) {
    if has(value, "url") && (key == "extension") {
        let values = choices(value, "value");
        let nested = has(value, "extension");
        broken.unless((values == 1) != nested, path, "ext-1");
        let name = text(value, "url").strip_prefix(EXTENSIONS);
        let fits = name.is_none_or(|name| {
            EXTENSION_TYPES
                .iter()
                .any(|(known, kind)| *known == name && has(value, kind))
        });
        broken.unless(fits, path, "a JP Core extension has its value type");
    }
    let is_quantity = has(value, "value") && has(value, "unit");
    broken.unless(
        !is_quantity || !has(value, "code") || has(value, "system"),
        path,
        "qty-3",
    );
    broken.unless(
        !SIMPLE.contains(&key) || !has(value, "comparator"),
        path,
        "sqty-1",
    );
    broken.unless(
        has(value, "numerator") == has(value, "denominator"),
        path,
        "rat-1",
    );
    let (start, end) = (text(value, "start"), text(value, "end"));
    broken.unless(
        start.is_empty() || end.is_empty() || is_before(start, end),
        path,
        "per-1",
    );
    if has(value, "reference") && value["reference"].is_string() {
        let reference = text(value, "reference");
        let parts: Vec<&str> = reference.split('/').collect();
        let local = reference.starts_with('#');
        let named = parts.len() == 2 && parts.iter().all(|part| is_id(part));
        broken.unless(local || named, path, "ref-1: a reference leads somewhere");
    }
}

pub(super) fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// `YYYY[-MM[-DD[Thh:mm:ss[.fff]±hh:mm]]]`, at least so long.
fn is_date_time(text: &str, least: usize) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let (date, rest) = shape.split_at_checked(19).unwrap_or((shape.as_str(), ""));
    let zone = rest
        .strip_prefix('.')
        .map_or(rest, |fraction| fraction.trim_start_matches('0'));
    let fits = match date {
        "0000" | "0000-00" | "0000-00-00" => rest.is_empty(),
        "0000-00-00T00:00:00" => ["Z", "+00:00", "-00:00"].contains(&zone),
        _ => false,
    };
    fits && text.len() >= least
}

/// Whether a period does not end before it begins, as far as both are precise.
fn is_before(start: &str, end: &str) -> bool {
    let common = start.len().min(end.len()).min(19);
    start.get(..common) <= end.get(..common)
}
