//! One row of the audit. It holds the network's patient id, never a name; parameters of queries stand
//! in it sealed.

use consent::{Reason, Requester, Via};
use model::id::{PatientId, PatientNumber, PersonId};
use model::time::Instant;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::seal::sha256;

/// More ids than this are kept as hash and count.
const MOST_IDS: usize = 200;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Action {
    Read,
    Search,
    Refuse,
    SignIn,
    SignInFailed,
    SignOut,
    TokenIssued,
    TokenRevoked,
    AccountChanged,
    ConsentEntered,
    ConsentChecked,
    ConsentWithdrawn,
    ConsentRestored,
    ConsentExpired,
    LinkProved,
    LinkDisagrees,
    Erased,
    Started,
    Stopped,
    Resumed,
    GrantsRecomputed,
    TaskClosed,
    AuditRead,
    Replayed,
}

/// A row before it stands in its chain.
#[derive(Debug, Clone)]
pub struct Event {
    number: i64,
    person: i64,
    view: bool,
    row: Row,
}

/// The content of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// FHIR instant.
    pub at: String,
    #[serde(skip)]
    at_micros: i64,
    /// SHA-256 of profile and facilities, hexadecimal.
    pub profile: String,
    /// What was done.
    pub action: Action,
    /// Who: number of the person, 0 for the machine.
    pub person: i64,
    /// In which role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// At which facility.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<String>,
    /// Signed in how.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// For what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// About whom: the network's patient id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// State of the patient's papers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<i64>,
    /// Through which route, without ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// What was given out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Hash of the ids when there are too many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ids_hash: Option<String>,
    /// How many were given out.
    #[serde(default)]
    pub count: usize,
    /// Whether it was allowed.
    pub permitted: bool,
    /// Why not; or the paper or thing that was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Counts and the like, without patient data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The request, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// Sealed query parameters, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
}

impl Row {
    /// Reads canonical bytes.
    pub(crate) fn parse(content: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(content).map_err(|_| Error::Corrupt("audit row"))
    }
}

impl Event {
    /// A row of the machine itself.
    pub fn new(action: Action) -> Self {
        let row = Row {
            at: String::new(),
            at_micros: 0,
            profile: String::new(),
            action,
            person: 0,
            role: None,
            facility: None,
            method: None,
            purpose: None,
            patient: None,
            epoch: None,
            route: None,
            ids: Vec::new(),
            ids_hash: None,
            count: 0,
            permitted: true,
            reason: None,
            detail: None,
            request: None,
            parameters: None,
        };
        Self {
            number: 0,
            person: 0,
            view: false,
            row,
        }
    }

    /// By whom.
    #[must_use]
    pub fn by(mut self, requester: &Requester) -> Self {
        let method = match requester.via() {
            Via::Session => "session",
            Via::Token => "token",
        };
        self.row.role = Some(requester.profession().name().to_owned());
        self.row.facility = Some(requester.facility().to_string());
        self.row.method = Some(method.to_owned());
        self.row.purpose = Some(requester.purpose().code().to_owned());
        self.by_person(requester.person())
    }

    /// By whom, when only the person is known (commands, sign-in).
    #[must_use]
    pub const fn by_person(mut self, person: PersonId) -> Self {
        self.person = person.0;
        self.row.person = person.0;
        self
    }

    /// About whom.
    #[must_use]
    pub fn about(mut self, number: PatientNumber, patient: PatientId, epoch: i64) -> Self {
        self.number = number.0;
        self.row.patient = Some(patient.to_string());
        self.row.epoch = Some(epoch);
        self
    }

    /// In which request, through which route, with which sealed parameters.
    #[must_use]
    pub fn in_request(mut self, route: &str, request: u128, parameters: Option<String>) -> Self {
        self.row.route = Some(route.to_owned());
        self.row.request = Some(format!("{request:032x}"));
        self.row.parameters = parameters;
        self
    }

    /// What is given out. Disclosing anything of a patient is a view of that patient.
    #[must_use]
    pub fn gives(mut self, ids: Vec<String>) -> Self {
        self.row.count = ids.len();
        self.view = self.number != 0 && !ids.is_empty();
        if ids.len() > MOST_IDS {
            let digest = sha256(&[ids.join("\n").as_bytes()]);
            self.row.ids_hash = Some(data_encoding::HEXLOWER.encode(&digest));
        } else {
            self.row.ids = ids;
        }
        self
    }

    /// It was refused, for a reason of the decision.
    #[must_use]
    pub fn refused(self, reason: Reason) -> Self {
        self.refused_because(reason.code())
    }

    /// It was refused, for another reason.
    #[must_use]
    pub fn refused_because(mut self, reason: &str) -> Self {
        self.row.permitted = false;
        self.row.reason = Some(reason.to_owned());
        self
    }

    /// Which paper, account or thing it concerns.
    #[must_use]
    pub fn of(mut self, thing: impl Into<String>) -> Self {
        self.row.reason = Some(thing.into());
        self
    }

    /// Counts and the like; no patient data.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.row.detail = Some(detail.into());
        self
    }

    pub(crate) fn stamp(&mut self, now: Instant, network: &[u8; 32]) {
        self.row.at = now.to_string();
        self.row.at_micros = now.0;
        self.row.profile = data_encoding::HEXLOWER.encode(network);
    }

    pub(crate) fn canonical(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&self.row).map_err(|error| Error::Other("audit row", error.into()))
    }

    pub(crate) const fn at(&self) -> Instant {
        Instant(self.row.at_micros)
    }

    pub(crate) const fn patient_number(&self) -> i64 {
        self.number
    }

    pub(crate) const fn person(&self) -> i64 {
        self.person
    }

    pub(crate) const fn is_view(&self) -> bool {
        self.view
    }
}
