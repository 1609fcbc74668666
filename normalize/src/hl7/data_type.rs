//! Data types of HL7 v2.5 §2.A as Japanese messages fill them. Each reader takes what it knows and
//! makes a finding of what it leaves.

mod contact;
mod cq;
mod cwe;
mod name;
mod number;
mod time;

pub(crate) use contact::{pl, xad, xtn};
pub(crate) use cq::{cq, nested_or_flat};
use cwe::coded;
pub(crate) use cwe::{cwe, triplets};
pub(crate) use name::{xcn, xpn};
pub(crate) use number::{decimal, nm};
pub(crate) use time::{moment, ts};

use super::message::{Field, Repetition};
use crate::lint::{self, Findings};

/// The only repetition of a field that may not repeat; further ones are found.
pub(crate) fn single<'m>(field: &Field<'m>, findings: &mut Findings) -> Option<Repetition<'m>> {
    let mut repetitions = field.repetitions();
    let first = repetitions.next();
    for further in repetitions {
        if !further.raw().is_empty() {
            findings.add(lint::D2016, further.place());
        }
    }
    first
}

/// The only component of a field that has one, without blanks around it; what else stands there is
/// found.
pub(crate) fn plain(field: &Field<'_>, findings: &mut Findings) -> Option<String> {
    let repetition = single(field, findings)?;
    unread(&repetition, &[1], findings);
    trimmed(&repetition, 1)
}

/// A component without blanks around it.
pub(crate) fn trimmed(repetition: &Repetition<'_>, component: usize) -> Option<String> {
    repetition
        .component(component)
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
}

/// Finds the components that have content and are not among those read.
pub(crate) fn unread(repetition: &Repetition<'_>, read: &[usize], findings: &mut Findings) {
    for component in repetition
        .filled()
        .filter(|component| !read.contains(component))
    {
        findings.add(lint::D2017, repetition.place_of(component));
    }
}

/// Finds a component whose value is not one of those that mean nothing more.
pub(crate) fn expect(
    repetition: &Repetition<'_>,
    component: usize,
    values: &[&str],
    findings: &mut Findings,
) {
    let sent = repetition.component(component).unwrap_or_default();
    if !sent.trim().is_empty() && !values.contains(&sent.trim()) {
        findings.add(lint::D2015, repetition.place_of(component));
    }
}
