//! OUL^R22 (SS-MIX2 OML-11; also ORU): laboratory results, bacteriology among them.

pub(super) mod number;
pub(super) mod value;

use std::collections::BTreeMap;

use model::code::{CodeSystem, Concept};
use model::observation::{Observation, ObservationCategory, Report, Specimen};
use model::record::{Body, Category, Kind, Record};

use super::Reading;
use super::message::{Message, Segment};
use super::segment::{keep, leave_out, nte, obr, obx, orc, pv1, spm};
use crate::lint::{self, Findings};

/// A result with its remarks.
struct Line<'m> {
    result: Segment<'m>,
    notes: Vec<Segment<'m>>,
}

/// A set of tests on one specimen.
#[derive(Default)]
struct Group<'m> {
    specimen: Option<Segment<'m>>,
    set: Option<Segment<'m>>,
    order: Option<Segment<'m>>,
    notes: Vec<Segment<'m>>,
    lines: Vec<Line<'m>>,
}

/// Reads one observation an OBX.
pub(super) fn read(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let visit = pv1::of_order(reading.message, findings);
    let mut occurrences = BTreeMap::new();
    let mut records = Vec::new();
    for group in groups(reading.message, findings) {
        let (mut report, specimen) = report(&group, findings);
        report.other.extend(visit.iter().cloned());
        for line in &group.lines {
            let result = obx::read(&line.result, ObservationCategory::Laboratory, findings);
            let Some(mut observation) = result else {
                continue;
            };
            observation.notes = line
                .notes
                .iter()
                .flat_map(|note| nte::read(note, findings))
                .collect();
            complete(&mut observation, &report, specimen.as_ref());
            records.push(record(reading, observation, &mut occurrences));
        }
    }
    records
}

/// Groups under construction. SPM opens a specimen, OBR a set of tests on it; OBX and NTE belong to
/// what is open. Of ORC and OBR the one that comes first in the message comes first in every group.
struct Grouping<'m> {
    groups: Vec<Group<'m>>,
    specimen: Option<Segment<'m>>,
    order_first: bool,
    /// An ORC before its OBR.
    waiting: Option<Segment<'m>>,
}

fn groups<'m>(message: &'m Message, findings: &mut Findings) -> Vec<Group<'m>> {
    let first = message
        .segments()
        .find(|segment| matches!(segment.name(), "OBR" | "ORC"));
    let order_first = first.is_some_and(|segment| segment.name() == "ORC");
    let mut grouping = Grouping {
        groups: Vec::new(),
        specimen: None,
        order_first,
        waiting: None,
    };
    for segment in message.segments() {
        let unplaced = grouping.place(segment);
        findings.extend(unplaced.map(|segment| lint::D2018.at(segment.place())));
    }
    findings.extend(
        grouping
            .waiting
            .map(|segment| lint::D2018.at(segment.place())),
    );
    grouping.groups
}

