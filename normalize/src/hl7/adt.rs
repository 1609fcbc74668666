//! ADT messages: demographics (ADT-00), reception (ADT-12), admission (ADT-22), discharge (ADT-52),
//! allergies (ADT-61, and AL1 of any message).

use std::collections::BTreeMap;

use model::allergy::{Allergy, AllergySource};
use model::code::{CodeSystem, Coding, Concept};
use model::encounter::{
    Encounter, EncounterClass, EncounterEvent, EncounterStatus, EventKind, Stay,
};
use model::observation::ObservationCategory;
use model::record::{Body, Category, Kind, Occurred, Record};
use model::time::PartialDateTime;

use super::Reading;
use super::segment::evn::Event;
use super::segment::pv1::Visit;
use super::segment::{Other, al1, evn, iam, keep, missing, obx, pid, pv1, pv2};
use crate::lint::{self, Findings};
use crate::ssmix::data_type;

/// ADT-00: who the patient is, and what was measured of the body. A23 takes the patient's data
/// back, so it states none.
pub(super) fn demographics(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let event = evn::read(reading.message, &reading.header.event, findings);
    if data_type::cancels(&reading.header.event) {
        findings.add(
            lint::D2303,
            reading
                .message
                .first("MSH")
                .map_or_else(|| missing("MSH"), |header| header.field(9).place()),
        );
        return Vec::new();
    }
    let Some(segment) = reading.message.first("PID") else {
        return Vec::new();
    };
    // The findings of the PID are already taken: every message has one.
    let mut patient = pid::read(&segment, reading.patient, &mut Findings::default());
    let occurred = patient.updated.or(event.recorded);
    patient.other.extend(event.other);
    patient.other.extend(
        event
            .occurred
            .map(|time| ("EVN-6".to_owned(), time.to_string())),
    );
    patient
        .other
        .extend(pv1::of_order(reading.message, findings));
    pv2::read(reading.message, &mut patient.other, findings);
    if patient.updated.is_some() {
        patient.other.extend(
            event
                .recorded
                .map(|time| ("EVN-2".to_owned(), time.to_string())),
        );
    }
    let occurred = reading.occurred(occurred);
    let body = Body::Patient(Box::new(patient));
    let mut records = body_values(reading, event.recorded, findings);
    records.push(reading.record(
        Kind::Patient,
        Category::Demographics,
        occurred,
        format!("patient|{}", reading.patient),
        body,
    ));
    records
}

/// OBX of the demographics: height, weight, blood groups. Without a time of their own they are
/// known since the event was recorded.
fn body_values(
    reading: &Reading<'_>,
    recorded: Option<PartialDateTime>,
    findings: &mut Findings,
) -> Vec<Record> {
    let mut occurrences: BTreeMap<String, u32> = BTreeMap::new();
    let mut records = Vec::new();
    for segment in reading.message.all("OBX") {
        let Some(mut value) = obx::read(&segment, ObservationCategory::Exam, findings) else {
            continue;
        };
        if is_body_measurement(&value.code) {
            value.category = ObservationCategory::BodyMeasurement;
        }
        value.issued = value.issued.or(recorded);
        let what = value
            .code
            .first_code()
            .or(value.code.text.as_deref())
            .unwrap_or_default();
        let key = format!(
            "{}||{what}|{}",
            reading.slot,
            value.sub_id.as_deref().unwrap_or_default()
        );
        let occurrence = occurrences.entry(key.clone()).or_default();
        *occurrence += 1;
        let key = format!("{key}|{occurrence}");
        let occurred = reading.occurred(value.effective);
        let body = Body::Observation(Box::new(value));
        records.push(reading.record(
            Kind::Observation,
            Category::Demographics,
            occurred,
            key,
            body,
        ));
    }
    records
}

/// Height and weight by JLAC10 analyte, or by name: senders mistake one code for the other.
fn is_body_measurement(code: &Concept) -> bool {
    let analyte = |code: &str| code.starts_with("9N001") || code.starts_with("9N006");
    code.code_in(&CodeSystem::Jlac10).is_some_and(analyte)
        || code
            .text
            .as_deref()
            .is_some_and(|text| matches!(text, "身長" | "体重"))
}

