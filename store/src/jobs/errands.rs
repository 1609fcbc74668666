//! What papers ask for: keys and introductions at once, back-fills and erasures when due. Errands of many
//! patients are done in one durable transaction each database, errands of one patient in their order.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{PatientId, PatientNumber};

use super::{BACK_FILL, ERASE, Jobs};
use crate::audit::Pending;
use crate::db::{Insert, Type, Value, params};
use crate::error::Error;
use crate::intake;
use crate::papers::{Errand, Papers, What};

/// So many errands are looked at together; a paper or a batch waits no longer than for them.
const ERRANDS: u32 = 1_000;

const JOBS: Insert = Insert {
    table: "job",
    columns: &[
        ("patient", Type::Int),
        ("kind", Type::Int),
        ("facility", Type::Int),
        ("due_at", Type::Int),
    ],
    conflict: "on conflict do nothing",
};

const PATIENTS: Insert = Insert {
    conflict: "on conflict do nothing",
    ..intake::PATIENTS
};

/// Somebody who gets a key; the epoch names its generation.
pub(crate) type Newcomer = (PatientNumber, PatientId, i64);

impl Jobs {
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
            for round in rounds(&errands) {
                self.round(papers, round, &mut run).await?;
            }
            behind = errands.last().map_or(behind, |errand| errand.id);
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

    /// Does errands of different patients. Where some cannot be done together, each is tried alone: it
    /// is mostly one that fails.
    async fn round(
        &self,
        papers: &Papers,
        mut round: Vec<&Errand>,
        run: &mut Run,
    ) -> Result<(), Error> {
        round.retain(|errand| !run.waiting.contains(&errand.patient));
        let is_note = |errand: &&Errand| matches!(errand.what, Ok(What::Audit(_)));
        let (notes, rest): (Vec<&Errand>, Vec<&Errand>) = round.into_iter().partition(is_note);
        match self.run(papers, &rest).await {
            Ok(()) => run.done += rest.len(),
            Err(_) => {
                for errand in rest {
                    let done = self.run(papers, &[errand]).await;
                    self.take(run, errand.patient, done).await?;
                }
            }
        }
        self.note(papers, notes, run).await
    }

    /// Does errands of different patients and forgets them, or fails as a whole.
    pub(super) async fn run(&self, papers: &Papers, errands: &[&Errand]) -> Result<(), Error> {
        let (mut newcomers, mut jobs): (Vec<Newcomer>, Vec<Vec<Value>>) = Default::default();
        for errand in errands {
            let mut plan = |kind: i64, facility: i64| {
                jobs.push(params![errand.patient, kind, facility, errand.due_at].to_vec());
            };
            match &errand.what {
                Ok(What::Introduce) => {
                    newcomers.push((errand.patient, errand.public, errand.epoch));
                }
                Ok(What::BackFill(facility)) => plan(BACK_FILL, facility.number()),
                Ok(What::Erase) => plan(ERASE, 0),
                Ok(What::Follow) => papers.recompute(errand.patient).await?,
                Ok(What::Audit(event)) => self.store.0.audit.record(event.as_ref().clone()).await?,
                Err(_) => return Err(Error::Corrupt("errand")),
            }
        }
        self.introduce(&newcomers).await?;
        if !jobs.is_empty() {
            let mut tx = self.store.0.records.begin().await?;
            tx.insert_many(&JOBS, jobs).await?;
            tx.commit().await?;
        }
        papers.done(errands).await
    }

    /// Hands what the audit must know to its writer, all at once. A row that is durable is not written
    /// again because another one is not.
    async fn note(&self, papers: &Papers, notes: Vec<&Errand>, run: &mut Run) -> Result<(), Error> {
        let submit = |errand: &'_ Errand| match &errand.what {
            Ok(What::Audit(event)) => Some(self.store.0.audit.submit(event.as_ref().clone())),
            _ => None,
        };
        let pending: Vec<(&Errand, Option<Pending>)> = notes
            .into_iter()
            .map(|errand| (errand, submit(errand)))
            .collect();
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for (errand, pending) in pending {
            let Some(pending) = pending else { continue };
            match pending.durable().await {
                Ok(()) => done.push(errand),
                Err(error) => failed.push((errand.patient, error)),
            }
        }
        papers.done(&done).await?;
        run.done += done.len();
        for (patient, error) in failed {
            self.take(run, patient, Err(error)).await?;
        }
        Ok(())
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

    /// Gives patients a key and a row among the records. Rows of a patient without a key were left by a
    /// crash after their key was destroyed.
    pub(crate) async fn introduce(&self, newcomers: &[Newcomer]) -> Result<(), Error> {
        if newcomers.is_empty() {
            return Ok(());
        }
        let shared = &self.store.0;
        let numbers: Vec<i64> = newcomers.iter().map(|(patient, ..)| patient.0).collect();
        let keys = shared.keys.patients(&numbers).await?;
        // INVARIANT: whatever is kept of a patient was written behind the patient's row.
        let sql = "select number from patient where number";
        let known: Vec<(i64,)> = shared.records.fetch_among(sql, &numbers).await?;
        let known: BTreeSet<i64> = known.into_iter().map(|(number,)| number).collect();
        let (mut keyless, mut leftovers, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        // In one order for all who write rows of patients: two orders would be a deadlock.
        let newcomers: BTreeSet<&Newcomer> = newcomers.iter().collect();
        for (patient, public, epoch) in newcomers {
            if !keys.contains_key(patient) {
                keyless.push((*patient, *epoch));
                leftovers.extend(known.contains(&patient.0).then_some(*patient));
            }
            if !known.contains(&patient.0) {
                rows.push(params![*patient, public.0.to_vec(), 0_i64].to_vec());
            }
        }
        for patient in leftovers {
            self.erase_what_was_left(patient).await?;
        }
        shared.keys.ensure_patients(&keyless).await?;
        if !rows.is_empty() {
            let mut tx = shared.records.begin().await?;
            tx.insert_many(&PATIENTS, rows).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

/// Errands that may be done together: the first of every patient, then the second of every patient, and so
/// on.
fn rounds(errands: &[Errand]) -> Vec<Vec<&Errand>> {
    let mut turns: BTreeMap<PatientNumber, usize> = BTreeMap::new();
    let mut rounds: Vec<Vec<&Errand>> = Vec::new();
    for errand in errands {
        let turn = turns.entry(errand.patient).or_default();
        match rounds.get_mut(*turn) {
            Some(round) => round.push(errand),
            None => rounds.push(vec![errand]),
        }
        *turn += 1;
    }
    rounds
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
