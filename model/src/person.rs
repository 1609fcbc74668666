//! People as messages describe them: names in several writings, sex, address, telephone, staff.

use serde::{Deserialize, Serialize};

/// How a name is written (HL7 table 0465).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Writing {
    /// 漢字 (`I`, FHIR `IDE`)
    #[serde(rename = "I")]
    Ideographic,
    /// カナ (`P`, FHIR `SYL`)
    #[serde(rename = "P")]
    Phonetic,
    /// Latin letters (`A`, FHIR `ABC`)
    #[serde(rename = "A")]
    Alphabetic,
}

/// One writing of a person's name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonName {
    /// Which writing.
    #[serde(rename = "w")]
    pub writing: Writing,
    /// Family name; absent when the sender did not split the name.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Given name.
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
    /// The whole name, family first, one half-width space between.
    #[serde(rename = "t")]
    pub text: String,
    /// The text as sent, when it is shown otherwise (half-width kana are shown full-width).
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub original: Option<String>,
    /// Name type as sent (HL7 table 0200): `L` legal, `M` maiden, `A` alias.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// Administrative sex (HL7 table 0001, FHIR `administrative-gender`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// 男
    Male,
    /// 女
    Female,
    /// その他
    Other,
    /// 不明
    Unknown,
}

/// A postal address (HL7 v2.5 XAD).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The whole address as one text.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Street and other lines.
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// City.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Prefecture.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Postal code as sent.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country as sent.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Use as sent (HL7 table 0190): `H` home, `B` office.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}

/// A telephone number or the like (HL7 v2.5 XTN).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telecom {
    /// The number as sent.
    #[serde(rename = "v")]
    pub value: String,
    /// Whether it came as business number (PID-14).
    #[serde(rename = "w", default)]
    pub work: bool,
    /// Use code as sent (HL7 table 0201), e.g. `PRN`, `EMR`.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub use_code: Option<String>,
    /// Equipment as sent (HL7 table 0202), e.g. `PH`, `CP`, `FX`.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub equipment: Option<String>,
}

/// A member of staff (HL7 v2.5 XCN).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Staff number at the facility.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name, family first.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Kana, when sent.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub kana: Option<String>,
}

/// A place inside a facility (HL7 v2.5 PL).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bed {
    /// Ward, or department for outpatients.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub ward: Option<String>,
    /// Room.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// Bed.
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub bed: Option<String>,
    /// Location type as sent: `N` nursing unit, `C` clinic.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
}
