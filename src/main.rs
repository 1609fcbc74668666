//! `musubi`: the one executable. A command is a file of its name; this one lists them. No domain
//! logic lives here.

mod audit;
mod check;
mod config;
mod consent;
mod demo;
mod feed;
mod ingest;
mod logging;
mod metrics;
mod opened;
mod output;
mod person;
mod replay;
mod serve;
mod status;
mod token;
mod user;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::Output;

/// Records are many small texts: with the system's allocator a fifth of the time goes to it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Health-data sharing hub for Japanese regional medical networks
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  musubi demo                      the sample network, until stopped
  musubi check                     is the configuration good?
  musubi serve                     serve, until stopped
  musubi consent import FILE --as secretary
  musubi status                    how feeds stand, and what waits for a person

Exit codes: 0 good, 1 findings, 2 usage, 3 environment, 4 refused by policy."
)]
struct Cli {
    /// Configuration file [default: musubi.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print one JSON object instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Audit(audit::Audit),
    Check(check::Check),
    Consent(consent::Consent),
    Demo(demo::Demo),
    Feed(feed::Feed),
    Ingest(ingest::Ingest),
    Replay(replay::Replay),
    Serve(serve::Serve),
    Status(status::Status),
    Token(token::Token),
    User(user::User),
}

impl Command {
    async fn run(self, config: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Audit(audit) => audit.run(config, output).await,
            Self::Check(check) => check.run(config, output),
            Self::Consent(consent) => consent.run(config, output).await,
            Self::Demo(demo) => demo.run(config, output).await,
            Self::Feed(feed) => feed.run(config, output).await,
            Self::Ingest(ingest) => ingest.run(config, output).await,
            Self::Replay(replay) => replay.run(config, output).await,
            Self::Serve(serve) => serve.run(config, output).await,
            Self::Status(status) => status.run(config, output).await,
            Self::Token(token) => token.run(config, output).await,
            Self::User(user) => user.run(config, output).await,
        }
    }
}

/// How a command ended; wrong usage (2) is the command line parser's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Exit {
    /// It did what was asked.
    Good = 0,
    /// It found what a person must look at.
    Findings = 1,
    /// Something around the program is not as it must be.
    Environment = 3,
    /// A rule of the network does not allow it.
    Refused = 4,
}

/// Ends on wrong usage, as the command line parser does, and tells programs so.
fn misused(wrong: &clap::Error) -> ! {
    let for_programs = std::env::args_os().any(|argument| argument == "--json");
    if wrong.use_stderr() {
        let text = wrong.to_string();
        let first = text.lines().next().unwrap_or_default();
        let first = first.trim_start_matches("error: ");
        Output::new(for_programs)
            .json(&serde_json::json!({ "schema": "musubi-error/1", "error": first }));
    }
    wrong.exit()
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli {
        config,
        json,
        command,
    } = Cli::try_parse().unwrap_or_else(|wrong| misused(&wrong));
    let output = Output::new(json);
    logging::hush_panics(output);
    // The future of a command holds all that it does: too much for the stack.
    let ended = Box::pin(command.run(config.as_deref(), output)).await;
    let exit = ended.unwrap_or_else(|error| {
        output.failure(format_args!("{error:#}"));
        if error.is::<config::Unusable>() {
            Exit::Findings
        } else if error.is::<person::Refused>() {
            Exit::Refused
        } else {
            Exit::Environment
        }
    });
    ExitCode::from(exit as u8)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    const PAGES: [&str; 3] = [
        include_str!("../README.md"),
        include_str!("../docs/operations.md"),
        include_str!("../networks/README.md"),
    ];

    /// Commands as the pages print them, whole lines and parts of sentences. What names several
    /// commands at once, or what can be left out, is no command.
    fn printed() -> impl Iterator<Item = &'static str> {
        let lines = PAGES.into_iter().flat_map(str::lines);
        let commands = lines.flat_map(|line| {
            let whole = line
                .split('#')
                .next()
                .filter(|line| line.starts_with("musubi "));
            let inside = line.split('`').skip(1).step_by(2);
            whole.into_iter().chain(inside)
        });
        commands.filter(|text| text.starts_with("musubi ") && !text.contains(['[', ',']))
    }

    #[test]
    fn every_printed_command_runs_as_it_stands() {
        Cli::command().debug_assert();
        for command in printed() {
            let plain = command.replace("TASK", "3").replace("CODE", "1319999901");
            let wrong = Cli::try_parse_from(plain.split_whitespace()).err();
            assert!(wrong.is_none(), "{command}: {}", wrong.unwrap());
        }
        assert!(printed().count() > 25);
    }

    #[test]
    fn papers_are_entered_and_looked_at_in_somebodys_name() {
        for command in [
            "check C-1",
            "import a.csv",
            "restore C-1",
            "show C-1",
            "withdraw C-1",
        ] {
            let line = format!("musubi consent {command}");
            let wrong = Cli::try_parse_from(line.split_whitespace()).err();
            assert!(
                wrong.is_some_and(|wrong| wrong.to_string().contains("--as <LOGIN>")),
                "{line}"
            );
        }
    }
}
