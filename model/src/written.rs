//! The written form of configuration files: TOML with places, read through a table of keys.
//!
//! A file is described by one slice of [`Key`]s. What may be written, the defaults that were taken,
//! what is known but not built yet, and the suggestion for a misspelt key all follow from it.
//!
//! | file | holds |
//! | --- | --- |
//! | `written/key.rs` | one line of such a table |
//! | `written/entry.rs` | a value with its place, and the forms it can be read in |
//! | `written/units.rs` | durations and sizes |
//! | `written/suggest.rs` | the word that was probably meant |

mod entry;
mod key;
mod place;
mod suggest;
mod units;

use std::cell::RefCell;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::mistake::{Mistake, rule};

pub use entry::{Entry, Word, put};
pub use key::{DefaultTaken, Key};
pub use place::{Document, position};
pub use suggest::closest;

/// What was read from a file.
#[derive(Debug)]
pub struct Parsed<T> {
    /// The checked form; absent when there is any mistake.
    pub value: Option<T>,
    /// Keys that were absent, in the order of the table.
    pub defaults: Vec<DefaultTaken>,
    /// Everything that is wrong, in the order of the file; absences last.
    pub mistakes: Vec<Mistake>,
}

/// A value that comes from elsewhere than the file and goes before it, such as the environment.
#[derive(Debug, Clone, Copy)]
pub struct Override<'a> {
    /// The key, dots for tables.
    pub key: &'a str,
    /// Where the value comes from, for the places of mistakes.
    pub source: &'a str,
    /// The value; a number, `true` and `false` or a list as in TOML, everything else a text without
    /// quotes.
    pub text: &'a str,
}

impl<'a> Override<'a> {
    fn value(&self) -> Spanned<DeValue<'a>> {
        match DeValue::parse(self.text) {
            Ok(value)
                if matches!(
                    value.get_ref(),
                    DeValue::Integer(_) | DeValue::Boolean(_) | DeValue::Array(_)
                ) =>
            {
                value
            }
            _ => Spanned::new(0..self.text.len(), DeValue::String(self.text.into())),
        }
    }
}

/// What reading a file said besides its value.
#[derive(Debug)]
pub struct Notes {
    /// Keys that were absent, in the order of the table.
    pub defaults: Vec<DefaultTaken>,
    /// Everything that is wrong, in the order of the file; absences last.
    pub mistakes: Vec<Mistake>,
}

/// Reads a TOML file through its table of keys into `start`, whose own values do not show: a key
/// sets them, or is required, or is optional.
pub fn read<T>(file: &str, text: &str, keys: &[Key<T>], start: T) -> Parsed<T> {
    let mut value = start;
    let Notes { defaults, mistakes } = fill(file, text, &[], keys, &mut value);
    Parsed {
        value: mistakes.is_empty().then_some(value),
        defaults,
        mistakes,
    }
}

/// Reads a TOML file, and values that go before those of the file, through its table of keys into
/// `value`. Where there is a mistake, the value stays as it was.
pub fn fill<T>(
    file: &str,
    text: &str,
    overrides: &[Override<'_>],
    keys: &[Key<T>],
    value: &mut T,
) -> Notes {
    let document = Document::new(file, text);
    let mistakes = RefCell::new(Vec::new());
    let (root, errors) = DeTable::parse_recoverable(document.text());
    for error in errors {
        let place = error.span().map_or(0, |span| span.start);
        let message = error.message().to_owned();
        mistakes
            .borrow_mut()
            .push(document.mistake(rule::SYNTAX, place, message, None));
    }
    let mut walk = Walk {
        document,
        mistakes: &mistakes,
        keys,
        found: BTreeMap::new(),
    };
    walk.table("", root.get_ref());
    let found = walk.found;
    let elsewhere: Vec<_> = overrides
        .iter()
        .map(|other| (other, other.value()))
        .collect();

    let mut defaults = Vec::new();
    for key in keys {
        let from_elsewhere = elsewhere.iter().rfind(|(other, _)| other.key == key.name);
        if let Some((other, written)) = from_elsewhere {
            let place = Document::new(other.source, other.text);
            key.apply(value, &Entry::new(key.name, written, place, &mistakes));
        } else if let Some(written) = found.get(key.name) {
            key.apply(value, &Entry::new(key.name, written, document, &mistakes));
        } else {
            defaults.extend(key.apply_absence(value, document, &mistakes));
        }
    }
    let mut mistakes = mistakes.into_inner();
    mistakes.sort_by_key(|mistake| {
        (
            mistake.line == 0,
            mistake.file != file,
            mistake.line,
            mistake.column,
        )
    });
    Notes { defaults, mistakes }
}

/// Finds the values of the known keys, and complains about everything else.
struct Walk<'a, T> {
    document: Document<'a>,
    mistakes: &'a RefCell<Vec<Mistake>>,
    keys: &'a [Key<T>],
    found: BTreeMap<&'static str, &'a Spanned<DeValue<'a>>>,
}

