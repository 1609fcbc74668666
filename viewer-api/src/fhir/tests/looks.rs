//! How single things look, where a clinician or another system depends on it.

use model::allergy::Allergy;
use model::condition::{ClinicalStatus, Condition, VerificationStatus};
use model::encounter::{Encounter, EncounterClass, EncounterStatus};
use model::medication::{MedicationKind, MedicationRequest, Usage};
use model::observation::{Observation, ObservationCategory, ObservationStatus};
use model::record::ReadRecord;
use model::time::Instant;
use serde_json::{Value, json};

use crate::json::plain;

use super::bodies::*;
use crate::fhir::{Rendering, patient, render};

fn shown(record: &ReadRecord) -> Value {
    plain(render(record, &on(&network())).unwrap())
}

fn check(record: &ReadRecord, pointer: &str, expected: impl Into<Value>) {
    let expected: Value = expected.into();
    let resource = shown(record);
    assert_eq!(
        resource.pointer(pointer).cloned().unwrap_or_default(),
        expected,
        "{pointer} of {resource:#}"
    );
}

fn source_field(resource: &Value, field: &str) -> Option<Value> {
    let extensions = resource.get("extension")?.as_array()?;
    let found = extensions
        .iter()
        .find(|one| one["extension"][0]["valueString"] == field)?;
    found["extension"][1]
        .as_object()?
        .iter()
        .find(|(key, _)| key.starts_with("value"))
        .map(|(_, value)| value.clone())
}

#[test]
fn a_reception_has_arrived_on_its_day_and_is_over_after_it() {
    let body = Encounter {
        end: None,
        ..full_encounter(EncounterClass::Ambulatory, EncounterStatus::Received)
    };
    let record = of_encounter(body);
    let network = network();
    let on_day = |day: &str| {
        let on = Rendering {
            network: &network,
            today: day.parse().unwrap(),
        };
        plain(render(&record, &on).unwrap())
    };
    let (same, next) = (on_day("2024-05-10"), on_day("2024-05-11"));
    assert_eq!(
        (same["status"].as_str(), next["status"].as_str()),
        (Some("arrived"), Some("finished"))
    );
    assert_ne!(
        same["meta"]["versionId"], next["meta"]["versionId"],
        "a client must not keep the old status"
    );
}

#[test]
fn both_beds_of_a_move_stay_with_their_periods() {
    let record = of_encounter(full_encounter(
        EncounterClass::Inpatient,
        EncounterStatus::InProgress,
    ));
    check(
        &record,
        "/location/0/period/end",
        json!("2024-05-11T10:00:00+09:00"),
    );
    check(&record, "/location/0/status", json!("completed"));
    check(&record, "/location/1/status", json!("active"));
    check(&record, "/contained/1/name", json!("05E 512 2"));
    check(
        &record,
        "/participant/0/individual",
        json!({"reference": "#practitioner1"}),
    );
    check(
        &record,
        "/participant/1/individual",
        json!({"reference": "#practitioner1"}),
    );
}

#[test]
fn a_suspicion_is_never_shown_as_the_disease_itself() {
    let body = Condition {
        verification: VerificationStatus::Provisional,
        ..full_condition()
    };
    let record = of_condition(body);
    check(&record, "/code/text", json!("急性胃炎の疑い"));
    check(
        &record,
        "/verificationStatus/coding/0/code",
        json!("provisional"),
    );
    let whole = Condition {
        code: model::code::Concept::text("急性胃炎の疑い"),
        ..full_condition()
    };
    check(&of_condition(whole), "/code/text", json!("急性胃炎の疑い"));
}

#[test]
fn icd_codes_name_their_edition() {
    let system = |edition: Option<&str>| {
        let body = Condition {
            icd_edition: edition.map(str::to_owned),
            ..full_condition()
        };
        shown(&of_condition(body))["code"]["coding"][1]["system"].clone()
    };
    assert_eq!(
        system(Some("2013")),
        "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"
    );
    assert_eq!(system(Some("2003")), "http://hl7.org/fhir/sid/icd-10");
    assert_eq!(system(None), "http://hl7.org/fhir/sid/icd-10");
}

