//! What the door out shows, refuses and writes down, on both kinds of database.
//!
//! | file | holds |
//! | --- | --- |
//! | `scene` | people who look, patients with papers and records |
//! | `equality` | the decision and its SQL give the same answer, over random worlds |
//! | `withdrawal` | a grant that somebody removed is gone in the next statement |
//! | `refusals` | what a closed door says, and what the audit says |
//! | `paging`, `dates`, `search`, `shown` | what an open door shows |
//! | `finding` | patients found by blind tokens |

mod dates;
mod equality;
mod finding;
mod paging;
mod refusals;
mod scene;
mod search;
mod shown;
mod withdrawal;
