//! The door out. A clinical value leaves the store only as [`Disclosed`], and only this file and its
//! neighbours make one: after `consent::decide` said yes, through a query whose condition is the
//! same decision in SQL, and not before the audit row is durable.
//!
//! ```compile_fail
//! // Nobody else can make a disclosed value.
//! let value = store::Disclosed(42);
//! ```
//! ```compile_fail
//! // Nobody can print one by accident.
//! fn log(value: store::Disclosed<model::record::ReadRecord>) { println!("{value:?}"); }
//! ```

mod patients;
mod query;
mod records;
mod visible;

use std::ops::Deref;

use consent::{About, Action, Basis, Permit, Question, Reason, Requester, Standing, admit, decide};
use model::id::{FacilityId, PatientId, PatientNumber, RecordId};
use model::papers::EffectiveGrant;
use model::record::{Categories, Sensitivity};
use model::time::Instant;

use crate::Store;
use crate::audit::{Action as Audited, Event};
use crate::db::params;
use crate::error::Error;

pub use patients::{PatientQuery, ReadPatient, Token};
pub use query::{CodeQuery, DateFilter, Page, Position, RecordQuery, Sort};
pub use records::Reach;

/// Cursors live this long.
const CURSOR_SECONDS: i64 = 15 * 60;

/// A value that this requester may see. It can be looked at and rendered, nothing else.
pub struct Disclosed<T>(T);

impl<T> Deref for Disclosed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Why a door stayed shut. It never tells about a patient.
#[derive(Debug)]
pub enum Refused {
    /// The thing is not there, or not for this requester: the same answer.
    NotFound,
    /// The requester's role, factors or standing do not allow this for anybody.
    Forbidden(Reason),
    /// Not now.
    Unavailable,
    /// A person must look.
    Broken(Error),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            error if error.is_retryable() => Self::Unavailable,
            error => Self::Broken(error),
        }
    }
}

/// One request, as the audit will know it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The route's pattern, without ids.
    pub route: &'static str,
    /// The request's id.
    pub request: u128,
    /// Query parameters; they are sealed before they reach the audit.
    pub parameters: String,
    /// Categories that the route speaks of; decides by role before any patient is resolved.
    pub asked: Categories,
}

/// The door out.
#[derive(Clone)]
pub struct Disclosure {
    store: Store,
}

impl Store {
    /// The door for people who look.
    pub fn disclosure(&self) -> Disclosure {
        Disclosure {
            store: self.clone(),
        }
    }
}

/// The open door to one patient's records, for one requester and one action.
pub struct View<'a, A: Action> {
    store: &'a Store,
    requester: &'a Requester,
    call: &'a Call,
    number: PatientNumber,
    patient: PatientId,
    permit: Permit<A>,
}

/// Patient number, epoch, public id; one grant (source, categories, sensitivity, validity, window);
/// whether the grants are current.
type Facts = (i64, i64, Vec<u8>, i64, i64, i64, i64, i64, i64, i64, i64);

