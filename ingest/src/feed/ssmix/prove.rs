//! Whether what lies in a folder is the patient's: a link is proved before anything else of its folder
//! is opened, and every later item is tested against what proved it.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use model::id::PatientNumber;
use model::papers::LinkState;
use normalize::lint;
use store::{Error, Evidence, Link, Outcome, Papers, Proof, RosterEntry};

use super::Tree;
use super::read::{self, ReadFile};
use super::tree::Listing;
use crate::report::Report;

/// A patient with the numbers that are proved.
pub(super) struct Proved {
    pub(super) entry: RosterEntry,
    /// What lies in the folders, where it was looked at just now.
    pub(super) listing: Option<Listing>,
    pub(super) report: Report,
}

/// What a facility says under a number, and what lies there.
type Statement = (normalize::Evidence, Listing);

impl Tree {
    /// The patients with their proved numbers only, in their order. Numbers that are not proved yet are
    /// tried, those of different patients together.
    pub(super) async fn proved(&self, mut entries: Vec<RosterEntry>) -> Vec<Result<Proved, Error>> {
        let mut listings: Vec<Option<Listing>> = entries.iter().map(|_| None).collect();
        let mut failed: BTreeMap<usize, Error> = BTreeMap::new();
        // What one number of a patient proves counts for the next one.
        let turns = entries.iter().map(|entry| entry.links.len()).max();
        for turn in 0..turns.unwrap_or_default() {
            let stated = self.statements(&entries, turn).await;
            let mut proofs = Vec::with_capacity(stated.len());
            let mut looked = Vec::with_capacity(stated.len());
            for (at, stated) in stated {
                match (stated, entries.get(at)) {
                    (Ok(Some((evidence, listing))), Some(entry)) => {
                        if let Some(proof) = proof(entry, turn, &evidence) {
                            proofs.push(proof);
                            looked.push((at, listing));
                        }
                    }
                    (Err(error), _) => {
                        failed.entry(at).or_insert(error);
                    }
                    _ => {}
                }
            }
            let states = self.papers.prove_links(&proofs).await;
            for ((at, listing), state) in looked.into_iter().zip(states) {
                match (state, entries.get_mut(at), listings.get_mut(at)) {
                    (Ok(state), Some(entry), Some(last)) => {
                        settle(entry, turn, state);
                        *last = Some(listing)
                            .filter(|_| state == LinkState::Proved)
                            .or(last.take());
                    }
                    (Err(error), ..) => {
                        failed.entry(at).or_insert(error);
                    }
                    _ => {}
                }
            }
        }
        let tried = entries.into_iter().zip(listings).enumerate();
        tried
            .map(|(at, (entry, listing))| {
                failed
                    .remove(&at)
                    .map_or_else(|| Ok(Proved::of(entry, listing)), Err)
            })
            .collect()
    }

    /// What the facility says under those of the patients' numbers, each the patient's own so many-th,
    /// that are not proved yet.
    async fn statements(
        &self,
        entries: &[RosterEntry],
        turn: usize,
    ) -> Vec<(usize, Result<Option<Statement>, Error>)> {
        let mut looking = Vec::new();
        for (at, entry) in entries.iter().enumerate() {
            let link = entry.links.get(turn);
            if let Some(link) = link.filter(|link| link.state == LinkState::Unproved) {
                looking.push(async move { (at, self.statement(entry, link).await) });
            }
        }
        join_all(looking).await
    }

    /// The facility's demographics under this number, else the newest single file, are read, and
    /// nothing else of the folder is opened until they agree with the papers.
    async fn statement(
        &self,
        entry: &RosterEntry,
        link: &Link,
    ) -> Result<Option<Statement>, Error> {
        let alone = RosterEntry {
            links: vec![link.clone()],
            ..entry.clone()
        };
        let listing = self.list(&alone).await?;
        let numbers = self.numbers(&alone, &listing);
        let first = read::first_to_read(&listing.files).and_then(|at| listing.files.get(at));
        let Some(file) = first.cloned() else {
            return Ok(None);
        };
        let read = self.reader(&numbers).read(vec![file]).await;
        let readable = read
            .into_iter()
            .find(|file| file.item.outcome != Outcome::Withheld);
        let evidence = readable.and_then(|file| file.evidence);
        Ok(evidence.map(|evidence| (evidence, listing)))
    }
}

impl Proved {
    fn of(mut entry: RosterEntry, listing: Option<Listing>) -> Self {
        let mut report = Report::default();
        for link in &entry.links {
            match link.state {
                LinkState::Proved => {}
                LinkState::Disagrees => report.closed_links += 1,
                LinkState::Unproved => report.unproved_links += 1,
            }
        }
        entry.links.retain(|link| link.state == LinkState::Proved);
        // A listing is of one number.
        let listing = listing.filter(|_| entry.links.len() == 1);
        Self {
            entry,
            listing,
            report,
        }
    }
}

fn proof(entry: &RosterEntry, turn: usize, evidence: &normalize::Evidence) -> Option<Proof> {
    let link = entry.links.get(turn)?;
    Some(Proof {
        patient: entry.patient,
        local_id: link.local_id.clone(),
        evidence: facts(evidence),
    })
}

/// Writes where a link stands after it was tried.
fn settle(entry: &mut RosterEntry, turn: usize, state: LinkState) {
    if let Some(link) = entry.links.get_mut(turn) {
        link.state = state;
        // The step that the proof itself took. A paper that came in between took another one, and
        // must make the batch start again.
        entry.epoch += i64::from(state != LinkState::Unproved);
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
