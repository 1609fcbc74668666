//! Writing a patient's files: each act becomes a step, and the truth about it is kept beside.

use crate::content::{Message, Record};
use crate::person::Person;
use crate::step::{Content, Step, Timed};
use crate::storage::{Flag, Slot, Version};
use crate::time::Moment;
use crate::tree::{Entry, Tree};
use crate::wire::{self, Fault, Form};
use std::collections::BTreeMap;

/// A message on its way into the storage.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) message: Message,
    /// 診療日
    pub(crate) day: Moment,
    pub(crate) order: Option<u64>,
    /// 発生日時
    pub(crate) sent: Moment,
    pub(crate) department: &'static str,
    pub(crate) fault: Option<Fault>,
}

/// What was said in one version, for the truth.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) message: Message,
    pub(crate) findings: Vec<&'static str>,
    pub(crate) withheld: bool,
}

impl Said {
    pub(crate) fn records(&self) -> Vec<Record> {
        if self.withheld {
            Vec::new()
        } else {
            self.message.records()
        }
    }
}

/// The recorder.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    pub(crate) person: Person,
    pub(crate) form: Form,
    pub(crate) steps: Vec<Timed>,
    pub(crate) tree: Tree,
    pub(crate) said: BTreeMap<Version, Said>,
    control: u64,
}

impl Tape {
    /// `first_control` begins the numbers of MSH-10.
    pub(crate) fn new(person: Person, form: Form, first_control: u64) -> Self {
        Self {
            person,
            form,
            steps: Vec::new(),
            tree: Tree::default(),
            said: BTreeMap::new(),
            control: first_control,
        }
    }

    /// A new message: a correction where something is in force, else a first version.
    pub(crate) fn put(&mut self, draft: &Draft) -> Entry {
        let content = self.content(&self.after_the_last(draft), Flag::Current);
        let entry = Entry {
            version: content.version.clone(),
            flag: Flag::Current,
            root: 0,
        };
        let retired = self.in_force(&entry.version.slot);
        let step = if retired.is_empty() {
            Step::Write(content)
        } else {
            Step::Supersede {
                retired,
                by: content,
            }
        };
        self.step(entry.version.time, step);
        entry
    }

    /// A message that arrives at `at`, long after its 発生日時, and renames nothing.
    pub(crate) fn put_late(&mut self, draft: &Draft, at: Moment, flag: Flag) {
        let content = self.content(draft, flag);
        self.step(at, Step::Write(content));
    }

    /// A delete message: everything of its slot becomes invalid.
    pub(crate) fn delete(&mut self, draft: &Draft) {
        let content = self.content(draft, Flag::Deleted);
        let retired = self.tree.of(content.root, &content.version.slot);
        let retired = retired
            .into_iter()
            .filter(|(_, flag)| *flag != Flag::Deleted)
            .collect();
        self.step(
            draft.sent,
            Step::Delete {
                retired,
                by: content,
            },
        );
    }

    /// A correction as many systems express it: DEL, and one millisecond later INS.
    pub(crate) fn replace(&mut self, delete: &Draft, insert: &Draft) {
        self.delete(delete);
        let mut insert = insert.clone();
        insert.sent = delete.sent.plus_millis(1);
        self.put(&insert);
    }

    /// Renames one file.
    pub(crate) fn reflag(&mut self, at: Moment, entry: &Entry, to: Flag) {
        let step = Step::Rename {
            root: entry.root,
            version: entry.version.clone(),
            from: entry.flag,
            to,
        };
        self.step(at, step);
    }

    /// The same bytes in the second root, under a flag of their own.
    pub(crate) fn copy(&mut self, at: Moment, entry: &Entry, flag: Flag) {
        let Some(bytes) = self.tree.bytes(entry) else {
            return;
        };
        let content = Content {
            root: 1,
            version: entry.version.clone(),
            flag,
            bytes,
        };
        self.step(at, Step::Write(content));
    }

    /// A file disappears.
    pub(crate) fn vanish(&mut self, at: Moment, entry: &Entry) {
        let step = Step::Vanish {
            root: entry.root,
            version: entry.version.clone(),
            flag: entry.flag,
        };
        self.step(at, step);
    }

    /// The draft, sent later than everything in its slot.
    fn after_the_last(&self, draft: &Draft) -> Draft {
        let mut draft = draft.clone();
        let slot = self.slot(&draft);
        let versions = self.tree.of(0, &slot).into_iter();
        if let Some(last) = versions.map(|(version, _)| version.time).max() {
            draft.sent = draft.sent.max(last.plus_millis(1));
        }
        draft
    }

    fn slot(&self, draft: &Draft) -> Slot {
        let kind = draft.message.kind();
        Slot::new(&self.person.local_id, draft.day, kind, draft.order)
    }

    fn in_force(&self, slot: &Slot) -> Vec<Version> {
        let files = self.tree.of(0, slot).into_iter();
        files
            .filter(|(_, flag)| *flag == Flag::Current)
            .map(|(version, _)| version)
            .collect()
    }

    fn content(&mut self, draft: &Draft, flag: Flag) -> Content {
        let version = self.slot(draft).version(draft.sent, draft.department);
        let bytes = wire::bytes(
            &draft.message,
            &self.person,
            self.form,
            draft.sent,
            self.control,
            draft.fault,
        );
        self.control += 1;
        self.said.insert(version.clone(), self.said_by(draft));
        Content {
            root: 0,
            version,
            flag,
            bytes: bytes.into(),
        }
    }

    fn said_by(&self, draft: &Draft) -> Said {
        let fault = draft.fault.map(Fault::finding);
        let mut findings: Vec<_> = fault.iter().map(|(name, _)| *name).collect();
        if !self.form.is_declared_truly() {
            findings.push("charset-differs");
        }
        if matches!(draft.message, Message::Meal(_) | Message::Imaging(_)) {
            findings.push("kept-raw");
        }
        Said {
            message: draft.message.clone(),
            findings,
            withheld: fault.is_some_and(|(_, withheld)| withheld),
        }
    }

    fn step(&mut self, at: Moment, step: Step) {
        self.tree.apply(&step);
        self.steps.push(Timed { at, step });
    }
}
