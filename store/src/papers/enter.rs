//! Consents: entered, and put in force when somebody has checked them.

use model::id::{PatientId, PatientNumber, PersonId};
use model::papers::{ConsentNo, ConsentPaper, ConsentState};
use model::time::Instant;

use super::desk::{Desk, Later, Standing};
use super::evidence::Tokens;
use super::ledger::{Kept, Ledger};
use super::outbox::{Post, post};
use super::{
    Conflict, Disagreement, Entered, Entry, PaperError, Papers, basis, link, public_id, rules,
};
use crate::audit::Action;
use crate::db::{Tx, params};
use crate::error::Error;
use crate::seal::random;

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
}

impl Desk<'_> {
    pub(super) async fn enter(
        &self,
        tx: &mut Tx,
        paper: &ConsentPaper,
        entry: Entry,
    ) -> Result<Entered, PaperError> {
        basis::may_open(self.shared, tx).await?;
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

    /// A patient known already, if the papers of that patient agree with this one in birth date and
    /// name: a mistyped local id must not join two people. Papers count as long as they stand, or as
    /// there may be data that they brought.
    pub(super) async fn same_person(
        &self,
        tx: &mut Tx,
        patient: PatientNumber,
        paper: &ConsentPaper,
    ) -> Result<(PatientNumber, PatientId), PaperError> {
        let ledger = Ledger::load(self.shared, tx, patient).await?;
        let who = |paper: &ConsentPaper| {
            let tokens = Tokens::on(&self.shared.keys, paper, self.fold);
            (tokens.birth_date, tokens.kana)
        };
        let counts = |kept: &&Kept| {
            kept.stands()
                || (kept.may_have_left_data() && ledger.has_proved_link(self.shared, &kept.paper))
        };
        let mut counting = ledger.consents.iter().filter(counts);
        if !counting.all(|kept| who(&kept.paper) == who(paper)) {
            return Err(Conflict::of(Disagreement::OtherPerson, [patient]));
        }
        let sql = "select public_id from patient where number = $1";
        let row: Option<(Vec<u8>,)> = tx.fetch_optional(sql, params![patient]).await?;
        let (public,) = row.ok_or(Error::Corrupt("link without patient"))?;
        Ok((patient, public_id(public)?))
    }

    async fn check(&self, tx: &mut Tx, number: &ConsentNo) -> Result<Entered, PaperError> {
        basis::may_open(self.shared, tx).await?;
        let known = self
            .standing(tx, number)
            .await?
            .ok_or(PaperError::NotFound)?;
        match known.state {
            ConsentState::Signed => {
                let ledger = Ledger::load(self.shared, tx, known.patient).await?;
                self.activate(tx, &known, ledger.paper(number)?).await
            }
            ConsentState::Active => Ok(known.unchanged()),
            ConsentState::Withdrawn | ConsentState::Expired | ConsentState::Erased => {
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
}
