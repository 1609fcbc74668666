//! Takes SQLite's log into its file, beside the writer: a commit that does it holds up whoever waits for
//! theirs, senders' answers among them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use sqlx::sqlite::SqlitePool;
use tokio::sync::Mutex;

use crate::error::Error;

/// So often the log is looked at.
const EVERY: Duration = Duration::from_millis(500);

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
    /// [`Error::Unavailable`] while somebody reads what was before, or another process does the same.
    pub(super) async fn truncate(&self, writer: &SqlitePool) -> Result<(), Error> {
        let _one = self.0.one.lock().await;
        let truncate = sqlx::query_as("pragma main.wal_checkpoint(truncate)");
        let (is_busy, _, _): (i64, i64, i64) = truncate.fetch_one(writer).await?;
        match is_busy {
            0 => Ok(()),
            _ => Err(Error::Unavailable("database: its log is being read")),
        }
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
        let passive = sqlx::query("pragma main.wal_checkpoint(passive)");
        // Where this fails the writer's own bound on the log holds, and its commits say why.
        if passive.fetch_all(&beside.pool).await.is_ok() {
            taken = written;
        }
    }
}

/// When a log was last written to.
async fn written(log: &Path) -> Option<SystemTime> {
    tokio::fs::metadata(log).await.ok()?.modified().ok()
}
