//! Disks that fail for a while. Both need root, as continuous integration has it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::until;

/// A small disk, in memory.
pub(super) struct Small(PathBuf);

impl Small {
    /// Mounts it over a folder.
    pub(super) fn mount(folder: &Path) -> Self {
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=48m", "tmpfs"])
            .arg(folder);
        let status = mount.status().unwrap();
        assert!(status.success(), "a disk of a test is mounted by root");
        Self(folder.to_owned())
    }

    /// Leaves no byte of room.
    pub(super) fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        for size in [64 * 1024, 4096, 1] {
            while ballast
                .write(&vec![0; size])
                .is_ok_and(|written| written > 0)
            {}
        }
    }

    pub(super) fn make_room(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }

    /// Sizes of the segments on it.
    pub(super) fn segments(&self) -> BTreeMap<PathBuf, u64> {
        segments(&self.0)
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A process that is told, at every write to some files, that the disk is read-only. A disk on which
/// files are open cannot be made so in earnest, and come back.
pub(super) struct Deaf(Child);

impl Deaf {
    pub(super) fn make(process: u32, files: &[PathBuf]) -> Self {
        let mut strace = Command::new("strace");
        strace.args(["-f", "-o", "/dev/null", "-p", &process.to_string()]);
        strace.args(["-e", "inject=write,pwrite64,ftruncate:error=EROFS"]);
        for file in files {
            strace.arg("-P").arg(file);
        }
        let mut strace = strace.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(strace.stderr.take().unwrap()).lines();
        let attached = said.find_map(|line| line.ok().filter(|line| line.contains("attached")));
        assert!(attached.is_some(), "processes of tests may be traced");
        std::thread::spawn(move || said.for_each(drop));
        until("all threads are traced", || is_traced(process));
        Self(strace)
    }

    /// Writes are written again.
    pub(super) fn end(mut self) {
        let id = self.0.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status();
        assert!(status.unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Deaf {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether somebody traces every thread of a process.
fn is_traced(process: u32) -> bool {
    let mut threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    threads.all(|thread| {
        // A thread that has ended writes nothing more.
        let status = fs::read_to_string(thread.unwrap().path().join("status"));
        !status.is_ok_and(|status| status.contains("TracerPid:\t0\n"))
    })
}

/// Sizes of the segments below a folder of data.
pub(super) fn segments(data: &Path) -> BTreeMap<PathBuf, u64> {
    let files = fs::read_dir(data.join("blobs"))
        .unwrap()
        .map(Result::unwrap);
    files
        .map(|file| (file.path(), file.metadata().unwrap().len()))
        .collect()
}
