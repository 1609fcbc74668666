//! Senders that are too large, too slow, too many.

use tokio::io::{DuplexStream, duplex};

use super::*;

#[tokio::test]
async fn a_message_that_is_too_large_is_rejected_and_the_next_one_is_kept() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    let large = format!("{}NTE|{}\r", message("1", PATIENT), "x".repeat(1 << 20));
    let answer = sender.ask(&large).await.unwrap();
    assert!(
        answer.starts_with("MSA|AR|1|Message larger than allowed\r"),
        "{answer}"
    );
    let fits = format!("{}NTE|{}\r", message("2", PATIENT), "x".repeat(150_000));
    assert_eq!(sender.ask(&fits).await, Some(accepted("2")));
    let reception = hub.reception().await;
    assert_eq!(reception.waiting, 1);
    assert!(
        reception
            .counts
            .iter()
            .any(|count| count.kind == "S1110" && count.count == 1)
    );
    hub.stop().await;
}

#[tokio::test]
async fn large_messages_of_many_senders_wait_for_each_other_and_all_come() {
    let hub = Hub::new().await;
    let mut senders = JoinSet::new();
    for number in 0..12 {
        let mut sender = hub.connect().await;
        senders.spawn(async move {
            let control = number.to_string();
            let large = format!(
                "{}NTE|{}\r",
                message(&control, PATIENT),
                "x".repeat(190_000)
            );
            assert_eq!(sender.ask(&large).await, Some(accepted(&control)));
        });
    }
    while let Some(done) = senders.join_next().await {
        done.unwrap();
    }
    hub.stop().await;
}

#[tokio::test]
async fn too_many_senders_are_turned_away_until_one_leaves() {
    let hub = Hub::with(Mllp {
        connections: 1,
        ..mllp()
    })
    .await;
    let mut first = hub.connect().await;
    assert_eq!(first.ask(&message("1", PATIENT)).await, Some(accepted("1")));
    assert_eq!(hub.connect().await.answer().await, None);
    first.stream.shutdown().await.unwrap();
    assert_eq!(first.answer().await, None);
    loop {
        // The listener learns a moment later that the first one left.
        let mut next = hub.connect().await;
        let _ = next
            .stream
            .write_all(&framed(message("2", PATIENT).as_bytes()))
            .await;
        if next.answer().await == Some(accepted("2")) {
            break;
        }
    }
    hub.stop().await;
}

/// A connection without a store behind it: nobody takes what it brings.
struct Alone {
    sender: Sender<DuplexStream>,
    ended: JoinHandle<io::Result<End>>,
    large: Arc<Semaphore>,
    queue: mpsc::Receiver<group::Waiting>,
    _stop: watch::Sender<bool>,
}

fn alone(large: usize) -> Alone {
    let (ours, theirs) = duplex(1 << 20);
    let (queue, waiting) = mpsc::channel(4);
    let (stop, told) = watch::channel(false);
    let large = Arc::new(Semaphore::new(large));
    let shared = Shared {
        feed: Arc::new(feed()),
        mllp: mllp(),
        queue,
        large: Arc::clone(&large),
        most: usize::try_from(MOST).unwrap(),
        stop: told,
    };
    Alone {
        sender: Sender::new(theirs),
        ended: tokio::spawn(async move { connection::serve(ours, &shared).await }),
        large,
        queue: waiting,
        _stop: stop,
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_silent_for_too_long_is_left() {
    let alone = alone(1);
    let begun = tokio::time::Instant::now();
    assert_eq!(alone.ended.await.unwrap().unwrap(), End::Idle);
    assert_eq!(begun.elapsed().as_secs(), 3600);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_stops_inside_a_message_is_left_sooner() {
    let mut alone = alone(1);
    alone.sender.send(b"\x0bMSH|").await;
    let begun = tokio::time::Instant::now();
    assert_eq!(alone.ended.await.unwrap().unwrap(), End::Stalled);
    assert_eq!(begun.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_large_message_that_drips_gives_its_place_back() {
    let mut alone = alone(1);
    alone.sender.send(b"\x0bMSH|").await;
    alone.sender.send(&[b'x'; 100_000]).await;
    let begun = tokio::time::Instant::now();
    let mut beat = tokio::time::interval(Duration::from_secs(20));
    while !alone.ended.is_finished() {
        beat.tick().await;
        let _ = alone.sender.stream.write_all(b"x").await;
    }
    assert_eq!(alone.ended.await.unwrap().unwrap(), End::Stalled);
    assert!(
        begun.elapsed() <= Duration::from_secs(340),
        "{:?}",
        begun.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_is_not_answered_may_connect_anew() {
    let mut alone = alone(1);
    alone
        .sender
        .send(&framed(message("1", PATIENT).as_bytes()))
        .await;
    assert_eq!(alone.ended.await.unwrap().unwrap(), End::Unanswered);
}

#[tokio::test(start_paused = true)]
async fn a_large_message_that_waits_counts_though_its_sender_is_gone() {
    let mut alone = alone(1);
    let large = format!("{}NTE|{}\r", message("1", PATIENT), "x".repeat(150_000));
    alone.sender.send(&framed(large.as_bytes())).await;
    assert_eq!(alone.ended.await.unwrap().unwrap(), End::Unanswered);
    assert_eq!(alone.large.available_permits(), 0);
    drop(alone.queue.recv().await);
    assert_eq!(alone.large.available_permits(), 1);
}
