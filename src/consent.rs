//! `musubi consent`: papers by command.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use model::papers::{ConsentNo, ConsentPaper, ConsentState, WithdrawalPaper};
use serde_json::{Value, json};
use store::{AuditAction, Entered, Entry, Event, ImportError, PaperError, Papers, Wrong};

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;
use crate::person::secretary;

/// Enter, check, withdraw and show consents
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi consent import consents.csv --as secretary
  musubi consent add --as secretary 'C-0001,C-1,1,2026-04-01,見本花子,self,ミホンハナコ,1948-04-15,female,1319999901:0000123456,1319999901,*,*,2026-04-01,,説明者,事務局'
  musubi consent withdraw C-0001 --on 2026-05-01 --signer 見本花子 --relation self --identity-check 運転免許証 --as secretary
  musubi consent show C-0001 --as secretary --json

The columns of a consent and of a withdrawal stand in docs/operations.md. Without --on, --signer,
--relation and --identity-check a withdrawal is incomplete: it stops viewing now, and deletes when it
is completed by a further call.")]
pub(crate) struct Consent {
    #[command(subcommand)]
    command: Command,
}

/// Who does it.
#[derive(Args)]
struct By {
    /// Login of the secretary who enters or looks
    #[arg(long = "as", value_name = "LOGIN")]
    login: String,
}

#[derive(Subcommand)]
enum Command {
    /// Enter one consent, as a line of the CSV form, in force at once
    Add {
        /// The line
        line: String,
        /// Enter it as signed only; `musubi consent check` puts it in force
        #[arg(long)]
        unchecked: bool,
        #[command(flatten)]
        by: By,
    },
    /// Put a signed consent in force
    Check {
        /// Number of the form
        consent_no: ConsentNo,
        #[command(flatten)]
        by: By,
    },
    /// Enter many consents or withdrawals; nothing is applied if a line is bad
    Import {
        /// CSV file in UTF-8
        file: PathBuf,
        #[command(flatten)]
        by: By,
    },
    /// End a consent: viewing stops at once
    Withdraw(Withdraw),
    /// Take a withdrawal back, inside the network's hold
    Restore {
        /// Number of the form
        consent_no: ConsentNo,
        #[command(flatten)]
        by: By,
    },
    /// Show a consent
    Show {
        /// Number of the form
        consent_no: ConsentNo,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Args)]
struct Withdraw {
    /// Number of the form
    consent_no: ConsentNo,
    /// Day of the withdrawal
    #[arg(long, value_name = "DATE")]
    on: Option<jiff::civil::Date>,
    /// Who signed
    #[arg(long)]
    signer: Option<String>,
    /// Relation of the signer to the patient
    #[arg(long)]
    relation: Option<String>,
    /// How the signer's identity was checked
    #[arg(long)]
    identity_check: Option<String>,
    #[command(flatten)]
    by: By,
}

impl Command {
    const fn by(&self) -> &By {
        match self {
            Self::Withdraw(withdraw) => &withdraw.by,
            Self::Add { by, .. }
            | Self::Check { by, .. }
            | Self::Import { by, .. }
            | Self::Restore { by, .. }
            | Self::Show { by, .. } => by,
        }
    }
}

impl Consent {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let opened = Opened::new(config).await?;
        let exit = self.act(&opened, output).await;
        opened.close().await;
        exit
    }

    async fn act(self, opened: &Opened, output: Output) -> anyhow::Result<Exit> {
        let operator = secretary(&opened.store, &self.command.by().login).await?;
        let papers = opened.papers();
        crate::serve::recompute(&papers).await?;
        let entered = match self.command {
            Command::Add {
                line, unchecked, ..
            } => {
                let file = format!("{}\n{line}\n", ConsentPaper::FIELDS.join(","));
                let entry = if unchecked {
                    Entry::Signed
                } else {
                    Entry::Active
                };
                return imported(
                    papers
                        .import(operator, "consent", file.as_bytes(), entry)
                        .await,
                    output,
                );
            }
            Command::Import { file, .. } => {
                let bytes =
                    std::fs::read(&file).with_context(|| format!("read {}", file.display()))?;
                let name = file.display().to_string();
                return imported(
                    papers.import(operator, &name, &bytes, Entry::Active).await,
                    output,
                );
            }
            Command::Show { consent_no, .. } => {
                // Who looked stands in the audit before they see anything, as over HTTP.
                let event = Event::new(AuditAction::Read).by_person(operator);
                let audit = opened.store.audit();
                audit.record(event.of(consent_no.to_string())).await?;
                return show(&papers, &consent_no, output).await;
            }
            Command::Check { consent_no, .. } => papers.check(operator, &consent_no).await,
            Command::Withdraw(withdraw) => papers.withdraw(operator, &withdraw.paper()).await,
            Command::Restore { consent_no, .. } => papers.restore(operator, &consent_no).await,
        };
        match entered {
            Ok(entered) => say(entered, output),
            Err(error) => return refused(error, output),
        }
        Ok(Exit::Good)
    }
}

