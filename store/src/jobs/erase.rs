//! Erasing after the end of a consent: rows and tokens go, then the patient's key, then somebody tries to
//! read and must fail, then the deletion record is written. Viewing ended long before, in the
//! transaction that ended the consent.

use std::collections::BTreeMap;

use model::id::{FacilityId, PatientNumber};

use super::Jobs;
use crate::audit::{Action, Event};
use crate::db::{Tx, params};
use crate::error::Error;
use crate::papers::{Erasure, Errand, Papers};

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

/// What erases everything that is kept of a patient.
const EVERYTHING: [(&str, &str); 5] = [
    ("finding", "delete from finding where patient = $1"),
    ("item", "delete from item where patient = $1"),
    ("slot", "delete from slot where patient = $1"),
    ("record", "delete from record where patient = $1"),
    (
        "search_token",
        "delete from search_token where patient = $1",
    ),
];

impl Jobs {
    /// Erases what nothing holds any more of a patient. Does nothing when nothing is due.
    ///
    /// A paper may come in between any two steps, and so may a crash. What the erasing took and the
    /// paper holds is fetched again, because whichever call of [`Papers::erased`] is the last one asks
    /// for it. What the paper's feeds read before a step does not come in after it: each step turns
    /// the patient's count of joins on, and a batch under another count is not accepted.
    pub(super) async fn erase(&self, papers: &Papers, patient: PatientNumber) -> Result<(), Error> {
        while let Some(erasure) = papers.due_erasure(patient).await? {
            let mut erased = self.erase_rows(&erasure).await?;
            let keys = if erasure.whole {
                self.shred(patient, &mut erased).await?
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
    pub(super) async fn erase_rows(&self, erasure: &Erasure) -> Result<Erased, Error> {
        let mut erased = Erased::new();
        loop {
            let mut tx = self.pass(erasure.patient).await?;
            let mut rows = 0;
            for facility in &erasure.sources {
                rows += delete(&mut tx, erasure.patient, facility, &mut erased).await?;
            }
            tx.commit().await?;
            if rows == 0 {
                return Ok(erased);
            }
        }
    }

    /// A transaction beside which no batch of the patient is accepted, and after which none is that
    /// was made from what was read before.
    async fn pass(&self, patient: PatientNumber) -> Result<Tx, Error> {
        let mut tx = self.store.0.records.begin().await?;
        tx.lock_patient(patient.0, true).await?;
        let sql = "update patient set joins = joins + 1 where number = $1";
        tx.execute(sql, params![patient]).await?;
        Ok(tx)
    }

    /// Destroys the patient's keys, then whatever a batch brought under them in the last moment, at
    /// any facility: nobody could open it.
    pub(super) async fn shred(
        &self,
        patient: PatientNumber,
        erased: &mut Erased,
    ) -> Result<Vec<i64>, Error> {
        let keys = &self.store.0.keys;
        let destroyed = keys.shred(patient).await?;
        let tx = self.pass(patient).await?;
        delete_everything(tx, patient, erased).await?;
        let left = keys.generations(patient).await?;
        if left.iter().any(|generation| destroyed.contains(generation)) {
            return Err(Error::Corrupt("a destroyed key is there"));
        }
        Ok(destroyed)
    }

    /// Gives a patient a key and a row among the records. Rows of a patient without a key were left
    /// by a crash after their key was destroyed.
    pub(super) async fn introduce(&self, errand: &Errand) -> Result<(), Error> {
        let (patient, keys) = (errand.patient, &self.store.0.keys);
        let tx = self.pass(patient).await?;
        match keys.patient(patient).await? {
            None => delete_everything(tx, patient, &mut Erased::new()).await?,
            Some(_) => drop(tx),
        }
        keys.ensure_patient(patient, errand.epoch).await?;
        let sql = "insert into patient (number, public_id, joins) values ($1, $2, 0) on conflict do nothing";
        let params = params![patient, errand.public.0.to_vec()];
        self.store.0.records.execute(sql, params).await?;
        Ok(())
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

async fn delete_everything(
    mut tx: Tx,
    patient: PatientNumber,
    erased: &mut Erased,
) -> Result<(), Error> {
    for (table, sql) in EVERYTHING {
        *erased.entry(table).or_default() += tx.execute(sql, params![patient]).await?;
    }
    tx.commit().await
}
