//! `Encounter`: receptions and stays.

use crate::json::Value;
use jiff::civil::Date;
use model::encounter::{Encounter, EncounterClass, EncounterStatus, Stay};
use model::id::FacilityId;
use model::record::ReadRecord;
use model::time::Instant;

use super::Rendering;
use super::contained::Contained;
use super::datatypes::{codeable, coding, concept, period};
use super::meta::{Version, instance, meta, opening, organization, patient_of};
use super::object::Object;
use super::person::location;
use super::system::ACT_CODE;

/// Renders an encounter as it stands today.
pub(crate) fn render(record: &ReadRecord, encounter: &Encounter, on: &Rendering<'_>) -> Value {
    let facility = &record.meta.facility;
    let status = status(record, encounter, on.today);
    let mut contained = Contained::default();
    let participants = participants(encounter, facility, &mut contained);
    let locations: Vec<Value> = encounter
        .locations
        .iter()
        .filter_map(|stay| place(stay, status, &mut contained))
        .collect();
    let disposition = encounter
        .disposition
        .as_ref()
        .map(|sent| concept(sent, facility));
    let hospitalization = Object::new().with("dischargeDisposition", disposition);
    opening(
        "Encounter",
        record,
        meta(
            record,
            &version(record, encounter, on.today),
            "JP_Encounter",
            &[],
            None,
        ),
    )
    .with("contained", contained)
    .with(
        "identifier",
        encounter
            .number
            .as_deref()
            .map(|number| vec![Value::from(instance(number, record, on))]),
    )
    .with("status", status)
    .with("class", class(encounter.class))
    .with(
        "serviceType",
        encounter
            .department
            .as_ref()
            .map(|sent| concept(sent, facility)),
    )
    .with("subject", patient_of(record))
    .with("participant", participants)
    .with("period", period(encounter.start, encounter.end))
    .with("hospitalization", hospitalization)
    .with("location", locations)
    .with("serviceProvider", organization(facility, on))
    .into()
}

fn class(class: EncounterClass) -> Object {
    match class {
        EncounterClass::Ambulatory => coding(ACT_CODE, "AMB").with("display", "外来"),
        EncounterClass::Inpatient => coding(ACT_CODE, "IMP").with("display", "入院"),
    }
}

/// The day of a reception, which has no end of its own.
fn reception(record: &ReadRecord, encounter: &Encounter) -> Option<Date> {
    let said = encounter.start.map(|start| start.date());
    said.or_else(|| {
        record
            .meta
            .occurred
            .is_dated()
            .then(|| record.meta.occurred.from.day())
    })
}

fn is_over(record: &ReadRecord, encounter: &Encounter, today: Date) -> bool {
    reception(record, encounter).is_none_or(|day| day < today)
}

fn status(record: &ReadRecord, encounter: &Encounter, today: Date) -> &'static str {
    match encounter.status {
        EncounterStatus::Received if is_over(record, encounter, today) => "finished",
        EncounterStatus::Received => "arrived",
        EncounterStatus::InProgress => "in-progress",
        EncounterStatus::Finished => "finished",
        EncounterStatus::Cancelled => "cancelled",
        EncounterStatus::Unknown => "unknown",
    }
}

/// A reception changes at midnight without a new message, so its version does too.
fn version(record: &ReadRecord, encounter: &Encounter, today: Date) -> Version {
    let plain = Version::of(record);
    if encounter.status != EncounterStatus::Received || !is_over(record, encounter, today) {
        return plain;
    }
    let midnight = reception(record, encounter)
        .and_then(|day| day.tomorrow().ok())
        .map(Instant::start_of);
    Version {
        id: format!("{}.1", plain.id),
        updated: plain.updated.max(midnight),
    }
}

fn participants(
    encounter: &Encounter,
    facility: &FacilityId,
    contained: &mut Contained,
) -> Vec<Value> {
    let roles = encounter.attending.iter().map(|staff| ("ATND", staff));
    let roles = roles.chain(encounter.admitting.iter().map(|staff| ("ADM", staff)));
    let mut participant = |role: &str, staff| {
        let kind = codeable(
            "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
            role,
        );
        let individual = contained.staff(staff, facility)?;
        Some(
            Object::new()
                .with("type", vec![Value::from(kind)])
                .with("individual", individual)
                .into(),
        )
    };
    roles
        .filter_map(|(role, staff)| participant(role, staff))
        .collect()
}

fn place(stay: &Stay, status: &str, contained: &mut Contained) -> Option<Value> {
    let there = match (stay.end, status) {
        (Some(_), _) | (None, "finished") => Some("completed"),
        (None, "in-progress" | "arrived") => Some("active"),
        _ => None,
    };
    let bed = contained.hold("Location", location(&stay.bed)?);
    Some(
        Object::new()
            .with("location", bed)
            .with("status", there)
            .with("period", period(stay.start, stay.end))
            .into(),
    )
}
