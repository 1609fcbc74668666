//! Allergies.

use model::allergy::{Allergy, AllergySource};
use model::code::{CodeSystem, Concept};

use super::{coded, doctor, hl7, other, text, time};

pub(crate) fn bare_allergy() -> Allergy {
    Allergy {
        source: AllergySource::AllergyList,
        kind: None,
        code: Concept::text("スギ花粉"),
        severity: None,
        reactions: Vec::new(),
        action: None,
        identifier: None,
        reason: None,
        sensitivity: None,
        onset: None,
        onset_text: None,
        recorded: None,
        clinical: None,
        asserter: None,
        other: Vec::new(),
    }
}

pub(crate) fn full_allergy() -> Allergy {
    Allergy {
        source: AllergySource::Order,
        kind: hl7(127, "DA"),
        code: coded(CodeSystem::Hot9, "106824501", "アリナミン"),
        severity: hl7(128, "MO"),
        reactions: vec!["発疹".to_owned(), "呼吸困難".to_owned()],
        action: hl7(323, "A"),
        identifier: text("A1"),
        reason: text("誤登録のため"),
        sensitivity: hl7(436, "AL"),
        onset: time("2007-07-10"),
        onset_text: text("小学校入学前"),
        recorded: time("2024-05-10"),
        clinical: hl7(438, "C"),
        asserter: Some(doctor()),
        other: other("IAM-14"),
    }
}

pub(crate) fn allergies() -> impl Iterator<Item = Allergy> {
    let with = |change: &dyn Fn(&mut Allergy)| {
        let mut body = full_allergy();
        change(&mut body);
        body
    };
    let kinds = ["DA", "FA", "EA", "PA", "LA", "AA", "MA", "MC"]
        .map(|code| with(&|body| body.kind = hl7(127, code)));
    let severities =
        ["SV", "MO", "MI", "U"].map(|code| with(&|body| body.severity = hl7(128, code)));
    let silent = ["SV", "U"]
        .map(|code| with(&|body| (body.severity, body.reactions) = (hl7(128, code), Vec::new())));
    let actions = ["A", "D", "U", "X"].map(|code| with(&|body| body.action = hl7(323, code)));
    let clinical = ["C", "D", "E", "I", "P", "S", "U", "Z"]
        .map(|code| with(&|body| body.clinical = hl7(438, code)));
    let types =
        ["AD", "AL", "CT", "IN", "SE"].map(|code| with(&|body| body.sensitivity = hl7(436, code)));
    let worded = with(&|body| body.onset = None);
    let both = with(&|body| (body.action, body.clinical) = (hl7(323, "D"), hl7(438, "E")));
    [bare_allergy(), worded, both]
        .into_iter()
        .chain(kinds)
        .chain(severities)
        .chain(silent)
        .chain(actions)
        .chain(clinical)
        .chain(types)
}
