//! Random histories of one slot each: what readers of change have to follow.
//!
//! A history can be taken as a value (after each step the set of versions, and what a reader must
//! show), or done on a real tree with [`crate::apply`].

use crate::catalog::labs::{CRP, IMMUNOLOGY_SET, SERUM};
use crate::content::encounter::{Event, Stay};
use crate::content::lab::{Measured, Observed, Report, Specimen};
use crate::content::{Message, Order};
use crate::current::State;
use crate::hospital::Doctor;
use crate::network::local_id;
use crate::person::{NameForm, Person};
use crate::random::Random;
use crate::step::Timed;
use crate::storage::{Flag, Kind, Slot};
use crate::story::registration::Body;
use crate::tape::{Draft, Said, Tape};
use crate::time::Moment;
use crate::tree::{Entry, Tree};
use crate::wire::Form;
use std::collections::BTreeMap;

/// The first day of every history.
const FIRST_DAY: Moment = Moment::day(2024, 4, 1);

/// What happens to one slot of one patient.
#[derive(Clone, Debug)]
pub struct History {
    /// Whose slot it is.
    pub person: Person,
    /// Their demographics, which a reader needs before it may read anything else.
    pub introduction: Vec<Timed>,
    /// The slot.
    pub slot: Slot,
    /// What happens, in the order of time.
    pub steps: Vec<Timed>,
    said: BTreeMap<Moment, Said>,
}

/// What a reader shows of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: no version, or deleted.
    Nothing,
    /// The version with this mark (a result's value, or the time of an admission).
    Version(String),
    /// The same, but only superseded versions are left.
    Superseded(String),
    /// The version in force cancels its event.
    Cancelled,
}

/// `n` histories of at least `min_events` steps, each of a patient of its own.
pub fn histories(seed: u64, n: u64, min_events: usize) -> impl Iterator<Item = History> {
    (0..n).map(move |number| Writer::new(seed, number).write(min_events))
}

impl History {
    /// The storage after each step, the introduction left out.
    pub fn trees(&self) -> impl Iterator<Item = Tree> {
        self.steps.iter().scan(Tree::default(), |tree, timed| {
            tree.apply(&timed.step);
            Some(tree.clone())
        })
    }

    /// The storage after the last step.
    pub fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        self.steps.iter().for_each(|timed| tree.apply(&timed.step));
        tree
    }

    /// What a reader must show of the slot in such a tree.
    pub fn shown(&self, tree: &Tree) -> Shown {
        match tree.state(&self.slot) {
            State::Absent | State::Deleted => Shown::Nothing,
            State::Current(time) => match self.mark(time) {
                Some(mark) => Shown::Version(mark),
                None => Shown::Cancelled,
            },
            State::SupersededOnly(time) => match self.mark(time) {
                Some(mark) => Shown::Superseded(mark),
                None => Shown::Cancelled,
            },
        }
    }

    /// The mark that the version of a time carries; `None` for a cancel message.
    pub fn mark(&self, time: Moment) -> Option<String> {
        match &self.said.get(&time)?.message {
            Message::Lab(report) => {
                let specimen = report.specimens.first()?;
                Some(specimen.results.first()?.value.field())
            }
            Message::Encounter(Event::Admission(stay)) => Some(stay.admitted.iso_second()),
            _ => None,
        }
    }
}

/// Writes one history onto a tape.
struct Writer {
    random: Random,
    tape: Tape,
    order: Order,
    /// True for an admission, which can be cancelled; else a laboratory report.
    admission: bool,
    now: Moment,
    /// Counts the versions; each carries its number.
    versions: i64,
}

impl Writer {
    fn new(seed: u64, number: u64) -> Self {
        let mut random = Random::new(seed, number);
        let person = Person::invent(&mut random, local_id(number), NameForm::Usual);
        let tape = Tape::new(person, Form::STANDARD, number * 1000);
        let doctor = Doctor::any(&mut random);
        let order = Order {
            number: (number + 1) * 10_000,
            ordered: FIRST_DAY.at(9, 0),
            doctor,
            bed: None,
        };
        Self {
            admission: random.chance(30),
            random,
            tape,
            order,
            now: FIRST_DAY.at(10, 0),
            versions: 0,
        }
    }

