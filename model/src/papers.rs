//! What people decided on paper: consents, withdrawals, and what follows from them.

pub mod csv;
mod form;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::id::{FacilityId, LocalPatientId};
use crate::person::Sex;
use crate::record::{Categories, Sensitivity};
use crate::time::Instant;

pub use form::Unreadable;

/// The number of a consent form: 1 to 32 letters, digits or hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConsentNo(String);

/// Why a text is not a consent number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a consent number has 1 to 32 letters, digits or hyphens")]
pub struct InvalidConsentNo;

impl FromStr for ConsentNo {
    type Err = InvalidConsentNo;

    fn from_str(text: &str) -> Result<Self, InvalidConsentNo> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if text.is_empty() || text.len() > 32 || !text.bytes().all(allowed) {
            return Err(InvalidConsentNo);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ConsentNo {
    type Error = InvalidConsentNo;

    fn try_from(text: String) -> Result<Self, InvalidConsentNo> {
        text.parse()
    }
}

impl From<ConsentNo> for String {
    fn from(number: ConsentNo) -> Self {
        number.0
    }
}

impl fmt::Display for ConsentNo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// All facilities, or some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Facilities {
    /// Every facility of the network, also one that joins later (`*`).
    All,
    /// Exactly these.
    Only(BTreeSet<FacilityId>),
}

impl Facilities {
    /// Whether the facility is meant.
    pub fn contains(&self, facility: &FacilityId) -> bool {
        match self {
            Self::All => true,
            Self::Only(facilities) => facilities.contains(facility),
        }
    }
}

/// A consent form (同意書) as the secretariat entered it. One consent = whose data × who looks ×
/// categories × period.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentPaper {
    /// Number of the form.
    pub consent_no: ConsentNo,
    /// Which form of the network's regulation, e.g. `C-1`.
    pub form: String,
    /// Version of the form.
    pub form_version: String,
    /// Day of the signature.
    pub signed_on: Date,
    /// Who signed.
    pub signer: String,
    /// Relation of the signer to the patient; `self` (本人) or a proxy's.
    pub relation: String,
    /// The patient's name in kana.
    pub kana: String,
    /// The patient's birth date.
    pub birth_date: Date,
    /// The patient's sex.
    pub sex: Sex,
    /// The patient's numbers at facilities.
    pub local_ids: Vec<LocalPatientId>,
    /// Whose data.
    pub sources: Facilities,
    /// Who looks.
    pub readers: Facilities,
    /// Which categories.
    pub categories: Categories,
    /// First day.
    pub from: Date,
    /// Last day; open when absent.
    pub to: Option<Date>,
    /// Who explained the form.
    pub explained_by: String,
    /// Where the original is kept.
    pub kept_at: String,
}

/// A withdrawal form (同意撤回書). Incomplete papers stop viewing at once and delete when complete.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithdrawalPaper {
    /// The consent that ends.
    pub consent_no: ConsentNo,
    /// Day of the withdrawal.
    pub withdrawn_on: Option<Date>,
    /// Who signed.
    pub signer: Option<String>,
    /// Relation of the signer to the patient.
    pub relation: Option<String>,
    /// How the signer's identity was checked.
    pub identity_check: Option<String>,
}

impl WithdrawalPaper {
    /// Whether everything is there that deletion asks for.
    pub fn is_complete(&self) -> bool {
        let given =
            |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
        self.withdrawn_on.is_some()
            && given(&self.signer)
            && given(&self.relation)
            && given(&self.identity_check)
    }
}

/// Where a consent stands. Only `Active` opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Entered, not yet checked.
    Signed = 1,
    /// Checked and in force.
    Active = 2,
    /// Withdrawn; nothing opens.
    Withdrawn = 3,
    /// Withdrawn or expired, and its data erased.
    Erased = 4,
    /// Ended by the regulation, because nobody looked at the data any more; nothing opens.
    Expired = 5,
}

/// Whether the facility's own demographics agree with the papers about a local id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkState {
    /// Not yet compared: nothing is readable.
    Unproved = 0,
    /// Birth date and name agree.
    Proved = 1,
    /// They disagree: closed, a person must look.
    Disagrees = 2,
}

/// What follows from all papers of one patient for one reader and one source: the only thing that
/// opens a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectiveGrant {
    /// Who looks.
    pub reader: FacilityId,
    /// Whose data.
    pub source: FacilityId,
    /// Which categories.
    pub categories: Categories,
    /// Up to which sensitivity.
    pub sensitivity_max: Sensitivity,
    /// From when on the grant holds.
    pub valid_from: Instant,
    /// Until when it holds (exclusive).
    pub valid_to: Instant,
    /// Earliest occurrence that is shown.
    pub window_from: Instant,
    /// Latest occurrence that is shown (exclusive).
    pub window_to: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gov_nine_two_incomplete_withdrawals_are_known_as_such() {
        let mut paper = WithdrawalPaper {
            consent_no: "C-0001".parse().unwrap(),
            withdrawn_on: "2026-04-01".parse().ok(),
            signer: Some("見本".to_owned()),
            relation: Some("self".to_owned()),
            identity_check: None,
        };
        assert!(!paper.is_complete());
        paper.identity_check = Some(" ".to_owned());
        assert!(!paper.is_complete());
        paper.identity_check = Some("driver's licence".to_owned());
        assert!(paper.is_complete());
    }

    #[test]
    fn consent_numbers_are_short_and_plain() {
        assert!("C-2026-0001".parse::<ConsentNo>().is_ok());
        for wrong in [
            "",
            "a b",
            "同意",
            "x/../y",
            "123456789012345678901234567890123",
        ] {
            assert!(wrong.parse::<ConsentNo>().is_err(), "{wrong}");
        }
    }
}
