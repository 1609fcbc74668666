//! SPM: the material of a laboratory result (HL7 v2.5 §7.4.3).

use model::observation::Specimen;

use super::{code, keep, plain, ts, unread};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// The fields that SS-MIX2 uses, and the additive.
const READ: [usize; 7] = [1, 2, 4, 5, 8, 17, 18];

pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Specimen {
    unread(segment, &READ, findings);
    let mut specimen = Specimen {
        number: plain(&segment.field(2), findings),
        material: code(segment, 4, findings),
        site: code(segment, 8, findings),
        collected: ts(&segment.field(17), findings),
        received: ts(&segment.field(18), findings),
        other: Vec::new(),
    };
    keep(segment, &[1, 5], &mut specimen.other);
    specimen
}
