//! ZPR: modifiers of a diagnosis and its codes for exchange (JAHIS 病名情報データ交換規約).

use model::code::{CodeSystem, Concept};
use model::condition::{Condition, VerificationStatus};

use super::{codes, prb, texts, unread};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// 交換用コード of the suffix の疑い.
const SUSPECTED: &str = "8002";

/// Adds what a ZPR says to the diagnosis of the PRB before it.
pub(crate) fn add(condition: &mut Condition, segment: &Segment<'_>, findings: &mut Findings) {
    unread(segment, &[1, 2, 3, 4, 5, 6, 7], findings);
    condition.prefixes.extend(modifiers(segment, (1, 4), findings));
    condition.suffixes.extend(modifiers(segment, (3, 6), findings));
    let numbered = codes(segment, 2, findings);
    let exchanged = codes(segment, 5, findings);
    let exchanged = exchanged.into_iter().map(|code| told(code, &CodeSystem::DiseaseExchange));
    let base: Vec<Concept> = numbered.into_iter().chain(exchanged).collect();
    name(condition, &base);
    for coding in base.into_iter().flat_map(|concept| concept.codings) {
        prb::add(&mut condition.code, coding);
    }
    condition.notes.extend(texts(segment, 7, findings));
    let suspected = condition.suffixes.iter().any(is_suspicion);
    if suspected && condition.verification == VerificationStatus::Confirmed {
        condition.verification = VerificationStatus::Provisional;
    }
}

/// Modifiers by number and by code for exchange: the n-th of one list is the n-th of the other.
fn modifiers(segment: &Segment<'_>, fields: (usize, usize), findings: &mut Findings) -> Vec<Concept> {
    let numbered = codes(segment, fields.0, findings);
    let exchanged = codes(segment, fields.1, findings);
    let mut modifiers: Vec<Concept> =
        numbered.into_iter().map(|code| told(code, &CodeSystem::ModifierNumber)).collect();
    for (index, exchanged) in exchanged.into_iter().enumerate() {
        let exchanged = told(exchanged, &CodeSystem::ModifierExchange);
        match modifiers.get_mut(index) {
            Some(modifier) => {
                modifier.codings.extend(exchanged.codings);
                modifier.text = modifier.text.take().or(exchanged.text);
            }
            None => modifiers.push(exchanged),
        }
    }
    modifiers
}

/// All MEDIS tables of diagnoses go by one name in messages; the field tells which is meant.
fn told(mut concept: Concept, system: &CodeSystem) -> Concept {
    for coding in &mut concept.codings {
        if coding.system == Some(CodeSystem::DiseaseNumber) {
            coding.system = Some(system.clone());
        }
    }
    concept
}

/// The whole name, when PRB-3 holds only the base word: prefixes, disease, suffixes.
fn name(condition: &mut Condition, base: &[Concept]) {
    let words = |concepts: &[Concept]| -> String {
        concepts.iter().filter_map(|concept| concept.text.as_deref()).collect()
    };
    let Some(disease) = base.iter().find_map(|concept| concept.text.clone()) else { return };
    if condition.code.text.as_ref().is_none_or(|text| *text == disease) {
        condition.code.text = Some(words(&condition.prefixes) + &disease + &words(&condition.suffixes));
    }
}

fn is_suspicion(suffix: &Concept) -> bool {
    let exchange = suffix.codings.iter().any(|coding| coding.code == SUSPECTED);
    exchange || suffix.text.as_deref().is_some_and(|text| text.contains("疑い"))
}
