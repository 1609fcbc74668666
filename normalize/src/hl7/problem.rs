//! PPR^ZD1 (SS-MIX2 PPR-01): diagnoses.

use std::collections::BTreeMap;

use model::code::Concept;
use model::condition::Condition;
use model::record::{Body, Category, Kind, Occurred, Record, Sensitivity};

use super::Reading;
use super::message::{Message, Segment};
use super::segment::{leave_out, nte, orc, prb, pv1, zpr};
use crate::lint::{self, Findings};

/// A PRB with the segments that speak of it.
struct Group<'m> {
    prb: Segment<'m>,
    order: Option<Segment<'m>>,
    details: Vec<Segment<'m>>,
}

/// Reads one condition a PRB.
pub(super) fn read(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let visit = pv1::of_order(reading.message, findings);
    let groups = groups(reading.message, findings);
    let conditions = groups
        .into_iter()
        .filter_map(|group| condition(&group, findings));
    let mut conditions: Vec<Condition> = conditions.collect();
    for condition in &mut conditions {
        condition.other.extend(visit.iter().cloned());
    }
    let keys = keys(&conditions);
    conditions
        .into_iter()
        .zip(keys)
        .map(|(condition, key)| record(reading, condition, &key))
        .collect()
}

/// Groups begin with PRB. The ORC of a group stands behind it or, with some senders, before it: the
/// first of the two in the message tells.
fn groups<'m>(message: &'m Message, findings: &mut Findings) -> Vec<Group<'m>> {
    let first = message
        .segments()
        .find(|segment| matches!(segment.name(), "PRB" | "ORC"));
    let order_first = first.is_some_and(|segment| segment.name() == "ORC");
    let mut groups: Vec<Group<'m>> = Vec::new();
    let mut waiting = None;
    for segment in message.segments() {
        let unplaced = match (segment.name(), groups.last_mut()) {
            ("PRB", _) => {
                groups.push(Group {
                    prb: segment,
                    order: waiting.take(),
                    details: Vec::new(),
                });
                None
            }
            ("ORC", _) if order_first => waiting.replace(segment),
            ("ORC", Some(group)) if group.order.is_none() => {
                group.order = Some(segment);
                None
            }
            ("ZPR" | "NTE", Some(group)) => {
                group.details.push(segment);
                None
            }
            ("ORC" | "ZPR" | "NTE", _) => Some(segment),
            _ => None,
        };
        findings.extend(unplaced.map(|segment| lint::D2018.at(segment.place())));
    }
    findings.extend(waiting.map(|segment| lint::D2018.at(segment.place())));
    groups
}

fn condition(group: &Group<'_>, findings: &mut Findings) -> Option<Condition> {
    let Some(mut condition) = prb::read(&group.prb, findings) else {
        leave_out(group.details.iter().chain(&group.order), findings);
        return None;
    };
    for segment in &group.details {
        match segment.name() {
            "ZPR" => zpr::add(&mut condition, segment, findings),
            _ => condition.notes.extend(nte::read(segment, findings)),
        }
    }
    if let Some(segment) = &group.order {
        let head = orc::read(segment, findings).head;
        condition.recorder = head.requester;
        condition.department = head.department;
        condition.other.extend(head.other);
        super::segment::keep(segment, &[2, 3, 4, 9, 10, 29], &mut condition.other);
    }
    let start = condition.onset.or(condition.recorded);
    if start
        .zip(condition.abatement)
        .is_some_and(|(start, end)| end.end() < start.start())
    {
        findings.add(lint::D2051, group.prb.field(9).place());
    }
    Some(condition)
}

/// The diagnosis' own id where it is one, else what it is, since when and where; a number where even
/// that repeats.
fn keys(conditions: &[Condition]) -> Vec<String> {
    let described = |condition: &Condition| {
        let code = condition
            .code
            .first_code()
            .or(condition.code.text.as_deref())
            .unwrap_or_default();
        let recorded = condition
            .recorded
            .map(|time| time.to_string())
            .unwrap_or_default();
        let department = condition
            .department
            .as_ref()
            .and_then(Concept::first_code)
            .unwrap_or_default();
        format!("{code}|{recorded}|{department}")
    };
    let mut uses: BTreeMap<&str, u32> = BTreeMap::new();
    for id in conditions
        .iter()
        .filter_map(|condition| condition.identifier.as_deref())
    {
        *uses.entry(id).or_default() += 1;
    }
    let mut occurrences: BTreeMap<String, u32> = BTreeMap::new();
    let keys = conditions.iter().map(|condition| {
        if let Some(id) = condition
            .identifier
            .as_ref()
            .filter(|id| uses.get(id.as_str()) == Some(&1))
        {
            return id.clone();
        }
        let key = described(condition);
        let occurrence = occurrences.entry(key.clone()).or_default();
        *occurrence += 1;
        if *occurrence == 1 {
            key
        } else {
            format!("{key}|{occurrence}")
        }
    });
    keys.collect()
}

