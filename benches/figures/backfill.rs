//! A complete back-fill of a hospital: from files on a disk to rows and sealed frames, on both
//! databases, in rounds that take turns, with what each stage costs alone and what python-hl7's
//! plain parse of the same files costs beside it.

use std::path::Path;
use std::process::Command;

use crate::hospital::Hospital;
use crate::hub::Database;
use crate::measure::spread;
use crate::pipe::{self, Figures};
use crate::process;
use crate::stages::Stages;

/// A patient has about so many files.
const FILES_EACH: u64 = 50;
/// Every way takes so many turns.
const ROUNDS: usize = 5;
/// Larger storages fill PostgreSQL and python-hl7's reader for too long.
const MOST_FOR_POSTGRES: u64 = 200_000;
const MOST_FOR_PYTHON: u64 = 20_000;

/// Reads, decodes and parses every file below two folders; prints CPU seconds.
const PYTHON_HL7: &str = "
import os, sys, time, hl7
files = [os.path.join(at, name) for root in sys.argv[1:] for at, _, names in os.walk(root) for name in names]
start = time.process_time()
for path in files:
    with open(path, 'rb') as file:
        hl7.parse(file.read().decode('iso2022_jp_3', 'replace').replace('\\r\\n', '\\r').strip())
print(time.process_time() - start)
";

/// Back-fills storages of so many files each, which stay below the folder.
pub(crate) async fn run(
    folder: &Path,
    sizes: &[u64],
    databases: &[Database],
) -> anyhow::Result<()> {
    for size in sizes {
        let hospital = Hospital::write(folder, size.div_ceil(FILES_EACH), *size)?;
        println!(
            "\n## Back-fill of {} files of {} patients\n",
            hospital.files,
            hospital.papers.len()
        );
        let databases: Vec<Database> = databases
            .iter()
            .copied()
            .filter(|one| *one == Database::Sqlite || *size <= MOST_FOR_POSTGRES)
            .collect();
        complete(&hospital, &databases)?;
        Stages::measure(&hospital).await?.print(hospital.files);
    }
    Ok(())
}

/// Every database takes its turn in every round.
fn complete(hospital: &Hospital, databases: &[Database]) -> anyhow::Result<()> {
    let mut taken: Vec<Vec<Figures>> = vec![Vec::new(); databases.len()];
    let mut python = Vec::new();
    for _ in 0..ROUNDS {
        for (database, figures) in databases.iter().zip(&mut taken) {
            figures.push(pipe::start(hospital, *database)?);
        }
        if hospital.files <= MOST_FOR_PYTHON {
            python.extend(python_hl7(hospital)?);
        }
    }
    println!(
        "| median of {ROUNDS} (least–most) | files/s | CPU µs a file | of it in the database | times the baseline | \
         resident MiB | replay, files/s | CPU µs |\n| --- | --: | --: | --: | --: | --: | --: | --: |"
    );
    for (database, figures) in databases.iter().zip(&taken) {
        let of = |number: fn(&Figures) -> f64| spread(figures.iter().map(number).collect());
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.1} | {:.0} | {:.0} | {:.0} |",
            database.name(),
            of(|figures| figures.files_a_second),
            of(|figures| figures.cpu),
            of(|figures| figures.database),
            of(|figures| figures.cpu / figures.baseline),
            of(|figures| figures.resident),
            of(|figures| figures.replayed_a_second),
            of(|figures| figures.replay_cpu),
        );
    }
    if hospital.files <= MOST_FOR_PYTHON {
        if python.is_empty() {
            println!("\npython-hl7 is not installed here (`pip install hl7`): no comparison.");
        } else {
            let each = spread(python);
            println!("\npython-hl7, read and parsed only, one thread: {each:.0} CPU µs a file.");
        }
    }
    println!(
        "\nLoad of the machine at the end of the rounds: {}.",
        process::load()
    );
    Ok(())
}

/// CPU microseconds a file; nothing where it is not installed.
fn python_hl7(hospital: &Hospital) -> anyhow::Result<Option<f64>> {
    let output = Command::new("python3")
        .args(["-c", PYTHON_HL7])
        .args(&hospital.roots)
        .output();
    let Ok(output) = output else { return Ok(None) };
    if !output.status.success() {
        return Ok(None);
    }
    let seconds: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let files = hospital.files as f64;
    Ok(Some(seconds * 1e6 / files))
}
