//! IAM: an item of the allergy list (SS-MIX2 options
//! `1R 2O 3R 4O 5O 6R 7C 8O 9O 10O 11O 12O 13O 14O 15O 17O 18O 19O 20O`).

use model::allergy::{Allergy, AllergySource};

use super::{Other, allergy, code, keep, plain, require, stated, texts, ts, unread, xcn};
use crate::hl7::message::Segment;
use crate::lint::Findings;

const READ: [usize; 19] = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20,
];

/// Reads an IAM; `None` when it names no allergen.
pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Option<Allergy> {
    require(segment, &[6], findings);
    unread(segment, &READ, findings);
    let allergen = code(segment, 3, findings);
    let allergen = stated(allergen, segment, findings)?;
    let mut other = Other::new();
    keep(segment, &[1, 10, 14, 15, 19, 20], &mut other);
    let mut confirmers = xcn(&segment.field(18), findings).into_iter();
    let asserter = confirmers.next();
    if confirmers.next().is_some() {
        keep(segment, &[18], &mut other);
    }
    let read = Allergy {
        kind: code(segment, 2, findings),
        severity: code(segment, 4, findings),
        reactions: texts(segment, 5, findings),
        action: code(segment, 6, findings),
        identifier: identifier(segment, &mut other, findings),
        reason: plain(&segment.field(8), findings),
        sensitivity: code(segment, 9, findings),
        onset: ts(&segment.field(11), findings),
        onset_text: plain(&segment.field(12), findings),
        recorded: ts(&segment.field(13), findings),
        clinical: code(segment, 17, findings),
        asserter,
        other,
        ..allergy(AllergySource::AllergyList, allergen)
    };
    Some(read)
}

/// IAM-7 (EI): the id; namespace and the like are kept with the rest.
fn identifier(segment: &Segment<'_>, other: &mut Other, findings: &mut Findings) -> Option<String> {
    let repetition = super::single(&segment.field(7), findings)?;
    if repetition.component_count() > 1 {
        keep(segment, &[7], other);
    }
    super::trimmed(&repetition, 1)
}
