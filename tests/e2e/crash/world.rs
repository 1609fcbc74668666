//! A hub that is killed again and again, another one that never is, and what both of them are told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::Command;

use samples::person::Person;
use samples::random::Random;
use samples::{Flag, Patient, Timed};
use serde_json::Value;

use super::laboratory::Laboratory;
use crate::support::{
    CLINIC, HOSPITAL, Hub, Kind, Message, Running, Sender, content, paper, patients,
};

/// Patients whose files come one by one, and as many whose messages do.
const EACH: usize = 2;
/// Files of each of them.
const FILES: u64 = 90;
/// Results of one patient; then the next one's begin.
const RESULTS: u64 = 150;
/// Patients of the laboratory.
const LABORATORIES: usize = 6;

pub(super) struct World {
    /// Killed again and again.
    pub(super) hub: Hub,
    /// Reads the same storage, hears the same senders, and is never killed.
    untouched: Hub,
    /// How often it was killed, with this one.
    pub(super) crash: u32,
    kind: Kind,
    seed: u64,
    tokens: [String; 2],
    /// Public ids at both hubs, by number of the consent.
    ids: [Vec<String>; 2],
    laboratories: Vec<Laboratory>,
    /// The last result; they count from 1.
    result: u64,
    /// Results that will be stored, or are.
    stored: BTreeSet<u64>,
    storing: VecDeque<u64>,
    /// What the hospital does to its storage.
    steps: VecDeque<Timed>,
    growing: VecDeque<Timed>,
    messages: VecDeque<Message>,
    /// The hospital, and its laboratory.
    senders: [Sender; 2],
    /// Acknowledged ones that the other hub has heard.
    heard: [usize; 2],
    /// Items, and messages that were kept: never fewer than before.
    counts: [u64; 2],
    log: String,
}

impl World {
    pub(super) fn new(kind: Kind, seed: u64) -> Self {
        let (hub, untouched) = (Hub::new(kind), Hub::new(Kind::Sqlite));
        let storage = hub.storage().display().to_string();
        untouched.edit(
            "feeds/demo-hospital.toml",
            "data/demo-hospital/1319999901",
            &storage,
        );
        let patients = patients(46, 2 * EACH, FILES);
        let laboratories = Laboratory::all(LABORATORIES);
        let roots = samples::roots(&hub.path().join("data/demo-hospital"));
        for timed in laboratories.iter().flat_map(|one| &one.introduction) {
            samples::apply(&timed.step, &roots, timed.at).unwrap();
        }
        let mut lines: Vec<String> = (patients.iter().enumerate())
            .map(|(number, patient)| paper(&format!("N-{number}"), patient, CLINIC, "*"))
            .collect();
        lines.extend(
            (laboratories.iter().enumerate()).map(|(number, one)| {
                consent(&format!("N-{}", number + patients.len()), &one.person)
            }),
        );
        let tokens = [&hub, &untouched].map(|hub| {
            hub.listens();
            hub.secretary();
            hub.consents(&lines);
            hub.token("treating", "physician", CLINIC)
        });
        let ids = [&hub, &untouched].map(|hub| {
            let numbers = 0..lines.len();
            numbers
                .map(|one| hub.patient(&format!("N-{one}")))
                .collect()
        });
        let (stored, pushed) = patients.split_at(EACH);
        let mut steps: Vec<Timed> = stored.iter().flat_map(|one| one.steps.clone()).collect();
        steps.sort_by_key(|timed| timed.at);
        Self {
            hub,
            untouched,
            crash: 0,
            kind,
            seed,
            tokens,
            ids,
            laboratories,
            result: 0,
            stored: BTreeSet::new(),
            storing: VecDeque::new(),
            steps: steps.into(),
            growing: VecDeque::new(),
            messages: messages(pushed),
            senders: Default::default(),
            heard: [0; 2],
            counts: [0; 2],
            log: String::new(),
        }
    }

