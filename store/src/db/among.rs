//! Rows by many keys at once: a list of placeholders on SQLite, one array on PostgreSQL.

use sqlx::AssertSqlSafe;
use sqlx::{PgConnection, SqliteConnection};

use super::{Db, Row, Tx, rows};
use crate::error::Error;

/// SQLite's lists come in powers of two up to this, so that its statement cache holds them all.
const SQLITE_MOST: usize = 512;

async fn sqlite<T: Row>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    keys: &[i64],
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    for chunk in keys.chunks(SQLITE_MOST) {
        let size = chunk.len().next_power_of_two();
        let list = vec!["?"; size].join(",");
        let query = sqlx::query(AssertSqlSafe(format!("{sql} in ({list})")));
        // The last key fills the list up: a key that stands there twice finds its rows once.
        let filled = chunk.iter().chain(chunk.last().into_iter().cycle());
        let query = filled.take(size).fold(query, |query, key| query.bind(*key));
        found.extend(rows(&query.fetch_all(&mut *connection).await?)?);
    }
    Ok(found)
}

async fn postgres<T: Row>(
    connection: &mut PgConnection,
    sql: &'static str,
    keys: &[i64],
) -> Result<Vec<T>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let query = sqlx::query(AssertSqlSafe(format!("{sql} = any($1)"))).bind(keys);
    rows(&query.fetch_all(connection).await?)
}

impl Db {
    /// All rows of a reading statement that ends with a column: the rows whose column is one of the
    /// keys, in any order.
    pub(crate) async fn fetch_among<T: Row>(
        &self,
        sql: &'static str,
        keys: &[i64],
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite { readers, .. } => sqlite(&mut *readers.acquire().await?, sql, keys).await,
            Self::Postgres(pool) => postgres(&mut *pool.acquire().await?, sql, keys).await,
        }
    }
}

impl Tx {
    /// As [`Db::fetch_among`], inside the transaction.
    pub(crate) async fn fetch_among<T: Row>(
        &mut self,
        sql: &'static str,
        keys: &[i64],
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(tx) => sqlite(tx, sql, keys).await,
            Self::Postgres(tx) => postgres(tx, sql, keys).await,
        }
    }
}
