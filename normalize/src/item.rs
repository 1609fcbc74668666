//! The one way from an item to its records.

use jiff::civil::Date;
use model::feed::Feed;
use model::finding::Finding;
use model::patient::Patient;
use model::person::Sex;
use model::record::{Body, Category, Kind, Record};
use model::time::PartialDateTime;

use crate::hl7::message::Message;
use crate::hl7::segment::{msh, pid};
use crate::hl7::{self, Reading, check};
use crate::lint::{self, Findings};
use crate::ssmix::data_type::{self, DataKind};
use crate::ssmix::path::FileName;

/// One thing that arrived.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// What kind of thing, and what stands outside the bytes.
    pub format: Format<'a>,
    /// The bytes; the caller bounds their number.
    pub bytes: &'a [u8],
}

/// Kinds of items.
#[derive(Clone, Copy)]
pub enum Format<'a> {
    /// A file of an SS-MIX2 standardized storage, under its name.
    SsMix2(&'a FileName),
}

/// What the item cannot say about itself.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Where it came from.
    pub feed: &'a Feed,
    /// Whether the facility has no demographics (ADT-00) of the patient: then this item's PID
    /// becomes a Patient record, marked as taken from an order.
    pub patient_from_order: bool,
}

/// What an item means.
#[derive(Clone, PartialEq, Eq)]
pub struct Normalized {
    /// The patient id (PID-3), after the feed's identity rules.
    pub subject: Option<String>,
    /// What the PID proves about the patient.
    pub evidence: Option<Evidence>,
    /// The records; none when a finding withholds the item. Kinds that are joined with other items
    /// later are among them.
    pub records: Vec<Record>,
    /// Whether the message is a cancel event.
    pub cancels: bool,
    /// When the event of an event kind happened.
    pub event_time: Option<PartialDateTime>,
    /// What reading noticed.
    pub findings: Vec<Finding>,
}

/// What demographics prove, in forms that compare (see [`crate::text::fold`]). Family and given name
/// have a blank between them where the sender tells them apart. A name in which characters were lost is
/// absent.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Birth date, when it is a whole date.
    pub birth_date: Option<Date>,
    /// Sex.
    pub sex: Option<Sex>,
    /// Name in kana, folded.
    pub kana: Option<String>,
    /// Name in kanji, folded.
    pub kanji: Option<String>,
}

/// Reads an item. Never fails and never panics: what cannot be read is a finding.
pub fn normalize(item: &Item<'_>, context: &Context<'_>) -> Normalized {
    let Format::SsMix2(file) = item.format;
    match Message::parse(item.bytes, context.feed.fallback) {
        Ok(message) => of_file(&message, file, item.bytes.len(), context),
        Err(findings) => Normalized {
            subject: None,
            evidence: None,
            records: Vec::new(),
            cancels: false,
            event_time: None,
            findings,
        },
    }
}

fn of_file(message: &Message, file: &FileName, length: usize, context: &Context<'_>) -> Normalized {
    let mut findings = Findings::default();
    findings.extend(file.deviations.iter().cloned());
    findings.extend(message.findings().iter().cloned());
    let header = msh::read(message);
    let identity = &context.feed.identity;
    let patient = message.first("PID").and_then(|segment| {
        let subject = pid::local_id(&segment, identity)?;
        Some(pid::read(&segment, &subject, &mut findings))
    });
    match &patient {
        None => findings.add(lint::D2300, check::patient_place(message, length)),
        Some(patient) if patient.local_id != identity.canonical(&file.patient) => {
            findings.add(lint::D2301, check::patient_place(message, length));
        }
        Some(_) => {}
    }
    let subject = patient.as_ref().map(|patient| patient.local_id.clone());
    // What follows a second PID is of whom that one names.
    let another = message
        .all("PID")
        .find(|segment| pid::local_id(segment, identity) != subject);
    if let Some(another) = another.filter(|_| subject.is_some()) {
        findings.add(lint::D2301, another.field(3).place());
    }
    let number = subject.as_deref().unwrap_or_default();
    let reading = Reading {
        message,
        header: &header,
        file,
        feed: context.feed,
        patient: number,
        slot: file.slot(number),
    };
    check::file(&reading, &mut findings);
    if !file.kind.reads() {
        findings.add(lint::S1116, model::finding::Place::default());
    }
    let evidence = patient.as_ref().map(pid::evidence);
    let mut records = if file.kind.reads() && check::unfolds_too_far(message) {
        findings.add(lint::S1110, model::finding::Place::default());
        Vec::new()
    } else {
        hl7::read(&reading, &mut findings)
    };
    if context.patient_from_order && file.kind != DataKind::Adt00 {
        records.extend(patient.map(|patient| patient_from_order(&reading, patient)));
    }
    if findings.withhold() {
        records.clear();
    }
    let event_time = event_time(&reading);
    Normalized {
        subject,
        evidence,
        records,
        cancels: data_type::cancels(&header.event),
        event_time,
        findings: findings.into_vec(),
    }
}

/// The PID of an order or a result, where the facility sends no demographics.
fn patient_from_order(reading: &Reading<'_>, patient: Patient) -> Record {
    let body = Body::Patient(Box::new(Patient {
        from_order: true,
        ..patient
    }));
    let occurred = reading.occurred(None);
    reading.record(
        Kind::Patient,
        Category::Demographics,
        occurred,
        format!("patient-from-order|{}", reading.patient),
        body,
    )
}

/// When the event happened whose versions share a slot: the reception, admission or discharge, else
/// EVN-6.
fn event_time(reading: &Reading<'_>) -> Option<PartialDateTime> {
    let mut ignored = Findings::default();
    let mut field = |name: &str, number: usize| {
        let segment = reading.message.first(name)?;
        hl7::segment::ts(&segment.field(number), &mut ignored)
    };
    match reading.file.kind {
        DataKind::Adt12 | DataKind::Adt22 => field("PV1", 44),
        DataKind::Adt52 => field("PV1", 45),
        DataKind::Adt21 | DataKind::Adt41 => field("PV2", 8),
        DataKind::Adt51 => field("PV2", 9),
        DataKind::Adt01 | DataKind::Adt31 | DataKind::Adt32 | DataKind::Adt42 => field("EVN", 6),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