#[test]
fn an_end_that_fhir_forbids_is_told_in_words() {
    let active = of_condition(full_condition());
    check(&active, "/abatementDateTime", Value::Null);
    check(&active, "/note/2/text", json!("転帰日: 2024-05-09"));
    let resolved = of_condition(Condition {
        clinical: ClinicalStatus::Resolved,
        ..full_condition()
    });
    check(&resolved, "/abatementDateTime", json!("2024-05-09"));
}

#[test]
fn an_expected_end_is_no_end() {
    let body = Condition {
        abatement: None,
        clinical: ClinicalStatus::Resolved,
        ..full_condition()
    };
    let resource = shown(&of_condition(body));
    assert!(resource.get("abatementDateTime").is_none());
    assert_eq!(source_field(&resource, "PRB-8"), Some(json!("2024-06")));
}

#[test]
fn an_allergy_that_was_taken_back_is_refuted_with_its_reason() {
    let record = of_allergy(Allergy {
        action: hl7(323, "D"),
        ..full_allergy()
    });
    check(&record, "/clinicalStatus/coding/0/code", json!("inactive"));
    check(
        &record,
        "/verificationStatus/coding/0/code",
        json!("refuted"),
    );
    check(&record, "/note/0/text", json!("誤登録のため"));
    check(&record, "/meta/tag/0/code", json!("from-order"));
}

#[test]
fn a_severity_without_reaction_says_so() {
    let record = of_allergy(Allergy {
        reactions: Vec::new(),
        ..full_allergy()
    });
    check(
        &record,
        "/reaction/0/manifestation",
        json!([{"text": "反応情報なし"}]),
    );
    check(&record, "/reaction/0/severity", json!("moderate"));
}

