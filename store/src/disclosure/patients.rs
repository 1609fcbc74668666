//! Finding a patient: inside the requester's effective grants, by blind tokens of what a facility
//! whose demographics the requester may see says about the patient.

use std::collections::BTreeSet;

use consent::{Action, Requester, Viewing};
use model::id::{PatientId, PatientNumber};
use model::record::{Body, Category, Kind, ReadRecord};
use model::time::Instant;

use super::query::{ALTERNATIVES, DateFilter, RecordQuery, Sort};
use super::visible::updated;
use super::{Call, Disclosed, Disclosure, Refused, View};
use crate::audit::Action as Audited;
use crate::db::{Value, params};

/// An answer has at most so many patients.
const MOST: i64 = 20;
/// So many tokens fit one query.
const TOKENS: usize = 6;

/// Something by which a patient is found; texts are folded already.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Token {
    /// A number at a facility (ten digits of the facility, number).
    Identifier(String, String),
    /// A name part, or its first two, three or four characters.
    Name(String),
    /// A family name, or its first characters.
    Family(String),
    /// A given name, or its first characters.
    Given(String),
    /// A birth date, `YYYY-MM-DD`.
    BirthDate(String),
    /// A FHIR gender.
    Gender(String),
}

impl Token {
    pub(crate) fn blind(&self, keys: &crate::keys::Keys) -> i64 {
        match self {
            Self::Identifier(facility, number) => {
                keys.blind("identifier", &format!("{facility}|{number}"))
            }
            Self::Name(text) => keys.blind("name", text),
            Self::Family(text) => keys.blind("family", text),
            Self::Given(text) => keys.blind("given", text),
            Self::BirthDate(text) => keys.blind("birthdate", text),
            Self::Gender(text) => keys.blind("gender", text),
        }
    }
}

/// All tokens must fit one facility's statement about the patient.
#[derive(Clone, Default)]
pub struct PatientQuery {
    /// At least one, at most six, the most telling first.
    pub tokens: Vec<Token>,
    /// Only these patients; all when empty. At most sixteen.
    pub ids: Vec<PatientId>,
    /// When the patients became visible or changed.
    pub updated: DateFilter,
    /// In which order; a patient has no date, so by default in that of their papers.
    pub sort: Sort,
}

/// A patient as this requester may know them.
pub struct ReadPatient {
    /// Public id.
    pub id: PatientId,
    /// One statement for each number that a facility gave, newest first.
    pub statements: Vec<ReadRecord>,
    /// When this last changed for the requester.
    pub last_updated: Instant,
    /// Grows with each change.
    pub version: i64,
}

/// Patients whom the tokens fit and reader `$2` may know (see `visible.rs`).
macro_rules! found {
    () => {
        concat!(
    "select distinct t.patient from search_token t \
     join record r on r.patient = t.patient and r.category = 1 and r.kind = 1 and r.facility = t.facility and r.state <> 0 \
     where t.token = $1 and ",
    updated!("office.effective_grant"),
    " is not null \
     and ($5 = 0 or exists (select 1 from search_token u where u.token = $5 and u.patient = t.patient and u.facility = t.facility)) \
     and ($6 = 0 or exists (select 1 from search_token u where u.token = $6 and u.patient = t.patient and u.facility = t.facility)) \
     and ($7 = 0 or exists (select 1 from search_token u where u.token = $7 and u.patient = t.patient and u.facility = t.facility)) \
     and ($8 = 0 or exists (select 1 from search_token u where u.token = $8 and u.patient = t.patient and u.facility = t.facility)) \
     and ($9 = 0 or exists (select 1 from search_token u where u.token = $9 and u.patient = t.patient and u.facility = t.facility)) \
     and ($11 = 0 or t.patient in (select p.number from office.patient p where p.public_id in \
     ($12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)))"
        )
    };
}

/// The same with the time at which any of the statements that the reader sees was news last.
macro_rules! dated {
    ($order:literal) => {
        concat!(
            "with found as (",
            found!(),
            "), dated as (select f.patient, (select max(",
            updated!("office.effective_grant"),
            ") from record r where r.patient = f.patient and r.category = 1 and r.kind = 1 and r.state <> 0) as updated from found f) \
             select d.patient from dated d where $34 = 0 or (d.updated >= $28 and d.updated <= $29 \
             and d.updated >= $30 and d.updated <= $31 and not (d.updated >= $32 and d.updated <= $33)) order by ",
            $order,
            " limit cast($10 as bigint)"
        )
    };
}

const FIND: &str = concat!(found!(), " order by t.patient limit cast($10 as bigint)");
const FIND_DATED: &str = dated!("d.patient");
const FIND_LATEST: &str = dated!("d.updated desc, d.patient");
const FIND_EARLIEST: &str = dated!("d.updated, d.patient");

