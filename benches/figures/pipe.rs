//! One complete back-fill in a process of its own, which then holds nothing else: started by
//! `backfill`, and told in one line of numbers.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Context;
use ingest::{Ingest, Scope};
use sha2::{Digest, Sha256};

use crate::hospital::Hospital;
use crate::hub::{Database, Hub};
use crate::measure::{each, rate};
use crate::process;

const LARGEST: u64 = 16 << 20;

/// What one back-fill took.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) files_a_second: f64,
    /// CPU microseconds a file, those of the database included.
    pub(crate) cpu: f64,
    /// Those of the database alone.
    pub(crate) database: f64,
    /// The same for listing, reading and hashing the files, in one thread.
    pub(crate) baseline: f64,
    /// Most memory that was resident, in MiB.
    pub(crate) resident: f64,
    /// Files a second that a replay reads again from what is kept, and CPU microseconds for each.
    pub(crate) replayed_a_second: f64,
    pub(crate) replay_cpu: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            files_a_second,
            cpu,
            database,
            baseline,
            resident,
            replayed_a_second,
            replay_cpu,
        } = self;
        write!(
            to,
            "{files_a_second} {cpu} {database} {baseline} {resident} {replayed_a_second} {replay_cpu}"
        )
    }
}

impl FromStr for Figures {
    type Err = anyhow::Error;

    fn from_str(line: &str) -> anyhow::Result<Self> {
        let mut numbers = line.split_whitespace().map(str::parse::<f64>);
        let mut next = || anyhow::Ok(numbers.next().context("seven numbers")??);
        Ok(Self {
            files_a_second: next()?,
            cpu: next()?,
            database: next()?,
            baseline: next()?,
            resident: next()?,
            replayed_a_second: next()?,
            replay_cpu: next()?,
        })
    }
}

/// Runs [`run`] in a process of its own.
pub(crate) fn start(hospital: &Hospital, database: Database) -> anyhow::Result<Figures> {
    let output = Command::new(std::env::current_exe()?)
        .arg("pipe")
        .arg(&hospital.folder)
        .arg(database.word())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    String::from_utf8(output.stdout)?.parse()
}

/// One back-fill, from an empty store.
pub(crate) async fn run(folder: &Path, database: Database) -> anyhow::Result<()> {
    let hospital = Hospital::open(folder)?;
    let files = hospital.files;
    let hub = Hub::open(database, &hospital, &std::env::temp_dir()).await?;
    hub.consents(&hospital).await?;
    let baseline = process::thread_cpu();
    hospital.each(|file| {
        let bytes = std::fs::read(&file.path).unwrap_or_default();
        std::hint::black_box(Sha256::digest(bytes));
    })?;
    let baseline = process::thread_cpu() - baseline;
    process::forget_peak();
    let database_cpu = || process::sqlite_cpu() + process::postgres_cpu();
    let (cpu, of_database, start) = (process::cpu(), database_cpu(), Instant::now());
    let report = Ingest::new(hub.store.clone(), LARGEST)
        .once(None, &|_, _| {})
        .await?;
    let wall = start.elapsed();
    let (cpu, of_database) = (process::cpu() - cpu, database_cpu() - of_database);
    anyhow::ensure!(
        report.files() as u64 == files,
        "every file is taken in: {report:?}"
    );
    // SQLite works in threads of ours, PostgreSQL in processes of its own.
    let beside = |time: Duration| match database {
        Database::Sqlite => Duration::ZERO,
        Database::Postgres => time,
    };
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let resident = process::peak() as f64;
    let (replay_cpu, replay_database, start) = (process::cpu(), database_cpu(), Instant::now());
    let replayed = Ingest::new(hub.store.clone(), LARGEST)
        .replay(&Scope::default(), false, &|_, _| {})
        .await?;
    let replay_wall = start.elapsed();
    let replay_cpu = process::cpu() - replay_cpu + beside(database_cpu() - replay_database);
    anyhow::ensure!(
        replayed.is_unchanged() && replayed.left == 0,
        "the same program reads the same: {replayed:?}"
    );
    println!(
        "{}",
        Figures {
            files_a_second: rate(files, wall),
            cpu: each(cpu + beside(of_database), files),
            database: each(of_database, files),
            baseline: each(baseline, files),
            resident,
            replayed_a_second: rate(replayed.items as u64, replay_wall),
            replay_cpu: each(replay_cpu, replayed.items as u64),
        }
    );
    hub.store.close().await;
    Ok(())
}