impl Disclosure {
    /// Opens the records of a patient to a requester.
    ///
    /// # Errors
    /// [`Refused::Forbidden`] depends on the requester alone; everything that depends on the patient
    /// is [`Refused::NotFound`], with the exact reason in the audit.
    pub async fn open<'a, A: Action>(
        &'a self,
        requester: &'a Requester,
        call: &'a Call,
        patient: PatientId,
    ) -> Result<View<'a, A>, Refused> {
        let standing = self.admit::<A>(requester, call).await?;
        self.enter(requester, call, standing, Some(patient), PatientNumber(0))
            .await
    }

    /// Opens the records of the patient whose record an id names.
    ///
    /// # Errors
    /// As [`Disclosure::open`].
    pub async fn open_record<'a, A: Action>(
        &'a self,
        requester: &'a Requester,
        call: &'a Call,
        record: RecordId,
    ) -> Result<View<'a, A>, Refused> {
        let standing = self.admit::<A>(requester, call).await?;
        let (number, _) = self.store.0.keys.open_record_id(record)?;
        self.enter(requester, call, standing, None, number).await
    }

    /// The patient whom a record's id stands for, read from the id alone: whether there is such a
    /// patient is not looked up.
    ///
    /// # Errors
    /// When the id cannot be opened.
    pub fn patient_of(&self, record: RecordId) -> Result<PatientNumber, Refused> {
        Ok(self.store.0.keys.open_record_id(record)?.0)
    }

    /// Writes the audit row of an answer that concerns no patient.
    ///
    /// # Errors
    /// [`Refused::Forbidden`] when the requester may not use the route at all; [`Refused::Unavailable`]
    /// when the audit cannot be written.
    pub async fn note(&self, requester: &Requester, call: &Call) -> Result<(), Refused> {
        let event = self.event(Audited::Read, requester, call)?;
        self.store.0.audit.record(event).await?;
        Ok(())
    }

    /// Writes the audit row of a refusal that depends on the requester alone.
    ///
    /// # Errors
    /// When the audit cannot be written.
    pub async fn refuse(
        &self,
        requester: &Requester,
        call: &Call,
        reason: &str,
    ) -> Result<(), Refused> {
        let event = self
            .event(Audited::Refuse, requester, call)?
            .refused_because(reason);
        self.store.0.audit.record(event).await?;
        Ok(())
    }

    /// A paging cursor: opaque, for this person, for fifteen minutes.
    ///
    /// # Errors
    /// When sealing fails.
    pub fn seal_cursor(&self, requester: &Requester, content: &str) -> Result<String, Refused> {
        let expires = self.store.0.clock.now().plus_seconds(CURSOR_SECONDS).0;
        let plain = [&expires.to_le_bytes(), content.as_bytes()].concat();
        let sealed = self
            .store
            .0
            .keys
            .seal_cursor(requester.person().0, &plain)?;
        Ok(data_encoding::BASE64URL_NOPAD.encode(&sealed))
    }

    /// The content of a cursor that was sealed for this person and is not too old.
    pub fn open_cursor(&self, requester: &Requester, cursor: &str) -> Option<String> {
        let sealed = data_encoding::BASE64URL_NOPAD
            .decode(cursor.as_bytes())
            .ok()?;
        let plain = self
            .store
            .0
            .keys
            .open_cursor(requester.person().0, &sealed)
            .ok()?;
        let (expires, content) = plain.split_first_chunk::<8>()?;
        let alive = self.store.0.clock.now() < Instant(i64::from_le_bytes(*expires));
        alive
            .then(|| String::from_utf8(content.to_vec()).ok())
            .flatten()
    }

    /// Everything that depends on the requester alone, decided before any patient is resolved.
    async fn admit<A: Action>(
        &self,
        requester: &Requester,
        call: &Call,
    ) -> Result<Standing, Refused> {
        let standing = Standing::of(requester, &self.store.0.network, false, call.asked);
        if let Err(denied) = admit::<A>(&standing) {
            self.refuse(requester, call, denied.reason.code()).await?;
            return Err(Refused::Forbidden(denied.reason));
        }
        Ok(standing)
    }

    async fn enter<'a, A: Action>(
        &'a self,
        requester: &'a Requester,
        call: &'a Call,
        standing: Standing,
        patient: Option<PatientId>,
        number: PatientNumber,
    ) -> Result<View<'a, A>, Refused> {
        let sql = "select p.number, p.epoch, p.public_id, coalesce(g.source, 0), coalesce(g.categories, 0), \
                   coalesce(g.sensitivity_max, 0), coalesce(g.valid_from, 0), coalesce(g.valid_to, 0), \
                   coalesce(g.window_from, 0), coalesce(g.window_to, 0), \
                   (select count(*) from basis where id = 1 and network_hash = $4) \
                   from patient p left join effective_grant g on g.patient = p.number and g.reader = $3 \
                   where p.public_id = $1 or p.number = $2";
        let shared = &self.store.0;
        let public = patient.map_or_else(Vec::new, |patient| patient.0.to_vec());
        let params = params![
            public,
            number,
            requester.facility(),
            shared.network.hash.to_vec()
        ];
        let rows: Vec<Facts> = shared.office.fetch_all(sql, params).await?;
        self.grants_are_current(rows.first()).await?;
        let Some((number, epoch, public_id)) = rows
            .first()
            .map(|row| (PatientNumber(row.0), row.1, row.2.clone()))
        else {
            let event = self
                .event(Audited::Refuse, requester, call)?
                .refused_because("UNKNOWN");
            shared.audit.record(event).await?;
            return Err(Refused::NotFound);
        };
        let patient = public_id
            .try_into()
            .map(PatientId)
            .map_err(|_| Error::Corrupt("patient id"))?;
        let question = Question {
            standing,
            basis: Basis::Consent(self.active_consents(number).await?),
            epoch,
            grants: grants(requester.facility(), &rows)?,
            about: About::Patient,
            now: shared.clock.now(),
        };
        match decide::<A>(&question) {
            Ok(permit) => Ok(View {
                store: &self.store,
                requester,
                call,
                number,
                patient,
                permit,
            }),
            Err(denied) => {
                let event = self
                    .event(Audited::Refuse, requester, call)?
                    .about(number, patient, epoch);
                shared.audit.record(event.refused(denied.reason)).await?;
                Err(Refused::NotFound)
            }
        }
    }

    /// After a change of profile or facilities nothing is read until the grants follow.
    async fn grants_are_current(&self, row: Option<&Facts>) -> Result<(), Refused> {
        let current = match row {
            Some(row) => row.10 > 0,
            None => self.ready().await?,
        };
        if current {
            Ok(())
        } else {
            Err(Refused::Unavailable)
        }
    }

    /// Whether the grants follow from the profile and facilities of this process.
    ///
    /// # Errors
    /// When the office database does not answer.
    pub async fn ready(&self) -> Result<bool, Refused> {
        let sql = "select count(*) from basis where id = 1 and network_hash = $1";
        let hash = self.store.0.network.hash.to_vec();
        let row: Option<(i64,)> = self
            .store
            .0
            .office
            .fetch_optional(sql, params![hash])
            .await?;
        Ok(row.is_some_and(|(count,)| count > 0))
    }

    async fn active_consents(
        &self,
        number: PatientNumber,
    ) -> Result<Vec<model::papers::ConsentNo>, Error> {
        let sql =
            "select consent_no from consent where patient = $1 and state = 2 order by consent_no";
        let rows: Vec<(String,)> = self.store.0.office.fetch_all(sql, params![number]).await?;
        rows.into_iter()
            .map(|(number,)| number.parse().map_err(|_| Error::Corrupt("consent number")))
            .collect()
    }

    fn event(&self, action: Audited, requester: &Requester, call: &Call) -> Result<Event, Error> {
        event(&self.store, action, requester, call)
    }
}

fn event(
    store: &Store,
    action: Audited,
    requester: &Requester,
    call: &Call,
) -> Result<Event, Error> {
    let parameters = store.0.audit.sealed(&call.parameters)?;
    Ok(Event::new(action)
        .by(requester)
        .in_request(call.route, call.request, parameters))
}

fn grants(reader: &FacilityId, rows: &[Facts]) -> Result<Vec<EffectiveGrant>, Error> {
    rows.iter()
        .filter(|row| row.3 != 0)
        .map(|row| {
            Ok(EffectiveGrant {
                reader: reader.clone(),
                source: FacilityId::from_number(row.3).map_err(|_| Error::Corrupt("grant"))?,
                categories: Categories(row.4),
                sensitivity_max: sensitivity(row.5),
                valid_from: Instant(row.6),
                valid_to: Instant(row.7),
                window_from: Instant(row.8),
                window_to: Instant(row.9),
            })
        })
        .collect()
}

/// A number that is not known is the least that opens, so that it opens nothing more.
pub(crate) const fn sensitivity(number: i64) -> Sensitivity {
    match number {
        2 => Sensitivity::Untold,
        1 => Sensitivity::Restricted,
        _ => Sensitivity::Normal,
    }
}

#[cfg(test)]
mod tests;
