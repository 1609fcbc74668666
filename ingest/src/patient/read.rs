//! Reading items: bytes become records, findings and a packed frame. No item makes this fail.

use std::sync::Arc;

use model::feed::Feed;
use model::finding::{Finding, Place};
use model::record::Record;
use normalize::lint::{self, Rule};
use normalize::ssmix::path::{FileName, Flag};
use normalize::{Context, Evidence, Format, Normalized, normalize};
use rayon::prelude::*;
use store::{Intake, Item, Outcome, Packed};

use super::fact::{self, Facts};
use super::show::SlotKind;
use crate::cpu::{self, Pace};

/// A thread takes so many files at once: waking another one costs as much as reading one.
pub(super) const PORTION: usize = 16;

/// A file, read.
pub(crate) struct ReadFile {
    pub(crate) item: Item,
    pub(crate) slot_kind: SlotKind,
    pub(crate) facts: Facts,
    pub(crate) evidence: Option<Evidence>,
    pub(crate) findings: Vec<Finding>,
    raw: Vec<u8>,
    name: String,
    frame: Frame,
    pub(crate) is_demographics: bool,
    /// Which of the patient's numbers.
    pub(crate) number: usize,
}

/// How the frame of a file comes about.
enum Frame {
    /// It was made where the file was read.
    Packed(Packed),
    /// It is to be made without records: they are withheld.
    Bare,
    /// It is kept already, and just so.
    Kept,
}

/// What reading needs besides the file.
#[derive(Clone)]
pub(crate) struct Reader {
    pub(crate) feed: Arc<Feed>,
    pub(crate) intake: Intake,
    /// Whether somebody waits for it.
    pub(crate) pace: Pace,
    /// The numbers of the patient under which the items came.
    pub(crate) numbers: Arc<[Number]>,
}

/// A number of a patient.
pub(crate) struct Number {
    /// After the feed's identity rules.
    pub(crate) id: String,
    /// By which kept items tell it.
    pub(crate) digest: i64,
    /// Whether the facility wrote demographics under it.
    pub(crate) demographics: bool,
}

/// The bytes of an item.
pub(crate) enum Content {
    /// As they came.
    Bytes(Vec<u8>),
    /// Not kept: they are more than an item may have.
    TooLarge,
}

/// Something to be read.
pub(crate) struct Job {
    pub(crate) name: FileName,
    /// The name as it is kept, without the flag.
    pub(crate) text: String,
    /// Which of the patient's numbers.
    pub(crate) number: usize,
    pub(crate) item: Item,
}

impl Reader {
    /// Reads items, many at once, in their order; `job` says what is to be read of each.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        found: Vec<T>,
        job: impl Fn(&Self, T) -> Option<(Job, Content)> + Send + Sync + 'static,
    ) -> Vec<ReadFile> {
        let reader = self.clone();
        let work = move || {
            let found = found.into_par_iter().with_min_len(PORTION);
            let read = found.filter_map(|one| {
                let (job, content) = job(&reader, one)?;
                reader.file(job, content, None)
            });
            read.collect()
        };
        cpu::run(self.pace, work).await.unwrap_or_default()
    }

    /// Reads what is at hand, many at once, in its order.
    pub(crate) async fn read_all(&self, jobs: Vec<(Job, Content)>) -> Vec<ReadFile> {
        self.read(jobs, |_, job| Some(job)).await
    }

    /// Reads one file; `kept` is what is kept of it, where that is what is read again.
    pub(super) fn file(
        &self,
        job: Job,
        content: Content,
        kept: Option<&store::Content>,
    ) -> Option<ReadFile> {
        let number = self.numbers.get(job.number)?;
        let (raw, refused) = match content {
            Content::Bytes(bytes) if bytes.is_empty() => (bytes, Some(lint::S1111)),
            Content::Bytes(bytes) => (bytes, None),
            Content::TooLarge => (Vec::new(), Some(lint::S1110)),
        };
        let read = || {
            let context = Context {
                feed: &self.feed,
                patient_from_order: !number.demographics,
            };
            normalize(
                &normalize::Item {
                    format: Format::SsMix2(&job.name),
                    bytes: &raw,
                },
                &context,
            )
        };
        let normalized = match refused {
            Some(rule) => withheld(rule),
            // INVARIANT of `normalize`: it does not panic. If it ever does, one file is withheld.
            None => std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
                .unwrap_or_else(|_| withheld(lint::S1113)),
        };
        let mut item = job.item;
        if kept.is_none() {
            item.content = self.intake.content_digest(&raw);
        }
        item.cancels = normalized.cancels;
        item.event_at = normalized.event_time.map(|time| time.start());
        item.outcome = outcome(&normalized, &job.name);
        // A file may lie in a folder of somebody whom neither its name nor its content means.
        let strays = normalized
            .subject
            .as_ref()
            .is_some_and(|subject| *subject != number.id);
        let records = normalized.records;
        let (frame, facts) = if kept.is_some_and(|kept| kept.holds(&records)) {
            (Frame::Kept, fact::joining(&self.intake, records))
        } else {
            let packed = Packed::new(&raw, &job.text, &records);
            let frame = packed.map_or(Frame::Bare, Frame::Packed);
            (frame, fact::of(&self.intake, records))
        };
        let mut file = ReadFile {
            slot_kind: slot_kind(&job.name),
            frame,
            facts,
            evidence: normalized.evidence,
            findings: normalized.findings,
            is_demographics: job.name.kind == normalize::ssmix::data_type::DataKind::Adt00,
            raw,
            name: job.text,
            number: job.number,
            item,
        };
        if strays && file.item.outcome != Outcome::Withheld {
            file.withhold(lint::D2301);
        } else if matches!(file.frame, Frame::Bare) {
            file.withhold(lint::S1113);
        }
        Some(file)
    }
}

