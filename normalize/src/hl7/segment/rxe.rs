//! RXE: what is ordered, how much, and what the dispenser must know (HL7 v2.5 §4.14.4).

use model::medication::MedicationRequest;

use super::{code, codes, cq, keep, measured, nm, pl, plain, quantity, require, single, ts, unread};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// What has a place in the body.
const READ: [usize; 21] =
    [2, 3, 4, 5, 6, 7, 10, 11, 12, 15, 19, 21, 22, 23, 24, 25, 26, 27, 31, 32, 42];

/// What SS-MIX2 lists for prescriptions or injections without a place of its own.
const KEPT: [usize; 20] = [13, 14, 16, 17, 18, 20, 28, 29, 30, 33, 34, 35, 36, 37, 38, 39, 40, 41, 43, 44];

/// Fills a request from its segment.
pub(crate) fn fill(request: &mut MedicationRequest, segment: &Segment<'_>, findings: &mut Findings) {
    require(segment, &[2], findings);
    unread(segment, &[READ.as_slice(), KEPT.as_slice()].concat(), findings);
    drug(request, segment, findings);
    amounts(request, segment, findings);
    request.form = code(segment, 6, findings);
    request.instructions = codes(segment, 7, findings);
    request.refills = nm(&segment.field(12), findings);
    request.prescription_number = plain(&segment.field(15), findings);
    request.categories = codes(segment, 21, findings);
    request.dosage_class = code(segment, 27, findings);
    request.ordered_at = ts(&segment.field(32), findings);
    request.deliver_to = single(&segment.field(42), findings).and_then(|place| pl(&place, findings));
    keep(segment, &KEPT, &mut request.other);
}

/// RXE-2, and the same drug in further systems (RXE-31).
fn drug(request: &mut MedicationRequest, segment: &Segment<'_>, findings: &mut Findings) {
    let named = code(segment, 2, findings).unwrap_or_default();
    request.drug = codes(segment, 31, findings).into_iter().fold(named, |mut drug, further| {
        let new = further.codings.into_iter().filter(|coding| !drug.codings.contains(coding));
        let new: Vec<_> = new.collect();
        drug.codings.extend(new);
        drug.text = drug.text.or(further.text);
        drug
    });
}

fn amounts(request: &mut MedicationRequest, segment: &Segment<'_>, findings: &mut Findings) {
    let other = &mut request.other;
    let unit = code(segment, 5, findings);
    request.dose = measured(segment, 3, unit.as_ref(), findings, other);
    request.dose_max = measured(segment, 4, unit.as_ref(), findings, other);
    if request.dose.is_none() && request.dose_max.is_none() {
        keep(segment, &[5], other);
    }
    request.dispense = quantity(segment, (10, 11), findings, other);
    request.rate = quantity(segment, (23, 24), findings, other);
    request.strength = quantity(segment, (25, 26), findings, other);
    request.rate_per = plain(&segment.field(22), findings);
    request.per_day = single(&segment.field(19), findings).and_then(|amount| cq(&amount, findings));
    if request.per_day.is_none() {
        keep(segment, &[19], other);
    }
}
