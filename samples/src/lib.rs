//! Seeded SS-MIX2 storages of invented patients, with the truth that a correct reader must give.
//!
//! This crate shares neither code nor tables with the readers that are tested against it.
//!
//! ```
//! use samples::{Mix, Network};
//! let network = Network::generate(7, 3);
//! for patient in network.patients() {
//!     assert_eq!(patient.truth()["localId"], patient.person.local_id);
//!     assert!(patient.tree.len() > 3);
//! }
//! ```
//!
//! # The truth
//!
//! One object for each patient: `localId`, `paper` (what a consent says about them), `link`
//! (`proved`, or `unproved` when paper and demographics disagree: then nothing is readable),
//! `quirks`, `patient`, `encounters`, `conditions`, `allergies`, `medicationRequests`,
//! `observations`, and about files: `withheld` (in force, but no record may come of them),
//! `findings` (readable, with something to notice; `kept-raw` kinds stand here), `deletedSlots`,
//! `files`. Numbers are decimal text as sent; a coding has `code`, `display` and the v2 name of its
//! `system`; times are FHIR `dateTime` in +09:00; `slot` is `診療日/データ種別/オーダNo`. A record
//! with `tag` = `superseded-only` has no version in force, one with `absentFromLatest` stands only
//! in a superseded list. It is the truth about the files as they lie after all steps.
//!
//! # The files
//!
//! | file | holds |
//! | --- | --- |
//! | `network.rs` | a hospital's patients, each made on demand |
//! | `disk.rs` | the trees on a disk, the truth beside them |
//! | `history.rs` | random histories of single slots, for readers of change |
//! | `step.rs`, `tree.rs` | what a sender does to its storage: on a disk, and as a value |
//! | `current.rs` | which version counts: the reference model |
//! | `truth.rs` | what a reader must give |
//! | `story.rs` + `story/` | a patient's years, day after day; `quirk.rs` lists the deviations |
//! | `tape.rs`, `wire.rs` | from a message to a file, keeping the truth |
//! | `content.rs` + `content/` | messages: each writes its segments and knows its truth |
//! | `catalog.rs` + `catalog/` | drugs, usages, tests, diseases, allergens |
//! | `person.rs`, `hospital.rs` | invented people and their invented hospital |
//! | `postgres.rs` | a private PostgreSQL for tests |
//! | `s3.rs` | private object stores for tests |
//! | `hl7.rs`, `charset.rs`, `storage.rs` | segments, character sets, names and folders |
//! | `random.rs`, `time.rs` | seeded numbers, wall-clock moments |

mod catalog;
pub mod charset;
mod content;
pub mod current;
pub mod disk;
pub mod history;
mod hl7;
pub mod hospital;
pub mod network;
pub mod person;
pub mod postgres;
pub mod quirk;
pub mod random;
pub mod s3;
pub mod step;
pub mod storage;
mod story;
mod tape;
pub mod time;
pub mod tree;
mod truth;
pub mod wire;

pub use disk::{roots, truth, write, write_truth};
pub use history::{History, Shown, histories};
pub use network::{Mix, Network, Patient};
pub use quirk::Quirk;
pub use step::{Operation, Step, Timed, apply};
pub use storage::{Flag, Kind, Slot, Version};
pub use time::Moment;
pub use tree::Tree;
