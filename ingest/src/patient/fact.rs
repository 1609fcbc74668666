//! What is carried of a record from where it was read to its row. The record itself goes into its
//! frame there and then; only those that other rows are made of stay at hand.

use std::sync::Arc;

use model::record::{Kind, Record};
use store::{Head, Intake};

/// Inpatient stays are joined from such records.
pub(crate) const JOINS_ENCOUNTERS: i64 = 1;
/// Allergies are joined from such records.
pub(crate) const JOINS_ALLERGIES: i64 = 2;

/// A record's head, in the order of the item's frame.
pub(crate) struct Fact {
    pub(crate) head: Head,
    /// The record, when it takes part in a join or says by what the patient is found.
    pub(crate) record: Option<Arc<Record>>,
}

/// What one item says.
pub(crate) type Facts = Arc<[Fact]>;

/// The facts that joins read.
pub(crate) fn joining(intake: &Intake, mut records: Vec<Record>) -> Facts {
    records.retain(|record| joins_of(record.meta.kind) != 0);
    of(intake, records)
}

/// The facts of an item's records.
pub(crate) fn of(intake: &Intake, records: Vec<Record>) -> Facts {
    let fact = |record: Record| {
        let head = intake.head(&record);
        let serves_others = matches!(
            head.kind,
            Kind::Patient | Kind::EncounterEvent | Kind::AllergyStatement
        );
        Fact {
            head,
            record: serves_others.then(|| Arc::new(record)),
        }
    };
    records.into_iter().map(fact).collect()
}

/// Bits of the joins that read a kind.
pub(crate) const fn joins_of(kind: Kind) -> i64 {
    match kind {
        Kind::EncounterEvent => JOINS_ENCOUNTERS,
        Kind::AllergyStatement => JOINS_ALLERGIES,
        _ => 0,
    }
}
