//! Many rows at once: multi-row `values` on SQLite, `unnest` of arrays on PostgreSQL.

use sqlx::AssertSqlSafe;
use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Postgres, Sqlite};

use super::{Tx, Value};
use crate::error::Error;

/// Type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Int,
    Text,
    Bytes,
}

impl Type {
    const fn sql(self) -> &'static str {
        match self {
            Self::Int => "bigint",
            Self::Text => "text",
            Self::Bytes => "bytea",
        }
    }
}

/// A statement that inserts rows, with what happens when one is there already.
pub(crate) struct Insert {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static [(&'static str, Type)],
    /// `on conflict …`, or empty.
    pub(crate) conflict: &'static str,
}

/// SQLite's statements come in powers of two, so that its statement cache holds them all.
const SQLITE_ROWS: [usize; 10] = [512, 256, 128, 64, 32, 16, 8, 4, 2, 1];
/// SQLite takes at most 32,766 parameters.
const SQLITE_PARAMETERS: usize = 32_766;
const POSTGRES_ROWS: usize = 4_096;

impl Insert {
    fn names(&self) -> String {
        self.columns
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// `?` instead of `$n`: SQLite looks named parameters up by name, and the cost of that grows
    /// with their number.
    fn sqlite(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns.len()].join(","));
        let values = vec![row.as_str(); rows].join(",");
        format!(
            "insert into {} ({}) values {values} {}",
            self.table,
            self.names(),
            self.conflict
        )
    }

    fn postgres(&self) -> String {
        let arrays: Vec<String> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, (_, kind))| format!("${}::{}[]", at + 1, kind.sql()))
            .collect();
        // `where true` keeps the parser from reading `on conflict` as part of a join.
        format!(
            "insert into {} ({}) select * from unnest({}) as given where true {}",
            self.table,
            self.names(),
            arrays.join(", "),
            self.conflict
        )
    }

    fn postgres_arguments(&self, rows: &[Vec<Value>]) -> Result<PgArguments, Error> {
        let mut arguments = PgArguments::default();
        for (at, (_, kind)) in self.columns.iter().enumerate() {
            let column = rows.iter().map(|row| row.get(at));
            let added = match kind {
                Type::Int => arguments.add(
                    column
                        .map(|value| {
                            if let Some(Value::Int(value)) = value {
                                Some(*value)
                            } else {
                                None
                            }
                        })
                        .collect::<Vec<_>>(),
                ),
                Type::Text => arguments.add(
                    column
                        .map(|value| {
                            if let Some(Value::Text(value)) = value {
                                Some(value.clone())
                            } else {
                                None
                            }
                        })
                        .collect::<Vec<_>>(),
                ),
                Type::Bytes => arguments.add(
                    column
                        .map(|value| {
                            if let Some(Value::Bytes(value)) = value {
                                Some(value.clone())
                            } else {
                                None
                            }
                        })
                        .collect::<Vec<_>>(),
                ),
            };
            added.map_err(|error| Error::Other("bind", error))?;
        }
        Ok(arguments)
    }
}

impl Tx {
    /// Inserts rows whose values stand in the order of the statement's columns; the number of rows that
    /// were inserted or updated. No key may occur twice: PostgreSQL refuses to touch a row a second time
    /// in one statement.
    pub(crate) async fn insert_many(
        &mut self,
        insert: &Insert,
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, Error> {
        let mut touched = 0;
        match self {
            Self::Sqlite(tx) => {
                let most = SQLITE_PARAMETERS / insert.columns.len().max(1);
                let mut rest = rows.into_iter();
                while rest.len() > 0 {
                    let fits = |size: &&usize| **size <= rest.len() && **size <= most;
                    let size = SQLITE_ROWS.iter().find(fits).copied().unwrap_or(1);
                    let query = sqlx::query::<Sqlite>(AssertSqlSafe(insert.sqlite(size)));
                    let values = rest.by_ref().take(size).flatten();
                    let bound = values.fold(query, |query, value| match value {
                        Value::Int(value) => query.bind(value),
                        Value::Text(value) => query.bind(value),
                        Value::Bytes(value) => query.bind(value),
                        Value::NoInt => query.bind(None::<i64>),
                        Value::NoBytes => query.bind(None::<Vec<u8>>),
                    });
                    touched += bound.execute(&mut **tx).await?.rows_affected();
                }
            }
            Self::Postgres(tx) => {
                let sql = insert.postgres();
                for chunk in rows.chunks(POSTGRES_ROWS) {
                    let arguments = insert.postgres_arguments(chunk)?;
                    let query =
                        sqlx::query_with::<Postgres, _>(AssertSqlSafe(sql.clone()), arguments);
                    touched += query.execute(&mut **tx).await?.rows_affected();
                }
            }
        }
        Ok(touched)
    }
}