    fn write(mut self, min_events: usize) -> History {
        let introduction = self.introduce();
        while self.tape.steps.len() < min_events {
            let pause = self.random.between(60_000, 20_000_000);
            self.now = self.now.plus_millis(pause);
            self.act();
        }
        let slot = self.slot();
        let said = self.tape.said.into_iter();
        History {
            person: self.tape.person,
            introduction,
            steps: self.tape.steps,
            said: said
                .filter(|(version, _)| version.slot == slot)
                .map(|(version, said)| (version.time, said))
                .collect(),
            slot,
        }
    }

    fn introduce(&mut self) -> Vec<Timed> {
        let body = Body::any(&mut self.random);
        let message = body.demographics(&self.tape.person, self.order.doctor, self.now);
        let draft = Draft {
            message,
            day: self.now,
            order: None,
            sent: self.now,
            department: "-",
            fault: None,
        };
        self.tape.put(&draft);
        std::mem::take(&mut self.tape.steps)
    }

    /// One act; what is impossible in the present state becomes a new version.
    fn act(&mut self) {
        let files = self.tape.tree.entries(&self.slot());
        let alive = files
            .iter()
            .any(|entry| entry.root == 0 && entry.flag != Flag::Deleted);
        let act = self.random.below(10);
        if files.is_empty() || act < 3 {
            let draft = self.version();
            self.tape.put(&draft);
            return;
        }
        let entry = self.random.pick(&files).clone();
        match act {
            3 if alive => self.delete(),
            4 if alive => {
                let (delete, insert) = (self.deletion(), self.version());
                self.tape.replace(&delete, &insert);
            }
            5 | 6 => self.reflag(&entry),
            7 => self.arrive_late(),
            8 if !files
                .iter()
                .any(|file| file.root == 1 && file.version == entry.version) =>
            {
                let flag = if self.random.chance(70) {
                    entry.flag
                } else {
                    Flag::Current
                };
                self.tape.copy(self.now, &entry, flag);
            }
            9 => self.tape.vanish(self.now, &entry),
            _ => {
                let draft = self.version();
                self.tape.put(&draft);
            }
        }
    }

    fn delete(&mut self) {
        let draft = self.deletion();
        self.tape.delete(&draft);
    }

    fn reflag(&mut self, entry: &Entry) {
        let flags = [Flag::Deleted, Flag::Current, Flag::Superseded];
        let to = *self.random.pick(&flags);
        if to != entry.flag {
            self.tape.reflag(self.now, entry, to);
        }
    }

    /// An earlier version, hours after it was sent.
    fn arrive_late(&mut self) {
        let mut draft = self.version();
        let delay = self.random.between(1_000, 40_000_000);
        draft.sent = self.now.plus_millis(-delay);
        let flag = *self.random.pick(&[Flag::Current, Flag::Superseded]);
        self.tape.put_late(&draft, self.now, flag);
    }

    /// The next version; of an admission it is sometimes its cancellation, in force.
    fn version(&mut self) -> Draft {
        self.versions += 1;
        let cancelled = self.admission && self.random.chance(20);
        let message = self.message(cancelled);
        self.draft(message)
    }

    fn deletion(&mut self) -> Draft {
        let message = self.message(true);
        self.draft(message)
    }

    fn draft(&self, message: Message) -> Draft {
        Draft {
            message,
            day: FIRST_DAY,
            order: self.order_number(),
            sent: self.now,
            department: self.order.doctor.department.code,
            fault: None,
        }
    }

    fn order_number(&self) -> Option<u64> {
        (!self.admission).then_some(self.order.number)
    }

    fn slot(&self) -> Slot {
        let kind = if self.admission {
            Kind::Adt22
        } else {
            Kind::Oml11
        };
        Slot::new(
            &self.tape.person.local_id,
            FIRST_DAY,
            kind,
            self.order_number(),
        )
    }

