//! Rows by many keys at once: lists of placeholders on SQLite, arrays on PostgreSQL.

use model::id::FacilityId;
use sqlx::AssertSqlSafe;
use sqlx::query::Query;
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
        let list = vec!["?"; chunk.len().next_power_of_two()].join(",");
        let query = sqlx::query(AssertSqlSafe(format!("{sql} in ({list})")));
        let query = filled(chunk).fold(query, Query::bind);
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

/// A list of placeholders behind the first one: a bare `?` would be counted from the first value on.
fn behind_the_first(chunk: &[i64]) -> String {
    let numbered = (2..).take(chunk.len().next_power_of_two());
    let list: Vec<String> = numbered.map(|at| format!("?{at}")).collect();
    list.join(",")
}

/// A statement on the rows `q (a, b)`. A pair of nulls, which equals nothing, fills the list up.
async fn sqlite_pairs<T: Row>(
    connection: &mut SqliteConnection,
    sql: &'static str,
    pairs: &[(i64, i64)],
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    for chunk in pairs.chunks(SQLITE_MOST) {
        let size = chunk.len().next_power_of_two();
        let list = vec!["(?,?)"; size].join(",");
        let query = sqlx::query(AssertSqlSafe(format!(
            "with q (a, b) as (values {list}) {sql}"
        )));
        let filled = chunk
            .iter()
            .copied()
            .map(Some)
            .chain(std::iter::repeat(None));
        let query = filled.take(size).fold(query, |query, pair| {
            let (a, b) = pair.unzip();
            query.bind(a).bind(b)
        });
        found.extend(rows(&query.fetch_all(&mut *connection).await?)?);
    }
    Ok(found)
}

async fn postgres_pairs<T: Row>(
    connection: &mut PgConnection,
    sql: &'static str,
    pairs: &[(i64, i64)],
) -> Result<Vec<T>, Error> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let (a, b): (Vec<i64>, Vec<i64>) = pairs.iter().copied().unzip();
    let query = sqlx::query(AssertSqlSafe(format!(
        "with q (a, b) as (select * from unnest($1::bigint[], $2::bigint[])) {sql}"
    )));
    rows(&query.bind(a).bind(b).fetch_all(connection).await?)
}

impl Db {
    /// All rows of a reading statement on `q (a, b)`, the given pairs. `q cross join …` keeps SQLite
    /// from looking through a whole table for each pair. A statement may run once for some hundred pairs.
    pub(crate) async fn fetch_pairs<T: Row>(
        &self,
        sql: &'static str,
        pairs: &[(i64, i64)],
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite { readers, .. } => {
                sqlite_pairs(&mut *readers.acquire().await?, sql, pairs).await
            }
            Self::Postgres(pool) => postgres_pairs(&mut *pool.acquire().await?, sql, pairs).await,
        }
    }

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

    /// As [`Db::fetch_among`], of a statement whose first parameter is a facility. Pairs would do too, but
    /// PostgreSQL, which does not know how few they are, may look through a whole table for them.
    pub(crate) async fn fetch_among_of<T: Row>(
        &self,
        sql: &'static str,
        facility: &FacilityId,
        keys: &[i64],
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        match self {
            Self::Sqlite { readers, .. } => {
                let mut connection = readers.acquire().await?;
                for chunk in keys.chunks(SQLITE_MOST) {
                    let list = behind_the_first(chunk);
                    let query = sqlx::query(AssertSqlSafe(format!("{sql} in ({list})")));
                    let query = filled(chunk).fold(query.bind(facility.number()), Query::bind);
                    found.extend(rows(&query.fetch_all(&mut *connection).await?)?);
                }
            }
            Self::Postgres(_) if keys.is_empty() => {}
            Self::Postgres(pool) => {
                let query = sqlx::query(AssertSqlSafe(format!("{sql} = any($2)")));
                let query = query.bind(facility.number()).bind(keys);
                found = rows(&query.fetch_all(pool).await?)?;
            }
        }
        Ok(found)
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

    /// As [`Db::fetch_pairs`], inside the transaction.
    pub(crate) async fn fetch_pairs<T: Row>(
        &mut self,
        sql: &'static str,
        pairs: &[(i64, i64)],
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(tx) => sqlite_pairs(tx, sql, pairs).await,
            Self::Postgres(tx) => postgres_pairs(tx, sql, pairs).await,
        }
    }

    /// Runs a writing statement that ends with a column: it touches the rows whose column is one of the
    /// keys.
    pub(crate) async fn execute_among(
        &mut self,
        sql: &'static str,
        keys: &[i64],
    ) -> Result<(), Error> {
        self.fetch_among::<(i64,)>(sql, keys).await.map(|_| ())
    }

    /// As [`Tx::execute_among`], of a statement whose first parameter is a name.
    pub(crate) async fn execute_among_of(
        &mut self,
        sql: &'static str,
        name: &str,
        keys: &[i64],
    ) -> Result<(), Error> {
        match self {
            Self::Sqlite(tx) => {
                for chunk in keys.chunks(SQLITE_MOST) {
                    let list = behind_the_first(chunk);
                    let query = sqlx::query(AssertSqlSafe(format!("{sql} in ({list})")));
                    let query = filled(chunk).fold(query.bind(name), Query::bind);
                    query.execute(&mut **tx).await?;
                }
            }
            Self::Postgres(tx) => {
                let query = sqlx::query(AssertSqlSafe(format!("{sql} = any($2)")));
                query.bind(name).bind(keys).execute(&mut **tx).await?;
            }
        }
        Ok(())
    }
}

/// Keys up to the next power of two. The last one fills them up: a key that stands there twice finds
/// its rows once.
fn filled(keys: &[i64]) -> impl Iterator<Item = i64> {
    let last = keys.last().into_iter().cycle();
    let size = keys.len().next_power_of_two();
    keys.iter().chain(last).take(size).copied()
}
