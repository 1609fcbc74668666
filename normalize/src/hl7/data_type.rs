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

use std::borrow::Cow;

use super::message::{Field, Repetition, without_blanks};
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

/// The only component of a field that has one, without blanks around it, to be kept; what else stands
/// there is found.
pub(crate) fn plain(field: &Field<'_>, findings: &mut Findings) -> Option<String> {
    only(field, findings).map(Cow::into_owned)
}

/// The same, to be looked at.
pub(crate) fn only<'m>(field: &Field<'m>, findings: &mut Findings) -> Option<Cow<'m, str>> {
    let repetition = single(field, findings)?;
    unread(&repetition, &[1], findings);
    word(&repetition, 1)
}

/// A component without blanks around it, to be kept.
pub(crate) fn trimmed(repetition: &Repetition<'_>, component: usize) -> Option<String> {
    word(repetition, component).map(Cow::into_owned)
}

/// The same, to be looked at.
pub(crate) fn word<'m>(repetition: &Repetition<'m>, component: usize) -> Option<Cow<'m, str>> {
    let word = without_blanks(repetition.component(component)?);
    Some(word).filter(|word| !word.is_empty())
}

/// Finds the components that have content and are not among those read.
pub(crate) fn unread(repetition: &Repetition<'_>, read: &[usize], findings: &mut Findings) {
    for place in repetition.filled_beside(read) {
        findings.add(lint::D2017, place);
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
