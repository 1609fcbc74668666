//! A group of messages on its way to rows: sealed to its arrival numbers, on a thread that may take its
//! time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::feed::Feed;
use model::id::PatientNumber;
use model::time::Instant;

use super::{Fate, Pushed, Received, Whose};
use crate::db::{Insert, Type, Value, params};
use crate::error::Error;
use crate::frame::Packed;
use crate::keys::{Keys, PatientKey, QuarantineKey};
use crate::papers::OnFile;

/// Digests of control ids are never this.
const NO_CONTROL: i64 = 0;

pub(super) const INBOX: Insert = Insert {
    table: "inbox",
    columns: &[
        ("patient", Type::Int),
        ("arrival", Type::Int),
        ("facility", Type::Int),
        ("number", Type::Int),
        ("feed", Type::Text),
        ("control", Type::Int),
        ("content", Type::Int),
        ("received_at", Type::Int),
        ("size", Type::Int),
        ("sealed", Type::Bytes),
    ],
    conflict: "",
};

pub(super) const QUARANTINE: Insert = Insert {
    table: "quarantine",
    columns: &[
        ("feed", Type::Text),
        ("arrival", Type::Int),
        ("day", Type::Int),
        ("rule", Type::Text),
        ("kind", Type::Text),
        ("answer", Type::Text),
        ("feed_hash", Type::Bytes),
        ("control", Type::Int),
        ("content", Type::Int),
        ("received_at", Type::Int),
        ("size", Type::Int),
        ("sealed", Type::Bytes),
    ],
    conflict: "",
};

/// Messages with everything that is needed to keep them.
pub(super) struct Group {
    pub(super) feed: Feed,
    pub(super) at: Instant,
    pub(super) first: i64,
    pub(super) pushed: Vec<Pushed>,
    pub(super) owners: Vec<Option<OnFile>>,
    pub(super) patients: BTreeMap<PatientNumber, Arc<PatientKey>>,
    pub(super) quarantine: Option<QuarantineKey>,
}

/// A group as rows.
pub(super) struct Sealed {
    pub(super) received: Vec<Received>,
    pub(super) inbox: Vec<Vec<Value>>,
    pub(super) quarantine: Vec<Vec<Value>>,
    pub(super) counts: Vec<Vec<Value>>,
    /// Patients, with the state of the papers under which they are on file.
    pub(super) epochs: BTreeSet<(i64, i64)>,
}

impl Group {
    pub(super) fn seal(self, keys: &Keys) -> Result<Sealed, Error> {
        let owners = self.owners.iter().flatten();
        let mut sealed = Sealed {
            received: Vec::with_capacity(self.pushed.len()),
            inbox: Vec::new(),
            quarantine: Vec::new(),
            counts: Vec::new(),
            epochs: owners.map(|owner| (owner.patient.0, owner.epoch)).collect(),
        };
        let mut counts: BTreeMap<(Fate, &str), i64> = BTreeMap::new();
        for (arrival, (message, owner)) in (self.first..).zip(self.pushed.iter().zip(&self.owners))
        {
            let fate = match (&message.whose, owner) {
                (Whose::Refused, _) => Fate::Refused,
                (Whose::Of(_), None) => Fate::NotOnFile,
                (Whose::Of(_), Some(owner)) => {
                    let row = self.inbox(keys, arrival, message, *owner)?;
                    sealed.inbox.push(row);
                    Fate::Kept
                }
                (Whose::Unknown { rule, answer }, _) => {
                    let row = self.unknown(keys, arrival, message, rule, answer)?;
                    sealed.quarantine.push(row);
                    Fate::Quarantined
                }
            };
            *counts.entry((fate, &message.kind)).or_default() += 1;
            sealed.received.push(Received {
                arrival,
                at: self.at,
                fate,
            });
        }
        let day = Instant::start_of(self.at.day());
        let count = |((fate, kind), count): ((Fate, &str), i64)| {
            let feed = self.feed.id.as_str();
            params![feed, day, fate as i64, kind, count].to_vec()
        };
        sealed.counts = counts.into_iter().map(count).collect();
        Ok(sealed)
    }

    fn inbox(
        &self,
        keys: &Keys,
        arrival: i64,
        message: &Pushed,
        owner: OnFile,
    ) -> Result<Vec<Value>, Error> {
        let key = self.patients.get(&owner.patient).ok_or(Error::StaleEpoch)?;
        let packed = Packed::new(&message.raw, "", [])?;
        Ok(params![
            owner.patient,
            arrival,
            &self.feed.facility,
            owner.number,
            self.feed.id.as_str(),
            control(keys, message),
            content(keys, message),
            self.at,
            size(message),
            key.seal_inbox(arrival, packed.bytes())?,
        ]
        .to_vec())
    }

    fn unknown(
        &self,
        keys: &Keys,
        arrival: i64,
        message: &Pushed,
        rule: &str,
        answer: &str,
    ) -> Result<Vec<Value>, Error> {
        let key = self.quarantine.as_ref();
        let key = key.ok_or(Error::Corrupt("quarantine key"))?;
        let packed = Packed::new(&message.raw, "", [])?;
        Ok(params![
            self.feed.id.as_str(),
            arrival,
            Instant::start_of(self.at.day()),
            rule,
            message.kind.as_str(),
            answer,
            self.feed.hash.to_vec(),
            control(keys, message),
            content(keys, message),
            self.at,
            size(message),
            key.seal(arrival, packed.bytes())?,
        ]
        .to_vec())
    }
}

fn control(keys: &Keys, message: &Pushed) -> i64 {
    if message.control.is_empty() {
        NO_CONTROL
    } else {
        keys.place("control", &[&message.control])
    }
}

/// The digest of [`Intake::content_digest`](crate::Intake::content_digest).
fn content(keys: &Keys, message: &Pushed) -> i64 {
    keys.place("content", &[&message.raw])
}

fn size(message: &Pushed) -> i64 {
    i64::try_from(message.raw.len()).unwrap_or(i64::MAX)
}
