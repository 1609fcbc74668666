//! The storage as a value: what lies in the folders after some steps, without a disk.

use crate::current::{State, current};
use crate::step::{Content, Step};
use crate::storage::{Flag, Slot, Version};
use crate::time::Moment;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// All files of the roots of one facility, or of one of its patients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(BTreeMap<Entry, Arc<[u8]>>);

/// One file: ordered by slot, so that the versions of a slot stand together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Name without the flag.
    pub version: Version,
    /// Its flag.
    pub flag: Flag,
    /// Index of the root.
    pub root: usize,
}

impl Tree {
    /// Does a step.
    pub fn apply(&mut self, step: &Step) {
        match step {
            Step::Write(content) => self.put(content),
            Step::Supersede { retired, by } => {
                for version in retired {
                    self.reflag(by.root, version, Flag::Current, Flag::Superseded);
                }
                self.put(by);
            }
            Step::Delete { retired, by } => {
                for (version, flag) in retired {
                    self.reflag(by.root, version, *flag, Flag::Deleted);
                }
                self.put(by);
            }
            Step::Rename {
                root,
                version,
                from,
                to,
            } => self.reflag(*root, version, *from, *to),
            Step::Vanish {
                root,
                version,
                flag,
            } => {
                self.0.remove(&Entry::new(*root, version, *flag));
            }
        }
    }

    /// Files with their bytes.
    pub fn files(&self) -> impl Iterator<Item = (&Entry, &Arc<[u8]>)> {
        self.0.iter()
    }

    /// The bytes of one file.
    pub fn bytes(&self, entry: &Entry) -> Option<Arc<[u8]>> {
        self.0.get(entry).cloned()
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is no file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The slots that have a file, in their order.
    pub fn slots(&self) -> BTreeSet<&Slot> {
        self.0.keys().map(|entry| &entry.version.slot).collect()
    }

    /// The files of one slot in all roots.
    pub fn entries(&self, slot: &Slot) -> Vec<Entry> {
        self.within(slot).map(|(entry, _)| entry.clone()).collect()
    }

    /// The files of one slot in one root.
    pub fn of(&self, root: usize, slot: &Slot) -> Vec<(Version, Flag)> {
        self.within(slot)
            .filter(|(entry, _)| entry.root == root)
            .map(|(entry, _)| (entry.version.clone(), entry.flag))
            .collect()
    }

    /// The slot over all roots as a set of (time, flag, content).
    pub fn versions(&self, slot: &Slot) -> BTreeSet<(Moment, Flag, Arc<[u8]>)> {
        self.within(slot)
            .map(|(entry, bytes)| (entry.version.time, entry.flag, Arc::clone(bytes)))
            .collect()
    }

    /// The state of a slot over all roots.
    pub fn state(&self, slot: &Slot) -> State {
        current(
            self.within(slot)
                .map(|(entry, _)| (entry.version.time, entry.flag)),
        )
    }

    fn within<'a>(&'a self, slot: &'a Slot) -> impl Iterator<Item = (&'a Entry, &'a Arc<[u8]>)> {
        let first = Entry::new(0, &slot.version(Moment::MIN, ""), Flag::Deleted);
        self.0
            .range(first..)
            .take_while(move |(entry, _)| entry.version.slot == *slot)
    }

    fn put(&mut self, content: &Content) {
        let entry = Entry::new(content.root, &content.version, content.flag);
        self.0.insert(entry, Arc::clone(&content.bytes));
    }

    fn reflag(&mut self, root: usize, version: &Version, from: Flag, to: Flag) {
        if let Some(bytes) = self.0.remove(&Entry::new(root, version, from)) {
            self.0.insert(Entry::new(root, version, to), bytes);
        }
    }
}

impl Entry {
    fn new(root: usize, version: &Version, flag: Flag) -> Self {
        Self {
            version: version.clone(),
            flag,
            root,
        }
    }
}
