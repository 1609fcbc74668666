//! The name that a storage of the same facility would give a message that was pushed: then both
//! sources of one hospital speak of the same slot and version, and agree.

use jiff::civil::Date;
use model::feed::Feed;
use model::time::Instant;

use super::data_type::DataKind;
use super::path::{FileName, Flag, NO_ORDER, digits};
use crate::hl7::message::{Message, Segment};
use crate::hl7::segment::{moment, msh, pid};

/// Coding systems of RXE-2 and RXE-27 with which only injections are ordered (JAHIS 注射データ交換規約).
const INJECTION: [&str; 3] = ["JHSI0002", "99I02", "JHSI0009"];
/// So many seconds a sender's clock may be ahead.
const CLOCKS_DIFFER: i64 = 600;
/// Coding system of endoscopies in OBR-4.
const ENDOSCOPY: &str = "LENDO";
/// Coding system of physiological examinations in OBR-4.
const PHYSIOLOGY: [&str; 2] = ["JC10", "JLAC10"];

/// Names a message; `received` stands in for a time that it does not tell (MSH-7), or that lies in
/// the future, where nothing could correct it any more. Over a line MSH-9
/// decides about the data kind, where it leaves a choice the coding systems inside. The date of the
/// folder is that of the kind's own field; `None` where the kind has one and the message does not tell
/// it.
pub fn name(bytes: &[u8], feed: &Feed, received: Instant) -> FileName {
    let Ok(message) = Message::parse(bytes, feed.fallback) else {
        return unreadable(received);
    };
    let patient = message.first("PID");
    let patient = patient.and_then(|segment| pid::local_id(&segment, &feed.identity));
    let kind = kind(&message);
    FileName {
        patient: patient.unwrap_or_else(|| "-".to_owned()),
        date: date(&message, &kind),
        order: order(&message, &kind).unwrap_or_else(|| NO_ORDER.to_owned()),
        time: digits(version(&message, received)),
        department: None,
        flag: Flag::Active,
        deviations: Vec::new(),
        kind,
    }
}

/// What can be said of bytes that are no message.
fn unreadable(received: Instant) -> FileName {
    FileName {
        patient: "-".to_owned(),
        date: None,
        kind: DataKind::Other("-".to_owned()),
        order: NO_ORDER.to_owned(),
        time: digits(received),
        department: None,
        flag: Flag::Active,
        deviations: Vec::new(),
    }
}

fn version(message: &Message, received: Instant) -> Instant {
    let sent = message
        .first("MSH")
        .and_then(|header| header.field(7).text());
    let sent = sent.and_then(|sent| Some(moment(&sent)?.0.start()));
    let latest = received.plus_seconds(CLOCKS_DIFFER);
    sent.filter(|sent| *sent <= latest).unwrap_or(received)
}

fn kind(message: &Message) -> DataKind {
    let header = msh::read(message);
    let kinds = DataKind::sent_as(&header.message, &header.event);
    match kinds.as_slice() {
        [] => DataKind::Other(other(&header.message, &header.event)),
        [one] => one.clone(),
        several => several
            .iter()
            .find(|kind| fits(message, kind))
            .or_else(|| several.first())
            .cloned()
            .unwrap_or_else(|| DataKind::Other("-".to_owned())),
    }
}

/// A name for a kind that no storage has, in the characters that a file name may have.
fn other(message: &str, event: &str) -> String {
    let plain = |text: &str| {
        let plain = text.chars().filter(char::is_ascii_alphanumeric);
        plain.take(6).collect::<String>()
    };
    let name = format!("{}-{}", plain(message), plain(event));
    match DataKind::named(&name) {
        DataKind::Other(name) => name,
        // It must not be read again as a kind that it was not sent as.
        _ => format!("X{name}"),
    }
}

/// Whether a message is of this one of the kinds that share its type.
fn fits(message: &Message, kind: &DataKind) -> bool {
    match kind {
        DataKind::Omp02 | DataKind::Omp12 => is_injection(message),
        DataKind::Omp01 | DataKind::Omp11 => !is_injection(message),
        DataKind::Omg02 | DataKind::Omg12 => is_coded(message, "OBR", 4, &[ENDOSCOPY]),
        DataKind::Omg03 => is_coded(message, "OBR", 4, &PHYSIOLOGY),
        _ => false,
    }
}

/// An injection names its kind where a prescription names a drug, or mixes components.
fn is_injection(message: &Message) -> bool {
    is_coded(message, "RXE", 2, &INJECTION)
        || is_coded(message, "RXE", 27, &INJECTION)
        || message.first("RXC").is_some()
}

