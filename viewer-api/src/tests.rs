//! The face as its readers meet it: real store, real sign-in, requests over the router.

mod limits;
mod stage;

use axum::http::{Request, StatusCode};
use model::code::Concept;
use model::encounter::{EncounterClass, EncounterStatus};
use model::id::PatientId;
use model::medication::MedicationKind;
use model::network::Profession;
use model::observation::{Observation, ObservationCategory};
use model::record::{Category, ReadRecord, Record};
use model::time::Instant;
use serde_json::Value;

use crate::fhir::tests::bodies;
use crate::fhir::tests::fhir_rules::validate;
use crate::{Interaction, routes};
use stage::{CLINIC, PHARMACY, Stage};

fn record(read: ReadRecord, key: &str) -> Record {
    let mut meta = read.meta;
    meta.source_key = key.to_owned();
    Record {
        meta,
        body: read.body,
    }
}

fn lab(number: u32) -> Record {
    let code = Concept::text(format!("検査{number}"));
    let body = Observation {
        code,
        ..bodies::full_observation(ObservationCategory::Laboratory)
    };
    record(bodies::of_observation(body), &format!("lab{number}"))
}

/// Seven results, a weight, and one of every other kind.
fn records() -> Vec<Record> {
    let mut weight = bodies::of_observation(bodies::full_observation(
        ObservationCategory::BodyMeasurement,
    ));
    weight.meta.category = Category::Demographics;
    let stay = bodies::full_encounter(EncounterClass::Inpatient, EncounterStatus::Finished);
    let single = [
        record(bodies::of_patient(bodies::full_patient()), "patient"),
        record(weight, "weight"),
        record(bodies::of_encounter(stay), "stay"),
        record(bodies::of_condition(bodies::full_condition()), "condition"),
        record(bodies::of_allergy(bodies::full_allergy()), "allergy"),
        record(
            bodies::of_medication(bodies::full_medication(MedicationKind::Prescription)),
            "drug",
        ),
    ];
    single.into_iter().chain((1..=7).map(lab)).collect()
}

async fn stage() -> (Stage, String) {
    let stage = Stage::open(records()).await;
    let physician = stage
        .person("physician", Profession::Physician, CLINIC)
        .await;
    (stage, physician)
}

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned())
        .collect()
}

