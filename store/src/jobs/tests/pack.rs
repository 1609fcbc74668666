//! Whole stories with sealed bytes in an object store: what live feeds bring waits in the database,
//! becomes objects, is rewritten and erased, and nothing that lives is lost wherever a process dies.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::raw::is_small;
use crate::raw::tests::{memory, object_stores};
use crate::{Blobs, Rewritten};

/// Long after every object was written.
const LATER: Instant = Instant(4_000_000_000_000_000);

/// Runs a story on every object store: in memory with both databases, on servers with one.
async fn on_objects<F: AsyncFn(&Stage)>(story: F) {
    let on = async |postgres: bool, blobs: Blobs| {
        let stage = Stage::open(postgres, Some(blobs)).await;
        story(&stage).await;
        stage.store.close().await;
    };
    on(true, memory()).await;
    for (_, blobs) in object_stores() {
        on(false, blobs).await;
    }
}

impl Kept {
    /// Four files, brought one by one.
    async fn brought(stage: &Stage) -> Self {
        let kept = Self::new(stage, Limit::Unlimited, None).await;
        kept.bring(1..=4, "first").await;
        kept
    }

    async fn bring(&self, paths: impl IntoIterator<Item = i64>, text: &str) {
        for path in paths {
            let change = self.file(path, text).await;
            self.store.intake().accept(vec![change]).await.unwrap();
        }
    }

    async fn pack(&self) -> usize {
        self.store.jobs().pack().await.unwrap()
    }

    /// Segments in which the files stand, and whether they are small.
    async fn living(&self) -> BTreeMap<i64, bool> {
        let items = self.items().await.into_iter();
        let segments = items.map(|item| item.place.unwrap().segment);
        segments.map(|number| (number, is_small(number))).collect()
    }

    /// That all files can be read, and that the first so many say `second`, the others `first`.
    async fn say(&self, second: i64) {
        let says = self.says(&self.items().await).await;
        let text = |path| if path <= second { "second" } else { "first" };
        let expected = (1..=4).map(|path: i64| (path.to_string(), text(path).to_owned()));
        assert_eq!(says, expected.collect::<BTreeMap<_, _>>());
    }
}

