//! RXC: one drug of a mixture (HL7 v2.5 §4.14.3).

use model::medication::Ingredient;

use super::{code, keep, quantity, require, unread};
use crate::hl7::message::Segment;
use crate::lint::{self, Findings};

/// A drug of a mixture; `None` with a finding when none is named.
pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Option<Ingredient> {
    require(segment, &[1, 2], findings);
    unread(segment, &[1, 2, 3, 4, 5, 6, 7, 8, 9], findings);
    let mut other = Vec::new();
    let kind = segment.field(1).text();
    if !matches!(kind.as_deref(), None | Some("A" | "B")) {
        findings.add(lint::D2015, segment.field(1).place());
        keep(segment, &[1], &mut other);
    }
    let amount = quantity(segment, (3, 4), findings, &mut other);
    keep(segment, &[5, 6, 7, 8, 9], &mut other);
    let drug = code(segment, 2, findings)?;
    Some(Ingredient { base: kind.as_deref() == Some("B"), drug, amount, other })
}
