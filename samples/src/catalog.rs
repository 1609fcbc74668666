//! The tables of the invented hospital: drugs, usages, tests, diseases, allergens.
//!
//! Codes are those of the public Japanese terminologies where a public source shows them (see
//! `samples/SOURCES.md`); local codes are invented.

pub(crate) mod allergens;
pub(crate) mod diseases;
pub(crate) mod drugs;
pub(crate) mod labs;
pub(crate) mod usages;
