//! Which papers: consents and withdrawals over HTTP. The office is given the door for papers and
//! nothing that reads charts.
//!
//! | file | answers |
//! | --- | --- |
//! | `routes` | which addresses there are |
//! | `consents` | what happens at each |
//! | `form` | how a JSON object becomes a paper |
//! | `secretary` | who may: the secretariat, and nobody else |
//! | `error` | what is not an answer |

mod consents;
mod error;
mod form;
mod routes;
mod secretary;
#[cfg(test)]
mod tests;

use auth::Auth;
use axum::extract::FromRef;
use store::{Audit, Papers};

pub use routes::{ROUTES, Route, router};

/// What the office needs.
#[derive(Clone, FromRef)]
pub struct Office {
    /// Who asks.
    pub auth: Auth,
    /// The door for papers.
    pub papers: Papers,
    /// Who looked at a paper, and who wanted to.
    pub audit: Audit,
}
