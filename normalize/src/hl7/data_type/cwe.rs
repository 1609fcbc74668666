//! CWE, CE, CNE: codes. Senders put the standard code into the first triplet or into the second,
//! so both are read and classed by their system.

use model::code::{CodeSystem, Coding, Concept};

use super::{trimmed, unread, word};
use crate::hl7::message::Repetition;
use crate::lint::{self, Findings};
use crate::text;

/// Reads components 1 to 6 and 9; `None` when they are empty.
pub(crate) fn cwe(repetition: &Repetition<'_>, findings: &mut Findings) -> Option<Concept> {
    unread(repetition, &[1, 2, 3, 4, 5, 6, 9], findings);
    coded(repetition, findings)
}

/// The same for fields that put something of their own into further components; those are the
/// caller's to read or to find.
pub(crate) fn coded(repetition: &Repetition<'_>, findings: &mut Findings) -> Option<Concept> {
    let [first, second] = triplets(repetition, findings);
    let original = trimmed(repetition, 9);
    let text = original.or(first.text).or(second.text);
    let mut codings = first.codings;
    codings.extend(second.codings);
    codings.sort_by_key(|coding| !coding.system.as_ref().is_some_and(CodeSystem::is_standard));
    let concept = Concept { codings, text };
    (!concept.is_empty()).then_some(concept)
}

/// Components 1 to 3 and 4 to 6 apart, for fields in which they mean different things.
pub(crate) fn triplets(repetition: &Repetition<'_>, findings: &mut Findings) -> [Concept; 2] {
    [1, 4].map(|component| triplet(repetition, component, findings))
}

fn triplet(repetition: &Repetition<'_>, first: usize, findings: &mut Findings) -> Concept {
    let text = trimmed(repetition, first + 1);
    let system =
        word(repetition, first + 2).map(|name| system(repetition, first + 2, &name, findings));
    let Some(code) = trimmed(repetition, first) else {
        // A system without a code says nothing that a reader could use.
        if system.is_some() {
            findings.add(lint::D2017, repetition.place_of(first + 2));
        }
        return Concept {
            codings: Vec::new(),
            text,
        };
    };
    let code = narrow(repetition, first, code, findings);
    let system = match system {
        Some(CodeSystem::Hot9) if is_claims_code(&code) => {
            findings.add(lint::D2061, repetition.place_of(first + 2));
            Some(CodeSystem::ClaimsDrug)
        }
        system => system,
    };
    Concept {
        codings: vec![Coding {
            system,
            code,
            display: text.clone(),
        }],
        text,
    }
}

/// A code in half-width characters, as its table has it. Words in the place of a code stay.
pub(super) fn narrow(
    repetition: &Repetition<'_>,
    component: usize,
    code: String,
    findings: &mut Findings,
) -> String {
    let narrow = text::half_width(&code);
    if narrow == code || !narrow.is_ascii() {
        return code;
    }
    findings.add(lint::D2019, repetition.place_of(component));
    narrow.into_owned()
}

/// HOT9 begins with 1; nine digits with a leading 6 are a レセプト電算 code under a wrong name.
fn is_claims_code(code: &str) -> bool {
    code.len() == 9 && code.starts_with('6') && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// The system of a name, with the spellings of real senders: full-width letters, `HL0128`.
pub(super) fn system(
    repetition: &Repetition<'_>,
    component: usize,
    name: &str,
    findings: &mut Findings,
) -> CodeSystem {
    let mut repaired = text::half_width(name);
    if let Some(digits) = repaired
        .strip_prefix("HL0")
        .filter(|digits| digits.len() == 3)
    {
        repaired = format!("HL70{digits}").into();
    }
    if repaired != name {
        findings.add(lint::D2019, repetition.place_of(component));
    }
    CodeSystem::named(&repaired)
}