fn outcome(normalized: &Normalized, name: &FileName) -> Outcome {
    let withheld = normalized
        .findings
        .iter()
        .any(|finding| finding.effect == model::finding::Effect::Withhold);
    match (withheld, name.kind.reads()) {
        (true, _) => Outcome::Withheld,
        (false, true) => Outcome::Read,
        (false, false) => Outcome::Kept,
    }
}

fn withheld(rule: Rule) -> Normalized {
    Normalized {
        subject: None,
        evidence: None,
        records: Vec::new(),
        cancels: false,
        event_time: None,
        findings: vec![rule.at(Place::default())],
    }
}

pub(crate) fn slot_kind(name: &FileName) -> SlotKind {
    SlotKind {
        kind: name.kind.clone(),
        order_is_real: name.order_number().is_some(),
    }
}

pub(crate) const fn flag_number(flag: Flag) -> i64 {
    match flag {
        Flag::Deleted => 0,
        Flag::Active => 1,
        Flag::Superseded => 2,
    }
}

/// A flag as it stands in a file name; of what has vanished nobody knows it any more.
pub(crate) const fn name_of_flag(number: i64) -> char {
    match number {
        0 => '0',
        2 => '2',
        _ => '1',
    }
}

impl ReadFile {
    /// Ids of the rules that its findings name, in their order.
    pub(crate) fn rules(&self) -> Vec<&str> {
        let rules = self.findings.iter().map(|finding| finding.rule.as_str());
        rules.collect()
    }

    /// Whether it calls off an event without saying when that was.
    pub(crate) fn names_no_event(&self) -> bool {
        self.item.cancels
            && self.item.event_at.is_none()
            && self.item.outcome == Outcome::Read
            && self.slot_kind.kind.date_field().is_some()
    }

    /// Keeps the file sealed and gives none of its records away.
    pub(crate) fn withhold(&mut self, rule: Rule) {
        self.findings.push(rule.at(Place::default()));
        self.facts = Facts::default();
        self.item.outcome = Outcome::Withheld;
        self.frame = Frame::Bare;
    }

    /// Whether the file is kept as it was read, and only what joins read of its facts is at hand.
    pub(crate) const fn is_kept(&self) -> bool {
        matches!(self.frame, Frame::Kept)
    }

    /// Notes whether `kept` holds its records, after all that may have withheld them, and whether all
    /// else of it is as it was. What is not has a frame and all facts again.
    pub(crate) fn compare(
        &mut self,
        intake: &Intake,
        kept: &store::Content,
        is_else_the_same: bool,
    ) -> Result<(), store::Error> {
        match self.frame {
            Frame::Bare if is_else_the_same && kept.holds(&[]) => self.frame = Frame::Kept,
            Frame::Kept if !is_else_the_same => {
                let records = kept.records()?;
                self.frame = Frame::Packed(Packed::new(&self.raw, &self.name, &records)?);
                self.facts = fact::of(intake, records);
            }
            _ => {}
        }
        Ok(())
    }

    /// The records that were read from it; none when they were withheld.
    pub(crate) fn records(&self) -> Result<Vec<Record>, store::Error> {
        match &self.frame {
            Frame::Packed(packed) => packed.records(),
            Frame::Bare | Frame::Kept => Ok(Vec::new()),
        }
    }

    /// The frame of the file, unless it is kept already; made where it was read, anew without records
    /// when they were withheld.
    pub(crate) fn pack(self) -> Result<Option<Packed>, store::Error> {
        match self.frame {
            Frame::Packed(packed) => Ok(Some(packed)),
            Frame::Bare => Packed::new(&self.raw, &self.name, []).map(Some),
            Frame::Kept => Ok(None),
        }
    }
}