impl<'m> Grouping<'m> {
    /// Puts a segment where it belongs; gives back the one that belongs nowhere.
    fn place(&mut self, segment: Segment<'m>) -> Option<Segment<'m>> {
        match segment.name() {
            "SPM" => self.specimen(segment),
            "OBR" => self.set(segment),
            "ORC" => return self.order(segment),
            "OBX" => self.result(segment),
            "NTE" => return self.note(segment),
            _ => {}
        }
        None
    }

    fn specimen(&mut self, segment: Segment<'m>) {
        match self.groups.last_mut() {
            // ORU: the specimen stands behind the results.
            Some(group) if group.specimen.is_none() && group.set.is_some() => {
                group.specimen = Some(segment);
            }
            _ => {
                self.specimen = Some(segment);
                self.groups.push(Group {
                    specimen: Some(segment),
                    ..Group::default()
                });
            }
        }
    }

    fn set(&mut self, segment: Segment<'m>) {
        let order = self.waiting.take();
        match self.groups.last_mut() {
            Some(group) if group.set.is_none() && group.lines.is_empty() => {
                group.set = Some(segment);
                group.order = order;
            }
            _ => {
                let specimen = self.specimen;
                self.groups.push(Group {
                    specimen,
                    set: Some(segment),
                    order,
                    ..Group::default()
                });
            }
        }
    }

    fn order(&mut self, segment: Segment<'m>) -> Option<Segment<'m>> {
        if self.order_first {
            return self.waiting.replace(segment);
        }
        match self.groups.last_mut() {
            Some(group) if group.set.is_some() && group.order.is_none() => {
                group.order = Some(segment);
                None
            }
            _ => Some(segment),
        }
    }

    fn result(&mut self, segment: Segment<'m>) {
        let line = Line {
            result: segment,
            notes: Vec::new(),
        };
        match self.groups.last_mut() {
            Some(group) => group.lines.push(line),
            None => self.groups.push(Group {
                lines: vec![line],
                ..Group::default()
            }),
        }
    }

    fn note(&mut self, segment: Segment<'m>) -> Option<Segment<'m>> {
        let Some(group) = self.groups.last_mut() else {
            return Some(segment);
        };
        let notes = group
            .lines
            .last_mut()
            .map_or(&mut group.notes, |line| &mut line.notes);
        notes.push(segment);
        None
    }
}

/// The report that the results of a group belong to, and the material.
fn report(group: &Group<'_>, findings: &mut Findings) -> (Report, Option<Specimen>) {
    if group.lines.is_empty() {
        let opener = group.set.or(group.specimen);
        findings.extend(opener.map(|segment| lint::D2011.at(segment.place())));
        leave_out(group.notes.iter().chain(&group.order), findings);
    }
    let mut specimen = group.specimen.map(|segment| spm::read(&segment, findings));
    let mut report = Report::default();
    if let Some(segment) = &group.set {
        let (read, material) = obr::read(segment, findings);
        report = read;
        if specimen
            .as_ref()
            .is_some_and(|specimen| specimen.material.is_some())
        {
            keep(segment, &[15], &mut report.other);
        } else if material.is_some() {
            specimen.get_or_insert_default().material = material;
        }
    }
    if let Some(segment) = &group.order {
        order(&mut report, segment, findings);
    }
    for note in &group.notes {
        let lines = nte::read(note, findings).into_iter();
        report
            .other
            .extend(lines.map(|line| ("NTE-3".to_owned(), line)));
    }
    (report, specimen)
}

/// What the ORC adds to the OBR. What both can say stays as sent beside what is shown.
fn order(report: &mut Report, segment: &Segment<'_>, findings: &mut Findings) {
    let head = orc::read(segment, findings).head;
    keep(segment, &[2, 3, 4, 9, 10, 12, 29], &mut report.other);
    report.other.extend(head.other);
    report.placer = report.placer.take().or(head.placer);
    report.filler = report.filler.take().or(head.filler);
    report.requester = report.requester.take().or(head.requester);
    report.department = head.department;
}

/// Gives a result its report and its material, and the times that only those say.
fn complete(observation: &mut Observation, report: &Report, specimen: Option<&Specimen>) {
    let collected = specimen.and_then(|specimen| specimen.collected);
    observation.effective = observation.effective.or(report.collected).or(collected);
    observation.issued = observation.issued.or(report.issued);
    observation.specimen = specimen.cloned();
    observation.report = Some(report.clone());
}

fn record(
    reading: &Reading<'_>,
    observation: Observation,
    occurrences: &mut BTreeMap<String, u32>,
) -> Record {
    let specimen = observation
        .specimen
        .as_ref()
        .and_then(|specimen| specimen.number.as_deref());
    let code = observation
        .code
        .first_code()
        .or(observation.code.text.as_deref());
    let parts = [specimen, code, observation.sub_id.as_deref()].map(Option::unwrap_or_default);
    let key = format!("{}|{}", reading.file.slot(), parts.join("|"));
    let occurrence = occurrences.entry(key.clone()).or_default();
    *occurrence += 1;
    let key = format!("{key}|{occurrence}");
    let occurred = reading.occurred(observation.effective);
    let category = category(&observation);
    reading.record(
        Kind::Observation,
        category,
        occurred,
        key,
        Body::Observation(Box::new(observation)),
    )
}

/// Microbiology is what JLAC10 puts into class 6; a result coded locally is what its set is.
fn category(observation: &Observation) -> Category {
    let class = |concept: &Concept| {
        concept
            .code_in(&CodeSystem::Jlac10)
            .map(|code| code.starts_with('6'))
    };
    let set = observation
        .report
        .as_ref()
        .and_then(|report| report.set.as_ref());
    match class(&observation.code).or_else(|| set.and_then(class)) {
        Some(true) => Category::Micro,
        _ => Category::Lab,
    }
}

#[cfg(test)]
mod tests {
    use crate::Normalized;
    use crate::testing::{read, rules};

    use super::*;

    const FILE: &str = "0000123456_20240510_OML-11_000000000000001_20240510112233050_01_1";

    fn message(segments: &[&str]) -> Normalized {
        let header = "MSH|^~\\&|HIS||GW||20240510||OUL^R22^OUL_R22|1|P|2.5||||||UNICODE UTF-8";
        let patient = "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F";
        let lines = [&[header, patient], segments].concat().join("\r");
        read(FILE, lines.as_bytes())
    }

    fn observations(read: &Normalized) -> Vec<&Observation> {
        let bodies = read.records.iter().map(|record| &record.body);
        bodies
            .filter_map(|body| match body {
                Body::Observation(observation) => Some(&**observation),
                _ => None,
            })
            .collect()
    }

    /// Specimen, set and doctor of each result.
    #[track_caller]
    fn check(segments: &[&str], expected: &[&str]) {
        let read = message(segments);
        let described = observations(&read).into_iter().map(|observation| {
            let specimen = observation
                .specimen
                .as_ref()
                .and_then(|specimen| specimen.number.as_deref());
            let report = observation.report.as_ref();
            let set = report.and_then(|report| report.set.as_ref()?.first_code());
            let doctor = report.and_then(|report| report.requester.as_ref()?.id.as_deref());
            [specimen, set, doctor]
                .map(|part| part.unwrap_or("-"))
                .join(" ")
        });
        assert_eq!(described.collect::<Vec<_>>(), expected);
        assert_eq!(rules(&read), [""; 0]);
    }

    const RESULT: &str = "OBX|1|NM|3A010000002327101^総蛋白^JC10||7.2||||||F";

    #[test]
    fn the_order_may_stand_behind_its_set_or_before_it() {
        let (first, second) = ("OBR|1|1||A1^血算^99X", "OBR|2|1||A2^生化学^99X");
        let (one, two) = ("ORC|SC|1||||||||||D1", "ORC|SC|1||||||||||D2");
        let expected = ["S1 A1 D1", "S2 A2 D2"];
        check(
            &[
                "SPM|1|S1", first, one, RESULT, "SPM|2|S2", second, two, RESULT,
            ],
            &expected,
        );
        check(
            &[
                "SPM|1|S1", one, first, RESULT, "SPM|2|S2", two, second, RESULT,
            ],
            &expected,
        );
        check(
            &["SPM|1|S1", first, one, RESULT, second, two, RESULT],
            &["S1 A1 D1", "S1 A2 D2"],
        );
    }

    #[test]
    fn the_specimen_of_an_unsolicited_result_stands_behind_it() {
        check(
            &[
                "ORC|RE|1||||||||||D1",
                "OBR|1|1||A1^血算^99X",
                RESULT,
                "SPM|1|S1",
            ],
            &["S1 A1 D1"],
        );
    }

    #[test]
    fn results_without_set_or_specimen_are_read() {
        check(&[RESULT], &["- - -"]);
        check(&["SPM|1|S1", RESULT], &["S1 - -"]);
    }

    #[test]
    fn the_same_test_twice_has_two_keys() {
        let read = message(&["SPM|1|S1", "OBR|1|1||A1^血算^99X", RESULT, RESULT]);
        let keys: Vec<&str> = read
            .records
            .iter()
            .map(|record| record.meta.source_key.as_str())
            .collect();
        let slot = "20240510|OML-11|000000000000001";
        assert_eq!(
            keys,
            [
                format!("{slot}|S1|3A010000002327101||1"),
                format!("{slot}|S1|3A010000002327101||2")
            ]
        );
    }

    #[test]
    fn times_come_from_result_then_set_then_specimen() {
        let time = |segments: &[&str]| {
            observations(&message(segments))[0]
                .effective
                .unwrap()
                .to_string()
        };
        let timed = format!("{RESULT}|||20240503");
        let (specimen, set) = (
            format!("SPM|1|S1{}20240501", "|".repeat(15)),
            "OBR|1|1||A1^血算^99X|||20240502",
        );
        assert_eq!(time(&[&specimen, set, &timed]), "2024-05-03");
        assert_eq!(time(&[&specimen, set, RESULT]), "2024-05-02");
        assert_eq!(
            time(&[&specimen, "OBR|1|1||A1^血算^99X", RESULT]),
            "2024-05-01"
        );
    }

    #[test]
    fn an_undated_result_answers_no_search_by_date() {
        let read = message(&["OBR|1|1||A1^血算^99X", RESULT]);
        assert!(!read.records[0].meta.occurred.is_dated());
    }

    #[test]
    fn class_six_is_microbiology() {
        let category = |segments: &[&str]| message(segments).records[0].meta.category;
        let local = "OBX|1|ST|90001^染色^99X||GPC||||||F";
        assert_eq!(category(&[RESULT]), Category::Lab);
        assert_eq!(
            category(&["OBX|1|ST|6B010000006174112^菌量^JC10||3+||||||F"]),
            Category::Micro
        );
        assert_eq!(
            category(&["OBR|1|1||6A010000006174100^塗抹^JC10", local]),
            Category::Micro
        );
        assert_eq!(category(&["OBR|1|1||A1^血算^99X", local]), Category::Lab);
    }

    #[test]
    fn remarks_belong_to_what_stands_before_them() {
        let read = message(&["OBR|1|1||A1^血算^99X", "NTE|1||溶血", RESULT, "NTE|1||再検"]);
        let observation = observations(&read)[0];
        assert_eq!(observation.notes, ["再検"]);
        let report = observation.report.as_ref().unwrap();
        assert!(
            report
                .other
                .contains(&("NTE-3".to_owned(), "溶血".to_owned()))
        );
    }

    #[test]
    fn what_belongs_nowhere_is_found() {
        assert_eq!(rules(&message(&["NTE|1||前置き", RESULT])), ["D2018"]);
        assert_eq!(
            rules(&message(&["SPM|1|S1", "OBR|1|1||A1^血算^99X"])),
            ["D2011"]
        );
    }
}
