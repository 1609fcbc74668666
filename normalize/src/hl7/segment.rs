//! Segments that are read, one file each, and what all their readers share.

pub(crate) mod al1;
pub(crate) mod evn;
pub(crate) mod iam;
pub(crate) mod msh;
pub(crate) mod nte;
pub(crate) mod obr;
pub(crate) mod obx;
pub(crate) mod orc;
pub(crate) mod pid;
pub(crate) mod prb;
pub(crate) mod pv1;
pub(crate) mod pv2;
pub(crate) mod rxc;
pub(crate) mod rxe;
pub(crate) mod rxr;
pub(crate) mod spm;
pub(crate) mod tq1;
pub(crate) mod zpr;

pub(crate) use super::data_type::{
    cq, cwe, decimal, expect, moment, nested_or_flat, nm, only, pl, plain, single, trimmed,
    triplets, ts, unread as unread_components, xad, xcn, xpn, xtn,
};

use model::allergy::{Allergy, AllergySource};
use model::code::Concept;
use model::finding::Place;
use model::person::Staff;
use model::quantity::Quantity;

use super::message::Segment;
use crate::lint::{self, Findings};

/// What a body has no field for, as `ORC-13` → text.
pub(crate) type Other = Vec<(String, String)>;

/// Keeps fields of the profile that have no place of their own, as the sender wrote them.
pub(crate) fn keep(segment: &Segment<'_>, numbers: &[usize], other: &mut Other) {
    for number in numbers {
        let field = segment.field(*number);
        if field.has_content() {
            other.push((name(segment, *number), field.whole().into_owned()));
        }
    }
}

/// What a field is called in a body.
fn name(segment: &Segment<'_>, number: usize) -> String {
    let mut name = String::with_capacity("OBX-11".len());
    name.push_str(segment.name());
    name.push('-');
    name.push_str(&number.to_string());
    name
}

/// Finds the fields that have content and are not among those read.
pub(crate) fn unread(segment: &Segment<'_>, read: &[usize], findings: &mut Findings) {
    for number in segment.filled().filter(|number| !read.contains(number)) {
        let field = segment.field(number);
        if field.has_content() {
            findings.add(lint::D2017, field.place());
        }
    }
}

/// Finds required fields that are empty; `""` fills a field.
pub(crate) fn require(segment: &Segment<'_>, numbers: &[usize], findings: &mut Findings) {
    for number in numbers {
        let field = segment.field(*number);
        if !field.has_content() && !field.is_null() {
            findings.add(lint::D2012, field.place());
        }
    }
}

/// Finds a field without which nothing can be said, also when `""` fills it.
pub(crate) fn require_content(segment: &Segment<'_>, number: usize, findings: &mut Findings) {
    if !segment.field(number).has_content() {
        findings.add(lint::D2012, segment.field(number).place());
    }
}

/// What a segment states, unless its essential value is missing: then the segment is left out, and
/// that is found.
pub(crate) fn stated<T>(
    what: Option<T>,
    segment: &Segment<'_>,
    findings: &mut Findings,
) -> Option<T> {
    if what.is_none() {
        findings.add(lint::D2034, segment.place());
    }
    what
}

/// Finds segments that fall with the one they belong to.
pub(crate) fn leave_out<'a, 'm: 'a>(
    segments: impl IntoIterator<Item = &'a Segment<'m>>,
    findings: &mut Findings,
) {
    for segment in segments {
        findings.add(lint::D2034, segment.place());
    }
}

/// Reads a coded field that may not repeat.
pub(crate) fn code(
    segment: &Segment<'_>,
    number: usize,
    findings: &mut Findings,
) -> Option<Concept> {
    let repetition = single(&segment.field(number), findings)?;
    cwe(&repetition, findings)
}

/// Reads a coded field that may repeat.
pub(crate) fn codes(segment: &Segment<'_>, number: usize, findings: &mut Findings) -> Vec<Concept> {
    segment
        .field(number)
        .repetitions()
        .filter_map(|repetition| cwe(&repetition, findings))
        .collect()
}

/// Reads a text field that may repeat.
pub(crate) fn texts(segment: &Segment<'_>, number: usize, findings: &mut Findings) -> Vec<String> {
    let repetitions = segment.field(number).repetitions();
    let read = repetitions.filter_map(|repetition| {
        unread_components(&repetition, &[1], findings);
        trimmed(&repetition, 1)
    });
    read.collect()
}

/// Reads a member of staff; a field that names several is found.
pub(crate) fn staff(
    segment: &Segment<'_>,
    number: usize,
    findings: &mut Findings,
) -> Option<Staff> {
    let field = segment.field(number);
    let mut people = xcn(&field, findings).into_iter();
    let first = people.next();
    if people.next().is_some() {
        findings.add(lint::D2016, field.place());
    }
    first
}

/// Reads a number and its unit from two fields. A number that cannot be read stays as it was sent,
/// with its unit.
pub(crate) fn quantity(
    segment: &Segment<'_>,
    (number, unit): (usize, usize),
    findings: &mut Findings,
    other: &mut Other,
) -> Option<Quantity> {
    let read = code(segment, unit, findings);
    let quantity = measured(segment, number, read.as_ref(), findings, other);
    if quantity.is_none() {
        keep(segment, &[unit], other);
    }
    quantity
}

/// Reads a number whose unit is known already.
pub(crate) fn measured(
    segment: &Segment<'_>,
    number: usize,
    unit: Option<&Concept>,
    findings: &mut Findings,
    other: &mut Other,
) -> Option<Quantity> {
    let value = nm(&segment.field(number), findings);
    if value.is_none() {
        keep(segment, &[number], other);
    }
    value.map(|value| Quantity {
        value,
        comparator: None,
        unit: unit.cloned(),
    })
}

/// An allergy of which only the allergen is known yet.
fn allergy(source: AllergySource, code: Concept) -> Allergy {
    Allergy {
        source,
        code,
        kind: None,
        severity: None,
        reactions: Vec::new(),
        action: None,
        identifier: None,
        reason: None,
        sensitivity: None,
        onset: None,
        onset_text: None,
        recorded: None,
        clinical: None,
        asserter: None,
        other: Vec::new(),
    }
}

/// The place of a segment that is not there.
pub(crate) fn missing(name: &str) -> Place {
    Place {
        segment: name.to_owned(),
        ..Place::default()
    }
}
