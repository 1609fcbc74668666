//! What papers ask for waits for nothing else.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use ingest::Ingest;
use model::id::PersonId;
use model::network::{Facility, Network, Profile};
use model::papers::ConsentPaper;
use store::{Clock, Entry, MasterKey, Papers, Store, StoreConfig};
use tokio::sync::watch;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../networks/example");
const PATIENCE: Duration = Duration::from_secs(20);

fn network() -> Network {
    let read = |name: &str| fs::read_to_string(Path::new(EXAMPLE).join(name)).unwrap();
    let profile = Profile::parse("profile.toml", &read("profile.toml"));
    let facilities = Facility::parse_all("facilities.tsv", &read("facilities.tsv"));
    Network {
        id: "example".to_owned(),
        profile: profile.value.unwrap(),
        facilities: facilities.value.unwrap(),
        feeds: BTreeMap::new(),
        hash: [1; 32],
    }
}

async fn consent(papers: &Papers) {
    let paper = ConsentPaper::from_fields(|field| match field {
        "consent_no" | "form" => "C-1",
        "kana" => "ミヤモト キョウミ",
        "birth_date" | "signed_on" | "from" => "1958-03-14",
        "sex" => "female",
        "local_ids" => "1319999901:1",
        "sources" | "readers" | "categories" => "*",
        "to" => "",
        _ => "1",
    });
    papers
        .enter_consent(PersonId(1), &paper.unwrap(), Entry::Active)
        .await
        .unwrap();
}

/// A segment that looks left long ago and cannot be opened for writing until somebody reads it: who
/// gives its bytes back waits.
fn slow_segment(blobs: &Path) -> PathBuf {
    let path = blobs.join("0000000000000001.segment");
    let run = |command: &mut Command| assert!(command.status().unwrap().success());
    run(Command::new("mkfifo").arg(&path));
    run(Command::new("touch").args(["-d", "2020-01-01"]).arg(&path));
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_consent_is_followed_while_segments_are_rewritten() {
    let hub = tempfile::tempdir().unwrap();
    let config = StoreConfig::local(hub.path(), MasterKey::random().unwrap());
    let store = Store::open(config, Arc::new(network()), Clock::system());
    let store = store.await.unwrap();
    let papers = store.papers(normalize::text::fold);
    papers.recompute_all().await.unwrap();
    let slow = slow_segment(&hub.path().join("blobs"));
    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(Ingest::new(store.clone(), 1 << 20).run(stopped));
    // Every duty has begun by now.
    tokio::time::sleep(Duration::from_secs(1)).await;
    consent(&papers).await;
    let followed = async {
        while !papers.outbox(0, 1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let followed = tokio::time::timeout(PATIENCE, followed).await;
    stop.send(true).unwrap();
    let ended = tokio::time::timeout(PATIENCE, running).await;
    // Lets go whoever waits for the file, or this process could not end.
    drop(File::options().read(true).write(true).open(slow).unwrap());
    assert!(followed.is_ok(), "the errands wait for the segments");
    ended.unwrap().unwrap();
}
