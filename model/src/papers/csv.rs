//! Consents and withdrawals as CSV (RFC 4180, UTF-8): cells with their places, then papers, then
//! mistakes with line and column for all that cannot be read.

mod cells;

use super::{ConsentPaper, Unreadable, WithdrawalPaper};
use crate::mistake::Mistake;

use cells::Row;

/// A line that could be read.
pub struct Line<T> {
    /// What it says.
    pub paper: T,
    row: Row,
    columns: &'static [&'static str],
}

/// What a file holds.
pub enum Sheet {
    /// Consent forms.
    Consents(Vec<Line<ConsentPaper>>),
    /// Withdrawal forms.
    Withdrawals(Vec<Line<WithdrawalPaper>>),
}

/// A file that was read: the good lines, and all mistakes of the others.
pub struct Read {
    /// The good lines.
    pub sheet: Sheet,
    /// What is wrong with the others.
    pub mistakes: Vec<Mistake>,
}

impl<T> Line<T> {
    /// A mistake in a field of this line.
    pub fn mistake(&self, rule: &'static str, file: &str, field: &str, message: &str) -> Mistake {
        let (line, column) = self.row.place(at(self.columns, field));
        mistake(rule, file, line, column, message)
    }
}

/// Reads a file; its first line says which form it is. `file` names it in mistakes.
///
/// # Errors
/// The mistake, when the text is not UTF-8, a quotation mark is not closed, or the first line names
/// no form.
pub fn read(file: &str, bytes: &[u8]) -> Result<Read, Mistake> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| mistake("P0101", file, 0, 0, "is not UTF-8"))?;
    let rows = cells::rows(text.strip_prefix('\u{feff}').unwrap_or(text));
    let rows = rows.map_err(|(line, column)| {
        mistake(
            "P0102",
            file,
            line,
            column,
            "a quotation mark is not closed",
        )
    })?;
    let Some((header, rows)) = rows.split_first() else {
        return Err(header_mistake(file));
    };
    let names: Vec<&str> = (0..header.len()).map(|at| header.text(at)).collect();
    let mut mistakes = Vec::new();
    let sheet = if names == ConsentPaper::FIELDS {
        let form = |row: &Row| {
            ConsentPaper::from_fields(|field| row.text(at(ConsentPaper::FIELDS, field)))
        };
        Sheet::Consents(lines(file, rows, ConsentPaper::FIELDS, form, &mut mistakes))
    } else if names == WithdrawalPaper::FIELDS {
        let form = |row: &Row| {
            WithdrawalPaper::from_fields(|field| row.text(at(WithdrawalPaper::FIELDS, field)))
        };
        Sheet::Withdrawals(lines(
            file,
            rows,
            WithdrawalPaper::FIELDS,
            form,
            &mut mistakes,
        ))
    } else {
        return Err(header_mistake(file));
    };
    Ok(Read { sheet, mistakes })
}

fn header_mistake(file: &str) -> Mistake {
    let [consent, withdrawal] =
        [ConsentPaper::FIELDS, WithdrawalPaper::FIELDS].map(|fields| fields.join(","));
    let help = format!("{consent}\n  or    {withdrawal}");
    Mistake {
        help: Some(help),
        ..mistake(
            "P0103",
            file,
            1,
            1,
            "the first line names no form that is known",
        )
    }
}

fn lines<T>(
    file: &str,
    rows: &[Row],
    columns: &'static [&'static str],
    form: impl Fn(&Row) -> Result<T, Vec<Unreadable>>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Line<T>> {
    let mut lines = Vec::with_capacity(rows.len());
    for row in rows {
        let line = Line {
            paper: (),
            row: row.clone(),
            columns,
        };
        if row.len() != columns.len() {
            let message = format!("has {} fields instead of {}", row.len(), columns.len());
            mistakes.push(line.mistake("P0104", file, "consent_no", &message));
            continue;
        }
        match form(row) {
            Ok(paper) => lines.push(Line {
                paper,
                row: row.clone(),
                columns,
            }),
            Err(unreadable) => mistakes.extend(unreadable.iter().map(|wrong| {
                line.mistake(
                    "P0105",
                    file,
                    wrong.field,
                    &format!("{} {}", wrong.field, wrong.message),
                )
            })),
        }
    }
    lines
}

/// The place of a field among the columns.
fn at(columns: &[&str], field: &str) -> usize {
    columns
        .iter()
        .position(|column| *column == field)
        .unwrap_or(0)
}

fn mistake(rule: &'static str, file: &str, line: usize, column: usize, message: &str) -> Mistake {
    Mistake {
        rule,
        file: file.to_owned(),
        line,
        column,
        message: message.to_owned(),
        help: None,
    }
}

#[cfg(test)]
mod tests;
