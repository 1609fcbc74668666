//! One sender's connection: frames in, answers out, in order. While an answer is due nothing more is
//! read, so a sender that is faster than the store is slowed down by TCP itself. What came in one
//! piece is kept together: senders that do not wait for answers are served as fast.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use model::feed::{Feed, Mllp};
use normalize::hl7::ack::{ACCEPTED, Fault};
use store::{Fate, Received};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use super::frames::{Frame, Frames, framed};
use super::group::Waiting;
use super::reading::{self, Reading};
use super::stopped;

/// So much is read at once.
const PIECE: usize = 16 * 1024;
/// A frame that grows beyond this needs a place among the few large ones.
const SMALL: usize = 64 * 1024;
/// A frame whose last byte does not come is complete after this.
const SILENCE: Duration = Duration::from_secs(1);
/// A sender that stops in the middle of a frame is given up after this.
const STALL: Duration = Duration::from_secs(60);
/// And so is one that takes longer for one large frame than this, however it drips.
const DRIP: Duration = Duration::from_secs(300);
/// So long a sender may wait for an answer, or not take it. It connects anew then, and sends again.
const ANSWER: Duration = Duration::from_secs(60);

/// What the connections of a feed share.
pub(super) struct Shared {
    pub(super) feed: Arc<Feed>,
    pub(super) mllp: Mllp,
    pub(super) queue: mpsc::Sender<Waiting>,
    /// Places for large frames, each of the largest size.
    pub(super) large: Arc<Semaphore>,
    /// Bytes of the largest message.
    pub(super) most: usize,
    pub(super) stop: watch::Receiver<bool>,
}

/// How a connection came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Its sender closed it, or the program stops.
    Closed,
    /// Nothing came for longer than the feed allows.
    Idle,
    /// Its sender stopped in the middle of a frame.
    Stalled,
    /// Nobody could be told what became of a message.
    Unanswered,
}

impl End {
    /// A word for logs and metrics.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Idle => "idle",
            Self::Stalled => "stalled",
            Self::Unanswered => "unanswered",
        }
    }
}

/// Serves a sender until it ends.
///
/// # Errors
/// When the connection breaks.
pub(super) async fn serve<S>(stream: S, shared: &Shared) -> io::Result<End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection {
        stream,
        shared,
        frames: Frames::new(shared.most),
        large: None,
    };
    let ended = connection.run().await;
    connection.frames.end();
    connection.count_junk();
    ended
}

