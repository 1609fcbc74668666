//! Rendering, on bodies that take every branch.

mod bodies;
mod looks;
mod rules;

#[path = "../../../tests/e2e/fhir_rules.rs"]
mod fhir_rules;
