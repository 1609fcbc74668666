//! Places in a text: bytes to lines and columns.

use crate::mistake::Mistake;

/// A text with the name of its file.
#[derive(Debug, Clone, Copy)]
pub struct Document<'a> {
    file: &'a str,
    text: &'a str,
}

impl<'a> Document<'a> {
    /// A text as it was read. A byte order mark is left out; it counts as no column.
    pub fn new(file: &'a str, text: &'a str) -> Self {
        Self {
            file,
            text: text.strip_prefix('\u{feff}').unwrap_or(text),
        }
    }

    /// The text.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// A mistake at a byte of the text.
    pub fn mistake(
        &self,
        rule: &'static str,
        byte: usize,
        message: String,
        help: Option<String>,
    ) -> Mistake {
        let (line, column) = position(self.text, byte);
        Mistake {
            rule,
            file: self.file.to_owned(),
            line,
            column,
            message,
            help,
        }
    }

    /// A mistake that is an absence.
    pub fn absence(&self, rule: &'static str, message: String, help: Option<String>) -> Mistake {
        Mistake {
            rule,
            file: self.file.to_owned(),
            line: 0,
            column: 0,
            message,
            help,
        }
    }
}

/// Line and column of a byte; both count from 1, columns count characters.
pub fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or(before)
        .chars()
        .count()
        .saturating_add(1);
    (line, column)
}
