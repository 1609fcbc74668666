//! Brings a database's tables up to date. One text for both kinds; the few lines that must differ
//! begin with `--sqlite` or `--postgres`. Migrations only add.

use sqlx::AssertSqlSafe;

use super::{Db, Name};
use crate::error::Error;

/// Name and text of each migration, in order.
type Migrations = &'static [(&'static str, &'static str)];

const RECORDS: Migrations = &[
    (
        "0001_first",
        include_str!("../../migrations/records/0001_first.sql"),
    ),
    (
        "0002_notice",
        include_str!("../../migrations/records/0002_notice.sql"),
    ),
    (
        "0003_erasing",
        include_str!("../../migrations/records/0003_erasing.sql"),
    ),
    (
        "0004_failing",
        include_str!("../../migrations/records/0004_failing.sql"),
    ),
    (
        "0005_segments",
        include_str!("../../migrations/records/0005_segments.sql"),
    ),
    (
        "0006_inbox",
        include_str!("../../migrations/records/0006_inbox.sql"),
    ),
    (
        "0007_reception",
        include_str!("../../migrations/records/0007_reception.sql"),
    ),
    (
        "0008_lease",
        include_str!("../../migrations/records/0008_lease.sql"),
    ),
];
const OFFICE: Migrations = &[(
    "0001_first",
    include_str!("../../migrations/office/0001_first.sql"),
)];
const AUDIT: Migrations = &[(
    "0001_first",
    include_str!("../../migrations/audit/0001_first.sql"),
)];
const KEYS: Migrations = &[
    (
        "0001_first",
        include_str!("../../migrations/keys/0001_first.sql"),
    ),
    (
        "0002_quarantine",
        include_str!("../../migrations/keys/0002_quarantine.sql"),
    ),
];

const LEDGER: &str = "create table if not exists migration (name text not null primary key)";

/// The text as one kind of database is to read it.
fn text_for(sql: &str, marker: &str) -> String {
    let line = |line: &'_ str| line.strip_prefix(marker).unwrap_or(line).to_owned();
    sql.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Runs what has not run yet, each migration in a transaction that other starting processes wait for.
pub(crate) async fn run(db: &Db, name: Name) -> Result<(), Error> {
    let migrations = match name {
        Name::Records => RECORDS,
        Name::Office => OFFICE,
        Name::Audit => AUDIT,
        Name::Keys => KEYS,
    };
    match db {
        Db::Sqlite { writer, .. } => {
            let mut tx = writer.begin_with("begin exclusive").await?;
            sqlx::raw_sql(LEDGER).execute(&mut *tx).await?;
            for (migration, sql) in migrations {
                let fresh = sqlx::query("insert into migration values ($1) on conflict do nothing")
                    .bind(*migration);
                if fresh.execute(&mut *tx).await?.rows_affected() == 1 {
                    sqlx::raw_sql(AssertSqlSafe(text_for(sql, "--sqlite ")))
                        .execute(&mut *tx)
                        .await?;
                }
            }
            tx.commit().await?;
        }
        Db::Postgres(pool) => {
            let mut tx = pool.begin().await?;
            sqlx::raw_sql("select pg_advisory_xact_lock(7305805)")
                .execute(&mut *tx)
                .await?;
            // Even `if not exists` wants the right to create schemas, which a narrow role lacks.
            let made = sqlx::query("select 1 from pg_namespace where nspname = $1")
                .bind(name.as_str())
                .fetch_optional(&mut *tx)
                .await?;
            if made.is_none() {
                let schema = format!("create schema {}", name.as_str());
                sqlx::raw_sql(AssertSqlSafe(schema))
                    .execute(&mut *tx)
                    .await?;
            }
            sqlx::raw_sql(LEDGER).execute(&mut *tx).await?;
            for (migration, sql) in migrations {
                let fresh = sqlx::query("insert into migration values ($1) on conflict do nothing")
                    .bind(*migration);
                if fresh.execute(&mut *tx).await?.rows_affected() == 1 {
                    sqlx::raw_sql(AssertSqlSafe(text_for(sql, "--postgres ")))
                        .execute(&mut *tx)
                        .await?;
                }
            }
            tx.commit().await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_lines_count_for_one_kind_only() {
        let sql = "create table t (a bigint)\n--sqlite  without rowid\n--postgres  with (fillfactor = 90)\n;";
        assert_eq!(
            text_for(sql, "--sqlite "),
            "create table t (a bigint)\n without rowid\n--postgres  with (fillfactor = 90)\n;"
        );
    }
}
