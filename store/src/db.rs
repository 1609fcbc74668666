//! The only file that knows there are two kinds of database. One SQL text runs on both: `$n`
//! placeholders, `on conflict`, `returning`, `&`; columns are `text bigint boolean bytea`.
//!
//! A limit that is bound stands in a `cast`: SQLite plans a statement anew for each value of a bare one.
//!
//! A read is one statement, never a held transaction: a grant that another connection or process
//! removed is gone in the very next statement.

mod among;
mod checkpoint;
mod insert;
mod migrate;

use std::io::ErrorKind;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Connection, FromRow, Postgres, Sqlite, Transaction};

use crate::error::Error;
use crate::private;

use checkpoint::Checkpoints;
pub(crate) use insert::{Insert, Type};

/// Rows that SQLite's thread goes on reading while nobody has taken them: it reads a page of results
/// in one go, and is not woken for the rest of it.
const ROWS_AHEAD: usize = 256;

/// A value to bind.
#[derive(Clone)]
pub(crate) enum Value {
    /// `bigint`
    Int(i64),
    /// `text`; ASCII words of ours, never free text.
    Text(String),
    /// `bytea`
    Bytes(Vec<u8>),
    /// `bigint` null
    NoInt,
    /// `bytea` null
    NoBytes,
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::NoInt, Self::Int)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        value.map_or(Self::NoBytes, Self::Bytes)
    }
}

impl From<model::time::Instant> for Value {
    fn from(value: model::time::Instant) -> Self {
        Self::Int(value.0)
    }
}

impl From<model::id::PatientNumber> for Value {
    fn from(value: model::id::PatientNumber) -> Self {
        Self::Int(value.0)
    }
}

impl From<model::id::PersonId> for Value {
    fn from(value: model::id::PersonId) -> Self {
        Self::Int(value.0)
    }
}

impl From<&model::id::FacilityId> for Value {
    fn from(value: &model::id::FacilityId) -> Self {
        Self::Int(value.number())
    }
}

/// Values in the order of `$1`, `$2`, …
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Value::from($value)),*] };
}
pub(crate) use params;

/// A row that either kind of database can fill.
pub(crate) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// Which of the four databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Records,
    Office,
    Audit,
    Keys,
}

impl Name {
    /// Schema on PostgreSQL, attached name on SQLite.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Office => "office",
            Self::Audit => "audit",
            Self::Keys => "keys",
        }
    }
}

/// One database, of either kind.
#[derive(Clone)]
pub(crate) enum Db {
    /// One writing connection, so that writers wait in line here and not inside SQLite, a few reading
    /// ones, and one that takes in what was written.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        checkpoints: Checkpoints,
    },
    /// A pool.
    Postgres(PgPool),
}

/// A transaction of either kind; rolled back when dropped.
pub(crate) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

fn sqlite_query<'q>(
    sql: &'static str,
    params: &[Value],
) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    params
        .iter()
        .cloned()
        .fold(sqlx::query(sql), |query, value| match value {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
            Value::NoInt => query.bind(None::<i64>),
            Value::NoBytes => query.bind(None::<Vec<u8>>),
        })
}

fn postgres_query<'q>(
    sql: &'static str,
    params: &[Value],
) -> sqlx::query::Query<'q, Postgres, PgArguments> {
    params
        .iter()
        .cloned()
        .fold(sqlx::query(sql), |query, value| match value {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
            Value::NoInt => query.bind(None::<i64>),
            Value::NoBytes => query.bind(None::<Vec<u8>>),
        })
}

