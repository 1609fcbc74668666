//! Identifiers. Every one is a type of its own, made by one `parse` or by the store.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};

use crate::phi::Phi;
use crate::text_form::stored_as_text;

/// Why a text is not an identifier of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct InvalidId(&'static str);

/// A facility's ten digits: prefecture (2), fee table (1), institution number (7).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FacilityId(u64);

impl FacilityId {
    /// The code as a number; the database's form of it.
    pub fn number(&self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The facility behind a number made by [`FacilityId::number`].
    pub fn from_number(number: i64) -> Result<Self, InvalidId> {
        match u64::try_from(number) {
            Ok(number) if number < 10_000_000_000 => Ok(Self(number)),
            _ => Err(InvalidId("facility code")),
        }
    }
}

impl FromStr for FacilityId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidId("facility code"));
        }
        text.parse()
            .map(Self)
            .map_err(|_| InvalidId("facility code"))
    }
}

impl fmt::Display for FacilityId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:010}", self.0)
    }
}

stored_as_text!(FacilityId);

/// A patient's number at one facility, as the facility sends it (leading zeros count).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalPatientId {
    /// The facility that gave the number.
    pub facility: FacilityId,
    /// The number as text, after the feed's identity rules.
    pub id: Phi<String>,
}

impl LocalPatientId {
    /// A number of one to fifteen ASCII letters, digits or hyphens (SS-MIX2 patient id).
    pub fn parse(facility: FacilityId, id: &str) -> Result<Self, InvalidId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if id.is_empty() || id.len() > 15 || !id.bytes().all(allowed) {
            return Err(InvalidId("local patient id"));
        }
        Ok(Self {
            facility,
            id: Phi::new(id.to_owned()),
        })
    }
}

/// The store's own number of a patient; it never leaves the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatientNumber(pub i64);

static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification
        .symbols
        .push_str("abcdefghijklmnopqrstuvwxyz234567");
    specification
        .encoding()
        .unwrap_or(data_encoding::BASE32_NOPAD)
});

/// Sixteen bytes written as 26 lower-case base32 characters.
macro_rules! public_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&BASE32.encode(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let bytes = BASE32.decode(text.as_bytes()).map_err(|_| InvalidId($what))?;
                bytes.try_into().map(Self).map_err(|_| InvalidId($what))
            }
        }
    };
}

public_id!(
    /// A patient's public id: random, given when the first paper introduces the person.
    PatientId,
    "patient id"
);

public_id!(
    /// A record's public id: one AES block over patient number and record key, so that it decodes
    /// without an index and tells nothing to who does not hold the key.
    RecordId,
    "record id"
);

/// What identifies a record inside its patient: the first eight bytes of a keyed digest over
/// facility, kind and source key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKey(pub i64);

/// A person's number in the office database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facility_codes_are_ten_digits() {
        assert_eq!(
            "1319999901".parse::<FacilityId>().unwrap().to_string(),
            "1319999901"
        );
        assert_eq!(
            "0119999901".parse::<FacilityId>().unwrap().to_string(),
            "0119999901"
        );
        for wrong in [
            "",
            "131999990",
            "13199999011",
            "131999990a",
            "１３１９９９９９０１",
        ] {
            assert!(wrong.parse::<FacilityId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn local_ids_keep_their_zeros_and_refuse_paths() {
        let facility: FacilityId = "1319999901".parse().unwrap();
        let id = LocalPatientId::parse(facility.clone(), "0000123456").unwrap();
        assert_eq!(id.id.reveal(), "0000123456");
        for wrong in ["", "../etc", "1234567890123456", "12 34", "患者"] {
            assert!(
                LocalPatientId::parse(facility.clone(), wrong).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn public_ids_are_26_characters_and_come_back() {
        let id = RecordId([0xa5; 16]);
        let text = id.to_string();
        assert_eq!(text.len(), 26);
        assert_eq!(text.parse::<RecordId>().unwrap(), id);
        assert!("short".parse::<RecordId>().is_err());
    }
}
