//! Whose errands fail: kept beside the records, so that another process can tell it.

use std::collections::BTreeSet;

use model::id::PatientNumber;
use model::time::Instant;

use super::Jobs;
use crate::db::params;
use crate::error::Error;

/// Errands and erasings that failed at the last try and are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// Of how many patients.
    pub patients: usize,
    /// When the first of them failed first.
    pub since: Instant,
}

impl Jobs {
    /// What fails, if anything does.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn failing(&self) -> Result<Option<Failing>, Error> {
        let sql = "select since from failing order by since";
        let rows: Vec<(i64,)> = self.store.0.records.fetch_all(sql, params![]).await?;
        Ok(rows.first().map(|(since,)| Failing {
            patients: rows.len(),
            since: Instant(*since),
        }))
    }

    /// These fail, and nobody else does any more.
    pub(super) async fn note_failing(&self, failed: &BTreeSet<PatientNumber>) -> Result<(), Error> {
        let records = &self.store.0.records;
        let rows: Vec<(i64,)> = records
            .fetch_all("select patient from failing", params![])
            .await?;
        let noted: BTreeSet<PatientNumber> = rows
            .into_iter()
            .map(|(patient,)| PatientNumber(patient))
            .collect();
        let now = self.store.0.clock.now();
        for patient in failed.difference(&noted) {
            let sql = "insert into failing (patient, since) values ($1, $2) on conflict do nothing";
            records.execute(sql, params![*patient, now]).await?;
        }
        for patient in noted.difference(failed) {
            let sql = "delete from failing where patient = $1";
            records.execute(sql, params![*patient]).await?;
        }
        Ok(())
    }
}
