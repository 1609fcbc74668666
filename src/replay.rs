//! `musubi replay`: read what is kept once more, with the program of today.

use std::path::Path;

use anyhow::Context;
use clap::Args;
use ingest::{Counts, Ingest, Replayed, Scope};
use model::id::{FacilityId, PatientId};
use serde_json::json;
use store::{AuditAction, Event};

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;

/// Read what is kept once more, with today's program
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi replay                            what would change, by kind and count; writes nothing
  musubi replay --facility 1319999901
  musubi replay --apply --as admin --reason 'release 1.4 reads routes'
                                           the same, then write it; done twice it changes nothing

Nothing is fetched from a hospital and nobody is answered: the bytes are those that are kept. A
running `musubi serve` goes on meanwhile. Exit code 1: something would change.")]
pub(crate) struct Replay {
    /// Only items of this facility
    #[arg(long, value_name = "CODE")]
    facility: Option<FacilityId>,
    /// Only items of this patient (the network's id)
    #[arg(long, value_name = "ID")]
    patient: Option<PatientId>,
    /// Write what reads otherwise
    #[arg(long, requires_all = ["operator", "reason"])]
    apply: bool,
    /// Login of the person who asks for it
    #[arg(long = "as", value_name = "LOGIN")]
    operator: Option<String>,
    /// Why; stands in the audit
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Replay {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let opened = Opened::new(config).await?;
        let exit = self.act(&opened, output).await;
        opened.close().await;
        exit
    }

    async fn act(&self, opened: &Opened, output: Output) -> anyhow::Result<Exit> {
        let person = match &self.operator {
            Some(login) => Some(crate::person::operator(&opened.store, login).await?),
            None => None,
        };
        let plan = self.pass(opened, output, false).await?;
        say(output, &plan);
        let mut written = None;
        if let (true, Some(person)) = (self.apply && !plan.is_unchanged(), person) {
            let audit = opened.store.audit();
            let reason = self.reason.as_deref().unwrap_or_default();
            let plan = serde_json::to_string(&plan)?;
            let event = Event::new(AuditAction::Replayed).by_person(person);
            audit
                .record(event.with(format!("{reason}; {plan}")))
                .await?;
            let done = self.pass(opened, output, true).await?;
            output.line("written");
            written = Some(done);
        }
        output.json(&json!({
            "schema": "musubi-replay/1", "plan": plan, "written": written,
        }));
        let good = plan.is_unchanged() || written.is_some();
        let left = written.as_ref().unwrap_or(&plan).left;
        Ok(if good && left == 0 {
            Exit::Good
        } else {
            Exit::Findings
        })
    }

    async fn pass(&self, opened: &Opened, output: Output, apply: bool) -> anyhow::Result<Replayed> {
        let bar = output.progress("patients", 0);
        let show = |done: usize, total: usize| {
            bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        };
        let scope = Scope {
            facility: self.facility.clone(),
            patient: self.patient,
        };
        let feeds = Ingest::new(opened.store.clone(), opened.config.max_item);
        let replayed = feeds.replay(&scope, apply, &show).await;
        bar.finish_and_clear();
        replayed.context("read again what is kept")
    }
}

fn say(output: Output, plan: &Replayed) {
    output.line(format_args!(
        "{} items of {} patients read again, {} read otherwise",
        plan.items, plan.patients, plan.changed_items
    ));
    if plan.left > 0 {
        output.line(format_args!(
            "{} patients are left as they are: their papers have just changed, or what is kept does not open",
            plan.left
        ));
    }
    if plan.records.is_empty() {
        return;
    }
    let head = ["records", "added", "changed", "removed"].map(str::to_owned);
    let row = |(kind, counts): (&String, &Counts)| {
        let numbers = [counts.added, counts.changed, counts.removed].map(|count| count.to_string());
        std::iter::once(kind.clone())
            .chain(numbers)
            .collect::<Vec<_>>()
    };
    let rows = plan.records.iter().map(row);
    output.table(
        &std::iter::once(head.to_vec())
            .chain(rows)
            .collect::<Vec<_>>(),
    );
}
