//! Browser sessions, found by the digest of their cookie.

use super::person::{PersonRow, hold, person};
use super::{Accounts, BTreeSet, Digest, Error, Factor, Instant, Person, PersonId, mask, unmask};
use crate::db::{Tx, params};

/// A session: a sign-in that began, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose.
    pub person: PersonId,
    /// Every factor that was verified so far.
    pub factors: BTreeSet<Factor>,
    /// When it began.
    pub created_at: Instant,
    /// When it was last used.
    pub seen_at: Instant,
}

type SessionRow = (i64, i64, i64, i64);

fn session((person, factors, created_at, seen_at): SessionRow) -> Session {
    Session {
        person: PersonId(person),
        factors: unmask(factors),
        created_at: Instant(created_at),
        seen_at: Instant(seen_at),
    }
}

/// Ends everything that a person opened: sessions, which are returned, and read tokens.
pub(super) async fn end_all(tx: &mut Tx, person: PersonId) -> Result<Vec<Session>, Error> {
    tx.execute("delete from token where person = $1", params![person])
        .await?;
    let sql =
        "delete from session where person = $1 returning person, factors, created_at, seen_at";
    let rows = tx.fetch_all(sql, params![person]).await?;
    Ok(rows.into_iter().map(session).collect())
}

impl Accounts {
    /// Begins a session. It ends the person's other sessions that verified no more than this one,
    /// and returns them: one session a person, and whoever knows only the password ends nobody's.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the account was shut meanwhile.
    pub async fn begin_session(
        &self,
        digest: &Digest,
        person: PersonId,
        factors: &BTreeSet<Factor>,
    ) -> Result<Vec<Session>, Error> {
        let ending = "delete from session where person = $1 and (factors & $2) = factors \
                      returning person, factors, created_at, seen_at";
        let begin = "insert into session (digest, person, factors, created_at, seen_at) \
                     values ($1, $2, $3, $4, $4)";
        let factors = mask(factors);
        let mut tx = self.0.office.begin().await?;
        hold(&mut tx, person).await?;
        let ended = tx.fetch_all(ending, params![person, factors]).await?;
        let now = self.0.clock.now();
        tx.execute(begin, params![digest.as_slice(), person, factors, now])
            .await?;
        tx.commit().await?;
        Ok(ended.into_iter().map(session).collect())
    }

    /// The session of a cookie and whose it is, while the account is open.
    pub async fn session(&self, digest: &Digest) -> Result<Option<(Session, Person)>, Error> {
        let sql = "select s.person, s.factors, s.created_at, s.seen_at, \
                          p.login, p.sealed, p.profession, p.facility, p.state \
                   from session s join person p on p.id = s.person \
                   where s.digest = $1 and p.state = 1";
        type Row = (i64, i64, i64, i64, String, Vec<u8>, String, i64, i64);
        let row: Option<Row> = self
            .0
            .office
            .fetch_optional(sql, params![digest.as_slice()])
            .await?;
        let Some((id, factors, created, seen, login, sealed, profession, facility, state)) = row
        else {
            return Ok(None);
        };
        let columns: PersonRow = (id, login, sealed, profession, facility, state);
        let person = person(&self.0.keys, columns)?;
        Ok(Some((session((id, factors, created, seen)), person)))
    }

    /// Notes that a session is being used.
    pub async fn touch_session(&self, digest: &Digest, now: Instant) -> Result<(), Error> {
        let sql = "update session set seen_at = $2 where digest = $1 and seen_at < $2";
        self.0
            .office
            .execute(sql, params![digest.as_slice(), now])
            .await?;
        Ok(())
    }

    /// Ends a session; the session, when this call was the one that ended it.
    pub async fn end_session(&self, digest: &Digest) -> Result<Option<Session>, Error> {
        let sql =
            "delete from session where digest = $1 returning person, factors, created_at, seen_at";
        let mut tx = self.0.office.begin().await?;
        let row = tx.fetch_optional(sql, params![digest.as_slice()]).await?;
        tx.commit().await?;
        Ok(row.map(session))
    }

    /// All sessions with the professions of their people, to find those that ran out.
    pub async fn sessions(&self) -> Result<Vec<(Digest, Session, super::Profession)>, Error> {
        let sql = "select s.digest, s.person, s.factors, s.created_at, s.seen_at, p.profession \
                   from session s join person p on p.id = s.person";
        let rows: Vec<(Vec<u8>, i64, i64, i64, i64, String)> =
            self.0.office.fetch_all(sql, params![]).await?;
        let read = |(digest, person, factors, created, seen, profession): (
            Vec<u8>,
            _,
            _,
            _,
            _,
            String,
        )| {
            let digest = Digest::try_from(digest).map_err(|_| Error::Corrupt("session"))?;
            let profession =
                super::Profession::named(&profession).ok_or(Error::Corrupt("profession"))?;
            Ok((
                digest,
                session((person, factors, created, seen)),
                profession,
            ))
        };
        rows.into_iter().map(read).collect()
    }
}
