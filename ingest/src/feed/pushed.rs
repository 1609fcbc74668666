//! The lane of a feed that receives: what waits in the inbox becomes records, in the order of arrival,
//! patient by patient, as what a storage holds does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use model::feed::Feed;
use model::finding::Place;
use model::id::PatientNumber;
use model::papers::LinkState;
use normalize::lint;
use normalize::ssmix::data_type::DataKind;
use normalize::ssmix::path::FileName;
use normalize::ssmix::pushed;
use store::{
    Error, Item, Known, Origin, Outcome, Papers, PatientChange, RosterEntry, Store, Waiting,
};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::ssmix::again::withheld_again;
use super::ssmix::change::Resolver;
use super::ssmix::overtaken::by_number;
use super::ssmix::prove::{prove_with, test};
use super::ssmix::read::{Job, Number, ReadFile, Reader, flag_number, slot_kind};
use super::ssmix::show::SlotKind;
use super::ssmix::tree::Content;
use super::ssmix::{states_demographics, unless_cut};
use crate::cpu::{self, Pace};
use crate::report::Report;

/// So many patients are read at once.
const AT_ONCE: usize = 8;
/// Another process may have received something.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What had to wait is looked at once more.
const LOOK_AGAIN_EVERY: Duration = Duration::from_secs(10);
/// After a failure the lane waits, twice as long each time, at most so long.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A paper that comes in between makes a patient start again, at most so often.
const ATTEMPTS: usize = 5;
/// State of a slot that shows something.
const SHOWN: i64 = 1;
/// Stands for the control id of a message that has none.
const NO_CONTROL: i64 = 0;

/// The lane of one feed.
#[derive(Clone)]
pub(crate) struct Lane {
    feed: Arc<Feed>,
    store: Store,
    papers: Papers,
    most: u64,
}

/// A message with the name that a storage would give it, and which of the patient's numbers it has.
struct Named<'a> {
    message: &'a Waiting,
    name: FileName,
    number: usize,
}

impl Lane {
    /// A lane; `most` bounds the size of one item.
    pub(crate) fn new(feed: Arc<Feed>, store: Store, most: u64) -> Self {
        let papers = store.papers(normalize::text::fold);
        Self {
            feed,
            store,
            papers,
            most,
        }
    }

    /// Where the facility has no storage, nothing can be fetched of what a paper opens, but what stands
    /// under a number that the papers name no longer is hidden, and shown when they name it again.
    async fn follow_papers(&self) -> Result<(), Error> {
        let (facility, jobs) = (&self.feed.facility, self.store.jobs());
        let mut feeds = self.store.network().feeds.values();
        if feeds.any(|feed| feed.facility == *facility && !feed.source.roots().is_empty()) {
            return Ok(());
        }
        for patient in jobs.back_fills(facility).await? {
            let begun = self.store.clock().now();
            match self.renumber(patient).await {
                // Papers, or the lane, came in between; the next look tries again.
                Err(Error::StaleEpoch | Error::NotFound) => continue,
                renumbered => renumbered?,
            }
            jobs.back_filled(&[patient], facility, begun).await?;
        }
        Ok(())
    }

    async fn renumber(&self, patient: PatientNumber) -> Result<(), Error> {
        let (facility, intake) = (&self.feed.facility, self.store.intake());
        let one = [patient];
        let Some(mut entry) = self.papers.entries(facility, &one).await?.pop() else {
            return Ok(());
        };
        entry.links.retain(|link| link.state == LinkState::Proved);
        let known = intake.known(patient, facility).await?;
        let named = entry.links.iter().map(|link| link.number);
        let moved = by_number(&known.items, &named.collect::<Vec<_>>());
        if moved.is_empty() || entry.links.is_empty() {
            return Ok(());
        }
        let change = self.resolved(&entry, &known, Vec::new(), moved, Vec::new());
        intake.accept(vec![change.await?]).await
    }

    /// The change of a patient that follows from what was read, and from what moved.
    async fn resolved(
        &self,
        entry: &RosterEntry,
        known: &Known,
        read: Vec<ReadFile>,
        moved: Vec<Item>,
        taken: Vec<i64>,
    ) -> Result<PatientChange, Error> {
        let resolver = Resolver {
            feed: &self.feed,
            intake: &self.store.intake(),
            entry,
            known,
        };
        let change = resolver.resolve(read, moved, taken);
        change.await.map_err(unless_cut)
    }