impl<'a, T> Walk<'a, T> {
    fn table(&mut self, prefix: &str, table: &'a DeTable<'a>) {
        for (name, value) in table {
            let path = if prefix.is_empty() {
                name.get_ref().to_string()
            } else {
                format!("{prefix}.{}", name.get_ref())
            };
            let inside = format!("{path}.");
            if let Some(key) = self.keys.iter().find(|key| key.name == path) {
                self.literal_secrets(&path, value);
                self.found.insert(key.name, value);
            } else if !self.keys.iter().any(|key| key.name.starts_with(&inside)) {
                self.unknown(prefix, &path, name.span().start, value.get_ref());
            } else if let Some(table) = value.get_ref().as_table() {
                self.table(&path, table);
            } else {
                let message = format!("`{path}` is a table, not a {}", value.get_ref().type_str());
                self.complain(rule::TYPE, value.span().start, message, None);
            }
        }
    }

    fn unknown(&self, prefix: &str, path: &str, place: usize, value: &DeValue<'_>) {
        let last = path.rsplit('.').next().unwrap_or(path);
        if value.is_str() && ["password", "passwd", "passphrase", "secret", "token"].contains(&last)
        {
            let message = format!("`{path}` is a literal secret");
            let help = "secrets never stand in this file; name the file or the environment variable that holds them";
            return self.complain(rule::LITERAL_SECRET, place, message, Some(help.to_owned()));
        }
        let siblings = self.keys.iter().filter_map(|key| {
            let below = if prefix.is_empty() {
                key.name
            } else {
                key.name.strip_prefix(prefix)?.strip_prefix('.')?
            };
            below.split('.').next()
        });
        let elsewhere = || {
            self.keys
                .iter()
                .find(|key| key.name.rsplit('.').next() == Some(last))
                .map(|key| key.name)
        };
        let meant = match closest(last, siblings) {
            Some(sibling) if prefix.is_empty() => Some(sibling.to_owned()),
            Some(sibling) => Some(format!("{prefix}.{sibling}")),
            None => elsewhere().map(str::to_owned),
        };
        let help = meant.map(|meant| format!("did you mean `{meant}`?"));
        self.complain(
            rule::UNKNOWN_KEY,
            place,
            format!("unknown key `{path}`"),
            help,
        );
    }

    /// A URL with a password in it, wherever it stands.
    fn literal_secrets(&self, path: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::String(text) if has_password(text) => {
                let message = format!("`{path}` holds a password");
                let help = "leave the password out of the URL; give it by the environment or by the database's password file";
                self.complain(
                    rule::LITERAL_SECRET,
                    value.span().start,
                    message,
                    Some(help.to_owned()),
                );
            }
            DeValue::Array(items) => items
                .iter()
                .for_each(|item| self.literal_secrets(path, item)),
            DeValue::Table(table) => table
                .values()
                .for_each(|item| self.literal_secrets(path, item)),
            _ => {}
        }
    }

    fn complain(&self, rule: &'static str, place: usize, message: String, help: Option<String>) {
        self.mistakes
            .borrow_mut()
            .push(self.document.mistake(rule, place, message, help));
    }
}

/// Whether the text is a URL of the form `scheme://user:password@…`.
fn has_password(text: &str) -> bool {
    let authority = text
        .split_once("://")
        .map(|(_, rest)| rest.split('/').next().unwrap_or(rest));
    let user = authority
        .and_then(|authority| authority.rsplit_once('@'))
        .map(|(user, _)| user);
    user.and_then(|user| user.split_once(':'))
        .is_some_and(|(_, password)| !password.is_empty())
}