/// Makes sure that the file of a database is there, for its owner only; what SQLite writes beside it
/// gets the same mode.
fn create(path: &Path) -> Result<(), Error> {
    if let Some(folder) = path.parent() {
        private::folder(folder)?;
    }
    match private::file(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

/// Whether a connection may serve somebody else. When the disk fails at a commit, SQLite has rolled the
/// transaction back by itself, and sqlx believes that it goes on: whatever came next would be a savepoint
/// within it, whose release succeeds and makes nothing durable. Such a connection is closed.
async fn is_out_of_transactions(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback may still be on its way; this comes behind it.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn rows<T, R>(rows: &[R]) -> Result<Vec<T>, Error>
where
    R: sqlx::Row,
    T: for<'r> FromRow<'r, R>,
{
    rows.iter()
        .map(|row| T::from_row(row).map_err(Error::from))
        .collect()
}

impl Db {
    /// Opens a database and brings its tables up to date. `attach` is the office database that
    /// statements on records may look into; SQLite attaches it read-only, because a writable
    /// attachment would be locked by a batch and hold up a withdrawal.
    pub(crate) async fn open(name: Name, url: &str, attach: Option<&str>) -> Result<Self, Error> {
        let db = if url.starts_with("postgres") {
            Self::open_postgres(name, url).await?
        } else {
            Self::open_sqlite(name, url, attach).await?
        };
        migrate::run(&db, name).await?;
        Ok(db)
    }

    async fn open_sqlite(name: Name, url: &str, attach: Option<&str>) -> Result<Self, Error> {
        let options = SqliteConnectOptions::from_str(url)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .row_buffer_size(ROWS_AHEAD)
            .pragma("secure_delete", "on");
        create(options.get_filename())?;
        let attached = attach.map(|url| {
            let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
            format!(
                "file:{}?mode=ro",
                path.replace('%', "%25")
                    .replace('?', "%3f")
                    .replace('#', "%23")
            )
        });
        let pool = |size: u32| {
            let attached = attached.clone();
            SqlitePoolOptions::new()
                .max_connections(size)
                .after_release(|connection, _| Box::pin(is_out_of_transactions(connection)))
                .after_connect(move |connection, _| {
                    let attached = attached.clone();
                    Box::pin(async move {
                        if let Some(path) = attached {
                            sqlx::query("attach database $1 as office")
                                .bind(path)
                                .execute(connection)
                                .await?;
                        }
                        Ok(())
                    })
                })
        };
        // KiB for the writer and for each reader; a bound on the log should checkpoints fall behind.
        let (cache, cache_of_readers) = match name {
            Name::Records => ("-65536", "-8192"),
            Name::Office | Name::Audit | Name::Keys => ("-8192", "-2048"),
        };
        let writing = options
            .clone()
            .pragma("cache_size", cache)
            .pragma("wal_autocheckpoint", "16000");
        let writer = pool(1).min_connections(1).connect_with(writing).await?;
        let beside = pool(1).connect_lazy_with(options.clone());
        let checkpoints = Checkpoints::beside(beside, options.get_filename());
        let reading = options
            .read_only(true)
            .create_if_missing(false)
            .pragma("cache_size", cache_of_readers);
        let readers = pool(4).connect_lazy_with(reading);
        Ok(Self::Sqlite {
            writer,
            readers,
            checkpoints,
        })
    }

    async fn open_postgres(name: Name, url: &str) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(url)?.options([("search_path", name.as_str())]);
        let pool = PgPoolOptions::new()
            .max_connections(8)
            .connect_with(options)
            .await?;
        let sql = "select datcollate, current_setting('synchronous_commit') from pg_database \
                   where datname = current_database()";
        let (collation, commits): (String, String) = sqlx::query_as(sql).fetch_one(&pool).await?;
        if collation != "C" && collation != "POSIX" && collation != "C.UTF-8" {
            return Err(Error::Conflict(
                "the PostgreSQL database must have C collation",
            ));
        }
        // What was acknowledged would be gone after a failure of its machine.
        if commits == "off" {
            return Err(Error::Conflict(
                "the PostgreSQL database must not have synchronous_commit = off",
            ));
        }
        Ok(Self::Postgres(pool))
    }

    /// The one of two texts that this kind of database reads, where one does not serve both.
    pub(crate) const fn text(&self, sqlite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Sqlite { .. } => sqlite,
            Self::Postgres(_) => postgres,
        }
    }

    /// All rows of one reading statement.
    pub(crate) async fn fetch_all<T: Row>(
        &self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite { readers, .. } => {
                rows(&sqlite_query(sql, params).fetch_all(readers).await?)
            }
            Self::Postgres(pool) => rows(&postgres_query(sql, params).fetch_all(pool).await?),
        }
    }

    /// The first row of one reading statement, if there is one.
    pub(crate) async fn fetch_optional<T: Row>(
        &self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite { readers, .. } => {
                let row = sqlite_query(sql, params).fetch_optional(readers).await?;
                row.map(|row| T::from_row(&row).map_err(Error::from))
                    .transpose()
            }
            Self::Postgres(pool) => {
                let row = postgres_query(sql, params).fetch_optional(pool).await?;
                row.map(|row| T::from_row(&row).map_err(Error::from))
                    .transpose()
            }
        }
    }

    /// Runs one writing statement in a transaction of its own; the number of rows it touched.
    pub(crate) async fn execute(&self, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
        match self {
            Self::Sqlite { writer, .. } => Ok(sqlite_query(sql, params)
                .execute(writer)
                .await?
                .rows_affected()),
            Self::Postgres(pool) => Ok(postgres_query(sql, params)
                .execute(pool)
                .await?
                .rows_affected()),
        }
    }

    /// Whether several machines may be on it.
    pub(crate) const fn is_shared(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// A transaction that reads before it writes. On SQLite it takes the write lock at once: a
    /// deferred one would fail without waiting when somebody else wrote in between.
    pub(crate) async fn begin(&self) -> Result<Tx, Error> {
        match self {
            Self::Sqlite { writer, .. } => {
                Ok(Tx::Sqlite(writer.begin_with("begin immediate").await?))
            }
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }

    /// A transaction whose first statement is a write and which later looks into the attached
    /// office database: `begin immediate` would fix the snapshot of every attached file.
    pub(crate) async fn begin_write_first(&self) -> Result<Tx, Error> {
        match self {
            Self::Sqlite { writer, .. } => Ok(Tx::Sqlite(writer.begin().await?)),
            Self::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
        }
    }

    /// Makes deleted bytes unreachable in the database's own files: truncates SQLite's write-ahead
    /// log, vacuums a PostgreSQL table.
    pub(crate) async fn scrub(&self, vacuum: &'static str) -> Result<(), Error> {
        match self {
            Self::Sqlite {
                writer,
                checkpoints,
                ..
            } => checkpoints.truncate(writer).await?,
            Self::Postgres(pool) => {
                sqlx::query(vacuum).execute(pool).await?;
            }
        }
        Ok(())
    }

    /// Waits for running statements and closes.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite {
                writer,
                readers,
                checkpoints,
            } => {
                checkpoints.close().await;
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Runs one statement; the number of rows it touched.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<u64, Error> {
        match self {
            Self::Sqlite(tx) => Ok(sqlite_query(sql, params)
                .execute(&mut **tx)
                .await?
                .rows_affected()),
            Self::Postgres(tx) => Ok(postgres_query(sql, params)
                .execute(&mut **tx)
                .await?
                .rows_affected()),
        }
    }

    /// All rows of one statement.
    pub(crate) async fn fetch_all<T: Row>(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Vec<T>, Error> {
        match self {
            Self::Sqlite(tx) => rows(&sqlite_query(sql, params).fetch_all(&mut **tx).await?),
            Self::Postgres(tx) => rows(&postgres_query(sql, params).fetch_all(&mut **tx).await?),
        }
    }

    /// The first row of one statement, if there is one.
    pub(crate) async fn fetch_optional<T: Row>(
        &mut self,
        sql: &'static str,
        params: &[Value],
    ) -> Result<Option<T>, Error> {
        match self {
            Self::Sqlite(tx) => {
                let row = sqlite_query(sql, params).fetch_optional(&mut **tx).await?;
                row.map(|row| T::from_row(&row).map_err(Error::from))
                    .transpose()
            }
            Self::Postgres(tx) => {
                let row = postgres_query(sql, params)
                    .fetch_optional(&mut **tx)
                    .await?;
                row.map(|row| T::from_row(&row).map_err(Error::from))
                    .transpose()
            }
        }
    }

    /// Holds a lock named by a patient until the end of the transaction: shared by batches, alone by
    /// the erase pass. SQLite has one writer, so it needs none.
    pub(crate) async fn lock_patient(&mut self, patient: i64, alone: bool) -> Result<(), Error> {
        if let Self::Postgres(_) = self {
            let sql = if alone {
                "select pg_advisory_xact_lock($1)::text"
            } else {
                "select pg_advisory_xact_lock_shared($1)::text"
            };
            self.fetch_all::<(String,)>(sql, params![patient]).await?;
        }
        Ok(())
    }

    /// Holds the shared locks of many patients, as [`Tx::lock_patient`] holds one.
    pub(crate) async fn share_patients(&mut self, patients: &[i64]) -> Result<(), Error> {
        if let Self::Postgres(tx) = self {
            let sql = "select pg_advisory_xact_lock_shared(n)::text from unnest($1::bigint[]) as n";
            let locked = sqlx::query(sql).bind(patients);
            locked.fetch_all(&mut **tx).await?;
        }
        Ok(())
    }

    /// Commits.
    pub(crate) async fn commit(self) -> Result<(), Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_forgets_what_it_committed_is_refused() {
        let url = samples::postgres::database().unwrap();
        let forgetful = format!("{url}&options=-csynchronous_commit%3Doff");
        let opened = Db::open(Name::Records, &forgetful, None).await;
        assert!(matches!(opened, Err(Error::Conflict(_))));
        assert!(Db::open(Name::Records, &url, None).await.is_ok());
    }
}
