//! How fast messages over MLLP are acknowledged, and how fast what was acknowledged becomes records.
//! The senders are stop-and-wait, as hospitals are, and run on the same cores.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ingest::Ingest;
use model::feed::Feed;
use normalize::ssmix::data_type::DataKind;
use normalize::ssmix::path::{FileName, Flag};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use crate::hospital::Hospital;
use crate::hub::{Database, Hub};
use crate::measure::{each, p50_p99, rate};
use crate::process;

const PATIENTS: u64 = 200;
const FILES: u64 = 20_000;
/// Connections, and of how many of the messages each round is made.
const ROUNDS: [(usize, usize); 3] = [(1, 4_000), (16, 16_000), (256, 16_000)];
/// A sender waits no longer for the listener, or for its answer.
const PATIENCE: Duration = Duration::from_secs(60);

type Messages = Vec<Arc<[u8]>>;

/// What is pushed.
struct Day {
    /// One message of each patient, which proves the link.
    first: Messages,
    rest: Messages,
}

/// Pushes to hubs of the databases, sync on, over so many connections; in all rounds when none are said.
pub(crate) async fn run(
    folder: &Path,
    databases: &[Database],
    wanted: &[u64],
) -> anyhow::Result<()> {
    let mut hospital = Hospital::write(folder, PATIENTS, FILES)?;
    let day = day(&hospital)?;
    // All of it is pushed; the feed of its storage finds nothing.
    let nothing = tempfile::tempdir()?;
    hospital.roots = vec![nothing.path().to_owned()];
    println!("\n## Messages over MLLP\n");
    println!(
        "| database | connections | acknowledged/s | p50 ms | p99 ms | CPU µs a message | accepted/s, to the last record | load |\n\
         | --- | --: | --: | --: | --: | --: | --: | --: |"
    );
    for database in databases {
        for (connections, count) in ROUNDS {
            if !wanted.is_empty() && !wanted.contains(&u64::try_from(connections)?) {
                continue;
            }
            let day = Day {
                first: day.first.clone(),
                rest: day.rest.iter().take(count).cloned().collect(),
            };
            round(*database, &hospital, connections, day).await?;
        }
    }
    Ok(())
}

/// The valid files, one after the other of each patient in turn, as a hospital's day has them.
fn day(hospital: &Hospital) -> anyhow::Result<Day> {
    let mut files = Vec::new();
    hospital.each(|file| {
        if file.name.flag == Flag::Active {
            files.push((file.name.instant(), file.path, file.name));
        }
    })?;
    files.sort_by_key(|(at, path, _)| (*at, path.clone()));
    let mut seen = BTreeSet::new();
    let states = |name: &FileName| name.kind == DataKind::Adt00;
    let (first, rest): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(_, _, name)| states(name) && seen.insert(name.patient.clone()));
    let read = |(_, path, _)| Ok(std::fs::read(path)?.into());
    Ok(Day {
        first: first.into_iter().map(read).collect::<anyhow::Result<_>>()?,
        rest: rest.into_iter().map(read).collect::<anyhow::Result<_>>()?,
    })
}

async fn round(
    database: Database,
    hospital: &Hospital,
    connections: usize,
    Day { first, rest }: Day,
) -> anyhow::Result<()> {
    let hub = Hub::open(database, hospital, &std::env::temp_dir()).await?;
    hub.consents(hospital).await?;
    let line = hub.line()?.clone();
    let address = line.source.listen().context("the line listens")?;
    let (stop, stopping) = watch::channel(false);
    let feeds = Ingest::new(hub.store.clone(), 16 << 20);
    let running = tokio::spawn(feeds.run(stopping));
    send(address, 1, first).await?;
    wait_for_the_lane(&hub, &line).await?;
    let count = u64::try_from(rest.len())?;
    let (cpu, start) = (process::cpu() + process::postgres_cpu(), Instant::now());
    let (took, senders) = send(address, connections, rest).await?;
    let acknowledged = start.elapsed();
    wait_for_the_lane(&hub, &line).await?;
    let accepted = start.elapsed();
    let spent = (process::cpu() + process::postgres_cpu()).saturating_sub(cpu + senders);
    let (half, most) = p50_p99(took);
    println!(
        "| {} | {connections} | {:.0} | {half:.2} | {most:.2} | {:.0} | {:.0} | {} |",
        database.name(),
        rate(count, acknowledged),
        each(spent, count),
        rate(count, accepted),
        process::load(),
    );
    stop.send(true)?;
    running.await?;
    Ok(())
}

/// Sends everything over so many connections, from a thread of its own: how long each answer took, and
/// the CPU time of the senders.
async fn send(
    address: SocketAddr,
    connections: usize,
    messages: Messages,
) -> anyhow::Result<(Vec<Duration>, Duration)> {
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let before = process::thread_cpu();
        let took = runtime.block_on(send_all(address, connections, messages))?;
        Ok((took, process::thread_cpu().saturating_sub(before)))
    };
    tokio::task::spawn_blocking(work).await?
}

async fn send_all(
    address: SocketAddr,
    connections: usize,
    messages: Messages,
) -> anyhow::Result<Vec<Duration>> {
    let mut senders = tokio::task::JoinSet::new();
    for first in 0..connections {
        let own = messages.iter().skip(first).step_by(connections);
        senders.spawn(sender(address, own.cloned().collect()));
    }
    let mut took = Vec::new();
    while let Some(sent) = senders.join_next().await {
        took.extend(sent??);
    }
    Ok(took)
}

async fn sender(address: SocketAddr, messages: Messages) -> anyhow::Result<Vec<Duration>> {
    let begun = Instant::now();
    let mut stream = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break stream,
            Err(error) if begun.elapsed() > PATIENCE => return Err(error.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    stream.set_nodelay(true)?;
    let mut took = Vec::with_capacity(messages.len());
    let mut answer = Vec::new();
    for message in messages {
        let frame = [b"\x0b", &*message, b"\x1c\r"].concat();
        let start = Instant::now();
        stream.write_all(&frame).await?;
        answer.clear();
        while !answer.ends_with(b"\x1c\r") {
            let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut answer)).await??;
            ensure!(read > 0, "the connection was closed");
        }
        took.push(start.elapsed());
        let accepted = answer.windows(7).any(|part| part == b"MSA|AA|");
        ensure!(accepted, "not acknowledged");
    }
    Ok(took)
}

async fn wait_for_the_lane(hub: &Hub, line: &Feed) -> anyhow::Result<()> {
    while hub.store.intake().reception(line).await?.waiting > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
