//! Rows → papers. A field that cannot be read is a mistake at its place; the value is not repeated,
//! because a mistake may be printed and logged.

use std::str::FromStr;

use model::id::{FacilityId, LocalPatientId};
use model::mistake::Mistake;
use model::papers::{ConsentPaper, Facilities, WithdrawalPaper};
use model::person::Sex;
use model::record::{Categories, Category};

use super::Row;

/// The fields of one line, and the mistakes found in them.
pub(super) struct Fields<'a> {
    file: &'a str,
    row: &'a Row,
    columns: &'static [&'static str],
    pub(super) mistakes: Vec<Mistake>,
}

/// A consent form.
pub(super) fn consent(fields: &mut Fields<'_>) -> Option<ConsentPaper> {
    let consent_no = fields.parsed(
        "consent_no",
        "is not a consent number: 1 to 32 letters, digits or hyphens",
    );
    let signed_on = fields.date("signed_on");
    let birth_date = fields.date("birth_date");
    let sex = fields.read("sex", "is none of male, female, other, unknown", sex);
    let local_ids = fields.read(
        "local_ids",
        "is not a list of facility:id;facility:id",
        local_ids,
    );
    let sources = fields.read(
        "sources",
        "is neither * nor a list of facility codes with ;",
        facilities,
    );
    let readers = fields.read(
        "readers",
        "is neither * nor a list of facility codes with ;",
        facilities,
    );
    let categories = fields.read(
        "categories",
        "is neither * nor a list of categories with ;",
        categories,
    );
    let from = fields.date("from");
    let to = if fields.text("to").is_empty() {
        Some(None)
    } else {
        fields.date("to").map(Some)
    };
    Some(ConsentPaper {
        consent_no: consent_no?,
        form: fields.text("form"),
        form_version: fields.text("form_version"),
        signed_on: signed_on?,
        signer: fields.text("signer"),
        relation: fields.text("relation"),
        kana: fields.text("kana"),
        birth_date: birth_date?,
        sex: sex?,
        local_ids: local_ids?,
        sources: sources?,
        readers: readers?,
        categories: categories?,
        from: from?,
        to: to?,
        explained_by: fields.text("explained_by"),
        kept_at: fields.text("kept_at"),
    })
}

/// A withdrawal form; only the consent number must be there.
pub(super) fn withdrawal(fields: &mut Fields<'_>) -> Option<WithdrawalPaper> {
    let consent_no = fields.parsed(
        "consent_no",
        "is not a consent number: 1 to 32 letters, digits or hyphens",
    );
    let withdrawn_on = fields.text("withdrawn_on");
    let withdrawn_on = if withdrawn_on.is_empty() {
        Some(None)
    } else {
        fields.date("withdrawn_on").map(Some)
    };
    let given = |text: String| (!text.is_empty()).then_some(text);
    Some(WithdrawalPaper {
        consent_no: consent_no?,
        withdrawn_on: withdrawn_on?,
        signer: given(fields.text("signer")),
        relation: given(fields.text("relation")),
        identity_check: given(fields.text("identity_check")),
    })
}

impl<'a> Fields<'a> {
    pub(super) const fn new(file: &'a str, row: &'a Row, columns: &'static [&'static str]) -> Self {
        Self {
            file,
            row,
            columns,
            mistakes: Vec::new(),
        }
    }

    fn at(&self, field: &str) -> usize {
        self.columns
            .iter()
            .position(|column| *column == field)
            .unwrap_or(usize::MAX)
    }

    fn text(&self, field: &str) -> String {
        self.row.text(self.at(field)).to_owned()
    }

    fn read<T>(&mut self, field: &str, message: &str, read: fn(&str) -> Option<T>) -> Option<T> {
        let at = self.at(field);
        let value = read(self.row.text(at));
        if value.is_none() {
            let (line, column) = self.row.place(at);
            let message = format!("{field} {message}");
            self.mistakes
                .push(super::mistake("P0105", self.file, line, column, &message));
        }
        value
    }

    fn parsed<T: FromStr>(&mut self, field: &str, message: &str) -> Option<T> {
        self.read(field, message, |text| text.parse().ok())
    }

    fn date(&mut self, field: &str) -> Option<jiff::civil::Date> {
        self.parsed(field, "is not a date such as 2026-04-01")
    }
}

fn sex(text: &str) -> Option<Sex> {
    match text {
        "male" => Some(Sex::Male),
        "female" => Some(Sex::Female),
        "other" => Some(Sex::Other),
        "unknown" => Some(Sex::Unknown),
        _ => None,
    }
}

fn local_ids(text: &str) -> Option<Vec<LocalPatientId>> {
    let local_id = |text: &str| {
        let (facility, id) = text.trim().split_once(':')?;
        LocalPatientId::parse(facility.trim().parse().ok()?, id.trim()).ok()
    };
    text.split(';').map(local_id).collect()
}

fn facilities(text: &str) -> Option<Facilities> {
    if text == "*" {
        return Some(Facilities::All);
    }
    let codes = text
        .split(';')
        .map(|code| code.trim().parse::<FacilityId>().ok());
    codes.collect::<Option<_>>().map(Facilities::Only)
}

fn categories(text: &str) -> Option<Categories> {
    if text == "*" {
        return Some(Categories::ALL);
    }
    text.split(';')
        .map(|word| Category::named(word.trim()))
        .collect()
}
