//! A withdrawal in another process is obeyed by the very next statement, however busy the store is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::record::Kind;
use model::time::Instant;

use super::scene::{
    PATIENT, Reader, demographics, everything, grant, id_of, introduce, keep, lab, open_patient,
};
use crate::Store;
use crate::db::Db;
use crate::disclosure::{RecordQuery, Refused};
use crate::testing::{NOW, clinic, hospital, on_both};

const ROUNDS_SQLITE: usize = 1_000;
const ROUNDS_POSTGRES: usize = 200;

/// Looks again and again until it is told to stop.
async fn look_on(store: Store, stop: Arc<AtomicBool>) {
    let reader = Reader::physician(&store);
    while !stop.load(Ordering::Relaxed) {
        match reader.view(PATIENT).await {
            Ok(view) => assert!(
                view.records(&RecordQuery::new(Kind::Observation))
                    .await
                    .unwrap()
                    .items
                    .len()
                    <= 1
            ),
            Err(Refused::NotFound) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_grant_that_another_process_removed_is_gone_in_the_next_statement() {
    on_both(async |stage| {
        let other = Store::open(
            stage.config.clone(),
            stage.store.network().clone(),
            stage.clock.clone(),
        )
        .await
        .unwrap();
        introduce(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("a")]).await;
        let stop = Arc::new(AtomicBool::new(false));
        let readers = [0, 1].map(|_| tokio::spawn(look_on(stage.store.clone(), stop.clone())));
        let rounds = if matches!(stage.store.0.office, Db::Sqlite { .. }) {
            ROUNDS_SQLITE
        } else {
            ROUNDS_POSTGRES
        };
        let reader = Reader::physician(&stage.store);
        let query = RecordQuery::new(Kind::Observation);
        for round in 0..rounds {
            grant(&other, PATIENT, &[everything(clinic(), hospital())], NOW).await;
            let view = reader.view(PATIENT).await.unwrap();
            assert_eq!(
                view.records(&query).await.unwrap().total,
                1,
                "round {round}"
            );
            grant(&other, PATIENT, &[], NOW).await;
            let page = view.records(&query).await.unwrap();
            assert_eq!((page.items.len(), page.total), (0, 0), "round {round}");
        }
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.await.unwrap();
        }
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_open_view_ends_with_its_grants() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![demographics("p")]).await;
        let reader = Reader::physician(&stage.store);
        let view = reader.view(PATIENT).await.unwrap();
        assert_eq!(view.patient().await.unwrap().statements.len(), 1);
        let id = id_of(&stage.store, PATIENT, &demographics("p"));
        assert!(view.record(Kind::Patient, id).await.is_ok());
        grant(&stage.store, PATIENT, &[], NOW).await;
        assert!(matches!(view.patient().await, Err(Refused::NotFound)));
        let record = view.record(Kind::Patient, id).await;
        assert!(matches!(record, Err(Refused::NotFound)));
        assert!(view.reach().await.unwrap().is_empty());
    })
    .await;
}

/// A permit is for the answer that is being written: a suspension or a new profession counts soon.
#[tokio::test]
async fn an_open_view_ends_with_its_permit() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("a")]).await;
        let reader = Reader::physician(&stage.store);
        let view = reader.view(PATIENT).await.unwrap();
        let query = RecordQuery::new(Kind::Observation);
        stage.clock.set(Instant(NOW.plus_seconds(5).0 - 1));
        assert_eq!(view.records(&query).await.unwrap().total, 1);
        stage.clock.set(NOW.plus_seconds(5));
        let late = view.records(&query).await;
        assert!(matches!(late, Err(Refused::Unavailable)));
        assert!(matches!(view.reach().await, Err(Refused::Unavailable)));
        assert_eq!(
            reader.page(&query).await.total,
            1,
            "a new view is a new question"
        );
    })
    .await;
}
