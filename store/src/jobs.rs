//! What follows from papers in the other databases, and how feeds stand. Every step is idempotent, so
//! that a crash between two of them loses nothing.

mod erase;
mod feeds;
mod retain;
#[cfg(test)]
mod tests;

use model::id::{FacilityId, PatientId, PatientNumber};
use model::record::{Kind, facet};

use crate::Store;
use crate::db::params;
use crate::error::Error;
use crate::papers::{Errand, Papers, What};

pub use erase::Erased;
pub use feeds::FeedStatus;

/// So many errands are done at a time.
const ERRANDS: u32 = 1_000;
const BACK_FILL: i64 = 1;
const ERASE: i64 = 2;

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
    /// Does what papers ask for: keys and introductions at once, back-fills and erasures when due.
    /// Returns how many errands were done.
    ///
    /// # Errors
    /// When a database does not answer; what was done stays done, the rest is done by the next call.
    pub async fn follow(&self, papers: &Papers) -> Result<usize, Error> {
        let mut done = 0;
        loop {
            let errands = papers.outbox(ERRANDS).await?;
            for errand in &errands {
                self.run(papers, errand).await?;
                papers.done(errand).await?;
                done += 1;
            }
            if errands.len() < usize::try_from(ERRANDS).unwrap_or(usize::MAX) {
                break;
            }
        }
        for patient in self.due(ERASE).await? {
            self.erase(papers, patient).await?;
            self.store
                .0
                .records
                .execute(FORGET, params![patient, ERASE, self.store.0.clock.now()])
                .await?;
            done += 1;
        }
        Ok(done)
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

    async fn run(&self, papers: &Papers, errand: &Errand) -> Result<(), Error> {
        let plan = "insert into job (patient, kind, facility, due_at) values ($1, $2, $3, $4) on conflict do nothing";
        let records = &self.store.0.records;
        match &errand.what {
            What::Introduce => self.introduce(errand).await?,
            What::BackFill(facility) => {
                records
                    .execute(
                        plan,
                        params![errand.patient, BACK_FILL, facility, errand.due_at],
                    )
                    .await?;
            }
            What::Erase => {
                records
                    .execute(plan, params![errand.patient, ERASE, 0_i64, errand.due_at])
                    .await?;
            }
            What::Follow => papers.recompute(errand.patient).await?,
            What::Audit(event) => self.store.0.audit.record(event.as_ref().clone()).await?,
        }
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

    /// A back-fill is done.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn back_filled(
        &self,
        patient: PatientNumber,
        facility: &FacilityId,
    ) -> Result<(), Error> {
        let sql =
            "delete from job where patient = $1 and kind = $2 and facility = $3 and due_at <= $4";
        self.store
            .0
            .records
            .execute(
                sql,
                params![patient, BACK_FILL, facility, self.store.0.clock.now()],
            )
            .await?;
        Ok(())
    }
}

const FORGET: &str = "delete from job where patient = $1 and kind = $2 and due_at <= $3";
