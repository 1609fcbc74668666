//! A sender that pushes in order and keeps a note of what was acknowledged: what it has no answer to
//! it sends again, as the standard asks of senders.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A message that a sender pushes.
#[derive(Clone)]
pub(crate) struct Message {
    /// MSH-10
    pub(crate) control: String,
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    /// A message under another control id.
    pub(crate) fn new(control: String, bytes: &[u8]) -> Self {
        let mut fields: Vec<&[u8]> = bytes.splitn(11, |byte| *byte == b'|').collect();
        fields[9] = control.as_bytes();
        Self {
            bytes: fields.join(&b'|'),
            control,
        }
    }
}

/// One sender; its messages arrive in order.
#[derive(Default)]
pub(crate) struct Sender {
    /// Not acknowledged yet.
    pub(crate) due: VecDeque<Message>,
    /// In the order of their answers.
    pub(crate) acknowledged: Vec<Message>,
}

impl Sender {
    /// Sends what is due, so many messages ahead of their answers, until it is done or the connection
    /// breaks.
    pub(crate) fn send(&mut self, address: &str, ahead: usize) {
        if let Ok(stream) = TcpStream::connect(address) {
            let _ = self.send_over(&stream, ahead);
        }
    }

    fn send_over(&mut self, mut stream: &TcpStream, ahead: usize) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut answers = BufReader::new(stream);
        let (mut sent, mut is_open) = (0, true);
        while !self.due.is_empty() {
            for message in self.due.iter().take(ahead).skip(sent) {
                let frame = [b"\x0b", message.bytes.as_slice(), b"\x1c\r"].concat();
                // Answers that are on their way are read all the same.
                is_open = is_open && stream.write_all(&frame).is_ok();
                sent += 1;
            }
            let mut answer = Vec::new();
            if answers.read_until(b'\x1c', &mut answer)? == 0 || answer.last() != Some(&b'\x1c') {
                return Ok(());
            }
            let answer = String::from_utf8(answer).unwrap();
            let told = answer.split_once("MSA|").unwrap().1.trim_end();
            let told: Vec<&str> = told.split(['|', '\r']).collect();
            let message = self.due.pop_front().unwrap();
            assert_eq!(told[..2], ["AA", &message.control], "answers in order");
            self.acknowledged.push(message);
            sent -= 1;
        }
        Ok(())
    }
}
