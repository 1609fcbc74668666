//! An object store that is away, that hangs, or that refuses: retry, and say nothing secret.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use super::super::remote::{failed, within};
use super::*;

fn at(endpoint: &str) -> Bucket {
    Bucket {
        endpoint: Some(endpoint.to_owned()),
        ..bucket(&samples::s3::s3s().unwrap())
    }
}

/// What reading an object and keeping a large batch say, with the whole chain of causes.
async fn refusals(bucket: Bucket) -> Vec<Error> {
    let stage = Stage::open(false, Some(Blobs::Bucket(bucket))).await;
    let (raw, key) = (stage.store.0.raw.clone(), key(&stage.store).await);
    let frames = (0..5).map(|seed| unsealed(&key, &noise(seed, 1 << 20)));
    let frames = frames.collect();
    let place = Place {
        segment: 1,
        at: 0,
        length: 100,
    };
    assert!(!stage.store.jobs().blobs_answer().await);
    vec![
        raw.append(frames).await.err().unwrap(),
        raw.read(vec![(key, place)]).await.err().unwrap(),
        raw.stored().await.err().unwrap(),
    ]
}

fn check(errors: &[Error]) {
    for error in errors {
        assert!(error.is_retryable(), "{error}");
        let said = format!("{error} {error:?}");
        for secret in ["sample-access-key", "sample-secret-key", "127.0.0.1"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[tokio::test]
async fn who_is_away_is_asked_again_later() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    check(&refusals(at(&format!("http://{address}"))).await);
}

#[tokio::test]
async fn a_store_that_comes_back_answers_again() {
    let server = samples::s3::s3s().unwrap();
    let stage = Stage::open(false, Some(Blobs::Bucket(bucket(&server)))).await;
    let places = large(&stage.store).await;
    server.set_away(true);
    let away = read(&stage.store, &places[..1]).await;
    check(&[away.unwrap_err()]);
    server.set_away(false);
    assert_eq!(read(&stage.store, &places).await.unwrap().len(), 5);
}

#[tokio::test]
async fn nobody_waits_for_ever_for_an_answer() {
    let silent = std::future::pending::<object_store::Result<()>>();
    let late = within(Duration::ZERO, silent).await.unwrap_err();
    check(&[failed(&late)]);
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_told_to_nobody() {
    let server = samples::s3::s3s().unwrap();
    let wrong = AccessKey::new(
        server.access_key.to_owned(),
        "other-secret".to_owned(),
        None,
    );
    let errors = refusals(Bucket {
        access_key: wrong,
        ..bucket(&server)
    })
    .await;
    check(&errors);
    assert!(errors[1].to_string().contains("access denied"));
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_said() {
    let server = bucket(&samples::s3::s3s().unwrap());
    let other = Bucket {
        name: "elsewhere".to_owned(),
        ..server
    };
    let stage = Stage::open(false, Some(Blobs::Bucket(other))).await;
    let error = stage.store.0.raw.stored().await.err().unwrap();
    check(std::slice::from_ref(&error));
    assert!(error.to_string().contains("no such bucket"), "{error}");
}
