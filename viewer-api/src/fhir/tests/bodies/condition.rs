//! Diagnoses.

use model::code::{CodeSystem, Coding, Concept};
use model::condition::{ClinicalStatus, Condition, VerificationStatus};

use super::{coded, doctor, hl7, other, text, time};

pub(crate) fn bare_condition() -> Condition {
    Condition {
        code: Concept::text("胃炎"),
        prefixes: Vec::new(),
        suffixes: Vec::new(),
        clinical: ClinicalStatus::Active,
        verification: VerificationStatus::Confirmed,
        identifier: None,
        recorded: None,
        onset: None,
        onset_text: None,
        abatement: None,
        expected_end: None,
        outcome: None,
        rank: None,
        icd_edition: None,
        kinds: Vec::new(),
        security: None,
        notes: Vec::new(),
        recorder: None,
        department: None,
        other: Vec::new(),
    }
}

pub(crate) fn full_condition() -> Condition {
    let disease = Coding {
        system: Some(CodeSystem::DiseaseNumber),
        code: "20054174".to_owned(),
        display: text("胃炎"),
    };
    let icd = Coding {
        system: Some(CodeSystem::Icd10),
        code: "K291".to_owned(),
        display: None,
    };
    Condition {
        code: Concept {
            codings: vec![disease, icd],
            text: text("胃炎"),
        },
        prefixes: vec![coded(CodeSystem::ModifierNumber, "27000225", "急性")],
        suffixes: vec![coded(CodeSystem::ModifierExchange, "8002", "の疑い")],
        identifier: text("D00000000000002"),
        recorded: time("2024-05-10"),
        onset: time("2024-05-08"),
        onset_text: text("一昨日から"),
        abatement: time("2024-05-09"),
        expected_end: time("2024-06"),
        outcome: hl7(241, "F"),
        rank: Some(coded(
            CodeSystem::Jahis("JHSD0007".to_owned()),
            "1",
            "主診断",
        )),
        icd_edition: text("2013"),
        kinds: vec![coded(
            CodeSystem::Jahis("JHSD0004".to_owned()),
            "O",
            "外来時",
        )],
        security: hl7(177, "U"),
        notes: vec!["特記".to_owned()],
        recorder: Some(doctor()),
        department: Some(coded(CodeSystem::Department, "01", "内科")),
        other: other("PRB-2"),
        ..bare_condition()
    }
}

pub(crate) fn conditions() -> impl Iterator<Item = Condition> {
    let clinical = [
        ClinicalStatus::Active,
        ClinicalStatus::Inactive,
        ClinicalStatus::Resolved,
    ];
    let verification = [
        VerificationStatus::Confirmed,
        VerificationStatus::Provisional,
        VerificationStatus::EnteredInError,
    ];
    let onsets = [None, time("2024-05-08")];
    let all = clinical
        .into_iter()
        .flat_map(move |clinical| verification.map(|verification| (clinical, verification)));
    all.flat_map(move |(clinical, verification)| {
        let of = move |body: Condition| Condition {
            clinical,
            verification,
            ..body
        };
        onsets
            .map(|onset| {
                of(Condition {
                    onset,
                    ..full_condition()
                })
            })
            .into_iter()
            .chain([of(bare_condition())])
    })
}
