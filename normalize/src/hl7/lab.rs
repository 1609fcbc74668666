//! OUL^R22 (SS-MIX2 OML-11; also ORU): laboratory results, bacteriology among them.

pub(super) mod number;
pub(super) mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

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
        let (report, specimen) = (Arc::new(report), specimen.map(Arc::new));
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
fn complete(observation: &mut Observation, report: &Arc<Report>, specimen: Option<&Arc<Specimen>>) {
    let collected = specimen.and_then(|specimen| specimen.collected);
    observation.effective = observation.effective.or(report.collected).or(collected);
    observation.issued = observation.issued.or(report.issued);
    observation.specimen = specimen.cloned();
    observation.report = Some(Arc::clone(report));
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
    let [specimen, code, sub_id] = parts;
    let key = [&reading.slot, specimen, code, sub_id].join("|");
    let occurrence = occurrences.entry(key.clone()).or_default();
    *occurrence += 1;
    let key = [key, occurrence.to_string()].join("|");
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
mod tests;