/// What EVN, PV1 and PV2 of an encounter's message say.
fn visit(reading: &Reading<'_>, findings: &mut Findings) -> (Event, Visit, Other) {
    let mut event = evn::read(reading.message, &reading.header.event, findings);
    let visit = pv1::read(reading.message, findings);
    let mut other = std::mem::take(&mut event.other);
    other.extend(
        event
            .recorded
            .map(|time| ("EVN-2".to_owned(), time.to_string())),
    );
    if let Some(segment) = reading.message.first("PV1") {
        keep(&segment, &[1, 6], &mut other);
    }
    pv2::read(reading.message, &mut other, findings);
    (event, visit, other)
}

/// The department: PV1-10, else the file name's code (SS-MIX2 user table 0069).
fn department(reading: &Reading<'_>, visit: &Visit) -> Option<Concept> {
    visit.department.clone().or_else(|| {
        let code = reading.file.department.clone()?;
        let coding = Coding {
            system: Some(CodeSystem::Department),
            code,
            display: None,
        };
        Some(Concept {
            codings: vec![coding],
            text: None,
        })
    })
}

/// The time of an event, else the day of the folder, which the standard takes from the same field.
fn time_or_folder(
    reading: &Reading<'_>,
    sent: Option<PartialDateTime>,
    field: usize,
    findings: &mut Findings,
) -> Option<PartialDateTime> {
    if sent.is_none() {
        let place = reading
            .message
            .first("PV1")
            .map_or_else(|| missing("PV1"), |segment| segment.field(field).place());
        findings.add(lint::D2012, place);
    }
    sent.or_else(|| reading.file.date.map(PartialDateTime::day))
}

/// The class must be the one of the data kind, which decides.
fn expect_class(
    reading: &Reading<'_>,
    visit: &Visit,
    class: EncounterClass,
    findings: &mut Findings,
) {
    if let Some(segment) = reading
        .message
        .first("PV1")
        .filter(|_| visit.class.is_some_and(|sent| sent != class))
    {
        findings.add(lint::D2015, segment.field(2).place());
    }
}

/// ADT-12: an outpatient reception, an encounter by itself.
pub(super) fn reception(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let (event, visit, mut other) = visit(reading, findings);
    expect_class(reading, &visit, EncounterClass::Ambulatory, findings);
    let start = time_or_folder(reading, visit.admitted, 44, findings);
    other.extend(
        event
            .occurred
            .map(|time| ("EVN-6".to_owned(), time.to_string())),
    );
    let department = department(reading, &visit);
    let number = reading.file.order_number().map(str::to_owned);
    // Without an order number the receptions of a day share the slot; the time tells them apart.
    let key = match (&number, start) {
        (None, Some(start)) => format!("AMB|{}|{start}", reading.slot),
        _ => format!("AMB|{}", reading.slot),
    };
    let cancelled = data_type::cancels(&reading.header.event);
    let encounter = Encounter {
        class: EncounterClass::Ambulatory,
        status: if cancelled {
            EncounterStatus::Cancelled
        } else {
            EncounterStatus::Received
        },
        start,
        end: visit.discharged,
        department,
        locations: visit
            .bed
            .map(|bed| Stay {
                bed,
                start,
                end: None,
            })
            .into_iter()
            .collect(),
        attending: visit.attending,
        admitting: visit.admitting,
        disposition: visit.disposition,
        number,
        other,
    };
    let occurred = reading.occurred(start);
    vec![reading.record(
        Kind::Encounter,
        Category::Encounter,
        occurred,
        key,
        Body::Encounter(Box::new(encounter)),
    )]
}

/// ADT-22: an inpatient stay begins, or A11 calls that off.
pub(super) fn admission(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let (event, visit, mut other) = visit(reading, findings);
    other.extend(
        event
            .occurred
            .map(|time| ("EVN-6".to_owned(), time.to_string())),
    );
    let at = time_or_folder(reading, visit.admitted, 44, findings);
    other.extend(
        visit
            .discharged
            .map(|time| ("PV1-45".to_owned(), time.to_string())),
    );
    inpatient(reading, EventKind::Admission, at, visit, other, findings)
}

