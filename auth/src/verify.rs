//! What follows from a stored account, presented factors and the time. Pure.

use std::collections::BTreeSet;

use model::network::{Factor, Network};
use model::time::Instant;
use store::{Account, Person};

use crate::factor::totp;

/// What one presented factor turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented<'a> {
    /// A password that was, or was not, the one of the account's hash.
    Password(bool),
    /// A one-time code as it was typed.
    Totp(&'a str),
}

/// What was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Every factor that was verified in this sign-in.
    pub factors: BTreeSet<Factor>,
    /// What is asked next; nothing when the factors suffice.
    pub next: Option<Factor>,
    /// The time step of the one-time code that is spent by this proof.
    pub spends: Option<i64>,
}

/// Judges one step of a sign-in; nothing when it fails, for whatever reason.
pub fn verify(
    network: &Network,
    account: Option<&Account>,
    already: &BTreeSet<Factor>,
    presented: Presented<'_>,
    now: Instant,
) -> Option<Proof> {
    let account = account?;
    let (factor, spends) = match presented {
        Presented::Password(right) => (right.then_some(Factor::Password)?, None),
        Presented::Totp(code) => {
            let step = totp::verify(account.totp.as_ref()?, code, now)?;
            (Factor::Totp, Some(step))
        }
    };
    if !is_admitted(network, &account.person) {
        return None;
    }
    let mut factors = already.clone();
    factors.insert(factor);
    let next = match asks(network, &factors) {
        Asks::Nothing => None,
        Asks::For(factor) => Some(factor),
        Asks::Impossible => return None,
    };
    Some(Proof {
        factors,
        next,
        spends,
    })
}

/// Whether a person may use the network at all: an open account, a profession of the regulation, a
/// facility of the register.
pub fn is_admitted(network: &Network, person: &Person) -> bool {
    person.active
        && network.profile.professions.contains(&person.profession)
        && network.facilities.contains_key(&person.facility)
}

/// What the regulation asks of who has verified some factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// They suffice.
    Nothing,
    /// One more.
    For(Factor),
    /// No accepted combination holds them.
    Impossible,
}

/// What the regulation still asks.
pub fn asks(network: &Network, verified: &BTreeSet<Factor>) -> Asks {
    // A combination without factors would let everybody in.
    let methods = network
        .profile
        .staff_methods
        .iter()
        .filter(|method| !method.is_empty());
    let mut missing = None;
    for method in methods {
        if method.is_subset(verified) {
            return Asks::Nothing;
        }
        if method.is_superset(verified) {
            missing = missing.or_else(|| method.difference(verified).next().copied());
        }
    }
    missing.map_or(Asks::Impossible, Asks::For)
}

/// Whether verified factors suffice to be signed in.
pub fn is_complete(network: &Network, verified: &BTreeSet<Factor>) -> bool {
    asks(network, verified) == Asks::Nothing
}

#[cfg(test)]
mod tests;
