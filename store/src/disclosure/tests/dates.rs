//! FHIR R4 date search (`3.1.1.4.7 date`): prefixes compare the parameter's period with the fact's.

use model::record::{Category, Kind, Occurred, Record};
use model::time::{Instant, PartialDateTime};

use super::scene::{PATIENT, Reader, everything, grant, introduce, keep, lab, on, open_patient};
use crate::disclosure::{DateFilter, RecordQuery};
use crate::testing::{NOW, clinic, hospital, on_both, pharmacy};

fn lasting(name: &str, from: &str, to: Option<&str>) -> Record {
    let time = |text: &str| text.parse::<PartialDateTime>().unwrap();
    let mut record = lab(name);
    record.meta.occurred = Occurred::between(time(from), to.map(time));
    record
}

fn undated(name: &str) -> Record {
    let mut record = lab(name);
    record.meta.occurred = Occurred::undated(start());
    record
}

/// The first instant of the day that is asked for.
fn start() -> Instant {
    "2024-05-10".parse::<PartialDateTime>().unwrap().start()
}

/// The last instant of the day that is asked for.
fn end() -> Instant {
    "2024-05-10".parse::<PartialDateTime>().unwrap().end()
}

fn moved(instant: Instant, microseconds: i64) -> Instant {
    Instant(instant.0 + microseconds)
}

async fn check(filter: impl Fn(&mut DateFilter), expected: &str) {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let records = vec![
            on(lab("before"), "2024-05-09"),
            on(lab("day"), "2024-05-10"),
            on(lab("first"), "2024-05-10T00:00:00+09:00"),
            on(lab("last"), "2024-05-10T23:59:59+09:00"),
            on(lab("next"), "2024-05-11T00:00:00+09:00"),
            on(lab("year"), "2024"),
            lasting("stay", "2024-05-01", Some("2024-05-20")),
            lasting("open", "2024-05-05", None),
            undated("undated"),
        ];
        keep(&stage.store, PATIENT, records).await;
        let mut query = RecordQuery::new(Kind::Observation);
        filter(&mut query.occurred);
        let names = Reader::physician(&stage.store).names(&query).await;
        assert_eq!(names.join(" "), expected);
    })
    .await;
}

#[tokio::test]
async fn without_a_date_all_are_shown_undated_ones_too() {
    check(|_| {}, "before day first last next open stay undated year").await;
}

#[tokio::test]
async fn eq_lies_within_the_day() {
    check(|date| date.within(start(), end()), "day first last").await;
}

#[tokio::test]
async fn ne_is_all_dated_others() {
    let not_that_day = |date: &mut DateFilter| assert!(date.not_within(start(), end()));
    check(not_that_day, "before next open stay year").await;
}

#[tokio::test]
async fn gt_reaches_beyond_the_day() {
    check(
        |date| date.ends_from(moved(end(), 1)),
        "next open stay year",
    )
    .await;
}

#[tokio::test]
async fn ge_reaches_the_day_or_beyond() {
    check(
        |date| date.ends_from(start()),
        "day first last next open stay year",
    )
    .await;
}

#[tokio::test]
async fn lt_begins_before_the_day() {
    check(
        |date| date.begins_by(moved(start(), -1)),
        "before open stay year",
    )
    .await;
}

#[tokio::test]
async fn le_begins_by_the_end_of_the_day() {
    check(
        |date| date.begins_by(end()),
        "before day first last open stay year",
    )
    .await;
}

#[tokio::test]
async fn sa_begins_after_the_day() {
    check(|date| date.begins_from(moved(end(), 1)), "next").await;
}

#[tokio::test]
async fn eb_ends_before_the_day() {
    check(|date| date.ends_by(moved(start(), -1)), "before").await;
}

#[tokio::test]
async fn a_filter_of_one_second_finds_what_happened_in_it() {
    let second: PartialDateTime = "2024-05-10T23:59:59+09:00".parse().unwrap();
    check(|date| date.within(second.start(), second.end()), "last").await;
}

