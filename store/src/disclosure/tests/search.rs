//! Codes, facets and ids. Codes are found by keyed digests, with a system or without.

use model::code::{CodeSystem, Coding};
use model::id::PatientNumber;
use model::record::{Body, Kind, Record, facet};

use super::scene::{PATIENT, Reader, diagnosis, id_of, keep, lab, open_patient};
use crate::disclosure::{CodeQuery, RecordQuery, Refused};
use crate::testing::on_both;

/// A result with codes, of which the last one is the facility's own.
fn coded(name: &str, codes: &[(CodeSystem, &str)]) -> Record {
    let mut record = lab(name);
    if let Body::Observation(lab) = &mut record.body {
        let coding = |(system, code): &(CodeSystem, &str)| Coding {
            system: Some(system.clone()),
            code: (*code).to_owned(),
            display: None,
        };
        lab.code.codings = codes.iter().map(coding).collect();
    }
    record
}

fn any(code: &str) -> CodeQuery {
    CodeQuery {
        system: None,
        code: code.to_owned(),
    }
}

fn of(system: CodeSystem, code: &str) -> CodeQuery {
    CodeQuery {
        system: Some(system),
        code: code.to_owned(),
    }
}

fn own() -> CodeSystem {
    CodeSystem::Local("99X01".to_owned())
}

async fn check(codes: Vec<CodeQuery>, expected: &str) {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let loinc = CodeSystem::Loinc;
        let records = vec![
            coded(
                "sodium",
                &[(CodeSystem::Jlac10, "3H010000002326101"), (own(), "NA")],
            ),
            coded(
                "noradrenalin",
                &[(CodeSystem::Other("99Y".to_owned()), "NA")],
            ),
            coded(
                "potassium",
                &[
                    (loinc, "2823-3"),
                    (CodeSystem::Jlac10, "3H015000002326101"),
                    (own(), "K"),
                ],
            ),
            lab("uncoded"),
        ];
        keep(&stage.store, PATIENT, records).await;
        let query = RecordQuery {
            codes: codes.clone(),
            ..RecordQuery::new(Kind::Observation)
        };
        assert_eq!(
            Reader::physician(&stage.store)
                .names(&query)
                .await
                .join(" "),
            expected
        );
    })
    .await;
}

#[tokio::test]
async fn a_code_is_found_in_its_system() {
    check(vec![of(CodeSystem::Jlac10, "3H010000002326101")], "sodium").await;
}

#[tokio::test]
async fn a_code_is_found_at_any_place_among_the_codings() {
    check(vec![of(own(), "K")], "potassium").await;
}

#[tokio::test]
async fn a_code_without_a_system_is_found_in_all_of_them() {
    check(vec![any("NA")], "noradrenalin sodium").await;
}

#[tokio::test]
async fn the_same_code_of_another_system_is_not_meant() {
    check(vec![of(own(), "NA")], "sodium").await;
}

#[tokio::test]
async fn a_code_is_not_found_by_its_beginning() {
    check(vec![any("3H010"), any("N"), any("")], "").await;
}

#[tokio::test]
async fn alternatives_add_up() {
    check(
        vec![any("2823-3"), any("nothing"), of(own(), "NA")],
        "potassium sodium",
    )
    .await;
}

#[tokio::test]
async fn more_alternatives_than_fit_are_refused() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let reader = Reader::physician(&stage.store);
        let view = reader.view(PATIENT).await.unwrap();
        let codes = |count| RecordQuery {
            codes: vec![any("NA"); count],
            ..RecordQuery::new(Kind::Observation)
        };
        assert!(view.records(&codes(16)).await.is_ok());
        assert!(matches!(
            view.records(&codes(17)).await,
            Err(Refused::NotFound)
        ));
    })
    .await;
}

#[tokio::test]
async fn each_facet_narrows() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let mut resolved = diagnosis("resolved");
        if let Body::Condition(condition) = &mut resolved.body {
            condition.clinical = model::condition::ClinicalStatus::Resolved;
        }
        keep(
            &stage.store,
            PATIENT,
            vec![diagnosis("active"), resolved, lab("result")],
        )
        .await;
        let reader = Reader::physician(&stage.store);
        let names = async |facets: &[i64]| {
            let query = RecordQuery {
                facets: facets.to_vec(),
                ..RecordQuery::new(Kind::Condition)
            };
            reader.names(&query).await.join(" ")
        };
        assert_eq!(names(&[]).await, "active resolved");
        assert_eq!(names(&[facet::ACTIVE]).await, "active");
        assert_eq!(
            names(&[facet::ACTIVE | facet::RESOLVED]).await,
            "active resolved"
        );
        assert_eq!(
            names(&[facet::ACTIVE | facet::RESOLVED, facet::RESOLVED]).await,
            "resolved"
        );
        assert_eq!(names(&[facet::ACTIVE, facet::RESOLVED]).await, "");
    })
    .await;
}

#[tokio::test]
async fn ids_name_records_of_this_patient_only() {
    on_both(async |stage| {
        let other = PatientNumber(2);
        for number in [PATIENT, other] {
            open_patient(&stage.store, number).await;
            keep(
                &stage.store,
                number,
                vec![lab("a"), lab("b"), diagnosis("c")],
            )
            .await;
        }
        let reader = Reader::physician(&stage.store);
        let names = async |ids: Vec<model::id::RecordId>| {
            reader
                .names(&RecordQuery {
                    ids,
                    ..RecordQuery::new(Kind::Observation)
                })
                .await
                .join(" ")
        };
        let id = |number, name: &str| id_of(&stage.store, number, &lab(name));
        assert_eq!(names(vec![id(PATIENT, "b")]).await, "b");
        assert_eq!(names(vec![id(PATIENT, "b"), id(PATIENT, "a")]).await, "a b");
        assert_eq!(names(vec![id(other, "a")]).await, "");
        assert_eq!(names(vec![model::id::RecordId([3; 16])]).await, "");
        // A diagnosis is no observation.
        assert_eq!(
            names(vec![id_of(&stage.store, PATIENT, &diagnosis("c"))]).await,
            ""
        );
        let view = reader.view(PATIENT).await.unwrap();
        assert!(matches!(
            view.record(Kind::Observation, id(other, "a")).await,
            Err(Refused::NotFound)
        ));
        assert!(
            view.record(Kind::Observation, id(PATIENT, "a"))
                .await
                .is_ok()
        );
    })
    .await;
}
