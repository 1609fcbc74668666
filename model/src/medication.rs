//! Prescriptions and injections as ordered (SS-MIX2 OMP-01, OMP-02; HL7 RDE^O11).

use serde::{Deserialize, Serialize};

use crate::code::Concept;
use crate::person::{Bed, Staff};
use crate::quantity::{Decimal, Quantity};
use crate::time::PartialDateTime;

/// Which kind of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MedicationKind {
    /// 処方
    Prescription,
    /// 注射
    Injection,
}

/// FHIR `MedicationRequest.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MedicationStatus {
    /// ORC-1 NW and others
    Active,
    /// ORC-1 HD
    OnHold,
    /// ORC-1 CA, OC, CR
    Cancelled,
    /// ORC-1 DC, OD
    Stopped,
}

/// What every order says about itself (HL7 v2.5 ORC).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderHead {
    /// Order number (ORC-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placer: Option<String>,
    /// Filler number (ORC-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filler: Option<String>,
    /// Group number as sent (ORC-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Time of the transaction (ORC-9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_at: Option<PartialDateTime>,
    /// Entered by (ORC-10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered_by: Option<Staff>,
    /// Ordering doctor (ORC-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requester: Option<Staff>,
    /// Department (ORC-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Concept>,
    /// Inpatient or outpatient order (ORC-29, HL7 table 0482).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Concept>,
    /// Whatever else the profile's fields hold, as `ORC-13` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

/// One drug of a mixture (HL7 v2.5 RXC).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ingredient {
    /// Base (`B`) or additive (`A`).
    pub base: bool,
    /// Drug.
    pub drug: Concept,
    /// Amount with unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Quantity>,
    /// Whatever else the profile's fields hold, as `RXC-7` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

/// When and how often (HL7 v2.5 TQ1).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Usage code and text of the sender (first TQ1-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Concept>,
    /// Further repetitions of TQ1-3: weekdays, alternate days, uneven doses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional: Vec<Concept>,
    /// Text decoded from the code because the sender gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded: Option<String>,
    /// Amount per occasion (TQ1-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Quantity>,
    /// Days, when the duration is in days (TQ1-6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Decimal>,
    /// Duration as sent, when it is not in days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_text: Option<String>,
    /// Start (TQ1-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PartialDateTime>,
    /// End (TQ1-8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<PartialDateTime>,
    /// Condition in words (TQ1-11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Number of occasions, 頓用 (TQ1-14).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Decimal>,
    /// Whatever else the profile's fields hold, as `TQ1-12` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

/// Which way into the body (HL7 v2.5 RXR).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Route (RXR-1, HL7 table 0162).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Concept>,
    /// Site (RXR-2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Concept>,
    /// Device (RXR-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Concept>,
    /// Method (RXR-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Concept>,
    /// Line (RXR-5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<Concept>,
    /// Site modifier (RXR-6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site_modifier: Option<Concept>,
}

/// One ordered drug, or one ordered mixture.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MedicationRequest {
    /// Prescription or injection.
    pub kind: MedicationKind,
    /// Where it stands.
    pub status: MedicationStatus,
    /// The order.
    pub order: OrderHead,
    /// RP number without leading zeros.
    pub rp_number: String,
    /// Position inside the RP, from 1.
    pub order_in_rp: u32,
    /// Administration sequence, the third part of ORC-4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<String>,
    /// Drug (RXE-2 and RXE-31); for an injection the kind of injection.
    pub drug: Concept,
    /// Drugs of a mixture, base first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ingredients: Vec<Ingredient>,
    /// Dose per occasion (RXE-3), total volume of an injection; absent when the sender wrote `""`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dose: Option<Quantity>,
    /// Greatest dose per occasion (RXE-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dose_max: Option<Quantity>,
    /// Amount per day (RXE-19).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_day: Option<Quantity>,
    /// Rate of an infusion (RXE-23, RXE-24).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Quantity>,
    /// Time unit of the rate (RXE-22).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_per: Option<String>,
    /// Total to dispense (RXE-10, RXE-11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispense: Option<Quantity>,
    /// Refills (RXE-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refills: Option<Decimal>,
    /// Form (RXE-6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Concept>,
    /// Instructions (RXE-7).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub instructions: Vec<Concept>,
    /// Prescription number (RXE-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prescription_number: Option<String>,
    /// Categories (RXE-21): 院内, 院外, 定期, 臨時.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Concept>,
    /// 内服, 頓用, 外用 (RXE-27).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dosage_class: Option<Concept>,
    /// Strength (RXE-25, RXE-26).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<Quantity>,
    /// Original order time (RXE-32).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_at: Option<PartialDateTime>,
    /// Timing; usually one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usages: Vec<Usage>,
    /// Ways of administration; usually one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Where the order is delivered or given (RXE-42, PV1-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliver_to: Option<Bed>,
    /// Remarks (NTE).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whatever else the profile's fields hold, as `RXE-13` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}
