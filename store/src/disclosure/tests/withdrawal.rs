//! A withdrawal in another process is obeyed by the very next statement, however busy the store is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model::record::Kind;

use super::scene::{PATIENT, Reader, everything, grant, introduce, keep, lab};
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
