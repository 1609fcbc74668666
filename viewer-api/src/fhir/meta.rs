//! `meta` of a resource, and what every clinical resource says beside its content.

use crate::json::Value;
use model::code::{CodeSystem, Concept};
use model::id::FacilityId;
use model::record::{ReadRecord, Sensitivity};
use model::time::Instant;

use super::Rendering;
use super::datatypes::{UNITS, coding, codings, concept, extension, identifier, reference};
use super::object::Object;
use super::system::{ACT_CODE, INSTITUTION};

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const TAGS: &str = "urn:musubi:tag";
const PROFILES: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/";
const OF_INSTITUTION: &str =
    "http://jpfhir.jp/fhir/clins/Extension/StructureDefinition/JP_eCS_InstitutionNumber";
const OF_DEPARTMENT: &str =
    "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department";

/// What is unusual about where a resource comes from.
#[derive(Clone, Copy)]
pub(crate) enum Tag {
    /// Only superseded files of the source remain: in transition (SS-MIX2 flag 2).
    SupersededOnly,
    /// Taken from an order or result, because the facility sent no list or demographics of its own.
    FromOrder,
}

impl Tag {
    const fn code(self) -> &'static str {
        match self {
            Self::SupersededOnly => "superseded-only",
            Self::FromOrder => "from-order",
        }
    }

    /// The tag as a `Coding`.
    pub(crate) fn coding(self) -> Object {
        coding(TAGS, self.code())
    }
}

/// Which version of a resource this is.
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) updated: Option<Instant>,
}

impl Version {
    pub(crate) fn of(record: &ReadRecord) -> Self {
        Self {
            id: record.version.to_string(),
            updated: Some(record.last_updated),
        }
    }
}

/// A `meta` with version and profile.
pub(crate) fn versioned(version: &Version, profile: Option<&str>) -> Object {
    Object::new()
        .with("versionId", version.id.as_str())
        .with(
            "lastUpdated",
            version.updated.map(|updated| updated.to_string()),
        )
        .with("profile", profile.map(|profile| vec![canonical(profile)]))
}

/// The canonical of a JP Core profile.
pub(crate) fn canonical(profile: &str) -> String {
    format!("{PROFILES}{profile}")
}

/// The `meta` of a record.
pub(crate) fn meta(
    record: &ReadRecord,
    version: &Version,
    profile: &str,
    tags: &[Tag],
    sent: Option<&Concept>,
) -> Object {
    let superseded = record.superseded_only.then_some(Tag::SupersededOnly);
    let tags: Vec<Value> = tags
        .iter()
        .chain(&superseded)
        .map(|tag| tag.coding().into())
        .collect();
    versioned(version, Some(profile))
        .with("source", source(record))
        .with(
            "security",
            security(record.meta.sensitivity, sent, &record.meta.facility),
        )
        .with("tag", tags)
}

/// The message a record came from, by its keyed digest.
pub(crate) fn source(record: &ReadRecord) -> String {
    format!("urn:musubi:ingest:{}", record.source)
}

fn security(
    sensitivity: Sensitivity,
    sent: Option<&Concept>,
    facility: &FacilityId,
) -> Vec<Object> {
    let level = match sensitivity {
        Sensitivity::Normal => "N",
        Sensitivity::Restricted | Sensitivity::Untold => "R",
    };
    let untold = (sensitivity == Sensitivity::Untold).then(|| coding(ACT_CODE, "NOPAT"));
    let codings = sent.map(|sent| codings(sent, facility, UNITS));
    std::iter::once(coding(CONFIDENTIALITY, level))
        .chain(untold)
        .chain(codings.into_iter().flatten())
        .collect()
}

/// The beginning of every clinical resource.
pub(crate) fn opening(kind: &str, record: &ReadRecord, meta: Object) -> Object {
    Object::resource(kind)
        .with("id", record.id.to_string())
        .with("meta", meta)
        .with("language", "ja")
}

/// A reference to the patient of a record.
pub(crate) fn patient_of(record: &ReadRecord) -> Object {
    reference("Patient", record.patient)
}

/// A reference to a facility, with its name.
pub(crate) fn organization(facility: &FacilityId, on: &Rendering<'_>) -> Object {
    let name = on
        .network
        .facilities
        .get(facility)
        .map(|known| known.name.as_str());
    reference("Organization", facility).with("display", name)
}

/// A number that a facility gave, in the numbering of its resources.
pub(crate) fn instance(number: &str, record: &ReadRecord, on: &Rendering<'_>) -> Object {
    identifier(super::system::RESOURCE_INSTANCE, number)
        .with("assigner", organization(&record.meta.facility, on))
}

/// The institution and department of a record (JP-CLINS extensions, for resources without an
/// element for either).
pub(crate) fn origin(
    record: &ReadRecord,
    department: Option<&Concept>,
) -> impl Iterator<Item = Value> {
    let facility = &record.meta.facility;
    let number = identifier(INSTITUTION, &facility.to_string());
    let department = department.map(|department| {
        extension(
            OF_DEPARTMENT,
            "valueCodeableConcept",
            concept(department, facility),
        )
    });
    std::iter::once(extension(OF_INSTITUTION, "valueIdentifier", number)).chain(department)
}

/// The first code of a concept, when it is of one HL7 table or of none at all.
pub(crate) fn hl7_code(concept: Option<&Concept>, table: u16) -> Option<&str> {
    let coding = concept?.codings.first()?;
    let fits = coding
        .system
        .as_ref()
        .is_none_or(|system| *system == CodeSystem::Hl7Table(table));
    fits.then_some(coding.code.as_str())
}
