//! The decision. Reasons come in one fixed order: first what depends on the requester alone, so that
//! an answer which differs never tells about a patient; then what depends on the patient.

use std::fmt;
use std::marker::PhantomData;

use model::id::FacilityId;
use model::papers::EffectiveGrant;
use model::record::Categories;
use model::time::Instant;

use crate::action::Action;
use crate::question::{About, Basis, Question, RecordFacts, Standing};
use crate::requester::Purpose;

/// A permit is for the answer that is being written, not for the session.
const PERMIT_SECONDS: i64 = 5;

/// Why not. The order of the variants is the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The network or the requester's facility is stopped.
    Stopped,
    /// The person is suspended.
    Suspended,
    /// The factors of the sign-in are not enough.
    Factor,
    /// The profession may see nothing of what route and parameters ask for.
    Role,
    /// Nothing of that may be printed or saved.
    Output,
    /// No consent is in force for facilities that know the patient beyond doubt, or no other paper
    /// opens.
    NoConsent,
    /// What is open is open to other facilities.
    OtherReader,
    /// What is open to the requester's facility is not open today.
    Expired,
    /// The record comes from a facility that is not open to the requester's.
    OtherSource,
    /// The record is of a category that is not asked for, or that the profession may not see or take
    /// along.
    Category,
    /// The category is not consented to, or its source does not disclose it.
    NotDisclosed,
    /// The record is too delicate.
    Sensitivity,
    /// It occurred outside the window.
    Window,
}

impl Reason {
    /// The word that stands in the audit.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Stopped => "STOPPED",
            Self::Suspended => "SUSPENDED",
            Self::Factor => "FACTOR",
            Self::Role => "ROLE_CATEGORY",
            Self::Output => "OUTPUT",
            Self::NoConsent => "NO_CONSENT",
            Self::OtherReader => "OTHER_FACILITY",
            Self::Expired => "EXPIRED",
            Self::OtherSource => "OTHER_SOURCE",
            Self::Category => "CATEGORY",
            Self::NotDisclosed => "NOT_DISCLOSED",
            Self::Sensitivity => "SENSITIVITY",
            Self::Window => "WINDOW",
        }
    }

    /// Whether the reason depends on the patient or the record. Such a reason must look to the
    /// requester exactly as if the patient did not exist.
    pub const fn concerns_patient(self) -> bool {
        match self {
            Self::Stopped | Self::Suspended | Self::Factor | Self::Role | Self::Output => false,
            Self::NoConsent
            | Self::OtherReader
            | Self::Expired
            | Self::OtherSource
            | Self::Category
            | Self::NotDisclosed
            | Self::Sensitivity
            | Self::Window => true,
        }
    }
}

/// No, and the first reason why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Denied {
    /// The first failing reason.
    pub reason: Reason,
}

impl fmt::Display for Denied {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "denied: {}", self.reason.code())
    }
}

impl std::error::Error for Denied {}

/// Yes, for one patient, one action, a few seconds. Only [`decide`] makes one.
///
/// ```compile_fail,E0451
/// # use model::{id::FacilityId, record::Categories, time::Instant};
/// fn forge(audience: FacilityId, basis: consent::Basis) -> consent::Permit<consent::Viewing> {
///     consent::Permit {
///         epoch: 1,
///         audience,
///         categories: Categories::ALL,
///         expires_at: Instant::MAX,
///         network: [0; 32],
///         basis,
///         action: std::marker::PhantomData,
///     }
/// }
/// ```
/// ```compile_fail,E0308
/// fn keep(permit: &consent::Permit<consent::Viewing>) -> consent::Permit<consent::Viewing> {
///     permit.clone()
/// }
/// ```
/// ```compile_fail,E0277
/// fn nothing() -> consent::Permit<consent::Viewing> {
///     Default::default()
/// }
/// ```
/// ```compile_fail,E0616
/// fn widen(permit: &mut consent::Permit<consent::Viewing>) {
///     permit.categories = model::record::Categories::ALL;
/// }
/// ```
#[derive(Debug)]
pub struct Permit<A: Action> {
    epoch: i64,
    audience: FacilityId,
    categories: Categories,
    expires_at: Instant,
    network: [u8; 32],
    basis: Basis,
    action: PhantomData<A>,
}

impl<A: Action> Permit<A> {
    /// The state of the patient's papers that the permit stands on; it dies with it.
    pub const fn epoch(&self) -> i64 {
        self.epoch
    }