    /// Accepts what waits behind an arrival number, until nothing does; gives the last one that was
    /// looked at.
    pub(crate) async fn drain(&self, mut behind: i64, report: &mut Report) -> Result<i64, Error> {
        loop {
            let queue = self.store.intake().waiting(&self.feed.id, behind).await?;
            let Some(last) = queue.last else {
                return Ok(behind);
            };
            self.take(&queue.messages, report).await?;
            behind = last;
        }
    }

    /// Accepts what arrives, for ever.
    pub(crate) async fn keep_accepting(&self, arrived: &Notify) {
        let (mut behind, mut from_the_first) = (0, Instant::now());
        let (mut wait, mut fails) = (LOOK_EVERY, false);
        loop {
            let mut report = Report::default();
            let followed = self.follow_papers().await;
            let drained = self.drain(behind, &mut report).await;
            match followed.and(drained) {
                Ok(last) => (behind, wait, fails) = (last, LOOK_EVERY, false),
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        tracing::error!(%error, "messages wait in the inbox");
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
            if report.damaged > 0 {
                tracing::warn!(
                    patients = report.damaged,
                    "what is kept of patients does not open"
                );
            }
            if from_the_first.elapsed() > LOOK_AGAIN_EVERY {
                (behind, from_the_first) = (0, Instant::now());
            }
            tokio::select! {
                () = arrived.notified() => {}
                () = sleep(wait) => {}
            }
        }
    }

    async fn take(&self, messages: &[Waiting], report: &mut Report) -> Result<(), Error> {
        let mut of: BTreeMap<PatientNumber, Vec<&Waiting>> = BTreeMap::new();
        for message in messages {
            of.entry(message.patient).or_default().push(message);
        }
        let patients: Vec<PatientNumber> = of.keys().copied().collect();
        let entries = self.papers.entries(&self.feed.facility, &patients).await?;
        report.patients += entries.len();
        let of = &of;
        let theirs = |entry: &RosterEntry| of.get(&entry.patient).map_or(&[][..], Vec::as_slice);
        let changes = stream::iter(entries).map(|entry| async move {
            let messages = theirs(&entry);
            let mut report = Report::default();
            let change = self.change(entry, messages, &mut report).await;
            change.map(|change| (change, report))
        });
        let mut changes = changes.buffered(AT_ONCE);
        let mut batch = Vec::new();
        while let Some(change) = changes.next().await {
            match change {
                Ok((change, one)) => {
                    report.add(one);
                    batch.extend(change);
                }
                Err(error) => report.about_one(error)?,
            }
        }
        drop(changes);
        self.accept(batch, of, report).await
    }

    /// Accepts a batch. A paper that came in between stops it, and so does what is kept of one patient
    /// and does not open: then each patient is read again, alone.
    async fn accept(
        &self,
        batch: Vec<PatientChange>,
        of: &BTreeMap<PatientNumber, Vec<&Waiting>>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let patients: BTreeSet<PatientNumber> = batch.iter().map(|change| change.patient).collect();
        match self.store.intake().accept(batch).await {
            Err(Error::StaleEpoch | Error::NotFound | Error::Corrupt(_)) => report.repeated += 1,
            other => return other,
        }
        for patient in patients {
            let messages = of.get(&patient).map_or(&[][..], Vec::as_slice);
            self.alone(patient, messages, report).await?;
        }
        Ok(())
    }

    async fn alone(
        &self,
        patient: PatientNumber,
        messages: &[&Waiting],
        report: &mut Report,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            match self.again(patient, messages).await {
                Err(Error::StaleEpoch) => {}
                Err(error) => return report.about_one(error),
                Ok(()) => return Ok(()),
            }
        }
        report.about_one(Error::StaleEpoch)
    }

    async fn again(&self, patient: PatientNumber, messages: &[&Waiting]) -> Result<(), Error> {
        let (facility, one) = (&self.feed.facility, [patient]);
        let entries = self.papers.entries(facility, &one).await?;
        // What is read again is counted already.
        let counted = &mut Report::default();
        for entry in entries {
            let change = self.change(entry, messages, counted).await?;
            self.store
                .intake()
                .accept(change.into_iter().collect())
                .await?;
        }
        Ok(())
    }

