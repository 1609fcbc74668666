//! Diagnoses (SS-MIX2 PPR-01, HL7 PRB and JAHIS ZPR).

use serde::{Deserialize, Serialize};

use crate::code::Concept;
use crate::person::Staff;
use crate::time::PartialDateTime;

/// FHIR `Condition.clinicalStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClinicalStatus {
    /// 継続中
    Active,
    /// No longer in the facility's list, without an outcome.
    Inactive,
    /// 転帰あり
    Resolved,
}

/// FHIR `Condition.verificationStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerificationStatus {
    /// 確定
    Confirmed,
    /// 疑い
    Provisional,
    /// PRB-1 DE
    EnteredInError,
}

/// A diagnosis.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Disease in the facility's words, with 病名管理番号, ICD-10, 交換用コード.
    pub code: Concept,
    /// Prefix modifiers in order (ZPR-1, ZPR-4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefixes: Vec<Concept>,
    /// Suffix modifiers in order (ZPR-3, ZPR-6).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suffixes: Vec<Concept>,
    /// Where it stands.
    pub clinical: ClinicalStatus,
    /// How sure.
    pub verification: VerificationStatus,
    /// Identifier of the diagnosis in the facility (PRB-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// 診断日 (PRB-7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<PartialDateTime>,
    /// 発症日 (PRB-16).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<PartialDateTime>,
    /// Onset in words (PRB-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset_text: Option<String>,
    /// 転帰日 (PRB-9, else PRB-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abatement: Option<PartialDateTime>,
    /// Expected end (PRB-8); not an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_end: Option<PartialDateTime>,
    /// 転帰 (PRB-14, HL7 table 0241).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Concept>,
    /// 主診断 or 副診断 (PRB-18, JHSD0007).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<Concept>,
    /// Edition of ICD-10 (component 7 of PRB-10): `2003` or `2013`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icd_edition: Option<String>,
    /// Kind of diagnosis (components 4 to 6 of PRB-10, JHSD0004).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<Concept>,
    /// Confidentiality as sent (PRB-25, HL7 table 0177).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Concept>,
    /// Remarks: ZPR-7 and others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Diagnosing doctor (ORC-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorder: Option<Staff>,
    /// Department (ORC-17).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department: Option<Concept>,
    /// Whatever else the profile's fields hold, as `PRB-2` → text, so that nothing is lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}
