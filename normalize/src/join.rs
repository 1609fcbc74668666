//! What only several items together say. Each function is a function of the set of contributions:
//! their order does not matter. What stands under one number of a patient is joined by itself: ids of
//! list items and of orders need not differ between two numbers.

mod allergies;
mod encounters;

use std::collections::BTreeMap;

use model::id::FacilityId;
use model::record::Record;

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

/// The inpatient stays of a patient at a facility; ADT-22 and ADT-52.
pub fn encounters(facility: &FacilityId, contributions: &[Contribution<'_>]) -> Vec<Joined> {
    by_number(contributions, |own| encounters::stays(facility, own))
}

/// The allergies of a patient at a facility; ADT-61, and AL1 of ADT-00 and of orders.
pub fn allergies(facility: &FacilityId, contributions: &[Contribution<'_>]) -> Vec<Joined> {
    by_number(contributions, |own| allergies::list(facility, own))
}

fn by_number<'a>(
    contributions: &[Contribution<'a>],
    join: impl Fn(&[Contribution<'a>]) -> Vec<Joined>,
) -> Vec<Joined> {
    let mut numbers: BTreeMap<&str, Vec<Contribution<'a>>> = BTreeMap::new();
    for contribution in contributions {
        let own = numbers.entry(number(contribution.record)).or_default();
        own.push(*contribution);
    }
    let joined = numbers.into_iter().flat_map(|(number, own)| {
        join(&own).into_iter().map(move |mut joined| {
            joined.record.meta.source_key = format!("{number}|{}", joined.record.meta.source_key);
            joined
        })
    });
    joined.collect()
}

/// The patient's number under which the facility wrote what a record says.
// INVARIANT: the key of what an item says begins with its slot, and a slot with the number.
fn number(record: &Record) -> &str {
    let key = &record.meta.source_key;
    key.split_once('|').map_or(key, |(number, _)| number)
}

#[cfg(test)]
mod tests;
