//! What follows from papers in the other databases, and how feeds stand. Every step is idempotent, so
//! that a crash between two of them loses nothing.

mod erase;
mod errands;
mod failing;
mod feeds;
mod lease;
mod pack;
mod retain;
mod rewrite;
mod tally;
#[cfg(test)]
mod tests;

use model::id::{FacilityId, PatientId, PatientNumber};
use model::record::{Kind, facet};
use model::time::Instant;

use crate::Store;
use crate::db::params;
use crate::error::Error;
use crate::papers::Papers;

pub use errands::Followed;
pub(crate) use errands::Newcomer;

pub use failing::Failing;
pub use feeds::FeedStatus;
pub use lease::{BEAT, Lease};
pub use rewrite::Rewritten;

const BACK_FILL: i64 = 1;
pub(crate) const ERASE: i64 = 2;

/// The machinery's own door.
#[derive(Clone)]
pub struct Jobs {
    store: Store,
}

impl Store {
    /// The door for what follows from papers.
    pub fn jobs(&self) -> Jobs {
        Jobs {
            store: self.clone(),
        }
    }
}

impl Jobs {
    pub(crate) const fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the records database answers.
    pub async fn answers(&self) -> bool {
        self.store
            .0
            .records
            .fetch_all::<(i64,)>("select count(*) from feed_state", params![])
            .await
            .is_ok()
    }

    /// Whether the place of the sealed bytes answers. An object store is asked every few seconds at
    /// most.
    pub async fn blobs_answer(&self) -> bool {
        self.store.0.raw.answers().await
    }

    /// How many laboratory results are kept of a patient: what a full consent would show.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn laboratory_results(&self, patient: PatientId) -> Result<i64, Error> {
        let sql = "select count(*) from record r join patient p on p.number = r.patient \
                   where p.public_id = $1 and r.kind = $2 and (r.facets & $3) <> 0 and r.state <> 0 and r.sensitivity = 0";
        let params = params![
            patient.0.to_vec(),
            Kind::Observation as i64,
            facet::LABORATORY
        ];
        let row: Option<(i64,)> = self.store.0.records.fetch_optional(sql, params).await?;
        Ok(row.map_or(0, |(count,)| count))
    }

    async fn erase_due(&self, papers: &Papers, patient: PatientNumber) -> Result<(), Error> {
        // A job that comes while this one runs is another one.
        let now = self.store.0.clock.now();
        self.erase(papers, patient).await?;
        let sql = "delete from job where patient = $1 and kind = $2 and due_at <= $3";
        let records = &self.store.0.records;
        records.execute(sql, params![patient, ERASE, now]).await?;
        Ok(())
    }

    async fn due(&self, kind: i64) -> Result<Vec<PatientNumber>, Error> {
        let sql =
            "select distinct patient from job where kind = $1 and due_at <= $2 order by patient";
        let rows: Vec<(i64,)> = self
            .store
            .0
            .records
            .fetch_all(sql, params![kind, self.store.0.clock.now()])
            .await?;
        Ok(rows
            .into_iter()
            .map(|(patient,)| PatientNumber(patient))
            .collect())
    }

    /// Patients whose data a facility's feeds must fetch now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn back_fills(&self, facility: &FacilityId) -> Result<Vec<PatientNumber>, Error> {
        let sql = "select distinct patient from job where kind = $1 and facility = $2 and due_at <= $3 order by patient";
        let params = params![BACK_FILL, facility, self.store.0.clock.now()];
        let rows: Vec<(i64,)> = self.store.0.records.fetch_all(sql, params).await?;
        Ok(rows
            .into_iter()
            .map(|(patient,)| PatientNumber(patient))
            .collect())
    }

    /// Back-fills that began then are done. One that was asked for since is another one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn back_filled(
        &self,
        patients: &[PatientNumber],
        facility: &FacilityId,
        begun: Instant,
    ) -> Result<(), Error> {
        let sql =
            "delete from job where patient = $1 and kind = $2 and facility = $3 and due_at <= $4";
        let mut tx = self.store.0.records.begin().await?;
        for patient in patients {
            tx.execute(sql, params![*patient, BACK_FILL, facility, begun])
                .await?;
        }
        tx.commit().await
    }
}
