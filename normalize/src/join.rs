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
    /// Whether only superseded versions of the item's slot remain (SS-MIX2 flag 2): what it says was
    /// replaced at the source, and what replaces it has not come.
    pub superseded_only: bool,
}

/// A record that contributions say together.
#[derive(Clone, PartialEq, Eq)]
pub struct Joined {
    /// The record.
    pub record: Record,
    /// Whether something that it says stands in superseded versions only. One contribution is enough:
    /// a stay whose admission is being replaced may begin at another time, however current its
    /// discharge is, and a reader cannot tell which part of a record a mark is about.
    pub superseded_only: bool,
}
