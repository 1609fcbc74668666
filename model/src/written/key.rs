//! One line of a file's table of keys.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::DeValue;

use crate::mistake::{Mistake, rule};
use crate::written::{Document, Entry};

/// A key that was absent, and the value that holds instead, both as one would write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultTaken {
    /// The key, dots for tables.
    pub key: &'static str,
    /// The value in TOML.
    pub value: &'static str,
    /// Whether anything obeys the key yet.
    pub built: bool,
}

/// How a written value gets into the checked form; nothing when the entry complained.
type Setter<T> = fn(&mut T, &Entry<'_>) -> Option<()>;

/// A key of a file: its name, what holds when it is absent, and how it is read.
pub struct Key<T> {
    /// The name, dots for tables.
    pub name: &'static str,
    /// What holds when the key is absent.
    absent: Absent,
    /// How it is read; `None` where nothing but the default may be written.
    set: Option<Setter<T>>,
    /// Whether anything obeys the key.
    built: bool,
}

#[derive(Clone, Copy)]
enum Absent {
    Mistake,
    Nothing,
    Holds(&'static str),
}

impl<T> Key<T> {
    /// A key that must be written.
    pub const fn required(name: &'static str, set: Setter<T>) -> Self {
        Self {
            name,
            absent: Absent::Mistake,
            set: Some(set),
            built: true,
        }
    }

    /// A key without which nothing is set.
    pub const fn optional(name: &'static str, set: Setter<T>) -> Self {
        Self {
            name,
            absent: Absent::Nothing,
            set: Some(set),
            built: true,
        }
    }

    /// A key with a default, in TOML. The default is read like a written value.
    pub const fn new(name: &'static str, default: &'static str, set: Setter<T>) -> Self {
        Self {
            name,
            absent: Absent::Holds(default),
            set: Some(set),
            built: true,
        }
    }

    /// A key whose default is obeyed, and of whose values nothing else is built yet.
    pub const fn only(name: &'static str, default: &'static str) -> Self {
        Self {
            name,
            absent: Absent::Holds(default),
            set: None,
            built: true,
        }
    }

    /// A key that is known and that nothing obeys yet: only its default may be written.
    pub const fn not_built(name: &'static str, default: &'static str) -> Self {
        Self {
            name,
            absent: Absent::Holds(default),
            set: None,
            built: false,
        }
    }

    /// A key that is known, that nothing obeys yet, and whose default is not to be there.
    pub const fn not_built_at_all(name: &'static str) -> Self {
        Self {
            name,
            absent: Absent::Nothing,
            set: None,
            built: false,
        }
    }

    /// Reads a written value.
    pub(super) fn apply(&self, value: &mut T, entry: &Entry<'_>) {
        match (self.set, self.absent) {
            (Some(set), _) => {
                set(value, entry);
            }
            (None, Absent::Holds(default)) => {
                let Ok(default_value) = DeValue::parse(default) else {
                    return;
                };
                if !entry.value().same_type(default_value.get_ref()) {
                    entry.wrong_type(&format!("a value like {default}"));
                } else if !same(entry.value(), default_value.get_ref()) {
                    entry.not_built(Some(format!("leave it out, or write {default}")));
                }
            }
            (None, _) => entry.not_built(Some("leave it out".to_owned())),
        }
    }

    /// Sets what holds when nothing was written.
    pub(super) fn apply_absence(
        &self,
        value: &mut T,
        document: Document<'_>,
        mistakes: &RefCell<Vec<Mistake>>,
    ) -> Option<DefaultTaken> {
        let default = match self.absent {
            Absent::Mistake => {
                let message = format!("`{}` is missing", self.name);
                mistakes
                    .borrow_mut()
                    .push(document.absence(rule::MISSING, message, None));
                return None;
            }
            Absent::Nothing => "none",
            Absent::Holds(default) => default,
        };
        if let (Absent::Holds(_), Some(set), Ok(parsed)) =
            (self.absent, self.set, DeValue::parse(default))
        {
            let entry = Entry::of_default(self.name, default, &parsed, document, mistakes);
            set(value, &entry);
        }
        Some(DefaultTaken {
            key: self.name,
            value: default,
            built: self.built,
        })
    }
}

/// Whether two TOML values say the same, wherever they stand. No key is a fraction.
fn same(one: &DeValue<'_>, other: &DeValue<'_>) -> bool {
    let items = |one: &Spanned<DeValue<'_>>, other: &Spanned<DeValue<'_>>| {
        same(one.get_ref(), other.get_ref())
    };
    match (one, other) {
        (DeValue::String(one), DeValue::String(other)) => one == other,
        (DeValue::Boolean(one), DeValue::Boolean(other)) => one == other,
        (DeValue::Datetime(one), DeValue::Datetime(other)) => one == other,
        (DeValue::Integer(one), DeValue::Integer(other)) => {
            (one.as_str(), one.radix()) == (other.as_str(), other.radix())
        }
        (DeValue::Array(one), DeValue::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other.iter())
                    .all(|(one, other)| items(one, other))
        }
        (DeValue::Table(one), DeValue::Table(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|other| items(value, other)))
        }
        _ => false,
    }
}
