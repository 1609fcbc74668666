//! Pushed messages that wait to be accepted. A batch that is made from some of them takes them out in
//! its own transaction.

use std::collections::BTreeMap;

use model::id::PatientNumber;
use model::time::Instant;

use super::known::Hinted;
use super::{Intake, Taken};
use crate::db::{Tx, params};
use crate::error::Error;
use crate::frame::Frame;

/// So many are handed out at once, and not many more bytes than this: senders wait for their answers behind
/// the transaction that accepts them.
const MOST: usize = 128;
const MOST_BYTES: i64 = 2 * 1024 * 1024;

/// What may go on: whose papers are not those any more under which it had to wait.
macro_rules! waits {
    ($columns:literal, $from:literal, $order:literal) => {
        concat!(
            "select ",
            $columns,
            " from inbox",
            $from,
            " and not exists (select 1 from office.patient p where p.number = inbox.patient and p.epoch = inbox.held) \
             order by arrival",
            $order,
            " limit 128"
        )
    };
}
macro_rules! sealed {
    ($from:literal, $order:literal) => {
        waits!(
            "patient, arrival, control, content, received_at, sealed",
            $from,
            $order
        )
    };
}

const NEXT: &str = waits!("arrival, size", " where feed = $1 and arrival > $2", "");
const SEALED: &str = sealed!(" where feed = $1 and arrival > $2 and arrival <= $3", "");
/// The last ones of a patient. Demographics are short; 128 of what is longer would take much memory.
const OF_PATIENT: Hinted = (
    sealed!(
        " indexed by inbox_patient where feed = $1 and arrival > $2 and patient = $3 and size < 16384",
        " desc"
    ),
    sealed!(
        " where feed = $1 and arrival > $2 and patient = $3 and size < 16384",
        " desc"
    ),
);
const HOLD: &str = "update inbox set held = $3 where feed = $1 and arrival = $2";

const TAKE: &str = "delete from inbox where feed = $1 and arrival";

/// A message that waits.
pub struct Waiting {
    /// Whose.
    pub patient: PatientNumber,
    /// Its number; ascends in the order of arrival.
    pub arrival: i64,
    /// Digest of the control id.
    pub control: i64,
    /// Digest of the bytes.
    pub content: i64,
    /// When it came.
    pub received_at: Instant,
    /// The bytes as they came.
    pub raw: Vec<u8>,
}

/// Messages that wait, and where to go on.
pub struct Queue {
    /// In the order of arrival.
    pub messages: Vec<Waiting>,
    /// Ones that do not open: their patient's key is gone, or they are damaged.
    pub shut: usize,
    /// The last arrival that was looked at; absent when nothing waits.
    pub last: Option<i64>,
}

impl Intake {
    /// The next messages of a feed that may be accepted, behind an arrival number.
    ///
    /// # Errors
    /// When a database does not answer.
    pub async fn waiting(&self, feed: &str, behind: i64) -> Result<Queue, Error> {
        let next: Vec<(i64, i64)> = self.db().fetch_all(NEXT, params![feed, behind]).await?;
        let mut bytes = 0;
        let fits = |(_, size): &&(i64, i64)| {
            let first = bytes == 0;
            bytes += size;
            first || bytes <= MOST_BYTES
        };
        let last = next.iter().take(MOST).take_while(fits).last();
        let Some((last, _)) = last.copied() else {
            return Ok(Queue {
                messages: Vec::new(),
                shut: 0,
                last: None,
            });
        };
        let rows: Vec<Row> = self
            .db()
            .fetch_all(SEALED, params![feed, behind, last])
            .await?;
        self.open(rows, last).await
    }

    /// Short messages of a patient that wait behind an arrival number of a feed and may be accepted, the
    /// last ones first.
    ///
    /// # Errors
    /// When a database does not answer.
    pub async fn waiting_of(
        &self,
        patient: PatientNumber,
        feed: &str,
        behind: i64,
    ) -> Result<Vec<Waiting>, Error> {
        let sql = self.db().text(OF_PATIENT.0, OF_PATIENT.1);
        let rows = self
            .db()
            .fetch_all(sql, params![feed, behind, patient])
            .await?;
        Ok(self.open(rows, behind).await?.messages)
    }

    async fn open(&self, rows: Vec<Row>, last: i64) -> Result<Queue, Error> {
        let mut patients: Vec<i64> = rows.iter().map(|row| row.0).collect();
        patients.sort_unstable();
        patients.dedup();
        let keys = self.store.0.keys.patients(&patients).await?;
        let count = rows.len();
        let open = move || {
            let opened = rows.into_iter().filter_map(|row| {
                let (patient, arrival, control, content, received_at, sealed) = row;
                let patient = PatientNumber(patient);
                let plain = keys.get(&patient)?.open_inbox(arrival, &sealed).ok()?;
                let raw = Frame::unpack(&plain).ok()?.raw().ok()?.to_vec();
                Some(Waiting {
                    patient,
                    arrival,
                    control,
                    content,
                    received_at: Instant(received_at),
                    raw,
                })
            });
            opened.collect::<Vec<Waiting>>()
        };
        let messages = tokio::task::spawn_blocking(open).await;
        let messages = messages.map_err(|_| Error::Unavailable("inbox"))?;
        Ok(Queue {
            shut: count - messages.len(),
            messages,
            last: Some(last),
        })
    }

    /// Lets messages of a feed wait until their patient's papers change: `epoch` is their state.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn hold(&self, feed: &str, arrivals: &[i64], epoch: i64) -> Result<(), Error> {
        let mut tx = self.db().begin().await?;
        for arrival in arrivals {
            tx.execute(HOLD, params![feed, *arrival, epoch]).await?;
        }
        tx.commit().await
    }

    /// Digest of a pushed message: the same bytes under the same control id are the same message.
    pub fn message_digest(&self, facility: &model::id::FacilityId, message: &Waiting) -> i64 {
        let parts = [
            facility.number().to_le_bytes(),
            message.control.to_le_bytes(),
            message.content.to_le_bytes(),
        ];
        let parts: Vec<&[u8]> = parts.iter().map(<[u8; 8]>::as_slice).collect();
        self.store.0.keys.place("message", &parts)
    }
}

type Row = (i64, i64, i64, i64, i64, Vec<u8>);

/// Messages wait no longer.
pub(super) async fn take(tx: &mut Tx, taken: Vec<Taken>) -> Result<(), Error> {
    let mut of: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let taken = taken.into_iter().filter(|taken| !taken.arrivals.is_empty());
    for Taken { feed, arrivals } in taken {
        of.entry(feed).or_default().extend(arrivals);
    }
    for (feed, arrivals) in of {
        tx.execute_among_of(TAKE, &feed, &arrivals).await?;
    }
    Ok(())
}
