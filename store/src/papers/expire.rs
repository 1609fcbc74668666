//! The end of consents that no paper ends: the regulation keeps data no longer than somebody looks
//! at them.

use model::id::{PatientNumber, PersonId};
use model::papers::{ConsentNo, ConsentState};
use model::time::Instant;

use super::desk::Later;
use super::ledger::Ledger;
use super::outbox::{Post, post};
use super::{Papers, basis};
use crate::audit::Action;
use crate::db::params;
use crate::error::Error;

impl Papers {
    /// The patients of whom data are kept, with the moment at which the newest of the papers that
    /// hold them came in force. A withdrawal that is to be erased anyway holds nothing.
    pub(crate) async fn holding(&self) -> Result<Vec<(PatientNumber, Instant)>, Error> {
        let sql = "select patient, max(active_since) from consent where active_since <> 0 \
                   and (state = $1 or (state = $2 and erase_at = 0)) group by patient order by patient";
        let states = params![ConsentState::Active as i64, ConsentState::Withdrawn as i64];
        let rows: Vec<(i64, i64)> = self.shared().office.fetch_all(sql, states).await?;
        let patient = |(patient, since)| (PatientNumber(patient), Instant(since));
        Ok(rows.into_iter().map(patient).collect())
    }

    /// Ends every consent that holds data of a patient: the door is shut with this transaction, and
    /// the data are erased at once.
    pub(crate) async fn expire(&self, patient: PatientNumber) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        // An outdated regulation may keep data shorter than the one in force.
        basis::may_open(self.shared(), &mut tx).await?;
        // The machine does it, because the regulation says so.
        let desk = self.desk(PersonId(0));
        let now = self.shared().clock.now();
        let ledger = Ledger::load(self.shared(), &mut tx, patient).await?;
        let holding = ledger.consents.iter().filter(|kept| {
            kept.holds_data(now)
                && (kept.state == ConsentState::Active || kept.erase_at == Instant(0))
        });
        let numbers: Vec<&ConsentNo> = holding.map(|kept| &kept.paper.consent_no).collect();
        for number in &numbers {
            let text = number.to_string();
            let sql = "update consent set state = $2, erase_at = $3 where consent_no = $1";
            let expired = ConsentState::Expired as i64;
            tx.execute(sql, params![text.as_str(), expired, now])
                .await?;
            desk.add_later(&mut tx, &text, &Later::Expired).await?;
            desk.conclude(&mut tx, patient, Action::ConsentExpired, number)
                .await?;
        }
        if !numbers.is_empty() {
            post(self.shared(), &mut tx, patient, Post::Erase, now).await?;
        }
        tx.commit().await
    }
}
