//! `musubi audit`: is it whole, and what does it say.

use std::path::Path;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use model::time::Instant;
use serde_json::json;
use store::{AuditAction, Event, Verdict};

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;

/// Look into the audit
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi audit verify              is every chain whole? exit 0 yes, 1 no
  musubi audit verify --json       altered | gap | truncated | fork | signature, by writer
  musubi audit show --from 2026-04-01 --to 2026-04-02 --as secretary")]
pub(crate) struct Audit {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Walk all chains and compare their ends with both signed heads
    Verify,
    /// Print rows of a period; reading the audit is audited itself
    Show {
        /// First day
        #[arg(long, value_name = "DATE")]
        from: Option<Date>,
        /// Day after the last
        #[arg(long, value_name = "DATE")]
        to: Option<Date>,
        /// At most so many rows
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// Login of the person who looks
        #[arg(long = "as", value_name = "LOGIN")]
        operator: String,
    },
}

impl Audit {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let opened = Opened::new(config).await?;
        let exit = match self.command {
            Command::Verify => verify(&opened, output).await,
            Command::Show {
                from,
                to,
                limit,
                operator,
            } => show(&opened, output, from, to, limit, &operator).await,
        };
        opened.close().await;
        exit
    }
}

async fn verify(opened: &Opened, output: Output) -> anyhow::Result<Exit> {
    let verdict: Verdict = opened.store.audit().verify().await?;
    let rows: i64 = verdict.writers.iter().map(|walk| walk.rows).sum();
    let writers: Vec<_> = verdict
        .writers
        .iter()
        .map(|walk| {
            json!({
                "writer": format!("{:016x}", walk.writer),
                "rows": walk.rows,
                "damage": walk.damage.map(|(damage, _)| damage),
                "at": walk.damage.map(|(_, seq)| seq),
            })
        })
        .collect();
    output.json(&json!({
        "schema": "musubi-audit-verify/1",
        "good": verdict.is_good(),
        "rows": rows,
        "writers": writers,
    }));
    for walk in &verdict.writers {
        if let Some((damage, seq)) = walk.damage {
            output.line(format_args!(
                "writer {:016x}: {damage:?} at row {seq}",
                walk.writer
            ));
        }
    }
    let count = verdict.writers.len();
    if verdict.is_good() {
        output.line(format_args!("good: {rows} rows of {count} writers"));
        return Ok(Exit::Good);
    }
    output.line(
        "the audit is not whole: keep all four databases as they are and tell the audit officer",
    );
    Ok(Exit::Findings)
}

async fn show(
    opened: &Opened,
    output: Output,
    from: Option<Date>,
    to: Option<Date>,
    limit: u32,
    operator: &str,
) -> anyhow::Result<Exit> {
    let person = crate::person::operator(&opened.store, operator).await?;
    let from = from.map_or(Instant::MIN, Instant::start_of);
    let to = to.map_or(Instant::MAX, Instant::start_of);
    opened
        .store
        .audit()
        .record(Event::new(AuditAction::AuditRead).by_person(person))
        .await?;
    let rows = opened.store.audit().rows(from, to, limit).await?;
    output.json(&json!({ "schema": "musubi-audit-show/1", "rows": rows }));
    let cell = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            let answer = if row.permitted {
                format!("{} given", row.count)
            } else {
                "refused".to_owned()
            };
            vec![
                row.at.clone(),
                serde_json::to_value(row.action)
                    .ok()
                    .and_then(|word| word.as_str().map(str::to_owned))
                    .unwrap_or_default(),
                format!("person {}", row.person),
                cell(&row.role),
                cell(&row.patient),
                answer,
                cell(&row.reason),
            ]
        })
        .collect();
    output.table(&table);
    Ok(Exit::Good)
}
