//! Whether the syncs of a record stand where the promises need them.
//!
//! SQLite ends a transaction with a frame in its write-ahead log whose header says so: 24 bytes, of
//! which 4 to 7 are the size of the database then (<https://www.sqlite.org/fileformat2.html#walformat>).

use super::trace::{Act, Event};

/// A promise: what is received, what is answered, and the log of the database whose commit it
/// rests on.
struct Promise {
    what: &'static str,
    received: &'static [u8],
    sent: &'static [u8],
    log: &'static str,
}

const PROMISES: [Promise; 3] = [
    Promise {
        what: "an acknowledgement",
        received: b"\x0bMSH",
        sent: b"MSA|AA|",
        log: "records.db-wal",
    },
    Promise {
        what: "an answer to a reader",
        received: b"GET /fhir/",
        sent: b"HTTP/1.1 200",
        log: "audit.db-wal",
    },
    Promise {
        what: "an answer about a paper",
        received: b"POST /office/",
        sent: b"HTTP/1.1 201",
        log: "office.db-wal",
    },
];

/// The end of a transaction.
struct Commit<'a> {
    log: &'a str,
    begun: usize,
    /// Which event synced it, before anything else was written to the log.
    sync: Option<usize>,
    /// Something else was written first.
    is_overtaken: bool,
}

/// What is wrong with the order; nothing when every promise stands behind its syncs.
pub(super) fn faults(events: &[Event]) -> Vec<String> {
    let commits = commits(events);
    let overtaken = commits.iter().filter(|commit| commit.is_overtaken);
    let mut faults: Vec<String> = overtaken
        .map(|commit| format!("{} goes on behind a commit that is not synced", commit.log))
        .collect();
    for promise in &PROMISES {
        let kept = answers(events, promise);
        if kept.is_empty() {
            faults.push(format!("{} is not in the record", promise.what));
        }
        for (asked, answered) in kept {
            if under(events, &commits, promise.log, asked, answered).is_none() {
                let Promise { what, log, .. } = promise;
                faults.push(format!("{what} comes before the sync of {log}"));
            }
        }
    }
    for written in segment_writes(events) {
        let rows = rows_of(&commits, written);
        if rows.is_none_or(|rows| sync_of(events, written, rows.begun).is_none()) {
            faults.push("rows are written before their segment is synced".to_owned());
        }
        if rows.is_some_and(|rows| rows.sync.is_none()) {
            faults.push("the rows of a segment are not synced".to_owned());
        }
    }
    for made in made_segments(events) {
        let first = rows_of(&commits, made);
        if first.is_none_or(|first| folder_sync(events, made, first.begun).is_none()) {
            faults.push("rows are written before the name of their segment is synced".to_owned());
        }
    }
    faults
}

/// The syncs that some promise rests on.
pub(super) fn syncs(events: &[Event]) -> Vec<usize> {
    let commits = commits(events);
    let mut syncs = Vec::new();
    for promise in &PROMISES {
        for (asked, answered) in answers(events, promise) {
            syncs.extend(under(events, &commits, promise.log, asked, answered));
        }
    }
    for written in segment_writes(events) {
        if let Some(rows) = rows_of(&commits, written) {
            syncs.extend(sync_of(events, written, rows.begun));
            syncs.extend(rows.sync);
        }
    }
    for made in made_segments(events) {
        if let Some(first) = rows_of(&commits, made) {
            syncs.extend(folder_sync(events, made, first.begun));
        }
    }
    syncs.sort_unstable();
    syncs.dedup();
    syncs
}

/// All transactions that wrote.
fn commits(events: &[Event]) -> Vec<Commit<'_>> {
    let is_end = |bytes: &[u8]| bytes.len() == 24 && bytes[4..8] != [0; 4];
    let mut commits = Vec::new();
    for (at, event) in events.iter().enumerate() {
        match &event.act {
            Act::Written { path, bytes } if path.ends_with("-wal") && is_end(bytes) => {
                // The page follows its header, and then the sync. Another thread may sync the log too,
                // to take it in; that is no promise of the one that writes.
                let own = |(_, other): &(usize, &Event)| other.thread == event.thread;
                let mut behind = on(&events[at + 1..], path).filter(own).skip(1);
                let next = behind.next();
                commits.push(Commit {
                    log: path,
                    begun: event.begun,
                    sync: next
                        .filter(|(_, one)| is_sync(one))
                        .map(|(after, _)| at + 1 + after),
                    is_overtaken: next.is_some_and(|(_, one)| !is_sync(one)),
                });
            }
            _ => {}
        }
    }
    commits
}

