//! What bytes mean: items of hospitals become records and findings. Pure: no disk, no database, no
//! clock, no async; the same item gives the same answer, and no bytes make it fail.
//!
//! | file | holds |
//! | --- | --- |
//! | `item.rs` | the one way from an item to its records |
//! | `subject.rs` | the patient id and nothing else, before an item is kept |
//! | [`text`] | Japanese character sets |
//! | [`hl7`] | HL7 v2.5 messages |
//! | [`ssmix`] | SS-MIX2 標準化ストレージ: names, kinds, current state |
//! | [`join`] | what only several items together say: inpatient stays, allergies |
//! | [`lint`] | the catalogue of rules that findings name |

pub mod hl7;
mod item;
pub mod join;
pub mod lint;

pub mod ssmix;
mod subject;
#[cfg(test)]
mod testing;
pub mod text;

pub use item::{Context, Evidence, Format, Item, Normalized, normalize};
pub use subject::{Subject, subject};
