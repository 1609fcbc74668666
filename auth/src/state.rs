//! What all of sign-in needs.

use std::collections::BTreeSet;
use std::sync::Arc;

use consent::{Purpose, Requester, Verified, Via};
use model::network::{Factor, Network};
use model::time::Instant;
use store::{Accounts, Audit, Clock, Error, Event, Person, Store};

use crate::factor::password::Passwords;

/// Accounts, sessions and read tokens of one network. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    pub(crate) accounts: Accounts,
    pub(crate) network: Arc<Network>,
    pub(crate) passwords: Passwords,
    audit: Audit,
    clock: Clock,
}

impl Auth {
    /// Over an open store; of it, only the door for people and the audit are kept.
    pub fn new(store: &Store) -> Self {
        let accounts = store.accounts();
        Self {
            passwords: Passwords::new(accounts.pepper()),
            network: Arc::clone(store.network()),
            audit: store.audit().clone(),
            clock: store.clock().clone(),
            accounts,
        }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Writes a row of the audit; nothing is answered before it is durable.
    pub(crate) async fn note(&self, event: Event) -> Result<(), Error> {
        self.audit.record(event).await
    }

    /// The requester that a verified sign-in makes of a person.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place: every factor in `factors` was verified at sign-in"
    )]
    pub(crate) fn requester(
        person: &Person,
        factors: BTreeSet<Factor>,
        via: Via,
    ) -> Arc<Requester> {
        Arc::new(Requester::verified(Verified {
            person: person.id,
            login: person.login.as_str().to_owned(),
            profession: person.profession,
            facility: person.facility.clone(),
            purpose: Purpose::Treatment,
            factors,
            via,
        }))
    }
}
