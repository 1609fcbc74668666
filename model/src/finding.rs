//! What reading noticed in an item: a rule, how bad it is, what follows, and where. A finding never
//! carries content of the item, so it may be logged, counted and shown to operators.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    Info,
    /// Deviates from the standard; read with care.
    Warn,
    /// Something could not be read as it was meant.
    Error,
}

/// What a finding does to the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// The records are published.
    Publish,
    /// The part at the place is left out, the rest is published.
    DropPart,
    /// The item is kept sealed and gives no record.
    Withhold,
}

/// Where in an item: HL7 address and bytes of the original. Ordinals and numbers count from 1;
/// 0 means "not so deep".
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Segment name, e.g. `OBX`; empty when the finding is about the whole item.
    pub segment: String,
    /// Number of the segment in the message (MSH = 1).
    pub ordinal: u32,
    /// Field number (MSH counts its separator as MSH-1).
    pub field: u32,
    /// Repetition of the field.
    pub repetition: u32,
    /// Component of the repetition.
    pub component: u32,
    /// First byte in the original item.
    pub start: u32,
    /// Byte after the last one.
    pub end: u32,
}

/// One thing that reading noticed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// Stable rule id, e.g. `D2014`.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// What follows.
    pub effect: Effect,
    /// Where.
    pub place: Place,
}
