//! What messages change for one patient: they prove the links that they can, are read and tested against
//! the papers, and show what they say.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use model::finding::Place;
use model::id::PatientNumber;
use model::papers::LinkState;
use normalize::lint;
use store::{
    Bearing, Demographics, Error, Item, Known, Link, Namesake, Outcome, PatientChange, Taken,
};

use super::Lane;
use super::cancel::call_off_the_latest;
use super::named::{Named, Theirs};
use crate::patient::again::withheld_again;
use crate::patient::fit::{facts, test};
use crate::patient::read::{ReadFile, Reader};
use crate::patient::states_demographics;
use crate::report::Report;

impl Lane {
    /// What changes for one patient; nothing when all of it must wait for other papers, or for a
    /// message that proves the link.
    pub(super) async fn change(
        &self,
        mut theirs: Theirs,
        bearing: Bearing,
        stated: &Demographics,
        report: &mut Report,
    ) -> Result<Option<PatientChange>, Error> {
        let intake = self.store.intake();
        let reader = self.reader(&theirs, &bearing);
        let afresh = match self.prove(&mut theirs, &reader, report).await? {
            true => Some(self.papers.demographics(&[theirs.entry.patient]).await?),
            false => None,
        };
        let named = std::mem::take(&mut theirs.named).into_iter();
        let (ready, waiting): (Vec<Named>, Vec<Named>) =
            named.partition(|named| theirs.is_proved(named.number));
        let arrivals = |named: &[Named]| {
            let arrivals = named.iter().map(|named| named.message.arrival);
            arrivals.collect::<Vec<i64>>()
        };
        let (feed, entry) = (&self.feed.id, &theirs.entry);
        if !waiting.is_empty() {
            intake.hold(feed, &arrivals(&waiting), entry.epoch).await?;
        }
        if ready.is_empty() {
            return Ok(None);
        }
        let taken = Taken {
            feed: feed.clone(),
            arrivals: arrivals(&ready),
        };
        let mut read = self.read(&reader, &ready, &bearing, report).await?;
        let stated = afresh.as_ref().unwrap_or(stated);
        test(&self.papers, entry, stated, &mut read).await?;
        let Bearing {
            known, namesakes, ..
        } = bearing;
        for file in &mut read {
            if reuses_a_control_id(&file.item, &namesakes) {
                file.findings.push(lint::R3010.at(Place::default()));
            }
        }
        let known = self.with_events(entry.patient, known, &read).await?;
        call_off_the_latest(&mut read, &known);
        let counted = read
            .iter()
            .map(|file| (&file.item, file.findings.as_slice()));
        report.count(&self.feed, &counted.collect::<Vec<_>>());
        if states_demographics(&read) {
            read.extend(withheld_again(&reader, &self.papers, entry, &known).await?);
        }
        let change = self.resolved(entry, &known, read, Vec::new(), taken);
        change.await.map(Some)
    }

    /// A link that is not proved yet is proved by the newest demographics among the messages that say
    /// enough, else by another message. Demographics that wait behind the batch count too: where history
    /// is sent in its order, the first ones have an older name. Whether a link was proved.
    async fn prove(
        &self,
        theirs: &mut Theirs,
        reader: &Reader,
        report: &mut Report,
    ) -> Result<bool, Error> {
        let is_unproved = |link: &Link| link.state == LinkState::Unproved;
        if !theirs.entry.links.iter().any(is_unproved) {
            return Ok(false);
        }
        let further = self.further(theirs).await?;
        let Theirs { entry, named, .. } = theirs;
        let mut proved = false;
        for (at, link) in entry.links.iter_mut().enumerate() {
            if !is_unproved(link) {
                continue;
            }
            let all = named.iter().chain(&further);
            let mut of_number: Vec<&Named> = all.filter(|named| named.number == at).collect();
            of_number
                .sort_by_key(|named| (!named.is_demographics(), Reverse(named.name.instant())));
            // The messages of a patient mostly say the same.
            let mut compared = Vec::new();
            for one in of_number {
                let read = reader.read_all(self.jobs(reader, [one])).await;
                let mut readable = read
                    .iter()
                    .filter(|file| file.item.outcome != Outcome::Withheld);
                let Some(evidence) = readable.find_map(|file| file.evidence.as_ref()) else {
                    continue;
                };
                let evidence = facts(evidence);
                if compared.contains(&evidence) {
                    continue;
                }
                let proof = self
                    .papers
                    .prove_link(entry.patient, &link.local_id, &evidence);
                link.state = proof.await?;
                compared.push(evidence);
                if link.state != LinkState::Unproved {
                    // The step that the proof itself took; see the proof of a storage.
                    entry.epoch += 1;
                    break;
                }
            }
            match link.state {
                LinkState::Proved => proved = true,
                LinkState::Disagrees => report.closed_links += 1,
                LinkState::Unproved => report.unproved_links += 1,
            }
        }
        Ok(proved)
    }

    /// Reads messages. The same message once more is left out.
    async fn read(
        &self,
        reader: &Reader,
        ready: &[Named],
        bearing: &Bearing,
        report: &mut Report,
    ) -> Result<Vec<ReadFile>, Error> {
        let namesakes = bearing.namesakes.iter().map(|kept| kept.path);
        // A message without control id has none.
        let there = bearing.known.items.iter().map(|item| item.path);
        let mut seen: BTreeSet<i64> = namesakes.chain(there).collect();
        let mut jobs = self.jobs(reader, ready);
        jobs.retain(|(job, _)| seen.insert(job.item.path));
        report.again += ready.len() - jobs.len();
        let wanted = jobs.len();
        let read = reader.read_all(jobs).await;
        if read.len() < wanted {
            // What is not read must not be taken out of the inbox.
            return Err(Error::Unavailable("reading"));
        }
        Ok(read)
    }

    /// What is known, with all events where a cancel does not say which one it calls off.
    async fn with_events(
        &self,
        patient: PatientNumber,
        known: Known,
        read: &[ReadFile],
    ) -> Result<Known, Error> {
        if !known.is_part || !read.iter().any(ReadFile::names_no_event) {
            return Ok(known);
        }
        let intake = self.store.intake();
        let all = intake.known(patient, &self.feed.facility).await?;
        if all.joins == known.joins {
            Ok(all)
        } else {
            Err(Error::StaleEpoch)
        }
    }
}

/// Whether other bytes came under the same control id before; of a message without one there are none.
fn reuses_a_control_id(item: &Item, namesakes: &[Namesake]) -> bool {
    let same = |kept: &Namesake| kept.control == item.modified && kept.content != item.content;
    namesakes.iter().any(same)
}
