//! The one file that prints. Results go to standard output, as text for people or as one JSON
//! object; everything else goes to standard error.

use std::fmt::Display;
use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

/// Where a command puts its results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// Text for people, or JSON for programs.
    pub(crate) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// A line of the result for people; nothing when programs are served.
    pub(crate) fn line(self, text: impl Display) {
        if !self.json {
            // Who closes the pipe has seen enough.
            drop(writeln!(std::io::stdout().lock(), "{text}"));
        }
    }

    /// The whole result for programs, one object; nothing when people are served.
    pub(crate) fn json(self, object: &impl Serialize) {
        if self.json {
            let mut out = std::io::stdout().lock();
            let written = serde_json::to_writer(&mut out, object).is_ok();
            drop(written.then(|| writeln!(out)));
        }
    }

    /// Rows for people, in columns as wide as their widest cell.
    pub(crate) fn table(self, rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = Vec::new();
        for row in rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = width(cell).max(*widest);
            }
        }
        for row in rows {
            let pad = |(cell, widest): (&String, &usize)| {
                format!("{cell}{}", " ".repeat(widest.saturating_sub(width(cell))))
            };
            let cells: Vec<String> = row.iter().zip(&widths).map(pad).collect();
            self.line(cells.join("  ").trim_end());
        }
    }

    /// What went wrong, on standard error.
    pub(crate) fn error(self, text: impl Display) {
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }

    /// Why a command did not do what was asked: on standard error, and for programs as the result.
    pub(crate) fn failure(self, text: impl Display) {
        self.json(&json!({ "schema": "musubi-error/1", "error": text.to_string() }));
        self.error(format_args!("musubi: {text}"));
    }

    /// A bar with rate and remaining time on standard error, if that is a terminal; else nothing.
    pub(crate) fn progress(self, what: &'static str, total: u64) -> ProgressBar {
        if !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let form = "{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta} left";
        let style =
            ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::new(total).with_style(style).with_message(what)
    }
}

/// Columns that a text takes at a terminal: full-width letters take two.
fn width(text: &str) -> usize {
    let is_wide = |letter: char| {
        matches!(letter, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff01}'..='\u{ff60}'
            | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars()
        .map(|letter| 1 + usize::from(is_wide(letter)))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_behind_japanese_text() {
        assert_eq!(width("nurse"), 5);
        assert_eq!(width("中央病院"), 8);
        assert_eq!(width("ﾁｭｳｵｳ"), 5);
        assert_eq!(width("カナ、A"), 7);
    }
}
