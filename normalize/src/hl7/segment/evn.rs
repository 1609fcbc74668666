//! EVN: when an ADT event was recorded and when it happened (SS-MIX2 options `2R 3C 4O 5O 6C 7RE`).

use model::time::PartialDateTime;

use super::{Other, keep, require, ts, unread};
use crate::hl7::message::Message;
use crate::lint::{self, Findings};

/// What EVN says.
#[derive(Default)]
pub(crate) struct Event {
    /// When it was recorded (EVN-2).
    pub(crate) recorded: Option<PartialDateTime>,
    /// When it happened (EVN-6).
    pub(crate) occurred: Option<PartialDateTime>,
    /// The rest.
    pub(crate) other: Other,
}

/// Reads the first EVN. EVN-1 repeats the trigger event and must agree with it.
pub(crate) fn read(message: &Message, trigger: &str, findings: &mut Findings) -> Event {
    let Some(segment) = message.first("EVN") else {
        return Event::default();
    };
    require(&segment, &[2], findings);
    unread(&segment, &[1, 2, 3, 4, 5, 6, 7], findings);
    let repeated = segment.field(1);
    if repeated.has_content() && repeated.text().as_deref() != Some(trigger) {
        findings.add(lint::D2015, repeated.place());
    }
    let mut other = Other::new();
    keep(&segment, &[3, 4, 5, 7], &mut other);
    Event {
        recorded: ts(&segment.field(2), findings),
        occurred: ts(&segment.field(6), findings),
        other,
    }
}
