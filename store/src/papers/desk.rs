//! Where papers are worked on: one operator, one transaction, and what every change ends with.

use model::id::{PatientId, PatientNumber, PersonId};
use model::papers::{ConsentNo, ConsentState, WithdrawalPaper};
use model::time::Instant;
use serde::Serialize;

use super::follow::{follow, next_epoch};
use super::ledger::{consent_state, version_place};
use super::outbox::{Note, Post, post};
use super::{Entered, Fold, PaperError, Papers, public_id};
use crate::Shared;
use crate::audit::Action;
use crate::db::{Tx, params};
use crate::error::Error;

/// What happened to a consent after it was entered; a version of its own, like the form itself.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Later<'a> {
    Checked,
    Withdrawn(&'a WithdrawalPaper),
    Restored,
    Expired,
}

type StandingRow = (i64, Vec<u8>, i64, i64, i64, Vec<u8>);

/// Where a consent stands, and whose it is.
pub(super) struct Standing {
    pub(super) patient: PatientNumber,
    pub(super) public: PatientId,
    pub(super) state: ConsentState,
    pub(super) active_since: Instant,
    pub(super) erase_at: Instant,
    pub(super) digest: Vec<u8>,
}

/// One paper at the desk.
pub(super) struct Desk<'a> {
    pub(super) shared: &'a Shared,
    pub(super) fold: Fold,
    pub(super) operator: PersonId,
}

impl Papers {
    pub(super) fn desk(&self, operator: PersonId) -> Desk<'_> {
        Desk {
            shared: self.shared(),
            fold: self.fold,
            operator,
        }
    }

    pub(super) async fn finish(
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
    /// Grants, epoch and audit: the end of every change.
    pub(super) async fn conclude(
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

    pub(super) async fn add_later(
        &self,
        tx: &mut Tx,
        number: &str,
        later: &Later<'_>,
    ) -> Result<(), Error> {
        let plain =
            serde_json::to_vec(later).map_err(|error| Error::Other("paper", error.into()))?;
        self.add_version(tx, number, &plain).await
    }

    /// Versions are immutable: every paper is a row of its own.
    pub(super) async fn add_version(
        &self,
        tx: &mut Tx,
        number: &str,
        plain: &[u8],
    ) -> Result<(), Error> {
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

    pub(super) async fn standing(
        &self,
        tx: &mut Tx,
        number: &ConsentNo,
    ) -> Result<Option<Standing>, Error> {
        let sql = "select c.patient, p.public_id, c.state, c.active_since, c.erase_at, c.digest from consent c \
                   join patient p on p.number = c.patient where c.consent_no = $1";
        let row: Option<StandingRow> = tx.fetch_optional(sql, params![number.to_string()]).await?;
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
    pub(super) const fn unchanged(&self) -> Entered {
        Entered {
            patient: self.patient,
            public: self.public,
            created: false,
            changed: false,
            state: self.state,
        }
    }

    pub(super) const fn changed_to(&self, state: ConsentState) -> Entered {
        Entered {
            changed: true,
            state,
            ..self.unchanged()
        }
    }
}
