//! The door for papers. A paper is one transaction in the office database: its immutable version, the
//! links it names, the effective grants that follow, the patient's epoch, and outbox rows for what
//! must follow in the other databases. The next statement of any reader sees the result.
//!
//! | file | answers |
//! | --- | --- |
//! | `rules` | may this paper be entered |
//! | `enter`, `withdraw`, `desk` | how do papers change where a consent stands |
//! | `ledger` | what is kept of one patient |
//! | `basis` | under which regulation are grants written |
//! | `follow` | which grants and which wanted links follow |
//! | `link` | whose is a local id |
//! | `prove`, `evidence` | does the facility agree |
//! | `outbox`, `task` | what must a job do, what must a person look at |
//! | `expire` | what does the regulation end by itself |
//! | `erase` | what may be erased |
//! | `import` | how do many papers come at once |

mod basis;
mod desk;
mod enter;
mod erase;
mod evidence;
mod expire;
mod follow;
mod import;
mod ledger;
mod link;
mod outbox;
mod prove;
mod rules;
mod task;
mod withdraw;

use model::id::{FacilityId, LocalPatientId, PatientId, PatientNumber};
use model::papers::{ConsentNo, ConsentPaper, ConsentState, LinkState};
use model::time::Instant;

use crate::db::{Tx, params};
use crate::error::Error;
use crate::{Shared, Store};

pub use erase::{Erasure, Ground};
pub use evidence::Evidence;
pub use import::{ImportError, Imported};
pub use link::{Link, RosterEntry};
pub(crate) use link::{OnFile, on_file};
pub use outbox::{Errand, What};
pub use prove::{Demographics, Proof};
pub use rules::Wrong;
pub use task::{Task, TaskKind};

/// Makes two writings of the same name equal.
pub type Fold = fn(&str) -> String;

/// The door for papers.
#[derive(Clone)]
pub struct Papers {
    store: Store,
    fold: Fold,
}

impl Store {
    /// The door for people's decisions. Names on papers are compared with names in messages, so both
    /// must be folded by the same function.
    pub fn papers(&self, fold: Fold) -> Papers {
        Papers {
            store: self.clone(),
            fold,
        }
    }
}

/// In which state a consent is entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Signed; somebody must still check it.
    Signed,
    /// Checked already: it opens at once.
    Active,
}

/// What became of a paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entered {
    /// The patient it belongs to.
    pub patient: PatientNumber,
    /// The patient's public id.
    pub public: PatientId,
    /// Whether the paper introduced the patient.
    pub created: bool,
    /// Whether anything changed; the same paper again changes nothing.
    pub changed: bool,
    /// Where the consent stands now.
    pub state: ConsentState,
}

/// A consent as the secretariat sees it.
#[derive(Clone)]
pub struct Shown {
    /// The form.
    pub paper: ConsentPaper,
    /// Where it stands.
    pub state: ConsentState,
    /// The patient's public id.
    pub patient: PatientId,
    /// When it became active.
    pub active_since: Option<Instant>,
    /// When it was withdrawn.
    pub withdrawn_at: Option<Instant>,
    /// When its data are erased; none while the withdrawal is incomplete.
    pub erase_at: Option<Instant>,
    /// How the local ids that it names stand.
    pub links: Vec<(LocalPatientId, LinkState)>,
}

/// Why a paper does not fit what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disagreement {
    /// The number belongs to another paper.
    OtherContent,
    /// The local ids belong to different patients.
    TwoPatients,
    /// The patient of these local ids has another birth date or name on other papers.
    OtherPerson,
    /// The consent does not stand where this could happen to it.
    State,
}

/// A paper that does not fit what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Why.
    pub why: Disagreement,
    patients: Vec<PatientNumber>,
}

impl Conflict {
    fn of(why: Disagreement, patients: impl IntoIterator<Item = PatientNumber>) -> PaperError {
        PaperError::Conflict(Self {
            why,
            patients: patients.into_iter().collect(),
        })
    }

    /// The field of the form that it is about.
    pub const fn field(&self) -> &'static str {
        match self.why {
            Disagreement::OtherContent | Disagreement::State => "consent_no",
            Disagreement::TwoPatients | Disagreement::OtherPerson => "local_ids",
        }
    }

    /// What a person reads; no patient data.
    pub const fn message(&self) -> &'static str {
        match self.why {
            Disagreement::OtherContent => "this consent number belongs to another paper",
            Disagreement::TwoPatients => "the local ids belong to different patients",
            Disagreement::OtherPerson => {
                "the patient of these local ids has another birth date or name on other papers"
            }
            Disagreement::State => "the consent does not stand where this could happen",
        }
    }
}

/// Why a paper was not entered.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// Fields that cannot be as they are.
    #[error("the paper has fields that cannot be as they are")]
    Wrong(Vec<Wrong>),
    /// It does not fit what is kept; a person must look.
    #[error("{}", .0.message())]
    Conflict(Conflict),
    /// There is no such consent.
    #[error("no such consent")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Papers {
    fn shared(&self) -> &Shared {
        &self.store.0
    }

    /// A consent and how it stands.
    ///
    /// # Errors
    /// [`PaperError::NotFound`].
    pub async fn show(&self, number: &ConsentNo) -> Result<Shown, PaperError> {
        let sql = "select c.patient, p.public_id from consent c join patient p on p.number = c.patient \
                   where c.consent_no = $1";
        let office = &self.shared().office;
        let row: Option<(i64, Vec<u8>)> = office
            .fetch_optional(sql, params![number.to_string()])
            .await?;
        let (patient, public) = row.ok_or(PaperError::NotFound)?;
        let ledger = ledger::Ledger::read(self.shared(), PatientNumber(patient)).await?;
        let kept = ledger
            .consents
            .iter()
            .find(|kept| kept.paper.consent_no == *number);
        let kept = kept.ok_or(PaperError::NotFound)?;
        let links = kept.paper.local_ids.iter().filter_map(|local| {
            let token = link::token(self.shared(), local);
            let found = ledger
                .links
                .iter()
                .find(|link| link.local.facility == local.facility && link.token == token);
            found.map(|link| (local.clone(), link.state))
        });
        let given = |at: Instant| (at != Instant(0)).then_some(at);
        Ok(Shown {
            paper: kept.paper.clone(),
            state: kept.state,
            patient: public_id(public)?,
            active_since: given(kept.active_since),
            withdrawn_at: given(kept.withdrawn_at),
            erase_at: given(kept.erase_at),
            links: links.collect(),
        })
    }

    /// A transaction that no other paper is in.
    async fn begin(&self) -> Result<Tx, Error> {
        let mut tx = self.shared().office.begin().await?;
        tx.lock_patient(PAPERS_LOCK, true).await?;
        Ok(tx)
    }
}

/// Papers are few and each may concern any patient, so they wait in one line. No patient has this
/// number.
const PAPERS_LOCK: i64 = 0;

fn public_id(bytes: Vec<u8>) -> Result<PatientId, Error> {
    bytes
        .try_into()
        .map(PatientId)
        .map_err(|_| Error::Corrupt("patient id"))
}

fn facility_id(number: i64) -> Result<FacilityId, Error> {
    FacilityId::from_number(number).map_err(|_| Error::Corrupt("facility code"))
}

#[cfg(test)]
mod tests;
