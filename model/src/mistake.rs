//! What is wrong with a configuration file, and where.

use std::fmt;

/// One mistake in a configuration file. Parsers return all of them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Stable rule id of the `C` family, e.g. `C0101` for an unknown key.
    pub rule: &'static str,
    /// File as given by the caller.
    pub file: String,
    /// Line, from 1; 0 when the mistake is an absence.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What is wrong, lower-case, without full stop.
    pub message: String,
    /// What to do, e.g. the key that was probably meant.
    pub help: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: error[{}]: {}", self.file, self.line, self.column, self.rule, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(out, "\n  help: {help}"))
    }
}
