//! Whether what lies in a folder is the patient's: a link is proved before anything else of its folder
//! is opened, and every later item is tested against what proved it.

use model::id::PatientNumber;
use model::papers::LinkState;
use normalize::lint;
use store::{Error, Evidence, Link, Outcome, Papers, RosterEntry};

use super::Tree;
use super::read::{self, ReadFile};
use super::tree::Listing;
use crate::report::Report;

impl Tree {
    /// The entry with its proved numbers only; nothing when there is none. Numbers that are not proved
    /// yet are tried. With it what lies in the folders, where it was looked at just now.
    pub(super) async fn proved(
        &self,
        mut entry: RosterEntry,
        report: &mut Report,
    ) -> Result<Option<(RosterEntry, Option<Listing>)>, Error> {
        let mut proved = Vec::with_capacity(entry.links.len());
        let mut listing = None;
        for mut link in std::mem::take(&mut entry.links) {
            if link.state == LinkState::Unproved {
                let (state, found) = self.prove(&entry, &link).await?;
                link.state = state;
                listing = found.filter(|_| state == LinkState::Proved).or(listing);
                // The step that the proof itself took. A paper that came in between took another
                // one, and must make the batch start again.
                entry.epoch += i64::from(link.state != LinkState::Unproved);
            }
            match link.state {
                LinkState::Proved => proved.push(link),
                LinkState::Disagrees => report.closed_links += 1,
                LinkState::Unproved => report.unproved_links += 1,
            }
        }
        entry.links = proved;
        // A listing is of one number.
        listing.take_if(|_| entry.links.len() > 1);
        Ok((!entry.links.is_empty()).then_some((entry, listing)))
    }

    /// The facility's demographics under this number, else the newest single file, are read, and
    /// nothing else of the folder is opened until they agree with the papers.
    async fn prove(
        &self,
        entry: &RosterEntry,
        link: &Link,
    ) -> Result<(LinkState, Option<Listing>), Error> {
        let alone = RosterEntry {
            links: vec![link.clone()],
            ..entry.clone()
        };
        let listing = self.list(&alone).await?;
        let numbers = self.numbers(&alone, &listing);
        let first = read::first_to_read(&listing.files).and_then(|at| listing.files.get(at));
        let Some(file) = first.cloned() else {
            return Ok((LinkState::Unproved, None));
        };
        let read = self.reader(&numbers).read(vec![file]).await;
        let readable = read
            .first()
            .filter(|file| file.item.outcome != Outcome::Withheld);
        let Some(evidence) = readable.and_then(|file| file.evidence.as_ref()) else {
            return Ok((LinkState::Unproved, None));
        };
        let state = prove_with(&self.papers, entry.patient, link, evidence).await?;
        Ok((state, Some(listing)))
    }
}

/// Compares what an item says about the patient with the papers. Where the link stands then.
pub(crate) async fn prove_with(
    papers: &Papers,
    patient: PatientNumber,
    link: &Link,
    evidence: &normalize::Evidence,
) -> Result<LinkState, Error> {
    papers
        .prove_link(patient, &link.local_id, &facts(evidence))
        .await
}

/// Every item is tested against the demographics that proved the link of its number; what
/// disagrees may be another patient's and is withheld. New demographics of the facility join the
/// evidence.
pub(crate) async fn test(
    papers: &Papers,
    entry: &RosterEntry,
    read: &mut [ReadFile],
) -> Result<(), Error> {
    for file in read
        .iter()
        .filter(|file| file.is_demographics && file.item.outcome == Outcome::Read)
    {
        if let (Some(evidence), Some(link)) = (&file.evidence, entry.links.get(file.number)) {
            prove_with(papers, entry.patient, link, evidence).await?;
        }
    }
    // The files of a patient mostly say the same.
    let mut tested: Vec<(usize, normalize::Evidence, bool)> = Vec::new();
    for file in read
        .iter_mut()
        .filter(|file| file.item.outcome != Outcome::Withheld)
    {
        let known = tested.iter().find(|(number, evidence, _)| {
            *number == file.number && Some(evidence) == file.evidence.as_ref()
        });
        let fits = match (known, &file.evidence, entry.links.get(file.number)) {
            (Some((_, _, fits)), _, _) => *fits,
            (None, Some(evidence), Some(link)) => {
                let fits = papers
                    .fits(entry.patient, &link.local_id, &facts(evidence))
                    .await?;
                tested.push((file.number, evidence.clone(), fits));
                fits
            }
            _ => false,
        };
        if !fits {
            file.withhold(lint::D2302);
        }
    }
    Ok(())
}

fn facts(evidence: &normalize::Evidence) -> Evidence {
    Evidence {
        birth_date: evidence.birth_date,
        sex: evidence.sex,
        kana: evidence.kana.clone(),
        kanji: evidence.kanji.clone(),
    }
}
