//! A record of system calls, as strace writes it, as events.

use std::collections::BTreeMap;

/// Something that the program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Who did it.
    pub(super) thread: String,
    /// Line of the record on which it began.
    pub(super) begun: usize,
    /// Line on which it was done: the same one, unless another thread came in between.
    pub(super) done: usize,
    pub(super) act: Act,
}

/// What it did. The bytes are the first ones only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Made a file.
    Created { path: String },
    /// Wrote to a file.
    Written { path: String, bytes: Vec<u8> },
    /// Synced a file or a folder.
    Synced { path: String },
    /// Received from the other end of a connection.
    Received { socket: String, bytes: Vec<u8> },
    /// Sent to it.
    Sent { socket: String, bytes: Vec<u8> },
}

/// The events of a record, in the order in which they began. Calls that failed did nothing.
pub(super) fn events(record: &str) -> Vec<Event> {
    let mut begun: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    let mut events = Vec::new();
    for (at, line) in record.lines().enumerate() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let call = call.trim_start();
        if let Some(first) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, (at, first));
            continue;
        }
        let (from, call) = match call.split_once(" resumed>") {
            Some((name, rest)) if name.starts_with("<... ") => match begun.remove(thread) {
                Some((from, first)) => (from, format!("{first}{rest}")),
                None => continue,
            },
            _ => (at, call.to_owned()),
        };
        if let Some(act) = act(&call) {
            events.push(Event {
                thread: thread.to_owned(),
                begun: from,
                done: at,
                act,
            });
        }
    }
    events.sort_by_key(|event| event.begun);
    events
}

fn act(call: &str) -> Option<Act> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    if result.starts_with('-') || result.starts_with('?') {
        return None;
    }
    let (path, bytes) = (target(arguments), quoted(arguments));
    Some(match name {
        "openat" if arguments.contains("O_CREAT|O_EXCL") => Act::Created {
            path: target(result)?,
        },
        "fsync" | "fdatasync" => Act::Synced { path: path? },
        "recvfrom" => Act::Received {
            socket: path?,
            bytes: bytes?,
        },
        "write" | "writev" | "pwrite64" | "sendto" | "sendmsg" => match path? {
            socket if socket.starts_with("TCP") => Act::Sent {
                socket,
                bytes: bytes?,
            },
            path => Act::Written {
                path,
                bytes: bytes?,
            },
        },
        _ => return None,
    })
}

/// What a descriptor stands for: `12</a/path>` or `12<TCP:[from->to]>`.
fn target(text: &str) -> Option<String> {
    let (_, name) = text.split_once('<')?;
    let end = if name.starts_with("TCP") {
        name.find("]>")? + 1
    } else {
        name.find('>')?
    };
    Some(name[..end].to_owned())
}

/// The bytes of the first string.
fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut rest = text.split_once('"')?.1.bytes().peekable();
    let mut bytes = Vec::new();
    loop {
        let byte = match rest.next()? {
            b'"' => return Some(bytes),
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 0x0b,
                b'f' => 0x0c,
                digit @ b'0'..=b'7' => {
                    let mut value = u32::from(digit - b'0');
                    for _ in 0..2 {
                        let next = rest.next_if(|next| (b'0'..=b'7').contains(next));
                        value = next.map_or(value, |next| value * 8 + u32::from(next - b'0'));
                    }
                    u8::try_from(value).ok()?
                }
                other => other,
            },
            other => other,
        };
        bytes.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The only event of a record.
    #[track_caller]
    fn check(record: &str, begun: usize, done: usize, act: Act) {
        let thread = "7".to_owned();
        let expected = Event {
            thread,
            begun,
            done,
            act,
        };
        assert_eq!(events(record), [expected]);
    }

    #[test]
    fn bytes_are_read_from_their_escapes() {
        check(
            r#"7 pwrite64(14</d/a b-wal>, "\0\0\0\21\0\00219\n\v\"\\", 24, 32) = 24"#,
            0,
            0,
            Act::Written {
                path: "/d/a b-wal".to_owned(),
                bytes: b"\0\0\0\x11\0\x0219\n\x0b\"\\".to_vec(),
            },
        );
    }

    #[test]
    fn a_call_may_be_done_after_those_of_others() {
        check(
            "7 fsync(14</d/x> <unfinished ...>\n8 close(3) = 0\n7 <... fsync resumed>)    = 0",
            0,
            2,
            Act::Synced {
                path: "/d/x".to_owned(),
            },
        );
    }

    #[test]
    fn what_came_over_a_connection_is_known_when_it_is_done() {
        check(
            "7 recvfrom(9<TCP:[1.1.1.1:1->2.2.2.2:2]>,  <unfinished ...>\n7 <... recvfrom resumed>\"GET\", 9, 0, NULL, NULL) = 3",
            0,
            1,
            Act::Received {
                socket: "TCP:[1.1.1.1:1->2.2.2.2:2]".to_owned(),
                bytes: b"GET".to_vec(),
            },
        );
    }

    #[test]
    fn parts_are_sent_together() {
        check(
            "7 writev(9<TCP:[1.1.1.1:1->2.2.2.2:2]>, [{iov_base=\"HTTP\", iov_len=4}, {iov_base=\"x\", iov_len=1}], 2) = 5",
            0,
            0,
            Act::Sent {
                socket: "TCP:[1.1.1.1:1->2.2.2.2:2]".to_owned(),
                bytes: b"HTTP".to_vec(),
            },
        );
    }

    #[test]
    fn a_file_that_was_there_is_not_made() {
        let record = "7 openat(AT_FDCWD</d>, \"x\", O_RDWR|O_CREAT|O_CLOEXEC, 0600) = 5</d/x>";
        assert!(events(record).is_empty());
        check(
            "7 openat(AT_FDCWD</d>, \"y\", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600) = 5</d/y>",
            0,
            0,
            Act::Created {
                path: "/d/y".to_owned(),
            },
        );
    }

    #[test]
    fn what_failed_did_nothing() {
        assert!(events("7 fdatasync(14</d/x>) = -1 EIO (Input/output error)").is_empty());
    }
}
