//! A feed whose senders connect and push: HL7 v2.5 over MLLP. A message is acknowledged when it is
//! durable; what it means is read later.
//!
//! | file | answers |
//! | --- | --- |
//! | [`frames`] | where messages begin and end |
//! | `reading` | whose they are |
//! | `group` | how they become durable together |
//! | `connection` | how one sender is served |
//! | `tls` | how it is known who that is |
//! | `gauges` | how much waits |

mod connection;
pub(crate) mod frames;
mod gauges;
mod group;
mod reading;
#[cfg(test)]
mod tests;
mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::feed::{Feed, Mllp, Source};
use store::Store;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::Instrument;

use connection::{End, Shared};
use group::{Groups, Standing};

/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;
/// Messages that wait for the next group, of all senders.
const QUEUE: usize = 1024;
/// So many frames at a time may be large; senders of further ones wait.
const LARGE: usize = 4;
/// After a failure to listen it is tried again so soon, then less and less often.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A sender must say who it is in this time.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// At the end of the process answers that are due may take so long.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// Listens for a feed's senders until `stop`. `most` bounds the size of one message in bytes; `kept` is
/// told when messages wait in the inbox.
pub(crate) async fn listen(
    feed: Arc<Feed>,
    store: Store,
    most: u64,
    kept: Arc<Notify>,
    mut stop: watch::Receiver<bool>,
) {
    let Source::MllpListen(mllp) = &feed.source else {
        return;
    };
    let mut standing = Standing::new(Arc::clone(&feed), store.clone());
    let mut wait = FIRST_WAIT;
    let listener = loop {
        match bind(mllp).await {
            Ok(listener) => break listener,
            Err(error) => standing.is(Err(&error)),
        }
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(LONGEST_WAIT),
        }
    };
    standing.is(Ok(()));
    let groups = Groups {
        feed: Arc::clone(&feed),
        store,
        on_failure: mllp.on_failure,
        kept,
        standing,
    };
    Listening::new(listener, groups, mllp.clone(), most, stop)
        .run()
        .await;
}

/// A listener that keeps its address, and notices senders that are gone.
async fn bind(mllp: &Mllp) -> io::Result<TcpListener> {
    if let Some(files) = &mllp.tls {
        tls::acceptor(files).await?;
    }
    let socket = match mllp.listen {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    // Connections inherit it from their listener.
    socket.set_keepalive(true)?;
    socket.bind(mllp.listen)?;
    socket.listen(BACKLOG)
}

/// A feed that listens.
struct Listening {
    listener: TcpListener,
    shared: Arc<Shared>,
    connections: JoinSet<()>,
    groups: JoinSet<()>,
    /// Ends with the listener.
    _watching: JoinSet<()>,
    stop: watch::Receiver<bool>,
    is_full: bool,
}

impl Listening {
    fn new(
        listener: TcpListener,
        groups: Groups,
        mllp: Mllp,
        most: u64,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let shared = Shared {
            feed: Arc::clone(&groups.feed),
            mllp,
            queue,
            large: Arc::new(Semaphore::new(LARGE)),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            stop: stop.clone(),
        };
        let mut running = JoinSet::new();
        let waits = gauges::show(Arc::clone(&groups.feed), groups.store.clone());
        let mut watching = JoinSet::new();
        watching.spawn(waits);
        running.spawn(groups.run(waiting).in_current_span());
        Self {
            listener,
            shared: Arc::new(shared),
            connections: JoinSet::new(),
            groups: running,
            _watching: watching,
            stop,
            is_full: false,
        }
    }

    async fn run(mut self) {
        match self.listener.local_addr() {
            Ok(address) => tracing::info!(mllp = %address, "senders may connect"),
            Err(error) => tracing::warn!(%error, "senders may connect somewhere"),
        }
        loop {
            let accepted = tokio::select! {
                () = stopped(&mut self.stop) => break,
                Some(ended) = self.connections.join_next() => {
                    if ended.is_err() {
                        tracing::error!("serving a sender failed inside the program");
                    }
                    self.count();
                    continue;
                }
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.admit(stream, peer),
                Err(error) => {
                    // The process has no descriptors left, or the like: others must end first.
                    tracing::warn!(%error, "a sender could not connect");
                    tokio::time::sleep(FIRST_WAIT).await;
                }
            }
        }
        self.finish().await;
    }

    /// Serves a connection beside the others.
    fn admit(&mut self, stream: TcpStream, peer: SocketAddr) {
        let feed = self.shared.feed.id.clone();
        metrics::counter!("musubi_source_reconnects_total", "feed" => feed).increment(1);
        // Before anything else: whoever may not connect takes nobody's place.
        if !self.shared.mllp.may_connect(peer.ip()) {
            tracing::warn!(%peer, "a sender is not let in");
            return;
        }
        let is_full = self.connections.len() >= self.shared.mllp.connections;
        if is_full && !self.is_full {
            tracing::error!(%peer, connections = self.connections.len(), "too many connections; further senders are turned away");
        }
        self.is_full = is_full;
        if is_full {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let span = tracing::info_span!("sender", %peer);
        self.connections
            .spawn(sender(stream, peer, shared).instrument(span));
        self.count();
    }

    fn count(&self) {
        let connections = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        let feed = self.shared.feed.id.clone();
        metrics::gauge!("musubi_feed_connections", "feed" => feed).set(f64::from(connections));
    }

    /// Gives the answers that are due, then ends.
    async fn finish(mut self) {
        drop(self.listener);
        let answered = async {
            while self.connections.join_next().await.is_some() {}
            drop(self.shared);
            while self.groups.join_next().await.is_some() {}
        };
        if timeout(LAST_ANSWERS, answered).await.is_err() {
            tracing::warn!("senders wait for answers; they will send again");
        }
    }
}

/// Serves a sender, when it is one of the feed's.
async fn sender(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    // Without it an answer waits for the sender's delayed acknowledgement: 40 ms each.
    let served = match stream.set_nodelay(true) {
        Ok(()) => known(stream, peer, &shared).await,
        Err(error) => Err(error),
    };
    match served {
        Ok(Some(End::Closed)) => tracing::debug!("a sender ended"),
        Ok(Some(end)) => tracing::warn!(end = end.word(), "a connection was closed"),
        Ok(None) => tracing::warn!("a sender is not let in"),
        Err(error) => tracing::warn!(%error, "a connection broke"),
    }
}

/// How the connection of a sender ended; nothing when it was not let in.
async fn known(stream: TcpStream, peer: SocketAddr, shared: &Shared) -> io::Result<Option<End>> {
    let mllp = &shared.mllp;
    let Some(files) = &mllp.tls else {
        let Some(name) = mllp.sender(peer.ip(), None) else {
            return Ok(None);
        };
        tracing::info!(name, "a sender connected");
        return connection::serve(stream, shared).await.map(Some);
    };
    let acceptor = tls::acceptor(files).await?;
    let secured = timeout(HANDSHAKE, acceptor.accept(stream)).await??;
    let certificate = tls::fingerprint(secured.get_ref().1);
    let Some(name) = mllp.sender(peer.ip(), certificate.as_ref()) else {
        return Ok(None);
    };
    tracing::info!(name, "a sender connected");
    connection::serve(secured, shared).await.map(Some)
}

/// Done when the process ends; a closed channel means the same.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopping| *stopping).await;
}
