//! What may be erased after a withdrawal, or because the regulation ended a consent: the sources that
//! no consent covers any more, of other sources the numbers that none names any more, and everything
//! when no consent is left.

use std::collections::BTreeSet;

use consent::effective;
use model::id::{FacilityId, PatientId, PatientNumber};
use model::papers::{ConsentNo, ConsentState, LinkState};
use model::time::Instant;

use super::follow::{follow, next_epoch};
use super::ledger::{Kept, Ledger, Wanted};
use super::link::number;
use super::outbox::{Post, post};
use super::{Papers, basis, public_id};
use crate::Shared;
use crate::db::{Tx, params};
use crate::error::Error;

/// Why data are erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Somebody withdrew what they had consented to.
    Withdrawal,
    /// The regulation keeps data no longer.
    Retention,
}

impl Ground {
    /// The word that stands in the deletion record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Withdrawal => "withdrawal",
            Self::Retention => "retention",
        }
    }
}

/// What must be erased of one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose.
    pub patient: PatientNumber,
    /// Public id.
    pub public: PatientId,
    /// The consents whose end is due.
    pub consents: Vec<ConsentNo>,
    /// Why they ended.
    pub ground: Ground,
    /// The facilities whose data of the patient nothing holds any more.
    pub sources: Vec<FacilityId>,
    /// Of other facilities the numbers of the patient under which nothing holds data any more, as
    /// [`Link::number`](crate::Link::number).
    pub numbers: Vec<(FacilityId, i64)>,
    /// Whether nothing holds any data, so that the patient's key must be destroyed.
    pub whole: bool,
}

impl Papers {
    /// What must be erased of a patient now, if there is anything. Data that another consent holds,
    /// or a withdrawal that could still be taken back, stay.
    ///
    /// # Errors
    /// When the database does not answer, or this process does not know the regulation in force.
    pub async fn due_erasure(&self, patient: PatientNumber) -> Result<Option<Erasure>, Error> {
        self.knows_the_regulation().await?;
        let sql = "select public_id from patient where number = $1";
        let row: Option<(Vec<u8>,)> = self
            .shared()
            .office
            .fetch_optional(sql, params![patient])
            .await?;
        let (public,) = row.ok_or(Error::NotFound)?;
        let ledger = Ledger::read(self.shared(), patient).await?;
        erasure(self.shared(), &ledger, patient, public_id(public)?)
    }

    /// Marks an erasure as done, after its records, frames and, if it was whole, the key are gone.
    /// Local ids that nothing names any more are forgotten. What other papers hold is fetched again:
    /// one of them may have come while the data went.
    ///
    /// # Errors
    /// [`Error::StaleEpoch`] when a paper came in between and something else is due now.
    pub async fn erased(&self, erasure: &Erasure) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let shared = self.shared();
        basis::may_open(shared, &mut tx).await?;
        let ledger = Ledger::load(shared, &mut tx, erasure.patient).await?;
        if self::erasure(shared, &ledger, erasure.patient, erasure.public)?.as_ref()
            != Some(erasure)
        {
            // Who reads under the paper that came in between begins anew.
            next_epoch(&mut tx, erasure.patient).await?;
            fetch_again(shared, &mut tx, &ledger, erasure.patient).await?;
            tx.commit().await?;
            return Err(Error::StaleEpoch);
        }
        for number in &erasure.consents {
            let sql = "update consent set state = $2 where consent_no = $1";
            tx.execute(
                sql,
                params![number.to_string(), ConsentState::Erased as i64],
            )
            .await?;
        }
        forget_links(shared, &mut tx, &ledger, erasure).await?;
        follow(shared, &mut tx, erasure.patient).await?;
        next_epoch(&mut tx, erasure.patient).await?;
        // An earlier call may have erased more, and died before it learned of a paper.
        let ledger = Ledger::load(shared, &mut tx, erasure.patient).await?;
        fetch_again(shared, &mut tx, &ledger, erasure.patient).await?;
        tx.commit().await
    }
}

fn erasure(
    shared: &Shared,
    ledger: &Ledger,
    patient: PatientNumber,
    public: PatientId,
) -> Result<Option<Erasure>, Error> {
    let now = shared.clock.now();
    let due = ledger.consents.iter().filter(|kept| kept.is_due(now));
    let due: Vec<_> = due.collect();
    let expired = |kept: &&Kept| kept.state == ConsentState::Expired;
    let ground = if due.iter().any(expired) {
        Ground::Retention
    } else {
        Ground::Withdrawal
    };
    let numbers = due.iter().map(|kept| kept.paper.consent_no.clone());
    let consents: Vec<ConsentNo> = numbers.collect();
    if consents.is_empty() {
        return Ok(None);
    }
    // A consent that is over, but not withdrawn, still holds what it brought.
    let held = ledger.facts(shared, |kept| kept.holds_data(now), |_| LinkState::Proved);
    let held = effective(&held, &shared.network, Instant::MIN);
    let holding: BTreeSet<&FacilityId> = held.iter().map(|grant| &grant.source).collect();
    let named = ledger.named(shared, |kept| kept.holds_data(now));
    let (mut sources, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    for link in &ledger.links {
        let facility = link.local.facility.clone();
        if !holding.contains(&facility) {
            sources.insert(facility);
        } else if !named.contains(&(facility.clone(), link.token)) {
            numbers.insert((facility, number(shared, &link.local)));
        }
    }
    let whole = !ledger.consents.iter().any(|kept| kept.holds_data(now));
    Ok(Some(Erasure {
        patient,
        public,
        consents,
        ground,
        sources: sources.into_iter().collect(),
        numbers: numbers.into_iter().collect(),
        whole,
    }))
}

/// Asks for key and data of everything that is still wanted.
async fn fetch_again(
    shared: &Shared,
    tx: &mut Tx,
    ledger: &Ledger,
    patient: PatientNumber,
) -> Result<(), Error> {
    let now = shared.clock.now();
    let wanted: Vec<_> = ledger
        .links
        .iter()
        .filter(|link| link.wanted != Wanted::NEVER)
        .collect();
    if !wanted.is_empty() {
        post(shared, tx, patient, Post::Introduce, now).await?;
    }
    for link in wanted {
        post(
            shared,
            tx,
            patient,
            Post::BackFill(&link.local.facility),
            now.max(link.wanted.from),
        )
        .await?;
    }
    Ok(())
}

async fn forget_links(
    shared: &Shared,
    tx: &mut Tx,
    ledger: &Ledger,
    erasure: &Erasure,
) -> Result<(), Error> {
    let named = ledger.named(shared, |kept| {
        !erasure.consents.contains(&kept.paper.consent_no) && kept.state != ConsentState::Erased
    });
    for link in &ledger.links {
        let facility = &link.local.facility;
        let whose = (facility.clone(), number(shared, &link.local));
        if erasure.sources.contains(facility) || erasure.numbers.contains(&whose) {
            // The demographics were data of the source.
            let params = params![erasure.patient, facility, link.token];
            let sql = "delete from link_evidence where patient = $1 and facility = $2 and link_token = $3";
            tx.execute(sql, params).await?;
            let sql =
                "update link set state = 0 where patient = $1 and facility = $2 and token = $3";
            tx.execute(sql, params).await?;
        }
        if !named.contains(&(facility.clone(), link.token)) {
            let sql = "delete from link where patient = $1 and facility = $2 and token = $3";
            tx.execute(sql, params![erasure.patient, facility, link.token])
                .await?;
        }
    }
    Ok(())
}
