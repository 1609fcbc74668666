//! Many writers put one object at once. Who promises write-once objects lets exactly one of them win.
//! Segments rely on it only against numbers drawn twice, so a server without the promise loses
//! nothing; which server keeps it must be known all the same.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::bucket;
use crate::private;

const WRITERS: usize = 16;
const ROUNDS: usize = 20;

/// The greatest number of writers that won one key, and the least.
async fn winners<F, C>(create: F) -> (usize, usize)
where
    F: Fn(String) -> C + Clone + Send + Sync + 'static,
    C: Future<Output = bool> + Send,
{
    let (mut most, mut least) = (0, usize::MAX);
    for round in 0..ROUNDS {
        let (start, won) = (
            Arc::new(Barrier::new(WRITERS)),
            Arc::new(AtomicUsize::new(0)),
        );
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let (start, won, create) = (Arc::clone(&start), Arc::clone(&won), create.clone());
            writers.spawn(async move {
                start.wait().await;
                let wins = create(format!("race/{round:04}")).await;
                won.fetch_add(usize::from(wins), Ordering::SeqCst);
            });
        }
        writers.join_all().await;
        let won = won.load(Ordering::SeqCst);
        (most, least) = (most.max(won), least.min(won));
    }
    (most, least)
}

async fn of_objects(objects: Arc<dyn ObjectStore>) -> (usize, usize) {
    winners(move |key| {
        let objects = Arc::clone(&objects);
        async move {
            let path = Path::from(key);
            let put = objects.put_opts(&path, "x".into(), PutMode::Create.into());
            put.await.is_ok()
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_writer_wins_among_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let create = move |key: String| {
        let path = path.join(key.replace('/', "-"));
        async move { private::file(&path).is_ok() }
    };
    assert_eq!(winners(create).await, (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_writer_wins_in_memory() {
    assert_eq!(of_objects(Arc::new(InMemory::new())).await, (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_writer_wins_over_the_wire_where_writes_take_turns() {
    let server = samples::s3::s3s().unwrap();
    server.take_turns();
    assert_eq!(of_objects(bucket(&server).open().unwrap()).await, (1, 1));
}

/// Left alone, the test servers look first and write then, so more than one may win. None may lose
/// everything, and who comes late does not win.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_test_servers_promise_is_said() {
    let s3s = ("s3s-fs", samples::s3::s3s().unwrap());
    let moto = samples::s3::moto().unwrap();
    let moto = moto.map(|moto| ("moto_server", moto));
    for (name, server) in std::iter::once(s3s).chain(moto) {
        let objects = bucket(&server).open().unwrap();
        let (most, least) = of_objects(Arc::clone(&objects)).await;
        // Where nobody captures it: this is how the server is, and no fault of ours.
        let _ = writeln!(
            std::io::stderr(),
            "{name} let up to {most} of {WRITERS} writers win one key"
        );
        assert!(least >= 1);
        let late = Path::from("race/0000");
        let late = objects.put_opts(&late, "y".into(), PutMode::Create.into());
        let late = late.await.unwrap_err();
        assert!(matches!(late, object_store::Error::AlreadyExists { .. }));
    }
}

/// A store that looks first and writes then is found out.
#[tokio::test(flavor = "multi_thread")]
async fn the_race_finds_a_store_that_breaks_the_promise() {
    let objects = Arc::new(InMemory::new());
    let racy = move |key: String| {
        let objects = Arc::clone(&objects);
        async move {
            let path = Path::from(key);
            if objects.head(&path).await.is_ok() {
                return false;
            }
            tokio::task::yield_now().await;
            objects.put(&path, "x".into()).await.is_ok()
        }
    };
    let (most, _) = winners(racy).await;
    assert!(most > 1);
}
