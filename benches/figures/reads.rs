//! A patient's 200 laboratory results, through the door out and through the FHIR face, and what
//! consent and audit have in it. The files lie on the disk and, to tell the sync apart, in memory.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use consent::Viewing;
use ingest::Ingest;
use model::id::{PatientId, PatientNumber};
use store::{AuditAction, Event, Item};

use crate::hospital::Hospital;
use crate::hub::{Database, HOSPITAL, Hub};
use crate::live::{Beside, Live};
use crate::measure::{each, p50_p99, rate};
use crate::process;
use crate::reader::{Reader, call, labs};

const PATIENTS: u64 = 20;
const FILES: u64 = 8_000;
const ROUNDS: usize = 1_000;
const READERS: usize = 50;
const LOOKS: usize = 20;
/// A file system in memory, where a sync costs nothing.
const MEMORY: &str = "/dev/shm";

/// Reads from stores of the databases.
pub(crate) async fn run(folder: &Path, databases: &[Database]) -> anyhow::Result<()> {
    let hospital = Hospital::write(folder, PATIENTS, FILES)?;
    println!("\n## A patient's 200 laboratory results\n");
    println!(
        "| | what | p50 ms | p99 ms | CPU µs each | load |\n| --- | --- | --: | --: | --: | --: |"
    );
    let disk = std::env::temp_dir();
    for database in databases {
        scene(
            &format!("{}, disk", database.name()),
            *database,
            &hospital,
            &disk,
        )
        .await?;
        if *database == Database::Sqlite {
            scene("SQLite, memory", *database, &hospital, Path::new(MEMORY)).await?;
        }
    }
    Ok(())
}

async fn scene(
    name: &str,
    database: Database,
    hospital: &Hospital,
    place: &Path,
) -> anyhow::Result<()> {
    let hub = Hub::open(database, hospital, place).await?;
    hub.consents(hospital).await?;
    Ingest::new(hub.store.clone(), 16 << 20)
        .once(None, &|_, _| {})
        .await?;
    let reader = Reader::sign_in(&hub).await?;
    let (number, patient, items) = patient_with_labs(&hub, &reader).await?;
    let (disclosure, intake, query, call) =
        (hub.store.disclosure(), hub.store.intake(), labs(), call());
    let open = || disclosure.open::<Viewing>(&reader.requester, &call, patient);
    let failed = |refused| anyhow::anyhow!("refused: {refused:?}");

    measure(name, "frames alone: read, unseal, unpack", async || {
        intake.contents(number, &items).await?;
        Ok(())
    })
    .await?;
    measure(name, "consent alone: may this reader look", async || {
        open().await.map_err(failed)?;
        Ok(())
    })
    .await?;
    let row = || Event::new(AuditAction::Search).by(&reader.requester);
    measure(name, "audit alone: one durable row", async || {
        Ok(hub.store.audit().record(row()).await?)
    })
    .await?;
    let door = async || {
        let page = open()
            .await
            .map_err(failed)?
            .records(&query)
            .await
            .map_err(failed)?;
        anyhow::ensure!(page.items.len() == 200, "200 results");
        Ok(())
    };
    measure(
        name,
        "through the door: consent, query, audit, frames",
        door,
    )
    .await?;
    let uri = format!("/fhir/Observation?patient={patient}&category=laboratory&_count=200");
    let look = async || reader.get(&uri).await.map(drop);
    measure(name, "through FHIR: the same with token and JSON", look).await?;
    let live = Live::start(&hub, hospital, number).await?;
    measure(name, "the same beside a live feed, 500 items/s", look).await?;
    anyhow::ensure!(live.stop().await? > 0, "the feed was live");
    if database == Database::Sqlite {
        let beside = Beside::start(hospital)?;
        measure(name, "the same beside a back-fill on the same cores", look).await?;
        drop(beside);
    }
    at_once(name, Arc::new(reader), &uri).await?;
    hub.store.close().await;
    Ok(())
}

/// Many readers, each of whom looks again as soon as the answer is there.
async fn at_once(name: &str, reader: Arc<Reader>, uri: &str) -> anyhow::Result<()> {
    let (start, cpu) = (Instant::now(), process::cpu());
    let look = || {
        let (reader, uri) = (Arc::clone(&reader), uri.to_owned());
        tokio::spawn(async move {
            let mut taken = Vec::with_capacity(LOOKS);
            for _ in 0..LOOKS {
                let start = Instant::now();
                reader.get(&uri).await?;
                taken.push(start.elapsed());
            }
            anyhow::Ok(taken)
        })
    };
    let readers: Vec<_> = (0..READERS).map(|_| look()).collect();
    let mut taken = Vec::new();
    for reader in readers {
        taken.extend(reader.await??);
    }
    let (looks, cpu) = (taken.len() as u64, process::cpu() - cpu);
    let (rate, cpu) = (rate(looks, start.elapsed()), each(cpu, looks));
    let (half, most) = p50_p99(taken);
    println!(
        "| {name} | through FHIR, {READERS} readers at once: {rate:.0} answers/s | {half:.2} | {most:.2} | {cpu:.0} | {} |",
        process::load()
    );
    Ok(())
}

/// A patient with more than 200 results, and the files that hold the newest 200.
async fn patient_with_labs(
    hub: &Hub,
    reader: &Reader,
) -> anyhow::Result<(PatientNumber, PatientId, Vec<Item>)> {
    let facility = HOSPITAL.parse()?;
    let (disclosure, call) = (hub.store.disclosure(), call());
    for entry in hub.papers.roster(&facility).await? {
        let Ok(view) = disclosure
            .open::<Viewing>(&reader.requester, &call, entry.public)
            .await
        else {
            continue;
        };
        let page = view
            .records(&labs())
            .await
            .map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        if page.items.len() < 200 {
            continue;
        }
        let known = hub.store.intake().known(entry.patient, &facility).await?;
        let shown = |item: &Item| {
            page.items
                .iter()
                .any(|result| result.source == format!("{:016x}", item.slot))
        };
        let items = known
            .items
            .into_iter()
            .filter(|item| item.flag == 1 && shown(item))
            .collect();
        return Ok((entry.patient, entry.public, items));
    }
    anyhow::bail!("nobody has 200 results")
}

async fn measure<F: AsyncFn() -> anyhow::Result<()>>(
    name: &str,
    what: &str,
    work: F,
) -> anyhow::Result<()> {
    for _ in 0..ROUNDS / 10 {
        work().await?;
    }
    let mut taken = Vec::with_capacity(ROUNDS);
    let cpu = process::cpu();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        work().await?;
        taken.push(start.elapsed());
    }
    let cpu = each(process::cpu() - cpu, ROUNDS as u64);
    let (half, most) = p50_p99(taken);
    println!(
        "| {name} | {what} | {half:.2} | {most:.2} | {cpu:.0} | {} |",
        process::load()
    );
    Ok(())
}
