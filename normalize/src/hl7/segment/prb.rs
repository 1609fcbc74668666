//! PRB: a diagnosis (HL7 v2.5 §12.3.2, JAHIS 病名情報データ交換規約).

use model::code::{CodeSystem, Coding, Concept};
use model::condition::{ClinicalStatus, Condition, VerificationStatus};

use super::{
    code, keep, plain, require, require_content, stated, triplets, ts, unread, unread_components,
};
use crate::hl7::message::{Repetition, Segment};
use crate::lint::{self, Findings};

/// What SS-MIX2 lists without a place of its own in the body, and what only a status is made of.
const KEPT: [usize; 14] = [1, 2, 5, 6, 11, 12, 13, 15, 19, 20, 21, 22, 23, 24];

/// A diagnosis as its PRB alone states it; `None` with a finding when it names none.
pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Option<Condition> {
    require(segment, &[1, 2, 4], findings);
    require_content(segment, 3, findings);
    unread(segment, &(1..=25).collect::<Vec<_>>(), findings);
    let mut condition = Condition {
        code: code(segment, 3, findings).unwrap_or_default(),
        prefixes: Vec::new(),
        suffixes: Vec::new(),
        clinical: ClinicalStatus::Active,
        verification: VerificationStatus::Confirmed,
        identifier: plain(&segment.field(4), findings),
        recorded: ts(&segment.field(7), findings),
        onset: ts(&segment.field(16), findings),
        onset_text: plain(&segment.field(17), findings),
        abatement: None,
        expected_end: ts(&segment.field(8), findings),
        outcome: code(segment, 14, findings),
        rank: code(segment, 18, findings),
        icd_edition: None,
        kinds: Vec::new(),
        security: code(segment, 25, findings),
        notes: Vec::new(),
        recorder: None,
        department: None,
        other: Vec::new(),
    };
    for repetition in segment.field(10).repetitions() {
        classification(&mut condition, &repetition, findings);
    }
    // The actual end, else the date of the outcome.
    let (end, outcome) = (
        ts(&segment.field(9), findings),
        ts(&segment.field(15), findings),
    );
    condition.abatement = end.or(outcome);
    statuses(&mut condition, segment);
    keep(segment, &KEPT, &mut condition.other);
    let condition = (!condition.code.is_empty()).then_some(condition);
    stated(condition, segment, findings)
}

/// PRB-10: ICD-10 in components 1 to 3, the kind of diagnosis in 4 to 6, the edition in 7.
fn classification(condition: &mut Condition, repetition: &Repetition<'_>, findings: &mut Findings) {
    unread_components(repetition, &[1, 2, 3, 4, 5, 6, 7], findings);
    let [icd, kind] = triplets(repetition, findings);
    for mut coding in icd.codings {
        if coding.system == Some(CodeSystem::Icd10) && coding.code.contains('.') {
            coding.code = coding.code.replace('.', "");
            findings.add(lint::D2019, repetition.place_of(1));
        }
        add(&mut condition.code, coding);
    }
    condition.code.text = condition.code.text.take().or(icd.text);
    if !kind.is_empty() {
        condition.kinds.push(kind);
    }
    condition.icd_edition = condition
        .icd_edition
        .take()
        .or_else(|| super::trimmed(repetition, 7));
}

/// Adds a coding that is not there yet.
pub(crate) fn add(concept: &mut Concept, coding: Coding) {
    let known = |known: &Coding| known.system == coding.system && known.code == coding.code;
    if !concept.codings.iter().any(known) {
        concept.codings.push(coding);
    }
}

/// What the codes of the segment say about the standing of the diagnosis.
fn statuses(condition: &mut Condition, segment: &Segment<'_>) {
    let outcome = condition.outcome.as_ref().and_then(Concept::first_code);
    // HL7 table 0241: died, recovered, with sequelae, fully recovered.
    if condition.abatement.is_some() || matches!(outcome, Some("D" | "R" | "S" | "F")) {
        condition.clinical = ClinicalStatus::Resolved;
    }
    let suspicion = segment.field(13);
    if suspicion.text().as_deref() == Some("1") || suspicion.raw().contains("疑") {
        condition.verification = VerificationStatus::Provisional;
    }
    if segment.field(1).text().as_deref() == Some("DE") {
        condition.verification = VerificationStatus::EnteredInError;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[track_caller]
    fn check(fields: &str, clinical: ClinicalStatus, verification: VerificationStatus) {
        let (condition, _) = of_segment(&format!("PRB|{fields}"), read);
        let condition = condition.unwrap();
        assert_eq!(
            (condition.clinical, condition.verification),
            (clinical, verification),
            "{fields}"
        );
    }

    #[test]
    fn where_a_diagnosis_stands() {
        use ClinicalStatus::{Active, Resolved};
        use VerificationStatus::{Confirmed, EnteredInError, Provisional};
        check("AD|20240510|1^胃炎^MDCDX2|D1", Active, Confirmed);
        check(
            "AD|20240510|1^胃炎^MDCDX2|D1|||20240501|20240601",
            Active,
            Confirmed,
        );
        check(
            "AD|20240510|1^胃炎^MDCDX2|D1|||20240501||20240601",
            Resolved,
            Confirmed,
        );
        check(
            "AD|20240510|1^胃炎^MDCDX2|D1||||||||||F^治癒^HL70241",
            Resolved,
            Confirmed,
        );
        check(
            "AD|20240510|1^胃炎^MDCDX2|D1||||||||||N^不変^HL70241",
            Active,
            Confirmed,
        );
        check(
            "AD|20240510|1^胃炎^MDCDX2|D1|||||||||1^疑いあり^JHSD0005",
            Active,
            Provisional,
        );
        check(
            "AD|20240510|1^胃炎^MDCDX2|D1|||||||||1",
            Active,
            Provisional,
        );
        check("DE|20240510|1^胃炎^MDCDX2|D1", Active, EnteredInError);
    }

    #[test]
    fn classification_holds_code_kind_and_edition() {
        let (condition, rules) = of_segment(
            "PRB|AD|20240510|20050020^２型糖尿病^MDCDX2|D1||||||E11.9^^I10^O^外来時^JHSD0004^2013",
            read,
        );
        let condition = condition.unwrap();
        assert_eq!(condition.code.code_in(&CodeSystem::Icd10), Some("E119"));
        assert_eq!(
            condition.code.code_in(&CodeSystem::DiseaseNumber),
            Some("20050020")
        );
        assert_eq!(condition.icd_edition.as_deref(), Some("2013"));
        assert_eq!(condition.kinds.first().unwrap().first_code(), Some("O"));
        assert_eq!(rules, ["D2019@10"]);
    }

    #[test]
    fn a_problem_without_a_name_is_none() {
        let (condition, rules) = of_segment("PRB|AD|20240510||D1", read);
        assert!(condition.is_none());
        assert_eq!(rules, ["D2012@3", "D2034@0"]);
    }
}
