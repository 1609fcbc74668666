//! Codes: a code means something only together with its system.

use serde::{Deserialize, Serialize};

/// A code system that messages name in CWE.3 and CWE.6.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeSystem {
    /// MEDIS HOT drug master, 7 digits.
    Hot7,
    /// MEDIS HOT drug master, 9 digits.
    Hot9,
    /// MEDIS HOT drug master, 13 digits.
    Hot13,
    /// 個別医薬品コード (YJ), 12 characters.
    Yj,
    /// レセプト電算処理 drug code, 9 digits beginning with 6.
    ClaimsDrug,
    /// JLAC10 laboratory code, 17 characters.
    Jlac10,
    /// JLAC11 laboratory code, 17 characters.
    Jlac11,
    /// ICD-10 without dot; edition 2013 unless the record says otherwise.
    Icd10,
    /// MEDIS 病名管理番号.
    DiseaseNumber,
    /// MEDIS 病名交換用コード.
    DiseaseExchange,
    /// MEDIS 修飾語管理番号.
    ModifierNumber,
    /// MEDIS 修飾語交換用コード.
    ModifierExchange,
    /// JAMI 標準用法 16 digits.
    JamiUsage,
    /// JAMI 補足用法 8 characters.
    JamiAdditionalUsage,
    /// JAMI 外用部位 3 characters.
    JamiBodySite,
    /// MERIT-9 units, forms and categories.
    Merit9,
    /// ISO+ units.
    IsoPlus,
    /// SS-MIX2統一診療科コード (user table 0069).
    Department,
    /// An HL7 table, by number.
    Hl7Table(u16),
    /// A JAHIS table such as `JHSP0003`.
    Jahis(String),
    /// JAHIS radiology common items and blood groups.
    Jshr(String),
    /// JANIS organisms and drugs.
    Janis,
    /// LOINC.
    Loinc,
    /// A facility's own table; means something only together with the facility.
    Local(String),
    /// Any other name, as sent.
    Other(String),
}

impl CodeSystem {
    /// The system that a message names, e.g. `JC10`, `HL70162`, `99XYZ` (HL7 v2.5 CWE.3).
    pub fn named(name: &str) -> Self {
        match name.trim() {
            "HOT7" => Self::Hot7,
            "HOT9" | "HOT" => Self::Hot9,
            "HOT13" => Self::Hot13,
            "YJ" | "MYAK" => Self::Yj,
            "JC10" | "JLAC10" => Self::Jlac10,
            "JC11" | "JLAC11" => Self::Jlac11,
            "I10" | "ICD10" | "I10P" => Self::Icd10,
            "MDCDX2" => Self::DiseaseNumber,
            "JAMISDP01" => Self::JamiUsage,
            "MR9P" => Self::Merit9,
            "ISO+" => Self::IsoPlus,
            "HL70069" => Self::Department,
            "JANIS" => Self::Janis,
            "LN" => Self::Loinc,
            other => Self::patterned(other),
        }
    }

    fn patterned(name: &str) -> Self {
        let table = name.strip_prefix("HL7").filter(|digits| digits.len() == 4);
        if let Some(number) = table.and_then(|digits| digits.parse().ok()) {
            Self::Hl7Table(number)
        } else if name.starts_with("99") {
            Self::Local(name.to_owned())
        } else if name.starts_with("JHS") {
            Self::Jahis(name.to_owned())
        } else if name.starts_with("JSHR") {
            Self::Jshr(name.to_owned())
        } else {
            Self::Other(name.to_owned())
        }
    }

    /// Whether codes of this system mean the same at every facility.
    pub const fn is_standard(&self) -> bool {
        !matches!(self, Self::Local(_) | Self::Other(_))
    }
}

/// A code of a system.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coding {
    /// The system; absent when the sender named none.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub system: Option<CodeSystem>,
    /// The code as sent.
    #[serde(rename = "c")]
    pub code: String,
    /// The sender's text for this code.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

/// What is meant, in any number of codings and the sender's words (FHIR `CodeableConcept`).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concept {
    /// Standard codings first.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub codings: Vec<Coding>,
    /// The sender's words.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Concept {
    /// A concept of words only.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            codings: Vec::new(),
            text: Some(text.into()),
        }
    }

    /// Whether nothing was said at all.
    pub fn is_empty(&self) -> bool {
        self.codings.is_empty() && self.text.is_none()
    }

    /// The code in one system, if there is one.
    pub fn code_in(&self, system: &CodeSystem) -> Option<&str> {
        self.codings
            .iter()
            .find(|coding| coding.system.as_ref() == Some(system))
            .map(|coding| coding.code.as_str())
    }

    /// The first code, whatever its system.
    pub fn first_code(&self) -> Option<&str> {
        self.codings.first().map(|coding| coding.code.as_str())
    }
}
