//! `musubi ingest --once`: sweep feeds without serving.

use std::path::Path;

use clap::Args;
use ingest::{Ingest as Feeds, Report};
use serde_json::json;

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;

/// Sweep one feed, or all, once
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi ingest --once                     all active feeds
  musubi ingest demo-hospital --once       one feed")]
pub(crate) struct Ingest {
    /// Id of the feed; all active ones when absent
    feed: Option<String>,
    /// Sweep once and end (`musubi serve` sweeps again and again)
    #[arg(long, required = true)]
    once: bool,
}

impl Ingest {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        debug_assert!(self.once);
        let opened = Opened::new(config).await?;
        let swept = once(&opened, output, self.feed.as_deref()).await;
        opened.close().await;
        let report = swept?;
        output.json(&json!({ "schema": "musubi-ingest/1", "report": report }));
        say(output, &report);
        if report.failed_errands > 0 {
            output.error(format_args!(
                "{} errands of papers failed and are kept; `musubi status` says since when",
                report.failed_errands
            ));
        }
        let good = report.withheld == 0
            && report.closed_links == 0
            && report.damaged == 0
            && report.failed_errands == 0
            && !report.paused;
        Ok(if good { Exit::Good } else { Exit::Findings })
    }
}

/// Sweeps with a progress bar.
pub(crate) async fn once(
    opened: &Opened,
    output: Output,
    feed: Option<&str>,
) -> anyhow::Result<Report> {
    crate::serve::recompute(&opened.papers()).await?;
    let bar = output.progress("patients", 0);
    let show = |done: usize, total: usize| {
        bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
    };
    let report = Feeds::new(opened.store.clone(), opened.config.max_item)
        .once(feed, &show)
        .await;
    bar.finish_and_clear();
    match report {
        Err(store::Error::NotFound) => {
            anyhow::bail!("there is no such active feed; `musubi status` lists them")
        }
        other => Ok(other?),
    }
}

fn say(output: Output, report: &Report) {
    output.line(format_args!(
        "{} patients: {} files read, {} kept only, {} withheld, {} renamed or vanished",
        report.patients, report.read, report.kept, report.withheld, report.moved
    ));
    if report.unproved_links > 0 {
        output.line(format_args!(
            "{} local ids wait for the facility's demographics",
            report.unproved_links
        ));
    }
    if report.closed_links > 0 {
        output.line(format_args!(
            "{} local ids disagree with the papers; `musubi status` lists the tasks",
            report.closed_links
        ));
    }
    if report.damaged > 0 {
        output.line(format_args!(
            "of {} patients what is kept does not open: restore it from the backup",
            report.damaged
        ));
    }
    if report.paused {
        output.line(
            "too much would be taken away at once: losses are paused until `musubi feed resume FEED`",
        );
    }
}
