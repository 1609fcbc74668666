//! What the requester wants to do. Each action is a type, so that a permit to view does not print:
//!
//! ```compile_fail,E0308
//! fn print(_: &consent::Permit<consent::Printing>) {}
//! fn misuse(permit: &consent::Permit<consent::Viewing>) {
//!     print(permit);
//! }
//! ```
//!
//! The set is closed:
//!
//! ```compile_fail,E0277
//! struct Copying;
//! impl consent::Action for Copying {
//!     const NAME: &'static str = "copy";
//!     fn range(_: &consent::Outputs) -> model::record::Categories {
//!         model::record::Categories::ALL
//!     }
//! }
//! ```

use model::record::Categories;

use crate::question::Outputs;

mod sealed {
    pub trait Sealed {}
}

/// A thing one can do with a record.
pub trait Action: sealed::Sealed + Send + Sync + 'static {
    /// The word that stands in the audit.
    const NAME: &'static str;

    /// The categories with which the regulation lets anybody do this at all.
    fn range(outputs: &Outputs) -> Categories;
}

/// 閲覧: looking at it on a screen.
#[derive(Debug)]
pub struct Viewing;

/// 印刷: taking it away on paper.
#[derive(Debug)]
pub struct Printing;

/// 保存: taking it away as a file.
#[derive(Debug)]
pub struct Exporting;

impl sealed::Sealed for Viewing {}
impl sealed::Sealed for Printing {}
impl sealed::Sealed for Exporting {}

impl Action for Viewing {
    const NAME: &'static str = "view";

    fn range(_: &Outputs) -> Categories {
        Categories::ALL
    }
}

impl Action for Printing {
    const NAME: &'static str = "print";

    fn range(outputs: &Outputs) -> Categories {
        outputs.print
    }
}

impl Action for Exporting {
    const NAME: &'static str = "export";

    fn range(outputs: &Outputs) -> Categories {
        outputs.save
    }
}
