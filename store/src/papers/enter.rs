//! How a paper changes where a consent stands: entered, checked, withdrawn, taken back.

use jiff::Span;
use model::id::{PatientId, PatientNumber, PersonId};
use model::network::Limit;
use model::papers::{ConsentNo, ConsentPaper, ConsentState, WithdrawalPaper};
use model::time::Instant;
use serde::Serialize;

use super::evidence::Tokens;
use super::follow::{follow, next_epoch};
use super::ledger::{Ledger, consent_state, version_place};
use super::outbox::{Note, Post, post};
use super::{
    Conflict, Disagreement, Entered, Entry, Fold, PaperError, Papers, link, public_id, rules,
};
use crate::Shared;
use crate::audit::Action;
use crate::db::{Tx, params};
use crate::error::Error;
use crate::seal::random;

/// What happened to a consent after it was entered; a version of its own, like the form itself.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Later<'a> {
    Checked,
    Withdrawn(&'a WithdrawalPaper),
    Restored,
}

/// Where a consent stands, and whose it is.
struct Standing {
    patient: PatientNumber,
    public: PatientId,
    state: ConsentState,
    active_since: Instant,
    erase_at: Instant,
    digest: Vec<u8>,
}

/// One paper at the desk.
pub(super) struct Desk<'a> {
    pub(super) shared: &'a Shared,
    pub(super) fold: Fold,
    pub(super) operator: PersonId,
}

impl Papers {
    /// Enters a consent form. The same form again changes nothing, except that a signed one becomes
    /// active when it is entered as such.
    ///
    /// # Errors
    /// [`PaperError::Wrong`], or [`PaperError::Conflict`] when the number belongs to another paper or
    /// the local ids to other people; then there is a task.
    pub async fn enter_consent(
        &self,
        operator: PersonId,
        paper: &ConsentPaper,
        entry: Entry,
    ) -> Result<Entered, PaperError> {
        let mut tx = self.begin().await?;
        let entered = self.desk(operator).enter(&mut tx, paper, entry).await;
        self.finish(tx, entered).await
    }

    /// Puts a signed consent in force, because somebody has checked it.
    ///
    /// # Errors
    /// [`PaperError::NotFound`]; [`PaperError::Conflict`] when it is withdrawn.
    pub async fn check(
        &self,
        operator: PersonId,
        number: &ConsentNo,
    ) -> Result<Entered, PaperError> {
        let mut tx = self.begin().await?;
        let checked = self.desk(operator).check(&mut tx, number).await;
        self.finish(tx, checked).await
    }

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

    pub(super) fn desk(&self, operator: PersonId) -> Desk<'_> {
        Desk {
            shared: self.shared(),
            fold: self.fold,
            operator,
        }
    }

    async fn finish(
        &self,
        tx: Tx,
        entered: Result<Entered, PaperError>,
    ) -> Result<Entered, PaperError> {
        match entered {
            Ok(entered) => {
                tx.commit().await?;
                Ok(entered)
            }
            Err(error) => {
                drop(tx);
                self.raise([&error]).await?;
                Err(error)
            }
        }
    }
}