    /// A message that carries the number of the version.
    fn message(&self, cancelled: bool) -> Message {
        if !self.admission {
            return Message::Lab(self.report());
        }
        let stay = Stay {
            bed: "05E^512^2",
            doctor: self.order.doctor,
            admitted: self.order.ordered.plus_minutes(self.versions),
            discharged: None,
            discharge_names_admission: true,
        };
        Message::Encounter(if cancelled {
            Event::AdmissionCancelled(stay)
        } else {
            Event::Admission(stay)
        })
    }

    fn report(&self) -> Report {
        let result = Observed {
            test: CRP.coded(true),
            sub_id: None,
            value: Measured::Number(self.versions.to_string()),
            unit: CRP.unit,
            range: None,
            flag: "",
            status: 'F',
            observed: None,
        };
        let specimen = Specimen {
            number: self.order.number * 10,
            material: SERUM,
            set: IMMUNOLOGY_SET,
            collected: self.order.ordered,
            results: vec![result],
        };
        Report {
            order: self.order,
            reported: self.order.ordered.plus_minutes(30),
            specimens: vec![specimen],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::{Step, apply};
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    fn files_below(folder: &Path, found: &mut BTreeSet<(String, Vec<u8>)>, root: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_below(&path, found, root);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.insert((name, fs::read(&path).unwrap()));
            }
        }
    }

    #[test]
    fn a_real_tree_is_the_value_after_every_step() {
        for history in histories(5, 12, 15) {
            let folder = tempfile::tempdir().unwrap();
            let roots = [folder.path().join("0"), folder.path().join("1")];
            for (timed, tree) in history.steps.iter().zip(history.trees()) {
                apply(&timed.step, &roots, timed.at).unwrap();
                for (n, root) in roots.iter().enumerate() {
                    let mut found = BTreeSet::new();
                    files_below(root, &mut found, root);
                    let of_root = tree.files().filter(|(entry, _)| entry.root == n);
                    let expected = of_root
                        .map(|(entry, bytes)| (entry.version.path(entry.flag), bytes.to_vec()))
                        .collect();
                    assert_eq!(found, expected);
                }
            }
        }
    }

    #[test]
    fn a_renamed_file_keeps_its_modification_time() {
        let history = histories(5, 1, 1).next().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let roots = [folder.path()];
        let written = &history.introduction[0];
        apply(&written.step, &roots, written.at).unwrap();
        let Step::Write(content) = &written.step else {
            panic!("demographics are written first")
        };
        let rename = Step::Rename {
            root: 0,
            version: content.version.clone(),
            from: Flag::Current,
            to: Flag::Superseded,
        };
        let later = written.at.plus_days(1);
        apply(&rename, &roots, later).unwrap();
        let path = folder.path().join(content.version.path(Flag::Superseded));
        let modified = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        assert_eq!(modified(&path), written.at.system_time());
        assert_eq!(modified(path.parent().unwrap()), later.system_time());
    }

    #[test]
    fn histories_reach_every_state() {
        let mut seen = BTreeSet::new();
        for history in histories(2, 300, 12) {
            assert!(history.steps.len() >= 12);
            for tree in history.trees() {
                seen.insert(match history.shown(&tree) {
                    Shown::Nothing => 0,
                    Shown::Version(_) => 1,
                    Shown::Superseded(_) => 2,
                    Shown::Cancelled => 3,
                });
            }
        }
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn a_version_carries_its_mark() {
        for history in histories(9, 50, 12) {
            for (time, _, bytes) in history.tree().versions(&history.slot) {
                let Some(mark) = history.mark(time) else {
                    continue;
                };
                let mark = match mark.split_once('+') {
                    Some((local, _)) => local.replace(['-', ':', 'T'], ""),
                    None => format!("||{mark}|mg/dL"),
                };
                assert!(String::from_utf8_lossy(&bytes).contains(&mark));
            }
        }
    }
}