    /// What happens until the next crash.
    pub(super) fn plan(&mut self, random: &mut Random) {
        let some = |random: &mut Random, most| usize::try_from(random.below(most)).unwrap();
        let steps = some(random, 5).min(self.steps.len());
        self.growing.extend(self.steps.drain(..steps));
        let messages = some(random, 5).min(self.messages.len());
        self.senders[0].due.extend(self.messages.drain(..messages));
        for _ in 0..random.below(12) {
            self.result += 1;
            let (one, way) = (self.result, random.below(4));
            if way != 0 {
                let message = self.laboratory(one).message(one);
                self.senders[1].due.push_back(message);
            }
            if way <= 1 {
                self.stored.insert(one);
                self.storing.push_back(one);
            }
        }
    }

    /// Senders push and the storage grows, until the process is killed.
    pub(super) fn work_until_killed(&mut self, running: Running, life: impl FnOnce()) {
        let address = running.mllp();
        let (storage, roots) = (self.hub.storage(), self.roots());
        let mut storing: Vec<u64> = self.storing.drain(..).collect();
        let growing: Vec<Timed> = self.growing.drain(..).collect();
        let (laboratories, seen) = (&self.laboratories, self.log.len());
        let [hospital, laboratory] = &mut self.senders;
        let log = std::thread::scope(|scope| {
            scope.spawn(|| hospital.send(&address, 3));
            scope.spawn(|| laboratory.send(&address, 8));
            scope.spawn(|| {
                for result in storing.drain(..) {
                    of(laboratories, result).store(result, &storage);
                }
                for timed in &growing {
                    samples::apply(&timed.step, &roots, timed.at).unwrap();
                }
            });
            life();
            let log = running.log();
            running.kill();
            log
        });
        self.log.push_str(&log);
        assert!(
            !self.log[seen..].contains("ERROR"),
            "{}: {log}",
            self.place()
        );
    }

    /// Everything that was acknowledged is there, once.
    pub(super) fn look(&mut self, running: &Running) {
        let number = self.laboratories_begun().saturating_sub(1);
        self.look_at(running, number);
        let status = self.hub.musubi(&["status", "--json"], "");
        let status: Value = serde_json::from_slice(&status.stdout).unwrap();
        let (feed, pushed) = (&status["feeds"][0], &status["pushed"][0]);
        let counts = [&feed["files"], &pushed["kept"]].map(|count| count.as_u64().unwrap());
        let place = self.place();
        assert!(
            counts[0] >= self.counts[0] && counts[1] >= self.counts[1],
            "{place}: {counts:?} are fewer than {:?}",
            self.counts
        );
        let acknowledged: usize = (self.senders.iter())
            .map(|sender| sender.acknowledged.len())
            .sum();
        assert!(
            usize::try_from(counts[1]).unwrap() >= acknowledged,
            "{place}: {acknowledged} were acknowledged: {status}"
        );
        assert_eq!(feed["damaged_patients"], 0, "{place}");
        self.counts = counts;
    }

    /// The results of one patient.
    fn look_at(&self, running: &Running, number: usize) {
        let wanted: BTreeSet<u64> = (self.senders[1].acknowledged.iter())
            .map(|message| message.control[1..].parse().unwrap())
            .filter(|result| index(*result) == number)
            .collect();
        let mut found = BTreeMap::new();
        let mut missing = Vec::new();
        let id = &self.ids[0][2 * EACH + number];
        let search = format!("Observation?patient={id}&category=laboratory&_count=200");
        let is_there = waited(|| {
            found = BTreeMap::<u64, usize>::new();
            for one in running.all(&self.tokens[0], &search) {
                let value = one["valueQuantity"]["value"].to_string();
                *found.entry(value.parse().unwrap()).or_default() += 1;
            }
            let is_missing = |result: &&u64| !found.contains_key(result);
            missing = wanted.iter().filter(is_missing).copied().collect();
            missing.is_empty()
        });
        let place = self.place();
        assert!(is_there, "{place}: acknowledged and not there: {missing:?}");
        let doubled: Vec<_> = found.iter().filter(|(_, count)| **count > 1).collect();
        assert!(doubled.is_empty(), "{place}: doubled: {doubled:?}");
    }

