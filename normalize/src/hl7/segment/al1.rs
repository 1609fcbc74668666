//! AL1: an allergy in demographics and orders (SS-MIX2 options `1R 2O 3R`).

use model::allergy::{Allergy, AllergySource};

use super::{Other, code, keep, stated, ts, unread};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// Reads an AL1; `None` when it names no allergen.
pub(crate) fn read(
    segment: &Segment<'_>,
    source: AllergySource,
    findings: &mut Findings,
) -> Option<Allergy> {
    unread(segment, &[1, 2, 3, 4, 5, 6], findings);
    let kind = code(segment, 2, findings);
    let severity = code(segment, 4, findings);
    let reactions = super::texts(segment, 5, findings);
    let recorded = ts(&segment.field(6), findings);
    let mut other = Other::new();
    keep(segment, &[1], &mut other);
    let allergen = code(segment, 3, findings);
    let allergen = stated(allergen, segment, findings)?;
    Some(Allergy {
        kind,
        severity,
        reactions,
        recorded,
        other,
        ..super::allergy(source, allergen)
    })
}
