//! What every place of sealed bytes must keep: files, memory, and each server that speaks S3.

mod failing;
mod race;

use std::io::Write;
use std::sync::{Arc, Once};

use model::id::PatientNumber;
use object_store::memory::InMemory;

use super::remote::LEAST;
use super::*;
use crate::Store;
use crate::testing::Stage;

/// Long after everything was written.
const LATER: Instant = Instant(4_000_000_000_000_000);

/// The way to a bucket of a test server.
pub(crate) fn bucket(at: &samples::s3::Bucket) -> Bucket {
    Bucket {
        name: at.name.clone(),
        prefix: "kita/1".to_owned(),
        endpoint: Some(at.endpoint.clone()),
        region: "us-east-1".to_owned(),
        access_key: AccessKey::new(at.access_key.to_owned(), at.secret_key.to_owned(), None),
    }
}

pub(crate) fn memory() -> Blobs {
    Blobs::Objects(Arc::new(InMemory::new()))
}

/// All object stores that can be tried here, empty. What is tried is said where nobody captures it.
pub(crate) fn object_stores() -> Vec<(&'static str, Blobs)> {
    let s3s = bucket(&samples::s3::s3s().unwrap());
    let moto = samples::s3::moto().unwrap();
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let moto = match &moto {
            Some(_) => "moto_server",
            None => "not moto_server, which is not installed",
        };
        let _ = writeln!(
            std::io::stderr(),
            "object stores tried: memory, s3s-fs, {moto}"
        );
    });
    let moto = moto.map(|moto| ("moto_server", Blobs::Bucket(bucket(&moto))));
    [("memory", memory()), ("s3s-fs", Blobs::Bucket(s3s))]
        .into_iter()
        .chain(moto)
        .collect()
}

/// Runs a story on local files and on all object stores.
async fn on_all<F: AsyncFn(&Store)>(story: F) {
    let remote = object_stores().into_iter();
    let all =
        std::iter::once(("files", None)).chain(remote.map(|(name, blobs)| (name, Some(blobs))));
    for (name, blobs) in all {
        println!("on {name}");
        let stage = Stage::open(false, blobs).await;
        story(&stage.store).await;
        stage.store.close().await;
    }
}

async fn key(store: &Store) -> Arc<PatientKey> {
    let key = store.0.keys.ensure_patient(PatientNumber(1), 1).await;
    Arc::new(key.unwrap())
}

/// Bytes that do not compress.
fn noise(seed: u8, length: usize) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        // xorshift64*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        bytes.extend(state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn unsealed(key: &Arc<PatientKey>, raw: &[u8]) -> Unsealed {
    (Arc::clone(key), Packed::new(raw, "", []).unwrap())
}

/// Five frames of a mebibyte: a batch of some size.
async fn large(store: &Store) -> Vec<Place> {
    let key = key(store).await;
    let frames = (0..5).map(|seed| unsealed(&key, &noise(seed, 1 << 20)));
    store.0.raw.append(frames.collect()).await.unwrap()
}

/// One small frame for each text, a batch each.
async fn small(store: &Store, texts: &[&str]) -> Vec<Place> {
    let key = key(store).await;
    let mut places = Vec::new();
    for text in texts {
        let frames = vec![unsealed(&key, text.as_bytes())];
        places.extend(store.0.raw.append(frames).await.unwrap());
    }
    places
}

async fn read(store: &Store, places: &[Place]) -> Result<Vec<Vec<u8>>, Error> {
    let key = key(store).await;
    let sealed = places.iter().map(|place| (Arc::clone(&key), *place));
    let read = store.0.raw.read(sealed.collect()).await?;
    read.iter()
        .map(|frame| frame.raw().map(<[u8]>::to_vec))
        .collect()
}

