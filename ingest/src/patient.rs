//! What a facility says of one patient, whatever way it comes: items are read, tested against the
//! patient's demographics, and shown by slots; and what that changes.
//!
//! | file | does |
//! | --- | --- |
//! | `read` | bytes → records, in parallel |
//! | `again` | reads kept items once more |
//! | `fact` | what is carried of a record |
//! | `fit` | whether an item is the patient's |
//! | `show` | what a slot shows, from the set of its versions |
//! | `overtaken` | which pushed messages count no more |
//! | `tokens` | by what a patient is found |
//! | `change` | what changes for the patient |

pub(crate) mod again;
pub(crate) mod change;
mod fact;
pub(crate) mod fit;
pub(crate) mod overtaken;
pub(crate) mod read;
pub(crate) mod show;
mod tokens;

use std::io;

use store::{Error, Outcome};

use self::read::ReadFile;

/// Frames that are missing at the end of a segment, or with all of it, are as damaged as others.
pub(crate) fn unless_cut(error: Error) -> Error {
    let kind = match &error {
        Error::Other(_, source) => source.downcast_ref::<io::Error>().map(io::Error::kind),
        _ => None,
    };
    match kind {
        Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound) => Error::Corrupt("segment"),
        _ => error,
    }
}

/// Whether the facility's own demographics are among what was read, and agree with the papers.
pub(crate) fn states_demographics(read: &[ReadFile]) -> bool {
    let fits = |file: &ReadFile| file.is_demographics && file.item.outcome == Outcome::Read;
    read.iter().any(fits)
}
