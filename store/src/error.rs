//! What can go wrong in the store, sorted by what the caller can do about it.

/// An error of the store. Its text names the operation and carries no patient data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such thing.
    #[error("not found")]
    NotFound,
    /// The thing is there already, with other content.
    #[error("conflict: {0}")]
    Conflict(&'static str),
    /// A paper came in between; ask again.
    #[error("the patient's papers changed meanwhile")]
    StaleEpoch,
    /// A database, disk or lock is not available now; retry.
    #[error("unavailable: {0}")]
    Unavailable(&'static str),
    /// What is kept does not match its own seal or form.
    #[error("corrupt: {0}")]
    Corrupt(&'static str),
    /// Anything else; a person must look.
    #[error("{0}")]
    Other(
        &'static str,
        #[source] Box<dyn std::error::Error + Send + Sync>,
    ),
}

impl Error {
    /// Whether the same call may succeed a little later.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::StaleEpoch)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
                Self::Unavailable("database")
            }
            sqlx::Error::Database(inner) => {
                // SQLite: 5 busy, 261 busy recovery, 517 busy snapshot; PostgreSQL: class 08, 40, 53, 57.
                let code = inner.code().unwrap_or_default().into_owned();
                let busy = ["5", "261", "517"].contains(&code.as_str());
                let passing = code.len() == 5
                    && ["08", "40", "53", "57"]
                        .iter()
                        .any(|class| code.starts_with(class));
                if busy || passing {
                    Self::Unavailable("database")
                } else {
                    Self::Other("database statement", error.into())
                }
            }
            _ => Self::Other("database", error.into()),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Other("file", error.into())
    }
}
