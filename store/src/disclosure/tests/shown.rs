//! How records look that are not simply current, and what is never shown.

use model::condition::ClinicalStatus;
use model::record::{Body, Kind, Record, Sensitivity, facet};

use super::scene::{
    PATIENT, Reader, demographics, diagnosis, file, id_of, keep, lab, name, on, open_patient,
};
use crate::db::params;
use crate::disclosure::{RecordQuery, Refused};
use crate::intake::Standing;
use crate::testing::on_both;

#[tokio::test]
async fn bodies_in_rows_and_in_frames_come_back_as_they_were() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let rows = vec![
            on(lab("row 1"), "2024-05-04"),
            on(lab("row 2"), "2024-05-02"),
        ];
        keep(&stage.store, PATIENT, rows.clone()).await;
        let first = vec![
            on(lab("first 1"), "2024-05-03"),
            on(lab("first 2"), "2024-05-06"),
        ];
        let second = vec![on(lab("second 1"), "2024-05-05")];
        let current = |records: &[Record]| {
            records
                .iter()
                .map(|record| (record.clone(), Standing::Current))
                .collect()
        };
        file(&stage.store, PATIENT, "first", current(&first)).await;
        file(&stage.store, PATIENT, "second", current(&second)).await;
        let page = Reader::physician(&stage.store)
            .page(&RecordQuery::new(Kind::Observation))
            .await;
        let names: Vec<String> = page.items.iter().map(|record| name(record)).collect();
        assert_eq!(names, ["first 2", "second 1", "row 1", "first 1", "row 2"]);
        for written in [rows, first, second].concat() {
            let read = page
                .items
                .iter()
                .find(|read| read.id == id_of(&stage.store, PATIENT, &written))
                .unwrap();
            assert!(read.body == written.body && read.meta.occurred == written.meta.occurred);
            assert_eq!(
                read.meta.source_key, "",
                "the facility's own key stays inside"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn columns_that_somebody_changed_open_nothing() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("row")]).await;
        let filed = vec![(lab("filed"), Standing::Current)];
        file(&stage.store, PATIENT, "filed", filed).await;
        let reader = Reader::physician(&stage.store);
        let query = RecordQuery::new(Kind::Observation);
        assert_eq!(reader.names(&query).await, ["filed", "row"]);
        for change in [
            "update record set category = 1",
            "update record set occurred_from = occurred_from + 1",
        ] {
            stage
                .store
                .0
                .records
                .execute(change, params![])
                .await
                .unwrap();
            let view = reader.view(PATIENT).await.unwrap();
            assert!(matches!(
                view.records(&query).await,
                Err(Refused::Broken(_))
            ));
        }
    })
    .await;
}

#[tokio::test]
async fn a_diagnosis_that_left_its_list_is_inactive_and_says_why() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let list = vec![
            (diagnosis("stays"), Standing::Current),
            (diagnosis("left"), Standing::Absent),
        ];
        file(&stage.store, PATIENT, "list", list).await;
        let reader = Reader::physician(&stage.store);
        let page = reader.page(&RecordQuery::new(Kind::Condition)).await;
        for record in &page.items {
            let Body::Condition(condition) = &record.body else {
                panic!("no diagnosis")
            };
            let left = name(record) == "left";
            let expected = if left {
                ClinicalStatus::Inactive
            } else {
                ClinicalStatus::Active
            };
            assert_eq!(condition.clinical, expected);
            assert_eq!(
                condition.notes.iter().any(|note| note.contains("記載なし")),
                left
            );
        }
        let inactive = RecordQuery {
            facets: vec![facet::INACTIVE],
            ..RecordQuery::new(Kind::Condition)
        };
        assert_eq!(reader.names(&inactive).await, ["left"]);
    })
    .await;
}

