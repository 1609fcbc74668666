//! A tree feed at work: it sweeps again and again, and back-fills what new papers open.

use std::time::Duration;

use store::Error;

use super::Tree;
use crate::Progress;
use crate::report::Report;

/// How often papers are asked for back-fills.
const BACK_FILLS_EVERY: Duration = Duration::from_millis(250);
/// After a failure a feed waits, twice as long each time, at most so long.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

impl Tree {
    /// Sweeps, and lets status and metrics know.
    pub(crate) async fn sweep_and_tell(&self, progress: Progress<'_>) -> Result<Report, Error> {
        let (feed, jobs) = (&self.feed, self.store.jobs());
        let swept = self.sweep(progress).await;
        let up = if swept.is_ok() { 1.0 } else { 0.0 };
        metrics::gauge!("musubi_source_up", "feed" => feed.id.clone()).set(up);
        let report = match swept {
            Ok(report) => report,
            Err(error) => {
                // For the status of other processes; the database may be what is away.
                let _ = jobs.feed_failed(&feed.id).await;
                return Err(error);
            }
        };
        jobs.feed_swept(&feed.id, report.files(), report.withheld)
            .await?;
        let intake = self.store.intake();
        intake.noticed(&feed.id, &report.noticed).await?;
        if report.files() + report.moved > 0 {
            tracing::info!(
                feed = %feed.id, patients = report.patients, read = report.read, kept = report.kept,
                withheld = report.withheld, moved = report.moved, "swept"
            );
        }
        Ok(report)
    }

    /// Sweeps again and again.
    pub(crate) async fn keep_sweeping(&self, every: Duration) {
        let jobs = self.store.jobs();
        let (mut wait, mut fails) = (every, false);
        loop {
            let swept = self.sweep_and_tell(&|_, _| {}).await;
            jobs.set_stalled(&self.feed.id, swept.is_err());
            match swept {
                Ok(_) => {
                    wait = every;
                    if std::mem::take(&mut fails) {
                        tracing::info!("the storage is swept again");
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        tracing::error!(%error, "sweep failed; the feed waits and tries again");
                    }
                    wait = (wait * 2).min(LONGEST_WAIT.max(every));
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Back-fills patients as papers ask for it.
    pub(crate) async fn keep_back_filling(&self) {
        let (mut wait, mut fails) = (BACK_FILLS_EVERY, false);
        loop {
            match self.back_fill_all().await {
                Ok(()) => (wait, fails) = (BACK_FILLS_EVERY, false),
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        tracing::warn!(%error, "back-fill waits");
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn back_fill_all(&self) -> Result<(), Error> {
        let (feed, jobs) = (&self.feed, self.store.jobs());
        for patient in jobs.back_fills(&feed.facility).await? {
            let begun = self.store.clock().now();
            let report = self.backfill(patient).await?;
            if report.waiting > 0 {
                // Erased or not introduced yet; what follows from the papers decides whether it comes again.
                continue;
            }
            jobs.back_filled(&[patient], &feed.facility, begun).await?;
            tracing::info!(feed = %feed.id, read = report.read, withheld = report.withheld, "back-filled a patient");
        }
        Ok(())
    }
}
