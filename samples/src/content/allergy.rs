//! ADT-61: allergy lists (IAM); AL1 for the messages that carry it.

use super::{Family, Record, evn};
use crate::catalog::allergens::Allergen;
use crate::hl7::{Code, Segment, code, escape};
use crate::person::Person;
use crate::time::Moment;
use serde_json::{Value, json};

const SEVERITIES: [(Code, &str); 4] = [
    (code("SV", "重度", "HL70128"), "severe"),
    (code("MO", "中等度", "HL70128"), "moderate"),
    (code("MI", "軽度", "HL70128"), "mild"),
    (code("U", "不明", "HL70128"), ""),
];

/// The list of one slot.
#[derive(Clone, Debug)]
pub(crate) struct AllergyList {
    pub(crate) recorded: Moment,
    pub(crate) items: Vec<Item>,
}

/// One IAM.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) allergen: Allergen,
    /// Index into the severities SV, MO, MI, U.
    pub(crate) severity: usize,
    /// IAM-6 = D, with the reason in IAM-8.
    pub(crate) deleted: bool,
    /// IAM-7.
    pub(crate) id: Option<String>,
    pub(crate) onset: Onset,
    pub(crate) reported: Moment,
}

/// When it began, as the patient remembers.
#[derive(Clone, Debug)]
pub(crate) enum Onset {
    Unknown,
    Date(Moment),
    Text(&'static str),
}

impl AllergyList {
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        let head = [evn(self.recorded, Some(self.recorded)), patient.pid()];
        let items = self.items.iter().zip(1..).map(|(item, n)| item.iam(n));
        head.into_iter().chain(items).collect()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let record = |item: &Item| Record {
            family: Family::Allergies,
            value: item.truth(),
        };
        self.items.iter().map(record).collect()
    }
}

impl Item {
    fn severity(&self) -> (Code, &'static str) {
        let unknown = (code("U", "不明", "HL70128"), "");
        SEVERITIES.get(self.severity).copied().unwrap_or(unknown)
    }

    fn iam(&self, number: u32) -> Segment {
        let segment = Segment::new("IAM")
            .set(1, number.to_string())
            .set(2, self.allergen.category.cwe())
            .set(3, self.allergen.substance.cwe())
            .set(4, self.severity().0.cwe())
            .set(5, escape(self.allergen.reaction))
            .set(7, self.id.clone().unwrap_or_default())
            .set(13, self.reported.date());
        let segment = match &self.onset {
            Onset::Unknown => segment,
            Onset::Date(day) => segment.set(11, day.date()),
            Onset::Text(text) => segment.set(12, *text),
        };
        if self.deleted {
            segment.set(6, "D^削除^HL70323").set(8, "誤登録のため")
        } else {
            segment
                .set(6, "A^追加^HL70323")
                .set(17, "C^確認または証明されている^HL70438")
        }
    }

    fn truth(&self) -> Value {
        let mut truth = self.allergen.truth("IAM");
        let (_, severity) = self.severity();
        let (onset, onset_text) = match &self.onset {
            Onset::Unknown => (None, None),
            Onset::Date(day) => (Some(day.iso_date()), None),
            Onset::Text(text) => (None, Some(*text)),
        };
        if let Some(fields) = truth.as_object_mut() {
            fields.insert(
                "clinicalStatus".to_owned(),
                json!(if self.deleted { "inactive" } else { "active" }),
            );
            fields.insert(
                "action".to_owned(),
                json!(if self.deleted { "D" } else { "A" }),
            );
            fields.insert(
                "reason".to_owned(),
                json!(self.deleted.then_some("誤登録のため")),
            );
            fields.insert(
                "verificationStatus".to_owned(),
                json!((!self.deleted).then_some("confirmed")),
            );
            fields.insert(
                "severity".to_owned(),
                json!((!severity.is_empty()).then_some(severity)),
            );
            fields.insert("identifier".to_owned(), json!(self.id));
            fields.insert("onsetDateTime".to_owned(), json!(onset));
            fields.insert("onsetString".to_owned(), json!(onset_text));
            fields.insert("recordedDate".to_owned(), json!(self.reported.iso_date()));
        }
        truth
    }
}

impl Allergen {
    /// What IAM and AL1 have in common; `source` names the segment.
    pub(crate) fn truth(&self, source: &str) -> Value {
        let category = match self.category.code {
            "DA" => Some("medication"),
            "FA" => Some("food"),
            "EA" | "PA" | "LA" => Some("environment"),
            "AA" => Some("biologic"),
            _ => None,
        };
        json!({
            "source": source,
            "category": category,
            "categoryText": self.category.text,
            "code": self.substance.truth(),
            "reaction": (!self.reaction.is_empty()).then_some(self.reaction),
        })
    }
}

/// AL1, in demographics and orders.
pub(crate) fn al1(number: u32, allergen: &Allergen) -> Segment {
    Segment::new("AL1")
        .set(1, number.to_string())
        .set(2, allergen.category.cwe())
        .set(3, allergen.substance.cwe())
}
