//! The records' schema at a million rows, through the store's own way in: does the rate stay, how
//! large is a record, how long does a read of 200 take at the end. The records are those of
//! generated files, given to one patient after the other.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use consent::Viewing;
use model::record::Record;
use normalize::{Context, Format, normalize};
use store::{
    Evidence, Head, Item, ItemChange, Outcome, Packed, PatientChange, Publish, RosterEntry,
    SlotChange, Standing,
};

use crate::hospital::{File, Hospital};
use crate::hub::{Database, HOSPITAL, Hub};
use crate::measure::{each, mean, p50_p99, rate};
use crate::process;
use crate::reader::{Reader, call, labs};

const PATIENTS: u64 = 1_000;
/// Files that are read once and given to patients in turn, so many to each.
const FILES: u64 = 20_200;
const FILES_EACH: usize = 200;
const STEP: u64 = 100_000;
/// A transaction is about so many rows.
const BATCH_ROWS: u64 = 20_000;

/// A file that was read.
pub(crate) struct Read {
    item: Item,
    packed: Vec<u8>,
    records: Vec<Record>,
    heads: Vec<Head>,
}

/// Fills a store with so many records.
pub(crate) async fn run(folder: &Path, wanted: u64) -> anyhow::Result<()> {
    println!("\n## The schema at {wanted} records\n");
    let hospital = Hospital::write(folder, PATIENTS, FILES)?;
    let hub = Hub::open(Database::Sqlite, &hospital, &std::env::temp_dir()).await?;
    hub.consents(&hospital).await?;
    prove(&hub, &hospital).await?;
    let mut files = Vec::new();
    hospital.each(|file| files.push(read(&hub, &file)))?;
    let files = files.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    fill(&hub, &files, wanted).await?;
    look(&hub).await?;
    hub.store.close().await;
    println!(
        "\n{:.0} bytes a record in `records.db`",
        mean(hub.records_bytes()?, wanted)
    );
    Ok(())
}

/// The hospital agrees with every paper.
async fn prove(hub: &Hub, hospital: &Hospital) -> anyhow::Result<()> {
    let facility = HOSPITAL.parse()?;
    for entry in hub.papers.roster(&facility).await? {
        let Some(link) = entry.links.first() else {
            continue;
        };
        let local_id = link.local_id.id.reveal();
        let Some(paper) = hospital
            .papers
            .iter()
            .find(|paper| paper.local_id == *local_id)
        else {
            continue;
        };
        let sex = if paper.sex == "F" {
            model::person::Sex::Female
        } else {
            model::person::Sex::Male
        };
        let evidence = Evidence {
            birth_date: Some(paper.birth_date.parse()?),
            sex: Some(sex),
            kana: Some(normalize::text::fold(&paper.kana)),
            kanji: None,
        };
        hub.papers
            .prove_link(entry.patient, &link.local_id, &evidence)
            .await?;
    }
    Ok(())
}

pub(crate) fn read(hub: &Hub, file: &File) -> anyhow::Result<Read> {
    let intake = hub.store.intake();
    let bytes = std::fs::read(&file.path)?;
    let context = Context {
        feed: hub.feed()?,
        patient_from_order: false,
    };
    let read = normalize(
        &normalize::Item {
            format: Format::SsMix2(&file.name),
            bytes: &bytes,
        },
        &context,
    );
    let digest = |text: &str| intake.content_digest(text.as_bytes());
    let (slot, path) = (
        digest(&file.name.slot(&file.name.patient)),
        digest(&file.path.display().to_string()),
    );
    let item = Item::new(
        slot,
        0,
        path,
        1,
        1,
        file.name.instant(),
        0,
        intake.content_digest(&bytes),
        0,
        0,
        Outcome::Read,
    );
    Ok(Read {
        item,
        packed: bytes,
        heads: read.records.iter().map(|one| intake.head(one)).collect(),
        records: read.records,
    })
}

