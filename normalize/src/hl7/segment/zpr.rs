//! ZPR: modifiers of a diagnosis and its codes for exchange (JAHIS 病名情報データ交換規約).

use model::code::{CodeSystem, Concept};
use model::condition::{Condition, VerificationStatus};

use super::{codes, keep, prb, texts, unread};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// 交換用コード of the suffix の疑い.
const SUSPECTED: &str = "8002";

/// Adds what a ZPR says to the diagnosis of the PRB before it.
pub(crate) fn add(condition: &mut Condition, segment: &Segment<'_>, findings: &mut Findings) {
    unread(segment, &[1, 2, 3, 4, 5, 6, 7], findings);
    condition
        .prefixes
        .extend(modifiers(segment, (1, 4), findings));
    condition
        .suffixes
        .extend(modifiers(segment, (3, 6), findings));
    let numbered = codes(segment, 2, findings);
    let exchanged = codes(segment, 5, findings);
    let exchanged = exchanged
        .into_iter()
        .map(|code| told(code, &CodeSystem::DiseaseExchange));
    let base: Vec<Concept> = numbered.into_iter().chain(exchanged).collect();
    // Another name than PRB-3 has would be lost behind the same code.
    if base
        .iter()
        .any(|disease| disease.text.is_some() && disease.text != condition.code.text)
    {
        keep(segment, &[2, 5], &mut condition.other);
    }
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
fn modifiers(
    segment: &Segment<'_>,
    fields: (usize, usize),
    findings: &mut Findings,
) -> Vec<Concept> {
    let numbered = codes(segment, fields.0, findings);
    let exchanged = codes(segment, fields.1, findings);
    let mut modifiers: Vec<Concept> = numbered
        .into_iter()
        .map(|code| told(code, &CodeSystem::ModifierNumber))
        .collect();
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
        concepts
            .iter()
            .filter_map(|concept| concept.text.as_deref())
            .collect()
    };
    let Some(disease) = base.iter().find_map(|concept| concept.text.clone()) else {
        return;
    };
    if condition
        .code
        .text
        .as_ref()
        .is_none_or(|text| *text == disease)
    {
        condition.code.text =
            Some(words(&condition.prefixes) + &disease + &words(&condition.suffixes));
    }
}

fn is_suspicion(suffix: &Concept) -> bool {
    let exchange = suffix.codings.iter().any(|coding| coding.code == SUSPECTED);
    exchange
        || suffix
            .text
            .as_deref()
            .is_some_and(|text| text.contains("疑い"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    fn condition() -> Condition {
        of_segment("PRB|AD|20240510|20054174^胃炎^MDCDX2|D1", prb::read)
            .0
            .unwrap()
    }

    #[track_caller]
    fn check(segment: &str, name: &str, verification: VerificationStatus) -> Condition {
        let (condition, rules) = of_segment(segment, |segment, findings| {
            let mut condition = condition();
            add(&mut condition, segment, findings);
            condition
        });
        assert_eq!(condition.code.text.as_deref(), Some(name), "{segment}");
        assert_eq!(condition.verification, verification, "{segment}");
        assert_eq!(rules, [""; 0], "{segment}");
        condition
    }

    #[test]
    fn a_name_is_composed_of_base_and_modifiers() {
        let condition = check(
            "ZPR|27000225^急性^MDCDX2~27000300^出血性^MDCDX2|20054174^胃炎^MDCDX2||4012^急性^MDCDX2|TSQF^胃炎^MDCDX2||備考",
            "急性出血性胃炎",
            VerificationStatus::Confirmed,
        );
        let first = condition.prefixes.first().unwrap();
        assert_eq!(first.code_in(&CodeSystem::ModifierNumber), Some("27000225"));
        assert_eq!(first.code_in(&CodeSystem::ModifierExchange), Some("4012"));
        assert_eq!(condition.prefixes.len(), 2);
        assert_eq!(
            condition.code.code_in(&CodeSystem::DiseaseExchange),
            Some("TSQF")
        );
        assert_eq!(condition.notes, ["備考"]);
    }

    #[test]
    fn the_suffix_of_suspicion_makes_it_provisional() {
        check(
            "ZPR||20054174^胃炎^MDCDX2|27000001^の疑い^MDCDX2",
            "胃炎の疑い",
            VerificationStatus::Provisional,
        );
        check(
            "ZPR||20054174^胃炎^MDCDX2||||8002^^MDCDX2",
            "胃炎",
            VerificationStatus::Provisional,
        );
    }

    #[test]
    fn a_whole_name_is_not_composed_again() {
        check(
            "ZPR|27000225^急性^MDCDX2|20054175^急性胃炎^MDCDX2",
            "胃炎",
            VerificationStatus::Confirmed,
        );
    }
}
