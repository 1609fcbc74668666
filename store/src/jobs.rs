//! What follows from papers in the other databases, and how feeds stand. Every step is idempotent, so
//! that a crash between two of them loses nothing.

mod erase;
mod failing;
mod feeds;
mod lease;
mod pack;
mod retain;
mod rewrite;
mod tally;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use model::id::{FacilityId, PatientId, PatientNumber};
use model::record::{Kind, facet};
use model::time::Instant;

use crate::Store;
use crate::db::params;
use crate::error::Error;
use crate::papers::{Errand, Papers, What};

pub use failing::Failing;
pub use feeds::FeedStatus;
pub use lease::{BEAT, Lease};
pub use rewrite::Rewritten;

/// So many errands are done at a time.
const ERRANDS: u32 = 1_000;
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

    /// Does what papers ask for: keys and introductions at once, back-fills and erasures when due.
    /// What fails holds up what follows of the same patient, and nobody else; it is kept and done by
    /// a later call.
    ///
    /// # Errors
    /// When a database does not answer; what was done stays done, the rest is done by the next call.
    pub async fn follow(&self, papers: &Papers) -> Result<Followed, Error> {
        let mut run = Run::default();
        let mut behind = 0;
        loop {
            let errands = papers.outbox(behind, ERRANDS).await?;
            for errand in &errands {
                behind = errand.id;
                if !run.waiting.contains(&errand.patient) {
                    let done = self.run(papers, errand).await;
                    self.take(&mut run, errand.patient, done).await?;
                }
            }
            if errands.len() < usize::try_from(ERRANDS).unwrap_or(usize::MAX) {
                break;
            }
        }
        for patient in self.due(ERASE).await? {
            let erased = self.erase_due(papers, patient).await;
            self.take(&mut run, patient, erased).await?;
        }
        self.note_failing(&run.waiting).await?;
        Ok(run.end())
    }

    /// Counts what was done, and puts what failed aside; gives up when nothing could be done at all.
    async fn take(
        &self,
        run: &mut Run,
        patient: PatientNumber,
        done: Result<(), Error>,
    ) -> Result<(), Error> {
        match done {
            Ok(()) => run.done += 1,
            Err(error) if error.is_retryable() && !self.answers().await => return Err(error),
            Err(error) => {
                run.failed += 1;
                run.first.get_or_insert(error);
                run.waiting.insert(patient);
            }
        }
        Ok(())
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

    /// Does an errand and forgets it.
    async fn run(&self, papers: &Papers, errand: &Errand) -> Result<(), Error> {
        match &errand.what {
            Ok(what) => self.run_what(papers, errand, what).await?,
            Err(_) => return Err(Error::Corrupt("errand")),
        }
        papers.done(errand).await
    }

    async fn run_what(&self, papers: &Papers, errand: &Errand, what: &What) -> Result<(), Error> {
        let plan = "insert into job (patient, kind, facility, due_at) values ($1, $2, $3, $4) on conflict do nothing";
        let records = &self.store.0.records;
        match what {
            What::Introduce => {
                self.introduce(errand.patient, errand.public, errand.epoch)
                    .await?;
            }
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

/// What one call of [`Jobs::follow`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Followed {
    /// Errands and erasures that were done.
    pub done: usize,
    /// Ones that failed and are kept.
    pub failed: usize,
}

/// A call of [`Jobs::follow`] on its way.
#[derive(Default)]
struct Run {
    done: usize,
    failed: usize,
    first: Option<Error>,
    /// Whose errands wait behind one that failed: they are done in order.
    waiting: BTreeSet<PatientNumber>,
}

impl Run {
    /// Says in one line what failed, however much it was.
    fn end(self) -> Followed {
        let Self { done, failed, .. } = self;
        if let Some(error) = self.first {
            tracing::error!(failed, %error, "errands of papers failed and are kept; the others went on");
        }
        Followed { done, failed }
    }
}
