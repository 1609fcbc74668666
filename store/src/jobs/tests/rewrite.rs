//! Segments give back what is dead, lose nothing that lives, wherever a process dies.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::error::Error;
use crate::intake::{Item, ItemChange, Outcome, Publish, SlotChange};
use crate::{Packed, Rewritten};

/// Long after every file was written.
const LATER: Instant = Instant(4_000_000_000_000_000);

impl Kept {
    /// A file as a feed brings it, as far as before it is accepted.
    pub(super) async fn file(&self, path: i64, text: &str) -> PatientChange {
        let mut change = self.change(hospital()).await;
        let mut record = change.joined.take().unwrap().remove(0).record;
        record.meta.source_key = path.to_string();
        let known = self
            .store
            .intake()
            .known(self.patient.patient, &hospital())
            .await
            .unwrap();
        change.items = vec![ItemChange {
            item: Item::new(path, 0, path, 1, 1, NOW, 0, 1, 1, 1, Outcome::Read),
            packed: Some(Packed::new(text.as_bytes(), "", [&record]).unwrap()),
            findings: None,
            fresh: true,
        }];
        change.slots = vec![SlotChange {
            slot: path,
            state: 1,
            joins: 0,
            published: vec![(path, 1)],
            publish: vec![Publish {
                path,
                ordinal: 0,
                head: self.store.intake().head(&record),
                standing: Standing::Current,
            }],
            before: known.slots.get(&path).cloned(),
        }];
        change
    }

    /// Four files; three of them were written anew, so that a third of the segment is dead.
    async fn wasteful(stage: &Stage) -> Self {
        let kept = Self::new(stage, Limit::Unlimited, None).await;
        for (path, text) in (1..=4)
            .map(|path| (path, "first"))
            .chain((1..=3).map(|path| (path, "second")))
        {
            let change = kept.file(path, text).await;
            kept.store.intake().accept(vec![change]).await.unwrap();
        }
        assert_eq!(kept.segments().await.len(), 1);
        kept
    }

    pub(super) async fn segments(&self) -> Vec<i64> {
        let stored = self.store.0.raw.stored().await.unwrap();
        stored.iter().map(|stored| stored.number).collect()
    }

    pub(super) async fn items(&self) -> Vec<Item> {
        let patient = self.patient.patient;
        let known = self.store.intake().known(patient, &hospital()).await;
        known.unwrap().items
    }

    /// What the files say, with the key of their record.
    pub(super) async fn says(&self, items: &[Item]) -> BTreeMap<String, String> {
        let patient = self.patient.patient;
        let contents = self.store.intake().contents(patient, items).await.unwrap();
        let says = |content: &crate::Content| {
            let key = content.records().unwrap()[0].meta.source_key.clone();
            (
                key,
                String::from_utf8(content.raw().unwrap().to_vec()).unwrap(),
            )
        };
        contents.iter().map(says).collect()
    }

    /// That every file and every record can be read, and says what it must.
    async fn is_whole(&self) {
        let items = self.items().await;
        let says = self.says(&items).await;
        let expected = [
            ("1", "second"),
            ("2", "second"),
            ("3", "second"),
            ("4", "first"),
        ];
        let expected = expected.map(|(key, text)| (key.to_owned(), text.to_owned()));
        assert_eq!(says, BTreeMap::from(expected));
        let shared = &self.store.0;
        let sql = "select segment, frame_at, frame_length from record where patient = $1 and segment <> 0";
        let patient = self.patient.patient;
        let rows: Vec<(i64, i64, i64)> = shared
            .records
            .fetch_all(sql, params![patient])
            .await
            .unwrap();
        assert_eq!(rows.len(), 4);
        let of_items = items.iter().map(|item| item.place.unwrap());
        let mut of_items: Vec<_> = of_items
            .map(|place| (place.segment, place.at, place.length))
            .collect();
        let mut of_records = rows;
        of_items.sort_unstable();
        of_records.sort_unstable();
        assert_eq!(of_items, of_records);
    }

    /// Runs the job day after day until there is nothing left to do: no file without rows, nothing
    /// lost.
    async fn settles(&self) {
        for day in 0.. {
            assert!(day < 10);
            self.clock.set(LATER.plus_seconds(day * 7 * DAY));
            let rewritten = self.store.jobs().rewrite().await.unwrap();
            assert_eq!(rewritten.failed, 0);
            self.is_whole().await;
            if rewritten == Rewritten::default() {
                break;
            }
        }
        let items = self.items().await;
        let living = items.iter().map(|item| item.place.unwrap().segment);
        let living: BTreeSet<i64> = living.collect();
        assert_eq!(BTreeSet::from_iter(self.segments().await), living);
    }
}

