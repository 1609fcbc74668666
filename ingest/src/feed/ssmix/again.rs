//! Reading once more what is kept: from the bytes in the store, under the name they came with.

use std::sync::Arc;

use normalize::ssmix::path;
use rayon::prelude::*;
use store::{Content, Error, Intake, Item, Known, Origin, Outcome, Papers, RosterEntry};

use super::prove::test;
use super::read::{Job, PORTION, ReadFile, Reader, name_of_flag};
use super::show::VANISHED;
use super::tree;
use crate::cpu;

/// Items with what is kept of them.
pub(crate) type Kept = Vec<(Item, Content)>;

impl Reader {
    /// Reads kept items of one origin again, in their order. An item under a number that the papers name no longer
    /// is left out.
    pub(crate) async fn again(&self, kept: &[(Item, Content)], origin: Origin) -> Vec<ReadFile> {
        let kept = kept.iter().filter(|(item, _)| item.origin == origin);
        let jobs = kept.filter_map(|(item, content)| self.job_again(item, content));
        self.read_all(jobs.collect()).await
    }

    /// As [`Reader::again`], and of each whether it is kept as it was read.
    pub(crate) async fn compared(&self, kept: &Arc<Kept>, origin: Origin) -> Vec<ReadFile> {
        if kept.iter().all(|(item, _)| item.origin != origin) {
            return Vec::new();
        }
        let (reader, kept) = (self.clone(), Arc::clone(kept));
        let work = move || {
            let kept = kept.par_iter().with_min_len(PORTION);
            kept.filter(|(item, _)| item.origin == origin)
                .filter_map(|(item, content)| {
                    let (job, bytes) = reader.job_again(item, content)?;
                    reader.file(job, bytes, Some(content))
                })
                .collect::<Vec<ReadFile>>()
        };
        cpu::run(self.pace, work).await.unwrap_or_default()
    }

    fn job_again(&self, item: &Item, content: &Content) -> Option<(Job, tree::Content)> {
        let text = content.name().ok()?.to_owned();
        let name = path::parse(&format!("{text}_{}", name_of_flag(item.flag))).ok()?;
        let canonical = self.feed.identity.canonical(&name.patient);
        let mut numbers = self.numbers.iter();
        let number = numbers.position(|number| number.id == canonical)?;
        let raw = content.raw().ok()?.to_vec();
        let job = Job {
            name,
            text,
            number,
            item: item.clone(),
        };
        Some((job, tree::Content::Bytes(raw)))
    }
}

/// What was pushed and is withheld may fit the demographics that have come now. A storage's own
/// files are read again by its next sweep.
pub(crate) async fn withheld_again(
    reader: &Reader,
    papers: &Papers,
    entry: &RosterEntry,
    known: &Known,
) -> Result<Vec<ReadFile>, Error> {
    let is_withheld = |item: &&Item| {
        item.origin == Origin::Pushed && item.outcome == Outcome::Withheld && item.flag != VANISHED
    };
    let withheld: Vec<Item> = known.items.iter().filter(is_withheld).cloned().collect();
    if withheld.is_empty() {
        return Ok(Vec::new());
    }
    let intake: &Intake = &reader.intake;
    let contents = intake.contents(entry.patient, &withheld).await?;
    let kept: Vec<(Item, Content)> = withheld.into_iter().zip(contents).collect();
    let mut read = reader.again(&kept, Origin::Pushed).await;
    let stated = papers.demographics(&[entry.patient]).await?;
    test(papers, entry, &stated, &mut read).await?;
    read.retain(|file| file.item.outcome != Outcome::Withheld);
    Ok(read)
}