    /// Lets both hubs hear everything, and compares what a physician reads at each.
    pub(super) fn compare(&mut self) {
        let running = self.hub.serve("serve,ingest");
        let address = running.mllp();
        self.senders
            .iter_mut()
            .for_each(|one| one.send(&address, 8));
        assert!(self.senders.iter().all(|one| one.due.is_empty()));
        for number in 0..self.laboratories_begun() {
            self.look_at(&running, number);
        }
        let expected = self.read_untouched();
        let mut found = Vec::new();
        let is_same = waited(|| {
            found = read(&running, &self.tokens[0], &self.ids[0]);
            found == expected
        });
        if !is_same {
            let place = self.place();
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{place}");
            }
        }
        assert!(!running.log().contains("ERROR"), "{}", self.place());
        running.kill();
    }

    /// What is read where nobody kills.
    fn read_untouched(&mut self) -> Vec<Vec<String>> {
        let running = self.untouched.serve("ingest");
        for (sender, heard) in self.senders.iter().zip(&mut self.heard) {
            let mut other = Sender::default();
            other.due.extend(sender.acknowledged[*heard..].to_vec());
            other.send(&running.mllp(), 16);
            assert!(other.due.is_empty());
            *heard = sender.acknowledged.len();
        }
        assert!(running.stop());
        self.untouched.ingest();
        let running = self.untouched.serve("serve");
        let read = read(&running, &self.tokens[1], &self.ids[1]);
        assert!(running.stop());
        read
    }

    /// At the end everything was said, the audit is whole, and the log complains of nothing.
    pub(super) fn end(&self) {
        let place = self.place();
        let audit = self.hub.json(&["audit", "verify"], "");
        assert_eq!(audit["good"], true, "{place}: {audit}");
        let acknowledged = self.senders.each_ref().map(|one| one.acknowledged.len());
        assert!(
            acknowledged.iter().all(|one| *one > 100),
            "{acknowledged:?}"
        );
        assert!(self.steps.len() < 100, "most of the storage was written");
    }

    /// As if the dead process had given its leases back.
    pub(super) fn give_leases_back(&self) {
        if self.kind == Kind::Postgres {
            let status = Command::new("psql")
                .args(["-qc", "update records.lease set holder = 0"])
                .arg(self.hub.setting("MUSUBI_DATABASE_RECORDS"))
                .status()
                .unwrap();
            assert!(status.success());
        }
    }

    fn place(&self) -> String {
        format!(
            "MUSUBI_TEST_SEED={} {:?} crash {}",
            self.seed, self.kind, self.crash
        )
    }

    fn roots(&self) -> [std::path::PathBuf; 2] {
        samples::roots(&self.hub.path().join("data/demo-hospital"))
    }

    fn laboratory(&self, result: u64) -> &Laboratory {
        of(&self.laboratories, result)
    }

    fn laboratories_begun(&self) -> usize {
        usize::try_from(self.result.div_ceil(RESULTS)).unwrap()
    }
}

/// The patient of a result.
fn of(laboratories: &[Laboratory], result: u64) -> &Laboratory {
    &laboratories[index(result)]
}

fn index(result: u64) -> usize {
    usize::try_from((result - 1) / RESULTS).unwrap()
}

/// Whether something becomes so in time.
fn waited(mut so: impl FnMut() -> bool) -> bool {
    let start = std::time::Instant::now();
    while !so() {
        if start.elapsed() > std::time::Duration::from_secs(60) {
            return false;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    true
}

fn read(running: &Running, token: &str, ids: &[String]) -> Vec<Vec<String>> {
    let ids = ids.iter();
    ids.map(|id| content(running, token, id)).collect()
}

/// What a sender would have sent of patients, in the order of time.
fn messages(patients: &[Patient]) -> VecDeque<Message> {
    let files = patients.iter().flat_map(|one| one.tree.files());
    let mut sent: Vec<_> = files
        .filter(|(entry, _)| entry.flag != Flag::Deleted)
        .collect();
    sent.sort_by_key(|(entry, _)| entry.version.time);
    let message = |(at, (_, bytes)): (usize, (_, &std::sync::Arc<[u8]>))| {
        Message::new(format!("H{at}"), bytes)
    };
    sent.into_iter().enumerate().map(message).collect()
}

/// A line of the consent form for somebody.
fn consent(number: &str, person: &Person) -> String {
    let sex = if person.sex == "F" { "female" } else { "male" };
    format!(
        "{number},C-1,1,2026-04-01,署名者,self,{},{},{sex},{HOSPITAL}:{},{HOSPITAL},{CLINIC},*,2020-01-01,,説明者,事務局",
        person.kana(),
        person.birth.iso_date(),
        person.local_id
    )
}
