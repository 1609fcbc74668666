//! Keeping data no longer than the regulation says (`retention.*`). Who looked last is read from the
//! audit; data that nobody looked at count from their arrival.

use model::id::PatientNumber;
use model::time::Instant;

use super::Jobs;
use crate::db::params;
use crate::error::Error;
use crate::papers::Papers;

/// The audit notes one view of a patient a day, the first. A day on top makes sure that nothing goes
/// too early.
const VIEWS_ARE_NOTED_EVERY: i64 = 24 * 60 * 60;

impl Jobs {
    /// Ends the consents of patients whose data the regulation keeps no longer; what erases them is
    /// the next [`Jobs::follow`]. To be called once a day. Returns how many patients it were.
    ///
    /// # Errors
    /// When a database does not answer; the next call does the rest.
    pub async fn retain(&self, papers: &Papers) -> Result<usize, Error> {
        let mut ended = 0;
        for (patient, since) in papers.holding().await? {
            // The day of the newest paper is cheap to tell, and most patients have one that is new.
            if !self.is_over(since) {
                continue;
            }
            let seen = self.store.0.audit.last_view(patient).await?;
            let arrived = self.arrived(patient).await?;
            let Some(last) = seen.max(arrived) else {
                continue;
            };
            if self.is_over(last) {
                papers.expire(patient).await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Whether data that were last looked at then are to go now.
    fn is_over(&self, last: Instant) -> bool {
        let now = self.store.0.clock.now();
        let retention = &self.store.0.network.profile.retention;
        let day_is_over = retention.until.is_some_and(|day| now.day() > day);
        let noted = last.plus_seconds(VIEWS_ARE_NOTED_EVERY);
        let unseen = retention.after_last_view.after(noted);
        day_is_over || unseen.is_some_and(|end| end <= now)
    }

    /// When the first of a patient's data came; nothing when there are none. A file without records
    /// does not say when it came, and counts from its paper.
    async fn arrived(&self, patient: PatientNumber) -> Result<Option<Instant>, Error> {
        let records = &self.store.0.records;
        let sql = "select coalesce(min(accepted_at), 0), count(*) from record where patient = $1";
        let (first, count): (i64, i64) = records
            .fetch_optional(sql, params![patient])
            .await?
            .unwrap_or_default();
        if count > 0 {
            return Ok(Some(Instant(first)));
        }
        let sql = "select patient from item where patient = $1 limit 1";
        let item: Option<(i64,)> = records.fetch_optional(sql, params![patient]).await?;
        Ok(item.map(|_| Instant(0)))
    }
}
