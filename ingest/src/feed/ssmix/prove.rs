//! Whether what lies in a folder is the patient's: a link is proved before anything else of its folder
//! is opened.

use futures_util::future::join_all;
use model::papers::LinkState;
use store::{Error, Link, Outcome, Proof, RosterEntry};

use super::Tree;
use super::read;
use super::tree::Listing;
use crate::patient::fit::facts;
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
    pub(super) async fn proved(&self, entries: Vec<RosterEntry>) -> Vec<Result<Proved, Error>> {
        let mut trials: Vec<Trial> = entries.into_iter().map(Trial::of).collect();
        // What one number of a patient proves counts for the next one.
        let turns = trials.iter().map(|trial| trial.entry.links.len()).max();
        for turn in 0..turns.unwrap_or_default() {
            self.try_links(&mut trials, turn).await;
        }
        trials.into_iter().map(Trial::end).collect()
    }

    /// Tries the so many-th number of each patient.
    async fn try_links(&self, trials: &mut [Trial], turn: usize) {
        let mut looking = Vec::with_capacity(trials.len());
        for trial in trials {
            looking.push(trial.look(self, turn));
        }
        let looked = join_all(looking).await.into_iter().flatten();
        let (tried, proofs): (Vec<(&mut Trial, Listing)>, Vec<Proof>) = looked.unzip();
        let states = self.papers.prove_links(&proofs).await;
        for ((trial, listing), state) in tried.into_iter().zip(states) {
            trial.settle(turn, state, listing);
        }
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
        let read = self.read(&self.reader(&numbers), vec![file]).await;
        let readable = read
            .into_iter()
            .find(|file| file.item.outcome != Outcome::Withheld);
        let evidence = readable.and_then(|file| file.evidence);
        Ok(evidence.map(|evidence| (evidence, listing)))
    }
}

/// A patient whose numbers are being tried.
struct Trial {
    entry: RosterEntry,
    listing: Option<Listing>,
    failure: Option<Error>,
}

impl Trial {
    const fn of(entry: RosterEntry) -> Self {
        Self {
            entry,
            listing: None,
            failure: None,
        }
    }

    /// What the facility says under a number that is not proved yet, and what lies there; nothing where
    /// it says nothing.
    async fn look(&mut self, tree: &Tree, turn: usize) -> Option<((&mut Self, Listing), Proof)> {
        let link = self.entry.links.get(turn)?.clone();
        if link.state != LinkState::Unproved {
            return None;
        }
        match tree.statement(&self.entry, &link).await {
            Ok(stated) => {
                let (evidence, listing) = stated?;
                let proof = Proof {
                    patient: self.entry.patient,
                    local_id: link.local_id,
                    evidence: facts(&evidence),
                };
                Some(((self, listing), proof))
            }
            Err(error) => {
                self.failure.get_or_insert(error);
                None
            }
        }
    }

    fn settle(&mut self, turn: usize, state: Result<LinkState, Error>, listing: Listing) {
        match (state, self.entry.links.get_mut(turn)) {
            (Ok(state), Some(link)) => {
                link.state = state;
                // The step that the proof itself took. A paper that came in between took another one,
                // and must make the batch start again.
                self.entry.epoch += i64::from(state != LinkState::Unproved);
                if state == LinkState::Proved {
                    self.listing = Some(listing);
                }
            }
            (Err(error), _) => {
                self.failure.get_or_insert(error);
            }
            (Ok(_), None) => {}
        }
    }

    fn end(self) -> Result<Proved, Error> {
        let Self {
            mut entry,
            listing,
            failure,
        } = self;
        if let Some(error) = failure {
            return Err(error);
        }
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
        Ok(Proved {
            entry,
            listing,
            report,
        })
    }
}
