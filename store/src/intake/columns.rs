//! The tables that a batch writes, column by column.

use crate::db::{Insert, Type};

/// A patient's row, with the count of joins as it shall be; what was another one before is left.
pub(crate) const PATIENTS: Insert = Insert {
    table: "patient",
    columns: &[
        ("number", Type::Int),
        ("public_id", Type::Bytes),
        ("joins", Type::Int),
    ],
    conflict: "on conflict (number) do update set joins = excluded.joins where patient.joins = excluded.joins - 1",
};

pub(super) const ITEMS: Insert = Insert {
    table: "item",
    columns: &[
        ("patient", Type::Int),
        ("slot", Type::Int),
        ("path", Type::Int),
        ("facility", Type::Int),
        ("kind", Type::Int),
        ("flag", Type::Int),
        ("version", Type::Int),
        ("department", Type::Int),
        ("content", Type::Int),
        ("size", Type::Int),
        ("modified", Type::Int),
        ("event_at", Type::Int),
        ("cancels", Type::Int),
        ("outcome", Type::Int),
        ("origin", Type::Int),
        ("number", Type::Int),
        ("segment", Type::Int),
        ("frame_at", Type::Int),
        ("frame_length", Type::Int),
    ],
    conflict: "on conflict (patient, slot, path) do update set flag = excluded.flag, content = excluded.content, \
               size = excluded.size, modified = excluded.modified, event_at = excluded.event_at, \
               cancels = excluded.cancels, outcome = excluded.outcome, segment = excluded.segment, \
               frame_at = excluded.frame_at, frame_length = excluded.frame_length",
};

pub(super) const SLOTS: Insert = Insert {
    table: "slot",
    columns: &[
        ("patient", Type::Int),
        ("slot", Type::Int),
        ("facility", Type::Int),
        ("state", Type::Int),
        ("joins", Type::Int),
        ("published", Type::Bytes),
        ("keys", Type::Bytes),
    ],
    conflict: "on conflict (patient, slot) do update set state = excluded.state, joins = excluded.joins, \
               published = excluded.published, keys = excluded.keys",
};

pub(super) const RECORDS: Insert = Insert {
    table: "record",
    columns: &[
        ("patient", Type::Int),
        ("category", Type::Int),
        ("occurred_from", Type::Int),
        ("key", Type::Int),
        ("occurred_to", Type::Int),
        ("kind", Type::Int),
        ("facility", Type::Int),
        ("sensitivity", Type::Int),
        ("facets", Type::Int),
        ("code1", Type::Int),
        ("code2", Type::Int),
        ("code3", Type::Int),
        ("code4", Type::Int),
        ("state", Type::Int),
        ("version", Type::Int),
        ("accepted_at", Type::Int),
        ("source", Type::Int),
        ("segment", Type::Int),
        ("frame_at", Type::Int),
        ("frame_length", Type::Int),
        ("ordinal", Type::Int),
        ("body", Type::Bytes),
    ],
    // A patient taken from an order gives way only to a newer one (facet 1 of the kind).
    conflict: "on conflict (patient, key) do update set category = excluded.category, \
               occurred_from = excluded.occurred_from, occurred_to = excluded.occurred_to, \
               sensitivity = excluded.sensitivity, facets = excluded.facets, code1 = excluded.code1, \
               code2 = excluded.code2, code3 = excluded.code3, code4 = excluded.code4, state = excluded.state, \
               version = record.version + 1, accepted_at = excluded.accepted_at, source = excluded.source, \
               segment = excluded.segment, frame_at = excluded.frame_at, frame_length = excluded.frame_length, \
               ordinal = excluded.ordinal, body = excluded.body \
               where record.kind <> 1 or excluded.facets = 0 or excluded.occurred_from >= record.occurred_from",
};

pub(super) const FINDINGS: Insert = Insert {
    table: "finding",
    columns: &[
        ("patient", Type::Int),
        ("slot", Type::Int),
        ("path", Type::Int),
        ("ordinal", Type::Int),
        ("rule", Type::Text),
        ("severity", Type::Int),
        ("effect", Type::Int),
        ("segment", Type::Text),
        ("segment_ordinal", Type::Int),
        ("field", Type::Int),
        ("repetition", Type::Int),
        ("component", Type::Int),
        ("start_byte", Type::Int),
        ("end_byte", Type::Int),
    ],
    conflict: "",
};

pub(super) const TOKENS: Insert = Insert {
    table: "search_token",
    columns: &[
        ("token", Type::Int),
        ("patient", Type::Int),
        ("facility", Type::Int),
        ("number", Type::Int),
    ],
    conflict: "on conflict do nothing",
};

/// The numbers of a column of bytes.
pub(super) fn numbers(bytes: &[u8]) -> Vec<i64> {
    bytes
        .as_chunks::<8>()
        .0
        .iter()
        .map(|chunk| i64::from_le_bytes(*chunk))
        .collect()
}

/// Numbers as a column of bytes.
pub(super) fn bytes(numbers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    numbers.into_iter().flat_map(i64::to_le_bytes).collect()
}
