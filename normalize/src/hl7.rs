//! HL7 v2.5 messages of the JAHIS and SS-MIX2 profiles: from a cut message to records.
//!
//! | file | holds |
//! | --- | --- |
//! | [`message`], `cut.rs`, `escape.rs` | a message in its parts |
//! | `data_type.rs`, `segment.rs` | readers of data types, of segments |
//! | `adt.rs`, `problem.rs`, `prescription.rs`, `injection.rs`, `lab.rs` | a family of messages each |
//! | [`ack`] | what the sender of a message is told |
//! | `check.rs` | what is checked of every file |

pub mod ack;
mod adt;
pub(crate) mod check;
mod cut;
mod data_type;
mod escape;
mod injection;
mod lab;
pub mod message;
mod prescription;
mod problem;
pub(crate) mod segment;

use model::allergy::AllergySource;
use model::feed::Feed;
use model::id::FacilityId;
use model::record::{Body, Category, Kind, Occurred, Record, RecordMeta, Sensitivity};
use model::time::PartialDateTime;

use crate::lint::{self, Findings};
use crate::ssmix::data_type::DataKind;
use crate::ssmix::path::FileName;
use message::Message;
use segment::msh::Header;

/// One message on its way to records: what every reader of a family gets.
pub(crate) struct Reading<'a> {
    pub(crate) message: &'a Message,
    pub(crate) header: &'a Header,
    pub(crate) file: &'a FileName,
    pub(crate) feed: &'a Feed,
    /// The patient's number after the feed's identity rules.
    pub(crate) patient: &'a str,
    /// The slot of the item; keys of its facts begin with it.
    pub(crate) slot: String,
}

impl Reading<'_> {
    pub(crate) fn facility(&self) -> &FacilityId {
        &self.feed.facility
    }

    /// When the fact was true; where nothing says it, the version time of the item, undated.
    pub(crate) fn occurred(&self, time: Option<PartialDateTime>) -> Occurred {
        time.map_or_else(|| Occurred::undated(self.file.instant()), Occurred::at)
    }

    /// A record of this item, of normal sensitivity.
    pub(crate) fn record(
        &self,
        kind: Kind,
        category: Category,
        occurred: Occurred,
        source_key: String,
        body: Body,
    ) -> Record {
        let facility = self.facility().clone();
        Record {
            meta: RecordMeta {
                facility,
                kind,
                category,
                sensitivity: Sensitivity::Normal,
                occurred,
                source_key,
            },
            body,
        }
    }
}

/// How the messages of a data kind are read.
struct Family {
    kind: DataKind,
    /// Segments that the reader takes, besides those of every message.
    segments: &'static [&'static str],
    read: fn(&Reading<'_>, &mut Findings) -> Vec<Record>,
}

/// To read another message, write its reader and add a line.
static FAMILIES: &[Family] = &[
    Family {
        kind: DataKind::Adt00,
        segments: &["EVN", "PV1", "PV2", "OBX"],
        read: adt::demographics,
    },
    Family {
        kind: DataKind::Adt12,
        segments: &["EVN", "PV1", "PV2"],
        read: adt::reception,
    },
    Family {
        kind: DataKind::Adt22,
        segments: &["EVN", "PV1", "PV2"],
        read: adt::admission,
    },
    Family {
        kind: DataKind::Adt52,
        segments: &["EVN", "PV1", "PV2"],
        read: adt::discharge,
    },
    Family {
        kind: DataKind::Adt61,
        segments: &["EVN", "PV1", "IAM"],
        read: adt::allergy_list,
    },
    Family {
        kind: DataKind::Ppr01,
        segments: &["PV1", "PRB", "ZPR", "ORC", "NTE"],
        read: problem::read,
    },
    Family {
        kind: DataKind::Omp01,
        segments: &["PV1", "ORC", "RXE", "TQ1", "RXR", "RXC", "NTE"],
        read: prescription::read,
    },
    Family {
        kind: DataKind::Omp02,
        segments: &["PV1", "ORC", "RXE", "TQ1", "RXR", "RXC", "NTE"],
        read: injection::read,
    },
    Family {
        kind: DataKind::Oml11,
        segments: &["PV1", "SPM", "OBR", "ORC", "OBX", "NTE"],
        read: lab::read,
    },
];

/// Segments that every message may have: read for all, or (insurance, contacts, disability) known
/// and deliberately never read.
const COMMON: [&str; 6] = ["MSH", "PID", "AL1", "IN1", "NK1", "DB1"];

/// Reads the records of a message under its data kind.
pub(crate) fn read(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    let Some(family) = FAMILIES
        .iter()
        .find(|family| family.kind == reading.file.kind)
    else {
        return Vec::new();
    };
    note_unread_segments(reading.message, family.segments, findings);
    let mut records = (family.read)(reading, findings);
    let source = match reading.file.kind {
        DataKind::Adt00 => AllergySource::Demographics,
        _ => AllergySource::Order,
    };
    records.extend(adt::allergies(reading, source, findings));
    records
}

/// Names each kind of segment that nobody reads, once.
fn note_unread_segments(message: &Message, read: &[&str], findings: &mut Findings) {
    let mut named: Vec<&str> = Vec::new();
    for segment in message.segments() {
        let name = segment.name();
        if !read.contains(&name) && !COMMON.contains(&name) && !named.contains(&name) {
            findings.add(lint::D2018, segment.place());
            named.push(name);
        }
    }
}