#[tokio::test]
async fn a_segment_of_which_much_is_dead_is_rewritten_while_readers_hold_its_places() {
    on_both(async |stage| {
        let kept = Kept::wasteful(stage).await;
        let (before, held) = (kept.segments().await, kept.items().await);
        let moved = Rewritten {
            moved: 1,
            ..Rewritten::default()
        };
        assert_eq!(kept.store.jobs().rewrite().await.unwrap(), moved);
        kept.is_whole().await;
        assert!(
            kept.items()
                .await
                .iter()
                .all(|item| item.place.unwrap().segment != before[0])
        );
        assert_eq!(kept.says(&held).await.len(), 4);
        // Nothing is left to do until the readers are gone.
        assert_eq!(
            kept.store.jobs().rewrite().await.unwrap(),
            Rewritten::default()
        );
        kept.clock.set(NOW.plus_seconds(7 * DAY));
        let removed = Rewritten {
            removed: 1,
            ..Rewritten::default()
        };
        assert_eq!(kept.store.jobs().rewrite().await.unwrap(), removed);
        assert!(!kept.segments().await.contains(&before[0]));
        kept.settles().await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_segment_of_which_little_is_dead_stays() {
    on_both(async |stage| {
        let kept = Kept::new(stage, Limit::Unlimited, None).await;
        for (path, text) in [(1, "first"), (2, "first"), (3, "first"), (3, "second")] {
            let change = kept.file(path, text).await;
            kept.store.intake().accept(vec![change]).await.unwrap();
        }
        assert_eq!(
            kept.store.jobs().rewrite().await.unwrap(),
            Rewritten::default()
        );
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_process_that_dies_between_two_steps_loses_nothing() {
    for dies_after in ["the copies", "some rows", "all rows"] {
        on_both(async |stage| {
            let kept = Kept::wasteful(stage).await;
            let (jobs, segment) = (kept.store.jobs(), kept.segments().await[0]);
            kept.store.0.raw.finish(segment).await;
            let pointing = jobs.pointing(segment).await.unwrap();
            let lengths = kept.items().await.into_iter().map(|item| {
                let place = item.place.unwrap();
                ((kept.patient.patient, place.at), place.length)
            });
            let mut lengths: BTreeMap<_, _> = lengths.collect();
            if dies_after == "some rows" {
                lengths.pop_last();
            }
            let copied = jobs.copy(segment, &lengths).await.unwrap();
            if dies_after != "the copies" {
                jobs.repoint(segment, &pointing, &copied).await.unwrap();
            }
            for segment in kept.segments().await {
                kept.store.0.raw.finish(segment).await;
            }
            kept.is_whole().await;
            kept.settles().await;
            kept.store.close().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_feed_that_knows_old_places_must_look_again() {
    on_both(async |stage| {
        let kept = Kept::wasteful(stage).await;
        let mut stale = kept.file(1, "third").await;
        let items = kept.items().await;
        stale.items[0].item = items[0].flagged(2);
        stale.items[0].packed = None;
        kept.store.jobs().rewrite().await.unwrap();
        let accepted = kept.store.intake().accept(vec![stale]).await;
        assert!(matches!(accepted, Err(Error::StaleEpoch)));
        kept.is_whole().await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_changes_while_frames_are_copied_stays_as_it_changed() {
    on_both(async |stage| {
        let kept = Kept::wasteful(stage).await;
        let (jobs, segment) = (kept.store.jobs(), kept.segments().await[0]);
        let change = kept.file(4, "late").await;
        let pointing = jobs.pointing(segment).await.unwrap();
        let lengths = kept.items().await.into_iter().map(|item| {
            let place = item.place.unwrap();
            ((kept.patient.patient, place.at), place.length)
        });
        let copied = jobs.copy(segment, &lengths.collect()).await.unwrap();
        kept.store.intake().accept(vec![change]).await.unwrap();
        jobs.repoint(segment, &pointing, &copied).await.unwrap();
        let says = kept.says(&kept.items().await).await;
        assert_eq!((says["1"].as_str(), says["4"].as_str()), ("second", "late"));
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_segment_without_rows_is_removed_unless_somebody_writes_to_it() {
    on_both(async |stage| {
        let kept = Kept::wasteful(stage).await;
        let sql = "delete from record where patient = $1";
        let patient = params![kept.patient.patient];
        let records = &kept.store.0.records;
        records.execute(sql, patient).await.unwrap();
        let sql = "delete from item where patient = $1";
        records.execute(sql, patient).await.unwrap();
        // It is young.
        let raw = &kept.store.0.raw;
        let (jobs, segment) = (kept.store.jobs(), kept.segments().await[0]);
        kept.clock.set(NOW);
        assert_eq!(jobs.rewrite().await.unwrap(), Rewritten::default());
        kept.clock.set(LATER);
        assert_eq!(jobs.rewrite().await.unwrap(), Rewritten::default());
        raw.finish(segment).await;
        assert_eq!(jobs.rewrite().await.unwrap().removed, 1);
        assert!(kept.segments().await.is_empty());
        kept.store.close().await;
    })
    .await;
}
