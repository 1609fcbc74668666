//! The door for people: who has an account, with which credentials, sessions and read tokens, and
//! how often somebody failed. Secrets stand here sealed or as digests; what they prove, and how long
//! it holds, is decided by the caller.

mod person;
mod session;
mod throttle;
mod token;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::id::{FacilityId, PersonId};
use model::network::{Factor, Profession};
use model::time::Instant;
use zeroize::Zeroizing;

use crate::Shared;
use crate::error::Error;

pub use person::{Account, InvalidLogin, Login, NewPerson, Person, StoredTotp};
pub use session::Session;
pub use throttle::{Counter, Throttle};
pub use token::ReadToken;

/// SHA-256 of a random secret that a browser or a program presents.
pub type Digest = [u8; 32];

/// Accounts, sessions, read tokens and counters of failures.
#[derive(Clone)]
pub struct Accounts(Arc<Shared>);

impl Accounts {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.0
    }

    /// The secret that goes into every password hash and stands in no database.
    pub fn pepper(&self) -> &[u8; 32] {
        self.0.keys.pepper()
    }
}

const fn mask_of(factor: Factor) -> i64 {
    match factor {
        Factor::Password => 1,
        Factor::Totp => 2,
    }
}

/// Factors as the bits of one number.
fn mask(factors: &BTreeSet<Factor>) -> i64 {
    factors
        .iter()
        .fold(0, |mask, factor| mask | mask_of(*factor))
}

fn unmask(mask: i64) -> BTreeSet<Factor> {
    let all = [Factor::Password, Factor::Totp];
    all.into_iter()
        .filter(|factor| mask & mask_of(*factor) != 0)
        .collect()
}

#[cfg(test)]
mod tests;
