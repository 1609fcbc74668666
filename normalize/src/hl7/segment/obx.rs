//! OBX: one result (HL7 v2.5 §7.4.2).

use model::code::{CodeSystem, Concept};
use model::observation::{Observation, ObservationCategory, ObservationStatus, Value};

use super::{Other, code, keep, plain, texts, ts, unread};
use crate::hl7::lab::{number, value};
use crate::hl7::message::Segment;
use crate::lint::{self, Findings};
use crate::text;

/// The fields that SS-MIX2 uses, with place (15), responsible (16), method (17) and time of analysis
/// (19) of other profiles.
const READ: [usize; 14] = [1, 2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 16, 17, 19];

/// Length of a JLAC10 code with its result part.
const JLAC10: usize = 17;

/// A result without specimen and report; `None` with a finding when it does not say what was
/// measured.
pub(crate) fn read(
    segment: &Segment<'_>,
    category: ObservationCategory,
    findings: &mut Findings,
) -> Option<Observation> {
    unread(segment, &READ, findings);
    let Some(code) = measured(segment, findings) else {
        findings.add(lint::D2012, segment.field(3).place());
        return None;
    };
    let mut other = Other::new();
    let unit = super::code(segment, 6, findings);
    let found = value::read(segment, unit.as_ref(), findings);
    if !matches!(found.value, Some(Value::Quantity(_) | Value::Range(_))) {
        keep(segment, &[6], &mut other);
    }
    keep(segment, &[1, 2, 15, 16, 17], &mut other);
    let range = segment.field(7);
    Some(Observation {
        category,
        status: status(segment, found.value.is_some(), findings),
        code,
        sub_id: plain(&segment.field(4), findings),
        value: found.value,
        original: found.original,
        range: range.has_content().then(|| number::reference_range(&range.whole(), unit.as_ref())),
        flags: flags(segment, findings),
        effective: ts(&segment.field(14), findings),
        issued: ts(&segment.field(19), findings),
        specimen: None,
        report: None,
        notes: Vec::new(),
        other,
    })
}

fn measured(segment: &Segment<'_>, findings: &mut Findings) -> Option<Concept> {
    let concept = code(segment, 3, findings)?;
    if concept.code_in(&CodeSystem::Jlac10).is_some_and(|code| code.chars().count() != JLAC10) {
        findings.add(lint::D2015, segment.field(3).place());
    }
    Some(concept)
}

fn flags(segment: &Segment<'_>, findings: &mut Findings) -> Vec<String> {
    let sent = texts(segment, 8, findings);
    let flags: Vec<String> = sent.iter().map(|flag| text::half_width(flag)).collect();
    if flags != sent {
        findings.add(lint::D2019, segment.field(8).place());
    }
    flags
}

/// OBX-11, HL7 table 0085. Where it is missing or unknown, the least is claimed that can be true.
fn status(segment: &Segment<'_>, has_value: bool, findings: &mut Findings) -> ObservationStatus {
    let field = segment.field(11);
    let sent = plain(&field, findings).unwrap_or_default();
    let code = text::half_width(&sent).to_uppercase();
    if code != sent || code == "0" {
        findings.add(lint::D2019, field.place());
    }
    match code.as_str() {
        "F" | "U" => ObservationStatus::Final,
        "C" => ObservationStatus::Corrected,
        "P" | "S" => ObservationStatus::Preliminary,
        "R" | "I" | "O" | "0" => ObservationStatus::Registered,
        "X" | "N" => ObservationStatus::Cancelled,
        "D" | "W" => ObservationStatus::EnteredInError,
        unknown => {
            findings.add(if unknown.is_empty() { lint::D2012 } else { lint::D2015 }, field.place());
            if has_value { ObservationStatus::Preliminary } else { ObservationStatus::Registered }
        }
    }
}
