//! Results: laboratory values and body measurements (SS-MIX2 OML-11, ADT-00; HL7 OBX).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::code::Concept;
use crate::person::Staff;
use crate::quantity::{Quantity, Range};
use crate::time::PartialDateTime;

/// FHIR category of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObservationCategory {
    /// 検体検査
    Laboratory,
    /// 身長, 体重
    BodyMeasurement,
    /// 血液型 and others in ADT-00
    Exam,
}

/// FHIR `Observation.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObservationStatus {
    /// OBX-11 R, I, O
    Registered,
    /// OBX-11 P, S
    Preliminary,
    /// OBX-11 F, U
    Final,
    /// OBX-11 C
    Corrected,
    /// OBX-11 X, N
    Cancelled,
    /// OBX-11 D, W
    EnteredInError,
}

/// A result's value, in the form that its data type and text allow.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// A number, perhaps with a comparator.
    Quantity(Quantity),
    /// From low to high.
    Range(Range),
    /// A ratio such as `1:320`, in words of numerator and denominator.
    Ratio(Quantity, Quantity),
    /// A coded value.
    Concept(Concept),
    /// Text.
    Text(String),
    /// A date or time.
    Time(PartialDateTime),
}

/// What is normal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceRange {
    /// As sent (OBX-7).
    pub text: String,
    /// The limits, when the text is plainly numeric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Range>,
}

/// The material (HL7 v2.5 SPM).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Specimen {
    /// Specimen number (SPM-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Material (SPM-4, else OBR-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub material: Option<Concept>,
    /// Body site (SPM-8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Concept>,
    /// Collected (SPM-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<PartialDateTime>,
    /// Received (SPM-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<PartialDateTime>,
    /// Whatever else the profile's fields hold, as `SPM-5` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

/// The order and the report that a laboratory result belongs to (HL7 v2.5 OBR, ORC).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Order number (OBR-2, else ORC-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placer: Option<String>,
    /// Filler number (OBR-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filler: Option<String>,
    /// Set of tests (OBR-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Concept>,
    /// Collected (OBR-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected: Option<PartialDateTime>,
    /// Ordering doctor (OBR-16, else ORC-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Staff>,
    /// Reported (OBR-22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<PartialDateTime>,
    /// Department (ORC-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Concept>,
    /// Parent result (OBR-26), in the sender's words: ties a susceptibility to its organism.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Whatever else the profile's fields hold, as `OBR-25` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

/// One result.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Laboratory, or measurement.
    pub category: ObservationCategory,
    /// Where it stands.
    pub status: ObservationStatus,
    /// What was measured (OBX-3).
    pub code: Concept,
    /// Sub-id that pairs lines (OBX-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_id: Option<String>,
    /// The value; absent when there is none (yet).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// OBX-5 as sent, when the value is shown otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// What is normal (OBX-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<ReferenceRange>,
    /// Flags as sent (OBX-8, HL7 table 0078).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// When it was true of the patient (OBX-14, else OBR-7, else SPM-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<PartialDateTime>,
    /// When it was made known (OBX-19, OBR-22; EVN-2 for body measurements).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<PartialDateTime>,
    /// The material of a laboratory result; results that are read together may share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specimen: Option<Arc<Specimen>>,
    /// The report of a laboratory result; results that are read together may share it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Arc<Report>>,
    /// Remarks (NTE).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whatever else the profile's fields hold, as `OBX-15` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}
