//! What four database URLs must have in common: all SQLite with a file each, or all PostgreSQL with
//! one database, in which the schemas are always `records`, `office`, `audit` and `keys`.

use std::path::PathBuf;

use model::mistake::rule;
use model::written::Entry;

use crate::config::keys::Draft;

/// Where rows are kept: four URLs of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Databases {
    /// Clinical records.
    pub(crate) records: String,
    /// Papers and people.
    pub(crate) office: String,
    /// Who looked at what.
    pub(crate) audit: String,
    /// The wrapped keys.
    pub(crate) keys: String,
}

/// One of the URLs, checked.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum DatabaseUrl {
    /// A file of its own.
    Sqlite(PathBuf),
    /// A PostgreSQL URL; roles may differ, the place may not.
    Postgres { url: String, place: Vec<String> },
}

impl DatabaseUrl {
    /// The URL, with a path that no longer depends on where the file stood.
    pub(super) fn url(self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite://{}", path.display()),
            Self::Postgres { url, .. } => url,
        }
    }
}

impl Draft {
    /// Reads the URL of one of the four, and compares it with those before it.
    pub(super) fn database(&mut self, index: usize, entry: &Entry<'_>) -> Option<()> {
        let text = entry.text()?;
        let url = if let Some(path) = text.strip_prefix("sqlite://") {
            sqlite(self, entry, path)?
        } else if let Some(rest) = text
            .strip_prefix("postgres://")
            .or_else(|| text.strip_prefix("postgresql://"))
        {
            postgres(entry, text, rest)?
        } else {
            entry.wrong_type("a URL that begins with sqlite:// or postgres://");
            return None;
        };
        for other in self.databases.iter().flatten() {
            if let Err(what) = fits(&url, other) {
                entry.refuse(rule::REFUSED, what, None);
                return None;
            }
        }
        *self.databases.get_mut(index)? = Some(url);
        Some(())
    }
}

fn sqlite(draft: &Draft, entry: &Entry<'_>, path: &str) -> Option<DatabaseUrl> {
    if path.is_empty() || path.contains(['?', '#', '%', ':']) {
        entry.wrong_type("a plain path behind sqlite://, without parameters");
        return None;
    }
    Some(DatabaseUrl::Sqlite(draft.base().join(path)))
}

fn postgres(entry: &Entry<'_>, url: &str, rest: &str) -> Option<DatabaseUrl> {
    let (address, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = address.split_once('/').unwrap_or((address, ""));
    let server = authority
        .rsplit_once('@')
        .map_or(authority, |(_, server)| server);
    let mut place = vec![server.to_owned(), database.to_owned()];
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split(['=', '[']).next().unwrap_or_default() {
            "password" => {
                let help = Some(
                    "give the password by the environment or by the database's password file"
                        .to_owned(),
                );
                entry.refuse(rule::LITERAL_SECRET, "holds a password", help);
                return None;
            }
            "schema" | "search_path" | "options" => {
                entry.refuse(
                    rule::REFUSED,
                    "names a schema; the schemas are always records, office, audit and keys",
                    None,
                );
                return None;
            }
            "host" | "hostaddr" | "port" | "dbname" => place.push(parameter.to_owned()),
            _ => {}
        }
    }
    if database.is_empty() && !query.contains("dbname=") {
        entry.wrong_type(
            "a URL with a database, such as \"postgres://musubi_records@localhost/musubi\"",
        );
        return None;
    }
    Some(DatabaseUrl::Postgres {
        url: url.to_owned(),
        place,
    })
}

fn fits(one: &DatabaseUrl, other: &DatabaseUrl) -> Result<(), &'static str> {
    match (one, other) {
        (DatabaseUrl::Sqlite(one), DatabaseUrl::Sqlite(other)) if one == other => {
            Err("is the file of another database; each has its own")
        }
        (DatabaseUrl::Postgres { place: one, .. }, DatabaseUrl::Postgres { place: other, .. })
            if one != other =>
        {
            Err(
                "is at another place than `database.records`; all four are schemas of one PostgreSQL database",
            )
        }
        (DatabaseUrl::Sqlite(_), DatabaseUrl::Sqlite(_))
        | (DatabaseUrl::Postgres { .. }, DatabaseUrl::Postgres { .. }) => Ok(()),
        _ => Err(
            "is of another kind than `database.records`; all four are SQLite, or all are PostgreSQL",
        ),
    }
}
