//! Every resource that is served keeps every rule, whatever its body.

use axum::body::to_bytes;
use axum::response::IntoResponse;
use model::encounter::{EncounterClass, EncounterStatus};
use model::id::RecordId;
use model::record::{Categories, ReadRecord, Sensitivity};
use model::time::Instant;
use serde_json::{Value, json};

use super::bodies::*;
use super::fhir_rules::validate;
use crate::error::Error;
use crate::fhir::bundle::{Bundle, Entry};
use crate::fhir::consent::Reached;
use crate::fhir::{capability, consent, organization, patient, provenance, render};
use crate::json::{self, Say, plain};

fn check(resource: impl Say) -> Value {
    let resource = plain(resource);
    let broken = validate(&resource);
    assert!(broken.is_empty(), "{broken:#?}\n{resource:#}");
    resource
}

fn check_record(record: &ReadRecord, kind: &'static str) -> Entry {
    let network = network();
    let resource = render(record, &on(&network)).unwrap();
    assert_eq!(check(&resource)["resourceType"], kind);
    check(provenance::of_record(record, kind, &on(&network)));
    Entry {
        kind,
        id: record.id.to_string(),
        resource,
    }
}

#[test]
fn patients() {
    let network = network();
    let both = [of_patient(full_patient()), of_patient(bare_patient())];
    for statements in [&both[..], &both[..1], &both[1..], &[]] {
        let updated = Instant::start_of("2024-05-11".parse().unwrap());
        check(patient::render(PATIENT, statements, updated, &on(&network)));
        check(provenance::of_patient(
            PATIENT,
            statements,
            updated,
            &on(&network),
        ));
    }
}

#[test]
fn encounters() {
    let statuses = [
        EncounterStatus::Received,
        EncounterStatus::InProgress,
        EncounterStatus::Finished,
        EncounterStatus::Cancelled,
        EncounterStatus::Unknown,
    ];
    for status in statuses {
        for class in [EncounterClass::Ambulatory, EncounterClass::Inpatient] {
            check_record(&of_encounter(full_encounter(class, status)), "Encounter");
            check_record(&of_encounter(bare_encounter(class, status)), "Encounter");
        }
    }
}

#[test]
fn conditions_in_every_status() {
    for condition in conditions() {
        check_record(&of_condition(condition), "Condition");
    }
}

#[test]
fn allergies_of_every_code() {
    for allergy in allergies() {
        check_record(&of_allergy(allergy), "AllergyIntolerance");
    }
}

#[test]
fn medication_requests_of_every_shape() {
    for request in medications() {
        let mut record = of_medication(request);
        check_record(&record, "MedicationRequest");
        record.meta.occurred = model::record::Occurred::undated(Instant(0));
        check_record(&record, "MedicationRequest");
    }
}

#[test]
fn observations_of_every_value() {
    for observation in observations() {
        check_record(&of_observation(observation), "Observation");
    }
}

#[test]
fn records_of_every_delicacy_and_state() {
    for sensitivity in [
        Sensitivity::Normal,
        Sensitivity::Restricted,
        Sensitivity::Untold,
    ] {
        let mut record = of_condition(full_condition());
        record.meta.sensitivity = sensitivity;
        record.superseded_only = true;
        let resource = check_record(&record, "Condition");
        assert_eq!(
            plain(resource.resource)["meta"]["tag"][0]["code"],
            "superseded-only"
        );
    }
}

#[test]
fn organizations_consents_capabilities() {
    let network = network();
    let (reader, source) = (facility(), facility());
    check(organization::render(
        &network.facilities[&facility()],
        &on(&network),
    ));
    check(capability::statement(
        "https://hub.example.jp/fhir",
        &network,
    ));
    for is_active in [true, false] {
        for (valid_from, valid_to) in [
            (Instant::MIN, Instant::MAX),
            (Instant(0), Instant(86_400_000_000)),
        ] {
            let reach = Reached {
                id: RecordId([2; 16]),
                patient: PATIENT,
                reader: &reader,
                source: &source,
                categories: Categories::ALL,
                valid_from,
                valid_to,
                since: Instant(0),
                is_active,
            };
            check(consent::render(&reach, &on(&network)));
        }
    }
}

