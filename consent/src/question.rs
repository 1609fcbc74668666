//! All facts of one question. No field is optional: a fact that is missing is a question that cannot
//! be asked, hence not answered with yes.

use std::collections::BTreeSet;

use model::id::FacilityId;
use model::network::{Factor, Network, Profile};
use model::papers::{ConsentNo, EffectiveGrant};
use model::record::{Categories, Category, Sensitivity};
use model::time::Instant;

use crate::matrix::rights;
use crate::requester::{Purpose, Requester};

/// On which ground data may be looked at. Each names its paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// 同意: the patient's consents in force.
    Consent(Vec<ConsentNo>),
    /// 自施設の診療: a facility looks at its own records; number of the registration.
    OwnCare(String),
    /// 法令に基づく例外: number of the decision.
    LegalException(String),
}

/// What may leave the screen (`output.print`, `output.save`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    /// Categories that may be printed.
    pub print: Categories,
    /// Categories that may be saved.
    pub save: Categories,
}

impl Outputs {
    /// Nothing may leave the screen.
    pub const NONE: Self = Self {
        print: Categories::NONE,
        save: Categories::NONE,
    };
}

/// What depends on requester, route and network alone, whoever the patient may be.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The network or the requester's facility is stopped.
    pub stopped: bool,
    /// The person is suspended.
    pub suspended: bool,
    /// The verified factors are one of the combinations that the regulation accepts.
    pub factors_suffice: bool,
    /// What for.
    pub purpose: Purpose,
    /// What the requester's profession may see.
    pub rights: Categories,
    /// What may leave the screen.
    pub outputs: Outputs,
    /// The categories that route and parameters speak of; all, where they name none.
    pub asked: Categories,
    /// The requester's facility.
    pub facility: FacilityId,
    /// Hash of the profile and the facilities that this was taken from.
    pub network: [u8; 32],
}

impl Standing {
    /// How the requester stands in the network. A facility that left the network is stopped.
    pub fn of(
        requester: &Requester,
        network: &Network,
        suspended: bool,
        asked: Categories,
    ) -> Self {
        Self {
            stopped: !network.facilities.contains_key(requester.facility()),
            suspended,
            factors_suffice: factors_suffice(&network.profile, requester.factors()),
            purpose: requester.purpose(),
            rights: rights(&network.profile, requester.profession()),
            outputs: Outputs::NONE,
            asked,
            facility: requester.facility().clone(),
            network: network.hash,
        }
    }
}

/// Whether the factors contain one of the combinations that the regulation accepts. A combination
/// without factors accepts nobody.
fn factors_suffice(profile: &Profile, factors: &BTreeSet<Factor>) -> bool {
    profile
        .staff_methods
        .iter()
        .any(|method| !method.is_empty() && method.is_subset(factors))
}

/// What rules look at in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFacts {
    /// The facility that stated it.
    pub source: FacilityId,
    /// Information category.
    pub category: Category,
    /// How delicate.
    pub sensitivity: Sensitivity,
    /// When it occurred; for a record without a date, its item's version time.
    pub occurred_from: Instant,
}

/// What the question is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Whether the patient's door opens at all.
    Patient,
    /// One record of the patient.
    Record(RecordFacts),
}

/// May this requester do this with that, now?
#[derive(Debug, Clone)]
pub struct Question {
    /// Whoever the patient may be.
    pub standing: Standing,
    /// On which ground.
    pub basis: Basis,
    /// Number of the state of the patient's papers from which the grants were computed.
    pub epoch: i64,
    /// What the patient's papers open.
    pub grants: Vec<EffectiveGrant>,
    /// What it is about.
    pub about: About,
    /// Now.
    pub now: Instant,
}