    /// What changes for one patient; nothing when all of it must wait for other papers, or for a
    /// message that proves the link.
    async fn change(
        &self,
        mut entry: RosterEntry,
        messages: &[&Waiting],
        report: &mut Report,
    ) -> Result<Option<PatientChange>, Error> {
        let intake = self.store.intake();
        let known = intake.known(entry.patient, &self.feed.facility).await?;
        let named = self.named(&entry, messages).await;
        let reader = self.reader(&entry, &known, &named);
        self.prove(&mut entry, &reader, &named, report).await?;
        let (ready, waiting): (Vec<Named<'_>>, Vec<Named<'_>>) = named
            .into_iter()
            .partition(|named| is_proved(&entry, named.number));
        if !waiting.is_empty() {
            let arrivals: Vec<i64> = waiting.iter().map(|named| named.message.arrival).collect();
            intake.hold(entry.patient, &arrivals, entry.epoch).await?;
        }
        if ready.is_empty() {
            return Ok(None);
        }
        let taken = ready.iter().map(|named| named.message.arrival).collect();
        let read = self.read(&entry, &reader, &known, &ready, report).await?;
        let change = self.resolved(&entry, &known, read, Vec::new(), taken);
        change.await.map(Some)
    }

    /// Messages under their names. One under a number that no paper names any more, or that cannot be
    /// read, has the number behind the last one.
    async fn named<'a>(&self, entry: &RosterEntry, messages: &[&'a Waiting]) -> Vec<Named<'a>> {
        let inputs = messages
            .iter()
            .map(|message| (message.raw.clone(), message.received_at));
        let (inputs, feed) = (inputs.collect::<Vec<_>>(), Arc::clone(&self.feed));
        let names = cpu::run(Pace::Live, move || {
            let name = |(raw, at): &(Vec<u8>, _)| pushed::name(raw, &feed, *at);
            inputs.iter().map(name).collect::<Vec<FileName>>()
        });
        let ids: Vec<String> = self.canonical(entry);
        let named = messages.iter().zip(names.await.unwrap_or_default());
        named
            .map(|(message, name)| Named {
                number: ids
                    .iter()
                    .position(|id| *id == name.patient)
                    .unwrap_or(ids.len()),
                message,
                name,
            })
            .collect()
    }

    fn canonical(&self, entry: &RosterEntry) -> Vec<String> {
        let ids = entry.links.iter().map(|link| link.local_id.id.reveal());
        ids.map(|id| self.feed.identity.canonical(id)).collect()
    }

    fn reader(&self, entry: &RosterEntry, known: &Known, named: &[Named<'_>]) -> Reader {
        let stated = |digest| {
            let mut theirs = known.items.iter().filter(|item| item.number == digest);
            theirs.any(|item| SlotKind::numbered(item.kind).kind == DataKind::Adt00)
        };
        let comes = |at| {
            let mut theirs = named.iter().filter(|named| named.number == at);
            theirs.any(|named| named.name.kind == DataKind::Adt00)
        };
        let links = entry.links.iter().zip(self.canonical(entry)).enumerate();
        let numbers = links.map(|(at, (link, id))| Number {
            id,
            digest: link.number,
            demographics: stated(link.number) || comes(at),
        });
        Reader {
            feed: Arc::clone(&self.feed),
            intake: self.store.intake(),
            most: self.most,
            pace: Pace::Live,
            numbers: numbers.collect(),
        }
    }

    /// A link that is not proved yet is proved by the newest demographics among the messages that say
    /// enough, else by another message.
    async fn prove(
        &self,
        entry: &mut RosterEntry,
        reader: &Reader,
        named: &[Named<'_>],
        report: &mut Report,
    ) -> Result<(), Error> {
        for (at, link) in entry.links.iter_mut().enumerate() {
            if link.state != LinkState::Unproved {
                continue;
            }
            let theirs = named.iter().filter(|named| named.number == at);
            let mut theirs: Vec<&Named<'_>> = theirs.collect();
            let is_other = |named: &&Named<'_>| named.name.kind != DataKind::Adt00;
            theirs.sort_by_key(|named| (is_other(named), Reverse(named.name.instant())));
            for one in theirs {
                let read = reader.read_all(self.jobs(reader, [one])).await;
                let mut readable = read
                    .iter()
                    .filter(|file| file.item.outcome != Outcome::Withheld);
                let Some(evidence) = readable.find_map(|file| file.evidence.as_ref()) else {
                    continue;
                };
                link.state = prove_with(&self.papers, entry.patient, link, evidence).await?;
                if link.state != LinkState::Unproved {
                    // The step that the proof itself took; see the proof of a storage.
                    entry.epoch += 1;
                    break;
                }
            }
            match link.state {
                LinkState::Proved => {}
                LinkState::Disagrees => report.closed_links += 1,
                LinkState::Unproved => report.unproved_links += 1,
            }
        }
        Ok(())
    }

    /// Reads messages, and what must be read again because of them. The same message once more is
    /// left out.
    async fn read(
        &self,
        entry: &RosterEntry,
        reader: &Reader,
        known: &Known,
        ready: &[Named<'_>],
        report: &mut Report,
    ) -> Result<Vec<ReadFile>, Error> {
        let kept: BTreeSet<i64> = known.items.iter().map(|item| item.path).collect();
        let mut seen = BTreeSet::new();
        let mut jobs = self.jobs(reader, ready);
        jobs.retain(|(job, _)| !kept.contains(&job.item.path) && seen.insert(job.item.path));
        report.again += ready.len() - jobs.len();
        let wanted = jobs.len();
        let mut read = reader.read_all(jobs).await;
        if read.len() < wanted {
            // What is not read must not be taken out of the inbox.
            return Err(Error::Unavailable("reading"));
        }
        test(&self.papers, entry, &mut read).await?;
        for file in &mut read {
            if reuses_a_control_id(&file.item, known) {
                file.findings.push(lint::R3010.at(Place::default()));
            }
        }
        call_off_the_latest(&mut read, known);
        let counted = read
            .iter()
            .map(|file| (&file.item, file.findings.as_slice()));
        report.count(&self.feed, &counted.collect::<Vec<_>>());
        if states_demographics(&read) {
            read.extend(withheld_again(reader, &self.papers, entry, known).await?);
        }
        Ok(read)
    }

    fn jobs<'a>(
        &self,
        reader: &Reader,
        named: impl IntoIterator<Item = &'a Named<'a>>,
    ) -> Vec<(Job, Content)> {
        let facility = &self.feed.facility;
        let job = |named: &Named<'_>| {
            let number = reader.numbers.get(named.number)?;
            let Named { message, name, .. } = named;
            let intake = &reader.intake;
            let mut item = Item::new(
                intake.slot_digest(facility, &name.slot(&number.id)),
                number.digest,
                intake.message_digest(facility, message),
                slot_kind(name).number(),
                flag_number(name.flag),
                name.instant(),
                message.arrival,
                message.content,
                i64::try_from(message.raw.len()).unwrap_or(i64::MAX),
                message.control,
                Outcome::Withheld,
            );
            item.origin = Origin::Pushed;
            let job = Job {
                text: name.without_flag(),
                name: name.clone(),
                number: named.number,
                item,
            };
            Some((job, Content::Bytes(message.raw.clone())))
        };
        named.into_iter().filter_map(job).collect()
    }
}

