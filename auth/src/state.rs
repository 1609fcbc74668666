//! What all of sign-in needs.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use consent::{Purpose, Requester, Verified, Via};
use model::network::{Factor, Network};
use model::time::Instant;
use store::{Accounts, Audit, AuditAction, Clock, Error, Event, Person, Store};

use crate::factor::password::Passwords;
use crate::http::Front;
use crate::limits::{Usage, Use};
use crate::refusal::Refusal;
use crate::sign_in::place;
use crate::strangers::{Strangers, TurnedAway};

/// Accounts, sessions and read tokens of one network. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    pub(crate) accounts: Accounts,
    pub(crate) network: Arc<Network>,
    pub(crate) passwords: Passwords,
    /// What stands between this program and its clients.
    pub(crate) front: Arc<Front>,
    audit: Audit,
    clock: Clock,
    /// Never held while waiting.
    usage: Arc<Mutex<Usage>>,
    /// Never held while waiting.
    strangers: Arc<Mutex<Strangers>>,
}

impl Auth {
    /// Over an open store; of it, only the door for people and the audit are kept.
    pub fn new(store: &Store) -> Self {
        let accounts = store.accounts();
        Self {
            passwords: Passwords::new(accounts.pepper()),
            front: Arc::default(),
            network: Arc::clone(store.network()),
            audit: store.audit().clone(),
            clock: store.clock().clone(),
            usage: Arc::new(Mutex::new(Usage::new(store.network().profile.limits))),
            strangers: Arc::default(),
            accounts,
        }
    }

    /// The same people, reached through proxies.
    #[must_use]
    pub fn behind(mut self, front: Front) -> Self {
        self.front = Arc::new(front);
        self
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    /// Writes a row of the audit; nothing is answered before it is durable.
    pub(crate) async fn note(&self, event: Event) -> Result<(), Error> {
        self.audit.record(event).await
    }

    /// Query parameters as they may stand in a row of the audit.
    pub(crate) fn sealed(&self, parameters: &str) -> Result<Option<String>, Error> {
        self.audit.sealed(parameters)
    }

    /// Counts a stranger who was turned away.
    pub(crate) fn turned_away(&self, from: IpAddr) {
        let (place, now) = (place(from), self.now());
        self.strangers(|strangers| strangers.count(place, now));
    }

    /// Writes to the audit who was turned away in the minutes before a time.
    pub(crate) async fn tell_turned_away(&self, before: Instant) -> Result<(), Error> {
        let mut rows = self
            .strangers(|strangers| strangers.take(before))
            .into_iter();
        while let Some(row) = rows.next() {
            let TurnedAway {
                minute,
                place,
                requests,
            } = &row;
            let event = Event::new(AuditAction::Refuse).refused_because("NOT_SIGNED_IN");
            let event = event.with(format!("{requests} requests from {place} since {minute}"));
            if let Err(error) = self.note(event).await {
                let rest = std::iter::once(row).chain(rows);
                self.strangers(|strangers| rest.for_each(|row| strangers.add(row)));
                return Err(error);
            }
        }
        Ok(())
    }

    fn strangers<T>(&self, work: impl FnOnce(&mut Strangers) -> T) -> T {
        // Counts are whole after every statement, also of a thread that panicked.
        work(
            &mut self
                .strangers
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Writes down what was only counted so far; to be called when nobody is answered any more.
    ///
    /// # Errors
    /// When the audit cannot be reached.
    pub async fn close(&self) -> Result<(), Error> {
        self.tell_turned_away(Instant::MAX).await
    }

    /// Counts what a person does against the regulation's limits (`limits.*`), in this process. Of
    /// refusals in a row the first is in the audit: a program that asks on and on does not fill it.
    ///
    /// # Errors
    /// [`Refusal::Throttled`] when a limit is reached.
    pub async fn count(
        &self,
        requester: &Requester,
        what: Use,
        route: &str,
        request: u128,
    ) -> Result<(), Refusal> {
        let admitted = self.usage(|usage| usage.admit(requester.person(), what, self.now()));
        let Err(exceeded) = admitted else {
            return Ok(());
        };
        if exceeded.first {
            let event = Event::new(AuditAction::Refuse)
                .by(requester)
                .in_request(route, request, None);
            self.note(event.refused_because("THROTTLED").with(exceeded.limit))
                .await?;
        }
        Err(Refusal::Throttled(exceeded.wait))
    }

    /// Looks at, or changes, what everybody did lately.
    pub(crate) fn usage<T>(&self, work: impl FnOnce(&mut Usage) -> T) -> T {
        // Counts are whole after every statement, also of a thread that panicked.
        work(&mut self.usage.lock().unwrap_or_else(PoisonError::into_inner))
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
