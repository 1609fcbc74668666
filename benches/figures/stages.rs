//! What each stage of a back-fill costs alone: CPU time in one thread, on the same files.

use std::collections::BTreeMap;
use std::time::Duration;

use model::id::PatientNumber;
use normalize::hl7::message::Message;
use normalize::{Context, Format, Item, normalize};
use sha2::{Digest, Sha256};
use store::{Outcome, Packed, PatientChange};

use crate::hospital::{File, Hospital};
use crate::hub::{Database, Hub};
use crate::measure::{each, mean};
use crate::process;

/// So many files go through a stage at a time; more would only take memory.
const CHUNK: usize = 2_000;

/// CPU time of each stage alone, in one thread, on the same files.
#[derive(Default)]
pub(crate) struct Stages {
    list: Duration,
    read: Duration,
    hash: Duration,
    decode: Duration,
    parse: Duration,
    normalize: Duration,
    pack: Duration,
    seal: Duration,
    bytes: u64,
    records: u64,
}

impl Stages {
    /// What any program that looks at every byte must do.
    fn baseline(&self) -> Duration {
        self.list + self.read + self.hash
    }

    pub(crate) async fn measure(hospital: &Hospital) -> anyhow::Result<Self> {
        let hub = Hub::open(Database::Sqlite, hospital, &std::env::temp_dir()).await?;
        hub.consents(hospital).await?;
        let mut stages = Self::default();
        let mut files = Vec::new();
        timed(&mut stages.list, || hospital.each(|file| files.push(file)))?;
        for chunk in files.chunks(CHUNK) {
            let packed = stages.chunk(chunk, &hub)?;
            stages.seal(packed, &hub).await?;
        }
        hub.store.close().await;
        Ok(stages)
    }

    /// From files to packed frames.
    fn chunk(&mut self, files: &[File], hub: &Hub) -> anyhow::Result<Vec<(store::Item, Packed)>> {
        let feed = hub.feed()?;
        let contents = timed(&mut self.read, || {
            files
                .iter()
                .map(|file| std::fs::read(&file.path))
                .collect::<Result<Vec<_>, _>>()
        })?;
        self.bytes += contents.iter().map(|bytes| bytes.len() as u64).sum::<u64>();
        timed(&mut self.hash, || {
            contents
                .iter()
                .for_each(|bytes| _ = std::hint::black_box(Sha256::digest(bytes)));
        });
        let decode = |bytes: &[u8]| {
            normalize::text::decode(bytes, "~ISO IR87", feed.fallback)
                .text
                .len()
        };
        timed(&mut self.decode, || {
            contents
                .iter()
                .for_each(|bytes| _ = std::hint::black_box(decode(bytes)));
        });
        let parse = |bytes: &[u8]| Message::parse(bytes, feed.fallback).is_ok();
        timed(&mut self.parse, || {
            contents
                .iter()
                .for_each(|bytes| _ = std::hint::black_box(parse(bytes)));
        });
        let context = Context {
            feed,
            patient_from_order: false,
        };
        let whole = |(file, bytes): (&File, &Vec<u8>)| {
            normalize(
                &Item {
                    format: Format::SsMix2(&file.name),
                    bytes,
                },
                &context,
            )
        };
        let read = timed(&mut self.normalize, || {
            files.iter().zip(&contents).map(whole).collect::<Vec<_>>()
        });
        self.records += read
            .iter()
            .map(|read| read.records.len() as u64)
            .sum::<u64>();
        let both = contents.iter().zip(&read);
        let packed = timed(&mut self.pack, || {
            both.map(|(raw, read)| Packed::new(raw, "", &read.records))
                .collect::<Result<Vec<_>, _>>()
        })?;
        Ok(files
            .iter()
            .zip(&contents)
            .map(|(file, bytes)| item(hub, file, bytes))
            .zip(packed)
            .collect())
    }

    /// Sealing, appending and syncing: frames are accepted without the records in them. What SQLite's
    /// threads do meanwhile is not counted.
    async fn seal(&mut self, packed: Vec<(store::Item, Packed)>, hub: &Hub) -> anyhow::Result<()> {
        let facility = crate::hub::HOSPITAL.parse()?;
        let roster = hub.papers.roster(&facility).await?;
        let first = roster
            .first()
            .ok_or_else(|| anyhow::anyhow!("somebody consented"))?;
        let known = hub.store.intake().known(first.patient, &facility).await?;
        let change = |(item, packed)| store::ItemChange {
            item,
            packed: Some(packed),
            findings: None,
            fresh: true,
        };
        let change = PatientChange {
            patient: PatientNumber(first.patient.0),
            public: first.public,
            epoch: first.epoch,
            facility,
            joins: known.joins,
            items: packed.into_iter().map(change).collect(),
            slots: Vec::new(),
            joined: None,
            tokens: BTreeMap::new(),
            taken: store::Taken::default(),
        };
        let (all, sqlite) = (process::cpu(), process::sqlite_cpu());
        hub.store.intake().accept(vec![change]).await?;
        self.seal += (process::cpu() - all).saturating_sub(process::sqlite_cpu() - sqlite);
        Ok(())
    }

    pub(crate) fn print(&self, files: u64) {
        let per = |spent: Duration| each(spent, files);
        println!("\n| stage alone, one thread | CPU µs a file |\n| --- | --: |");
        println!("| list (names, sizes, times) | {:.1} |", per(self.list));
        println!("| read | {:.1} |", per(self.read));
        println!("| decode | {:.1} |", per(self.decode));
        println!(
            "| parse (cut into segments and fields) | {:.1} |",
            per(self.parse.saturating_sub(self.decode))
        );
        println!(
            "| normalize (fields to records) | {:.1} |",
            per(self.normalize.saturating_sub(self.parse))
        );
        println!(
            "| pack (records as JSON, compressed) | {:.1} |",
            per(self.pack)
        );
        println!("| seal, append, sync | {:.1} |", per(self.seal));
        println!(
            "| baseline: list, read, SHA-256 | {:.1} |",
            per(self.baseline())
        );
        println!(
            "\n{:.0} bytes and {:.2} records a file.",
            mean(self.bytes, files),
            mean(self.records, files)
        );
    }
}

fn item(hub: &Hub, file: &File, bytes: &[u8]) -> store::Item {
    let intake = hub.store.intake();
    let digest = |text: &str| intake.content_digest(text.as_bytes());
    let path = digest(&file.path.display().to_string());
    store::Item::new(
        path,
        0,
        path,
        1,
        1,
        file.name.instant(),
        0,
        intake.content_digest(bytes),
        0,
        0,
        Outcome::Kept,
    )
}

fn timed<T>(spent: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = process::thread_cpu();
    let done = work();
    *spent += process::thread_cpu() - start;
    done
}
