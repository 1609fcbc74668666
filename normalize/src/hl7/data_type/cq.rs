//! CQ: a quantity with its unit, and codes that stand in the sub-components of a component.

use model::code::{CodeSystem, Coding, Concept};
use model::quantity::Quantity;

use super::cwe::{narrow, system};
use super::{coded, decimal, trimmed, unread, word};
use crate::hl7::message::Repetition;
use crate::lint::{self, Findings};

/// Reads an amount; `None` with a finding when there is text that is no number.
pub(crate) fn cq(repetition: &Repetition<'_>, findings: &mut Findings) -> Option<Quantity> {
    let (unit, read) = unit(repetition, findings);
    unread(repetition, read, findings);
    let amount = word(repetition, 1)?;
    let Some((value, repaired)) = decimal(&amount) else {
        findings.add(lint::D2014, repetition.place_of(1));
        return None;
    };
    if repaired {
        findings.add(lint::D2019, repetition.place_of(1));
    }
    Some(Quantity {
        value,
        comparator: None,
        unit,
    })
}

/// The unit in component 2 as `code&text&system`, or in components 2 to 4 where the sender wrote
/// `^` for `&`; and the components that were read.
fn unit(
    repetition: &Repetition<'_>,
    findings: &mut Findings,
) -> (Option<Concept>, &'static [usize]) {
    if !repetition.is_nested(2) && word(repetition, 4).is_some() {
        findings.add(lint::D2019, repetition.place());
        let part = |number| trimmed(repetition, number);
        let name = part(4).map(|name| system(repetition, 4, &name, findings));
        let code = part(2).map(|code| narrow(repetition, 2, code, findings));
        return (concept(code, part(3), name), &[1, 2, 3, 4]);
    }
    (nested(repetition, 2, findings), &[1, 2])
}

/// Reads `code&text&system` from the sub-components of a component; what stands behind them is
/// found.
pub(crate) fn nested(
    repetition: &Repetition<'_>,
    component: usize,
    findings: &mut Findings,
) -> Option<Concept> {
    let mut parts = repetition
        .subs(component)
        .map(|part| Some(part?.trim().to_owned()).filter(|text| !text.is_empty()));
    let mut part = || parts.next().flatten();
    let (code, text, name) = (part(), part(), part());
    let beyond = parts.any(|part| part.is_some());
    // A system without a code says nothing that a reader could use.
    if beyond || (code.is_none() && name.is_some()) {
        findings.add(lint::D2017, repetition.place_of(component));
    }
    let name = name.map(|name| system(repetition, component, &name, findings));
    let code = code.map(|code| narrow(repetition, component, code, findings));
    concept(code, text, name)
}

/// Reads a code whose parts stand in the sub-components of the first component or, where the sender
/// wrote `^` for `&`, in components of their own; and says which components were read.
pub(crate) fn nested_or_flat(
    repetition: &Repetition<'_>,
    findings: &mut Findings,
) -> (Option<Concept>, &'static [usize]) {
    let words = word(repetition, 2).is_some_and(|text| !text.is_ascii());
    if !repetition.is_nested(1) && (words || word(repetition, 3).is_some()) {
        findings.add(lint::D2019, repetition.place());
        (coded(repetition, findings), &[1, 2, 3, 4, 5, 6, 9])
    } else {
        (nested(repetition, 1, findings), &[1])
    }
}

fn concept(
    code: Option<String>,
    text: Option<String>,
    system: Option<CodeSystem>,
) -> Option<Concept> {
    // A lone word in the place of the code is a text when no code table could hold it.
    let (code, text) = match (code, text, &system) {
        (Some(word), None, None) if !word.is_ascii() => (None, Some(word)),
        parts => (parts.0, parts.1),
    };
    let coding = code.map(|code| Coding {
        system,
        code,
        display: text.clone(),
    });
    let concept = Concept {
        codings: coding.into_iter().collect(),
        text,
    };
    (!concept.is_empty()).then_some(concept)
}