/// ADT-52: an inpatient stay ends, or A13 calls that off.
pub(super) fn discharge(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let (event, visit, mut other) = visit(reading, findings);
    let at = visit.discharged.or(event.occurred);
    if visit.discharged.is_some() {
        other.extend(
            event
                .occurred
                .map(|time| ("EVN-6".to_owned(), time.to_string())),
        );
    }
    let at = time_or_folder(reading, at, 45, findings);
    inpatient(reading, EventKind::Discharge, at, visit, other, findings)
}

fn inpatient(
    reading: &Reading<'_>,
    kind: EventKind,
    at: Option<PartialDateTime>,
    visit: Visit,
    other: Other,
    findings: &mut Findings,
) -> Vec<Record> {
    expect_class(reading, &visit, EncounterClass::Inpatient, findings);
    let admission = kind == EventKind::Admission;
    let number = reading.file.order_number().map(str::to_owned);
    let stay = Encounter {
        class: EncounterClass::Inpatient,
        status: if admission {
            EncounterStatus::InProgress
        } else {
            EncounterStatus::Finished
        },
        start: if admission { at } else { visit.admitted },
        end: if admission { None } else { at },
        department: department(reading, &visit),
        locations: visit
            .bed
            .map(|bed| Stay {
                bed,
                start: None,
                end: None,
            })
            .into_iter()
            .collect(),
        attending: visit.attending,
        admitting: visit.admitting,
        disposition: visit.disposition,
        number: number.clone(),
        other,
    };
    let body = EncounterEvent {
        kind,
        cancels: data_type::cancels(&reading.header.event),
        number,
        version: reading.file.time.clone(),
        at,
        admitted: if admission { None } else { visit.admitted },
        stay,
    };
    let occurred = reading.occurred(at);
    let key = reading.slot.clone();
    vec![reading.record(
        Kind::EncounterEvent,
        Category::Encounter,
        occurred,
        key,
        Body::Event(Box::new(body)),
    )]
}

/// ADT-61: the allergy list.
pub(super) fn allergy_list(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let event = evn::read(reading.message, &reading.header.event, findings);
    let mut other = event.other;
    other.extend(
        event
            .recorded
            .map(|time| ("EVN-2".to_owned(), time.to_string())),
    );
    other.extend(
        event
            .occurred
            .map(|time| ("EVN-6".to_owned(), time.to_string())),
    );
    other.extend(pv1::of_order(reading.message, findings));
    let items: Vec<Allergy> = reading
        .message
        .all("IAM")
        .filter_map(|segment| iam::read(&segment, findings))
        .map(|mut item| {
            item.other.extend(other.iter().cloned());
            item
        })
        .collect();
    statements(reading, items)
}

/// AL1 of any message.
pub(super) fn allergies(
    reading: &Reading<'_>,
    source: AllergySource,
    findings: &mut Findings,
) -> Vec<Record> {
    let segments = reading.message.all("AL1");
    let items = segments
        .filter_map(|segment| al1::read(&segment, source, findings))
        .collect();
    statements(reading, items)
}

/// One statement an item. Items of several messages may state the same allergy, and one message may
/// state it twice: slot and occurrence keep them apart until they are joined.
fn statements(reading: &Reading<'_>, items: Vec<Allergy>) -> Vec<Record> {
    let mut occurrences: BTreeMap<String, u32> = BTreeMap::new();
    let mut records = Vec::with_capacity(items.len());
    for item in items {
        let occurrence = occurrences.entry(item.key()).or_default();
        *occurrence += 1;
        let key = format!("{}|{}|{occurrence}", reading.slot, item.key());
        let occurred = item
            .onset
            .or(item.recorded)
            .map_or_else(|| reading.occurred(None), Occurred::at);
        let body = Body::Allergy(Box::new(item));
        records.push(reading.record(
            Kind::AllergyStatement,
            Category::Allergy,
            occurred,
            key,
            body,
        ));
    }
    records
}

#[cfg(test)]
mod tests;