    /// The facility that may look.
    pub const fn audience(&self) -> &FacilityId {
        &self.audience
    }

    /// The categories that the requester may see, as far as grants open them.
    pub const fn categories(&self) -> Categories {
        self.categories
    }

    /// The instant from which the permit is worth nothing.
    pub const fn expires_at(&self) -> Instant {
        self.expires_at
    }

    /// Hash of the profile and the facilities that the permit stands on.
    pub const fn network(&self) -> &[u8; 32] {
        &self.network
    }

    /// The ground and its papers.
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }
}

/// What depends on requester, route and network alone: the categories of the question that the
/// requester may do this with, or why there are none. It is asked before any patient is looked up.
pub fn admit<A: Action>(standing: &Standing) -> Result<Categories, Denied> {
    // A second purpose does not compile here until somebody says what it may see.
    let Purpose::Treatment = standing.purpose;
    let seen = standing.rights.and(standing.asked);
    let taken = seen.and(A::range(&standing.outputs));
    let failing = [
        (standing.stopped, Reason::Stopped),
        (standing.suspended, Reason::Suspended),
        (!standing.factors_suffice, Reason::Factor),
        (seen.is_empty(), Reason::Role),
        (taken.is_empty(), Reason::Output),
    ];
    match failing.into_iter().find(|(fails, _)| *fails) {
        Some((_, reason)) => Err(Denied { reason }),
        None => Ok(taken),
    }
}

/// Answers a question: every grant that opens it must pass every condition, one after the other; the
/// first condition that no grant is left for is the reason.
pub fn decide<A: Action>(question: &Question) -> Result<Permit<A>, Denied> {
    let standing = &question.standing;
    let categories = admit::<A>(standing)?;
    let now = question.now;
    let mut open = Narrowing(opened(&question.basis, &question.grants));
    open.keep(Reason::NoConsent, |_| true)?;
    open.keep(Reason::OtherReader, |grant| {
        grant.reader == standing.facility
    })?;
    open.keep(Reason::Expired, |grant| {
        grant.valid_from <= now && now < grant.valid_to
    })?;
    match &question.about {
        About::Patient => open.keep(Reason::NotDisclosed, |grant| {
            !grant.categories.and(categories).is_empty()
        })?,
        About::Record(record) => narrow_to(record, categories, &mut open)?,
    }
    let ends = open
        .0
        .iter()
        .map(|grant| grant.valid_to)
        .max()
        .unwrap_or(now);
    Ok(Permit {
        epoch: question.epoch,
        audience: standing.facility.clone(),
        categories,
        expires_at: now.plus_seconds(PERMIT_SECONDS).min(ends),
        network: standing.network,
        basis: question.basis.clone(),
        action: PhantomData,
    })
}

/// The conditions that a record adds.
fn narrow_to(
    record: &RecordFacts,
    categories: Categories,
    open: &mut Narrowing<'_>,
) -> Result<(), Denied> {
    open.keep(Reason::OtherSource, |grant| grant.source == record.source)?;
    open.keep(Reason::Category, |_| categories.contains(record.category))?;
    open.keep(Reason::NotDisclosed, |grant| {
        grant.categories.contains(record.category)
    })?;
    open.keep(Reason::Sensitivity, |grant| {
        record.sensitivity <= grant.sensitivity_max
    })?;
    open.keep(Reason::Window, |grant| {
        grant.window_from <= record.occurred_from && record.occurred_from < grant.window_to
    })
}

/// The grants that a ground makes use of.
fn opened<'a>(basis: &Basis, grants: &'a [EffectiveGrant]) -> Vec<&'a EffectiveGrant> {
    match basis {
        Basis::Consent(papers) if papers.is_empty() => Vec::new(),
        Basis::Consent(_) => grants.iter().collect(),
        Basis::OwnCare(_) => grants
            .iter()
            .filter(|grant| grant.reader == grant.source)
            .collect(),
        // No key of a regulation says what a law opens; until one does, it opens nothing.
        Basis::LegalException(_) => Vec::new(),
    }
}

/// The grants that have passed so far.
struct Narrowing<'a>(Vec<&'a EffectiveGrant>);

impl Narrowing<'_> {
    fn keep(
        &mut self,
        reason: Reason,
        passes: impl Fn(&EffectiveGrant) -> bool,
    ) -> Result<(), Denied> {
        self.0.retain(|grant| passes(grant));
        if self.0.is_empty() {
            Err(Denied { reason })
        } else {
            Ok(())
        }
    }
}
