//! PID: who the patient is (SS-MIX2 options `1O 3R 5R 7R 8R 11O 13O 14O 33C`).

use jiff::civil::Date;
use model::feed::Identity;
use model::patient::Patient;
use model::person::{PersonName, Sex, Writing};
use model::time::{PartialDateTime, Precision};

use super::{
    Other, expect, keep, moment, only, require, ts, unread, unread_components, xad, xpn, xtn,
};
use crate::Evidence;
use crate::hl7::message::{Field, Repetition, Segment};
use crate::lint::{self, Findings};
use crate::text;

/// The patient's number (PID-3): the repetition of type `PI`, else the first.
pub(crate) fn local_id(segment: &Segment<'_>, identity: &Identity) -> Option<String> {
    let field = segment.field(3);
    let typed = field
        .repetitions()
        .find(|repetition| repetition.component(5).as_deref() == Some("PI"));
    let id = typed.or_else(|| field.first())?.component(1)?;
    Some(identity.canonical(&id)).filter(|id| !id.is_empty())
}

/// Reads the demographics of the patient who has the number `local_id`.
pub(crate) fn read(segment: &Segment<'_>, local_id: &str, findings: &mut Findings) -> Patient {
    require(segment, &[3, 5, 7, 8], findings);
    unread(segment, &[1, 3, 5, 7, 8, 11, 13, 14, 33], findings);
    read_id(&segment.field(3), findings);
    let (birth_date, sex) = birth_and_sex(segment, findings);
    let mut other = Other::new();
    keep(segment, &[1], &mut other);
    let mut telecoms = xtn(&segment.field(13), false, findings);
    telecoms.extend(xtn(&segment.field(14), true, findings));
    Patient {
        local_id: local_id.to_owned(),
        names: xpn(&segment.field(5), findings),
        birth_date,
        sex,
        addresses: xad(&segment.field(11), findings),
        telecoms,
        updated: ts(&segment.field(33), findings),
        from_order: false,
        other,
    }
}

/// Finds what PID-3 says beside the number: another type, other numbers.
fn read_id(field: &Field<'_>, findings: &mut Findings) {
    let typed = |repetition: &Repetition<'_>| repetition.component(5).as_deref() == Some("PI");
    let chosen = field
        .repetitions()
        .position(|repetition| typed(&repetition))
        .unwrap_or(0);
    for (index, repetition) in field.repetitions().enumerate() {
        if index == chosen {
            unread_components(&repetition, &[1, 5], findings);
            expect(&repetition, 5, &["PI"], findings);
        } else if !repetition.raw().is_empty() {
            findings.add(lint::D2016, repetition.place());
        }
    }
}

/// PID-7 and PID-8; some senders have them the wrong way round.
fn birth_and_sex(
    segment: &Segment<'_>,
    findings: &mut Findings,
) -> (Option<PartialDateTime>, Option<Sex>) {
    let (birth, sex) = (segment.field(7), segment.field(8));
    let swapped = birth
        .text()
        .is_some_and(|text| sex_of(&text).is_some_and(|(_, sure)| sure))
        && sex.text().is_some_and(|text| moment(&text).is_some());
    if swapped {
        findings.add(lint::D2019, birth.place());
        findings.add(lint::D2019, sex.place());
        return (ts(&sex, findings), read_sex(&birth, findings));
    }
    (ts(&birth, findings), read_sex(&sex, findings))
}

fn read_sex(field: &Field<'_>, findings: &mut Findings) -> Option<Sex> {
    let text = only(field, findings)?;
    match sex_of(&text) {
        Some((sex, true)) => Some(sex),
        Some((sex, false)) => {
            findings.add(lint::D2019, field.place());
            Some(sex)
        }
        None => {
            findings.add(lint::D2015, field.place());
            None
        }
    }
}

/// HL7 table 0001, and whether the spelling is the table's; older senders write 1 and 2.
fn sex_of(text: &str) -> Option<(Sex, bool)> {
    let code = text::half_width(text).to_ascii_uppercase();
    let sex = match code.as_str() {
        "M" | "1" => Sex::Male,
        "F" | "2" => Sex::Female,
        "O" | "A" => Sex::Other,
        "U" | "N" => Sex::Unknown,
        _ => return None,
    };
    Some((sex, matches!(text, "M" | "F" | "O" | "U")))
}

/// What the demographics prove about the patient, in forms that compare.
pub(crate) fn evidence(patient: &Patient) -> Evidence {
    let name = |writing| {
        patient
            .names
            .iter()
            .find(|name: &&PersonName| name.writing == writing)
    };
    Evidence {
        birth_date: patient.birth_date.and_then(whole_day),
        sex: patient.sex,
        kana: name(Writing::Phonetic).and_then(comparable),
        kanji: name(Writing::Ideographic).and_then(comparable),
    }
}

fn whole_day(time: PartialDateTime) -> Option<Date> {
    (time.precision() >= Precision::Day).then(|| time.date())
}

/// A name in which characters were lost proves nothing. Family and given name stand apart where the
/// sender tells them apart.
fn comparable(name: &PersonName) -> Option<String> {
    let lost = |char: char| matches!(char, '■' | '〓' | '・' | '?' | '？' | '□');
    if name.text.contains(lost) {
        return None;
    }
    let folded = match (&name.family, &name.given) {
        (Some(family), Some(given)) => [family, given].map(|part| text::fold(part)).join(" "),
        _ => text::fold(&name.text),
    };
    Some(folded).filter(|folded| folded.contains(|char| char != ' '))
}
