//! The limits of the regulation over HTTP: 429 tells of the requester, never of a patient.

use axum::http::StatusCode;
use model::id::{PatientId, RecordId};
use model::network::{Limits, Profession};
use model::time::Instant;

use super::stage::{CLINIC, Stage};
use super::{id_of, records};
use crate::{Interaction, routes};

const UNLIMITED: Limits = Limits {
    requests_per_minute: None,
    searches_per_minute: None,
    patients_per_hour: None,
};

async fn stage(limits: Limits) -> (Stage, String) {
    let stage = Stage::limited(records(), limits).await;
    let physician = stage
        .person("physician", Profession::Physician, CLINIC)
        .await;
    (stage, physician)
}

/// Statuses of the same request, again and again.
async fn check(stage: &Stage, token: &str, uri: &str, expected: &[u16]) {
    for status in expected {
        assert_eq!(stage.get(token, uri).await.status, *status, "{uri}");
    }
}

fn nobody(number: u8) -> PatientId {
    PatientId([number; 16])
}

#[tokio::test]
async fn requests_above_the_limit_wait_for_the_next_minute() {
    let limits = Limits {
        requests_per_minute: Some(2),
        ..UNLIMITED
    };
    let (stage, physician) = stage(limits).await;
    let uri = format!("/fhir/Organization/{CLINIC}");
    check(&stage, &physician, &uri, &[200, 200, 429, 429]).await;
    let refused = stage.get(&physician, &uri).await;
    assert_eq!(refused.headers["retry-after"], "60");
    assert_eq!(refused.json()["resourceType"], "OperationOutcome");
    assert_eq!(refused.json()["issue"][0]["code"], "throttled");
    let colleague = stage
        .person("colleague", Profession::Physician, CLINIC)
        .await;
    check(&stage, &colleague, &uri, &[200]).await;
    stage.clock.set(stage.clock.now().plus_seconds(60));
    check(&stage, &physician, &uri, &[200]).await;
}

#[tokio::test]
async fn a_run_of_refusals_is_one_row_of_the_audit() {
    let limits = Limits {
        requests_per_minute: Some(1),
        ..UNLIMITED
    };
    let (stage, physician) = stage(limits).await;
    let uri = format!("/fhir/Organization/{CLINIC}");
    check(&stage, &physician, &uri, &[200, 429, 429, 429]).await;
    stage.clock.set(stage.clock.now().plus_seconds(60));
    check(&stage, &physician, &uri, &[200, 429]).await;
    let audit = stage.store.audit();
    let rows = audit.rows(Instant::MIN, Instant::MAX, 1_000).await.unwrap();
    let refusals: Vec<_> = rows.iter().filter(|row| !row.permitted).collect();
    assert_eq!(refusals.len(), 2);
    for row in refusals {
        assert_eq!(row.reason.as_deref(), Some("THROTTLED"));
        assert_eq!(row.detail.as_deref(), Some("limits.requests_per_minute"));
        assert_eq!(row.route.as_deref(), Some("/fhir/Organization/{id}"));
        assert_eq!(row.role.as_deref(), Some("physician"));
    }
}

#[tokio::test]
async fn searches_are_limited_and_their_pages_and_reads_are_not() {
    let limits = Limits {
        searches_per_minute: Some(2),
        ..UNLIMITED
    };
    let (stage, physician) = stage(limits).await;
    let uri = format!("/fhir/Observation?patient={}&_count=3", stage.patient);
    let page = stage.get(&physician, &uri).await.json();
    let next = page["link"][1]["url"].as_str().unwrap();
    let next = next.replace("https://hub.example.jp", "");
    check(&stage, &physician, &next, &[200, 200]).await;
    check(&stage, &physician, &uri, &[200, 429]).await;
    let read = format!("/fhir/Patient/{}", stage.patient);
    check(&stage, &physician, &read, &[200, 200]).await;
}

/// The same ways of asking for somebody who exists and for somebody who does not use up the same.
#[tokio::test]
async fn patients_count_alike_whether_or_not_they_exist() {
    let limits = Limits {
        patients_per_hour: Some(2),
        ..UNLIMITED
    };
    let (stage, physician) = stage(limits).await;
    let existing = stage.patient;
    let stranger = stage.person("stranger", Profession::Nurse, CLINIC).await;
    for (token, first) in [(&physician, existing), (&stranger, nobody(1))] {
        let reads = |patient| format!("/fhir/Patient/{patient}");
        let found = if first == existing { 200 } else { 404 };
        check(&stage, token, &reads(first), &[found, found]).await;
        let search = |patient| format!("/fhir/Condition?patient={patient}");
        check(&stage, token, &search(nobody(2)), &[200, 200]).await;
        check(&stage, token, &search(first), &[200]).await;
        check(&stage, token, &reads(nobody(3)), &[429]).await;
        check(&stage, token, &search(nobody(3)), &[429]).await;
        let by_id = format!("/fhir/Patient?_id={first},{}", nobody(3));
        check(&stage, token, &by_id, &[429]).await;
    }
    // At the limit, another one who exists is refused like one who does not.
    let late = stage.person("late", Profession::Physician, CLINIC).await;
    for number in [1, 2] {
        check(
            &stage,
            &late,
            &format!("/fhir/Patient/{}", nobody(number)),
            &[404],
        )
        .await;
    }
    let real = stage.get(&late, &format!("/fhir/Patient/{existing}")).await;
    let unreal = stage
        .get(&late, &format!("/fhir/Patient/{}", nobody(3)))
        .await;
    assert_eq!(real.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!((real.text, real.headers), (unreal.text, unreal.headers));
}

#[tokio::test]
async fn records_count_as_their_patient_and_guessed_ones_as_another_each() {
    let limits = Limits {
        patients_per_hour: Some(2),
        ..UNLIMITED
    };
    let (stage, physician) = stage(limits).await;
    for route in routes() {
        let reads = route.interaction == Interaction::Read;
        if reads && !["Patient", "Organization", "Provenance"].contains(&route.resource) {
            let id = id_of(&stage, &physician, route.resource).await;
            let uri = route.path.replace("{id}", &id);
            check(&stage, &physician, &uri, &[200]).await;
        }
    }
    let guess = |number: u8| format!("/fhir/Condition/{}", RecordId([number; 16]));
    check(&stage, &physician, &guess(1), &[404]).await;
    check(&stage, &physician, &guess(2), &[429]).await;
}
