//! What the reference model says about a patient's files, in the lines of `reading`.

use samples::{History, Kind, Patient, Quirk, Shown, Tree};
use serde_json::Value;

/// The test whose result the histories of one slot change.
const TEST: &str = "5C070000002306201";

/// Somebody whose files change.
pub(crate) enum Person {
    /// A patient with one slot to which everything happens.
    OfOneSlot(Box<History>),
    /// A patient of a hospital, with every kind of data.
    OfHospital(Box<Patient>),
}

impl Person {
    /// Number at the facility.
    pub(crate) fn local_id(&self) -> &str {
        match self {
            Self::OfOneSlot(history) => &history.person.local_id,
            Self::OfHospital(patient) => &patient.person.local_id,
        }
    }

    /// Name, birth date and sex as a paper says them.
    pub(crate) fn paper(&self) -> (String, String, String) {
        match self {
            Self::OfOneSlot(history) => {
                let person = &history.person;
                (
                    person.kana(),
                    person.birth.iso_date(),
                    person.sex.to_owned(),
                )
            }
            Self::OfHospital(patient) => {
                let paper = patient.paper.clone();
                (paper.kana, paper.birth_date, paper.sex)
            }
        }
    }

    /// Whether their paper says what the hospital knows from the first day: else it comes last.
    pub(crate) fn keeps_their_name(&self) -> bool {
        match self {
            Self::OfOneSlot(_) => true,
            Self::OfHospital(patient) => !patient.quirks.contains(&Quirk::NameChanged),
        }
    }

    /// Everything that must be readable while the storage is as `tree` says, in the alphabet's order.
    /// Inpatient stays are known only of the whole story: they are said when `whole`.
    pub(crate) fn lines(&self, tree: &Tree, whole: bool) -> Vec<String> {
        let mut lines = match self {
            Self::OfOneSlot(history) => of_one_slot(history, tree),
            Self::OfHospital(patient) => {
                let mut patient = patient.clone();
                patient.tree = tree.clone();
                of_truth(&patient.truth(), whole)
            }
        };
        lines.sort();
        lines
    }

    /// Whether a line belongs to what [`Person::lines`] speaks of. It does not speak of demographics
    /// that a reader takes from an order because there is no ADT-00 yet.
    pub(crate) fn speaks_of(&self, line: &str, tree: &Tree, whole: bool) -> bool {
        let stay = line.starts_with("Encounter IMP");
        match self {
            Self::OfOneSlot(_) => stay || line.contains(TEST),
            Self::OfHospital(_) if line.starts_with("Patient") => {
                tree.slots().iter().any(|slot| slot.kind == Kind::Adt00)
            }
            Self::OfHospital(_) => whole || !stay,
        }
    }
}

fn of_one_slot(history: &History, tree: &Tree) -> Vec<String> {
    let fact = |mark: &str| match history.slot.kind {
        Kind::Adt22 => format!("Encounter IMP {mark} "),
        _ => format!("Observation {TEST} 2024-04-01T09:00:00+09:00 final {mark}"),
    };
    match history.shown(tree) {
        Shown::Nothing | Shown::Cancelled => Vec::new(),
        Shown::Version(mark) => vec![fact(&mark)],
        Shown::Superseded(mark) => vec![format!("{} superseded-only", fact(&mark))],
    }
}

/// The line of a fact of the truth.
type Line = fn(&Value) -> String;

/// The lists of a truth.
const LISTS: [(&str, Line); 5] = [
    ("encounters", encounter),
    ("conditions", condition),
    ("allergies", allergy),
    ("medicationRequests", medication),
    ("observations", observation),
];

/// The lines of a truth; nothing at all while the link is not proved.
fn of_truth(truth: &Value, whole: bool) -> Vec<String> {
    if truth["link"] != "proved" {
        return Vec::new();
    }
    let mut lines: Vec<String> = Vec::new();
    for (name, line) in LISTS {
        let readable = list(&truth[name])
            .iter()
            .filter(|fact| is_readable(fact, whole));
        lines.extend(readable.map(|fact| format!("{}{}", line(fact), tag(fact))));
    }
    if !truth["patient"].is_null() {
        lines.push(format!(
            "{}{}",
            patient(&truth["patient"]),
            tag(&truth["patient"])
        ));
    }
    lines
}

/// A restricted diagnosis exists for nobody whose grant does not say so, and a stay that was called
/// off is not shown.
fn is_readable(fact: &Value, whole: bool) -> bool {
    let restricted = !fact["security"].is_null();
    let stay = fact["class"] == "IMP";
    !restricted && (!stay || whole && fact["status"] != "cancelled")
}

fn tag(fact: &Value) -> &'static str {
    if fact["tag"] == "superseded-only" {
        " superseded-only"
    } else {
        ""
    }
}

fn patient(patient: &Value) -> String {
    let name = |name: &Value| format!("{}{}", text(&name["family"]), text(&name["given"]));
    let mut names: Vec<String> = list(&patient["name"]).iter().map(name).collect();
    names.sort();
    format!(
        "Patient {} {} {}",
        text(&patient["identifier"]),
        text(&patient["birthDate"]),
        names.join(",")
    )
}

fn encounter(encounter: &Value) -> String {
    let end = if encounter["class"] == "AMB" {
        ""
    } else {
        text(&encounter["end"])
    };
    format!(
        "Encounter {} {} {end}",
        text(&encounter["class"]),
        text(&encounter["start"])
    )
}

fn condition(condition: &Value) -> String {
    let status = match text(&condition["verificationStatus"]) {
        "entered-in-error" => "entered-in-error",
        _ => text(&condition["clinicalStatus"]),
    };
    format!("Condition {} {status}", text(&condition["identifier"]))
}

fn allergy(allergy: &Value) -> String {
    let taken_back = if allergy["action"] == "D" {
        "taken back"
    } else {
        ""
    };
    format!(
        "AllergyIntolerance {} {} {taken_back}",
        text(&allergy["code"]["code"]),
        text(&allergy["identifier"])
    )
}

fn medication(request: &Value) -> String {
    let drug = |concepts: &Value| text(&concepts[0]["code"]).to_owned();
    let order = format!(
        "MedicationRequest {} {}",
        text(&request["orderNumber"]),
        text(&request["rpNumber"])
    );
    if request["kind"] == "injection" {
        let drugs: Vec<String> = list(&request["ingredients"])
            .iter()
            .map(|part| drug(&part["medication"]))
            .collect();
        let total = text(&request["total"]["value"]);
        return format!(
            "{order} {} {total} {}",
            text(&request["administration"]),
            drugs.join("+")
        );
    }
    let total = text(&request["quantity"]["value"]);
    format!(
        "{order} {} {total} {}",
        text(&request["orderInRp"]),
        drug(&request["medication"])
    )
}

fn observation(observation: &Value) -> String {
    let value = &observation["value"];
    let value = match value.as_object().and_then(|value| value.iter().next()) {
        None => String::new(),
        Some((kind, value)) => match kind.as_str() {
            "quantity" => format!("{}{}", text(&value["comparator"]), text(&value["value"])),
            "ratio" => format!("{}:{}", text(&value[0]), text(&value[1])),
            "codeableConcept" => text(&value["code"]).to_owned(),
            _ => text(value).trim().to_owned(),
        },
    };
    let [code, effective, status] = [
        &observation["code"][0]["code"],
        &observation["effective"],
        &observation["status"],
    ]
    .map(text);
    format!("Observation {code} {effective} {status} {value}")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
