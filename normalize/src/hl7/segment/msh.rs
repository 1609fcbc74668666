//! MSH: message type, event, processing id. Sender and receiver say nothing that the feed does not
//! say better.

use crate::hl7::message::Message;

/// What the header says about the message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Message type (MSH-9.1), e.g. `ADT`.
    pub(crate) message: String,
    /// Trigger event (MSH-9.2), e.g. `A08`.
    pub(crate) event: String,
    /// Processing id (MSH-11): `P` production.
    pub(crate) processing: String,
}

/// Reads the header.
pub(crate) fn read(message: &Message) -> Header {
    let Some(header) = message.first("MSH") else {
        return Header::default();
    };
    let kind = header.field(9).first();
    let part = |number| {
        kind.as_ref()
            .and_then(|kind| kind.component(number))
            .unwrap_or_default()
    };
    Header {
        message: part(1).trim().to_owned(),
        event: part(2).trim().to_owned(),
        processing: header.field(11).text().unwrap_or_default().into_owned(),
    }
}
