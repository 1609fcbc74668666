//! What is kept of a patient at a facility, and what changes of it.

use std::collections::BTreeMap;

use model::finding::Finding;
use model::id::{FacilityId, PatientId, PatientNumber};
use model::record::Record;
use model::time::Instant;

use super::Head;
use crate::disclosure::Token;
use crate::frame::Packed;
use crate::raw::Place;

/// What the store keeps of one file, or of one message that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Digest of the slot.
    pub slot: i64,
    /// Digest of the patient's number that it stands under, see [`Link`](crate::Link). All items of a
    /// slot have the same.
    pub number: i64,
    /// Digest of root and path without the flag.
    pub path: i64,
    /// Data kind, as the reader numbers it.
    pub kind: i64,
    /// Flag: 1 current, 2 superseded, 0 deleted, 3 vanished from the source.
    pub flag: i64,
    /// Time the source gave the version.
    pub version: Instant,
    /// Digest of the department in the file name; of a pushed item, whose name has none, the number
    /// of its arrival.
    pub department: i64,
    /// Digest of the bytes.
    pub content: i64,
    /// Size in bytes.
    pub size: i64,
    /// By what the source tells that its bytes changed: the modification time in microseconds; of a
    /// pushed item the digest of its control id.
    pub modified: i64,
    /// When the event was, for kinds that are events.
    pub event_at: Option<Instant>,
    /// Whether the message calls an event off.
    pub cancels: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// How it came.
    pub origin: Origin,
    /// Where its frame stands; absent while it has none.
    pub(crate) place: Option<Place>,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It gave records.
    Read = 1,
    /// It is kept; nothing is read from its kind.
    Kept = 2,
    /// It is kept sealed; it may be another patient's, or could not be read.
    Withheld = 3,
}

/// How an item came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It lies in a storage, which says what becomes of it.
    Storage = 1,
    /// A sender pushed it; it stays as it was.
    Pushed = 2,
}

impl Item {
    /// A file of a storage that the store has not seen yet.
    #[expect(clippy::too_many_arguments, reason = "one argument a column")]
    pub const fn new(
        slot: i64,
        number: i64,
        path: i64,
        kind: i64,
        flag: i64,
        version: Instant,
        department: i64,
        content: i64,
        size: i64,
        modified: i64,
        outcome: Outcome,
    ) -> Self {
        let (event_at, cancels, place) = (None, false, None);
        Self {
            slot,
            number,
            path,
            kind,
            flag,
            version,
            department,
            content,
            size,
            modified,
            event_at,
            cancels,
            outcome,
            origin: Origin::Storage,
            place,
        }
    }

    /// The same file under another flag.
    #[must_use]
    pub fn flagged(&self, flag: i64) -> Self {
        Self {
            flag,
            ..self.clone()
        }
    }
}

/// What is shown of a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Digest of the slot.
    pub slot: i64,
    /// 1 current, 2 superseded only, 0 deleted, 3 cancelled.
    pub state: i64,
    /// Bits of the joins it takes part in.
    pub joins: i64,
    /// Paths of the items whose records are shown, with the state they are shown in.
    pub published: Vec<(i64, i64)>,
    pub(crate) keys: Vec<i64>,
}

/// What is known of one patient at one facility.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Files.
    pub items: Vec<Item>,
    /// Slots, by digest.
    pub slots: BTreeMap<i64, Slot>,
    /// Counts changes of the set that joins read.
    pub joins: i64,
    /// Whether it is a part only, of what bears on some messages: what joins read is not in it.
    pub is_part: bool,
}

/// A file that is new or changed.
pub struct ItemChange {
    /// What is to be kept of it.
    pub item: Item,
    /// Its bytes and records, when they are to be written.
    pub packed: Option<Packed>,
    /// What reading noticed; replaces what stood there.
    pub findings: Option<Vec<Finding>>,
    /// Whether the store has not seen the file before.
    pub fresh: bool,
}

/// A record that a slot shows.
pub struct Publish {
    /// The item whose frame holds it.
    pub path: i64,
    /// Its place in the frame, from 0.
    pub ordinal: usize,
    /// What its row says of it.
    pub head: Head,
    /// Whether only superseded files remain, or the diagnosis is absent from the current list.
    pub standing: Standing,
}

/// How a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Its source is current.
    Current,
    /// Only superseded files remain.
    SupersededOnly,
    /// The slot's current list no longer has it.
    Absent,
}

/// A slot whose content is to be shown anew.
pub struct SlotChange {
    /// Digest of the slot.
    pub slot: i64,
    /// 1 current, 2 superseded only, 0 deleted, 3 cancelled.
    pub state: i64,
    /// Bits of the joins it takes part in.
    pub joins: i64,
    /// Paths of the items that joins and shows read, with their standing as a number.
    pub published: Vec<(i64, i64)>,
    /// The records it shows.
    pub publish: Vec<Publish>,
    /// What was shown of it before, as [`Intake::known`](crate::Intake::known) told.
    pub before: Option<Slot>,
}

/// A record that several items say together, all of one number.
pub struct Joined {
    /// Digest of the patient's number that they stand under.
    pub number: i64,
    /// The record.
    pub record: Record,
    /// Whether something that it says stands in superseded files only.
    pub standing: Standing,
}

/// Everything that changes for one patient at one facility.
pub struct PatientChange {
    /// Whose.
    pub patient: PatientNumber,
    /// Public id.
    pub public: PatientId,
    /// State of the papers that this change was made under.
    pub epoch: i64,
    /// At which facility.
    pub facility: FacilityId,
    /// Count of [`Known::joins`] that the joined records were computed from.
    pub joins: i64,
    /// Files.
    pub items: Vec<ItemChange>,
    /// Slots.
    pub slots: Vec<SlotChange>,
    /// All joined records of patient and facility, when they are to be shown anew.
    pub joined: Option<Vec<Joined>>,
    /// By what the facility's statements find the patient, by the digest of the number under which
    /// they stand, where they changed.
    pub tokens: BTreeMap<i64, FoundBy>,
    /// The messages that wait no longer, because this change is made from them.
    pub taken: Taken,
}

/// Messages of the inbox that are taken out of it.
#[derive(Default)]
pub struct Taken {
    /// The feed to which they were pushed.
    pub feed: String,
    /// Their arrival numbers.
    pub arrivals: Vec<i64>,
}

/// By what a patient is found under one of their numbers.
#[derive(Default)]
pub struct FoundBy {
    /// By this.
    pub tokens: Vec<Token>,
    /// And by nothing that stood there before.
    pub only: bool,
}
