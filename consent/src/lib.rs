//! May they: who asks for what, on which papers, and what the network's regulation answers. Pure: no
//! input or output, no clock, nothing that a caller could forget to pass.
//!
//! | file | holds |
//! | --- | --- |
//! | [`requester`] | who asks: a person whose factors were verified |
//! | [`action`] | what they want to do with it: view, print, export |
//! | [`matrix`] | which categories a profession may see (職種別の閲覧範囲), printable |
//! | [`mod@effective`] | papers of one patient → effective grants |
//! | [`question`] | all facts of one question |
//! | [`mod@decide`] | the answer: a [`Permit`], or a [`Denied`] with the first failing reason |
//! | `export` | the same rules said a second time, in another way; for tests only |
//!
//! Consent opens, everything else only narrows. Nothing means no. The condition that every query of
//! the store carries is the same decision spelled as SQL; the store's tests hold the two together.

pub mod action;
pub mod decide;
pub mod effective;
pub mod matrix;
pub mod question;
pub mod requester;

#[cfg(test)]
mod export;
#[cfg(test)]
mod tests;

pub use action::{Action, Exporting, Printing, Viewing};
pub use decide::{Denied, Permit, Reason, admit, decide};
pub use effective::{ConsentFacts, Link, PatientPapers, effective};
pub use matrix::{Matrix, rights};
pub use question::{About, Basis, Outputs, Question, RecordFacts, Standing};
pub use requester::{Purpose, Requester, Verified, Via};
