//! Encounters: outpatient receptions by themselves, inpatient stays joined from their events.

use serde::{Deserialize, Serialize};

use crate::code::Concept;
use crate::person::{Bed, Staff};
use crate::time::PartialDateTime;

/// FHIR `Encounter.class` (v3 `ActCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EncounterClass {
    /// 外来 `AMB`
    #[serde(rename = "AMB")]
    Ambulatory,
    /// 入院 `IMP`
    #[serde(rename = "IMP")]
    Inpatient,
}

/// What the facility said last; an outpatient reception has no end, so whether it is over is for
/// the reader's clock to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncounterStatus {
    /// A reception (ADT-12): `arrived` on its day, `finished` after it.
    Received,
    /// Admitted and not discharged.
    InProgress,
    /// Discharged.
    Finished,
    /// Called off by its own cancel event.
    Cancelled,
    /// A discharge without an admission.
    Unknown,
}

/// A place and when the patient was there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// Ward, room and bed, or department.
    pub bed: Bed,
    /// From; absent when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PartialDateTime>,
    /// Until; absent while there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<PartialDateTime>,
}

/// A contact between patient and facility.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encounter {
    /// Outpatient or inpatient.
    pub class: EncounterClass,
    /// What the facility said last.
    pub status: EncounterStatus,
    /// Start; absent for a discharge without an admission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PartialDateTime>,
    /// End; absent while it lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<PartialDateTime>,
    /// Department (PV1-10, else the file name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Concept>,
    /// Where the patient was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Stay>,
    /// 主治医 (PV1-7, FHIR `ATND`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attending: Vec<Staff>,
    /// 入院時医師 (PV1-17, FHIR `ADM`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admitting: Vec<Staff>,
    /// Discharge disposition (PV1-36, HL7 table 0112).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Concept>,
    /// Order number of the opening event when it is real.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Whatever else the profile's fields hold, as `EVN-4` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

/// What happened (HL7 trigger, as the data kind of a storage says).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// 入院実施 (ADT-22, A01)
    Admission,
    /// 退院実施 (ADT-52, A03)
    Discharge,
}

/// One event of an inpatient stay, before joining. It is stored, never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncounterEvent {
    /// What happened.
    pub kind: EventKind,
    /// Whether the message calls the event off (A11, A13).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cancels: bool,
    /// Order number of the file when it is real.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// 発生日時 of the file, `YYYYMMDDHHMMSSFFF`; orders versions of one event.
    pub version: String,
    /// When it happened (PV1-44 for an admission, PV1-45 for a discharge).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<PartialDateTime>,
    /// Admission time that a discharge names (PV1-44).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted: Option<PartialDateTime>,
    /// What the message says about the stay.
    pub stay: Encounter,
}
