//! OBX: one result (HL7 v2.5 §7.4.2).

use model::code::{CodeSystem, Concept};
use model::observation::{Observation, ObservationCategory, ObservationStatus, Value};

use super::{Other, code, keep, only, plain, stated, texts, ts, unread};
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
    let code = measured(segment, findings);
    let code = stated(code, segment, findings)?;
    let mut other = Other::new();
    let unit = super::code(segment, 6, findings);
    let found = value::read(segment, unit.as_ref(), findings);
    if !matches!(found.value, Some(Value::Quantity(_) | Value::Range(_))) {
        keep(segment, &[6], &mut other);
    }
    // Several statuses are shown as one, and times may come from other segments: what this one
    // says stays beside it.
    keep(segment, &[1, 2, 11, 14, 15, 16, 17, 19], &mut other);
    let range = segment.field(7);
    Some(Observation {
        category,
        status: status(segment, found.value.is_some(), findings),
        code,
        sub_id: plain(&segment.field(4), findings),
        value: found.value,
        original: found.original,
        range: range
            .has_content()
            .then(|| number::reference_range(&range.whole(), unit.as_ref())),
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
    if concept
        .code_in(&CodeSystem::Jlac10)
        .is_some_and(|code| code.chars().count() != JLAC10)
    {
        findings.add(lint::D2015, segment.field(3).place());
    }
    Some(concept)
}

fn flags(segment: &Segment<'_>, findings: &mut Findings) -> Vec<String> {
    let sent = texts(segment, 8, findings);
    let flags: Vec<String> = sent
        .iter()
        .map(|flag| text::half_width(flag).into_owned())
        .collect();
    if flags != sent {
        findings.add(lint::D2019, segment.field(8).place());
    }
    flags
}

/// OBX-11, HL7 table 0085. Where it is missing or unknown, the least is claimed that can be true.
fn status(segment: &Segment<'_>, has_value: bool, findings: &mut Findings) -> ObservationStatus {
    let field = segment.field(11);
    let sent = only(&field, findings).unwrap_or_default();
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
            findings.add(
                if unknown.is_empty() {
                    lint::D2012
                } else {
                    lint::D2015
                },
                field.place(),
            );
            if has_value {
                ObservationStatus::Preliminary
            } else {
                ObservationStatus::Registered
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    fn observation(segment: &str) -> (Option<Observation>, Vec<String>) {
        of_segment(segment, |segment, findings| {
            read(segment, ObservationCategory::Laboratory, findings)
        })
    }

    #[track_caller]
    fn check_status(code: &str, expected: ObservationStatus, rules: &[&str]) {
        let (read, found) = observation(&format!(
            "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|||||  |{code}"
        ));
        assert_eq!(read.unwrap().status, expected, "{code}");
        assert_eq!(found, rules, "{code}");
    }

    #[test]
    fn statuses_of_hl7_table_0085() {
        check_status("F", ObservationStatus::Final, &[]);
        check_status("U", ObservationStatus::Final, &[]);
        check_status("C", ObservationStatus::Corrected, &[]);
        check_status("P", ObservationStatus::Preliminary, &[]);
        check_status("S", ObservationStatus::Preliminary, &[]);
        check_status("I", ObservationStatus::Registered, &[]);
        check_status("R", ObservationStatus::Registered, &[]);
        check_status("X", ObservationStatus::Cancelled, &[]);
        check_status("D", ObservationStatus::EnteredInError, &[]);
        check_status("W", ObservationStatus::EnteredInError, &[]);
    }

    #[test]
    fn an_odd_status_claims_no_final_result() {
        check_status("0", ObservationStatus::Registered, &["D2019@11"]);
        check_status("Ｆ", ObservationStatus::Final, &["D2019@11"]);
        check_status("", ObservationStatus::Preliminary, &["D2012@11"]);
        check_status("Q", ObservationStatus::Preliminary, &["D2015@11"]);
    }

    #[test]
    fn a_pending_result_keeps_its_unit_and_range() {
        let (read, rules) =
            observation("OBX|2|NM|3D046000001920402^HbA1c^JC10|||%^%^ISO+|4.9-6.0||||I");
        let read = read.unwrap();
        assert!(read.value.is_none());
        assert!(
            read.other
                .contains(&("OBX-6".to_owned(), "%^%^ISO+".to_owned()))
        );
        assert_eq!(read.range.unwrap().text, "4.9-6.0");
        assert_eq!(rules, [""; 0]);
    }

    #[test]
    fn units_in_full_width_are_codes_all_the_same() {
        let (read, rules) = observation(
            "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2|ｇ／ｄＬ^ｇ／ｄＬ^ＩＳＯ＋|||||F",
        );
        let Some(Value::Quantity(quantity)) = read.unwrap().value else {
            panic!()
        };
        assert_eq!(
            quantity.unit.unwrap().code_in(&CodeSystem::IsoPlus),
            Some("g/dL")
        );
        assert_eq!(rules, ["D2019@6", "D2019@6"]);
    }

    #[test]
    fn flags_and_sub_id() {
        let (read, _) = observation(
            "OBX|1|NM|3A010000002327101^総蛋白^JC10|1|7.2||6.6-8.1|H~A|||F|||202405100845",
        );
        let read = read.unwrap();
        assert_eq!(read.flags, ["H", "A"]);
        assert_eq!(read.sub_id.as_deref(), Some("1"));
        assert_eq!(
            read.effective.unwrap().to_string(),
            "2024-05-10T08:45:00+09:00"
        );
    }

    #[test]
    fn a_range_may_hold_the_repetition_separator() {
        let (read, _) = observation("OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2||6.6~8.1||||F");
        let range = read.unwrap().range.unwrap();
        assert_eq!(range.limits.unwrap().high.unwrap().value.as_str(), "8.1");
    }

    #[test]
    fn a_code_of_the_wrong_length_is_found_and_a_missing_one_gives_no_result() {
        let (read, rules) = observation("OBX|1|NM|3A0100000023271^総蛋白^JC10||7.2||||||F");
        assert!(read.is_some());
        assert_eq!(rules, ["D2015@3"]);
        let (read, rules) = observation("OBX|1|NM|||7.2||||||F");
        assert!(read.is_none());
        assert_eq!(rules, ["D2034@0"]);
    }
}
