//! What a person must look at. A task names patient and facility, or an account, nothing else.

use model::id::{FacilityId, PatientId, PatientNumber, PersonId};
use model::time::Instant;

use super::{Conflict, Disagreement, PAPERS_LOCK, PaperError, Papers, facility_id, public_id};
use crate::accounts::{Accounts, Login};
use crate::db::{Tx, params};
use crate::error::Error;

/// Why somebody must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// A paper names local ids of two patients.
    TwoPatients,
    /// A paper has another birth date or name than earlier papers of the same patient.
    OtherPerson,
    /// A facility's own demographics disagree with the papers.
    LinkDisagrees,
    /// An account is shut after failed sign-ins, until somebody who knows the person unlocks it.
    AccountLocked,
}

impl TaskKind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::TwoPatients, "two-patients"),
        (Self::OtherPerson, "other-person"),
        (Self::LinkDisagrees, "link-disagrees"),
        (Self::AccountLocked, "account-locked"),
    ];

    /// The word of the kind.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("", |(_, name)| name)
    }

    fn named(word: &str) -> Result<Self, Error> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == word)
            .map(|(kind, _)| *kind)
            .ok_or(Error::Corrupt("task"))
    }
}

/// Something open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub id: i64,
    /// Since when.
    pub at: Instant,
    /// Why.
    pub kind: TaskKind,
    /// Whose papers, when it is about papers: the public id.
    pub patient: Option<PatientId>,
    /// At which facility, when it is about one.
    pub facility: Option<FacilityId>,
    /// Whose account, when it is about one.
    pub account: Option<Login>,
}

/// What a task is about, in numbers; 0 for what it is not about.
#[derive(Default)]
struct About {
    patient: i64,
    facility: i64,
    person: i64,
}

/// Opens a task, unless the same one is open.
pub(super) async fn open(
    tx: &mut Tx,
    kind: TaskKind,
    patient: PatientNumber,
    facility: Option<&FacilityId>,
    now: Instant,
) -> Result<(), Error> {
    let about = About {
        patient: patient.0,
        facility: facility.map_or(0, FacilityId::number),
        ..About::default()
    };
    insert(tx, kind, &about, now).await
}

async fn insert(tx: &mut Tx, kind: TaskKind, about: &About, now: Instant) -> Result<(), Error> {
    let About {
        patient,
        facility,
        person,
    } = *about;
    let sql = "insert into task (id, at, kind, patient, facility, person, state) \
               select coalesce((select max(id) from task), 0) + 1, $1, $2, $3, $4, $5, 0 where not exists \
               (select 1 from task where kind = $2 and patient = $3 and facility = $4 and person = $5 \
               and state = 0)";
    tx.execute(sql, params![now, kind.name(), patient, facility, person])
        .await?;
    Ok(())
}

impl Accounts {
    /// Asks for somebody to look at an account that is shut after failed sign-ins.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn report_lock(&self, person: PersonId) -> Result<(), Error> {
        let about = About {
            person: person.0,
            ..About::default()
        };
        let mut tx = self.shared().office.begin().await?;
        tx.lock_patient(PAPERS_LOCK, true).await?;
        insert(
            &mut tx,
            TaskKind::AccountLocked,
            &about,
            self.shared().clock.now(),
        )
        .await?;
        tx.commit().await
    }

    /// Somebody looked at the account.
    pub(crate) async fn close_lock(&self, login: &Login) -> Result<(), Error> {
        let sql = "update task set state = 1 where kind = $1 and state = 0 \
                   and person = (select id from person where login = $2)";
        let kind = TaskKind::AccountLocked.name();
        let office = &self.shared().office;
        office.execute(sql, params![kind, login.as_str()]).await?;
        Ok(())
    }
}

type Row = (i64, i64, String, Option<Vec<u8>>, i64, Option<String>);

fn task(row: Row) -> Result<Task, Error> {
    let (id, at, kind, public, facility, login) = row;
    let login = login.map(|login| login.parse().map_err(|_| Error::Corrupt("account name")));
    let facility = (facility != 0).then(|| facility_id(facility));
    Ok(Task {
        id,
        at: Instant(at),
        kind: TaskKind::named(&kind)?,
        patient: public.map(public_id).transpose()?,
        facility: facility.transpose()?,
        account: login.transpose()?,
    })
}

impl Papers {
    /// What people must look at, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tasks(&self) -> Result<Vec<Task>, Error> {
        let sql = "select t.id, t.at, t.kind, p.public_id, t.facility, a.login from task t \
                   left join patient p on p.number = t.patient left join person a on a.id = t.person \
                   where t.state = 0 order by t.id";
        let rows: Vec<Row> = self.shared().office.fetch_all(sql, params![]).await?;
        rows.into_iter().map(task).collect()
    }

    /// Closes a task that somebody has looked at.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no such task is open.
    pub async fn close_task(&self, id: i64) -> Result<(), Error> {
        let sql = "update task set state = 1 where id = $1 and state = 0";
        let closed = self.shared().office.execute(sql, params![id]).await?;
        if closed == 1 {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }

    /// Opens tasks for a paper that was refused; its own transaction is gone.
    pub(super) async fn raise<'a>(
        &self,
        errors: impl IntoIterator<Item = &'a PaperError>,
    ) -> Result<(), Error> {
        let conflicts = errors.into_iter().filter_map(|error| match error {
            PaperError::Conflict(conflict) => Some(conflict),
            PaperError::Wrong(_) | PaperError::NotFound | PaperError::Store(_) => None,
        });
        let tasks = conflicts.flat_map(Conflict::tasks).collect::<Vec<_>>();
        if tasks.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for (kind, patient) in tasks {
            open(&mut tx, kind, patient, None, self.shared().clock.now()).await?;
        }
        tx.commit().await
    }
}

impl Conflict {
    fn tasks(&self) -> Vec<(TaskKind, PatientNumber)> {
        let kind = match self.why {
            Disagreement::TwoPatients => TaskKind::TwoPatients,
            Disagreement::OtherPerson => TaskKind::OtherPerson,
            Disagreement::OtherContent | Disagreement::State => return Vec::new(),
        };
        self.patients
            .iter()
            .map(|patient| (kind, *patient))
            .collect()
    }
}
