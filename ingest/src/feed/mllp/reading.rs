//! What is read of a message before it is kept: its header, and whose it is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use model::feed::Feed;
use model::id::LocalPatientId;
use normalize::hl7::ack::{ACCEPTED, Fault, Header};
use normalize::{Subject, lint, subject};
use store::{Pushed, Whose};

use super::frames::Frame;
use crate::cpu::{self, Cut, Pace};

/// A larger message is read on a computing thread.
const LONG: usize = 32 * 1024;

/// A message on its way to the store.
pub(super) struct Reading {
    pub(super) header: Header,
    /// What the header says against the message.
    pub(super) fault: Option<Fault>,
    pub(super) pushed: Pushed,
    /// Bytes that came.
    pub(super) size: usize,
}

/// Reads a frame.
///
/// # Errors
/// When the program ends meanwhile.
pub(super) async fn read(frame: Frame, feed: &Arc<Feed>) -> Result<Reading, Cut> {
    let bytes = match frame {
        Frame::Message(bytes) => Arc::new(bytes),
        Frame::TooLarge(head) => {
            let header = Header::read(&head, feed.fallback);
            let fault = header.fault().unwrap_or(Fault::TooLarge);
            return Ok(refused(header, fault, head.len()));
        }
    };
    let header = Header::read(&bytes, feed.fallback);
    let fault = header.fault();
    let whose = match fault {
        Some(fault @ (Fault::NotProduction | Fault::Version)) => {
            return Ok(refused(header, fault, bytes.len()));
        }
        _ if !header.is_message() => unknown(lint::D2001.id, fault),
        Some(_) => unknown(lint::D2007.id, fault),
        None => match whose(&bytes, feed).await {
            Ok(whose) => whose,
            // A message that makes the program fail would come again and again.
            Err(Cut::Panicked) => unknown(lint::S1113.id, None),
            Err(Cut::Ending) => return Err(Cut::Ending),
        },
    };
    Ok(Reading {
        size: bytes.len(),
        pushed: Pushed {
            control: header.control().to_vec(),
            kind: header.kind(),
            raw: bytes,
            whose,
        },
        header,
        fault,
    })
}

async fn whose(bytes: &Arc<Vec<u8>>, feed: &Arc<Feed>) -> Result<Whose, Cut> {
    let found = if bytes.len() > LONG {
        let (bytes, feed) = (Arc::clone(bytes), Arc::clone(feed));
        cpu::run(Pace::Live, move || subject(&bytes, &feed)).await?
    } else {
        let read = AssertUnwindSafe(|| subject(bytes, feed));
        catch_unwind(read).map_err(|_| Cut::Panicked)?
    };
    Ok(match found {
        Subject::Id(id) => LocalPatientId::parse(feed.facility.clone(), &id)
            .map_or_else(|_| unknown(lint::D2300.id, None), Whose::Of),
        Subject::Unreadable => unknown(lint::D2300.id, None),
        Subject::Different => unknown(lint::D2304.id, None),
    })
}

fn unknown(rule: &'static str, fault: Option<Fault>) -> Whose {
    let answer = fault.map_or(ACCEPTED, Fault::answer);
    Whose::Unknown { rule, answer }
}

/// A message of which nothing is kept, as its sender is told. It is counted by the rule it breaks.
fn refused(header: Header, fault: Fault, size: usize) -> Reading {
    let rule = match fault {
        Fault::NotProduction => lint::D2006,
        Fault::Version => lint::D2008,
        Fault::NoControlId => lint::D2007,
        Fault::TooLarge | Fault::NotKept => lint::S1110,
    };
    let pushed = Pushed {
        control: header.control().to_vec(),
        kind: rule.id.to_owned(),
        raw: Arc::default(),
        whose: Whose::Refused,
    };
    Reading {
        header,
        fault: Some(fault),
        pushed,
        size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::mllp::tests::feed;

    /// What a message is: whose, by which word it is counted, what its sender is told.
    async fn check(message: &str, whose: &str, kind: &str, answer: &str) {
        let frame = Frame::Message(message.as_bytes().to_vec());
        let read = read(frame, &Arc::new(feed())).await.unwrap();
        let said = match &read.pushed.whose {
            Whose::Of(local) => local.id.reveal(),
            Whose::Unknown { rule, .. } => *rule,
            Whose::Refused => "refused",
        };
        let told = read.fault.map_or(ACCEPTED, Fault::answer);
        assert_eq!(
            (said, read.pushed.kind.as_str(), told),
            (whose, kind, answer),
            "{message}"
        );
    }

    const MSH: &str = "MSH|^~\\&|A|B|C|D|1||ADT^A08|9|P|2.5\r";

    #[tokio::test]
    async fn a_message_is_its_patients() {
        check(
            &format!("{MSH}PID|||0000123456^^^^PI\r"),
            "0000123456",
            "ADT^A08",
            "AA",
        )
        .await;
    }

    #[tokio::test]
    async fn what_cannot_be_given_to_anybody_is_accepted_all_the_same() {
        check(MSH, "D2300", "ADT^A08", "AA").await;
        check(
            &format!("{MSH}PID|||1\r{MSH}PID|||2\r"),
            "D2304",
            "ADT^A08",
            "AA",
        )
        .await;
        check(&format!("junk\r{MSH}PID|||1\r"), "D2001", "ADT^A08", "AA").await;
    }

    #[tokio::test]
    async fn without_a_control_id_it_is_rejected_and_looked_at() {
        check("hello", "D2001", "other", "AR").await;
        check(
            &format!("{}PID|||1\r", MSH.replace("|9|", "||")),
            "D2007",
            "ADT^A08",
            "AR",
        )
        .await;
    }

    #[tokio::test]
    async fn of_tests_and_other_standards_nothing_is_kept() {
        check(&MSH.replace("|P|", "|T|"), "refused", "D2006", "AR").await;
        check(&MSH.replace("|2.5", "|3.0"), "refused", "D2008", "AR").await;
    }
}
