//! Read tokens, found by their digest.

use super::person::{hold, person};
use super::{Accounts, BTreeSet, Digest, Error, Factor, Instant, Person, PersonId, mask, unmask};
use crate::db::params;

/// A read token that a person made for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadToken {
    /// Whose.
    pub person: PersonId,
    /// The factors that were verified when it was made.
    pub factors: BTreeSet<Factor>,
    /// When it was made.
    pub created_at: Instant,
    /// When it ends (exclusive).
    pub expires_at: Instant,
}

impl Accounts {
    /// Keeps a new token.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the account was shut meanwhile.
    pub async fn add_token(&self, digest: &Digest, token: &ReadToken) -> Result<(), Error> {
        let sql = "insert into token (digest, person, factors, created_at, expires_at) \
                   values ($1, $2, $3, $4, $5)";
        let params = params![
            digest.as_slice(),
            token.person,
            mask(&token.factors),
            token.created_at,
            token.expires_at
        ];
        let mut tx = self.0.office.begin().await?;
        hold(&mut tx, token.person).await?;
        tx.execute(sql, params).await?;
        tx.commit().await
    }

    /// The token and whose it is, while the account is open. It may have expired.
    pub async fn token(&self, digest: &Digest) -> Result<Option<(ReadToken, Person)>, Error> {
        let sql = "select t.factors, t.created_at, t.expires_at, \
                          p.id, p.login, p.sealed, p.profession, p.facility, p.state \
                   from token t join person p on p.id = t.person \
                   where t.digest = $1 and p.state = 1";
        type Row = (i64, i64, i64, i64, String, Vec<u8>, String, i64, i64);
        let row: Option<Row> = self
            .0
            .office
            .fetch_optional(sql, params![digest.as_slice()])
            .await?;
        let Some((factors, created, expires, id, login, sealed, profession, facility, state)) = row
        else {
            return Ok(None);
        };
        let columns = (id, login, sealed, profession, facility, state);
        let token = ReadToken {
            person: PersonId(id),
            factors: unmask(factors),
            created_at: Instant(created),
            expires_at: Instant(expires),
        };
        Ok(Some((token, person(&self.0.keys, columns)?)))
    }

    /// Ends all tokens of a person; how many there were.
    pub async fn end_tokens(&self, person: PersonId) -> Result<u64, Error> {
        let sql = "delete from token where person = $1";
        self.0.office.execute(sql, params![person]).await
    }

    /// Forgets tokens that expired.
    pub async fn forget_expired_tokens(&self) -> Result<(), Error> {
        let sql = "delete from token where expires_at <= $1";
        self.0
            .office
            .execute(sql, params![self.0.clock.now()])
            .await?;
        Ok(())
    }
}
