//! A storage changes while it is read: versions come late, twice, half renamed, or vanish, and the
//! program may end at any moment. What stands readable afterwards is what the files say, and nothing
//! else: held against the reference model of `samples`, which shares no code with the reader.
//!
//! | file | holds |
//! | --- | --- |
//! | `versions` | the pure function from a set of versions to what is shown |
//! | `change` | the real feed, store and door over a real tree that changes |
//! | `pushed` | the same over a line, beside the storage or without it |
//! | `numbers` | somebody with two numbers, of which one ends |
//! | `replay` | what is kept, read by a later program |
//! | `hospital` | a storage on a disk and the hub that reads it |
//! | `reading` | what a physician gets to read, a line a fact |
//! | `reference` | what the reference model says, in the same lines |

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a story that cannot go on fails"
)]

mod change;
mod hospital;
mod numbers;
mod pushed;
mod reading;
mod reference;
mod replay;
mod versions;
