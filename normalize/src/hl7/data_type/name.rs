//! XPN and XCN: names of patients and staff, in kanji, kana and Latin letters.

use model::person::{PersonName, Staff, Writing};

use super::{expect, trimmed, unread, word};
use crate::hl7::message::{Field, Repetition};
use crate::lint::{self, Findings};
use crate::text;

/// Reads a patient's names, one a repetition; empty repetitions (foreigners without kanji) give
/// none.
pub(crate) fn xpn(field: &Field<'_>, findings: &mut Findings) -> Vec<PersonName> {
    field
        .repetitions()
        .filter_map(|repetition| person_name(&repetition, findings))
        .collect()
}

fn person_name(repetition: &Repetition<'_>, findings: &mut Findings) -> Option<PersonName> {
    let shift = usize::from(is_shifted(repetition));
    if shift == 1 {
        findings.add(lint::D2019, repetition.place_of(6));
    }
    let (kind, form) = (7 - shift, 8 - shift);
    unread(repetition, &[1, 2, 3, kind, form], findings);
    let part = |component| {
        repetition
            .component(component)
            .map(|part| spaced(&part))
            .filter(|part| !part.is_empty())
    };
    let given = match (part(2), part(3)) {
        (Some(given), Some(middle)) => Some(format!("{given} {middle}")),
        (given, middle) => given.or(middle),
    };
    let (family, given, original) = match (part(1), given) {
        (None, None) => return None,
        // The whole name in one component: only a blank in it tells the parts.
        (Some(whole), None) => match whole.split_once(' ') {
            Some((family, given)) => (Some(family.to_owned()), Some(given.to_owned()), whole),
            None => (None, None, whole),
        },
        (None, Some(given)) => (None, Some(given.clone()), given),
        (Some(family), Some(given)) => {
            let whole = format!("{family} {given}");
            (Some(family), Some(given), whole)
        }
    };
    let text = text::full_width_kana(&original);
    Some(PersonName {
        writing: writing(repetition, form, &text, findings),
        family: family.map(|family| text::full_width_kana(&family)),
        given: given.map(|given| text::full_width_kana(&given)),
        original: (original != text).then_some(original),
        text,
        kind: trimmed(repetition, kind),
    })
}

/// One half-width space for every stretch of blanks, none around.
fn spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// Whether type and representation stand one component early, as `…^L^I` in components 6 and 7.
fn is_shifted(repetition: &Repetition<'_>) -> bool {
    let part = |component| word(repetition, component);
    part(8).is_none()
        && part(6).as_deref() == Some("L")
        && part(7).is_some_and(|form| matches!(form.as_ref(), "I" | "P" | "A"))
}

fn writing(
    repetition: &Repetition<'_>,
    form: usize,
    text: &str,
    findings: &mut Findings,
) -> Writing {
    match word(repetition, form).as_deref() {
        Some("I") => Writing::Ideographic,
        Some("P") => Writing::Phonetic,
        Some("A") => Writing::Alphabetic,
        other => {
            if other.is_some() {
                findings.add(lint::D2015, repetition.place_of(form));
            }
            guessed_writing(text)
        }
    }
}

/// The writing that the characters show: any kanji means kanji, nothing but kana means kana.
fn guessed_writing(text: &str) -> Writing {
    let kana = |char: char| matches!(char, 'ぁ'..='ヿ' | ' ' | '-' | '－');
    if text.is_ascii() {
        Writing::Alphabetic
    } else if text.chars().all(kana) {
        Writing::Phonetic
    } else {
        Writing::Ideographic
    }
}

/// Reads staff. A repetition in kana belongs to the person before it.
pub(crate) fn xcn(field: &Field<'_>, findings: &mut Findings) -> Vec<Staff> {
    let mut staff: Vec<Staff> = Vec::new();
    for repetition in field.repetitions() {
        unread(&repetition, &[1, 2, 3, 10, 15], findings);
        expect(&repetition, 10, &["L", "D"], findings);
        expect(&repetition, 15, &["I", "P", "A"], findings);
        let id = trimmed(&repetition, 1);
        let parts = [2, 3]
            .into_iter()
            .filter_map(|component| repetition.component(component));
        let name = spaced(&parts.collect::<Vec<_>>().join(" "));
        let name = (!name.is_empty()).then_some(name);
        let kana = word(&repetition, 15).as_deref() == Some("P");
        match staff.last_mut() {
            Some(before) if kana && before.kana.is_none() && (id.is_none() || id == before.id) => {
                before.kana = name;
            }
            _ if kana => staff.push(Staff {
                id,
                name: None,
                kana: name,
            }),
            _ if id.is_some() || name.is_some() => staff.push(Staff {
                id,
                name,
                kana: None,
            }),
            _ => {}
        }
    }
    staff
}
