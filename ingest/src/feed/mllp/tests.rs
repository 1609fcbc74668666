//! Senders on real sockets, and what the store keeps of what they send.

mod away;
mod limits;
mod tls;
mod wire;

use std::collections::BTreeMap;
use std::path::Path;

use model::address::Block;
use model::feed::{Fallback, FeedState, Identity, OnFailure};
use model::id::PersonId;
use model::network::{Facility, Network, Profile};
use model::papers::ConsentPaper;
use store::{Clock, Entry, MasterKey, Reception, StoreConfig};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::frames::{Frame, Frames, framed};
use super::*;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../networks/example");
/// The number of the patient who has consented.
const PATIENT: &str = "0000123456";
/// Messages may have so many bytes.
const MOST: u64 = 200_000;

/// Senders of this machine, without TLS.
pub(super) fn mllp() -> Mllp {
    Mllp {
        listen: "127.0.0.1:0".parse().unwrap(),
        allow: vec!["127.0.0.1".parse::<Block>().unwrap()],
        idle: Duration::from_secs(3600),
        connections: 20,
        tls: None,
        senders: Vec::new(),
        on_failure: OnFailure::Wait,
    }
}

pub(super) fn feed() -> Feed {
    feed_of(mllp())
}

fn feed_of(mllp: Mllp) -> Feed {
    Feed {
        id: "his".to_owned(),
        title: "架空記念病院 HL7".to_owned(),
        facility: "1319999901".parse().unwrap(),
        state: FeedState::Active,
        source: Source::MllpListen(mllp),
        fallback: Fallback::Cp932,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [1; 32],
    }
}

fn network(feed: Feed) -> Network {
    let read = |name: &str| std::fs::read_to_string(Path::new(EXAMPLE).join(name)).unwrap();
    Network {
        id: "example".to_owned(),
        profile: Profile::parse("profile.toml", &read("profile.toml"))
            .value
            .unwrap(),
        facilities: Facility::parse_all("facilities.tsv", &read("facilities.tsv"))
            .value
            .unwrap(),
        feeds: BTreeMap::from([(feed.id.clone(), feed)]),
        hash: [3; 32],
    }
}

/// A message of somebody.
fn message(control: &str, patient: &str) -> String {
    format!(
        "MSH|^~\\&|HIS|H|GW|R|20260301101010||ADT^A08^ADT_A01|{control}|P|2.5||||||UNICODE UTF-8\r\
         PID|0001||{patient}^^^^PI||宮本^京美||19580314|F\r"
    )
}

/// What the sender of [`message`] is told, without header.
fn accepted(control: &str) -> String {
    format!("MSA|AA|{control}\r")
}

/// A store, and a feed that listens.
struct Hub {
    folder: TempDir,
    store: Store,
    feed: Feed,
    address: SocketAddr,
    kept: Arc<Notify>,
    stop: watch::Sender<bool>,
    listening: JoinHandle<()>,
}

impl Hub {
    async fn new() -> Self {
        Self::with(mllp()).await
    }

    async fn with(mllp: Mllp) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let feed = feed_of(mllp.clone());
        let config = StoreConfig::local(folder.path(), MasterKey::random().unwrap());
        let network = Arc::new(network(feed.clone()));
        let store = Store::open(config, network, Clock::system()).await.unwrap();
        let papers = store.papers(normalize::text::fold);
        papers.recompute_all().await.unwrap();
        let ids = format!("{}:{PATIENT}", feed.facility);
        let paper = ConsentPaper::from_fields(|field| match field {
            "consent_no" => "C-1",
            "form" => "C-1",
            "kana" => "ミヤモト キョウミ",
            "birth_date" | "signed_on" | "from" => "1958-03-14",
            "sex" => "female",
            "local_ids" => &ids,
            "sources" | "readers" | "categories" => "*",
            "to" => "",
            _ => "1",
        });
        let paper = paper.unwrap();
        let entered = papers.enter_consent(PersonId(1), &paper, Entry::Active);
        entered.await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, told) = watch::channel(false);
        let kept = Arc::new(Notify::new());
        let of_feed = Arc::new(feed.clone());
        let groups = Groups {
            feed: Arc::clone(&of_feed),
            store: store.clone(),
            on_failure: mllp.on_failure,
            kept: Arc::clone(&kept),
            standing: Standing::new(of_feed, store.clone()),
        };
        let listening = Listening::new(listener, groups, mllp, MOST, told).run();
        Self {
            folder,
            store,
            feed,
            address,
            kept,
            stop,
            listening: tokio::spawn(listening),
        }
    }

    async fn connect(&self) -> Sender<TcpStream> {
        Sender::new(TcpStream::connect(self.address).await.unwrap())
    }

    async fn reception(&self) -> Reception {
        self.store.intake().reception(&self.feed).await.unwrap()
    }

    /// Stops as the program does.
    async fn stop(self) {
        self.stop.send_replace(true);
        self.listening.await.unwrap();
        self.store.close().await;
    }
}

/// A sender's end.
struct Sender<S> {
    stream: S,
    frames: Frames,
    came: Vec<Frame>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sender<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            frames: Frames::new(1 << 20),
            came: Vec::new(),
        }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// The next answer without its header; nothing when the connection ends instead.
    async fn answer(&mut self) -> Option<String> {
        while self.came.is_empty() {
            let mut piece = [0; 4096];
            let length = self.stream.read(&mut piece).await.unwrap_or(0);
            if length == 0 {
                return None;
            }
            self.frames.push(&piece[..length], &mut self.came);
        }
        let Frame::Message(ack) = self.came.remove(0) else {
            panic!("a short answer");
        };
        let text = String::from_utf8(ack).unwrap();
        let (header, rest) = text.split_once('\r').unwrap();
        assert!(header.starts_with("MSH|^~\\&|"), "{header}");
        Some(rest.to_owned())
    }

    /// Sends a message and takes its answer.
    async fn ask(&mut self, message: &str) -> Option<String> {
        self.send(&framed(message.as_bytes())).await;
        self.answer().await
    }
}