#[tokio::test]
async fn what_little_came_is_packed_into_one_object_after_a_day() {
    on_objects(async |stage| {
        let kept = Kept::brought(stage).await;
        let small = kept.living().await;
        assert!(small.len() == 4 && small.values().all(|small| *small));
        kept.clock.set(NOW.plus_seconds(DAY - 1));
        assert_eq!(kept.pack().await, 0);
        kept.say(0).await;
        kept.clock.set(NOW.plus_seconds(DAY));
        let held = kept.items().await;
        assert_eq!(kept.pack().await, 4);
        let packed = kept.living().await;
        assert!(packed.len() == 1 && packed.values().all(|small| !*small));
        kept.say(0).await;
        // Who holds old places reads on for a while, and then the small ones are gone.
        assert_eq!(kept.says(&held).await.len(), 4);
        assert_eq!(kept.segments().await.len(), 5);
        kept.clock.set(NOW.plus_seconds(DAY + 60 * 60));
        assert_eq!(kept.pack().await, 0);
        assert_eq!(kept.segments().await, Vec::from_iter(packed.into_keys()));
        kept.say(0).await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_enough_for_an_object_does_not_wait() {
    let stage = Stage::open(false, Some(memory())).await;
    let kept = Kept::new(&stage, Limit::Unlimited, None).await;
    // A mebibyte each that does not compress.
    let mut state = 1_u64;
    for path in 1..=5 {
        let text: String = (0..1 << 20)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                char::from(b'!' + u8::try_from((state >> 33) % 90).unwrap())
            })
            .collect();
        kept.bring([path], &text).await;
        assert_eq!(kept.pack().await, if path == 4 { 4 } else { 0 });
    }
    let small = kept.living().await;
    assert_eq!(small.values().filter(|small| **small).count(), 1);
    assert_eq!(small.len(), 2);
}

#[tokio::test]
async fn an_object_of_which_much_is_dead_is_rewritten_and_removed() {
    on_objects(async |stage| {
        let kept = Kept::brought(stage).await;
        kept.clock.set(NOW.plus_seconds(DAY));
        kept.pack().await;
        let object = *kept.living().await.first_key_value().unwrap().0;
        kept.bring(1..=3, "second").await;
        let moved = Rewritten {
            moved: 1,
            ..Rewritten::default()
        };
        assert_eq!(kept.store.jobs().rewrite().await.unwrap(), moved);
        kept.say(3).await;
        assert!(!kept.living().await.contains_key(&object));
        kept.clock.set(LATER);
        kept.pack().await;
        kept.store.jobs().rewrite().await.unwrap();
        kept.clock.set(LATER.plus_seconds(8 * DAY));
        kept.pack().await;
        kept.store.jobs().rewrite().await.unwrap();
        let living = kept.living().await.into_keys().collect::<BTreeSet<i64>>();
        assert_eq!(BTreeSet::from_iter(kept.segments().await), living);
        assert!(!living.contains(&object));
        kept.say(3).await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_process_that_dies_while_it_packs_loses_nothing() {
    for dies_after in ["the object", "some rows", "all rows"] {
        on_objects(async |stage| {
            let kept = Kept::brought(stage).await;
            let (jobs, raw) = (kept.store.jobs(), &kept.store.0.raw);
            let mut frames = Vec::new();
            for segment in kept.living().await.into_keys() {
                let pointing = jobs.pointing(segment).await.unwrap();
                let opened = jobs.opened(segment, &pointing.lengths).await.unwrap();
                frames.push((segment, pointing, opened));
            }
            let rows = match dies_after {
                "the object" => 0,
                "some rows" => 2,
                _ => 4,
            };
            let mut all = Vec::new();
            let mut moving = Vec::new();
            for (segment, pointing, (theirs, packed)) in frames {
                all.extend(packed);
                moving.push((segment, pointing, theirs[0]));
            }
            let places = raw.pack(all).await.unwrap();
            for ((segment, pointing, frame), place) in moving.iter().zip(places).take(rows) {
                let copied = BTreeMap::from([(*frame, place)]);
                jobs.repoint(*segment, pointing, &copied).await.unwrap();
            }
            kept.say(0).await;
            for days in [1, 9, 18, 27] {
                kept.clock.set(LATER.plus_seconds(days * DAY));
                kept.pack().await;
                kept.store.jobs().rewrite().await.unwrap();
                kept.say(0).await;
            }
            let living = kept.living().await;
            assert!(living.values().all(|small| !*small));
            let living = living.into_keys().collect::<BTreeSet<i64>>();
            assert_eq!(BTreeSet::from_iter(kept.segments().await), living);
            kept.store.close().await;
        })
        .await;
    }
}

#[tokio::test]
async fn one_small_segment_that_is_damaged_holds_up_no_other() {
    let stage = Stage::open(false, Some(memory())).await;
    let kept = Kept::brought(&stage).await;
    let damaged = *kept.living().await.first_key_value().unwrap().0;
    let sql = "update small_segment set bytes = $2 where number = $1";
    let records = &kept.store.0.records;
    let params = params![damaged, vec![0_u8; 4_000]];
    records.execute(sql, params).await.unwrap();
    kept.clock.set(NOW.plus_seconds(DAY));
    assert_eq!(kept.pack().await, 3);
    // It is not tried again at once, and makes no objects of nothing.
    assert_eq!(kept.pack().await, 0);
    kept.clock.set(NOW.plus_seconds(2 * DAY));
    assert_eq!(kept.pack().await, 0);
    let small = kept.living().await;
    assert_eq!(small.iter().filter(|(_, small)| **small).count(), 1);
    assert!(small[&damaged]);
}

#[tokio::test]
async fn gov_who_withdrew_is_erased_from_objects_and_from_what_waits() {
    on_objects(async |stage| {
        let kept = Kept::brought(stage).await;
        kept.clock.set(NOW.plus_seconds(DAY));
        kept.pack().await;
        kept.bring([4], "second").await;
        let (held, patient) = (kept.items().await, kept.patient.patient);
        let places: Vec<_> = held.iter().map(|item| item.place.unwrap()).collect();
        assert!(places.iter().any(|place| is_small(place.segment)));
        let key = kept.store.0.keys.patient(patient).await.unwrap();
        assert!(key.is_some());
        let paper = WithdrawalPaper {
            consent_no: "C-1".parse().unwrap(),
            withdrawn_on: Some("2026-04-01".parse().unwrap()),
            signer: Some("見本".to_owned()),
            relation: Some("self".parse().unwrap()),
            identity_check: Some("面前".to_owned()),
        };
        kept.papers.withdraw(OPERATOR, &paper).await.unwrap();
        kept.store.jobs().follow(&kept.papers).await.unwrap();
        assert_eq!(kept.rows().await, (0, 0));
        assert!(kept.store.0.keys.patient(patient).await.unwrap().is_none());
        kept.clock.set(LATER);
        kept.store.jobs().rewrite().await.unwrap();
        kept.pack().await;
        assert!(kept.segments().await.is_empty());
        kept.store.close().await;
    })
    .await;
}
