//! Messages under the names that a storage of the same facility would give them, and what they touch
//! under these.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::feed::Feed;
use model::id::PatientNumber;
use model::papers::LinkState;
use normalize::ssmix::data_type::DataKind;
use normalize::ssmix::path::FileName;
use normalize::ssmix::pushed;
use store::{Bearing, Error, Item, Origin, Outcome, RosterEntry, Touching, Waiting};

use super::Lane;
use crate::cpu::{self, Pace};
use crate::patient::read::{Content, Job, Number, Reader, flag_number, slot_kind};

/// What waits, by patient.
pub(super) type OfPatients = BTreeMap<PatientNumber, Vec<Arc<Waiting>>>;

/// A message with its name, and which of the patient's numbers it has.
pub(super) struct Named {
    pub(super) message: Arc<Waiting>,
    pub(super) name: FileName,
    /// Behind the last one where no paper names the number any more, or it cannot be read.
    pub(super) number: usize,
}

/// The messages of one patient.
pub(super) struct Theirs {
    pub(super) entry: RosterEntry,
    /// The patient's numbers after the feed's identity rules, as the entry's links.
    ids: Vec<String>,
    pub(super) named: Vec<Named>,
}

impl Theirs {
    fn named(feed: &Feed, entry: RosterEntry, messages: Vec<Arc<Waiting>>) -> Self {
        let ids = entry.links.iter().map(|link| link.local_id.id.reveal());
        let ids: Vec<String> = ids.map(|id| feed.identity.canonical(id)).collect();
        let named = messages.into_iter().map(|one| Named::of(feed, &ids, one));
        let named = named.collect();
        Self { entry, ids, named }
    }

    /// Whether the facility agrees that a number is the patient's.
    pub(super) fn is_proved(&self, number: usize) -> bool {
        let link = self.entry.links.get(number);
        link.is_some_and(|link| link.state == LinkState::Proved)
    }
}

impl Lane {
    /// The messages of patients under their names.
    pub(super) async fn named(
        &self,
        entries: Vec<RosterEntry>,
        of: &OfPatients,
    ) -> Result<Vec<Theirs>, Error> {
        let theirs = entries.into_iter().map(|entry| {
            let messages = of.get(&entry.patient).cloned().unwrap_or_default();
            (entry, messages)
        });
        let (theirs, feed) = (theirs.collect::<Vec<_>>(), Arc::clone(&self.feed));
        let name = move || {
            let theirs = theirs.into_iter();
            let named = theirs.map(|(entry, messages)| Theirs::named(&feed, entry, messages));
            named.collect()
        };
        let named = cpu::run(Pace::Soon, name).await;
        named.map_err(|_| Error::Unavailable("reading"))
    }

    /// Further demographics of a patient, which wait behind the batch.
    pub(super) async fn further(&self, theirs: &Theirs) -> Result<Vec<Named>, Error> {
        let arrivals = theirs.named.iter().map(|named| named.message.arrival);
        let last = arrivals.max().unwrap_or_default();
        let (patient, intake) = (theirs.entry.patient, self.store.intake());
        let waiting = intake.waiting_of(patient, &self.feed.id, last).await?;
        let (ids, feed) = (theirs.ids.clone(), Arc::clone(&self.feed));
        let name = move || {
            let waiting = waiting.into_iter().map(Arc::new);
            let named = waiting.map(|one| Named::of(&feed, &ids, one));
            named.filter(Named::is_demographics).collect()
        };
        let named = cpu::run(Pace::Soon, name).await;
        named.map_err(|_| Error::Unavailable("reading"))
    }

    /// What the messages of a patient touch.
    pub(super) fn touching(&self, theirs: &Theirs) -> Touching {
        let (facility, intake) = (&self.feed.facility, self.store.intake());
        let digest = |slot: &str| intake.slot_digest(facility, slot);
        let slot = |named: &Named| {
            let id = theirs.ids.get(named.number)?;
            Some(digest(&named.name.slot(id)))
        };
        let named = theirs.named.iter();
        let said = |named: &Named| (named.message.control, named.message.content);
        Touching {
            patient: theirs.entry.patient,
            slots: named.clone().filter_map(slot).collect(),
            messages: named.clone().map(said).collect(),
            releases: named.clone().any(Named::is_demographics),
        }
    }

    /// How the messages of a patient are read.
    pub(super) fn reader(&self, theirs: &Theirs, bearing: &Bearing) -> Reader {
        let comes = |at| {
            let mut of_number = theirs.named.iter().filter(|named| named.number == at);
            of_number.any(Named::is_demographics)
        };
        let links = theirs.entry.links.iter().zip(&theirs.ids).enumerate();
        let numbers = links.map(|(at, (link, id))| Number {
            id: id.clone(),
            digest: link.number,
            demographics: bearing.demographics.contains(&link.number) || comes(at),
        });
        Reader {
            feed: Arc::clone(&self.feed),
            numbers: numbers.collect(),
            pace: Pace::Soon,
            intake: self.store.intake(),
        }
    }

    pub(super) fn jobs<'a>(
        &self,
        reader: &Reader,
        named: impl IntoIterator<Item = &'a Named>,
    ) -> Vec<(Job, Content)> {
        let facility = &self.feed.facility;
        let job = |named: &Named| {
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

impl Named {
    fn of(feed: &Feed, ids: &[String], message: Arc<Waiting>) -> Self {
        let name = pushed::name(&message.raw, feed, message.received_at);
        let number = ids.iter().position(|id| *id == name.patient);
        Self {
            number: number.unwrap_or(ids.len()),
            message,
            name,
        }
    }

    /// Whether it is the facility's own statement of who the patient is.
    pub(super) fn is_demographics(&self) -> bool {
        self.name.kind == DataKind::Adt00
    }
}
