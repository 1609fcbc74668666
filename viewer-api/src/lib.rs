//! How it looks: FHIR R4 with JP Core profiles, read only. Every clinical value arrives as
//! `store::Disclosed`, so nothing here decides what a reader may see.
//!
//! | file | answers |
//! | --- | --- |
//! | `fhir::resources` | what is served: one table, from which all else follows |
//! | `fhir::routes` | which addresses there are |
//! | `fhir::read`, `fhir::find` | how one resource, how many are answered |
//! | `fhir::search` | what a query asks |
//! | `fhir::<resource>` | how a record looks as that resource |
//! | `fhir::{datatypes, person, system, unit, meta}` | what resources have in common |
//! | `fhir::capability` | what the face says of itself |
//! | `caller`, `exchange` | who asks, in which form |
//! | `error` | what is not an answer |

mod caller;
mod error;
mod exchange;
pub mod fhir;
mod json;

use std::sync::Arc;

use auth::Auth;
use model::network::Network;
use store::{Clock, Disclosure};

pub use fhir::routes::{Example, Interaction, Route, router, routes};

/// What the face needs: the door out, and nothing that writes or reads beside it.
pub struct Face {
    /// Who asks.
    pub auth: Auth,
    /// The door out.
    pub disclosure: Disclosure,
    /// The network that is served.
    pub network: Arc<Network>,
    /// Address of the face as clients know it, without a slash at its end, e.g.
    /// `https://hub.example.jp/fhir`.
    pub base: String,
    /// Tells today, because a reception is over when its day is.
    pub clock: Clock,
    /// Folds the parts of a name as they were folded when they came in.
    pub fold: fn(&str) -> String,
}

impl std::fmt::Debug for Face {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Face")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// The face as handlers share it.
pub(crate) type Shared = Arc<Face>;

#[cfg(test)]
mod tests;
