//! A store that does not answer, and an address that is taken.

use std::io::Write;
use std::process::{Child, Command, Stdio};

use super::*;

/// Somebody else who writes to the database and does not end.
struct Lock(Child);

impl Lock {
    /// Takes the lock of the records; held until it is dropped.
    fn take(hub: &Hub) -> Self {
        let script = "import sqlite3, sys\n\
                      db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
                      db.execute('begin immediate')\nprint('taken', flush=True)\nsys.stdin.read()\n";
        let mut child = Command::new("python3")
            .args(["-c", script])
            .arg(hub.folder.path().join("records.db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = [0; 5];
        let told = child.stdout.as_mut().unwrap();
        std::io::Read::read_exact(told, &mut said).unwrap();
        Self(child)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.stdin.take().map(|mut end| end.flush());
        let _ = self.0.wait();
    }
}

/// Waits until the feed says that it cannot keep what comes, or that it can.
async fn until_stalled(hub: &Hub, stalled: bool) {
    while hub.store.jobs().stalled().is_empty() == stalled {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_can_be_kept_nothing_is_acknowledged_and_it_goes_on_by_itself() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await,
        Some(accepted("1"))
    );
    let lock = Lock::take(&hub);
    sender.send(&framed(message("2", PATIENT).as_bytes())).await;
    until_stalled(&hub, true).await;
    assert!(sender.came.is_empty());
    drop(lock);
    assert_eq!(sender.answer().await, Some(accepted("2")));
    until_stalled(&hub, false).await;
    assert_eq!(hub.reception().await.waiting, 2);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_may_tell_its_senders_that_nothing_can_be_kept() {
    let hub = Hub::with(Mllp {
        on_failure: OnFailure::Error,
        ..mllp()
    })
    .await;
    let mut sender = hub.connect().await;
    let lock = Lock::take(&hub);
    let error =
        "MSA|AE|1|Application internal error\rERR|||207^Application internal error^HL70357|E\r";
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await.as_deref(),
        Some(error)
    );
    drop(lock);
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await,
        Some(accepted("1"))
    );
    assert_eq!(hub.reception().await.waiting, 1);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_is_tried_again() {
    let hub = Hub::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen_at = taken.local_addr().unwrap();
    let feed = feed_of(Mllp {
        listen: listen_at,
        ..mllp()
    });
    let (stop, told) = watch::channel(false);
    let kept = Arc::new(Notify::new());
    let listening = listen(Arc::new(feed), hub.store.clone(), MOST, kept, told);
    let listening = tokio::spawn(listening);
    until_stalled(&hub, true).await;
    drop(taken);
    until_stalled(&hub, false).await;
    let mut sender = Sender::new(TcpStream::connect(listen_at).await.unwrap());
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await,
        Some(accepted("1"))
    );
    stop.send(true).unwrap();
    listening.await.unwrap();
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_of_the_program_what_came_whole_is_still_kept_and_answered() {
    let hub = Hub::new().await;
    let mut sender = hub.connect().await;
    assert_eq!(
        sender.ask(&message("1", PATIENT)).await,
        Some(accepted("1"))
    );
    let lock = Lock::take(&hub);
    sender.send(&framed(message("2", PATIENT).as_bytes())).await;
    until_stalled(&hub, true).await;
    hub.stop.send(true).unwrap();
    drop(lock);
    assert_eq!(sender.answer().await, Some(accepted("2")));
    assert_eq!(sender.answer().await, None);
    assert_eq!(hub.reception().await.waiting, 2);
    hub.stop().await;
}

/// Somebody who has a new paper is being erased, and the process that did it died.
fn begin_erasing(hub: &Hub) {
    let script = "import sqlite3, sys\n\
                  db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=60)\n\
                  db.execute('insert into job (patient, kind, facility, due_at) values (1, 2, 0, 0)')\n";
    let records = hub.folder.path().join("records.db");
    let done = Command::new("python3")
        .args(["-c", script])
        .arg(records)
        .status();
    assert!(done.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_being_erased_holds_up_nobody_else() {
    let hub = Hub::new().await;
    begin_erasing(&hub);
    let (mut theirs, mut others) = (hub.connect().await, hub.connect().await);
    theirs.send(&framed(message("1", PATIENT).as_bytes())).await;
    let stranger = message("2", "0000000042");
    assert_eq!(others.ask(&stranger).await, Some(accepted("2")));
    assert_eq!(theirs.answer().await, None);
    let papers = hub.store.papers(normalize::text::fold);
    hub.store.jobs().follow(&papers).await.unwrap();
    let mut again = hub.connect().await;
    assert_eq!(again.ask(&message("1", PATIENT)).await, Some(accepted("1")));
    assert_eq!(hub.reception().await.waiting, 1);
    hub.stop().await;
}