#[tokio::test]
async fn what_was_kept_comes_back_in_the_order_asked_for() {
    on_all(async |store| {
        let (large, small) = (large(store).await, small(store, &["a", "b", "c"]).await);
        let asked = [small[2], large[4], small[0], large[0], large[4]];
        let expected = [
            b"c".to_vec(),
            noise(4, 1 << 20),
            b"a".to_vec(),
            noise(0, 1 << 20),
            noise(4, 1 << 20),
        ];
        assert!(read(store, &asked).await.unwrap() == expected);
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_kept_is_listed_with_its_size() {
    on_all(async |store| {
        let mut places = large(store).await;
        places.extend(small(store, &["a", "b"]).await);
        let mut ends = std::collections::BTreeMap::new();
        for place in places {
            let end = ends.entry(place.segment).or_insert(0);
            *end = (place.at + place.length).max(*end);
        }
        let stored = store.0.raw.stored().await.unwrap();
        let stored = stored.iter().map(|stored| (stored.number, stored.size));
        assert_eq!(stored.collect::<std::collections::BTreeMap<_, _>>(), ends);
    })
    .await;
}

/// Removes a segment, and looks whether it is gone.
async fn remove(store: &Store, place: Place) {
    let raw = &store.0.raw;
    raw.finish(place.segment).await;
    assert!(raw.remove(place.segment).await.unwrap());
    let stored = raw.stored().await.unwrap();
    assert!(stored.iter().all(|stored| stored.number != place.segment));
    assert!(!read(store, &[place]).await.unwrap_err().is_retryable());
    if matches!(raw, Raw::Remote(_)) {
        assert!(raw.remove(place.segment).await.unwrap());
    }
}

#[tokio::test]
async fn a_segment_is_gone_once_it_was_removed_and_stays_gone() {
    on_all(async |store| {
        remove(store, large(store).await[0]).await;
        remove(store, small(store, &["a"]).await[0]).await;
    })
    .await;
}

#[tokio::test]
async fn what_lies_behind_the_end_is_damage_and_no_reason_to_try_again() {
    on_all(async |store| {
        for mut place in [large(store).await[4], small(store, &["a"]).await[0]] {
            for beyond in [1, 1 << 30] {
                place.at += beyond;
                let error = read(store, &[place]).await.unwrap_err();
                assert!(!error.is_retryable(), "{error}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_time_of_leaving_counts_and_not_that_of_writing() {
    on_all(async |store| {
        for place in [large(store).await[0], small(store, &["a"]).await[0]] {
            store.0.raw.finish(place.segment).await;
            store.0.raw.leave(place.segment, LATER).await.unwrap();
            let stored = store.0.raw.stored().await.unwrap();
            let left = stored.iter().find(|one| one.number == place.segment);
            assert_eq!(left.unwrap().modified, LATER);
        }
    })
    .await;
}

#[tokio::test]
async fn a_place_answers_when_it_is_there() {
    on_all(async |store| {
        assert!(store.jobs().blobs_answer().await);
    })
    .await;
}

#[tokio::test]
async fn a_live_feed_makes_no_object_a_message() {
    let server = samples::s3::s3s().unwrap();
    let stage = Stage::open(false, Some(Blobs::Bucket(bucket(&server)))).await;
    let texts = ["message"; 100];
    let places = small(&stage.store, &texts).await;
    assert_eq!(read(&stage.store, &places).await.unwrap().len(), 100);
    assert_eq!(server.requests(), 0);
    large(&stage.store).await;
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn two_hundred_neighbouring_frames_make_one_request() {
    let server = samples::s3::s3s().unwrap();
    let stage = Stage::open(false, Some(Blobs::Bucket(bucket(&server)))).await;
    let key = key(&stage.store).await;
    let results = (0..200).map(|seed| unsealed(&key, &noise(seed, 2_000)));
    let others = (0..4).map(|seed| unsealed(&key, &noise(seed, 1 << 20)));
    let places = stage.store.0.raw.append(others.chain(results).collect());
    let places = places.await.unwrap();
    let before = server.requests();
    let found = read(&stage.store, &places[4..]).await.unwrap();
    assert!(found.len() == 200 && found[199] == noise(199, 2_000));
    assert_eq!(server.requests() - before, 1);
}

#[tokio::test]
async fn no_object_is_larger_than_a_segment_may_be_or_smaller_than_it_pays() {
    let stage = Stage::open(false, Some(memory())).await;
    let key = key(&stage.store).await;
    let frames = (0..70).map(|seed| unsealed(&key, &noise(seed, 1 << 20)));
    let places = stage.store.0.raw.append(frames.collect()).await.unwrap();
    for stored in stage.store.0.raw.stored().await.unwrap() {
        assert!((LEAST..=FULL).contains(&stored.size) && !is_small(stored.number));
    }
    let segments: std::collections::BTreeSet<i64> =
        places.iter().map(|place| place.segment).collect();
    assert_eq!(segments.len(), 2);
    assert!(read(&stage.store, &places[69..]).await.unwrap()[0] == noise(69, 1 << 20));
}
