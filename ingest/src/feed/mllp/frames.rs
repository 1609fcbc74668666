//! The frames of a byte stream: `VT message FS CR` (MLLP, HL7 v2.5 appendix C). Pure: whatever packets
//! the stream came in, it gives the same frames, and no bytes make it fail.
//!
//! Senders deviate. Bytes outside frames are counted and never kept. A frame ends without its CR when
//! the next one begins, or when the caller says that the stream is silent. FS before anything else is
//! a character of the message, and so is VT, unless a message begins behind it: then the frame before
//! was given up by its sender.

#[cfg(test)]
mod tests;

use memchr::{memchr, memchr2};

const VT: u8 = 0x0b;
const FS: u8 = 0x1c;
const CR: u8 = b'\r';
const LF: u8 = b'\n';
/// How every message begins.
const BEGINNING: &[u8] = b"MSH";
/// So much is kept of a frame that is too large: its header, to answer it.
const HEAD: usize = 4096;

/// What a frame held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The bytes between VT and FS.
    Message(Vec<u8>),
    /// More bytes than may come; only the first of them are here.
    TooLarge(Vec<u8>),
}

/// Where in the stream the next byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between frames.
    Outside,
    /// Inside one.
    Inside,
    /// Inside one, behind a VT and so many bytes of a message's beginning.
    Beginning(usize),
    /// Behind an FS that may be the end.
    Ending,
}

/// Cuts a stream into frames.
#[derive(Debug)]
pub struct Frames {
    most: usize,
    state: State,
    /// The frame so far; of one that is too large its head.
    frame: Vec<u8>,
    /// Length of the frame so far.
    length: usize,
    junk: u64,
}

impl Frames {
    /// Frames of at most so many bytes.
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            state: State::Outside,
            frame: Vec::new(),
            length: 0,
            junk: 0,
        }
    }

    /// Takes the next bytes of the stream; complete frames go behind those that were `found` before.
    pub fn push(&mut self, mut bytes: &[u8], found: &mut Vec<Frame>) {
        while let [first, rest @ ..] = bytes {
            bytes = match self.state {
                State::Outside => self.outside(bytes),
                State::Inside => self.inside(bytes),
                State::Beginning(known) => {
                    self.beginning(known, *first);
                    if matches!(self.state, State::Beginning(next) if next > known) {
                        rest
                    } else {
                        bytes
                    }
                }
                State::Ending => match *first {
                    CR | LF => {
                        found.push(self.complete());
                        rest
                    }
                    VT => {
                        found.push(self.complete());
                        bytes
                    }
                    _ => {
                        self.keep(&[FS]);
                        self.state = State::Inside;
                        bytes
                    }
                },
            };
            self.restart();
        }
    }

    /// Nothing came for a while: a frame that lacks only its CR is complete.
    pub fn silence(&mut self) -> Option<Frame> {
        self.is_ending().then(|| self.complete())
    }

    /// Nothing will come any more. What is not a whole frame is junk.
    pub fn end(&mut self) -> Option<Frame> {
        let last = self.silence();
        self.junk += count(self.length);
        self.begin(State::Outside);
        last
    }

    /// Whether a frame lacks only its CR.
    pub fn is_ending(&self) -> bool {
        self.state == State::Ending
    }

    /// Whether a frame has begun.
    pub fn is_begun(&self) -> bool {
        self.state != State::Outside
    }

    /// Bytes of memory that the frame so far takes.
    pub const fn held(&self) -> usize {
        self.frame.capacity()
    }

    /// Bytes outside frames since the last call.
    pub const fn take_junk(&mut self) -> u64 {
        std::mem::replace(&mut self.junk, 0)
    }

    fn outside<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let at = memchr(VT, bytes);
        let (junk, rest) = bytes.split_at(at.unwrap_or(bytes.len()));
        // A line break behind a frame is a habit, not junk.
        let junk = junk.iter().filter(|byte| !matches!(**byte, CR | LF));
        self.junk += count(junk.count());
        match rest {
            [VT, rest @ ..] => {
                self.begin(State::Inside);
                rest
            }
            rest => rest,
        }
    }

    fn inside<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let at = memchr2(VT, FS, bytes);
        let (text, rest) = bytes.split_at(at.unwrap_or(bytes.len()));
        self.keep(text);
        match rest {
            [FS, rest @ ..] => {
                self.state = State::Ending;
                rest
            }
            [VT, rest @ ..] => {
                self.keep(&[VT]);
                self.state = State::Beginning(0);
                rest
            }
            rest => rest,
        }
    }

    /// The byte behind a VT and `known` bytes of a beginning: kept when it goes on, else looked at
    /// again as any other.
    fn beginning(&mut self, known: usize, byte: u8) {
        if BEGINNING.get(known) == Some(&byte) {
            self.keep(&[byte]);
            self.state = State::Beginning(known + 1);
        } else {
            self.state = State::Inside;
        }
    }

    /// Gives the frame up in whose middle another message began.
    fn restart(&mut self) {
        if self.state == State::Beginning(BEGINNING.len()) {
            self.junk += count(self.length - BEGINNING.len());
            self.begin(State::Inside);
            self.keep(BEGINNING);
        }
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.frame = Vec::new();
        self.length = 0;
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len());
        if self.length <= self.most {
            self.frame.extend_from_slice(bytes);
            return;
        }
        let room = HEAD.min(self.most).saturating_sub(self.frame.len());
        self.frame.extend(bytes.iter().take(room));
        self.frame.truncate(HEAD);
        self.frame.shrink_to_fit();
    }

    fn complete(&mut self) -> Frame {
        let frame = std::mem::take(&mut self.frame);
        let fits = self.length <= self.most;
        self.begin(State::Outside);
        if fits {
            Frame::Message(frame)
        } else {
            Frame::TooLarge(frame)
        }
    }
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// A message in its frame.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&[VT], message, &[FS, CR]].concat()
}
