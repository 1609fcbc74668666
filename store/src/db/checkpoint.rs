//! Takes SQLite's log into its file, beside the writer: a commit that does it holds up whoever waits for
//! theirs, senders' answers among them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use sqlx::sqlite::SqlitePool;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::error::Error;

/// So often the log is looked at.
const EVERY: Duration = Duration::from_millis(500);
/// Whoever keeps the log from being emptied is waited for so long, and asked so often.
const PATIENCE: Duration = Duration::from_secs(4);
const AGAIN: Duration = Duration::from_millis(50);

/// The checkpoints of one database.
#[derive(Clone)]
pub(crate) struct Checkpoints(Arc<Beside>);

struct Beside {
    /// A connection of its own.
    pool: SqlitePool,
    /// SQLite refuses a second checkpoint while one runs.
    one: Mutex<()>,
}

impl Checkpoints {
    /// Takes in what was written since the last time, until this is closed or dropped.
    pub(super) fn beside(pool: SqlitePool, file: &Path) -> Self {
        let own = Arc::new(Beside {
            pool,
            one: Mutex::default(),
        });
        let mut log = file.as_os_str().to_owned();
        log.push("-wal");
        tokio::spawn(keep(Arc::downgrade(&own), log.into()));
        Self(own)
    }

    /// Takes in everything and leaves the log empty.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where somebody goes on reading what was before, or another process goes on
    /// taking in.
    pub(super) async fn truncate(&self, writer: &SqlitePool) -> Result<(), Error> {
        let _one = self.0.one.lock().await;
        let begun = Instant::now();
        // SQLite waits for readers by itself, but not for other processes.
        while !is_done("pragma main.wal_checkpoint(truncate)", writer).await? {
            if begun.elapsed() > PATIENCE {
                return Err(Error::Unavailable("database: its log is being read"));
            }
            tokio::time::sleep(AGAIN).await;
        }
        Ok(())
    }

    pub(super) async fn close(&self) {
        self.0.pool.close().await;
    }
}

async fn keep(beside: Weak<Beside>, log: PathBuf) {
    let mut taken = None;
    loop {
        tokio::time::sleep(EVERY).await;
        let written = written(&log).await;
        let Some(beside) = beside.upgrade().filter(|beside| !beside.pool.is_closed()) else {
            return;
        };
        if written == taken {
            continue;
        }
        let _one = beside.one.lock().await;
        let passive = is_done("pragma main.wal_checkpoint(passive)", &beside.pool);
        // Where this fails the writer's own bound on the log holds, and its commits say why.
        if passive.await.is_ok_and(|done| done) {
            taken = written;
        }
    }
}

/// Whether a checkpoint could do its work.
async fn is_done(checkpoint: &'static str, pool: &SqlitePool) -> Result<bool, Error> {
    let (is_busy, _, _): (i64, i64, i64) = sqlx::query_as(checkpoint).fetch_one(pool).await?;
    Ok(is_busy == 0)
}

/// When a log was last written to.
async fn written(log: &Path) -> Option<SystemTime> {
    tokio::fs::metadata(log).await.ok()?.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{Db, Name, params};
    use super::*;

    /// A database with a row in its log, and its file.
    async fn written_to(folder: &Path) -> (Db, PathBuf) {
        let file = folder.join("keys.db");
        let url = format!("sqlite://{}", file.display());
        let db = Db::open(Name::Keys, &url, None).await.unwrap();
        row(&db, 1).await;
        (db, file)
    }

    async fn row(db: &Db, patient: i64) {
        let sql = "insert into patient_key (patient, generation, wrapped, created_at) values ($1, 1, $2, 0)";
        let params = params![patient, vec![7_u8; 60]];
        db.execute(sql, params).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_written_comes_out_of_the_log_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (_db, file) = written_to(folder.path()).await;
        let is_in = || {
            let bytes = std::fs::read(&file).unwrap();
            bytes.windows(60).any(|part| part == [7; 60])
        };
        let taking_in = async {
            while !is_in() {
                tokio::time::sleep(AGAIN).await;
            }
        };
        let taken_in = tokio::time::timeout(Duration::from_secs(60), taking_in).await;
        assert!(taken_in.is_ok());
    }

    #[tokio::test]
    async fn a_log_that_somebody_reads_is_not_said_to_be_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (db, file) = written_to(folder.path()).await;
        let Db::Sqlite { readers, .. } = &db else {
            panic!("SQLite");
        };
        let mut reading = readers.begin().await.unwrap();
        let count = sqlx::query("select count(*) from patient_key");
        count.fetch_one(&mut *reading).await.unwrap();
        row(&db, 2).await;
        let refused = db.scrub("").await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        drop(reading);
        db.scrub("").await.unwrap();
        let log = file.with_file_name("keys.db-wal");
        assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
        db.close().await;
    }

    /// Up to 3.51.2 a log that one connection began anew while another one took it in could lose pages
    /// (<https://www.sqlite.org/wal.html#walresetbug>).
    #[tokio::test]
    async fn this_sqlite_can_take_its_log_in_beside_the_writer() {
        let folder = tempfile::tempdir().unwrap();
        let (db, _) = written_to(folder.path()).await;
        let row: Option<(String,)> = db
            .fetch_optional("select sqlite_version()", params![])
            .await
            .unwrap();
        let (version,) = row.unwrap();
        let numbers: Vec<u32> = version
            .split('.')
            .map(|part| part.parse().unwrap())
            .collect();
        assert!(numbers >= vec![3, 51, 3], "{version}");
    }
}
