use super::*;
use crate::testing::{NOW, Stage, on_both};

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
async fn a_row_moved_to_another_day_or_person_is_found() {
    check(&["update event set at = 1 where seq = 3"], Damage::Altered).await;
    check(
        &["update event set person = 9 where seq = 3"],
        Damage::Altered,
    )
    .await;
    check(
        &["update event set patient = 9 where seq = 3"],
        Damage::Altered,
    )
    .await;
}

#[tokio::test]
async fn a_row_that_somebody_else_put_at_the_end_is_found() {
    on_both(async |stage| {
        write(stage, 5).await;
        let db = &stage.store.0.audit.db;
        let sql = "select writer, leaf, content, at from event where seq = 5";
        let last: Option<(i64, Vec<u8>, Vec<u8>, i64)> =
            db.fetch_optional(sql, params![]).await.unwrap();
        let (writer, previous, content, at) = last.unwrap();
        let forged = leaf(writer, 6, &previous, &content).to_vec();
        let sql = "insert into event (writer, seq, previous, leaf, content, at, patient, person) \
                   values ($1, 6, $2, $3, $4, $5, 0, 0)";
        db.execute(sql, params![writer, previous, forged, content, at])
            .await
            .unwrap();
        let verdict = stage.store.audit().verify().await.unwrap();
        let damage = verdict.writers.iter().find_map(|walk| walk.damage);
        assert_eq!(damage, Some((Damage::Signature, 6)));
    })
    .await;
}

#[tokio::test]
async fn a_batch_that_fails_does_not_stop_the_audit() {
    on_both(async |stage| {
        let audit = stage.store.audit();
        audit.record(Event::new(Action::Started)).await.unwrap();
        // As after a commit of which the answer was lost: the next number is taken.
        let sql = "insert into event select writer, seq + 1, previous, leaf, content, at, patient, person from event";
        audit.db.execute(sql, params![]).await.unwrap();
        assert!(audit.record(Event::new(Action::Started)).await.is_err());
        audit.record(Event::new(Action::Stopped)).await.unwrap();
    })
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

#[tokio::test]
async fn who_looked_is_noted_anew_on_each_day() {
    on_both(async |stage| {
        let audit = stage.store.audit();
        let patient = model::id::PatientNumber(1);
        for day in 0..3 {
            for seconds in [0, 3_600] {
                let now = NOW.plus_seconds(day * 86_400 + seconds);
                stage.clock.set(now);
                let event = Event::new(Action::Read)
                    .by_person(model::id::PersonId(1))
                    .about(patient, model::id::PatientId([1; 16]), 1)
                    .gives(vec!["Na".to_owned()]);
                audit.record(event).await.unwrap();
                let first = NOW.plus_seconds(day * 86_400);
                assert_eq!(audit.last_view(patient).await.unwrap(), Some(first));
            }
        }
    })
    .await;
}

#[test]
fn what_is_remembered_of_views_does_not_grow_with_the_days() {
    let mut viewed = Viewed::default();
    for day in 1..=365 {
        for person in 0..10 {
            viewed.add(day, (1, person));
            // A row of the evening before that comes late.
            viewed.add(day - 1, (2, person));
        }
        assert!(viewed.has(day, (1, 9)) && !viewed.has(day - 1, (1, 9)));
        assert_eq!(viewed.pairs.len(), 10);
    }
}