impl Desk<'_> {
    pub(super) async fn enter(
        &self,
        tx: &mut Tx,
        paper: &ConsentPaper,
        entry: Entry,
    ) -> Result<Entered, PaperError> {
        let plain =
            serde_json::to_vec(paper).map_err(|error| Error::Other("paper", error.into()))?;
        let digest = self
            .shared
            .keys
            .place("paper", &[&plain])
            .to_le_bytes()
            .to_vec();
        match self.standing(tx, &paper.consent_no).await? {
            Some(known) if known.digest != digest => {
                Err(Conflict::of(Disagreement::OtherContent, []))
            }
            Some(known) if entry == Entry::Active && known.state == ConsentState::Signed => {
                self.activate(tx, &known, paper).await
            }
            Some(known) => Ok(known.unchanged()),
            None => self.enter_new(tx, paper, &plain, digest, entry).await,
        }
    }

    async fn enter_new(
        &self,
        tx: &mut Tx,
        paper: &ConsentPaper,
        plain: &[u8],
        digest: Vec<u8>,
        entry: Entry,
    ) -> Result<Entered, PaperError> {
        let now = self.shared.clock.now();
        let wrongs = rules::wrongs(paper, &self.shared.network, now.day(), self.fold);
        if !wrongs.is_empty() {
            return Err(PaperError::Wrong(wrongs));
        }
        let owner = link::owner(self.shared, tx, &paper.local_ids).await?;
        let (patient, public) = match owner {
            Some(patient) => self.same_person(tx, patient, paper).await?,
            None => self.introduce(tx).await?,
        };
        let (state, since) = match entry {
            Entry::Signed => (ConsentState::Signed, Instant(0)),
            Entry::Active => (ConsentState::Active, now),
        };
        let number = paper.consent_no.to_string();
        let sql = "insert into consent (consent_no, patient, state, active_since, withdrawn_at, erase_at, digest) \
                   values ($1, $2, $3, $4, 0, 0, $5)";
        tx.execute(
            sql,
            params![number.as_str(), patient, state as i64, since, digest],
        )
        .await?;
        self.add_version(tx, &number, plain).await?;
        link::add(self.shared, tx, patient, &paper.local_ids).await?;
        if entry == Entry::Active {
            link::ask_again(self.shared, tx, patient, &paper.local_ids).await?;
            post(self.shared, tx, patient, Post::Introduce, now).await?;
        }
        self.conclude(tx, patient, Action::ConsentEntered, &paper.consent_no)
            .await?;
        Ok(Entered {
            patient,
            public,
            created: owner.is_none(),
            changed: true,
            state,
        })
    }

    /// A new patient. Numbers are never used twice, because rows of patients are never deleted.
    async fn introduce(&self, tx: &mut Tx) -> Result<(PatientNumber, PatientId), Error> {
        let next: Option<(i64,)> = tx
            .fetch_optional(
                "select coalesce(max(number), 0) + 1 from patient",
                params![],
            )
            .await?;
        let patient = PatientNumber(next.map_or(1, |(number,)| number));
        let public = PatientId(random()?);
        let sql =
            "insert into patient (number, public_id, created_at, epoch) values ($1, $2, $3, 0)";
        tx.execute(
            sql,
            params![patient, public.0.to_vec(), self.shared.clock.now()],
        )
        .await?;
        Ok((patient, public))
    }

    /// A patient known already, if the papers that stand agree with this one in birth date and name:
    /// a mistyped local id must not join two people.
    async fn same_person(
        &self,
        tx: &mut Tx,
        patient: PatientNumber,
        paper: &ConsentPaper,
    ) -> Result<(PatientNumber, PatientId), PaperError> {
        let ledger = Ledger::load(self.shared, tx, patient).await?;
        let mut standing = ledger.consents.iter().filter(|kept| kept.stands());
        let who = |paper: &ConsentPaper| {
            let tokens = Tokens::on(&self.shared.keys, paper, self.fold);
            (tokens.birth_date, tokens.kana)
        };
        if !standing.all(|kept| who(&kept.paper) == who(paper)) {
            return Err(Conflict::of(Disagreement::OtherPerson, [patient]));
        }
        let sql = "select public_id from patient where number = $1";
        let row: Option<(Vec<u8>,)> = tx.fetch_optional(sql, params![patient]).await?;
        let (public,) = row.ok_or(Error::Corrupt("link without patient"))?;
        Ok((patient, public_id(public)?))
    }

    async fn check(&self, tx: &mut Tx, number: &ConsentNo) -> Result<Entered, PaperError> {
        let known = self
            .standing(tx, number)
            .await?
            .ok_or(PaperError::NotFound)?;
        match known.state {
            ConsentState::Signed => {
                let ledger = Ledger::load(self.shared, tx, known.patient).await?;
                let kept = ledger
                    .consents
                    .iter()
                    .find(|kept| kept.paper.consent_no == *number);
                let paper = &kept.ok_or(Error::Corrupt("consent without paper"))?.paper;
                self.activate(tx, &known, paper).await
            }
            ConsentState::Active => Ok(known.unchanged()),
            ConsentState::Withdrawn | ConsentState::Erased => {
                Err(Conflict::of(Disagreement::State, []))
            }
        }
    }

    async fn activate(
        &self,
        tx: &mut Tx,
        known: &Standing,
        paper: &ConsentPaper,
    ) -> Result<Entered, PaperError> {
        let now = self.shared.clock.now();
        let number = paper.consent_no.to_string();
        let sql = "update consent set state = $2, active_since = $3 where consent_no = $1";
        tx.execute(
            sql,
            params![number.as_str(), ConsentState::Active as i64, now],
        )
        .await?;
        self.add_later(tx, &number, &Later::Checked).await?;
        link::ask_again(self.shared, tx, known.patient, &paper.local_ids).await?;
        post(self.shared, tx, known.patient, Post::Introduce, now).await?;
        self.conclude(tx, known.patient, Action::ConsentChecked, &paper.consent_no)
            .await?;
        Ok(known.changed_to(ConsentState::Active))
    }

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
        if known.state == ConsentState::Erased
            || (known.state == ConsentState::Withdrawn && !completes)
        {
            return Ok(known.unchanged());
        }
        let now = self.shared.clock.now();
        let erase_at = if completes {
            self.end_of_hold(now)
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
        let known = self
            .standing(tx, number)
            .await?
            .ok_or(PaperError::NotFound)?;
        let in_time = known.erase_at == Instant(0) || self.shared.clock.now() < known.erase_at;
        if known.state != ConsentState::Withdrawn || !in_time {
            return Err(Conflict::of(Disagreement::State, []));
        }
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

    /// When the hold that begins now is over; never, when the network keeps without end.
    fn end_of_hold(&self, now: Instant) -> Option<Instant> {
        let Limit::Span {
            months,
            days,
            seconds,
        } = self.shared.network.profile.withdrawal.hold
        else {
            return None;
        };
        let span = Span::new()
            .try_months(months)
            .and_then(|span| span.try_days(days))
            .ok()?;
        let day = now.day().checked_add(span).ok()?;
        let into_day = now.0.saturating_sub(Instant::start_of(now.day()).0);
        Some(Instant(Instant::start_of(day).0.saturating_add(into_day)).plus_seconds(seconds))
    }

    /// Grants, epoch and audit: the end of every change.
    async fn conclude(
        &self,
        tx: &mut Tx,
        patient: PatientNumber,
        action: Action,
        number: &ConsentNo,
    ) -> Result<(), Error> {
        follow(self.shared, tx, patient).await?;
        let epoch = next_epoch(tx, patient).await?;
        let now = self.shared.clock.now();
        let note = Note::of_consent(action, self.operator, number, epoch, now);
        post(self.shared, tx, patient, Post::Note(&note), now).await
    }

    async fn add_later(&self, tx: &mut Tx, number: &str, later: &Later<'_>) -> Result<(), Error> {
        let plain =
            serde_json::to_vec(later).map_err(|error| Error::Other("paper", error.into()))?;
        self.add_version(tx, number, &plain).await
    }

    /// Versions are immutable: every paper is a row of its own.
    async fn add_version(&self, tx: &mut Tx, number: &str, plain: &[u8]) -> Result<(), Error> {
        let sql = "select coalesce(max(version), 0) + 1 from consent_version where consent_no = $1";
        let next: Option<(i64,)> = tx.fetch_optional(sql, params![number]).await?;
        let version = next.map_or(1, |(version,)| version);
        let sealed = self
            .shared
            .keys
            .seal_office(&version_place(number, version), plain)?;
        let sql = "insert into consent_version (consent_no, version, at, operator, sealed) values ($1, $2, $3, $4, $5)";
        tx.execute(
            sql,
            params![
                number,
                version,
                self.shared.clock.now(),
                self.operator,
                sealed
            ],
        )
        .await?;
        Ok(())
    }

    async fn standing(&self, tx: &mut Tx, number: &ConsentNo) -> Result<Option<Standing>, Error> {
        let sql = "select c.patient, p.public_id, c.state, c.active_since, c.erase_at, c.digest from consent c \
                   join patient p on p.number = c.patient where c.consent_no = $1";
        let row: Option<(i64, Vec<u8>, i64, i64, i64, Vec<u8>)> =
            tx.fetch_optional(sql, params![number.to_string()]).await?;
        row.map(|(patient, public, state, active_since, erase_at, digest)| {
            Ok(Standing {
                patient: PatientNumber(patient),
                public: public_id(public)?,
                state: consent_state(state)?,
                active_since: Instant(active_since),
                erase_at: Instant(erase_at),
                digest,
            })
        })
        .transpose()
    }
}

impl Standing {
    const fn unchanged(&self) -> Entered {
        Entered {
            patient: self.patient,
            public: self.public,
            created: false,
            changed: false,
            state: self.state,
        }
    }

    const fn changed_to(&self, state: ConsentState) -> Entered {
        Entered {
            changed: true,
            state,
            ..self.unchanged()
        }
    }
}
