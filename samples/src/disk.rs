//! A network onto a disk: the trees of its roots, and the truth beside them.

use crate::hospital::FACILITY;
use crate::network::{Network, Patient};
use crate::step::create;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;

/// The facility's two roots below a folder; the second one holds copies only.
pub fn roots(folder: &Path) -> [PathBuf; 2] {
    [folder.join(FACILITY), folder.join(format!("{FACILITY}B"))]
}

/// Writes the storage as it is after all steps, patient by patient on all processors. Each file's
/// modification time is its 発生日時. Gives the number of files.
///
/// # Errors
/// When the file system refuses.
pub fn write(network: &Network, folder: &Path) -> io::Result<u64> {
    let roots = roots(folder);
    let workers = thread::available_parallelism().map_or(1, |n| n.get() as u64);
    thread::scope(|scope| {
        let mut handles = Vec::new();
        for worker in 0..workers {
            let roots = &roots;
            handles.push(scope.spawn(move || {
                let mut files = 0;
                for number in (worker..network.len()).step_by(usize::try_from(workers).unwrap_or(1))
                {
                    files += network.patient(number).write(roots)?;
                }
                Ok::<u64, io::Error>(files)
            }));
        }
        let mut files = 0;
        for handle in handles {
            let written = handle
                .join()
                .map_err(|_| io::Error::other("a writer stopped"))?;
            files += written?;
        }
        Ok(files)
    })
}

impl Patient {
    /// Writes this patient's files below the roots and gives their number.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn write<P: AsRef<Path>>(&self, roots: &[P]) -> io::Result<u64> {
        for (entry, bytes) in self.tree.files() {
            let root = roots
                .get(entry.root)
                .ok_or_else(|| io::Error::other("no such root"))?;
            let path = root.as_ref().join(entry.version.path(entry.flag));
            create(&path, bytes, entry.version.time)?;
        }
        Ok(self.tree.len() as u64)
    }
}

/// What a correct reader gives for every patient; for networks that fit into memory.
pub fn truth(network: &Network) -> Value {
    let patients: Vec<Value> = network
        .patients()
        .map(|patient| patient.truth().clone())
        .collect();
    json!({"schema": SCHEMA, "facility": FACILITY, "patients": patients})
}

/// Writes the truth patient by patient.
///
/// # Errors
/// When `out` refuses.
pub fn write_truth(network: &Network, mut out: impl Write) -> io::Result<()> {
    write!(
        out,
        "{{\"schema\":\"{SCHEMA}\",\"facility\":\"{FACILITY}\",\"patients\":["
    )?;
    for (patient, n) in network.patients().zip(0_u64..) {
        out.write_all(if n == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut out, &patient.truth())?;
    }
    out.write_all(b"\n]}\n")?;
    out.flush()
}

const SCHEMA: &str = "samples-truth/1";