fn is_coded(message: &Message, segment: &'static str, field: usize, systems: &[&str]) -> bool {
    message.all(segment).any(|segment| {
        segment.field(field).first().is_some_and(|coded| {
            [3, 6]
                .into_iter()
                .filter_map(|part| coded.component(part))
                .any(|system| systems.contains(&system.trim()))
        })
    })
}

fn date(message: &Message, kind: &DataKind) -> Option<Date> {
    let (segment, field) = kind.date_field()?;
    let segment = message.first(segment)?;
    moment(&segment.field(field).text()?).map(|(time, _)| time.date())
}

/// The order number as a storage pads it (ORC-2, 15 digits). Diagnoses may have one, when all of a
/// message share it.
fn order(message: &Message, kind: &DataKind) -> Option<String> {
    let number = message.first("ORC")?.field(2).text()?;
    let same = |segment: Segment<'_>| segment.field(2).text().as_ref() == Some(&number);
    let is_one = *kind == DataKind::Ppr01 && message.all("ORC").all(same);
    if !kind.has_order_number() && !is_one {
        return None;
    }
    let number = number.trim();
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let usable = !number.is_empty() && number != "-" && plain(number);
    usable.then(|| format!("{number:0>width$}", width = NO_ORDER.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::feed;

    /// 2026-11-21T00:00:00+09:00
    const RECEIVED: Instant = Instant(1_795_186_800_000_000);

    #[track_caller]
    fn check(message: &str, expected: &str) {
        let message = message.replace('\n', "\r");
        let name = name(message.as_bytes(), &feed(), RECEIVED);
        assert_eq!(name.without_flag(), expected);
    }

    const HEAD: &str = "MSH|^~\\&|HIS||MUSUBI||20240510103046.984||";
    const PID: &str = "P|2.5\nPID|0001||0000123456^^^^PI\n";

    #[test]
    fn an_order_is_named_by_its_number_and_the_day_it_was_entered() {
        check(
            &format!(
                "{HEAD}RDE^O11^RDE_O11|1|{PID}ORC|NW|24000123|||||||20240509\nRXE||620001^薬^HOT9"
            ),
            "0000123456_20240509_OMP-01_000000024000123_20240510103046984_-",
        );
        check(
            &format!(
                "{HEAD}RDE^O11^RDE_O11|1|{PID}ORC|NW|24000123|||||||20240509\nRXE||00^一般^JHSI0002"
            ),
            "0000123456_20240509_OMP-02_000000024000123_20240510103046984_-",
        );
        check(
            &format!("{HEAD}OUL^R22^OUL_R22|1|{PID}SPM|1||||||||||||||||20240508\nOBR|1\nORC|SC|7"),
            "0000123456_20240508_OML-11_000000000000007_20240510103046984_-",
        );
    }

    #[test]
    fn an_event_is_named_by_its_day_and_a_list_by_none() {
        check(
            &format!(
                "{HEAD}ADT^A01^ADT_A01|1|{PID}PV1|1|I{}20240501",
                "|".repeat(42)
            ),
            "0000123456_20240501_ADT-22_999999999999999_20240510103046984_-",
        );
        check(
            &format!("{HEAD}ADT^A08^ADT_A01|1|{PID}"),
            "0000123456_-_ADT-00_999999999999999_20240510103046984_-",
        );
        check(
            &format!("{HEAD}ADT^A11^ADT_A09|1|{PID}PV1|1|I"),
            "0000123456_-_ADT-22_999999999999999_20240510103046984_-",
        );
    }

    #[test]
    fn what_no_storage_holds_has_a_kind_of_its_own() {
        check(
            &format!("{HEAD}ADT^A40^ADT_A39|1|{PID}"),
            "0000123456_-_ADT-A40_999999999999999_20240510103046984_-",
        );
        check(
            &format!("{HEAD}OMP^01|1|{PID}"),
            "0000123456_-_XOMP-01_999999999999999_20240510103046984_-",
        );
        check("no message", "-_-_-_999999999999999_20261121000000000_-");
    }

    #[test]
    fn a_time_in_the_future_is_that_of_the_arrival() {
        let head = HEAD.replace("20240510103046.984", "20990101");
        check(
            &format!("{head}ADT^A08^ADT_A01|1|{PID}"),
            "0000123456_-_ADT-00_999999999999999_20261121000000000_-",
        );
    }

    #[test]
    fn a_name_can_be_read_again() {
        let message = format!("{HEAD}ADT^A08^ADT_A01|1|{PID}").replace('\n', "\r");
        let name = name(message.as_bytes(), &feed(), RECEIVED);
        let again = super::super::path::parse(&format!("{}_1", name.without_flag()));
        assert!(again.ok().unwrap() == name);
    }
}
