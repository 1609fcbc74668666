//! XAD, XTN and PL: addresses, telephones, places inside a facility.

use model::person::{Address, Bed, Telecom};

use super::{trimmed, unread};
use crate::hl7::message::{Field, Repetition};
use crate::lint::{self, Findings};

/// Reads addresses, one a repetition.
pub(crate) fn xad(field: &Field<'_>, findings: &mut Findings) -> Vec<Address> {
    let addresses = field
        .repetitions()
        .map(|repetition| address(&repetition, findings));
    addresses
        .filter(|address| *address != Address::default())
        .collect()
}

fn address(repetition: &Repetition<'_>, findings: &mut Findings) -> Address {
    let part = |component| trimmed(repetition, component);
    // A postal code written as `980^0000` moves everything behind it by one.
    let digits = |component: usize, count: usize| {
        part(component).is_some_and(|text| {
            text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let shift = usize::from(digits(5, 3) && digits(6, 4));
    let postal_code = if shift == 1 {
        findings.add(lint::D2019, repetition.place_of(5));
        part(5)
            .zip(part(6))
            .map(|(first, second)| format!("{first}-{second}"))
    } else {
        part(5)
    };
    unread(repetition, &[1, 2, 3, 4, 5, 6, 7, 8, 8 + shift], findings);
    Address {
        text: part(8 + shift),
        lines: [1, 2].into_iter().filter_map(part).collect(),
        city: part(3),
        state: part(4),
        postal_code,
        country: part(6 + shift),
        kind: part(7 + shift),
    }
}

/// Reads telephones, one a repetition. The number stands in component 12, with senders of other
/// profiles in 1, or in 6 and 7; an e-mail address in 4.
pub(crate) fn xtn(field: &Field<'_>, work: bool, findings: &mut Findings) -> Vec<Telecom> {
    field
        .repetitions()
        .filter_map(|repetition| telecom(&repetition, work, findings))
        .collect()
}

fn telecom(repetition: &Repetition<'_>, work: bool, findings: &mut Findings) -> Option<Telecom> {
    let source = [12, 1, 7, 4]
        .into_iter()
        .find(|component| trimmed(repetition, *component).is_some());
    let value = source.and_then(|component| trimmed(repetition, component));
    let area = trimmed(repetition, 6).filter(|_| source == Some(7));
    let read = [
        source.unwrap_or(2),
        2,
        3,
        if area.is_some() { 6 } else { 2 },
    ];
    unread(repetition, &read, findings);
    let value = match (area, value) {
        (Some(area), Some(local)) => Some(format!("{area}-{local}")),
        (_, value) => value,
    };
    let (use_code, equipment) = (trimmed(repetition, 2), trimmed(repetition, 3));
    if value.is_none() && (use_code.is_some() || equipment.is_some()) {
        findings.add(lint::D2017, repetition.place());
    }
    Some(Telecom {
        value: value?,
        work,
        use_code,
        equipment,
    })
}

/// Reads a place inside a facility.
pub(crate) fn pl(repetition: &Repetition<'_>, findings: &mut Findings) -> Option<Bed> {
    unread(repetition, &[1, 2, 3, 6], findings);
    let part = |component| trimmed(repetition, component);
    let bed = Bed {
        ward: part(1),
        room: part(2),
        bed: part(3),
        kind: part(6),
    };
    (bed != Bed::default()).then_some(bed)
}