#[tokio::test]
async fn a_record_of_superseded_files_is_marked() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        file(
            &stage.store,
            PATIENT,
            "old",
            vec![(lab("old"), Standing::SupersededOnly)],
        )
        .await;
        file(
            &stage.store,
            PATIENT,
            "new",
            vec![(lab("new"), Standing::Current)],
        )
        .await;
        let page = Reader::physician(&stage.store)
            .page(&RecordQuery::new(Kind::Observation))
            .await;
        for record in &page.items {
            assert_eq!(record.superseded_only, name(record) == "old");
        }
        assert_eq!(page.total, 2);
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_record_is_gone_until_its_file_says_it_again() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let reader = Reader::physician(&stage.store);
        let say = async |names: &[&str]| {
            let records = names
                .iter()
                .map(|name| (lab(name), Standing::Current))
                .collect();
            file(&stage.store, PATIENT, "file", records).await;
        };
        let all = RecordQuery::new(Kind::Observation);
        say(&["a", "b"]).await;
        say(&["b"]).await;
        assert_eq!(reader.names(&all).await, ["b"]);
        let view = reader.view(PATIENT).await.unwrap();
        let taken_back = view
            .record(Kind::Observation, id_of(&stage.store, PATIENT, &lab("a")))
            .await;
        assert!(matches!(taken_back, Err(Refused::NotFound)));
        say(&["a", "b"]).await;
        assert_eq!(reader.names(&all).await, ["a", "b"]);
        let again = view
            .record(Kind::Observation, id_of(&stage.store, PATIENT, &lab("a")))
            .await
            .unwrap();
        assert_eq!(again.version, 3, "written, taken back, written again");
    })
    .await;
}

/// Restricted records (HL7 v2.5 table 0177) and records that the patient was not told of do not
/// exist for readers, nor does a count tell of them.
#[tokio::test]
async fn delicate_records_are_neither_shown_nor_counted() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let delicate = |name, sensitivity| {
            let mut record = diagnosis(name);
            record.meta.sensitivity = sensitivity;
            record
        };
        let records = vec![
            diagnosis("plain"),
            delicate("hiv", Sensitivity::Restricted),
            delicate("untold", Sensitivity::Untold),
        ];
        keep(&stage.store, PATIENT, records).await;
        assert_eq!(
            Reader::physician(&stage.store)
                .names(&RecordQuery::new(Kind::Condition))
                .await,
            ["plain"]
        );
    })
    .await;
}

#[tokio::test]
async fn a_patient_whose_key_was_destroyed_is_not_found() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("row"), demographics("p")]).await;
        file(
            &stage.store,
            PATIENT,
            "file",
            vec![(diagnosis("frame"), Standing::Current)],
        )
        .await;
        stage.store.0.keys.shred(PATIENT).await.unwrap();
        let reader = Reader::physician(&stage.store);
        let view = reader.view(PATIENT).await.unwrap();
        for kind in [Kind::Observation, Kind::Condition] {
            assert!(matches!(
                view.records(&RecordQuery::new(kind)).await,
                Err(Refused::NotFound)
            ));
        }
        let one = view
            .record(Kind::Observation, id_of(&stage.store, PATIENT, &lab("row")))
            .await;
        assert!(matches!(one, Err(Refused::NotFound)));
        assert!(matches!(view.patient().await, Err(Refused::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn what_a_facility_says_of_a_number_goes_before_what_its_orders_say() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let said = |number, day, from_order| {
            let mut record = on(demographics(number), day);
            record.meta.source_key = format!("{number} {from_order}");
            if let Body::Patient(patient) = &mut record.body {
                patient.from_order = from_order;
            }
            record
        };
        let said = vec![
            said("one", "2024-06-01", true),
            said("one", "2024-05-01", false),
            said("two", "2024-05-02", true),
        ];
        keep(&stage.store, PATIENT, said).await;
        let reader = Reader::physician(&stage.store);
        let patient = reader.view(PATIENT).await.unwrap().patient().await.unwrap();
        let from_order = |statement: &model::record::ReadRecord| matches!(&statement.body, Body::Patient(patient) if patient.from_order);
        let statements: Vec<(String, bool)> = patient
            .statements
            .iter()
            .map(|statement| (name(statement), from_order(statement)))
            .collect();
        assert_eq!(
            statements,
            [("one".to_owned(), false), ("two".to_owned(), true)],
            "one statement a number"
        );
    })
    .await;
}

#[tokio::test]
async fn of_what_several_orders_say_of_a_patient_the_newest_stands() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let said = |day: &str| {
            let mut record = on(demographics(day), day);
            record.meta.source_key = "from order".to_owned();
            if let Body::Patient(patient) = &mut record.body {
                patient.from_order = true;
            }
            record
        };
        let days = ["2024-05-02", "2024-06-01", "2024-05-01"];
        keep(&stage.store, PATIENT, days.map(said).into()).await;
        let reader = Reader::physician(&stage.store);
        let patient = reader.view(PATIENT).await.unwrap().patient().await.unwrap();
        let statements: Vec<String> = patient.statements.iter().map(name).collect();
        assert_eq!(statements, ["2024-06-01"]);
    })
    .await;
}
