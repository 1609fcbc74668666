//! `Observation`: laboratory results and body measurements.

mod value;

use crate::json::Value;
use model::code::Concept;
use model::id::FacilityId;
use model::observation::{
    Observation, ObservationCategory, ObservationStatus, ReferenceRange, Specimen,
};
use model::record::ReadRecord;

use super::Rendering;
use super::contained::Contained;
use super::datatypes::{
    UNITS, absent, as_sent, codeable, coding, codings, concept, date_time, extended, identifier,
    instant, note, range, source_field, words,
};
use super::meta::{Version, instance, meta, opening, organization, origin, patient_of};
use super::object::Object;
use super::system::{self, OBSERVATION_CATEGORY};

/// JP-CLINS: a laboratory item that has no standard code.
const UNCODED: (&str, &str) = (
    "http://jpfhir.jp/fhir/clins/CodeSystem/JP_CLINS_ObsLabResult_Uncoded_CS",
    "99999999999999999",
);

/// Renders a result.
pub(crate) fn render(record: &ReadRecord, observation: &Observation, on: &Rendering<'_>) -> Value {
    let facility = &record.meta.facility;
    let (profile, category) = kind(observation.category);
    let mut contained = Contained::default();
    let specimen =
        specimen(observation, facility).map(|specimen| contained.hold("Specimen", specimen));
    let effective = observation.effective.map(date_time);
    let issued = observation.issued;
    let resource = opening(
        "Observation",
        record,
        meta(record, &Version::of(record), profile, &[], None),
    )
    .with("contained", contained)
    .with("extension", extensions(record, observation))
    .with("identifier", identifiers(record, observation, on))
    .with("status", status(observation.status))
    .with(
        "category",
        vec![Value::from(codeable(OBSERVATION_CATEGORY, category))],
    )
    .with("code", code(observation, facility))
    .with("subject", patient_of(record))
    .with("_effectiveDateTime", effective.is_none().then(absent))
    .with("effectiveDateTime", effective)
    .with("issued", issued.and_then(instant))
    .with(
        "_issued",
        issued
            .filter(|time| instant(*time).is_none())
            .map(|time| extended(as_sent(&date_time(time)))),
    )
    .with("performer", vec![Value::from(organization(facility, on))]);
    value::add(resource, observation, facility)
        .with("interpretation", interpretation(&observation.flags))
        .with(
            "note",
            observation
                .notes
                .iter()
                .map(|text| note(text.as_str()))
                .collect::<Vec<_>>(),
        )
        .with("specimen", specimen)
        .with(
            "referenceRange",
            observation
                .range
                .as_ref()
                .map(|sent| vec![Value::from(reference_range(sent))]),
        )
        .into()
}

/// Profile and category code.
const fn kind(category: ObservationCategory) -> (&'static str, &'static str) {
    match category {
        ObservationCategory::Laboratory => ("JP_Observation_LabResult", "laboratory"),
        ObservationCategory::BodyMeasurement => {
            ("JP_Observation_BodyMeasurement", "body-measurement")
        }
        ObservationCategory::Exam => ("JP_Observation_Common", "exam"),
    }
}

const fn status(status: ObservationStatus) -> &'static str {
    match status {
        ObservationStatus::Registered => "registered",
        ObservationStatus::Preliminary => "preliminary",
        ObservationStatus::Final => "final",
        ObservationStatus::Corrected => "corrected",
        ObservationStatus::Cancelled => "cancelled",
        ObservationStatus::EnteredInError => "entered-in-error",
    }
}

/// The code; `JP_Observation_LabResult` demands a coding and a text.
fn code(observation: &Observation, facility: &FacilityId) -> Object {
    let sent = &observation.code;
    let is_lab = observation.category == ObservationCategory::Laboratory;
    let uncoded = || Value::of(vec![coding(UNCODED.0, UNCODED.1)]);
    let codings = codings(sent, facility, UNITS);
    let codings = Some(Value::of(codings)).filter(|codings| !codings.is_empty());
    let text = words(sent).or_else(|| sent.first_code());
    Object::new()
        .with("coding", codings.or_else(|| is_lab.then(uncoded)))
        .with("text", text.unwrap_or("名称なし"))
}