impl Withdraw {
    fn paper(self) -> WithdrawalPaper {
        WithdrawalPaper {
            consent_no: self.consent_no,
            withdrawn_on: self.on,
            signer: self.signer,
            relation: self.relation,
            identity_check: self.identity_check,
        }
    }
}

fn say(entered: Entered, output: Output) {
    output.json(&json!({
        "schema": "musubi-consent/1",
        "patient": entered.public.to_string(),
        "state": entered.state,
        "changed": entered.changed,
    }));
    let what = match entered.state {
        ConsentState::Signed => "signed; `musubi consent check` puts it in force",
        ConsentState::Active => "in force",
        ConsentState::Withdrawn => "withdrawn: nothing is readable through it any more",
        ConsentState::Expired => "ended by the regulation: nobody looked at the data any more",
        ConsentState::Erased => "erased",
    };
    output.line(what);
}

fn imported(
    imported: Result<store::Imported, ImportError>,
    output: Output,
) -> anyhow::Result<Exit> {
    match imported {
        Ok(done) => {
            output.json(&json!({
                "schema": "musubi-consent-import/1",
                "changed": done.changed, "unchanged": done.unchanged, "introduced": done.introduced, "mistakes": [],
            }));
            output.line(format_args!(
                "{} entered, {} known before, {} patients introduced",
                done.changed, done.unchanged, done.introduced
            ));
            Ok(Exit::Good)
        }
        Err(ImportError::Mistakes(mistakes)) => {
            let listed: Vec<Value> = mistakes
                .iter()
                .map(|mistake| json!({ "line": mistake.line, "column": mistake.column, "message": mistake.message, "help": mistake.help }))
                .collect();
            output.json(&json!({
                "schema": "musubi-consent-import/1",
                "changed": 0, "unchanged": 0, "introduced": 0, "mistakes": listed,
            }));
            mistakes.iter().for_each(|mistake| output.error(mistake));
            output.error("nothing was entered");
            Ok(Exit::Findings)
        }
        Err(ImportError::Store(error)) => Err(error.into()),
    }
}

async fn show(papers: &Papers, number: &ConsentNo, output: Output) -> anyhow::Result<Exit> {
    let shown = match papers.show(number).await {
        Ok(shown) => shown,
        Err(error) => return refused(error, output),
    };
    let links: Vec<Value> = shown
        .links
        .iter()
        .map(|(local, state)| json!({ "facility": local.facility, "id": local.id.reveal(), "state": state }))
        .collect();
    output.json(&json!({
        "schema": "musubi-consent-show/1",
        "paper": shown.paper,
        "state": shown.state,
        "patient": shown.patient.to_string(),
        "active_since": shown.active_since.map(|at| at.to_string()),
        "withdrawn_at": shown.withdrawn_at.map(|at| at.to_string()),
        "erase_at": shown.erase_at.map(|at| at.to_string()),
        "links": links,
    }));
    let paper = &shown.paper;
    let state = serde_json::to_value(shown.state)?;
    let mut rows = vec![
        ["consent", &paper.consent_no.to_string()]
            .map(str::to_owned)
            .to_vec(),
        ["state", state.as_str().unwrap_or_default()]
            .map(str::to_owned)
            .to_vec(),
        ["patient", &shown.patient.to_string()]
            .map(str::to_owned)
            .to_vec(),
        ["kana", &paper.kana].map(str::to_owned).to_vec(),
        ["born", &paper.birth_date.to_string()]
            .map(str::to_owned)
            .to_vec(),
        ["from", &paper.from.to_string()]
            .map(str::to_owned)
            .to_vec(),
        [
            "to",
            &paper
                .to
                .map_or_else(|| "open".to_owned(), |to| to.to_string()),
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for (local, state) in &shown.links {
        let state = serde_json::to_value(state)?;
        let id = format!("{}:{}", local.facility, local.id.reveal());
        rows.push(vec![
            "local id".to_owned(),
            id,
            state.as_str().unwrap_or_default().to_owned(),
        ]);
    }
    output.table(&rows);
    Ok(Exit::Good)
}

fn refused(error: PaperError, output: Output) -> anyhow::Result<Exit> {
    let text = match &error {
        PaperError::Store(_) => return Err(error.into()),
        PaperError::Wrong(wrongs) => {
            let field = |wrong: &Wrong| format!("\n  {}: {}", wrong.field, wrong.message);
            format!("{error}{}", wrongs.iter().map(field).collect::<String>())
        }
        PaperError::Conflict(_) | PaperError::NotFound => error.to_string(),
    };
    output.failure(text);
    Ok(Exit::Findings)
}
