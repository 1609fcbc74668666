//! SS-MIX2 標準化ストレージ: names, kinds, and which of several files counts.
//!
//! | file | holds |
//! | --- | --- |
//! | [`path`] | folders and file names |
//! | [`data_type`] | データ種別 |
//! | [`pushed`] | the name that a storage would give a message that came over a line |
//! | [`mod@current`] | the current state of a slot, from all its versions |

pub mod current;
pub mod data_type;
pub mod path;
pub mod pushed;

pub use current::{Current, SlotState, Version, current};