fn kinds(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|entry| {
            entry["resource"]["resourceType"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// An id of each type, as a search of the type finds it.
async fn id_of(stage: &Stage, token: &str, kind: &str) -> String {
    let uri = match kind {
        "Patient" | "Organization" => {
            return if kind == "Patient" {
                stage.patient.to_string()
            } else {
                CLINIC.to_owned()
            };
        }
        "Provenance" => format!("/fhir/Condition?patient={}", stage.patient),
        kind => format!("/fhir/{kind}?patient={}", stage.patient),
    };
    let bundle = stage.get(token, &uri).await.json();
    ids(&bundle)
        .first()
        .cloned()
        .unwrap_or_else(|| panic!("no {kind}: {bundle}"))
}

#[tokio::test]
async fn every_route_answers_its_reader_by_the_rules() {
    let (stage, physician) = stage().await;
    for route in routes() {
        let id = if route.resource.is_empty() {
            String::new()
        } else {
            id_of(&stage, &physician, route.resource).await
        };
        let answer = stage
            .ask(&physician, route.example(&id, &stage.patient.to_string()))
            .await;
        assert_eq!(
            answer.status,
            StatusCode::OK,
            "{} {}: {}",
            route.method,
            route.path,
            answer.text
        );
        assert_eq!(
            answer.headers["content-type"],
            "application/fhir+json; charset=utf-8"
        );
        assert_eq!(answer.headers["cache-control"], "private, no-store");
        assert_eq!(answer.headers["vary"], "Authorization");
        let broken = validate(&answer.json());
        assert!(broken.is_empty(), "{}: {broken:#?}", route.path);
        if route.interaction == Interaction::Search && route.resource != "Organization" {
            assert_ne!(answer.json()["total"], 0, "{}", route.path);
        }
    }
}

/// Whoever has no grant cannot tell a patient who exists from one who does not.
#[tokio::test]
async fn without_a_grant_a_patient_does_not_exist() {
    let (stage, physician) = stage().await;
    let stranger = stage
        .person("stranger", Profession::Physician, PHARMACY)
        .await;
    let nobody = PatientId([9; 16]).to_string();
    for route in routes()
        .iter()
        .filter(|route| !["", "Organization"].contains(&route.resource))
    {
        let id = id_of(&stage, &physician, route.resource).await;
        let real = stage
            .ask(&stranger, route.example(&id, &stage.patient.to_string()))
            .await;
        let unreal = stage.ask(&stranger, route.example(&nobody, &nobody)).await;
        assert_eq!(real.status, unreal.status, "{}", route.path);
        let told = real.text.replace(&stage.patient.to_string(), &nobody);
        assert_eq!(told, unreal.text, "{}", route.path);
        assert_eq!(real.headers, unreal.headers, "{}", route.path);
    }
}

#[tokio::test]
async fn a_role_without_the_right_is_refused_whoever_the_patient_is() {
    let (stage, _) = stage().await;
    let secretariat = stage
        .person("secretariat", Profession::Secretariat, CLINIC)
        .await;
    let pharmacist = stage
        .person("pharmacist", Profession::Pharmacist, CLINIC)
        .await;
    let nobody = PatientId([9; 16]);
    for patient in [stage.patient, nobody] {
        for route in routes()
            .iter()
            .filter(|route| !["", "Organization"].contains(&route.resource))
        {
            let example = route.example(&patient.to_string(), &patient.to_string());
            assert_eq!(
                stage.ask(&secretariat, example).await.status,
                StatusCode::FORBIDDEN,
                "{}",
                route.path
            );
        }
        for (query, expected) in [
            ("Condition?", 403),
            ("Encounter?", 403),
            ("Observation?category=laboratory&", 200),
        ] {
            let answer = stage
                .get(&pharmacist, &format!("/fhir/{query}patient={patient}"))
                .await;
            assert_eq!(answer.status, expected, "{query}");
        }
    }
}

#[tokio::test]
async fn pages_hold_everything_once_and_belong_to_one_person() {
    let (stage, physician) = stage().await;
    let colleague = stage
        .person("colleague", Profession::Physician, CLINIC)
        .await;
    let mut uri = format!(
        "/fhir/Observation?patient={}&category=laboratory&_count=3",
        stage.patient
    );
    let (mut sizes, mut seen) = (Vec::new(), Vec::new());
    loop {
        let page = stage.get(&physician, &uri).await.json();
        assert_eq!(page["total"], 7);
        assert!(validate(&page).is_empty());
        sizes.push(ids(&page).len());
        seen.extend(ids(&page));
        let Some(next) = page["link"][1]["url"].as_str() else {
            break;
        };
        uri = next.replace("https://hub.example.jp", "");
        assert_eq!(
            stage.get(&colleague, &uri).await.status,
            StatusCode::NOT_FOUND
        );
        let other_type = uri.replace("/Observation?", "/Condition?");
        assert_eq!(
            stage.get(&physician, &other_type).await.status,
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!(sizes, [3, 3, 1]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn a_long_page_says_what_short_ones_say_in_their_order() {
    let stage = Stage::open((1..=150).map(lab).collect()).await;
    let physician = stage
        .person("physician", Profession::Physician, CLINIC)
        .await;
    let search = format!("/fhir/Observation?patient={}", stage.patient);
    let page = async |uri: &str| stage.get(&physician, uri).await.json();
    let long = page(&format!("{search}&_count=200")).await;
    let (mut uri, mut short) = (format!("{search}&_count=40"), Vec::new());
    loop {
        let page = page(&uri).await;
        short.extend(page["entry"].as_array().unwrap().clone());
        let Some(next) = page["link"][1]["url"].as_str() else {
            break;
        };
        uri = next.replace("https://hub.example.jp", "");
    }
    assert_eq!((short.len(), &long["total"]), (150, &Value::from(150)));
    assert_eq!(long["entry"], Value::from(short));
}

/// A consent resource is the reader's own reach: nobody else's id leads to it, or tells of it.
#[tokio::test]
async fn a_consent_is_its_readers_own() {
    let (stage, physician) = stage().await;
    let colleague = stage
        .person("colleague", Profession::Physician, CLINIC)
        .await;
    let nurse = stage.person("nurse", Profession::Nurse, CLINIC).await;
    let mut ids = Vec::new();
    for reader in [&physician, &colleague, &nurse] {
        let id = id_of(&stage, reader, "Consent").await;
        let own = stage.get(reader, &format!("/fhir/Consent/{id}")).await;
        assert_eq!(own.status, StatusCode::OK, "{}", own.text);
        ids.push(id);
    }
    let nobody = PatientId([9; 16]).to_string();
    let unreal = stage
        .get(&physician, &format!("/fhir/Consent/{nobody}"))
        .await;
    for id in &ids[1..] {
        let other = stage.get(&physician, &format!("/fhir/Consent/{id}")).await;
        assert_eq!(
            (other.status, &other.text),
            (StatusCode::NOT_FOUND, &unreal.text)
        );
        let uri = format!("/fhir/Consent?patient={}&_id={id}", stage.patient);
        assert_eq!(stage.get(&physician, &uri).await.json()["total"], 0);
    }
    let again = id_of(&stage, &physician, "Consent").await;
    assert_eq!(again, ids[0], "the id stays");
}

#[tokio::test]
async fn what_comes_along_is_what_was_asked_for() {
    let (stage, physician) = stage().await;
    let asked = format!(
        "/fhir/Condition?patient={}&_include=*:patient&_revinclude=Provenance:target",
        stage.patient
    );
    let bundle = stage.get(&physician, &asked).await.json();
    assert_eq!(kinds(&bundle), ["Condition", "Patient", "Provenance"]);
    assert_eq!(bundle["total"], 1);
    assert!(validate(&bundle).is_empty());
    let target = bundle["entry"][2]["resource"]["target"][0]["reference"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        bundle["entry"][0]["fullUrl"]
            .as_str()
            .unwrap()
            .ends_with(&target)
    );
}

#[tokio::test]
async fn filters_find_what_they_say() {
    let (stage, physician) = stage().await;
    for (query, expected) in [
        ("Observation?category=body-measurement", 1),
        ("Observation?category=laboratory,body-measurement", 8),
        ("Observation?category=unheard-of", 0),
        ("Observation?date=2024-05-10", 8),
        ("Observation?date=gt2024-05-10", 0),
        ("Observation?date=ge2024-05&_count=0", 8),
        ("Condition?clinical-status=active", 1),
        ("Condition?clinical-status=resolved", 0),
        ("Condition?code=K291", 1),
        ("Condition?code=urn:oid:1.2.392.200119.4.101.2|20054174", 1),
        ("Condition?code=http://other|20054174", 0),
        (
            "MedicationRequest?code=103835401&status=active&category=O",
            1,
        ),
        ("MedicationRequest?status=stopped", 0),
        ("AllergyIntolerance?category=medication", 1),
        ("Encounter?class=IMP", 1),
        ("Encounter?class=AMB", 0),
        ("Consent?status=active", 1),
        ("Consent?status=inactive", 0),
        ("Consent?_lastUpdated=2026-04-01&_sort=-_lastUpdated", 1),
        ("Consent?_lastUpdated=lt2026-04-01", 0),
    ] {
        let answer = stage
            .get(
                &physician,
                &format!("/fhir/{query}&patient={}", stage.patient),
            )
            .await;
        assert_eq!(answer.json()["total"], expected, "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_person_is_found_by_enough_and_not_by_less() {
    let (stage, physician) = stage().await;
    let system = "urn:oid:1.2.392.100495.20.3.51.11319999901";
    for (query, expected) in [
        (format!("identifier={system}%7C0000123456"), 1),
        (format!("identifier={system}%7C0000123457"), 0),
        ("name=%E8%A6%8B%E6%9C%AC&birthdate=1948-04-15".to_owned(), 1),
        ("family=%E8%A6%8B%E6%9C%AC&gender=female".to_owned(), 1),
        ("name=%E8%A6%8B%E6%9C%AC&birthdate=1948-04-16".to_owned(), 0),
        (format!("_id={}", stage.patient), 1),
        (format!("_id={}&gender=male", stage.patient), 0),
        (format!("_id={}&gender=female", stage.patient), 1),
        (format!("_id={}&gender=female", PatientId([9; 16])), 0),
        (format!("_id={}&_lastUpdated=2026-04-01", stage.patient), 1),
        (
            format!("_id={}&_lastUpdated=ne2026-04-01", stage.patient),
            0,
        ),
        (
            "birthdate=1948-04-15&gender=female&_lastUpdated=ge2026-04-01&_sort=-_lastUpdated"
                .to_owned(),
            1,
        ),
        (
            "birthdate=1948-04-15&gender=female&_lastUpdated=gt2026-04-01".to_owned(),
            0,
        ),
        (format!("_id={}", PatientId([9; 16])), 0),
    ] {
        let bundle = stage
            .get(&physician, &format!("/fhir/Patient?{query}"))
            .await
            .json();
        assert_eq!(bundle["total"], expected, "{query}: {bundle}");
        assert!(validate(&bundle).is_empty());
    }
    for too_little in ["", "name=%E8%A6%8B%E6%9C%AC", "gender=female"] {
        let answer = stage
            .get(&physician, &format!("/fhir/Patient?{too_little}"))
            .await;
        assert_eq!(
            answer.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{too_little}"
        );
    }
}

#[tokio::test]
async fn the_face_says_of_itself_what_can_be_asked() {
    let (stage, physician) = stage().await;
    let statement = stage.get(&physician, "/fhir/metadata").await.json();
    let offered = |kind: &str| {
        let resources = statement["rest"][0]["resource"].as_array().unwrap();
        let resource = resources.iter().find(|one| one["type"] == kind).unwrap();
        let parameters = resource["searchParam"].as_array().unwrap().iter();
        parameters
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    for kind in ["Patient", "Consent", "Condition"] {
        assert!(offered(kind).contains(&"_lastUpdated".to_owned()), "{kind}");
    }
    assert_eq!(offered("Organization"), ["_id"]);
    for asked in ["_lastUpdated=ge2026-04-01", "_sort=_lastUpdated"] {
        let answer = stage
            .get(&physician, &format!("/fhir/Organization?{asked}"))
            .await;
        assert_eq!(answer.status, 400, "{asked}");
    }
}

#[tokio::test]
async fn a_reader_who_has_the_version_gets_no_second_copy() {
    let (stage, physician) = stage().await;
    let id = id_of(&stage, &physician, "Condition").await;
    let uri = format!("/fhir/Condition/{id}");
    let first = stage.get(&physician, &uri).await;
    let tag = first.headers["etag"].to_str().unwrap();
    assert!(first.headers.contains_key("last-modified"));
    let again = stage
        .get_with(&physician, &uri, &[("if-none-match", tag)])
        .await;
    assert_eq!(
        (again.status, again.text.as_str()),
        (StatusCode::NOT_MODIFIED, "")
    );
    assert_eq!(again.headers["cache-control"], "private, no-store");
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_told_so_in_fhir() {
    let (stage, _) = stage().await;
    for route in routes() {
        let example = route.example(&stage.patient.to_string(), &stage.patient.to_string());
        let answer = stage.ask("wrong", example).await;
        if route.interaction == Interaction::Capabilities {
            assert_eq!(answer.status, StatusCode::OK);
            continue;
        }
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", route.path);
        assert!(
            answer.headers["www-authenticate"]
                .to_str()
                .unwrap()
                .starts_with("Bearer")
        );
        assert_eq!(answer.json()["issue"][0]["code"], "login");
    }
}

#[tokio::test]
async fn what_is_not_offered_is_refused_in_fhir() {
    let (stage, physician) = stage().await;
    let patient = stage.patient;
    let search = format!("/fhir/Condition?patient={patient}");
    let xml = [("accept", "application/fhir+xml")];
    assert_eq!(stage.get_with(&physician, &search, &xml).await.status, 406);
    let strict = [("prefer", "handling=strict")];
    assert_eq!(
        stage
            .get_with(&physician, &format!("{search}&foo=1"), &strict)
            .await
            .status,
        400
    );
    assert_eq!(stage.get(&physician, "/fhir/Condition").await.status, 400);
    assert_eq!(stage.get(&physician, "/fhir/Coverage").await.status, 404);
    assert_eq!(stage.get(&physician, "/fhir").await.status, 404);
    let posted = |body: String, kind: &str| {
        let request = Request::post("/fhir/Condition/_search")
            .header("authorization", format!("Bearer {physician}"));
        (request.header("content-type", kind.to_owned()), body)
    };
    let form = "application/x-www-form-urlencoded";
    for (request, expected) in [
        (posted("{}".to_owned(), "application/json"), 415),
        (posted("a".repeat(100_000), form), 413),
        (posted(format!("patient={patient}"), form), 200),
    ] {
        let answer = stage.send(request.0, request.1).await;
        assert_eq!(answer.status, expected, "{}", answer.text);
    }
    let put =
        Request::put("/fhir/Condition/x").header("authorization", format!("Bearer {physician}"));
    let answer = stage.send(put, String::new()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.json()["resourceType"], "OperationOutcome");
}

/// Also an answer that no record had a part in has its row before it goes out, with what was asked
/// for sealed.
#[tokio::test]
async fn what_is_refused_for_its_form_is_in_the_audit_too() {
    let (stage, physician) = stage().await;
    let rows = async || {
        let audit = stage.store.audit();
        audit.rows(Instant::MIN, Instant::MAX, 1_000).await.unwrap()
    };
    for (uri, status) in [
        ("/fhir/Condition?_cursor=AAAA", "404"),
        ("/fhir/Condition?patient=x&date=soon&code=K291", "200"),
        ("/fhir/Condition?patient=x&_sort=soon", "400"),
        ("/fhir/Condition", "400"),
        ("/fhir/Patient?gender=female", "422"),
        ("/fhir/Patient/x?_format=xml", "406"),
    ] {
        let before = rows().await.len();
        let answer = stage.get(&physician, uri).await;
        assert_eq!(answer.status.as_str(), status, "{uri}");
        let new = rows().await.split_off(before);
        let [row] = &new[..] else {
            panic!("{uri}: {} rows", new.len());
        };
        assert_eq!(row.role.as_deref(), Some("physician"));
        assert!(!row.permitted, "{uri}");
        assert!(row.route.as_deref().unwrap().starts_with("/fhir/"), "{uri}");
        if status != "200" {
            assert_eq!(row.reason.as_deref(), Some(status), "{uri}");
        }
        assert_eq!(row.parameters.is_some(), uri.contains('?'), "{uri}");
        let said = format!("{row:?}");
        assert!(
            !["AAAA", "female", "soon"]
                .iter()
                .any(|word| said.contains(word)),
            "{said}"
        );
    }
}
