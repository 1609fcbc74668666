//! Erasing after the end of a consent: rows and tokens go, then the patient's key, then somebody tries to
//! read and must fail, then the deletion record is written. Viewing ended long before, in the
//! transaction that ended the consent.

use std::collections::BTreeMap;

use model::id::{FacilityId, PatientNumber};

use super::Jobs;
use crate::audit::{Action, Event};
use crate::db::{Tx, params};
use crate::error::Error;
use crate::papers::{Erasure, Papers};

/// Rows that were erased, by table.
pub type Erased = BTreeMap<&'static str, u64>;

/// Tables with a facility column, and what erases one facility's rows of a patient. Findings go by
/// their item, so they go first.
const DELETIONS: [(&str, &str); 5] = [
    (
        "finding",
        "delete from finding where patient = $1 and exists (select 1 from item i where i.patient = finding.patient \
         and i.slot = finding.slot and i.path = finding.path and i.facility = $2)",
    ),
    (
        "item",
        "delete from item where patient = $1 and facility = $2",
    ),
    (
        "slot",
        "delete from slot where patient = $1 and facility = $2",
    ),
    (
        "record",
        "delete from record where patient = $1 and facility = $2",
    ),
    (
        "search_token",
        "delete from search_token where patient = $1 and facility = $2",
    ),
];

impl Jobs {
    /// Erases what nothing holds any more of a patient. Does nothing when nothing is due.
    pub(super) async fn erase(&self, papers: &Papers, patient: PatientNumber) -> Result<(), Error> {
        while let Some(erasure) = papers.due_erasure(patient).await? {
            let erased = self.erase_rows(&erasure).await?;
            let keys = if erasure.whole {
                self.shred(patient).await?
            } else {
                Vec::new()
            };
            self.record(&erasure, &erased, &keys).await?;
            match papers.erased(&erasure).await {
                Ok(()) => break,
                // A paper came in between; look again what is due.
                Err(Error::StaleEpoch) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Deletes until a pass finds nothing: a batch that was running brings its rows before it learns
    /// of the withdrawal.
    async fn erase_rows(&self, erasure: &Erasure) -> Result<Erased, Error> {
        let mut erased = Erased::new();
        loop {
            let mut tx = self.store.0.records.begin().await?;
            tx.lock_patient(erasure.patient.0, true).await?;
            let mut pass = 0;
            for facility in &erasure.sources {
                pass += delete(&mut tx, erasure.patient, facility, &mut erased).await?;
            }
            // Whoever works on what was read before must begin again.
            let sql = "update patient set joins = joins + 1 where number = $1";
            tx.execute(sql, params![erasure.patient]).await?;
            tx.commit().await?;
            if pass == 0 {
                return Ok(erased);
            }
        }
    }

    /// Destroys the patient's keys and makes sure that nothing opens any more.
    async fn shred(&self, patient: PatientNumber) -> Result<Vec<i64>, Error> {
        let keys = &self.store.0.keys;
        let generations = keys.shred(patient).await?;
        self.store
            .0
            .records
            .execute("delete from patient where number = $1", params![patient])
            .await?;
        match keys.patient(patient).await? {
            None => Ok(generations),
            Some(_) => Err(Error::Unavailable("the patient's key is being made anew")),
        }
    }

    async fn record(&self, erasure: &Erasure, erased: &Erased, keys: &[i64]) -> Result<(), Error> {
        let join = |parts: Vec<String>| {
            if parts.is_empty() {
                "none".to_owned()
            } else {
                parts.join(", ")
            }
        };
        let counts = join(
            erased
                .iter()
                .map(|(table, rows)| format!("{table} {rows}"))
                .collect(),
        );
        let sources = join(erasure.sources.iter().map(ToString::to_string).collect());
        let ground = erasure.ground.name();
        let keys = join(keys.iter().map(ToString::to_string).collect());
        let consents = join(erasure.consents.iter().map(ToString::to_string).collect());
        let event = Event::new(Action::Erased)
            .about(erasure.patient, erasure.public, 0)
            .of(consents)
            .with(format!(
                "reason: {ground}; rows: {counts}; sources: {sources}; keys destroyed: {keys}"
            ));
        self.store.0.audit.record(event).await
    }
}

async fn delete(
    tx: &mut Tx,
    patient: PatientNumber,
    facility: &FacilityId,
    erased: &mut Erased,
) -> Result<u64, Error> {
    let mut rows = 0;
    for (table, sql) in DELETIONS {
        let gone = tx.execute(sql, params![patient, facility]).await?;
        *erased.entry(table).or_default() += gone;
        rows += gone;
    }
    Ok(rows)
}
