//! Reading once more what is kept: from the bytes in the store, under the name they came with.

use normalize::ssmix::path;
use store::{Content, Error, Intake, Item, Known, Origin, Outcome, Papers, RosterEntry};

use super::prove::test;
use super::read::{Job, ReadFile, Reader, name_of_flag};
use super::show::VANISHED;
use super::tree;

impl Reader {
    /// Reads kept items again, in their order. An item under a number that the papers name no longer
    /// is left out.
    pub(crate) async fn again(&self, kept: Vec<(Item, Content)>) -> Vec<ReadFile> {
        let jobs = kept.into_iter().filter_map(|(item, content)| {
            let name =
                path::parse(&format!("{}_{}", content.name, name_of_flag(item.flag))).ok()?;
            let canonical = self.feed.identity.canonical(&name.patient);
            let number = self
                .numbers
                .iter()
                .position(|number| number.id == canonical)?;
            let job = Job {
                name,
                text: content.name,
                number,
                item,
            };
            Some((job, tree::Content::Bytes(content.raw)))
        });
        self.read_all(jobs.collect()).await
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
    let mut read = reader
        .again(withheld.into_iter().zip(contents).collect())
        .await;
    test(papers, entry, &mut read).await?;
    read.retain(|file| file.item.outcome != Outcome::Withheld);
    Ok(read)
}
