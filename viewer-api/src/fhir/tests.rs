//! Rendering, on bodies that take every branch.

pub(crate) mod bodies;
mod looks;
mod rules;

#[path = "../../../tests/e2e/fhir_rules.rs"]
pub(crate) mod fhir_rules;
