//! What is checked of every file of a storage, whatever it holds. Only a foreign patient, a message
//! that is none, and one that is not for production keep records back.

use jiff::civil::Date;
use model::finding::Place;

use super::Reading;
use super::message::{Field, Message};
use super::segment::moment;
use crate::lint::{self, Findings};
use crate::text;

/// More segments than any stay of a patient gives.
const MOST_SEGMENTS: usize = 50_000;
/// What a segment says of all that follow stands in each of their records; so many bytes of it are
/// enough for them together.
const MOST_REPEATED: usize = 32 << 20;

/// Whether the records would be out of all proportion to the message: a text of 1 MB before ten
/// thousand results would be ten thousand texts.
pub(crate) fn unfolds_too_far(message: &Message) -> bool {
    let said_once = message.segments().filter(|segment| segment.name() != "OBX");
    let longest = said_once.map(|segment| segment.length()).max();
    let count = message.segments().count();
    count > MOST_SEGMENTS || longest.unwrap_or(0).saturating_mul(count) > MOST_REPEATED
}

/// Checks message type, processing id, order number, date and time against the file name.
pub(crate) fn file(reading: &Reading<'_>, findings: &mut Findings) {
    let Some(header) = reading.message.first("MSH") else {
        return;
    };
    let sent = (
        reading.header.message.as_str(),
        reading.header.event.as_str(),
    );
    let expected = reading.file.kind.messages();
    if !expected.is_empty() && !expected.contains(&sent) {
        findings.add(lint::D2004, header.field(9).place());
    }
    if reading.header.processing != "P" {
        findings.add(lint::D2006, header.field(11).place());
    }
    order_number(reading, findings);
    folder_date(reading, findings);
    let sent = header.field(7);
    let distance = day(&sent).map(|day| (reading.file.instant().day() - day).get_days().abs());
    if distance.is_some_and(|days| days > 1) {
        findings.add(lint::D2312, sent.place());
    }
}

/// ORC-2 is the order number of the file name, leading zeros aside.
fn order_number(reading: &Reading<'_>, findings: &mut Findings) {
    let Some(order) = reading
        .message
        .first("ORC")
        .filter(|_| reading.file.kind.has_order_number())
    else {
        return;
    };
    let bare = |text: &str| text.trim_start_matches('0').to_owned();
    let field = order.field(2);
    if field
        .text()
        .is_some_and(|number| bare(&number) != bare(&reading.file.order))
    {
        findings.add(lint::D2310, field.place());
    }
}

/// 診療日 is the date of a field that depends on the kind.
fn folder_date(reading: &Reading<'_>, findings: &mut Findings) {
    let Some((name, number)) = reading.file.kind.date_field() else {
        return;
    };
    let Some(segment) = reading.message.first(name) else {
        return;
    };
    let field = segment.field(number);
    if day(&field)
        .zip(reading.file.date)
        .is_some_and(|(sent, folder)| sent != folder)
    {
        findings.add(lint::D2311, field.place());
    }
}

fn day(field: &Field<'_>) -> Option<Date> {
    moment(&field.text()?).map(|(time, _)| time.date())
}

/// The place of the patient id, or of the whole item when there is none.
pub(crate) fn patient_place(reading: &Message, length: usize) -> Place {
    let whole = Place {
        end: text::offset(length),
        ..Place::default()
    };
    reading
        .first("PID")
        .map_or(whole, |segment| segment.field(3).place())
}
