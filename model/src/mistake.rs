//! What is wrong with a configuration file, and where.

use std::fmt;

/// Rule ids of the `C` family: configuration. They are stable; people search for them.
pub mod rule {
    /// The text is not UTF-8, TOML or TSV.
    pub const SYNTAX: &str = "C0100";
    /// The key does not exist.
    pub const UNKNOWN_KEY: &str = "C0101";
    /// Another type, form or unit than the key asks for.
    pub const TYPE: &str = "C0102";
    /// Something that must be unique was said twice.
    pub const DUPLICATE: &str = "C0103";
    /// Something that is named does not exist.
    pub const UNRESOLVED: &str = "C0104";
    /// Two feeds claim the same root.
    pub const SHARED_ROOT: &str = "C0106";
    /// A secret stands in the file.
    pub const LITERAL_SECRET: &str = "C0107";
    /// A key that must be there is missing.
    pub const MISSING: &str = "C0120";
    /// The key or its value is known, but nothing obeys it yet.
    pub const NOT_BUILT: &str = "C0121";
    /// A word that the key does not know.
    pub const WORD: &str = "C0122";
    /// The value is well-formed and contradicts another one, or a floor that no file may go below.
    pub const REFUSED: &str = "C0123";
}

/// One mistake in a configuration file. Parsers return all of them at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Stable rule id of the `C` family, e.g. `C0101` for an unknown key; see [`rule`].
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

impl Mistake {
    /// The text form with another word than `error`.
    pub fn labelled(&self, label: &str) -> String {
        let Self {
            rule,
            file,
            line,
            column,
            message,
            ..
        } = self;
        let place = if *line == 0 {
            file.clone()
        } else {
            format!("{file}:{line}:{column}")
        };
        let help = self
            .help
            .as_ref()
            .map_or_else(String::new, |help| format!("\n  help: {help}"));
        format!("{place}: {label}[{rule}]: {message}{help}")
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.labelled("error"))
    }
}

/// What tests compare: each mistake as `line:column rule message | help`.
#[cfg(test)]
pub(crate) fn brief(mistakes: &[Mistake]) -> Vec<String> {
    let form = |mistake: &Mistake| {
        let help = mistake.help.iter().map(|help| format!(" | {help}"));
        let Mistake {
            line,
            column,
            rule,
            message,
            ..
        } = mistake;
        format!(
            "{line}:{column} {rule} {message}{}",
            help.collect::<String>()
        )
    };
    mistakes.iter().map(form).collect()
}