impl Disclosure {
    /// Patients whom the tokens fit and whom this requester may know, at most twenty.
    ///
    /// # Errors
    /// As [`Disclosure::open`].
    pub async fn find_patients(
        &self,
        requester: &Requester,
        call: &Call,
        query: &PatientQuery,
    ) -> Result<Vec<Disclosed<ReadPatient>>, Refused> {
        let standing = self.admit::<Viewing>(requester, call).await?;
        if !self.ready().await? {
            return Err(Refused::Unavailable);
        }
        let shared = &self.store.0;
        let mut tokens = query.tokens.iter().map(|token| token.blind(&shared.keys));
        let fits = query.tokens.len() <= TOKENS && query.ids.len() <= ALTERNATIVES;
        let Some(first) = tokens.next().filter(|_| fits) else {
            return Err(Refused::NotFound);
        };
        let mut params: Vec<Value> = vec![
            first.into(),
            requester.facility().into(),
            standing.rights.and(standing.asked).0.into(),
            shared.clock.now().into(),
        ];
        params.extend((1..TOKENS).map(|_| Value::from(tokens.next().unwrap_or(0))));
        params.push(MOST.into());
        params.push((!query.ids.is_empty()).into());
        let id = |at: usize| query.ids.get(at).map_or_else(Vec::new, |id| id.0.to_vec());
        params.extend((0..ALTERNATIVES).map(|at| Value::from(id(at))));
        let (sql, dated) = match query.sort {
            Sort::UpdatedDescending => (FIND_LATEST, true),
            Sort::UpdatedAscending => (FIND_EARLIEST, true),
            _ if query.updated != DateFilter::default() => (FIND_DATED, true),
            _ => (FIND, false),
        };
        if dated {
            params.extend(query.updated.numbers().map(Value::from));
        }
        let numbers: Vec<(i64,)> = shared.records.fetch_all(sql, &params).await?;
        if numbers.is_empty() {
            let event = self.event(Audited::Search, requester, call)?;
            shared.audit.record(event).await?;
        }
        let mut patients = Vec::with_capacity(numbers.len());
        for (number,) in numbers {
            let entered = self.enter::<Viewing>(
                requester,
                call,
                standing.clone(),
                None,
                PatientNumber(number),
            );
            let read = async { entered.await?.patient().await };
            match read.await {
                Ok(patient) => patients.push(patient),
                // A withdrawal or its erasure came between the statements.
                Err(Refused::NotFound) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(patients)
    }
}

impl<A: Action> View<'_, A> {
    /// What this requester may know about who the patient is.
    ///
    /// # Errors
    /// As [`Disclosure::open`].
    pub async fn patient(&self) -> Result<Disclosed<ReadPatient>, Refused> {
        let query = RecordQuery {
            limit: 200,
            ..RecordQuery::new(Kind::Patient)
        };
        let mut statements: Vec<ReadRecord> =
            if self.permit.categories().contains(Category::Demographics) {
                self.records(&query)
                    .await?
                    .items
                    .into_iter()
                    .map(|statement| statement.0)
                    .collect()
            } else {
                Vec::new()
            };
        // Also of a statement that another one of its number hides: it may have come to light.
        let latest = statements.iter().map(|one| one.last_updated).max();
        // A facility's own demographics speak before what its orders say, for each number it gave.
        statements.sort_by_key(|statement| {
            (
                from_order(statement),
                std::cmp::Reverse(statement.meta.occurred.from),
            )
        });
        let mut numbers = BTreeSet::new();
        statements.retain(|statement| match &statement.body {
            Body::Patient(patient) => {
                numbers.insert((statement.meta.facility.clone(), patient.local_id.clone()))
            }
            _ => false,
        });
        let last_updated = match latest {
            Some(latest) => latest,
            None => self.introduced().await?,
        };
        let version = statements
            .iter()
            .map(|statement| statement.version)
            .sum::<i64>()
            .max(1);
        Ok(Disclosed(ReadPatient {
            id: self.patient,
            statements,
            last_updated,
            version,
        }))
    }

    /// Since when the requester's facility may see something of the patient, where it is nobody's
    /// statement about who they are. When an earlier paper of others came is not theirs to know.
    async fn introduced(&self) -> Result<Instant, Refused> {
        let sql = "select min(g.since) from effective_grant g where g.patient = $1 and g.reader = $2 \
                   and (g.categories & $3) <> 0 and g.valid_from <= $4 and g.valid_to > $4";
        let params = params![
            self.number,
            self.permit.audience(),
            self.permit.categories().0,
            self.now()?
        ];
        let row: Option<(Option<i64>,)> = self.store.0.office.fetch_optional(sql, params).await?;
        let since = row.and_then(|(since,)| since);
        let given = since.map(|_| self.patient.to_string());
        self.audit(Audited::Read, given.into_iter().collect())?
            .durable()
            .await?;
        since.map(Instant).ok_or(Refused::NotFound)
    }
}

fn from_order(statement: &ReadRecord) -> bool {
    matches!(&statement.body, Body::Patient(patient) if patient.from_order)
}
