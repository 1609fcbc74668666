//! `musubi`: the one executable. A command is a file of its name; this one lists them. No domain
//! logic lives here.

mod check;
mod config;
mod output;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use output::Output;

/// Health-data sharing hub for Japanese regional medical networks
#[derive(Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "\
Examples:
  musubi check                     is the configuration good?

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
    Check(check::Check),
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

fn main() -> ExitCode {
    let Cli {
        config,
        json,
        command,
    } = Cli::parse();
    let output = Output::new(json);
    let config = config.as_deref();
    let ended = match command {
        Command::Check(check) => check.run(config, output),
    };
    let exit = ended.unwrap_or_else(|error| {
        output.error(format_args!("musubi: {error:#}"));
        if error.is::<config::Unusable>() {
            Exit::Findings
        } else {
            Exit::Environment
        }
    });
    ExitCode::from(exit as u8)
}
