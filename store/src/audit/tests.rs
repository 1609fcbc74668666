use super::*;
use crate::testing::{Stage, on_both};

async fn write(stage: &Stage, rows: usize) {
    for number in 0..rows {
        let event = Event::new(Action::Started).with(format!("row {number}"));
        stage.store.audit().record(event).await.unwrap();
    }
    // The head's copy is due within a second; a closing writer copies at once.
    stage.store.audit().close().await;
}

async fn check(attack: &'static [&'static str], expected: Damage) {
    on_both(async |stage| {
        write(stage, 5).await;
        for sql in attack {
            stage
                .store
                .0
                .audit
                .db
                .execute(sql, params![])
                .await
                .unwrap();
        }
        let verdict = stage.store.audit().verify().await.unwrap();
        let found = verdict
            .writers
            .iter()
            .find_map(|walk| walk.damage)
            .map(|(damage, _)| damage);
        assert_eq!(found, Some(expected), "{attack:?}");
    })
    .await;
}

#[tokio::test]
async fn a_whole_audit_is_good() {
    on_both(async |stage| {
        write(stage, 5).await;
        let verdict = stage.store.audit().verify().await.unwrap();
        assert!(verdict.is_good());
        assert_eq!(verdict.writers.iter().map(|walk| walk.rows).sum::<i64>(), 5);
    })
    .await;
}

#[tokio::test]
async fn a_changed_row_is_found() {
    check(
        &["update event set content = previous where seq = 3"],
        Damage::Altered,
    )
    .await;
}

#[tokio::test]
async fn a_removed_row_is_found() {
    check(&["delete from event where seq = 3"], Damage::Gap).await;
}

#[tokio::test]
async fn a_removed_last_row_is_found() {
    check(&["delete from event where seq = 5"], Damage::Truncated).await;
}

#[tokio::test]
async fn a_tail_cut_together_with_the_head_is_found_through_the_copy() {
    check(
        &["delete from event where seq > 3", "delete from head"],
        Damage::Truncated,
    )
    .await;
}

#[tokio::test]
async fn a_whole_chain_removed_is_found() {
    check(
        &["delete from event", "delete from head"],
        Damage::Truncated,
    )
    .await;
}

#[tokio::test]
async fn swapped_rows_are_found() {
    check(
        &[
            "update event set seq = 100 where seq = 2",
            "update event set seq = 2 where seq = 3",
            "update event set seq = 3 where seq = 100",
        ],
        Damage::Altered,
    )
    .await;
}

#[tokio::test]
async fn a_head_signed_by_nobody_is_found() {
    check(&["update head set signature = leaf"], Damage::Signature).await;
}

#[tokio::test]
async fn many_writers_share_one_sync() {
    on_both(async |stage| {
        let audit = stage.store.audit();
        let pending: Vec<_> = (0..500)
            .map(|_| audit.submit(Event::new(Action::Read)))
            .collect();
        for row in pending {
            row.durable().await.unwrap();
        }
        let verdict = audit.verify().await.unwrap();
        assert!(verdict.is_good());
    })
    .await;
}
