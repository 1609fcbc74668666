//! RXE: what is ordered, how much, and what the dispenser must know (HL7 v2.5 §4.14.4).

use model::medication::MedicationRequest;

use super::{
    code, codes, cq, keep, measured, nm, pl, plain, quantity, require_content, single, ts, unread,
};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// What has a place in the body.
const READ: [usize; 21] = [
    2, 3, 4, 5, 6, 7, 10, 11, 12, 15, 19, 21, 22, 23, 24, 25, 26, 27, 31, 32, 42,
];

/// What SS-MIX2 lists for prescriptions or injections without a place of its own.
const KEPT: [usize; 20] = [
    13, 14, 16, 17, 18, 20, 28, 29, 30, 33, 34, 35, 36, 37, 38, 39, 40, 41, 43, 44,
];

/// Fills a request from its segment.
pub(crate) fn fill(
    request: &mut MedicationRequest,
    segment: &Segment<'_>,
    findings: &mut Findings,
) {
    require_content(segment, 2, findings);
    unread(
        segment,
        &[READ.as_slice(), KEPT.as_slice()].concat(),
        findings,
    );
    drug(request, segment, findings);
    amounts(request, segment, findings);
    request.form = code(segment, 6, findings);
    request.instructions = codes(segment, 7, findings);
    request.refills = nm(&segment.field(12), findings);
    request.prescription_number = plain(&segment.field(15), findings);
    request.categories = codes(segment, 21, findings);
    request.dosage_class = code(segment, 27, findings);
    request.ordered_at = ts(&segment.field(32), findings);
    request.deliver_to =
        single(&segment.field(42), findings).and_then(|place| pl(&place, findings));
    keep(segment, &KEPT, &mut request.other);
}

/// RXE-2, and the same drug in further systems (RXE-31).
fn drug(request: &mut MedicationRequest, segment: &Segment<'_>, findings: &mut Findings) {
    let named = code(segment, 2, findings).unwrap_or_default();
    request.drug = codes(segment, 31, findings)
        .into_iter()
        .fold(named, |mut drug, further| {
            let new = further
                .codings
                .into_iter()
                .filter(|coding| !drug.codings.contains(coding));
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

#[cfg(test)]
mod tests {
    use model::code::CodeSystem;
    use model::medication::{MedicationKind, MedicationRequest};

    use super::*;
    use crate::hl7::prescription::unfilled;
    use crate::testing::of_segment;

    fn request(segment: &str) -> (MedicationRequest, Vec<String>) {
        of_segment(segment, |segment, findings| {
            let mut request = unfilled(MedicationKind::Prescription, None);
            fill(&mut request, segment, findings);
            request
        })
    }

    #[test]
    fn a_drug_in_two_systems() {
        let (request, rules) = request(
            "RXE||103835401^ムコダイン^HOT9|1||TAB^錠^MR9P||||||||||||||||||||||||||2233002F1280^ムコダイン^YJ",
        );
        assert_eq!(request.drug.code_in(&CodeSystem::Hot9), Some("103835401"));
        assert_eq!(request.drug.code_in(&CodeSystem::Yj), Some("2233002F1280"));
        assert_eq!(rules, [""; 0]);
    }

    #[test]
    fn a_claims_code_labelled_hot9_keeps_its_digits() {
        let (request, rules) = request("RXE||620008665^ダーゼン^HOT9|1||TAB");
        assert_eq!(
            request.drug.code_in(&CodeSystem::ClaimsDrug),
            Some("620008665")
        );
        assert_eq!(rules, ["D2061@2"]);
    }

    #[test]
    fn fillers_are_no_amounts() {
        let (request, rules) = request("RXE||106238001^軟膏^HOT9|\"\"||\"\"");
        assert!(request.dose.is_none() && request.other.is_empty());
        assert_eq!(rules, [""; 0]);
    }

    #[test]
    fn amounts_by_dose_day_and_total() {
        let (request, _) = request(
            "RXE||1^薬^HOT9|1|2|TAB^錠^MR9P|||||15|TAB^錠^MR9P||||||||3^TAB&錠&MR9P||||102|ml/hr^^ISO+|50|MG",
        );
        let value = |quantity: &Option<model::quantity::Quantity>| {
            quantity
                .as_ref()
                .map(|quantity| quantity.value.as_str().to_owned())
        };
        assert_eq!(value(&request.dose).as_deref(), Some("1"));
        assert_eq!(value(&request.dose_max).as_deref(), Some("2"));
        assert_eq!(value(&request.dispense).as_deref(), Some("15"));
        assert_eq!(value(&request.per_day).as_deref(), Some("3"));
        assert_eq!(value(&request.rate).as_deref(), Some("102"));
        assert_eq!(value(&request.strength).as_deref(), Some("50"));
        assert_eq!(
            request.per_day.unwrap().unit.unwrap().first_code(),
            Some("TAB")
        );
    }

    #[test]
    fn an_amount_in_words_stays_with_its_unit() {
        let (request, rules) = request("RXE||1^薬^HOT9|適量||TAB^錠^MR9P");
        let kept: Vec<&str> = request
            .other
            .iter()
            .map(|(field, _)| field.as_str())
            .collect();
        assert_eq!(kept, ["RXE-3", "RXE-5"]);
        assert_eq!(rules, ["D2014@3"]);
    }

    #[test]
    fn a_field_of_another_profile_is_found() {
        let (_, rules) = request("RXE|x|1^薬^HOT9|1||TAB|||y");
        assert_eq!(rules, ["D2017@1", "D2017@8"]);
    }
}