#[test]
fn bundles() {
    let matches = vec![check_record(&of_condition(full_condition()), "Condition")];
    let bundle = Bundle {
        base: "https://hub.example.jp/fhir",
        kind: "Condition",
        total: 2,
        matches,
        included: Vec::new(),
        query: "patient=x&_count=1",
        next: Some("abc".to_owned()),
    };
    let bundle = check(json::Value::from(bundle));
    let entry = &bundle["entry"][0];
    let address = format!(
        "https://hub.example.jp/fhir/Condition/{}",
        entry["resource"]["id"].as_str().unwrap()
    );
    assert_eq!(entry["fullUrl"], address);
    assert_eq!(
        bundle["link"][0]["url"],
        "https://hub.example.jp/fhir/Condition?patient=x&_count=1"
    );
    assert_eq!(
        bundle["link"][1]["url"],
        "https://hub.example.jp/fhir/Condition?_cursor=abc"
    );
    let empty = Bundle {
        total: 0,
        matches: Vec::new(),
        included: Vec::new(),
        next: None,
        base: "b:",
        kind: "Condition",
        query: "",
    };
    let empty = check(json::Value::from(empty));
    assert_eq!(
        empty,
        json!({
            "resourceType": "Bundle",
            "type": "searchset",
            "total": 0,
            "link": [{"relation": "self", "url": "b:/Condition"}],
        })
    );
}

#[test]
fn refusals() {
    let all = [
        Error::Invalid("x".to_owned()),
        Error::Unsupported("x".to_owned()),
        Error::NotSignedIn,
        Error::Forbidden,
        Error::NotFound,
        Error::Method,
        Error::NotAcceptable,
        Error::TooLarge,
        Error::MediaType,
        Error::TooFewCriteria("x"),
        Error::Throttled(Some(60)),
        Error::Unavailable(None),
        Error::Internal,
    ];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for error in all {
        let (status, code) = error.status();
        let response = error.into_response();
        assert_eq!(response.status(), status);
        assert_eq!(
            response.headers()["content-type"],
            "application/fhir+json; charset=utf-8"
        );
        let body = runtime
            .block_on(to_bytes(response.into_body(), 10_000))
            .unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        let outcome = check(json::Value::written(body));
        assert_eq!(outcome["issue"][0]["code"], code);
    }
}

/// A rule that never fails proves nothing: each of these breaks one.
#[test]
fn the_rules_find_what_breaks_them() {
    let network = network();
    let good = plain(render(&of_condition(full_condition()), &on(&network)).unwrap());
    let breaks = |change: fn(&mut Value), rule: &str| {
        let mut bad = good.clone();
        change(&mut bad);
        let broken = validate(&bad);
        assert!(
            broken.iter().any(|one| one.contains(rule)),
            "{rule}: {broken:?}"
        );
    };
    breaks(
        |bad| bad["abatementDateTime"] = json!("2024-05-09"),
        "con-4",
    );
    breaks(
        |bad| bad["verificationStatus"]["coding"][0]["code"] = json!("entered-in-error"),
        "con-5",
    );
    breaks(|bad| bad["clinicalStatus"] = json!({"text": "?"}), "con-3");
    breaks(|bad| bad["recorder"] = json!({"display": "x"}), "dom-3");
    breaks(
        |bad| bad["recorder"]["reference"] = json!("#nobody"),
        "inner reference",
    );
    breaks(|bad| bad["note"] = json!([]), "empty array");
    breaks(|bad| bad["note"] = json!([{"text": null}]), "no null");
    breaks(|bad| bad["onsetDateTime"] = json!("2024/05/08"), "dateTime");
    breaks(|bad| bad["onsetString"] = json!("昨日"), "one onset");
    breaks(
        |bad| bad["extension"][0]["extension"] = json!([{"url": "x:y", "valueString": "z"}]),
        "ext-1",
    );
    breaks(
        |bad| bad["subject"]["reference"] = json!("Patient/a/b"),
        "ref-1",
    );
    breaks(|bad| bad["meta"]["profile"] = json!([]), "JP Core profile");
    breaks(
        |bad| bad["note"] = json!([{"text": "JP_Insurance_memberID"}]),
        "never leaves",
    );
}
