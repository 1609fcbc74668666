//! Demographics of a patient as one facility keeps them (SS-MIX2 ADT-00, HL7 PID).

use serde::{Deserialize, Serialize};

use crate::person::{Address, PersonName, Sex, Telecom};
use crate::time::PartialDateTime;

/// One facility's statement about who the patient is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// The patient's number at the facility, after the feed's identity rules.
    pub local_id: String,
    /// Names, one per writing.
    pub names: Vec<PersonName>,
    /// Birth date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<PartialDateTime>,
    /// Sex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<Address>,
    /// Telephones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub telecoms: Vec<Telecom>,
    /// When the facility last changed the data (PID-33).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<PartialDateTime>,
    /// Whether the statement is taken from an order or a result instead of the facility's own
    /// demographics (there is no ADT-00).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_order: bool,
    /// Whatever else the profile's fields hold, as `PV1-3` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}
