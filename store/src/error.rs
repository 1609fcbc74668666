//! What can go wrong in the store, sorted by what the caller can do about it.

use std::io::ErrorKind;

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
            sqlx::Error::Database(inner) => match passing(&inner.code().unwrap_or_default()) {
                Some(reason) => Self::Unavailable(reason),
                None => Self::Other("database statement", error.into()),
            },
            _ => Self::Other("database", error.into()),
        }
    }
}

/// Why a database does not do its work now, when its code says that it may do it later.
fn passing(code: &str) -> Option<&'static str> {
    // PostgreSQL's have five characters: a class and what it is. 25006 is a read-only transaction.
    if code.len() == 5 {
        let classes = ["08", "40", "53", "57", "58"];
        return match code {
            "53100" => Some("database: the disk is full"),
            "25006" => Some("database: it is read-only"),
            _ if classes.iter().any(|class| code.starts_with(class)) => Some("database"),
            _ => None,
        };
    }
    // SQLite's are numbers, whose low byte is the kind of trouble.
    match code.parse::<u32>().ok()? & 0xff {
        5 => Some("database"),
        8 => Some("database: it is read-only"),
        10 => Some("database: the disk fails"),
        13 => Some("database: the disk is full"),
        14 => Some("database: its file cannot be opened"),
        _ => None,
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::Unavailable("file: the disk is full")
            }
            ErrorKind::ReadOnlyFilesystem => Self::Unavailable("file: the disk is read-only"),
            _ => Self::Other("file", error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: Option<&str>) {
        assert_eq!(passing(code), expected, "{code}");
    }

    #[test]
    fn what_passes_is_tried_again() {
        check("5", Some("database"));
        check("517", Some("database")); // SQLITE_BUSY_SNAPSHOT
        check("57P01", Some("database")); // admin_shutdown
        check("58030", Some("database")); // io_error
    }

    #[test]
    fn what_is_wrong_with_the_disk_is_named() {
        check("13", Some("database: the disk is full"));
        check("778", Some("database: the disk fails")); // SQLITE_IOERR_WRITE
        check("1032", Some("database: it is read-only")); // SQLITE_READONLY_DBMOVED
        check("14", Some("database: its file cannot be opened"));
        check("53100", Some("database: the disk is full"));
        check("25006", Some("database: it is read-only"));
    }

    #[test]
    fn what_a_person_must_look_at_is_not_tried_again() {
        check("11", None); // SQLITE_CORRUPT
        check("2067", None); // SQLITE_CONSTRAINT_UNIQUE
        check("23505", None); // unique_violation
        check("", None);
    }

    #[test]
    fn a_full_disk_passes() {
        let full = std::io::Error::from(ErrorKind::StorageFull);
        assert!(Error::from(full).is_retryable());
        let absent = std::io::Error::from(ErrorKind::NotFound);
        assert!(!Error::from(absent).is_retryable());
    }
}
