//! The written form of papers: a text for each field, as the columns of a CSV file or the fields of
//! a JSON object give them.

use std::str::FromStr;

use jiff::civil::Date;

use super::{ConsentPaper, Facilities, WithdrawalPaper};
use crate::id::{FacilityId, LocalPatientId};
use crate::person::Sex;
use crate::record::{Categories, Category};

/// A field that cannot be read. The value is not repeated, because this may be printed and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// Name of the field.
    pub field: &'static str,
    /// What is wrong, to be read after the field's name.
    pub message: &'static str,
}

struct Reader<F> {
    text: F,
    unreadable: Vec<Unreadable>,
}

impl<'a, F: Fn(&'static str) -> &'a str> Reader<F> {
    const fn new(text: F) -> Self {
        Self {
            text,
            unreadable: Vec::new(),
        }
    }

    fn text(&self, field: &'static str) -> String {
        (self.text)(field).to_owned()
    }

    fn given(&self, field: &'static str) -> Option<String> {
        Some(self.text(field)).filter(|text| !text.is_empty())
    }

    fn read<T>(
        &mut self,
        field: &'static str,
        message: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read((self.text)(field));
        if value.is_none() {
            self.unreadable.push(Unreadable { field, message });
        }
        value
    }

    fn parsed<T: FromStr>(&mut self, field: &'static str, message: &'static str) -> Option<T> {
        self.read(field, message, |text| text.parse().ok())
    }

    fn number<T: FromStr>(&mut self) -> Option<T> {
        self.parsed(
            "consent_no",
            "is not a consent number: 1 to 32 letters, digits or hyphens",
        )
    }

    fn date(&mut self, field: &'static str) -> Option<Date> {
        self.parsed(field, "is not a date such as 2026-04-01")
    }

    /// A date, or nothing where nothing is written.
    fn open_date(&mut self, field: &'static str) -> Option<Option<Date>> {
        if (self.text)(field).is_empty() {
            Some(None)
        } else {
            self.date(field).map(Some)
        }
    }

    fn facilities(&mut self, field: &'static str) -> Option<Facilities> {
        self.read(
            field,
            "is neither * nor a list of facility codes with ;",
            facilities,
        )
    }

    fn finish<T>(self, paper: Option<T>) -> Result<T, Vec<Unreadable>> {
        paper
            .filter(|_| self.unreadable.is_empty())
            .ok_or(self.unreadable)
    }
}

impl ConsentPaper {
    /// The names of the fields, in the order of the form.
    pub const FIELDS: &[&'static str] = &[
        "consent_no",
        "form",
        "form_version",
        "signed_on",
        "signer",
        "relation",
        "kana",
        "birth_date",
        "sex",
        "local_ids",
        "sources",
        "readers",
        "categories",
        "from",
        "to",
        "explained_by",
        "kept_at",
    ];

    /// The paper that a text for each field makes. `local_ids` is `code:id;code:id`; `sources`,
    /// `readers` and `categories` are `*` or lists with `;`; an empty `to` is open.
    ///
    /// # Errors
    /// Every field that cannot be read.
    pub fn from_fields<'a>(
        text: impl Fn(&'static str) -> &'a str,
    ) -> Result<Self, Vec<Unreadable>> {
        let mut form = Reader::new(text);
        let paper = consent(&mut form);
        form.finish(paper)
    }

    /// The text of each field, in the order of [`ConsentPaper::FIELDS`].
    pub fn to_fields(&self) -> Vec<(&'static str, String)> {
        let local_ids = self
            .local_ids
            .iter()
            .map(|id| format!("{}:{}", id.facility, id.id.reveal()));
        let texts = [
            self.consent_no.to_string(),
            self.form.clone(),
            self.form_version.clone(),
            self.signed_on.to_string(),
            self.signer.clone(),
            self.relation.clone(),
            self.kana.clone(),
            self.birth_date.to_string(),
            sex_word(self.sex).to_owned(),
            local_ids.collect::<Vec<_>>().join(";"),
            facilities_text(&self.sources),
            facilities_text(&self.readers),
            categories_text(self.categories),
            self.from.to_string(),
            self.to.map_or_else(String::new, |to| to.to_string()),
            self.explained_by.clone(),
            self.kept_at.clone(),
        ];
        Self::FIELDS.iter().copied().zip(texts).collect()
    }
}

impl WithdrawalPaper {
    /// The names of the fields, in the order of the form.
    pub const FIELDS: &[&'static str] = &[
        "consent_no",
        "withdrawn_on",
        "signer",
        "relation",
        "identity_check",
    ];

    /// The paper that a text for each field makes; only the consent number must be there.
    ///
    /// # Errors
    /// Every field that cannot be read.
    pub fn from_fields<'a>(
        text: impl Fn(&'static str) -> &'a str,
    ) -> Result<Self, Vec<Unreadable>> {
        let mut form = Reader::new(text);
        let paper = withdrawal(&mut form);
        form.finish(paper)
    }
}

fn consent<'a, F: Fn(&'static str) -> &'a str>(form: &mut Reader<F>) -> Option<ConsentPaper> {
    let consent_no = form.number();
    let signed_on = form.date("signed_on");
    let birth_date = form.date("birth_date");
    let sex = form.read(
        "sex",
        "is none of male, female, other, unknown, M, F, O, U",
        sex_of,
    );
    let local_ids = form.read(
        "local_ids",
        "is not a list of facility:id;facility:id",
        local_ids,
    );
    let sources = form.facilities("sources");
    let readers = form.facilities("readers");
    let listed = "is neither * nor a list of categories with ;";
    let categories = form.read("categories", listed, categories);
    let from = form.date("from");
    let to = form.open_date("to");
    Some(ConsentPaper {
        consent_no: consent_no?,
        form: form.text("form"),
        form_version: form.text("form_version"),
        signed_on: signed_on?,
        signer: form.text("signer"),
        relation: form.text("relation"),
        kana: form.text("kana"),
        birth_date: birth_date?,
        sex: sex?,
        local_ids: local_ids?,
        sources: sources?,
        readers: readers?,
        categories: categories?,
        from: from?,
        to: to?,
        explained_by: form.text("explained_by"),
        kept_at: form.text("kept_at"),
    })
}

