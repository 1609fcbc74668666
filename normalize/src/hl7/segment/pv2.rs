//! PV2: planned times and places (SS-MIX2 options `1C 8C 9C 47O`). Plans make no encounter; they
//! are kept with the event that carries them.

use super::{Other, keep, unread};
use crate::hl7::message::Message;
use crate::lint::Findings;

/// Keeps the fields of the first PV2.
pub(crate) fn read(message: &Message, other: &mut Other, findings: &mut Findings) {
    if let Some(segment) = message.first("PV2") {
        unread(&segment, &[1, 8, 9, 47], findings);
        keep(&segment, &[1, 8, 9, 47], other);
    }
}
