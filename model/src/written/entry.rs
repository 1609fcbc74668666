//! A written value with its place, and the forms it can be read in. Every reader returns the value,
//! or complains and returns nothing, so that one file gives all its mistakes at once.

use std::cell::RefCell;
use std::str::FromStr;
use std::time::Duration;

use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeValue;

use crate::mistake::{Mistake, rule};
use crate::network::Limit;
use crate::written::{Document, closest, has_password, units};

/// A word that may be written, and what it means; `None` when nothing obeys it yet.
pub type Word<T> = (&'static str, Option<T>);

/// Stores what could be read.
pub fn put<T>(slot: &mut T, value: Option<T>) -> Option<()> {
    *slot = value?;
    Some(())
}

/// A written value with its place.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    key: &'a str,
    value: &'a DeValue<'a>,
    start: usize,
    /// The default in TOML, when nothing was written.
    default: Option<&'a str>,
    document: Document<'a>,
    mistakes: &'a RefCell<Vec<Mistake>>,
}

impl<'a> Entry<'a> {
    /// A value that was written.
    pub(super) fn new(
        key: &'a str,
        value: &'a Spanned<DeValue<'a>>,
        document: Document<'a>,
        mistakes: &'a RefCell<Vec<Mistake>>,
    ) -> Self {
        Self {
            key,
            value: value.get_ref(),
            start: value.span().start,
            default: None,
            document,
            mistakes,
        }
    }

    /// A value that holds because nothing was written.
    pub(super) fn of_default(
        key: &'a str,
        default: &'a str,
        value: &'a Spanned<DeValue<'a>>,
        document: Document<'a>,
        mistakes: &'a RefCell<Vec<Mistake>>,
    ) -> Self {
        Self {
            key,
            value: value.get_ref(),
            start: 0,
            default: Some(default),
            document,
            mistakes,
        }
    }

    pub(super) const fn value(&self) -> &'a DeValue<'a> {
        self.value
    }

    /// Whether nothing was written, and the value is the key's default.
    pub const fn is_default(&self) -> bool {
        self.default.is_some()
    }

    /// Notes that the value cannot be accepted. `what` follows the name of the key.
    pub fn refuse(&self, rule: &'static str, what: &str, help: Option<String>) {
        let mistake = match self.default {
            None => self
                .document
                .mistake(rule, self.start, format!("`{}` {what}", self.key), help),
            Some(default) => {
                let message = format!(
                    "`{}` is absent, and its safe default {default} {what}",
                    self.key
                );
                self.document.absence(rule, message, help)
            }
        };
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Notes that nothing obeys this value yet.
    pub fn not_built(&self, help: Option<String>) {
        self.refuse(rule::NOT_BUILT, "is known, not built yet", help);
    }

    /// Notes that the value has another form than the key asks for.
    pub fn wrong_type(&self, expected: &str) {
        let found = match self.value {
            // A mistake may be printed and logged; a secret may not.
            DeValue::String(text) if has_password(text) => "a URL with a password".to_owned(),
            DeValue::String(text) => format!("\"{text}\""),
            other => format!("a value of type {}", other.type_str()),
        };
        self.refuse(
            rule::TYPE,
            &format!("must be {expected}, not {found}"),
            None,
        );
    }

    fn read<T>(&self, value: Option<T>, expected: &str) -> Option<T> {
        if value.is_none() {
            self.wrong_type(expected);
        }
        value
    }

    /// A text that is not blank.
    pub fn text(&self) -> Option<&'a str> {
        self.read(
            self.value.as_str().filter(|text| !text.trim().is_empty()),
            "a text",
        )
    }

    /// A text of which there is only one.
    pub fn exactly(&self, expected: &str) -> Option<()> {
        self.read(
            (self.value.as_str() == Some(expected)).then_some(()),
            &format!("\"{expected}\""),
        )
    }

    /// A text that parses; `expected` says what is wanted, with an example.
    pub fn parsed<T: FromStr>(&self, expected: &str) -> Option<T> {
        self.read(
            self.value.as_str().and_then(|text| text.parse().ok()),
            expected,
        )
    }

    /// `true` or `false`.
    pub fn switch(&self) -> Option<bool> {
        self.read(self.value.as_bool(), "true or false")
    }

    /// A whole number within bounds.
    pub fn number(&self, bounds: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let number = self
            .value
            .as_integer()
            .and_then(|digits| u32::from_str_radix(digits.as_str(), digits.radix()).ok());
        self.read(number.filter(|number| bounds.contains(number)), &expected)
    }