#[tokio::test]
async fn several_dates_narrow_each_other() {
    let from_that_day_to_the_next = |date: &mut DateFilter| {
        date.begins_from(start());
        date.ends_by(moved(end(), 1_000_000));
        assert!(date.not_within(start(), start().plus_seconds(1)));
    };
    check(from_that_day_to_the_next, "day last next").await;
}

#[tokio::test]
async fn an_impossible_period_shows_nothing() {
    check(|date| date.within(end(), start()), "").await;
}

#[test]
fn a_second_ne_does_not_fit() {
    let mut filter = DateFilter::default();
    assert!(filter.not_within(start(), end()));
    assert!(!filter.not_within(start(), end()));
}

/// `_lastUpdated` is the later of the record's acceptance and the grant that opened it, so that
/// asking for news finds what a new consent opened.
#[tokio::test]
async fn news_are_what_came_or_what_was_opened() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("old")]).await;
        let opened = NOW.plus_seconds(60);
        grant(
            &stage.store,
            PATIENT,
            &[everything(clinic(), hospital())],
            opened,
        )
        .await;
        stage.clock.set(NOW.plus_seconds(120));
        keep(&stage.store, PATIENT, vec![lab("new")]).await;
        let reader = Reader::physician(&stage.store);
        let names = async |filter: fn(&mut DateFilter)| {
            let mut query = RecordQuery::new(Kind::Observation);
            filter(&mut query.updated);
            reader.names(&query).await.join(" ")
        };
        assert_eq!(
            names(|news| news.within(NOW, NOW.plus_seconds(59))).await,
            ""
        );
        assert_eq!(
            names(|news| news.within(NOW.plus_seconds(60), NOW.plus_seconds(60))).await,
            "old"
        );
        assert_eq!(
            names(|news| news.ends_from(NOW.plus_seconds(61))).await,
            "new"
        );
        assert_eq!(
            names(|news| news.begins_by(NOW.plus_seconds(61))).await,
            "old"
        );
        let page = reader.page(&RecordQuery::new(Kind::Observation)).await;
        let latest = page.items.iter().map(|record| record.last_updated).max();
        assert_eq!(latest, Some(NOW.plus_seconds(120)));
    })
    .await;
}

/// Of several grants that open a record, the first one made it visible.
#[tokio::test]
async fn a_further_grant_makes_no_news() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("a")]).await;
        let narrow = model::papers::EffectiveGrant {
            categories: [Category::Lab].into_iter().collect(),
            ..everything(clinic(), hospital())
        };
        let again = "insert into effective_grant select patient, reader, source, 1, $1, sensitivity_max, valid_from, \
                     valid_to, window_from, window_to, $2 from effective_grant where ordinal = 0";
        let later = crate::db::params![narrow.categories.0, NOW.plus_seconds(60)];
        stage.store.0.office.execute(again, later).await.unwrap();
        let page = Reader::physician(&stage.store).page(&RecordQuery::new(Kind::Observation)).await;
        assert_eq!((page.items.len(), page.items[0].last_updated), (1, NOW));
    })
    .await;
}

/// When a patient came to the network under papers of others is not told: a reader learns since when
/// the first grant of their own opens something, and nothing that any other grant says.
#[tokio::test]
async fn a_patient_without_demographics_is_as_old_as_the_readers_own_first_grant() {
    on_both(async |stage| {
        introduce(&stage.store, PATIENT).await;
        let laboratory = |reader| model::papers::EffectiveGrant {
            categories: [Category::Lab].into_iter().collect(),
            ..everything(reader, hospital())
        };
        let grants = [
            laboratory(pharmacy()),
            laboratory(clinic()),
            laboratory(clinic()),
        ];
        grant(&stage.store, PATIENT, &grants, NOW).await;
        let later = "update effective_grant set since = $1 where ordinal = $2";
        for (ordinal, seconds) in [(1, 60), (2, 120)] {
            let since = crate::db::params![NOW.plus_seconds(seconds), ordinal];
            stage.store.0.office.execute(later, since).await.unwrap();
        }
        stage.clock.set(NOW.plus_seconds(180));
        let reader = Reader::physician(&stage.store);
        let person = reader.view(PATIENT).await.unwrap().patient().await.unwrap();
        assert_eq!(person.last_updated, NOW.plus_seconds(60));
    })
    .await;
}
