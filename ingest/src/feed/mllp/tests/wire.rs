//! How bytes come, and what their senders are told.

use store::Fate;

use super::*;

/// How many messages met a fate.
async fn count(hub: &Hub, fate: Fate) -> i64 {
    let counts = hub.reception().await.counts;
    let of_fate = counts.iter().filter(|count| count.fate == fate);
    of_fate.map(|count| count.count).sum()
}

#[tokio::test]
async fn a_message_of_somebody_on_file_waits_in_the_inbox_when_it_is_acknowledged() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await,
        Some(accepted("1"))
    );
    assert_eq!(hub.reception().await.waiting, 1);
    // The lane is told.
    hub.kept.notified().await;
    hub.stop().await;
}

#[tokio::test]
async fn nobody_learns_who_is_on_file() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    assert_eq!(sender.ask(&message("1", "77")).await, Some(accepted("1")));
    assert_eq!(hub.reception().await.waiting, 0);
    assert_eq!(count(&hub, Fate::NotOnFile).await, 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_message_may_come_byte_by_byte_and_many_in_one_piece() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    for byte in framed(message("1", PATIENT).as_bytes()) {
        sender.send(&[byte]).await;
    }
    assert_eq!(sender.answer().await, Some(accepted("1")));
    let many = (2..60).map(|number| framed(message(&number.to_string(), PATIENT).as_bytes()));
    sender.send(&many.collect::<Vec<_>>().concat()).await;
    for number in 2..60 {
        assert_eq!(sender.answer().await, Some(accepted(&number.to_string())));
    }
    assert_eq!(hub.reception().await.waiting, 59);
    hub.stop().await;
}

#[tokio::test]
async fn junk_around_frames_and_a_missing_last_byte_do_no_harm() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    sender.send(b"hello\r\n").await;
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await,
        Some(accepted("1"))
    );
    sender.send(b"\0\0\0").await;
    let mut frame = framed(message("2", PATIENT).as_bytes());
    frame.pop();
    sender.send(&frame).await;
    assert_eq!(sender.answer().await, Some(accepted("2")));
    assert_eq!(
        sender.ask(&message("3", PATIENT)).await,
        Some(accepted("3"))
    );
    hub.stop().await;
}

#[tokio::test]
async fn what_nobody_can_give_to_a_patient_goes_into_quarantine() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    let two = format!("{}{}", message("1", PATIENT), message("1", "77"));
    assert_eq!(sender.ask(&two).await, Some(accepted("1")));
    assert_eq!(sender.ask(&message("2", "")).await, Some(accepted("2")));
    let junk = format!("junk\r{}", message("3", PATIENT));
    assert_eq!(sender.ask(&junk).await, Some(accepted("3")));
    let rejected =
        "MSA|AR||Required field missing\rERR||MSH^1^10|101^Required field missing^HL70357|E\r";
    assert_eq!(sender.ask("junk").await.as_deref(), Some(rejected));
    assert_eq!(
        sender.ask(&message("4", PATIENT)).await,
        Some(accepted("4"))
    );
    let reception = hub.reception().await;
    let rules = reception.quarantined.iter();
    let rules: Vec<_> = rules
        .map(|found| (found.rule.as_str(), found.count))
        .collect();
    assert_eq!(rules, [("D2001", 2), ("D2300", 1), ("D2304", 1)]);
    assert_eq!(reception.waiting, 1);
    hub.stop().await;
}

#[tokio::test]
async fn of_a_test_nothing_is_kept() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    let test = message("1", PATIENT).replace("|P|", "|T|");
    let answer = sender.ask(&test).await.unwrap();
    assert!(
        answer.starts_with("MSA|AR|1|Unsupported processing id\r"),
        "{answer}"
    );
    let reception = hub.reception().await;
    assert_eq!((reception.waiting, reception.quarantined.len()), (0, 0));
    assert_eq!(count(&hub, Fate::Refused).await, 1);
    hub.stop().await;
}

#[tokio::test]
async fn a_sender_that_has_said_everything_still_gets_its_answers() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    let mut last = framed(message("2", PATIENT).as_bytes());
    last.pop();
    sender.send(&framed(message("1", PATIENT).as_bytes())).await;
    sender.send(&last).await;
    sender.stream.shutdown().await.unwrap();
    assert_eq!(sender.answer().await, Some(accepted("1")));
    assert_eq!(sender.answer().await, Some(accepted("2")));
    assert_eq!(sender.answer().await, None);
    hub.stop().await;
}

#[tokio::test]
async fn many_senders_at_once_get_their_own_answers() {
    let hub = Hub::new().await;
    let mut senders = JoinSet::new();
    for number in 0..16 {
        let mut sender = hub.connect().await;
        senders.spawn(async move {
            for at in 0..20 {
                let control = format!("{number}-{at}");
                let answer = sender.ask(&message(&control, PATIENT)).await;
                assert_eq!(answer, Some(accepted(&control)));
            }
        });
    }
    while let Some(done) = senders.join_next().await {
        done.unwrap();
    }
    assert_eq!(hub.reception().await.waiting, 320);
    hub.stop().await;
}

#[tokio::test]
async fn who_is_not_allowed_is_not_let_in() {
    let hub = Hub::with(Mllp {
        allow: vec!["192.0.2.0/24".parse().unwrap()],
        ..mllp()
    })
    .await;
    let mut sender = hub.connect().await;
    assert_eq!(sender.answer().await, None);
    hub.stop().await;
}

#[tokio::test]
async fn at_the_end_of_the_program_what_came_whole_is_answered() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await,
        Some(accepted("1"))
    );
    let (ended, answer) = tokio::join!(hub.stop(), sender.answer());
    assert_eq!((ended, answer), ((), None));
}
