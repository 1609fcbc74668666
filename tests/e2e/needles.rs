//! What must not be found anywhere: the words that say who somebody is, and the search for them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use samples::charset::{Charset, half_width};
use serde_json::Value;

/// Shorter words occur by chance.
const SHORTEST: usize = 6;

/// Words of patients.
#[derive(Default)]
pub(crate) struct Words(BTreeSet<String>);

impl Words {
    /// Names in every writing, and local numbers.
    pub(crate) fn names(patients: &[samples::Patient]) -> Self {
        let mut words = Self::default();
        for patient in patients {
            let person = &patient.person;
            let names = [
                &person.family,
                &person.given,
                &person.family_kana,
                &person.given_kana,
            ];
            names.into_iter().for_each(|name| words.add(name));
            words.add(&format!("{}{}", person.family, person.given));
            words.add(&format!("{}　{}", person.family, person.given));
            words.add(&person.kana());
            words.add(&patient.paper.kana);
            words.add(&person.local_id);
        }
        words
    }

    /// The same, with addresses, telephones and days of birth.
    pub(crate) fn everything(patients: &[samples::Patient]) -> Self {
        let mut words = Self::names(patients);
        for patient in patients {
            let truth = patient.truth();
            let about = &truth["patient"];
            let birth = [&about["birthDate"], &truth["paper"]["birthDate"]];
            for day in birth.into_iter().filter_map(Value::as_str) {
                words.add(day);
                words.add(&day.replace('-', ""));
            }
            let places = [&about["address"]["text"], &about["address"]["postalCode"]];
            places
                .into_iter()
                .filter_map(Value::as_str)
                .for_each(|text| words.add(text));
            let numbers = about["telecom"].as_array().into_iter().flatten();
            numbers
                .filter_map(|one| one["value"].as_str())
                .for_each(|number| words.add(number));
        }
        words
    }

    fn add(&mut self, word: &str) {
        for form in [word.to_owned(), half_width(word)] {
            if form.len() >= SHORTEST {
                self.0.insert(form);
            }
        }
    }

    /// Without the words that other texts contain for their own reasons.
    pub(crate) fn except(mut self, text: &str) -> Self {
        self.0.retain(|word| !text.contains(word.as_str()));
        self
    }

    /// The first word that a text contains, as written or percent-encoded.
    pub(crate) fn found_in(&self, text: &str) -> Option<&str> {
        let is_in = |word: &&String| {
            text.contains(word.as_str()) || (!word.is_ascii() && text.contains(&percent(word)))
        };
        self.0.iter().find(is_in).map(String::as_str)
    }

    /// The words in the bytes of every character set that hospitals write, and one word more.
    pub(crate) fn scanner(&self, planted: &str) -> Scanner {
        let mut needles = vec![(planted.as_bytes().to_vec(), planted.to_owned())];
        for word in &self.0 {
            for charset in [Charset::Utf8, Charset::Cp932, Charset::Iso2022Jp] {
                let bytes = charset.encode(word);
                if bytes.len() >= SHORTEST {
                    needles.push((bytes, word.clone()));
                }
            }
        }
        Scanner::new(needles)
    }
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Looks for many byte strings at once: by their first two bytes, then whole.
pub(crate) struct Scanner {
    needles: Vec<(Vec<u8>, String)>,
    by_start: Vec<Vec<usize>>,
}

impl Scanner {
    fn new(needles: Vec<(Vec<u8>, String)>) -> Self {
        let mut by_start = vec![Vec::new(); 1 << 16];
        for (number, (needle, _)) in needles.iter().enumerate() {
            by_start[start(needle)].push(number);
        }
        Self { needles, by_start }
    }

    /// The needles in some bytes.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for (at, two) in bytes.windows(2).enumerate() {
            for number in &self.by_start[start(two)] {
                let (needle, name) = &self.needles[*number];
                if bytes[at..].starts_with(needle) {
                    found.insert(name.as_str());
                }
            }
        }
        found
    }

    /// The needles in files below a folder that were written since a moment, and how many those are.
    pub(crate) fn scan(
        &self,
        folder: &Path,
        skipped: &Path,
        since: SystemTime,
    ) -> (BTreeSet<&str>, usize) {
        let (mut found, mut files, mut folders) = (BTreeSet::new(), 0, vec![folder.to_owned()]);
        while let Some(folder) = folders.pop() {
            // Databases remove folders and files while this looks.
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, meta) = (entry.path(), entry.metadata());
                if path == skipped {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                } else if meta.is_ok_and(|meta| meta.modified().is_ok_and(|at| at >= since)) {
                    found.extend(self.found_in(&fs::read(&path).unwrap_or_default()));
                    files += 1;
                }
            }
        }
        (found, files)
    }
}

fn start(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
}
