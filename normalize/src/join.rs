//! What only several items together say. Each function is a function of the set of contributions:
//! their order does not matter.

mod allergies;
mod encounters;

use model::record::Record;

pub use allergies::allergies;
pub use encounters::encounters;

/// A record that an item contributes which counts (see [`crate::ssmix::current()`]).
#[derive(Clone, Copy)]
pub struct Contribution<'a> {
    /// Version of the item (発生日時 and department): the greater one is the newer one.
    pub version: &'a str,
    /// The record.
    pub record: &'a Record,
}