fn identifiers(record: &ReadRecord, observation: &Observation, on: &Rendering<'_>) -> Vec<Value> {
    let report = observation.report.as_ref();
    let placer = report.and_then(|report| report.placer.as_deref());
    let filler = report.and_then(|report| report.filler.as_deref());
    let local = system::local(&record.meta.facility, "filler-order-number");
    let placer = placer.map(|number| instance(number, record, on));
    placer
        .into_iter()
        .chain(filler.map(|number| identifier(&local, number)))
        .map(Value::from)
        .collect()
}

/// HL7 table 0078: codes that FHIR knows under the same letters; others stand as text.
fn interpretation(flags: &[String]) -> Vec<Value> {
    const KNOWN: [&str; 20] = [
        "H", "L", "HH", "LL", "<", ">", "N", "A", "AA", "U", "D", "B", "W", "S", "R", "I", "POS",
        "NEG", "HU", "LU",
    ];
    let system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    let shown = |flag: &String| {
        if KNOWN.contains(&flag.as_str()) {
            codeable(system, flag)
        } else {
            Object::new().with("text", flag.as_str())
        }
    };
    flags.iter().map(|flag| shown(flag).into()).collect()
}

fn reference_range(sent: &ReferenceRange) -> Object {
    let limits = sent.limits.as_ref();
    let limits = limits.map(range).unwrap_or_default();
    limits.with("text", sent.text.as_str())
}

/// The material; `JP_Observation_LabResult` demands one.
fn specimen(observation: &Observation, facility: &FacilityId) -> Option<Object> {
    let unknown = Specimen::default();
    let is_lab = observation.category == ObservationCategory::Laboratory;
    let sent = observation
        .specimen
        .as_deref()
        .or(is_lab.then_some(&unknown))?;
    let material = sent
        .material
        .as_ref()
        .map(|material| concept(material, facility));
    let number = sent
        .number
        .as_deref()
        .map(|number| identifier(&system::local(facility, "specimen"), number));
    let collection = Object::new()
        .with("collectedDateTime", sent.collected.map(date_time))
        .with(
            "bodySite",
            sent.site.as_ref().map(|site| concept(site, facility)),
        );
    Some(
        Object::new()
            .with("identifier", number.map(|number| vec![Value::from(number)]))
            .with(
                "type",
                material
                    .filter(|material| !material.is_empty())
                    .unwrap_or_else(unknown_material),
            )
            .with("receivedTime", sent.received.map(date_time))
            .with("collection", collection),
    )
}

fn unknown_material() -> Object {
    Object::new().with("text", "不明")
}

/// The order's fields that have no element here, because its `ServiceRequest` is not served.
fn extensions(record: &ReadRecord, observation: &Observation) -> Vec<Value> {
    let facility = &record.meta.facility;
    let report = observation.report.as_ref();
    let shown = |sent: Option<&Concept>| sent.map(|sent| concept(sent, facility));
    let doctor = report.and_then(|report| report.requester.as_ref());
    let doctor = doctor.map(|staff| {
        [
            staff.id.as_deref(),
            staff.name.as_deref(),
            staff.kana.as_deref(),
        ]
    });
    let doctor = doctor.map(|parts| parts.into_iter().flatten().collect::<Vec<_>>().join(" "));
    let fields = [
        observation
            .original
            .as_deref()
            .map(as_sent)
            .unwrap_or_default(),
        source_field("OBX-4", "valueString", observation.sub_id.as_deref()),
        source_field(
            "OBR-4",
            "valueCodeableConcept",
            shown(report.and_then(|report| report.set.as_ref())),
        ),
        source_field(
            "OBR-7",
            "valueDateTime",
            report.and_then(|report| report.collected).map(date_time),
        ),
        source_field("OBR-16", "valueString", doctor),
        source_field(
            "OBR-22",
            "valueDateTime",
            report.and_then(|report| report.issued).map(date_time),
        ),
        source_field(
            "OBR-26",
            "valueString",
            report.and_then(|report| report.parent.as_deref()),
        ),
    ];
    let department = report.and_then(|report| report.department.as_ref());
    origin(record, department).chain(fields).collect()
}
