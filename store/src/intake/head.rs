//! What a record's row says of it. It is made where the record was read, so that the record itself
//! need not be carried to the transaction: its frame has it.

use model::code::Coding;
use model::id::RecordKey;
use model::record::{Body, Category, Kind, Occurred, Record, Sensitivity, facet};

use super::Intake;
use crate::keys::Keys;

/// Codes that a row has room for.
const CODES: usize = 4;

/// What rules and queries look at of a record, in the form of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The record inside its patient; equal for the same fact.
    pub key: RecordKey,
    /// Kind of fact.
    pub kind: Kind,
    pub(crate) facility: i64,
    pub(crate) category: Category,
    pub(crate) sensitivity: Sensitivity,
    pub(crate) occurred: Occurred,
    pub(crate) facets: i64,
    pub(crate) facets_when_absent: i64,
    pub(crate) codes: [i64; CODES],
}

impl Intake {
    /// The head of a record.
    pub fn head(&self, record: &Record) -> Head {
        Head::of(&self.store.0.keys, record)
    }
}

impl Head {
    pub(crate) fn of(keys: &Keys, record: &Record) -> Self {
        let meta = &record.meta;
        let mut codes = record.body.search_codes().into_iter();
        let token = |coding: &Coding| keys.code(coding.system.as_ref(), &coding.code);
        Self {
            key: key(keys, record),
            kind: meta.kind,
            facility: meta.facility.number(),
            category: meta.category,
            sensitivity: meta.sensitivity,
            occurred: meta.occurred,
            facets: record.body.facets(),
            facets_when_absent: match &record.body {
                Body::Condition(_) => record.body.facets_when_absent(),
                body => body.facets(),
            },
            codes: [(); CODES].map(|()| codes.next().map_or(0, token)),
        }
    }

    /// Whether an order says this about the patient.
    pub(crate) const fn is_from_order(&self) -> bool {
        matches!(self.kind, Kind::Patient) && self.facets & facet::FROM_ORDER != 0
    }

    /// Whether the facility took the diagnosis back.
    pub const fn is_taken_back(&self) -> bool {
        matches!(self.kind, Kind::Condition) && self.facets & facet::NO_STATUS != 0
    }
}

/// The key of a record inside its patient.
pub(crate) fn key(keys: &Keys, record: &Record) -> RecordKey {
    let kind = (record.meta.kind as i64).to_le_bytes();
    let facility = record.meta.facility.number().to_le_bytes();
    RecordKey(keys.place(
        "record",
        &[&facility, &kind, record.meta.source_key.as_bytes()],
    ))
}
