//! Two hospitals on one PostgreSQL and one object store: taken in by one process, or by two that share
//! what there is. Everything runs on the cores of this machine, so the CPU time tells what a second
//! machine would add, and what stays common.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use ingest::{Ingest, Report};
use store::{AccessKey, Blobs, Bucket, MasterKey, StoreConfig};
use tokio::task::JoinSet;

use crate::hospital::{Hospital, SECOND};
use crate::hub::{Hub, TREES, on_postgres};
use crate::measure::{each, rate, spread};
use crate::process;

const FILES: u64 = 10_000;
const FILES_EACH: u64 = 50;
const ROUNDS: usize = 5;
const LARGEST: u64 = 16 << 20;
/// What a process is told, line by line, of the place that it shares: database, endpoint, bucket, access
/// key, its secret, master key.
type Shared = [String; 6];

/// What one round took.
struct Round {
    files_a_second: f64,
    /// CPU microseconds a file: of the processes that read, of PostgreSQL, of the object store.
    reading: f64,
    database: f64,
    objects: f64,
    /// The most memory that one process had, in MiB.
    resident: f64,
}

/// One process, then two, in rounds that take turns.
pub(crate) async fn run(folder: &Path) -> anyhow::Result<()> {
    let hospital = Hospital::write(folder, FILES / FILES_EACH, FILES)?;
    Hospital::write(&folder.join(SECOND), FILES / FILES_EACH, FILES)?;
    println!("\n## Two hospitals of {} files each\n", hospital.files);
    println!(
        "| processes | files/s | CPU µs a file, reading | PostgreSQL | object store (s3s-fs) | resident MiB, the larger | load |\n\
         | --: | --: | --: | --: | --: | --: | --: |"
    );
    let [first, second] = TREES.map(|(feed, _)| feed);
    let ways: [&[&[&str]]; 2] = [&[&[first, second]], &[&[first], &[second]]];
    let mut taken = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (way, rounds) in ways.iter().zip(&mut taken) {
            rounds.push(round(&hospital, way).await?);
        }
    }
    for (way, rounds) in ways.iter().zip(&taken) {
        let of = |number: fn(&Round) -> f64| spread(rounds.iter().map(number).collect());
        println!(
            "| {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} |",
            way.len(),
            of(|round| round.files_a_second),
            of(|round| round.reading),
            of(|round| round.database),
            of(|round| round.objects),
            of(|round| round.resident),
            process::load(),
        );
    }
    Ok(())
}

/// Both hospitals from empty databases and an empty bucket; each process reads the feeds it is given.
async fn round(hospital: &Hospital, way: &[&[&str]]) -> anyhow::Result<Round> {
    let bucket = samples::s3::s3s().map_err(anyhow::Error::msg)?;
    let master = MasterKey::random()?;
    let shared = [
        samples::postgres::database().map_err(anyhow::Error::msg)?,
        bucket.endpoint,
        bucket.name,
        bucket.access_key.to_owned(),
        bucket.secret_key.to_owned(),
        master.bytes().map(|byte| byte.to_string()).join(" "),
    ];
    let hub = join(&shared, hospital).await?;
    for (_, facility) in TREES {
        hub.consents_at(facility, hospital).await?;
    }
    let (own, database, start) = (process::cpu(), process::postgres_cpu(), Instant::now());
    let readers: Vec<Child> = way
        .iter()
        .map(|feeds| start_reader(hospital, feeds, &shared))
        .collect::<anyhow::Result<_>>()?;
    let mut ended = JoinSet::new();
    for reader in readers {
        ended.spawn_blocking(|| reader.wait_with_output());
    }
    let (mut reading, mut resident) = (0.0, 0.0_f64);
    while let Some(output) = ended.join_next().await {
        let line = String::from_utf8(output??.stdout)?;
        let mut numbers = line.split_whitespace().map(str::parse::<f64>);
        reading += numbers.next().context("CPU time")??;
        resident = resident.max(numbers.next().context("memory")??);
    }
    let files = hospital.files * TREES.len() as u64;
    let round = Round {
        files_a_second: rate(files, start.elapsed()),
        reading: reading / TREES.len() as f64,
        database: each(process::postgres_cpu() - database, files),
        // The object store is in this process, which does nothing else meanwhile.
        objects: each(process::cpu() - own, files),
        resident,
    };
    hub.store.close().await;
    Ok(round)
}

fn start_reader(hospital: &Hospital, feeds: &[&str], shared: &Shared) -> anyhow::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("reader").arg(&hospital.folder).args(feeds);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut reader = command.spawn()?;
    let mut told = reader.stdin.take().context("a pipe")?;
    told.write_all(shared.join("\n").as_bytes())?;
    Ok(reader)
}

/// A process that reads feeds side by side, once; prints CPU microseconds for each file of one hospital,
/// and MiB.
pub(crate) async fn reader(folder: &Path, feeds: &[String]) -> anyhow::Result<()> {
    let told = std::io::read_to_string(std::io::stdin())?;
    let shared: Vec<String> = told.lines().map(str::to_owned).collect();
    let hospital = Hospital::open(folder)?;
    let hub = join(shared.as_slice().try_into()?, &hospital).await?;
    process::forget_peak();
    let cpu = process::cpu();
    let ingest = Ingest::new(hub.store.clone(), LARGEST);
    let named = TREES.into_iter().map(|(feed, _)| feed);
    let mut running = JoinSet::new();
    for feed in named.filter(|feed| feeds.iter().any(|word| word == feed)) {
        let ingest = ingest.clone();
        running.spawn(async move { ingest.once(Some(feed), &|_, _| {}).await });
    }
    while let Some(report) = running.join_next().await {
        let report: Report = report??;
        anyhow::ensure!(
            report.files() as u64 == hospital.files,
            "every file is taken in: {report:?}"
        );
    }
    println!(
        "{} {}",
        each(process::cpu() - cpu, hospital.files),
        process::peak()
    );
    hub.store.close().await;
    Ok(())
}

async fn join(shared: &Shared, hospital: &Hospital) -> anyhow::Result<Hub> {
    let [database, endpoint, bucket, access_key, secret_key, master] = shared.clone();
    let master: Result<Vec<u8>, _> = master.split(' ').map(str::parse).collect();
    let master = MasterKey::new(master?.as_slice().try_into()?);
    let folder = tempfile::tempdir()?;
    let mut config = StoreConfig::local(folder.path(), master);
    on_postgres(&mut config, &database);
    config.blobs = Blobs::Bucket(Bucket {
        name: bucket,
        prefix: String::new(),
        endpoint: Some(endpoint),
        region: "us-east-1".to_owned(),
        access_key: AccessKey::new(access_key, secret_key, None),
    });
    Hub::open_with(config, hospital, folder).await
}