/// Accepts batches until there are so many records, and says how each step went.
async fn fill(hub: &Hub, files: &[Read], wanted: u64) -> anyhow::Result<()> {
    println!(
        "| records | rows/s | SQLite's CPU µs a row | all CPU µs a row | load |\n| --: | --: | --: | --: | --: |"
    );
    let roster = hub.papers.roster(&HOSPITAL.parse()?).await?;
    let mut turn = files.chunks(FILES_EACH).cycle();
    let (mut records, mut rows, mut batch, mut waiting) = (0, 0, Vec::new(), 0);
    let mut step = STEP;
    let mut spent = (Duration::ZERO, process::sqlite_cpu(), process::cpu());
    // A patient comes again with other files only when everybody had theirs.
    for entry in roster.iter().cycle() {
        let Some(portion) = turn.next() else { break };
        let known = hub
            .store
            .intake()
            .known(entry.patient, &HOSPITAL.parse()?)
            .await?;
        let change = change(entry, known.joins, portion)?;
        let more: u64 = change
            .slots
            .iter()
            .map(|slot| slot.publish.len() as u64)
            .sum();
        (records, waiting) = (
            records + more,
            waiting + more + 2 * change.items.len() as u64,
        );
        batch.push(change);
        if waiting < BATCH_ROWS && records < wanted {
            continue;
        }
        let start = Instant::now();
        hub.store
            .intake()
            .accept(std::mem::take(&mut batch))
            .await?;
        (spent.0, rows, waiting) = (spent.0 + start.elapsed(), rows + waiting, 0);
        if records >= step.min(wanted) {
            step += STEP;
            let (sqlite, all) = (process::sqlite_cpu() - spent.1, process::cpu() - spent.2);
            println!(
                "| {records} | {:.0} | {:.1} | {:.1} | {} |",
                rate(rows, spent.0),
                each(sqlite, rows),
                each(all, rows),
                process::load()
            );
            (rows, spent) = (0, (Duration::ZERO, process::sqlite_cpu(), process::cpu()));
        }
        if records >= wanted {
            break;
        }
    }
    Ok(())
}

pub(crate) fn change(
    entry: &RosterEntry,
    joins: i64,
    files: &[Read],
) -> anyhow::Result<PatientChange> {
    let item = |file: &Read| {
        let packed = Packed::new(&file.packed, "", &file.records)?;
        Ok::<_, store::Error>(ItemChange {
            item: file.item.clone(),
            packed: Some(packed),
            findings: None,
            fresh: true,
        })
    };
    let slot = |file: &Read| SlotChange {
        slot: file.item.slot,
        state: 1,
        joins: 0,
        published: vec![(file.item.path, 1)],
        publish: (0..)
            .zip(&file.heads)
            .map(|(ordinal, head)| publish(&file.item, ordinal, *head))
            .collect(),
        before: None,
    };
    Ok(PatientChange {
        patient: entry.patient,
        public: entry.public,
        epoch: entry.epoch,
        facility: HOSPITAL.parse()?,
        joins,
        items: files.iter().map(item).collect::<Result<_, _>>()?,
        slots: files.iter().map(slot).collect(),
        joined: None,
        tokens: BTreeMap::new(),
        taken: store::Taken::default(),
    })
}

fn publish(item: &Item, ordinal: usize, head: Head) -> Publish {
    Publish {
        path: item.path,
        ordinal,
        head,
        standing: Standing::Current,
    }
}

/// Reads 200 results of one patient after the other.
async fn look(hub: &Hub) -> anyhow::Result<()> {
    let reader = Reader::sign_in(hub).await?;
    let (disclosure, query, call) = (hub.store.disclosure(), labs(), call());
    let mut taken = Vec::new();
    for entry in hub.papers.roster(&HOSPITAL.parse()?).await? {
        let start = Instant::now();
        let view = disclosure
            .open::<Viewing>(&reader.requester, &call, entry.public)
            .await;
        let Ok(view) = view else { continue };
        let page = view
            .records(&query)
            .await
            .map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        if page.items.len() == 200 {
            taken.push(start.elapsed());
        }
    }
    let looked = taken.len();
    anyhow::ensure!(looked > 0, "somebody has 200 results");
    let (half, most) = p50_p99(taken);
    println!(
        "\n200 results of {looked} patients, one after the other: p50 {half:.2} ms, p99 {most:.2} ms"
    );
    Ok(())
}
