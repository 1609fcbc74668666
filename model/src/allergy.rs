//! Allergies (SS-MIX2 ADT-61 IAM; AL1 of ADT-00 and of orders).

use serde::{Deserialize, Serialize};

use crate::code::Concept;
use crate::person::Staff;
use crate::time::PartialDateTime;

/// Which list an allergy stands in; the order is the order of trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllergySource {
    /// A snapshot inside an order.
    Order,
    /// AL1 of the demographics (ADT-00).
    Demographics,
    /// The allergy list (ADT-61).
    AllergyList,
}

/// An allergy as one current item states it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allergy {
    /// Where it stands.
    pub source: AllergySource,
    /// Type of allergen (IAM-2, HL7 table 0127).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Concept>,
    /// Allergen (IAM-3).
    pub code: Concept,
    /// Severity (IAM-4, HL7 table 0128).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Concept>,
    /// Reactions in words (IAM-5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<String>,
    /// Action as sent (IAM-6, HL7 table 0323): `D` means the facility took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Concept>,
    /// Unique id of the item (IAM-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// Reason of the action (IAM-8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Sensitivity (IAM-9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Concept>,
    /// Onset (IAM-11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<PartialDateTime>,
    /// Onset in words (IAM-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset_text: Option<String>,
    /// Reported (IAM-13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<PartialDateTime>,
    /// Clinical status as sent (IAM-17, HL7 table 0438).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinical: Option<Concept>,
    /// Who confirmed (IAM-18).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asserter: Option<Staff>,
    /// Whatever else the profile's fields hold, as `IAM-14` → text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

impl Allergy {
    /// What makes two statements the same allergy: the item's own id, else type and allergen.
    pub fn key(&self) -> String {
        if let Some(identifier) = &self.identifier {
            return format!("id:{identifier}");
        }
        let kind = self
            .kind
            .as_ref()
            .and_then(Concept::first_code)
            .unwrap_or_default();
        let code = self.code.first_code().unwrap_or_default();
        let text = self.code.text.as_deref().unwrap_or_default();
        format!("{kind}|{code}|{text}")
    }

    /// Whether the facility took the item back (IAM-6 `D`).
    pub fn is_taken_back(&self) -> bool {
        self.action.as_ref().and_then(Concept::first_code) == Some("D")
    }
}
