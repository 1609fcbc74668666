//! What an insider may know of a patient, and the same of one who does not exist.

use std::collections::BTreeMap;

use crate::support::{CLINICAL, Hub, Running, encoded};

/// What can be known of a patient from outside.
#[derive(Clone)]
pub(super) struct About {
    pub(super) patient: String,
    pub(super) local_id: String,
    pub(super) local_system: String,
    pub(super) consent_no: String,
    pub(super) kana: String,
    pub(super) birth_date: String,
    pub(super) version: String,
    /// An id of each resource type.
    pub(super) records: BTreeMap<&'static str, String>,
}

impl About {
    /// What the requester with a grant knows.
    pub(super) fn read(
        hub: &Hub,
        running: &Running,
        token: &str,
        patient: &samples::Patient,
        consent_no: &str,
    ) -> Self {
        let id = hub.patient(consent_no);
        let read = running.get(Some(token), &format!("/fhir/Patient/{id}"));
        let person = read.json();
        let local = person["identifier"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["value"] == patient.person.local_id.as_str());
        let types = CLINICAL.iter().chain(&["Consent"]);
        let first = |kind: &&'static str| {
            let found = running.all(token, &format!("{kind}?patient={id}"));
            (
                *kind,
                found.first().unwrap_or_else(|| panic!("no {kind}"))["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            )
        };
        Self {
            records: types.map(first).chain([("Patient", id.clone())]).collect(),
            patient: id,
            local_id: patient.person.local_id.clone(),
            local_system: local.unwrap()["system"].as_str().unwrap().to_owned(),
            consent_no: consent_no.to_owned(),
            kana: patient.paper.kana.replace(' ', ""),
            birth_date: patient.paper.birth_date.clone(),
            version: read.headers["etag"].to_str().unwrap().to_owned(),
        }
    }

    /// Somebody of the same kind who does not exist.
    pub(super) fn nobody(&self) -> Self {
        let other = |text: &String| turned(text);
        Self {
            patient: other(&self.patient),
            local_id: other(&self.local_id),
            local_system: self.local_system.clone(),
            consent_no: other(&self.consent_no),
            kana: "アルハズモナイナマエ".to_owned(),
            birth_date: "1899-11-30".to_owned(),
            version: "W/\"1\"".to_owned(),
            records: self
                .records
                .iter()
                .map(|(kind, id)| (*kind, other(id)))
                .collect(),
        }
    }

    pub(super) fn ids(&self) -> Vec<&str> {
        let own = [self.local_id.as_str(), &self.consent_no];
        own.into_iter()
            .chain(self.records.values().map(String::as_str))
            .collect()
    }

    /// A text without what it repeats of the question.
    pub(super) fn neutral(&self, text: &str) -> String {
        let echoed = self
            .ids()
            .into_iter()
            .chain([self.kana.as_str(), &self.birth_date]);
        let plain = echoed.fold(text.to_owned(), |text, id| {
            text.replace(&encoded(id), "*").replace(id, "*")
        });
        // A cursor is sealed, so it is another text every time.
        let mut parts = plain.split("_cursor=");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + part.trim_start_matches(|letter| letter != '"')
        })
    }
}

/// The same letters in another order.
fn turned(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    let places: Vec<usize> = (1..letters.len() - 1)
        .filter(|at| letters[*at].is_ascii_alphanumeric())
        .collect();
    let mut other = letters.clone();
    for (from, to) in places.iter().zip(places.iter().cycle().skip(1)) {
        other[*to] = letters[*from];
    }
    let other: String = other.into_iter().collect();
    assert_ne!(other, id);
    other
}
