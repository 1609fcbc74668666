//! Writing HL7 v2.5: segments, escapes, coded elements.

use serde_json::{Value, json};

/// A segment under construction; fields are set by their number in the standard.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    cells: Vec<String>,
    /// Number of the field in the first cell after the name: 1, but 2 in MSH, whose first field
    /// is the separator itself.
    first: usize,
}

impl Segment {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            cells: vec![name.to_owned()],
            first: if name == "MSH" { 2 } else { 1 },
        }
    }

    /// Sets a field to text that is already escaped.
    #[must_use]
    pub(crate) fn set(mut self, number: usize, value: impl Into<String>) -> Self {
        let cell = number - self.first + 1;
        if self.cells.len() <= cell {
            self.cells.resize(cell + 1, String::new());
        }
        if let Some(field) = self.cells.get_mut(cell) {
            *field = value.into();
        }
        self
    }

    /// The line without its end; empty fields at the end are left out.
    pub(crate) fn write(&self, out: &mut String) {
        let used = self.cells.iter().rposition(|cell| !cell.is_empty());
        for (n, cell) in self
            .cells
            .iter()
            .take(used.map_or(0, |n| n + 1))
            .enumerate()
        {
            if n > 0 {
                out.push('|');
            }
            out.push_str(cell);
        }
    }
}

/// Text inside a field (HL7 v2.5 §2.7.1).
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            other => out.push(other),
        }
    }
    out
}

/// A code with its text and the name of its system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
    pub(crate) system: &'static str,
}

/// A code of a table.
pub(crate) const fn code(code: &'static str, text: &'static str, system: &'static str) -> Code {
    Code { code, text, system }
}

impl Code {
    /// `code^text^system`
    pub(crate) fn cwe(self) -> String {
        format!("{}^{}^{}", self.code, escape(self.text), self.system)
    }

    /// The same as sub-components, inside CQ and RPT.
    pub(crate) fn nested(self) -> String {
        format!("{}&{}&{}", self.code, escape(self.text), self.system)
    }

    pub(crate) fn truth(self) -> Value {
        json!({"code": self.code, "display": self.text, "system": self.system})
    }
}

/// A coded element with one or two triplets; the standard code may stand in either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coded(pub(crate) Option<Code>, pub(crate) Option<Code>);

impl Coded {
    pub(crate) fn cwe(&self) -> String {
        let first = self.0.map_or_else(|| "^^".to_owned(), Code::cwe);
        match self.1 {
            Some(second) => format!("{first}^{}", second.cwe()),
            None => first,
        }
    }

    /// The codings in the order sent.
    pub(crate) fn truth(&self) -> Value {
        [self.0, self.1]
            .into_iter()
            .flatten()
            .map(Code::truth)
            .collect()
    }
}

/// A number with `places` digits after the point, exactly.
pub(crate) fn decimal(scaled: i64, places: u32) -> String {
    let unit = 10_i64.pow(places);
    let sign = if scaled < 0 { "-" } else { "" };
    let (whole, rest) = (scaled.abs() / unit, scaled.abs() % unit);
    if places == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{rest:0width$}", width = places as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(segment: &Segment, line: &str) {
        let mut out = String::new();
        segment.write(&mut out);
        assert_eq!(out, line);
    }

    #[test]
    fn fields_stand_at_their_number() {
        check(&Segment::new("PV1").set(2, "O").set(7, "D"), "PV1||O|||||D");
        check(
            &Segment::new("MSH").set(2, "^~\\&").set(3, "HIS"),
            "MSH|^~\\&|HIS",
        );
    }

    #[test]
    fn empty_fields_at_the_end_are_left_out() {
        check(&Segment::new("PID").set(3, "1").set(9, ""), "PID|||1");
    }

    #[test]
    fn delimiters_in_text_are_escaped() {
        assert_eq!(escape("a|b^c&d~e\\f"), "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f");
    }

    #[test]
    fn decimals_keep_their_places() {
        assert_eq!(decimal(720, 2), "7.20");
        assert_eq!(decimal(5, 3), "0.005");
        assert_eq!(decimal(-15, 1), "-1.5");
        assert_eq!(decimal(96, 0), "96");
    }
}
