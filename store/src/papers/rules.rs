//! Whether a consent form can be entered as it is: what can be said without looking at other papers.

use std::collections::BTreeSet;

use jiff::civil::Date;
use model::id::FacilityId;
use model::network::Network;
use model::papers::{ConsentPaper, Facilities};

use super::Fold;

/// Longest text of a field, in characters.
const LONGEST: usize = 200;

/// A field that cannot be as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Name of the field, as in the CSV form.
    pub field: &'static str,
    /// What is wrong, lower-case, without full stop and without the value.
    pub message: String,
}

impl Wrong {
    fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self {
            field,
            message: message.into(),
        }
    }
}

/// All fields that cannot be as they are.
pub(super) fn wrongs(
    paper: &ConsentPaper,
    network: &Network,
    today: Date,
    fold: Fold,
) -> Vec<Wrong> {
    let mut wrongs = Vec::new();
    form(paper, network, &mut wrongs);
    texts(paper, &mut wrongs);
    person(paper, today, fold, &mut wrongs);
    local_ids(paper, network, &mut wrongs);
    scope(paper, network, &mut wrongs);
    wrongs
}

fn form(paper: &ConsentPaper, network: &Network, wrongs: &mut Vec<Wrong>) {
    if let Some(form) = network
        .profile
        .consent_form
        .as_deref()
        .filter(|form| *form != paper.form)
    {
        wrongs.push(Wrong::new(
            "form",
            format!("the network's regulation has form {form}"),
        ));
    }
}

fn texts(paper: &ConsentPaper, wrongs: &mut Vec<Wrong>) {
    let fields = [
        ("form", &paper.form),
        ("form_version", &paper.form_version),
        ("signer", &paper.signer),
        ("relation", &paper.relation),
        ("explained_by", &paper.explained_by),
        ("kept_at", &paper.kept_at),
    ];
    for (field, text) in fields {
        if text.trim().is_empty() {
            wrongs.push(Wrong::new(field, "is empty"));
        } else if text.chars().count() > LONGEST {
            wrongs.push(Wrong::new(
                field,
                format!("is longer than {LONGEST} characters"),
            ));
        }
    }
}

fn person(paper: &ConsentPaper, today: Date, fold: Fold, wrongs: &mut Vec<Wrong>) {
    if paper.signed_on > today {
        wrongs.push(Wrong::new("signed_on", "lies in the future"));
    }
    if paper.birth_date > paper.signed_on {
        wrongs.push(Wrong::new("birth_date", "is later than the signature"));
    }
    let kana = fold(&paper.kana);
    if kana.trim().is_empty() || kana.chars().count() > LONGEST || !kana.chars().all(is_kana) {
        wrongs.push(Wrong::new("kana", "is not a name in kana"));
    }
}

/// Katakana, and the Latin letters of people who have no other writing.
fn is_kana(char: char) -> bool {
    char.is_whitespace() || matches!(char, 'ァ'..='ヺ' | 'ー' | '・' | '-' | 'a'..='z' | 'A'..='Z')
}

fn local_ids(paper: &ConsentPaper, network: &Network, wrongs: &mut Vec<Wrong>) {
    if paper.local_ids.is_empty() {
        wrongs.push(Wrong::new("local_ids", "names no local id"));
    }
    let distinct: BTreeSet<_> = paper.local_ids.iter().collect();
    if distinct.len() != paper.local_ids.len() {
        wrongs.push(Wrong::new("local_ids", "names a local id twice"));
    }
    let facilities = paper.local_ids.iter().map(|local| &local.facility);
    strangers("local_ids", facilities, network, wrongs);
}

fn scope(paper: &ConsentPaper, network: &Network, wrongs: &mut Vec<Wrong>) {
    for (field, facilities) in [("sources", &paper.sources), ("readers", &paper.readers)] {
        if let Facilities::Only(named) = facilities {
            if named.is_empty() {
                wrongs.push(Wrong::new(field, "names no facility"));
            }
            strangers(field, named, network, wrongs);
        }
    }
    if paper.categories.is_empty() {
        wrongs.push(Wrong::new("categories", "names no category"));
    }
    if paper.to.is_some_and(|to| to < paper.from) {
        wrongs.push(Wrong::new("to", "is earlier than the first day"));
    }
}

fn strangers<'a>(
    field: &'static str,
    facilities: impl IntoIterator<Item = &'a FacilityId>,
    network: &Network,
    wrongs: &mut Vec<Wrong>,
) {
    let outside = facilities
        .into_iter()
        .filter(|facility| !network.facilities.contains_key(facility));
    let distinct: BTreeSet<&FacilityId> = outside.collect();
    let wrong = |facility| Wrong::new(field, format!("facility {facility} is not in the network"));
    wrongs.extend(distinct.into_iter().map(wrong));
}