/// What is done to a file.
fn on<'a>(events: &'a [Event], file: &'a str) -> impl Iterator<Item = (usize, &'a Event)> {
    let all = events.iter().enumerate();
    all.filter(move |(_, event)| match &event.act {
        Act::Written { path, .. } | Act::Synced { path } => path == file,
        _ => false,
    })
}

const fn is_sync(event: &Event) -> bool {
    matches!(event.act, Act::Synced { .. })
}

/// When promises of a kind were asked for, and given.
fn answers(events: &[Event], promise: &Promise) -> Vec<(usize, usize)> {
    let mut answers = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Act::Sent { socket, bytes } = &event.act else {
            continue;
        };
        if !bytes
            .windows(promise.sent.len())
            .any(|part| part == promise.sent)
        {
            continue;
        }
        let asked = events[..at].iter().rev().find_map(|one| match &one.act {
            Act::Received {
                socket: from,
                bytes,
            } if from == socket => Some((one.begun, bytes)),
            _ => None,
        });
        if let Some((asked, bytes)) = asked
            && bytes.starts_with(promise.received)
        {
            answers.push((asked, event.begun));
        }
    }
    answers
}

/// The sync under a promise: of a transaction that ended after it was asked for, done before it was
/// given.
fn under(
    events: &[Event],
    commits: &[Commit<'_>],
    log: &str,
    asked: usize,
    answered: usize,
) -> Option<usize> {
    let mut ended = commits.iter().filter(|commit| commit.log.ends_with(log));
    ended.find_map(|commit| {
        let sync = commit.sync?;
        (commit.begun > asked && events[sync].done < answered).then_some(sync)
    })
}

fn segment_writes(events: &[Event]) -> impl Iterator<Item = &Event> {
    let is_segment = |event: &&Event| matches!(&event.act, Act::Written { path, .. } if path.ends_with(".segment"));
    events.iter().filter(is_segment)
}

fn made_segments(events: &[Event]) -> impl Iterator<Item = &Event> {
    let is_segment =
        |event: &&Event| matches!(&event.act, Act::Created { path } if path.ends_with(".segment"));
    events.iter().filter(is_segment)
}

/// The first transaction of the records that ended behind an event: before it nothing can point there.
fn rows_of<'a>(commits: &'a [Commit<'a>], behind: &Event) -> Option<&'a Commit<'a>> {
    let mut records = commits
        .iter()
        .filter(|commit| commit.log.ends_with("records.db-wal"));
    records.find(|commit| commit.begun > behind.done)
}

/// The sync of what was written to a file, done before a moment.
fn sync_of(events: &[Event], written: &Event, before: usize) -> Option<usize> {
    let (Act::Written { path, .. } | Act::Created { path }) = &written.act else {
        return None;
    };
    synced(events, path, written.done, before)
}

fn folder_sync(events: &[Event], made: &Event, before: usize) -> Option<usize> {
    let Act::Created { path } = &made.act else {
        return None;
    };
    let (folder, _) = path.rsplit_once('/')?;
    synced(events, folder, made.done, before)
}

fn synced(events: &[Event], file: &str, after: usize, before: usize) -> Option<usize> {
    let mut all = events.iter();
    all.position(|event| {
        let is_between = event.begun > after && event.done < before;
        matches!(&event.act, Act::Synced { path } if path == file) && is_between
    })
}

#[cfg(test)]
mod tests {
    use super::super::trace::events;
    use super::*;

    /// A message, a read and a paper, each with what it needs; a segment that is made for a file.
    const GOOD: &str = r#"1 openat(AT_FDCWD</d>, "s", O_WRONLY|O_CREAT|O_EXCL, 0600) = 5</d/raw/1.segment>
1 fsync(6</d/raw>) = 0
1 write(5</d/raw/1.segment>, "frame", 5) = 5
1 fdatasync(5</d/raw/1.segment>) = 0
2 pwrite64(7</d/records.db-wal>, "\0\0\0\1\0\0\0\0abcdefghijklmnop", 24, 32) = 24
2 pwrite64(7</d/records.db-wal>, "page", 4096, 56) = 4096
2 pwrite64(7</d/records.db-wal>, "\0\0\0\2\0\0\0\2abcdefghijklmnop", 24, 32) = 24
2 pwrite64(7</d/records.db-wal>, "page", 4096, 56) = 4096
2 fsync(7</d/records.db-wal>) = 0
3 recvfrom(8<TCP:[1.1.1.1:1->2.2.2.2:2]>, "\vMSH|1", 99, 0, NULL, NULL) = 6
2 pwrite64(7</d/records.db-wal>, "\0\0\0\2\0\0\0\2abcdefghijklmnop", 24, 32) = 24
2 pwrite64(7</d/records.db-wal>, "page", 4096, 56) = 4096
2 fsync(7</d/records.db-wal>) = 0
3 sendto(8<TCP:[1.1.1.1:1->2.2.2.2:2]>, "\vMSH|\rMSA|AA|1\r\34\r", 20, 0, NULL, 0) = 20
3 recvfrom(9<TCP:[1.1.1.1:1->3.3.3.3:3]>, "GET /fhir/Patient", 99, 0, NULL, NULL) = 17
4 pwrite64(10</d/audit.db-wal>, "\0\0\0\2\0\0\0\2abcdefghijklmnop", 24, 32) = 24
4 pwrite64(10</d/audit.db-wal>, "page", 4096, 56) = 4096
4 fsync(10</d/audit.db-wal>) = 0
3 writev(9<TCP:[1.1.1.1:1->3.3.3.3:3]>, [{iov_base="HTTP/1.1 200 OK", iov_len=15}], 1) = 15
3 recvfrom(9<TCP:[1.1.1.1:1->3.3.3.3:3]>, "POST /office/consents", 99, 0, NULL, NULL) = 21
5 pwrite64(11</d/office.db-wal>, "\0\0\0\2\0\0\0\2abcdefghijklmnop", 24, 32) = 24
5 pwrite64(11</d/office.db-wal>, "page", 4096, 56) = 4096
5 fsync(11</d/office.db-wal>) = 0
3 sendto(9<TCP:[1.1.1.1:1->3.3.3.3:3]>, "HTTP/1.1 201 Created", 20, 0, NULL, 0) = 20"#;

    /// The record with lines in another order.
    fn with_moved(from: usize, to: usize) -> Vec<String> {
        let mut lines: Vec<&str> = GOOD.lines().collect();
        let line = lines.remove(from);
        lines.insert(to, line);
        faults(&events(&lines.join("\n")))
    }

    #[test]
    fn the_order_is_good() {
        assert_eq!(faults(&events(GOOD)), Vec::<String>::new());
    }

    #[test]
    fn every_sync_is_needed() {
        let events = events(GOOD);
        let all = events
            .iter()
            .enumerate()
            .filter(|(_, event)| is_sync(event));
        assert_eq!(syncs(&events), all.map(|(at, _)| at).collect::<Vec<_>>());
        for sync in syncs(&events) {
            let mut without = events.clone();
            without.remove(sync);
            assert_ne!(faults(&without), Vec::<String>::new(), "{sync}");
        }
    }

    #[test]
    fn a_sync_that_comes_late_is_none() {
        for (sync, behind) in [(1, 8), (3, 8), (8, 11), (12, 13), (17, 18), (22, 23)] {
            assert_ne!(with_moved(sync, behind), Vec::<String>::new(), "{sync}");
        }
    }

    #[test]
    fn a_sync_that_is_not_done_is_none() {
        let begun = GOOD.replace(
            "3 sendto(8",
            "7 fsync(7</d/records.db-wal> <unfinished ...>\n3 sendto(8",
        ) + "\n7 <... fsync resumed>) = 0";
        let lines: Vec<&str> = begun.lines().collect();
        let without = [&lines[..12], &lines[13..]].concat().join("\n");
        assert_ne!(faults(&events(&without)), Vec::<String>::new());
    }

    #[test]
    fn the_sync_of_another_thread_is_none() {
        let own = "2 fsync(7</d/records.db-wal>) = 0\n3 sendto(8";
        let theirs = own.replace("2 fsync", "6 fsync");
        assert_ne!(
            faults(&events(&GOOD.replace(own, &theirs))),
            Vec::<String>::new()
        );
        let before = "2 pwrite64(7</d/records.db-wal>, \"page\", 4096, 56) = 4096\n2 fsync";
        let between = format!("6 fsync(7</d/records.db-wal>) = 0\n{before}");
        assert_eq!(
            faults(&events(&GOOD.replace(before, &between))),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_record_without_promises_shows_nothing() {
        assert_eq!(faults(&[]).len(), PROMISES.len());
    }
}