fn is_proved(entry: &RosterEntry, number: usize) -> bool {
    let link = entry.links.get(number);
    link.is_some_and(|link| link.state == LinkState::Proved)
}

/// Whether other bytes came under the same control id before.
fn reuses_a_control_id(item: &Item, known: &Known) -> bool {
    let mut pushed = known
        .items
        .iter()
        .filter(|kept| kept.origin == Origin::Pushed);
    let same = |kept: &Item| kept.modified == item.modified && kept.content != item.content;
    item.modified != NO_CONTROL && pushed.any(same)
}

/// A cancel event that does not say when its event was calls off the latest one of its kind under its
/// number: over a line nothing else tells which one is meant.
fn call_off_the_latest(read: &mut [ReadFile], known: &Known) {
    let mut called_off = BTreeSet::new();
    for at in 0..read.len() {
        let (before, rest) = read.split_at_mut(at);
        let Some(cancel) = rest.first_mut().filter(|file| file.names_no_event()) else {
            continue;
        };
        let kind = &cancel.slot_kind.kind;
        let kept = known.items.iter();
        let events = kept.chain(before.iter().map(|file| &file.item));
        let events = events.filter(|item| {
            SlotKind::numbered(item.kind).kind == *kind
                && item.number == cancel.item.number
                && item.outcome == Outcome::Read
                && item.flag == 1
                && !item.cancels
                && item.version <= cancel.item.version
                && !called_off.contains(&item.slot)
                && known
                    .slots
                    .get(&item.slot)
                    .is_none_or(|slot| slot.state == SHOWN)
        });
        if let Some(latest) = events.max_by_key(|item| (item.event_at, item.version)) {
            let (slot, kind) = (latest.slot, latest.kind);
            called_off.insert(slot);
            cancel.item.slot = slot;
            cancel.item.kind = kind;
            cancel.slot_kind = SlotKind::numbered(kind);
            cancel.findings.push(lint::D2305.at(Place::default()));
        }
    }
}
