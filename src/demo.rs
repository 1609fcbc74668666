//! `musubi demo`: the sample network with the sample hospital, real from end to end: papers are
//! entered, the storage is ingested, people sign in. Loopback only.

mod people;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use auth::{Auth, Front};
use clap::{Args, Subcommand};
use model::papers::{ConsentNo, ConsentState};
use store::{Entry, ImportError, Papers};

use crate::Exit;
use crate::opened::Opened;
use crate::output::Output;
use crate::serve::{self, Role};

use people::People;

/// The consent of the patient whom the clinic may see and the pharmacy may not.
const CLINIC_ONLY: &str = "C-2024-0001";

/// Start the sample network, or show a demo person's one-time code
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi demo                      serves until stopped; started again it continues with its data
  musubi demo code physician       the current one-time code of a demo person")]
pub(crate) struct Demo {
    #[command(subcommand)]
    command: Option<Command>,
    /// Folder of the sample papers
    #[arg(long, value_name = "FOLDER", default_value = "samples")]
    samples: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Print the current one-time code of a demo person
    Code {
        /// Account name
        login: String,
    },
}

impl Demo {
    pub(crate) async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let config = crate::config::load(config)?.checked()?;
        ensure!(
            config.listen.ip().is_loopback(),
            "the demo has known accounts: it listens on loopback only"
        );
        ensure!(
            config.front == Front::default(),
            "the demo has known accounts: it stands behind no proxy"
        );
        let secrets = config.data.join("demo.txt");
        if let Some(Command::Code { login }) = self.command {
            output.line(People::read(&secrets)?.code(&login)?);
            return Ok(Exit::Good);
        }
        let opened = Opened::of(config).await?;
        let stop = serve::signals()?;
        let prepared = prepare(&opened, &self.samples, &secrets, output).await;
        let served = match prepared {
            Ok(story) => {
                let roles = [Role::Serve, Role::Office, Role::Ingest];
                serve::serve(&opened, &roles, output, stop, |address| {
                    story.tell(address, output)
                })
                .await
            }
            Err(error) => Err(error),
        };
        opened.close().await;
        served.map(|()| Exit::Good)
    }
}

/// What the demo shows.
struct Story {
    people: People,
    physician: String,
    pharmacist: String,
    patient: String,
    results: i64,
    withdrawn: bool,
    first: bool,
}

async fn prepare(
    opened: &Opened,
    samples: &Path,
    secrets: &Path,
    output: Output,
) -> anyhow::Result<Story> {
    let papers = opened.papers();
    serve::recompute(&papers).await?;
    let auth = Auth::new(&opened.store);
    let first = !secrets.exists();
    let mut people = if first {
        People::enrol(&auth, secrets).await?
    } else {
        People::read(secrets)?
    };
    let secretary = crate::person::secretary(&opened.store, "secretary").await?;
    for file in ["demo-consents.csv", "demo-withdrawals.csv"] {
        let path = samples.join(file);
        let bytes = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        match papers.import(secretary, file, &bytes, Entry::Active).await {
            Ok(_) => {}
            Err(ImportError::Mistakes(mistakes)) => {
                mistakes.iter().for_each(|mistake| output.error(mistake));
                anyhow::bail!("the sample papers have mistakes");
            }
            Err(ImportError::Store(error)) => return Err(error.into()),
        }
    }
    crate::ingest::once(opened, output, None).await?;
    let (physician, pharmacist) = (
        people.token(&auth, "physician").await?,
        people.token(&auth, "pharmacist").await?,
    );
    people.write(secrets)?;
    let shown = clinic_only(&papers).await?;
    let results = opened
        .store
        .jobs()
        .laboratory_results(shown.patient)
        .await?;
    let withdrawn = shown.state != ConsentState::Active;
    Ok(Story {
        people,
        physician,
        pharmacist,
        patient: shown.patient.to_string(),
        results,
        withdrawn,
        first,
    })
}

async fn clinic_only(papers: &Papers) -> anyhow::Result<store::Shown> {
    let number: ConsentNo = CLINIC_ONLY.parse()?;
    papers
        .show(&number)
        .await
        .context("the sample papers lack the consent for the clinic only")
}

impl Story {
    fn tell(&self, address: SocketAddr, output: Output) -> anyhow::Result<()> {
        let results = format!(
            "http://{address}/fhir/Observation?patient={}&category=laboratory&_count=5",
            self.patient
        );
        let read =
            |token: &str| format!("    curl -sS -H 'Authorization: Bearer {token}' '{results}'");
        let program = std::env::current_exe()
            .map_or_else(|_| "musubi".to_owned(), |path| path.display().to_string());
        output.line(format_args!(
            "\nMusubi serves the sample network at http://{address}/\n"
        ));
        if self.first {
            output.line("Demo people (kept in demo.txt beside the data; one-time codes: musubi demo code LOGIN):");
        } else {
            output.line("Demo people (as at the first start):");
        }
        output.table(&self.people.table());
        if self.withdrawn {
            output.line("\nThe consent of the demo's patient is withdrawn; `make demo FRESH=1` starts over.");
        }
        let total = if self.withdrawn { 0 } else { self.results };
        output.line(format_args!("\n(a) The clinic's physician reads a patient's laboratory results. Expect \"total\":{total}"));
        output.line(read(&self.physician));
        output.line("\n(b) The pharmacist asks for the same patient, who consented for the clinic only. Expect \"total\":0");
        output.line(read(&self.pharmacist));
        output.line("\n(c) The patient withdraws; then (a) again. Expect \"total\":0");
        output.line(format_args!(
            "    {program} consent withdraw {CLINIC_ONLY} --on 2026-04-02 --signer 本人 --relation self \
             --identity-check 運転免許証 --as secretary"
        ));
        output.line("\nCtrl-C stops it; started again it continues with its data.");
        Ok(())
    }
}
