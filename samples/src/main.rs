//! `samples-generate`: writes a hospital of invented patients to a folder.

use clap::Parser;
use samples::{Mix, Network, write, write_truth};
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::time::Instant;

/// Writes an SS-MIX2 standardized storage of invented patients, always the same for the same seed.
///
/// Below DIR: the roots `1319999901` and (copies in a second volume) `1319999901B`, and
/// `truth.json`, what a correct reader gives for each patient.
#[derive(Parser)]
#[command(after_help = "Examples:
  samples-generate --seed 1 --patients 200 --out /tmp/hospital
  samples-generate --seed 1 --patients 10000 --files 1000000 --out /tmp/large --no-truth
  samples-generate --demo --out /tmp/demo --truth /tmp/demo.json")]
struct Arguments {
    /// Seed of everything that is invented
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of patients
    #[arg(long, default_value_t = 40)]
    patients: u64,
    /// Folder to write to; it is made when it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// About so many files, spread over the patients
    #[arg(long, value_name = "N")]
    files: Option<u64>,
    /// A well-kept storage: one character set, corrections and deletions, nothing wrong
    #[arg(long)]
    ordinary: bool,
    /// The hospital of `demo-hospital.tar.xz`
    #[arg(long, conflicts_with_all = ["seed", "patients", "files", "ordinary"])]
    demo: bool,
    /// File for the truth [default: DIR/truth.json]
    #[arg(long, value_name = "FILE")]
    truth: Option<PathBuf>,
    /// Write no truth
    #[arg(long, conflicts_with = "truth")]
    no_truth: bool,
}

impl Arguments {
    fn network(&self) -> Network {
        if self.demo {
            return Network::demo();
        }
        let mut network = Network::generate(self.seed, self.patients);
        if let Some(files) = self.files {
            network = network.with_files(files);
        }
        if self.ordinary {
            network = network.with_mix(Mix::Ordinary);
        }
        network
    }
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let network = arguments.network();
    fs::create_dir_all(&arguments.out)?;
    let begun = Instant::now();
    let files = write(&network, &arguments.out)?;
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!(
        "{files} files of {} patients in {seconds:.1} s",
        network.len()
    ));
    if !arguments.no_truth {
        let path = arguments
            .truth
            .unwrap_or_else(|| arguments.out.join("truth.json"));
        write_truth(&network, BufWriter::new(File::create(&path)?))?;
        say(&format!("truth in {}", path.display()));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the program's one place that prints")]
fn say(line: &str) {
    println!("{line}");
}
