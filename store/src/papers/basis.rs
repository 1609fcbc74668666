//! Under which regulation grants are written. The grants of all patients follow from one profile and
//! one register of facilities; a process that still works with others must not add to them.
//!
//! While the grants are being brought in line nothing is read: there is a moment in which old grants
//! are refused already and new ones are not complete, and none in which either is wrong.

use model::id::PatientNumber;

use super::follow::{follow, follow_all, next_epoch, next_epochs};
use super::outbox::{Post, post};
use super::{PaperError, Papers};
use crate::Shared;
use crate::audit::{Action, Event};
use crate::db::{Tx, params};
use crate::error::Error;

/// So many patients are recomputed in one transaction; a paper waits no longer than for that.
const PATIENTS: usize = 100;

/// Row of `basis`: the grants of all patients follow from it. `Disclosure` reads no other one.
const IN_FORCE: i64 = 1;
/// Row of `basis`: the grants are being brought in line with it.
const COMING: i64 = 2;

/// Refuses what could open something when grants follow, or are to follow, from another regulation.
/// Before the first regulation anything may be entered: nothing is read then.
///
/// # Errors
/// [`Error::Unavailable`] until this process is started with the regulation in force.
pub(super) async fn may_open(shared: &Shared, tx: &mut Tx) -> Result<(), Error> {
    if is_another(shared, tx).await? {
        return Err(OUTDATED);
    }
    Ok(())
}

const OUTDATED: Error =
    Error::Unavailable("another profile than this process's is in force, start it again");
const ANOTHER: &str = "select count(*) from basis where network_hash <> $1";

/// Whether grants follow, or are to follow, from another regulation than this process's.
pub(super) async fn is_another(shared: &Shared, tx: &mut Tx) -> Result<bool, Error> {
    let hash = shared.network.hash.to_vec();
    let row: Option<(i64,)> = tx.fetch_optional(ANOTHER, params![hash]).await?;
    Ok(row.is_some_and(|(count,)| count > 0))
}

/// What a process may do to grants that follow from another regulation than its own: take all of a
/// patient's away, and ask for somebody who knows the regulation to look which ones remain. Whether
/// anything changed.
pub(super) async fn shut(
    shared: &Shared,
    tx: &mut Tx,
    patient: PatientNumber,
) -> Result<bool, Error> {
    let sql = "delete from effective_grant where patient = $1";
    let grants = tx.execute(sql, params![patient]).await?;
    let sql =
        "update link set wanted_from = 0, wanted_to = 0 where patient = $1 and wanted_to <> 0";
    let wanted = tx.execute(sql, params![patient]).await?;
    if grants + wanted > 0 {
        post(shared, tx, patient, Post::Follow, shared.clock.now()).await?;
    }
    Ok(grants + wanted > 0)
}

impl Papers {
    /// Whether the grants follow from the profile and facilities of this process.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ready(&self) -> Result<bool, Error> {
        let sql = "select count(*) from basis where id = 1 and network_hash = $1";
        let hash = self.shared().network.hash.to_vec();
        let row: Option<(i64,)> = self
            .shared()
            .office
            .fetch_optional(sql, params![hash])
            .await?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    /// Refuses to decide what may be erased by another regulation than the one in force.
    pub(super) async fn knows_the_regulation(&self) -> Result<(), Error> {
        let hash = self.shared().network.hash.to_vec();
        let office = &self.shared().office;
        let row: Option<(i64,)> = office.fetch_optional(ANOTHER, params![hash]).await?;
        if row.is_some_and(|(count,)| count > 0) {
            return Err(OUTDATED);
        }
        Ok(())
    }

    /// Brings the grants of all patients in line with profile and facilities; nothing is read before
    /// it is done. Does nothing when they are. Returns how many patients' grants changed.
    ///
    /// # Errors
    /// When a database does not answer, or a process with another profile does the same; then reads
    /// stay shut, and it must be called again.
    pub async fn recompute_all(&self) -> Result<usize, PaperError> {
        if !self.announce().await? {
            return Ok(0);
        }
        let shared = self.shared();
        let (mut last, mut changed) = (PatientNumber(0), 0);
        while let Some((greatest, some)) = self.recompute_some(last).await? {
            last = greatest;
            changed += some;
        }
        let mut tx = self.begin().await?;
        may_open(shared, &mut tx).await?;
        let sql = "update basis set id = $1 where id = $2";
        tx.execute(sql, params![IN_FORCE, COMING]).await?;
        tx.commit().await?;
        let event =
            Event::new(Action::GrantsRecomputed).with(format!("patients changed: {changed}"));
        shared.audit.record(event).await?;
        Ok(changed)
    }

    /// From here on nothing is read, and no process with another regulation writes grants. Nothing to
    /// announce when this one is in force.
    pub(super) async fn announce(&self) -> Result<bool, Error> {
        let shared = self.shared();
        let mut tx = self.begin().await?;
        if self.ready().await? {
            return Ok(false);
        }
        tx.execute("delete from basis", params![]).await?;
        let sql = "insert into basis (id, network_hash) values ($1, $2)";
        tx.execute(sql, params![COMING, shared.network.hash.to_vec()])
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The patients after `last`, as many as fit in one transaction: the last of them, and how many
    /// changed. Nothing when there are none.
    pub(super) async fn recompute_some(
        &self,
        last: PatientNumber,
    ) -> Result<Option<(PatientNumber, usize)>, Error> {
        let shared = self.shared();
        let mut tx = self.begin().await?;
        may_open(shared, &mut tx).await?;
        let sql =
            "select number from patient where number > $1 order by number limit cast($2 as bigint)";
        let limit = i64::try_from(PATIENTS).unwrap_or(i64::MAX);
        let numbers: Vec<(i64,)> = tx.fetch_all(sql, params![last, limit]).await?;
        let Some((greatest,)) = numbers.last().copied() else {
            return Ok(None);
        };
        let numbers = numbers.into_iter().map(|(number,)| PatientNumber(number));
        let changed = follow_all(shared, &mut tx, &numbers.collect::<Vec<_>>()).await?;
        let numbers: Vec<i64> = changed.iter().map(|patient| patient.0).collect();
        next_epochs(&mut tx, &numbers).await?;
        tx.commit().await?;
        Ok(Some((PatientNumber(greatest), changed.len())))
    }

    /// Brings one patient's grants in line, after a process with another regulation took them away.
    pub(crate) async fn recompute(&self, patient: PatientNumber) -> Result<(), Error> {
        let shared = self.shared();
        let mut tx = self.begin().await?;
        may_open(shared, &mut tx).await?;
        if follow(shared, &mut tx, patient).await? {
            next_epoch(&mut tx, patient).await?;
        }
        tx.commit().await
    }
}
