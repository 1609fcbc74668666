//! Reading once more what is kept: from the bytes in the store, under the name they came with.

use std::sync::Arc;

use model::id::PatientNumber;
use normalize::ssmix::path;
use rayon::prelude::*;
use store::{Content, Error, Intake, Item, Known, Origin, Outcome, Papers, RosterEntry};

use super::fit::test;
use super::read::{self, Job, PORTION, ReadFile, Reader, name_of_flag};
use super::show::VANISHED;
use crate::cpu::{self, Cut, Pace};

/// An item with what is kept of it, and who reads it again.
pub(crate) struct Kept {
    pub(crate) reader: Arc<Reader>,
    pub(crate) patient: PatientNumber,
    pub(crate) item: Item,
    pub(crate) content: Content,
}

/// Reads kept items again, and looks at each whether it is kept as it was read. Those that were read, in
/// their order, with their places among `kept`.
///
/// # Errors
/// [`Error::Corrupt`] when an item cannot be read at all, [`Error::Unavailable`] when the program is
/// ending.
pub(crate) async fn compared(kept: &Arc<Vec<Kept>>) -> Result<Vec<(usize, ReadFile)>, Error> {
    let kept = Arc::clone(kept);
    let work = move || {
        let kept = kept.par_iter().with_min_len(PORTION).enumerate();
        let read = kept.filter_map(|(at, kept)| {
            let (job, bytes) = kept.reader.job_again(&kept.item, &kept.content)?;
            let read = kept.reader.file(job, bytes, Some(&kept.content))?;
            Some((at, read))
        });
        read.collect()
    };
    cpu::run(Pace::Bulk, work).await.map_err(|cut| match cut {
        Cut::Panicked => Error::Corrupt("item"),
        Cut::Ending => Error::Unavailable("replay"),
    })
}

impl Reader {
    /// Reads kept items of one origin again, in their order. An item under a number that the papers name no longer
    /// is left out.
    pub(crate) async fn again(&self, kept: &[(Item, Content)], origin: Origin) -> Vec<ReadFile> {
        let kept = kept.iter().filter(|(item, _)| item.origin == origin);
        let jobs = kept.filter_map(|(item, content)| self.job_again(item, content));
        self.read_all(jobs.collect()).await
    }

    fn job_again(&self, item: &Item, content: &Content) -> Option<(Job, read::Content)> {
        let text = content.name().ok()?.to_owned();
        let name = path::parse(&format!("{text}_{}", name_of_flag(item.flag))).ok()?;
        let canonical = self.feed.identity.canonical(&name.patient);
        let mut numbers = self.numbers.iter();
        let number = numbers.position(|number| number.id == canonical)?;
        let content = match content.raw().ok()? {
            // Of what is too large nothing was kept but its size.
            [] if item.size > 0 => read::Content::TooLarge,
            raw => read::Content::Bytes(raw.to_vec()),
        };
        let job = Job {
            name,
            text,
            number,
            item: item.clone(),
        };
        Some((job, content))
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
