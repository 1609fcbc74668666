//! What a slot shows is a function of the set of its versions, in whatever order a reader meets them
//! and however often.

use std::collections::BTreeMap;

use model::feed::{Fallback, Feed, FeedState, Identity, Source};
use model::record::Body;
use normalize::ssmix::path::{FileName, parse};
use normalize::ssmix::{SlotState, Version, current};
use normalize::{Context, Format, Item, Normalized, normalize};
use rayon::prelude::*;
use samples::random::Random;
use samples::{History, Shown, Tree, histories};

use crate::reading;

const HISTORIES: u64 = 2_000;
const EVENTS: usize = 12;
const SEED: u64 = 20_260_401;

#[test]
fn two_thousand_histories_show_what_the_reference_shows_after_every_event() {
    let all: Vec<(u64, History)> = (0..).zip(histories(SEED, HISTORIES, EVENTS)).collect();
    all.into_par_iter().for_each(|(number, history)| {
        assert!(history.steps.len() >= EVENTS);
        let mut reader = Reader::new(number);
        for (step, tree) in history.trees().enumerate() {
            let (shown, expected) = (reader.shown(&history, &tree), history.shown(&tree));
            assert_eq!(
                shown, expected,
                "seed {SEED}, history {number}, after step {step}"
            );
        }
    });
}

/// Reads the files of one history; each version once.
struct Reader {
    random: Random,
    feed: Feed,
    read: BTreeMap<String, Normalized>,
}

impl Reader {
    fn new(number: u64) -> Self {
        let feed = Feed {
            id: "storage".to_owned(),
            title: String::new(),
            facility: samples::hospital::FACILITY.parse().unwrap(),
            state: FeedState::Active,
            source: Source::SsMix2Tree {
                roots: Vec::new(),
                sweep: std::time::Duration::ZERO,
                settle: std::time::Duration::ZERO,
            },
            fallback: Fallback::Cp932,
            identity: Identity::default(),
            quirks: Vec::new(),
            hash: [0; 32],
        };
        let random = Random::new(SEED + 1, number);
        Self {
            random,
            feed,
            read: BTreeMap::new(),
        }
    }

    fn shown(&mut self, history: &History, tree: &Tree) -> Shown {
        let mut files: Vec<(FileName, Version)> = Vec::new();
        for (entry, bytes) in tree
            .files()
            .filter(|(entry, _)| entry.version.slot == history.slot)
        {
            let name = parse(&entry.version.path(entry.flag))
                .unwrap_or_else(|_| panic!("a name of the storage"));
            let normalized = self.read.entry(name.version()).or_insert_with(|| {
                let context = Context {
                    feed: &self.feed,
                    patient_from_order: false,
                };
                normalize(
                    &Item {
                        format: Format::SsMix2(&name),
                        bytes,
                    },
                    &context,
                )
            });
            let version = Version {
                time: name.time.clone(),
                flag: name.flag,
                content: bytes.iter().fold(0, |digest: u64, byte| {
                    digest.wrapping_mul(31) + u64::from(*byte)
                }),
                event_time: normalized.event_time.map(|time| time.start()),
                cancels: normalized.cancels,
            };
            files.push((name, version));
        }
        self.shuffle(&mut files);
        let Some((first, _)) = files.first() else {
            return Shown::Nothing;
        };
        let order_is_real = first.order_number().is_some();
        let versions: Vec<Version> = files.iter().map(|(_, version)| version.clone()).collect();
        let current = current(&first.kind, order_is_real, &versions);
        let marks = current
            .published
            .iter()
            .flat_map(|at| &self.read[&files[*at].0.version()].records);
        let mut marks = marks.filter_map(|record| mark(&record.body));
        let (mark, none) = (marks.next(), marks.next());
        assert_eq!(none, None, "one fact a version");
        match (current.state, mark) {
            (SlotState::Current, Some(mark)) => Shown::Version(mark),
            (SlotState::SupersededOnly, Some(mark)) => Shown::Superseded(mark),
            (SlotState::Cancelled, None) => Shown::Cancelled,
            (SlotState::Deleted, None) => Shown::Nothing,
            (state, mark) => panic!("{state:?} {mark:?}"),
        }
    }

    /// Some files a second time, all in any order.
    fn shuffle(&mut self, files: &mut Vec<(FileName, Version)>) {
        let again: Vec<_> = self
            .random
            .some_of(files, 25)
            .into_iter()
            .cloned()
            .collect();
        files.extend(again);
        let bound = files.len() as u64;
        for at in 0..files.len() {
            let other = usize::try_from(self.random.below(bound)).unwrap();
            files.swap(at, other);
        }
    }
}

/// What tells the versions of a history apart: a result's value, or when an admission was.
fn mark(body: &Body) -> Option<String> {
    match body {
        Body::Observation(observation) => observation.value.as_ref().map(reading::value),
        Body::Event(event) => event.at.map(|at| at.to_string()),
        _ => None,
    }
}