fn record(reading: &Reading<'_>, condition: Condition, key: &str) -> Record {
    let restricted = condition.security.as_ref().is_some_and(is_restricted);
    let occurred = occurred(reading, &condition);
    let key = format!("{}|{key}", reading.slot);
    let body = Body::Condition(Box::new(condition));
    let mut record = reading.record(Kind::Condition, Category::Problem, occurred, key, body);
    if restricted {
        record.meta.sensitivity = Sensitivity::Restricted;
    }
    record
}

/// HL7 table 0177: very restricted, restricted, and the two subjects that are always so.
fn is_restricted(security: &Concept) -> bool {
    security
        .codings
        .iter()
        .any(|coding| matches!(coding.code.as_str(), "V" | "R" | "HIV" | "PSY"))
}

/// From the day of the diagnosis until its end, or lasting.
fn occurred(reading: &Reading<'_>, condition: &Condition) -> Occurred {
    let end = condition.abatement;
    match condition.recorded.or(condition.onset) {
        Some(start) if end.is_none_or(|end| end.end() >= start.start()) => {
            Occurred::between(start, end)
        }
        Some(start) => Occurred::at(start),
        None => reading.occurred(end),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Normalized;
    use crate::testing::{read, rules};

    fn message(segments: &[&str]) -> Normalized {
        let header = "MSH|^~\\&|HIS||GW||20240510||PPR^ZD1^PPR_ZD1|1|P|2.5||||||UNICODE UTF-8";
        let patient = "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F";
        let lines = [&[header, patient], segments].concat().join("\r");
        read(
            "0000123456_-_PPR-01_999999999999999_20240510120000300_01_1",
            lines.as_bytes(),
        )
    }

    /// What each key says behind the slot.
    #[track_caller]
    fn check_keys(segments: &[&str], expected: &[&str]) {
        let read = message(segments);
        let slot = "0000123456|-|PPR-01|999999999999999|";
        let keys = read
            .records
            .iter()
            .map(|record| record.meta.source_key.strip_prefix(slot).unwrap());
        assert_eq!(keys.collect::<Vec<_>>(), expected);
    }

    const GASTRITIS: &str = "PRB|AD|20240510|20054174^胃炎^MDCDX2||||20240501";

    #[test]
    fn keys_are_ids_where_ids_are_one() {
        let order = "ORC|NW|1|||||||||||||||01^内科^HL70069";
        check_keys(&["PRB|AD|20240510|20054174^胃炎^MDCDX2|D1"], &["D1"]);
        check_keys(&[GASTRITIS, order], &["20054174|2024-05-01|01"]);
        check_keys(
            &[GASTRITIS, GASTRITIS],
            &["20054174|2024-05-01|", "20054174|2024-05-01||2"],
        );
        let twice = "PRB|AD|20240510|20054174^胃炎^MDCDX2|D1||20240501";
        check_keys(
            &[twice, "PRB|AD|20240510|20050020^糖尿病^MDCDX2|D1"],
            &["20054174||", "20050020||"],
        );
    }

    #[test]
    fn the_order_may_stand_behind_its_diagnosis_or_before_it() {
        let (one, two) = ("ORC|NW|1||||||||||D1", "ORC|NW|1||||||||||D2");
        let second = "PRB|AD|20240510|20050020^糖尿病^MDCDX2|P2||20240501";
        let doctors = |segments: &[&str]| -> Vec<String> {
            let bodies = message(segments)
                .records
                .into_iter()
                .map(|record| record.body);
            let doctor = |body| match body {
                Body::Condition(condition) => condition.recorder.unwrap().id.unwrap(),
                _ => String::new(),
            };
            bodies.map(doctor).collect()
        };
        assert_eq!(doctors(&[GASTRITIS, one, second, two]), ["D1", "D2"]);
        assert_eq!(doctors(&[one, GASTRITIS, two, second]), ["D1", "D2"]);
        assert!(rules(&message(&[GASTRITIS, one, two])).contains(&"D2018"));
    }

    #[test]
    fn confidential_diagnoses_are_restricted() {
        let sensitivity = |code: &str| {
            let prb = format!("{GASTRITIS}{}{code}^^HL70177", "|".repeat(18));
            message(&[&prb]).records[0].meta.sensitivity
        };
        for code in ["V", "R", "HIV", "PSY"] {
            assert_eq!(sensitivity(code), Sensitivity::Restricted, "{code}");
        }
        for code in ["U", "VIP", ""] {
            assert_eq!(sensitivity(code), Sensitivity::Normal, "{code}");
        }
    }

    #[test]
    fn a_diagnosis_lasts_until_its_end() {
        let occurred = |prb: &str| message(&[prb]).records[0].meta.occurred;
        assert_eq!(occurred(GASTRITIS).to, model::time::Instant::MAX);
        let ended = occurred(&format!("{GASTRITIS}||20240601"));
        assert_eq!(ended.to.day().to_string(), "2024-06-01");
        let backwards = format!("{GASTRITIS}||20240401");
        assert!(occurred(&backwards).is_dated());
        assert!(rules(&message(&[&backwards])).contains(&"D2051"));
    }
}