struct Connection<'a, S> {
    stream: S,
    shared: &'a Shared,
    frames: Frames,
    /// A place for a large frame, and since when it is taken.
    large: Option<(Arc<OwnedSemaphorePermit>, Instant)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(&mut self) -> io::Result<End> {
        let mut piece = vec![0; PIECE];
        let mut stop = self.shared.stop.clone();
        loop {
            if !self.has_room().await {
                return Ok(End::Closed);
            }
            let patience = self.patience();
            let read = tokio::select! {
                // What was received whole has its answer; what has not is sent again elsewhere.
                () = stopped(&mut stop) => return Ok(End::Closed),
                read = timeout(patience, self.stream.read(&mut piece)) => read,
            };
            let mut found = Vec::new();
            let is_last = match read {
                Ok(read) => {
                    let length = read?;
                    self.frames
                        .push(piece.get(..length).unwrap_or_default(), &mut found);
                    if length == 0 {
                        found.extend(self.frames.end());
                    }
                    length == 0
                }
                Err(_) if self.frames.is_ending() => {
                    found.extend(self.frames.silence());
                    false
                }
                Err(_) if self.frames.is_begun() => return Ok(End::Stalled),
                Err(_) => return Ok(End::Idle),
            };
            self.count_junk();
            if !found.is_empty() && !self.answer(found).await? {
                return Ok(End::Unanswered);
            }
            if is_last {
                self.stream.shutdown().await?;
                return Ok(End::Closed);
            }
        }
    }

    /// Waits until there is room for the next piece; false when the program stops meanwhile. A place
    /// for a large frame is taken as a whole: two senders with half of one each would wait for ever.
    async fn has_room(&mut self) -> bool {
        if self.frames.held() + PIECE <= SMALL {
            self.large = None;
            return true;
        }
        if self.large.is_none() {
            let mut stop = self.shared.stop.clone();
            let place = tokio::select! {
                () = stopped(&mut stop) => return false,
                place = Arc::clone(&self.shared.large).acquire_owned() => place,
            };
            self.large = place.ok().map(|place| (Arc::new(place), Instant::now()));
        }
        self.large.is_some()
    }

    /// How long the next byte may take.
    fn patience(&self) -> Duration {
        if self.frames.is_ending() {
            SILENCE
        } else if let Some((_, since)) = &self.large {
            DRIP.saturating_sub(since.elapsed()).min(STALL)
        } else if self.frames.is_begun() {
            STALL.min(self.shared.mllp.idle)
        } else {
            self.shared.mllp.idle
        }
    }

    /// Has messages kept, and tells their sender in their order; false when that took too long.
    async fn answer(&mut self, found: Vec<Frame>) -> io::Result<bool> {
        let came = Instant::now();
        let mut due = Vec::with_capacity(found.len());
        for frame in found {
            let feed = &self.shared.feed;
            let read = reading::read(frame, feed).await.map_err(io::Error::other)?;
            let (answer, told) = oneshot::channel();
            let waiting = Waiting {
                pushed: read.pushed.clone(),
                answer,
                _place: self.large.as_ref().map(|(place, _)| Arc::clone(place)),
            };
            let queued = self.shared.queue.send(waiting);
            if !matches!(timeout(ANSWER, queued).await, Ok(Ok(()))) {
                return Ok(false);
            }
            due.push((read, told));
        }
        for (read, told) in due {
            let Ok(Ok(received)) = timeout(ANSWER, told).await else {
                return Ok(false);
            };
            let ack = acknowledgement(&read, received);
            match timeout(ANSWER, self.stream.write_all(&framed(&ack))).await {
                Ok(written) => written?,
                Err(_) => return Ok(false),
            }
            self.count(&read, received, came.elapsed());
        }
        self.stream.flush().await?;
        Ok(true)
    }

    fn count(&self, read: &Reading, received: Option<Received>, took: Duration) {
        let feed = self.shared.feed.id.clone();
        let result = match received.map(|received| received.fate) {
            Some(Fate::Kept) => "kept",
            Some(Fate::NotOnFile) => "not_on_file",
            Some(Fate::Quarantined) => "quarantined",
            Some(Fate::Refused) => "refused",
            None => "failed",
        };
        let code = told(read, received).map_or(ACCEPTED, Fault::answer);
        let kind = read.header.kind();
        metrics::counter!("musubi_feed_messages_total", "feed" => feed.clone(), "type" => kind, "result" => result)
            .increment(1);
        metrics::counter!("musubi_feed_bytes_total", "feed" => feed.clone())
            .increment(u64::try_from(read.size).unwrap_or(u64::MAX));
        metrics::counter!("musubi_ack_total", "feed" => feed.clone(), "code" => code).increment(1);
        metrics::histogram!("musubi_ack_seconds", "feed" => feed).record(took.as_secs_f64());
    }

    fn count_junk(&mut self) {
        let junk = self.frames.take_junk();
        if junk > 0 {
            let feed = self.shared.feed.id.clone();
            metrics::counter!("musubi_feed_junk_bytes_total", "feed" => feed).increment(junk);
        }
    }
}

/// What the sender is told is wrong, if anything.
fn told(read: &Reading, received: Option<Received>) -> Option<Fault> {
    match received {
        Some(_) => read.fault,
        None => Some(Fault::NotKept),
    }
}

fn acknowledgement(read: &Reading, received: Option<Received>) -> Vec<u8> {
    let (arrival, at) = received.map_or_else(
        || {
            let now = model::time::Instant(jiff::Timestamp::now().as_microsecond());
            (now.0, now)
        },
        |received| (received.arrival, received.at),
    );
    read.header.acknowledge(told(read, received), arrival, at)
}