#[test]
fn a_prescription_keeps_digits_units_and_usage() {
    let body = MedicationRequest {
        dose_max: None,
        ..full_medication(MedicationKind::Prescription)
    };
    let record = of_medication(body);
    let unit = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code";
    let dose = shown(&record)["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"].to_string();
    assert_eq!(
        dose,
        format!(r#"{{"value":1.0,"unit":"錠","system":"{unit}","code":"TAB"}}"#)
    );
    assert!(
        shown(&record)
            .to_string()
            .contains(r#""quantity":{"value":15.00,"#)
    );
    check(
        &record,
        "/dosageInstruction/0/text",
        json!("内服・経口・１日３回朝昼夕食後　１日おき　１日２回まで"),
    );
    check(
        &record,
        "/dosageInstruction/0/timing/code/coding/0/code",
        json!("1013044400000000"),
    );
    check(
        &record,
        "/dosageInstruction/0/method/coding/1/code",
        json!("10"),
    );
    check(&record, "/dosageInstruction/0/asNeededBoolean", json!(true));
    check(
        &record,
        "/dosageInstruction/0/doseAndRate/0/rateRatio/denominator/code",
        json!("d"),
    );
    check(
        &record,
        "/dispenseRequest/expectedSupplyDuration/code",
        json!("d"),
    );
    check(&record, "/dispenseRequest/numberOfRepeatsAllowed", json!(2));
    check(
        &record,
        "/category/0/coding/0/system",
        json!("http://terminology.hl7.org/CodeSystem/v2-0482"),
    );
    check(
        &record,
        "/category/1/coding/0/system",
        json!("http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS"),
    );
    check(
        &record,
        "/medicationCodeableConcept/coding/0/system",
        json!("http://medis.or.jp/CodeSystem/master-HOT9"),
    );
}

#[test]
fn usage_decoded_from_a_code_is_marked() {
    let usages = vec![Usage {
        code: None,
        additional: Vec::new(),
        text: None,
        decoded: text("１日３回"),
        ..usage()
    }];
    let record = of_medication(MedicationRequest {
        usages,
        ..full_medication(MedicationKind::Prescription)
    });
    check(&record, "/dosageInstruction/0/text", json!("１日３回"));
    check(
        &record,
        "/dosageInstruction/0/_text/extension/0/valueBoolean",
        json!(true),
    );
    let sent = of_medication(full_medication(MedicationKind::Prescription));
    check(&sent, "/dosageInstruction/0/_text", Value::Null);
}

#[test]
fn a_mixture_names_its_drugs_base_first() {
    let record = of_medication(full_medication(MedicationKind::Injection));
    check(
        &record,
        "/meta/profile/0",
        json!("http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest_Injection"),
    );
    check(
        &record,
        "/medicationReference/reference",
        json!("#medication1"),
    );
    check(
        &record,
        "/contained/0/ingredient/0/itemCodeableConcept/coding/0/code",
        json!("107750602"),
    );
    check(
        &record,
        "/contained/0/ingredient/0/extension/0/valueInteger",
        json!(1),
    );
    check(
        &record,
        "/contained/0/ingredient/1/itemCodeableConcept/coding/0/code",
        json!("108010001"),
    );
    check(
        &record,
        "/dosageInstruction/0/timing/repeat/boundsPeriod/start",
        json!("2024-05-10"),
    );
    check(&record, "/dosageInstruction/0/sequence", json!(1));
}

#[test]
fn a_result_below_its_limit_keeps_comparator_and_digits() {
    let record = of_observation(full_observation(ObservationCategory::Laboratory));
    let value = shown(&record)["valueQuantity"].to_string();
    let expected = r#"{"value":0.020,"comparator":"<","unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}"#;
    assert_eq!(value, expected);
    check(&record, "/referenceRange/0/text", json!("0.00-0.14"));
    assert!(
        shown(&record)["referenceRange"][0]["low"]
            .to_string()
            .starts_with(r#"{"value":0.00,"#)
    );
    check(&record, "/code/text", json!("ＣＲＰ"));
    check(
        &record,
        "/code/coding/1/system",
        json!("urn:musubi:local:1319999901:99X03"),
    );
    check(&record, "/interpretation/3", json!({"text": "要確認"}));
    check(&record, "/contained/0/type/coding/0/code", json!("023"));
    check(&record, "/identifier/0/value", json!("000000024000310"));
}

#[test]
fn a_result_without_code_or_material_is_still_a_lab_result() {
    let code = model::code::Concept::text("院内項目");
    let record = of_observation(Observation {
        code,
        ..bare_observation(ObservationCategory::Laboratory)
    });
    check(&record, "/code/coding/0/code", json!("99999999999999999"));
    check(&record, "/contained/0/type", json!({"text": "不明"}));
    check(
        &record,
        "/_effectiveDateTime/extension/0/valueCode",
        json!("unknown"),
    );
}

#[test]
fn a_pending_result_says_that_it_is_pending() {
    let body = Observation {
        status: ObservationStatus::Registered,
        ..bare_observation(ObservationCategory::Laboratory)
    };
    let record = of_observation(body);
    check(&record, "/status", json!("registered"));
    check(
        &record,
        "/dataAbsentReason/coding/0/code",
        json!("temp-unknown"),
    );
}

#[test]
fn a_person_has_the_numbers_of_visible_facilities_only() {
    let network = network();
    let statements = [of_patient(full_patient())];
    let resource = plain(patient::render(
        PATIENT,
        &statements,
        Instant(0),
        &on(&network),
    ));
    let systems: Vec<&str> = resource["identifier"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["system"].as_str())
        .collect();
    assert_eq!(
        systems,
        [
            "urn:oid:1.2.392.100495.20.3.51.11319999901",
            network.profile.patient_system.as_str()
        ]
    );
    assert_eq!(resource["identifier"][0]["value"], "0000123456");
    assert_eq!(resource["birthDate"], "1948-04-15");
    let nobody = plain(patient::render(PATIENT, &[], Instant(0), &on(&network)));
    assert_eq!(nobody["identifier"].as_array().map(Vec::len), Some(1));
    assert_ne!(nobody["meta"]["versionId"], resource["meta"]["versionId"]);
}

#[test]
fn what_a_reader_needs_and_fhir_has_no_element_for_stands_with_its_field() {
    let kept = |record: &ReadRecord, field: &str| source_field(&shown(record), field).is_some();
    // Set ids, terminals and the like stay in the record; they only hide what a reader looks for.
    assert!(!kept(&of_condition(full_condition()), "PRB-2"));
    assert!(!kept(&of_allergy(full_allergy()), "IAM-14"));
    assert!(kept(
        &of_observation(full_observation(ObservationCategory::Laboratory)),
        "OBR-16"
    ));
    for field in ["ORC-4", "RXE-6", "RXE-25", "RXE-32", "RXE-42"] {
        assert!(
            kept(
                &of_medication(full_medication(MedicationKind::Prescription)),
                field
            ),
            "{field}"
        );
    }
}
