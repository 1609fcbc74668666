//! `musubi status`: how feeds stand, and what waits for a person.

mod pushed;

use std::path::Path;

use anyhow::Context;
use clap::Args;
use normalize::lint::{RULES, Rule};
use serde_json::{Value, json};
use store::{AuditAction, Event, Failing, FeedStatus, Login, Origin, RuleCount, Task};

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;
use pushed::Pushed;

/// How feeds stand, and what waits for a person
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi status
  musubi status --json             for monitoring; exit 1 when something waits for a person
  musubi status --close 3 --as secretary
                                   somebody has looked at task 3")]
pub(crate) struct Status {
    /// Close a task that was looked at
    #[arg(long, value_name = "TASK", requires = "operator")]
    close: Option<i64>,
    /// Login of the person who looked
    #[arg(long = "as", value_name = "LOGIN")]
    operator: Option<String>,
}

impl Status {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let opened = Opened::new(config).await?;
        let exit = self.act(&opened, output).await;
        opened.close().await;
        exit
    }

    async fn act(self, opened: &Opened, output: Output) -> anyhow::Result<Exit> {
        if let (Some(task), Some(login)) = (self.close, &self.operator) {
            let person = crate::person::operator(&opened.store, login).await?;
            let papers = opened.papers();
            papers
                .close_task(task)
                .await
                .context("there is no such open task")?;
            let event = Event::new(AuditAction::TaskClosed).by_person(person);
            opened
                .store
                .audit()
                .record(event.of(format!("task {task}")))
                .await?;
        }
        show(opened, output).await
    }
}

async fn show(opened: &Opened, output: Output) -> anyhow::Result<Exit> {
    let jobs = opened.store.jobs();
    let intake = opened.store.intake();
    let mut feeds = Vec::new();
    let mut table = vec![
        [
            "feed",
            "state",
            "last sweep",
            "files",
            "withheld",
            "kept only",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut waits = false;
    let mut found = Vec::new();
    let mut receiving = Vec::new();
    for feed in opened.config.network.feeds.values() {
        let status = jobs.feed(&feed.id).await?;
        if feed.source.listen().is_some() {
            let reception = intake.reception(feed).await?;
            let counts = intake.findings(&feed.facility, Origin::Pushed).await?;
            found.extend(counts.into_iter().map(|count| (feed.id.as_str(), count)));
            let pushed = Pushed {
                feed,
                status,
                reception,
                items: intake.count(&feed.facility, Origin::Pushed).await?,
            };
            waits |= pushed.waits();
            receiving.push(pushed);
            continue;
        }
        let (files, withheld, kept) = intake.count(&feed.facility, Origin::Storage).await?;
        let counts = intake.findings(&feed.facility, Origin::Storage).await?;
        let (damaged, notices): (Vec<RuleCount>, Vec<RuleCount>) = intake
            .notices(&feed.id)
            .await?
            .into_iter()
            .partition(|notice| notice.rule == ingest::report::DAMAGED);
        let damaged: i64 = damaged.iter().map(|notice| notice.count).sum();
        found.extend(
            counts
                .into_iter()
                .chain(notices)
                .map(|count| (feed.id.as_str(), count)),
        );
        let state = state(&status, damaged);
        waits |= status.paused_since.is_some()
            || (!status.up && status.swept_at.is_some())
            || damaged > 0;
        let swept = status
            .swept_at
            .map_or_else(|| "never".to_owned(), |at| at.to_string());
        table.push(vec![
            feed.id.clone(),
            state.to_owned(),
            swept.clone(),
            files.to_string(),
            withheld.to_string(),
            kept.to_string(),
        ]);
        feeds.push(json!({
            "feed": feed.id, "facility": feed.facility, "state": state, "swept_at": swept, "up": status.up,
            "paused": status.paused_since.is_some(), "files": files, "withheld": withheld, "kept_only": kept,
            "damaged_patients": damaged,
        }));
    }
    let tasks = opened.papers().tasks().await?;
    let failing = jobs.failing().await?;
    waits |= !tasks.is_empty() || failing.is_some();
    output.json(&json!({
        "schema": "musubi-status/1",
        "feeds": feeds,
        "pushed": receiving.iter().map(Pushed::json).collect::<Vec<_>>(),
        "findings": found.iter().map(|(feed, count)| finding(feed, count)).collect::<Vec<_>>(),
        "tasks": tasks.len(),
        "waiting": tasks.iter().map(waiting).collect::<Vec<_>>(),
        "failed_errands": failing.map(|failing| json!({
            "patients": failing.patients, "since": failing.since.to_string(),
        })),
    }));
    output.table(&table);
    pushed::say(output, &receiving, text_of);
    say(output, failing, &found, &tasks);
    Ok(if waits { Exit::Findings } else { Exit::Good })
}

/// What stands below the table of feeds.
fn say(output: Output, failing: Option<Failing>, found: &[(&str, RuleCount)], tasks: &[Task]) {
    if let Some(failing) = failing {
        output.line(format_args!(
            "\nerrands of papers, or erasings, fail: of {} patients, since {}; the log says why",
            failing.patients, failing.since
        ));
    }
    if !found.is_empty() {
        output.line("\nfindings");
        let head = ["feed", "rule", "count", "last", ""]
            .map(str::to_owned)
            .to_vec();
        let rows = found.iter().map(|(feed, count)| {
            vec![
                (*feed).to_owned(),
                count.rule.clone(),
                count.count.to_string(),
                count.last.to_string(),
                text_of(&count.rule),
            ]
        });
        output.table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    }
    if !tasks.is_empty() {
        output.line("\nwaiting for a person");
        let rows = tasks.iter().map(|task| {
            vec![
                task.at.to_string(),
                task.kind.name().to_owned(),
                format!("task {}", task.id),
                about(task),
            ]
        });
        output.table(&rows.collect::<Vec<_>>());
    }
}

/// In one word how a feed stands; `damaged` are the patients whose kept data do not open.
const fn state(status: &FeedStatus, damaged: i64) -> &'static str {
    match (&status.paused_since, status.up) {
        (Some(_), _) => "losses paused: look, then `musubi feed resume FEED`",
        (None, true) if damaged > 0 => "kept data damaged",
        (None, true) => "running",
        (None, false) if status.swept_at.is_none() => "never swept",
        (None, false) => "source cannot be read",
    }
}

fn finding(feed: &str, found: &RuleCount) -> Value {
    json!({
        "feed": feed,
        "rule": found.rule,
        "severity": rule(&found.rule).map(|rule| rule.severity),
        "count": found.count,
        "last": found.last.to_string(),
    })
}

fn waiting(task: &Task) -> Value {
    json!({
        "id": task.id,
        "at": task.at.to_string(),
        "kind": task.kind.name(),
        "patient": task.patient.map(|patient| patient.to_string()),
        "facility": task.facility,
        "account": task.account.as_ref().map(Login::as_str),
    })
}

/// Whom a task is about, and what to do where there is a command for it.
fn about(task: &Task) -> String {
    match (&task.account, task.patient) {
        (Some(login), _) => format!("account {login}: `musubi user unlock {login} --reason TEXT`"),
        (None, Some(patient)) => format!("patient {patient}"),
        (None, None) => String::new(),
    }
}

fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|known| known.id == id)
}

/// What a rule says, in both languages.
fn text_of(id: &str) -> String {
    rule(id).map_or_else(String::new, |known| format!("{} ({})", known.ja, known.en))
}
