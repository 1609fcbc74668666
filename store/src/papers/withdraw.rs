//! Withdrawals: the end of a consent, and the way back as long as there is one.

use model::id::PersonId;
use model::papers::{ConsentNo, ConsentState, WithdrawalPaper};
use model::time::Instant;

use super::desk::{Desk, Later};
use super::ledger::Ledger;
use super::outbox::{Post, post};
use super::{Conflict, Disagreement, Entered, PaperError, Papers, basis};
use crate::audit::Action;
use crate::db::{Tx, params};

impl Papers {
    /// Ends a consent: viewing stops with this transaction. When the paper is complete its data are
    /// erased after the network's hold; an incomplete one is completed by a further call.
    ///
    /// # Errors
    /// [`PaperError::NotFound`].
    pub async fn withdraw(
        &self,
        operator: PersonId,
        paper: &WithdrawalPaper,
    ) -> Result<Entered, PaperError> {
        let mut tx = self.begin().await?;
        let withdrawn = self.desk(operator).withdraw(&mut tx, paper).await;
        self.finish(tx, withdrawn).await
    }

    /// Takes a withdrawal back, as long as its data are not to be erased yet.
    ///
    /// # Errors
    /// [`PaperError::NotFound`]; [`PaperError::Conflict`] when it is too late.
    pub async fn restore(
        &self,
        operator: PersonId,
        number: &ConsentNo,
    ) -> Result<Entered, PaperError> {
        let mut tx = self.begin().await?;
        let restored = self.desk(operator).restore(&mut tx, number).await;
        self.finish(tx, restored).await
    }
}

impl Desk<'_> {
    pub(super) async fn withdraw(
        &self,
        tx: &mut Tx,
        paper: &WithdrawalPaper,
    ) -> Result<Entered, PaperError> {
        let known = self
            .standing(tx, &paper.consent_no)
            .await?
            .ok_or(PaperError::NotFound)?;
        let completes = known.erase_at == Instant(0) && paper.is_complete();
        let ends = match known.state {
            ConsentState::Signed | ConsentState::Active => true,
            ConsentState::Withdrawn => completes,
            ConsentState::Expired | ConsentState::Erased => false,
        };
        if !ends {
            return Ok(known.unchanged());
        }
        let now = self.shared.clock.now();
        let erase_at = if completes {
            self.shared.network.profile.withdrawal.hold.after(now)
        } else {
            None
        };
        let number = paper.consent_no.to_string();
        let sql = "update consent set state = $2, erase_at = $3, \
                   withdrawn_at = case when withdrawn_at = 0 then $4 else withdrawn_at end where consent_no = $1";
        let erase = erase_at.unwrap_or(Instant(0));
        tx.execute(
            sql,
            params![number.as_str(), ConsentState::Withdrawn as i64, erase, now],
        )
        .await?;
        self.add_later(tx, &number, &Later::Withdrawn(paper))
            .await?;
        if let Some(erase_at) = erase_at {
            post(self.shared, tx, known.patient, Post::Erase, erase_at).await?;
        }
        self.conclude(
            tx,
            known.patient,
            Action::ConsentWithdrawn,
            &paper.consent_no,
        )
        .await?;
        Ok(known.changed_to(ConsentState::Withdrawn))
    }

    async fn restore(&self, tx: &mut Tx, number: &ConsentNo) -> Result<Entered, PaperError> {
        basis::may_open(self.shared, tx).await?;
        let known = self
            .standing(tx, number)
            .await?
            .ok_or(PaperError::NotFound)?;
        let in_time = known.erase_at == Instant(0) || self.shared.clock.now() < known.erase_at;
        if known.state != ConsentState::Withdrawn || !in_time {
            return Err(Conflict::of(Disagreement::State, []));
        }
        // Another person's paper may have come in meanwhile: a link that was never proved held nobody.
        let ledger = Ledger::load(self.shared, tx, known.patient).await?;
        let paper = ledger.paper(number)?;
        self.same_person(tx, known.patient, paper).await?;
        let was_active = known.active_since != Instant(0);
        let state = if was_active {
            ConsentState::Active
        } else {
            ConsentState::Signed
        };
        let sql =
            "update consent set state = $2, withdrawn_at = 0, erase_at = 0 where consent_no = $1";
        tx.execute(sql, params![number.to_string(), state as i64])
            .await?;
        self.add_later(tx, &number.to_string(), &Later::Restored)
            .await?;
        self.conclude(tx, known.patient, Action::ConsentRestored, number)
            .await?;
        Ok(known.changed_to(state))
    }
}
