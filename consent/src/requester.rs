//! Who asks: a person, in one profession, at one facility, for one purpose, signed in with factors
//! that were verified.

use std::collections::BTreeSet;

use model::id::{FacilityId, PersonId};
use model::network::{Factor, Profession};

/// What for. A second purpose is a second rule: the compiler then points at `decide`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// 診療: care of the patient (HL7 v3 `PurposeOfUse` TREAT).
    Treatment,
}

impl Purpose {
    /// The code of HL7 v3 `PurposeOfUse`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Treatment => "TREAT",
        }
    }
}

/// How the person proves on each request that they signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A browser session.
    Session,
    /// A read token that the person made for themselves after a full sign-in.
    Token,
}

/// What was verified at sign-in; the only way to a [`Requester`].
#[derive(Debug, Clone)]
pub struct Verified {
    /// The person.
    pub person: PersonId,
    /// Their account name.
    pub login: String,
    /// 職種 of the assignment they act in.
    pub profession: Profession,
    /// Facility of the assignment they act in.
    pub facility: FacilityId,
    /// What for.
    pub purpose: Purpose,
    /// Every factor that was presented and verified.
    pub factors: BTreeSet<Factor>,
    /// Session or token.
    pub via: Via,
}

/// A person whose sign-in was verified. Only `auth` makes one, after it has checked every presented
/// factor; the workspace's lints forbid other callers.
///
/// ```compile_fail,E0451
/// fn forge(verified: consent::Verified) -> consent::Requester {
///     consent::Requester { verified }
/// }
/// ```
/// ```compile_fail,E0616
/// fn rise(requester: &mut consent::Requester) {
///     requester.verified.profession = model::network::Profession::Physician;
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Requester {
    verified: Verified,
}

impl Requester {
    /// A requester of what sign-in verified.
    pub const fn verified(verified: Verified) -> Self {
        Self { verified }
    }

    /// The person.
    pub const fn person(&self) -> PersonId {
        self.verified.person
    }

    /// Their account name.
    pub fn login(&self) -> &str {
        &self.verified.login
    }

    /// 職種.
    pub const fn profession(&self) -> Profession {
        self.verified.profession
    }

    /// The facility they act for.
    pub const fn facility(&self) -> &FacilityId {
        &self.verified.facility
    }

    /// What for.
    pub const fn purpose(&self) -> Purpose {
        self.verified.purpose
    }

    /// The factors that were verified.
    pub const fn factors(&self) -> &BTreeSet<Factor> {
        &self.verified.factors
    }

    /// Session or token.
    pub const fn via(&self) -> Via {
        self.verified.via
    }
}
