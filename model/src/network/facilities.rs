//! The register of a network's facilities: `facilities.tsv`, one row a facility, columns
//! `code name kana kind groups discloses`. Blank lines and lines that begin with `#` are comments.

use std::collections::BTreeMap;

use crate::id::FacilityId;
use crate::mistake::{Mistake, rule};
use crate::network::{Facility, FacilityKind};
use crate::record::{Categories, Category};
use crate::written::{Document, Parsed, closest};

const HEADER: [&str; 6] = ["code", "name", "kana", "kind", "groups", "discloses"];

/// The words for the kinds, with the digit of the fee table (点数表) that their codes carry.
const KINDS: [(&str, FacilityKind, char); 4] = [
    ("hospital", FacilityKind::Hospital, '1'),
    ("clinic", FacilityKind::Clinic, '1'),
    ("dental", FacilityKind::Dental, '3'),
    ("pharmacy", FacilityKind::Pharmacy, '4'),
];

impl Facility {
    /// Reads `facilities.tsv`. The file's name is given for the places of mistakes only.
    pub fn parse_all(file: &str, text: &str) -> Parsed<BTreeMap<FacilityId, Self>> {
        let mut register = Register {
            document: Document::new(file, text),
            facilities: BTreeMap::new(),
            mistakes: Vec::new(),
        };
        register.read();
        let Register {
            facilities,
            mistakes,
            ..
        } = register;
        Parsed {
            value: mistakes.is_empty().then_some(facilities),
            defaults: Vec::new(),
            mistakes,
        }
    }
}

/// A field with the byte where it begins.
#[derive(Clone, Copy)]
struct Field<'a> {
    start: usize,
    text: &'a str,
}

impl Field<'_> {
    fn trimmed(self) -> Self {
        let before = self.text.len() - self.text.trim_start().len();
        Self {
            start: self.start + before,
            text: self.text.trim(),
        }
    }
}

struct Register<'a> {
    document: Document<'a>,
    facilities: BTreeMap<FacilityId, Facility>,
    mistakes: Vec<Mistake>,
}

impl<'a> Register<'a> {
    fn read(&mut self) {
        let mut start = 0;
        let mut has_header = false;
        for line in self.document.text().split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            if !content.trim().is_empty() && !content.starts_with('#') {
                if !has_header {
                    has_header = true;
                    if !self.header(start, content) {
                        return;
                    }
                } else if let Some(facility) = self.row(start, content) {
                    self.facilities.insert(facility.code.clone(), facility);
                }
            }
            start += line.len();
        }
        if !has_header {
            let message = "there is no header line".to_owned();
            self.mistakes.push(self.document.absence(
                rule::MISSING,
                message,
                Some(HEADER.join("<TAB>")),
            ));
        }
    }

    fn header(&mut self, start: usize, line: &str) -> bool {
        let names: Vec<&str> = line.split('\t').collect();
        if names == HEADER {
            return true;
        }
        let help = Some(format!(
            "write the columns {}, separated by one tab each",
            HEADER.join(" ")
        ));
        self.complain(
            rule::SYNTAX,
            start,
            "the header line has other columns".to_owned(),
            help,
        );
        false
    }

    fn row(&mut self, start: usize, line: &'a str) -> Option<Facility> {
        let fields = fields(start, line, '\t');
        let [code, name, kana, kind, groups, discloses] = fields.as_slice() else {
            let message = format!("the row has {} columns, not {}", fields.len(), HEADER.len());
            self.complain(rule::SYNTAX, start, message, None);
            return None;
        };
        // Every field is read before the first failure counts, so that all of them are noted.
        let kind_is = self.kind(*kind);
        let code = self.code(*code, kind_is);
        let name = self.filled("name", *name);
        let kana = self.filled("kana", *kana);
        let discloses = self.discloses(*discloses);
        Some(Facility {
            code: code?,
            name: name?,
            kana: kana?,
            kind: kind_is?.0,
            groups: parts(*groups).map(|group| group.text.to_owned()).collect(),
            discloses: discloses?,
        })
    }

    /// Ten digits: prefecture 01 to 47, fee table, institution number.
    fn code(&mut self, field: Field<'_>, kind: Option<(FacilityKind, char)>) -> Option<FacilityId> {
        let prefecture = field.text.get(..2).and_then(|digits| digits.parse().ok());
        let (Ok(code), Some(1..=47)) = (field.text.parse::<FacilityId>(), prefecture) else {
            let message = format!(
                "`code` must be ten digits that begin with a prefecture (01 to 47), not \"{}\"",
                field.text
            );
            self.complain(rule::TYPE, field.start, message, None);
            return None;
        };
        if let Some((_, table)) =
            kind.filter(|(_, table)| field.text.chars().nth(2) != Some(*table))
        {
            let message = format!(
                "`code` {code} has another fee table than `kind` says: the third digit must be {table}"
            );
            self.complain(rule::REFUSED, field.start, message, None);
            return None;
        }
        if self.facilities.contains_key(&code) {
            self.complain(
                rule::DUPLICATE,
                field.start,
                format!("`code` {code} stands in two rows"),
                None,
            );
            return None;
        }
        Some(code)
    }

    fn kind(&mut self, field: Field<'_>) -> Option<(FacilityKind, char)> {
        let known = KINDS
            .iter()
            .find(|(name, ..)| *name == field.text)
            .map(|(_, kind, table)| (*kind, *table));
        if known.is_none() {
            self.unknown_word("kind", field, &KINDS.map(|(name, ..)| name));
        }
        known
    }

    fn filled(&mut self, column: &str, field: Field<'_>) -> Option<String> {
        let text = field.text.trim();
        if text.is_empty() {
            self.complain(
                rule::MISSING,
                field.start,
                format!("`{column}` is empty"),
                None,
            );
            return None;
        }
        Some(text.to_owned())
    }

    /// `*`, or categories separated by `;`; empty discloses nothing.
    fn discloses(&mut self, field: Field<'_>) -> Option<Categories> {
        if field.text.trim() == "*" {
            return Some(Categories::ALL);
        }
        let mut all = Some(Categories::NONE);
        for part in parts(field) {
            let category = Category::named(part.text);
            if category.is_none() {
                self.unknown_word("discloses", part, &Category::ALL.map(|(_, name)| name));
            }
            all = all
                .zip(category)
                .map(|(all, category)| all.or(Categories(category.bit())));
        }
        all
    }

    fn unknown_word(&mut self, column: &str, field: Field<'_>, words: &[&str]) {
        let help = match closest(field.text, words.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("one of: {}", words.join(", ")),
        };
        self.complain(
            rule::WORD,
            field.start,
            format!("`{column}` does not know \"{}\"", field.text),
            Some(help),
        );
    }

    fn complain(&mut self, rule: &'static str, byte: usize, message: String, help: Option<String>) {
        self.mistakes
            .push(self.document.mistake(rule, byte, message, help));
    }
}

fn fields(start: usize, text: &str, separator: char) -> Vec<Field<'_>> {
    let ends = text.split(separator).scan(start, |next, part| {
        let field = Field {
            start: *next,
            text: part,
        };
        *next += part.len() + separator.len_utf8();
        Some(field)
    });
    ends.collect()
}

/// The parts of a field between semicolons; blanks around them do not count.
fn parts(field: Field<'_>) -> impl Iterator<Item = Field<'_>> {
    let pieces = fields(field.start, field.text, ';').into_iter();
    pieces
        .map(Field::trimmed)
        .filter(|part| !part.text.is_empty())
}

#[cfg(test)]
mod tests;