fn withdrawal<'a, F: Fn(&'static str) -> &'a str>(form: &mut Reader<F>) -> Option<WithdrawalPaper> {
    let consent_no = form.number();
    let withdrawn_on = form.open_date("withdrawn_on");
    Some(WithdrawalPaper {
        consent_no: consent_no?,
        withdrawn_on: withdrawn_on?,
        signer: form.given("signer"),
        relation: form.given("relation"),
        identity_check: form.given("identity_check"),
    })
}

/// Each with its word, and its letter as hospitals write it (HL7 v2.5 table 0001).
const SEXES: [(Sex, &str, &str); 4] = [
    (Sex::Male, "male", "M"),
    (Sex::Female, "female", "F"),
    (Sex::Other, "other", "O"),
    (Sex::Unknown, "unknown", "U"),
];

fn sex_of(text: &str) -> Option<Sex> {
    SEXES
        .iter()
        .find(|(_, word, letter)| [*word, *letter].contains(&text))
        .map(|(sex, ..)| *sex)
}

fn sex_word(sex: Sex) -> &'static str {
    SEXES
        .iter()
        .find(|(known, ..)| *known == sex)
        .map_or("", |(_, word, _)| word)
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

fn facilities_text(facilities: &Facilities) -> String {
    match facilities {
        Facilities::All => "*".to_owned(),
        Facilities::Only(codes) => codes
            .iter()
            .map(FacilityId::to_string)
            .collect::<Vec<_>>()
            .join(";"),
    }
}

fn categories(text: &str) -> Option<Categories> {
    if text == "*" {
        return Some(Categories::ALL);
    }
    text.split(';')
        .map(|word| Category::named(word.trim()))
        .collect()
}

fn categories_text(categories: Categories) -> String {
    if categories == Categories::ALL {
        return "*".to_owned();
    }
    categories
        .iter()
        .map(Category::name)
        .collect::<Vec<_>>()
        .join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 17] = [
        "C-0001",
        "C-1",
        "1",
        "2026-04-01",
        "見本",
        "self",
        "ミホン ハナコ",
        "1950-01-31",
        "female",
        "1319999901:0000000001;1319999902:7",
        "1319999901",
        "*",
        "lab;prescription",
        "2026-04-01",
        "",
        "窓口",
        "棚1",
    ];

    fn read(change: Option<(&str, &'static str)>) -> Result<ConsentPaper, Vec<&'static str>> {
        let text = |name: &str| {
            let at = ConsentPaper::FIELDS
                .iter()
                .position(|field| *field == name)
                .unwrap();
            change
                .filter(|(field, _)| *field == name)
                .map_or(GOOD[at], |(_, text)| text)
        };
        let read = ConsentPaper::from_fields(text);
        read.map_err(|fields| fields.into_iter().map(|wrong| wrong.field).collect())
    }

    fn check(field: &'static str, text: &'static str, good: bool) {
        let read = read(Some((field, text))).map(|_| ());
        assert_eq!(
            read,
            if good { Ok(()) } else { Err(vec![field]) },
            "{field} {text}"
        );
    }

    #[test]
    fn a_form_comes_back_from_its_own_text() {
        let paper = read(None).unwrap_or_else(|fields| panic!("{fields:?}"));
        assert_eq!(paper.local_ids.len(), 2);
        assert_eq!(paper.to, None);
        let fields = paper.to_fields();
        // Categories stand in their fixed order.
        let expected = GOOD.map(|text| text.replace("lab;prescription", "prescription;lab"));
        assert!(
            fields.iter().map(|(_, text)| text).eq(expected.iter()),
            "{fields:?}"
        );
    }

    #[test]
    fn every_field_with_a_form_of_its_own_is_checked() {
        check("consent_no", "同意1", false);
        check("signed_on", "2026/04/01", false);
        check("birth_date", "1950-02-30", false);
        check("local_ids", "1319999901", false);
        check("local_ids", "1319999901:../x", false);
        check("sources", "", false);
        check("sources", "1319999901;", false);
        check("readers", "*", true);
        check("categories", "labs", false);
        check("categories", "*", true);
        check("to", "2027-03-31", true);
        check("to", "later", false);
    }

    /// The column as docs/operations.md has it, and nothing beside it.
    #[test]
    fn a_sex_is_written_in_one_of_eight_ways() {
        for text in ["male", "female", "other", "unknown", "M", "F", "O", "U"] {
            check("sex", text, true);
        }
        for text in ["", "x", "m", "Male", "MALE", " male", "A", "N", "男", "1"] {
            check("sex", text, false);
        }
        let manual = include_str!("../../../docs/operations.md");
        let row = "| `sex` | `male`, `female`, `other`, `unknown`, or `M`, `F`, `O`, `U` |";
        assert!(manual.contains(row), "the manual says the same");
    }

    #[test]
    fn a_withdrawal_may_be_incomplete_but_not_wrong() {
        let read = |date: &'static str| {
            WithdrawalPaper::from_fields(move |field| match field {
                "consent_no" => "C-0001",
                "withdrawn_on" => date,
                _ => "",
            })
        };
        assert!(read("").is_ok_and(|paper| !paper.is_complete()));
        assert!(read("soon").is_err_and(|fields| fields[0].field == "withdrawn_on"));
    }
}
