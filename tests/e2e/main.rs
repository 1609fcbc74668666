//! Stories from end to end: the real program as a process, real storages, both databases.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a story that cannot go on fails"
)]

mod fhir_rules;
mod needles;
mod numbers;
mod support;

mod away;
mod byte_scan;
mod crash;
mod demo;
mod fairness;
mod fidelity;
mod front;
mod hostile;
mod logs;
mod mix_up;
mod mllp;
mod objects;
mod power;
mod reads;
mod restart;
mod roles;
mod routes;
mod together;
mod withdrawal;
