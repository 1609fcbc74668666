//! RDE^O11 of the data kind OMP-02: injections. One request an administration; its drugs are the
//! RXC of a mixture, and what RXE names is the kind of injection.

use model::medication::MedicationKind;
use model::record::{Category, Record};

use super::{Reading, prescription};
use crate::lint::Findings;

/// Reads one request an ORC group.
pub(super) fn read(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    prescription::requests(reading, MedicationKind::Injection, Category::Injection, findings)
}

