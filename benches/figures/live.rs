//! What else a hub does while somebody looks: a live feed into the same store, or a back-fill into
//! another one on the same cores.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use model::id::PatientNumber;
use store::{RosterEntry, Store};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::hospital::Hospital;
use crate::hub::{Database, HOSPITAL, Hub};
use crate::schema::{Read, change, read};

/// Tells a process to back-fill again and again.
pub(crate) const AGAIN: &str = "again";
/// A group of a live feed is bounded by this time; so many items in each are 500 a second.
const GROUP: Duration = Duration::from_millis(20);
const ITEMS: usize = 10;

/// A feed of 500 items a second, accepted in groups as they come.
pub(crate) struct Live {
    goes_on: Arc<AtomicBool>,
    task: JoinHandle<anyhow::Result<u64>>,
}

impl Live {
    /// Starts it. The items are those of the hospital, given to one patient after the other, but not
    /// to the one who is looked at.
    pub(crate) async fn start(
        hub: &Hub,
        hospital: &Hospital,
        looked_at: PatientNumber,
    ) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        hospital.each(|file| files.push(read(hub, &file)))?;
        let files = files.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        let mut roster = hub.papers.roster(&HOSPITAL.parse()?).await?;
        roster.retain(|entry| entry.patient != looked_at);
        let goes_on = Arc::new(AtomicBool::new(true));
        let feed = feed(hub.store.clone(), roster, files, Arc::clone(&goes_on));
        Ok(Self {
            goes_on,
            task: tokio::spawn(feed),
        })
    }

    /// Ends it; how many items were accepted.
    pub(crate) async fn stop(self) -> anyhow::Result<u64> {
        self.goes_on.store(false, Ordering::Relaxed);
        self.task.await?
    }
}

async fn feed(
    store: Store,
    roster: Vec<RosterEntry>,
    files: Vec<Read>,
    goes_on: Arc<AtomicBool>,
) -> anyhow::Result<u64> {
    let (intake, facility) = (store.intake(), HOSPITAL.parse()?);
    let mut ticks = interval(GROUP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut accepted = 0;
    let groups = files.chunks_exact(ITEMS).cycle();
    for (entry, group) in roster.iter().cycle().zip(groups) {
        if !goes_on.load(Ordering::Relaxed) {
            break;
        }
        ticks.tick().await;
        let known = intake.known(entry.patient, &facility).await?;
        intake
            .accept(vec![change(entry, known.joins, group)?])
            .await?;
        accepted += ITEMS as u64;
    }
    Ok(accepted)
}

/// A back-fill without end, in a process of its own.
pub(crate) struct Beside {
    child: Child,
    /// Where its stores are, which it leaves as they are when it is stopped.
    _stores: tempfile::TempDir,
}

impl Beside {
    /// Starts back-fills of a storage, one after the other.
    pub(crate) fn start(hospital: &Hospital) -> anyhow::Result<Self> {
        let stores = tempfile::tempdir()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("pipe").arg(&hospital.folder);
        command.args([Database::Sqlite.word(), AGAIN]);
        command.env("TMPDIR", stores.path()).stdout(Stdio::null());
        Ok(Self {
            child: command.spawn()?,
            _stores: stores,
        })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It has nothing to finish: its stores are its own, and thrown away.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
