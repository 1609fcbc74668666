//! `musubi check`: everything that is wrong with the configuration, at once, with its place.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use data_encoding::HEXLOWER;
use model::mistake::Mistake;
use model::network::Network;
use model::written::DefaultTaken;
use serde::Serialize;

use crate::Exit;
use crate::config::{self, Reading};
use crate::output::Output;

/// Check the configuration, and say which defaults it takes
///
/// Reads musubi.toml, the environment and the network's folder, prints every mistake with file, line
/// and column, every default that holds because its key is absent, and warnings. Starts nothing,
/// writes nothing, connects to nothing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  musubi check                            musubi.toml here, or the defaults when there is none
  musubi check --config /etc/musubi.toml
  musubi check networks/*/                only these networks
  musubi check --json | jq .mistakes")]
pub(crate) struct Check {
    /// Check only these network folders, without musubi.toml
    #[arg(value_name = "NETWORK_FOLDER")]
    networks: Vec<PathBuf>,
}

/// The result for programs.
#[derive(Serialize)]
struct Report<'a> {
    schema: &'static str,
    ok: bool,
    networks: Vec<Served<'a>>,
    mistakes: Vec<Line<'a>>,
    warnings: Vec<Line<'a>>,
    defaults: Vec<Default<'a>>,
}

/// A network without mistakes.
#[derive(Serialize)]
struct Served<'a> {
    id: &'a str,
    title: &'a str,
    version: &'a str,
    facilities: usize,
    feeds: usize,
    hash: String,
}

/// A mistake or a warning; line 0 is an absence.
#[derive(Serialize)]
struct Line<'a> {
    rule: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    message: &'a str,
    help: Option<&'a str>,
}

/// A key that was absent, and what holds instead.
#[derive(Serialize)]
struct Default<'a> {
    file: &'a str,
    key: &'static str,
    value: &'static str,
    built: bool,
}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// The configuration file cannot be read.
    pub(crate) fn run(&self, file: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
        let (reading, networks) = if self.networks.is_empty() {
            let reading = config::load(file)?;
            let network = reading
                .config
                .as_ref()
                .map(|config| Arc::clone(&config.network));
            (reading, Vec::from_iter(network))
        } else {
            let mut reading = Reading::default();
            let read = |folder: &PathBuf| config::read_network(folder, Path::new(""), &mut reading);
            let networks = self
                .networks
                .iter()
                .filter_map(read)
                .map(Arc::new)
                .collect();
            (reading, networks)
        };
        let report = report(&reading, &networks);
        print(&reading, &report, output);
        output.json(&report);
        Ok(if report.ok {
            Exit::Good
        } else {
            Exit::Findings
        })
    }
}

fn print(reading: &Reading, report: &Report<'_>, output: Output) {
    for (file, defaults) in &reading.defaults {
        output.line(format_args!(
            "{file}: these keys are absent, their defaults hold"
        ));
        output.table(&defaults.iter().map(row).collect::<Vec<_>>());
    }
    for Served {
        id,
        title,
        version,
        facilities,
        feeds,
        hash,
    } in &report.networks
    {
        output.line(format_args!(
            "network {id}: {title} {version}, facilities: {facilities}, feeds: {feeds}, sha-256 {hash}"
        ));
    }
    for warning in &reading.warnings {
        output.line(warning.labelled("warning"));
    }
    for mistake in &reading.mistakes {
        output.line(mistake);
    }
    output.line(format_args!(
        "mistakes: {}, warnings: {}",
        report.mistakes.len(),
        report.warnings.len()
    ));
}

fn row(taken: &DefaultTaken) -> Vec<String> {
    let remark = if taken.built {
        ""
    } else {
        "known, not built yet"
    };
    vec![
        format!("  {}", taken.key),
        taken.value.to_owned(),
        remark.to_owned(),
    ]
}

fn report<'a>(reading: &'a Reading, networks: &'a [Arc<Network>]) -> Report<'a> {
    let defaults = reading
        .defaults
        .iter()
        .flat_map(|(file, taken)| taken.iter().map(move |taken| (file, taken)));
    Report {
        schema: "musubi-check/1",
        ok: reading.mistakes.is_empty(),
        networks: networks.iter().map(|network| served(network)).collect(),
        mistakes: reading.mistakes.iter().map(line).collect(),
        warnings: reading.warnings.iter().map(line).collect(),
        defaults: defaults
            .map(|(file, &DefaultTaken { key, value, built })| Default {
                file,
                key,
                value,
                built,
            })
            .collect(),
    }
}

fn served(network: &Network) -> Served<'_> {
    Served {
        id: &network.id,
        title: &network.profile.title,
        version: &network.profile.version,
        facilities: network.facilities.len(),
        feeds: network.feeds.len(),
        hash: HEXLOWER.encode(&network.hash),
    }
}

fn line(mistake: &Mistake) -> Line<'_> {
    let Mistake {
        rule,
        file,
        line,
        column,
        message,
        help,
    } = mistake;
    Line {
        rule,
        file,
        line: *line,
        column: *column,
        message,
        help: help.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_that_is_not_there_is_an_error_of_the_environment() {
        let command = Check {
            networks: Vec::new(),
        };
        assert!(
            command
                .run(Some(Path::new("none.toml")), Output::new(true))
                .is_err()
        );
    }

    #[test]
    fn programs_get_places_rules_and_defaults() {
        let mut reading = Reading::default();
        let folder = tempfile::tempdir().unwrap();
        let network = folder.path().join("net");
        std::fs::create_dir(&network).unwrap();
        std::fs::write(
            network.join("profile.toml"),
            "schema = \"profile/1\"\nwithdrawal.hodl = \"P7D\"\n",
        )
        .unwrap();
        std::fs::write(
            network.join("facilities.tsv"),
            "code\tname\tkana\tkind\tgroups\tdiscloses\n",
        )
        .unwrap();
        config::read_network(&network, Path::new(""), &mut reading);
        let json = serde_json::to_value(report(&reading, &[])).unwrap();
        assert_eq!(
            (&json["schema"], &json["ok"]),
            (&"musubi-check/1".into(), &false.into())
        );
        let first = &json["mistakes"][0];
        assert_eq!(
            (&first["rule"], &first["line"], &first["column"]),
            (&"C0101".into(), &2.into(), &12.into())
        );
        assert_eq!(first["help"], "did you mean `withdrawal.hold`?");
        let defaults = json["defaults"].as_array().unwrap();
        assert!(
            defaults
                .iter()
                .any(|taken| taken["key"] == "patient.portal" && taken["built"] == false)
        );
    }
}
