//! The figures of docs/performance.md. Each run prints tables in the form in which they stand there.
//!
//! ```text
//! cargo bench --bench figures                                 everything
//! cargo bench --bench figures -- backfill 10000 sqlite        so many files, one database
//! cargo bench --bench figures -- backfill 1000000 /mnt/large  storages stay there, to be used again
//! cargo bench --bench figures -- reads
//! cargo bench --bench figures -- lines 256                    over so many connections
//! cargo bench --bench figures -- together
//! cargo bench --bench figures -- schema 300000                so many records
//! ```
//!
//! | file | answers |
//! | --- | --- |
//! | `backfill`, `pipe` | how fast does a hospital come in |
//! | `stages` | what does each stage of that cost alone |
//! | `reads` | how long does a look at 200 results take, and what have consent and audit in it |
//! | `lines` | how fast are messages over MLLP acknowledged and accepted |
//! | `together` | what do two processes share, on PostgreSQL and an object store |
//! | `schema` | does the rate stay up to a million records |
//! | `live` | what goes on beside a look |
//! | `hospital`, `hub`, `reader` | the storage, the store that feeds from it, the person who looks |
//! | `process`, `measure` | what Linux counts, and how it is told |
#![expect(clippy::print_stdout, reason = "a bench reports")]

mod backfill;
mod hospital;
mod hub;
mod lines;
mod live;
mod measure;
mod pipe;
mod process;
mod reader;
mod reads;
mod schema;
mod stages;
mod together;

use std::path::Path;

use hub::Database;

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Cargo adds switches of its own.
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    let numbers: Vec<u64> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let databases: Vec<Database> = Database::ALL
        .into_iter()
        .filter(|one| words.iter().any(|word| word == one.word()))
        .collect();
    let databases = if databases.is_empty() {
        Database::ALL.to_vec()
    } else {
        databases
    };
    let passing = tempfile::tempdir()?;
    let kept = words.iter().find(|word| word.contains('/'));
    let folder = kept.map_or(passing.path(), Path::new);
    if words.first().is_some_and(|word| word == "pipe") {
        let database = databases.first().copied().unwrap_or(Database::Sqlite);
        let again = words.iter().any(|word| word == live::AGAIN);
        loop {
            pipe::run(folder, database).await?;
            if !again {
                return Ok(());
            }
        }
    }
    if words.first().is_some_and(|word| word == "reader") {
        return together::reader(folder, &words).await;
    }
    let wanted = |name: &str| words.first().is_none_or(|first| first == name);
    if wanted("backfill") {
        let sizes = if numbers.is_empty() {
            vec![10_000, 100_000]
        } else {
            numbers.clone()
        };
        backfill::run(folder, &sizes, &databases).await?;
    }
    if wanted("reads") {
        reads::run(folder, &databases).await?;
    }
    if wanted("lines") {
        lines::run(folder, &databases, &numbers).await?;
    }
    if wanted("together") {
        together::run(folder).await?;
    }
    if wanted("schema") {
        schema::run(folder, numbers.first().copied().unwrap_or(1_000_000)).await?;
    }
    Ok(())
}
