//! Pages are places in an order, not counts: what comes in meanwhile shifts nothing.

use model::id::RecordId;
use model::record::{Kind, Record};

use super::scene::{PATIENT, Reader, file, keep, key_of, lab, name, on, open_patient};
use crate::disclosure::{RecordQuery, Sort};
use crate::intake::Standing;
use crate::testing::{NOW, Stage, on_both};

/// Results of which many have the same date and came at the same time.
fn results(from: usize, to: usize) -> Vec<Record> {
    (from..to)
        .map(|number| {
            on(
                lab(&format!("{number:03}")),
                &format!("2024-05-{:02}", 1 + number % 3),
            )
        })
        .collect()
}

/// Half of the bodies stand in rows, half in frames; half came earlier than the rest.
async fn fill(stage: &Stage) {
    open_patient(&stage.store, PATIENT).await;
    keep(&stage.store, PATIENT, results(0, 20)).await;
    stage.clock.set(NOW.plus_seconds(1));
    let filed = results(20, 40)
        .into_iter()
        .map(|record| (record, Standing::Current));
    file(&stage.store, PATIENT, "first", filed.collect()).await;
}

/// Each record that was there at the beginning comes once and in its order.
async fn check(sort: Sort) {
    on_both(async |stage| {
        fill(stage).await;
        let reader = Reader::physician(&stage.store);
        let view = reader.view(PATIENT).await.unwrap();
        let mut query = RecordQuery {
            sort,
            limit: 7,
            ..RecordQuery::new(Kind::Observation)
        };
        let mut seen: Vec<(i64, RecordId, String)> = Vec::new();
        for page in 0.. {
            let answer = view.records(&query).await.unwrap();
            assert_eq!(answer.total, 40 + page);
            seen.extend(
                answer
                    .items
                    .iter()
                    .map(|record| (place(sort, record), record.id, name(record))),
            );
            // Somebody's result of the same days comes in between.
            stage.clock.set(NOW.plus_seconds(2));
            let new = 100 + usize::try_from(page).unwrap();
            keep(&stage.store, PATIENT, results(new, new + 1)).await;
            let Some(next) = answer.next else { break };
            assert_eq!(answer.items.len(), 7);
            query.after = Some(next);
        }
        let mut order: Vec<(i64, i64)> = seen
            .iter()
            .map(|(at, id, _)| (*at, key_of(&stage.store, *id).0))
            .collect();
        if matches!(sort, Sort::DateDescending | Sort::UpdatedDescending) {
            order.reverse();
        }
        assert!(order.is_sorted(), "{order:?}");
        let mut names: Vec<String> = seen
            .into_iter()
            .map(|(.., name)| name)
            .filter(|name| name.as_str() < "100")
            .collect();
        names.sort();
        assert_eq!(
            names,
            (0..40)
                .map(|number| format!("{number:03}"))
                .collect::<Vec<_>>()
        );
    })
    .await;
}

fn place(sort: Sort, record: &model::record::ReadRecord) -> i64 {
    match sort {
        Sort::DateDescending | Sort::DateAscending => record.meta.occurred.from.0,
        Sort::UpdatedDescending | Sort::UpdatedAscending => record.last_updated.0,
    }
}

#[tokio::test]
async fn latest_first_shows_each_once() {
    check(Sort::DateDescending).await;
}

#[tokio::test]
async fn earliest_first_shows_each_once() {
    check(Sort::DateAscending).await;
}

#[tokio::test]
async fn latest_news_first_shows_each_once() {
    check(Sort::UpdatedDescending).await;
}

#[tokio::test]
async fn earliest_news_first_shows_each_once() {
    check(Sort::UpdatedAscending).await;
}

#[tokio::test]
async fn a_last_page_that_is_just_full_has_no_next() {
    on_both(async |stage| {
        fill(stage).await;
        let query = RecordQuery {
            limit: 40,
            ..RecordQuery::new(Kind::Observation)
        };
        let page = Reader::physician(&stage.store).page(&query).await;
        assert_eq!((page.items.len(), page.total), (40, 40));
        assert!(page.next.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_count_alone_shows_nothing() {
    on_both(async |stage| {
        fill(stage).await;
        let query = RecordQuery {
            limit: 0,
            ..RecordQuery::new(Kind::Observation)
        };
        let page = Reader::physician(&stage.store).page(&query).await;
        assert_eq!((page.items.len(), page.total), (0, 40));
        assert!(page.next.is_none());
    })
    .await;
}

#[tokio::test]
async fn behind_the_last_record_the_total_stays() {
    on_both(async |stage| {
        fill(stage).await;
        let reader = Reader::physician(&stage.store);
        let mut query = RecordQuery {
            limit: 39,
            ..RecordQuery::new(Kind::Observation)
        };
        let first = reader.page(&query).await;
        let last = reader
            .page(&RecordQuery {
                after: first.next,
                ..query.clone()
            })
            .await;
        assert_eq!((last.items.len(), last.total), (1, 40));
        query.after = Some(crate::disclosure::Position {
            at: i64::MIN,
            key: i64::MIN,
        });
        let behind = reader.page(&query).await;
        assert_eq!((behind.items.len(), behind.total), (0, 40));
    })
    .await;
}

#[tokio::test]
async fn a_cursor_is_its_persons_own_and_grows_old() {
    on_both(async |stage| {
        let door = stage.store.disclosure();
        let reader = Reader::physician(&stage.store);
        let cursor = door.seal_cursor(&reader.requester, "page 2").unwrap();
        assert_eq!(
            door.open_cursor(&reader.requester, &cursor).as_deref(),
            Some("page 2")
        );
        let other = Reader::new(&stage.store, super::scene::somebody_else());
        assert!(door.open_cursor(&other.requester, &cursor).is_none());
        let mut bent = cursor.clone();
        bent.replace_range(0..1, if cursor.starts_with('A') { "B" } else { "A" });
        assert!(door.open_cursor(&reader.requester, &bent).is_none());
        assert!(door.open_cursor(&reader.requester, "").is_none());
        stage.clock.set(NOW.plus_seconds(15 * 60));
        assert!(door.open_cursor(&reader.requester, &cursor).is_none());
    })
    .await;
}