    /// A whole number, or `"unlimited"` for none.
    pub fn number_or_unlimited(&self) -> Option<Option<u32>> {
        if self.value.as_str() == Some("unlimited") {
            return Some(None);
        }
        let number = self
            .value
            .as_integer()
            .and_then(|digits| u32::from_str_radix(digits.as_str(), digits.radix()).ok());
        self.read(
            number.filter(|number| *number > 0).map(Some),
            "a whole number above zero, or \"unlimited\"",
        )
    }

    /// An ISO 8601 duration, or `"unlimited"`.
    pub fn limit(&self) -> Option<Limit> {
        let expected =
            "an ISO 8601 duration such as \"P2Y\", \"P30D\" or \"PT0S\", or \"unlimited\"";
        self.read(self.value.as_str().and_then(units::limit), expected)
    }

    /// A duration with its unit.
    pub fn interval(&self) -> Option<Duration> {
        let expected = "a duration with a unit (ms, s, m, h, d) such as \"10m\"";
        self.read(self.value.as_str().and_then(units::interval), expected)
    }

    /// A size with its unit, in bytes.
    pub fn size(&self) -> Option<u64> {
        let expected = "a size with a unit (B, KiB, MiB, GiB) such as \"16MiB\"";
        self.read(self.value.as_str().and_then(units::size), expected)
    }

    /// A day, as TOML date or as text.
    pub fn date(&self) -> Option<Date> {
        let day = match self.value {
            DeValue::Datetime(date) => date.to_string().parse().ok(),
            DeValue::String(text) => text.parse().ok(),
            _ => None,
        };
        self.read(day, "a date such as 2026-04-01")
    }

    /// One of the words.
    pub fn word<T>(&self, words: impl IntoIterator<Item = Word<T>>) -> Option<T> {
        self.means(self.text()?, words)
    }

    /// What a text at this place means, which may also be the name of a member.
    pub fn means<T>(&self, text: &str, words: impl IntoIterator<Item = Word<T>>) -> Option<T> {
        let mut known = Vec::new();
        let mut built = Vec::new();
        let mut found = None;
        for (name, meaning) in words {
            known.push(name);
            built.extend(meaning.is_some().then_some(name));
            if name == text {
                found = Some(meaning);
            }
        }
        match found {
            Some(Some(meaning)) => Some(meaning),
            Some(None) => {
                self.word_not_built(text, &built);
                None
            }
            None => {
                let help = match closest(text, known.iter().copied()) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("one of: {}", known.join(", ")),
                };
                self.refuse(rule::WORD, &format!("does not know \"{text}\""), Some(help));
                None
            }
        }
    }

    fn word_not_built(&self, text: &str, built: &[&str]) {
        let help = if built.is_empty() {
            "leave the list empty".to_owned()
        } else {
            format!("write {}", built.join(" or "))
        };
        if self.default.is_some() {
            self.not_built(Some(help));
        } else {
            self.refuse(
                rule::NOT_BUILT,
                &format!("= \"{text}\" is known, not built yet"),
                Some(help),
            );
        }
    }

    /// Any number of the words.
    pub fn words<T, W: IntoIterator<Item = Word<T>> + Clone>(&self, words: &W) -> Option<Vec<T>> {
        // Every item is read before the first failure counts, so that all of them are noted.
        let items: Vec<Option<T>> = self
            .items()?
            .iter()
            .map(|item| item.word(words.clone()))
            .collect();
        items.into_iter().collect()
    }

    /// The items of a list, each with its own place.
    pub fn items(&self) -> Option<Vec<Entry<'a>>> {
        let array = self.read(self.value.as_array(), "a list")?;
        Some(
            array
                .iter()
                .map(|item| self.inner(self.key, item))
                .collect(),
        )
    }

    /// The members of a table: the place of each name, the name, the value.
    pub fn members(&self) -> Option<Vec<(Entry<'a>, &'a str, Entry<'a>)>> {
        let table = self.read(self.value.as_table(), "a table")?;
        let member = |(name, value): (
            &'a Spanned<toml::de::DeString<'a>>,
            &'a Spanned<DeValue<'a>>,
        )| {
            let place = Entry {
                start: name.span().start,
                ..*self
            };
            (place, name.get_ref().as_ref(), self.inner(self.key, value))
        };
        Some(table.iter().map(member).collect())
    }

    fn inner(&self, key: &'a str, value: &'a Spanned<DeValue<'a>>) -> Entry<'a> {
        Entry {
            key,
            value: value.get_ref(),
            start: value.span().start,
            ..*self
        }
    }
}
