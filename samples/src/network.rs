//! A hospital with its patients: each is made on demand from the seed and its number, so that a
//! million files need no more memory than one patient.

use crate::content::Record;
use crate::person::{NameForm, Person};
use crate::quirk::Quirk;
use crate::random::Random;
use crate::step::Timed;
use crate::storage::Version;
use crate::story::{Extent, Story};
use crate::tape::{Said, Tape};
use crate::tree::Tree;
use crate::truth::Reading;
use crate::wire::Form;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// An invented hospital.
#[derive(Clone, Debug)]
pub struct Network {
    seed: u64,
    patients: u64,
    files: Option<u64>,
    mix: Mix,
}

/// How well the storage is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Every deviation, every character set.
    Rough,
    /// One character set, corrections and deletions as they happen, nothing wrong.
    Ordinary,
}

/// One patient with everything that was written about them.
#[derive(Clone, Debug)]
pub struct Patient {
    /// The person as of the newest demographics.
    pub person: Person,
    /// What a paper of theirs says, which may disagree with the hospital.
    pub paper: Paper,
    /// Deviations that their storage contains.
    pub quirks: Vec<Quirk>,
    /// How their files are written.
    pub form: Form,
    /// What happened to the storage, in the order of time.
    pub steps: Vec<Timed>,
    /// The storage after all steps.
    pub tree: Tree,
    said: BTreeMap<Version, Said>,
    stays: Vec<Record>,
}

/// Demographics on a consent paper.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    /// Family and given name, full-width katakana.
    pub kana: String,
    /// `YYYY-MM-DD`
    pub birth_date: String,
    /// `F` or `M`.
    pub sex: String,
}

impl Network {
    /// A rough network: the same seed and number of patients give the same bytes.
    pub const fn generate(seed: u64, patients: u64) -> Self {
        Self {
            seed,
            patients,
            files: None,
            mix: Mix::Rough,
        }
    }

    /// The same with another mix.
    #[must_use]
    pub const fn with_mix(mut self, mix: Mix) -> Self {
        self.mix = mix;
        self
    }

    /// The same with about `files` files, spread evenly over the patients.
    #[must_use]
    pub const fn with_files(mut self, files: u64) -> Self {
        self.files = Some(files);
        self
    }

    /// The hospital of `samples/demo-hospital.tar.xz`.
    pub const fn demo() -> Self {
        Self::generate(40, 40)
            .with_mix(Mix::Ordinary)
            .with_files(1500)
    }

    /// Number of patients.
    pub const fn len(&self) -> u64 {
        self.patients
    }

    /// True when there is no patient.
    pub const fn is_empty(&self) -> bool {
        self.patients == 0
    }

    /// Patients one after another; each is dropped before the next is made.
    pub fn patients(&self) -> impl Iterator<Item = Patient> {
        (0..self.patients).map(|number| self.patient(number))
    }

    /// The patient of a number, without making the others.
    pub fn patient(&self, number: u64) -> Patient {
        let mut random = Random::new(self.seed, number);
        let name_form = self.name_form(&mut random, number);
        let person = Person::invent(&mut random, local_id(number), name_form);
        let form = self.form(&mut random, number, name_form);
        let quirks = self.quirks(&mut random, number);
        let extent = Extent {
            files: self.files.map(|files| share(files, number, self.patients)),
            mixed_results: self.mix == Mix::Rough,
        };
        let first_order = (number + 1) * 10_000;
        let tape = Tape::new(person, form, first_order * 10);
        let mut story = Story::new(random, tape, first_order, extent);
        story.tell(extent, &quirks);
        let Story { tape, stays, .. } = story;
        let paper = Paper::of(&tape.person, &quirks);
        let mut steps = tape.steps;
        steps.sort_by_key(|timed| timed.at);
        Patient {
            person: tape.person,
            paper,
            quirks,
            form,
            steps,
            tree: tape.tree,
            said: tape.said,
            stays,
        }
    }

    /// All steps of all patients in the order of time; for networks that fit into memory.
    pub fn steps(&self) -> Vec<Timed> {
        let mut steps: Vec<Timed> = self.patients().flat_map(|patient| patient.steps).collect();
        steps.sort_by_key(|timed| timed.at);
        steps
    }

    fn name_form(&self, random: &mut Random, number: u64) -> NameForm {
        const FORMS: [NameForm; 5] = [
            NameForm::HalfWidthKana,
            NameForm::Unsplit,
            NameForm::Gaiji,
            NameForm::Extended,
            NameForm::Unmarked,
        ];
        if self.mix == Mix::Rough && number % 3 == 1 {
            *random.pick(&FORMS)
        } else {
            NameForm::Usual
        }
    }

    fn form(&self, random: &mut Random, number: u64, name_form: NameForm) -> Form {
        match self.mix {
            Mix::Ordinary => Form::STANDARD,
            // Extension characters come from senders that think in code page 932.
            Mix::Rough if name_form == NameForm::Extended => Form::any(random),
            Mix::Rough => {
                let turn = usize::try_from(number / 2).unwrap_or(0) % Form::ALL.len();
                let by_turn = Form::ALL.get(turn).filter(|_| number % 2 == 1);
                by_turn.copied().unwrap_or(Form::STANDARD)
            }
        }
    }

    /// One quirk by turn, so that all occur, and some by chance.
    fn quirks(&self, random: &mut Random, number: u64) -> Vec<Quirk> {
        let all: &[Quirk] = match self.mix {
            Mix::Rough => &Quirk::ALL,
            Mix::Ordinary => &Quirk::ORDINARY,
        };
        let turn = usize::try_from(number).unwrap_or(0) % all.len();
        let own = all.get(turn).copied();
        let mut quirks: Vec<Quirk> = own.into_iter().collect();
        for quirk in random.some_of(all, 8) {
            let about_paper = matches!(
                quirk,
                Quirk::PaperKanaDiffers | Quirk::PaperBirthDateDiffers
            );
            if !about_paper && !quirks.contains(quirk) {
                quirks.push(*quirk);
            }
        }
        quirks
    }
}

impl Patient {
    /// What a correct reader gives, see `truth.rs`.
    pub fn truth(&self) -> Value {
        let unproved = [Quirk::PaperKanaDiffers, Quirk::PaperBirthDateDiffers];
        let proved = !unproved.iter().any(|quirk| self.quirks.contains(quirk));
        let Paper {
            kana,
            birth_date,
            sex,
        } = &self.paper;
        let quirks: Vec<String> = self
            .quirks
            .iter()
            .map(|quirk| format!("{quirk:?}"))
            .collect();
        let mut truth = Map::new();
        truth.insert("localId".to_owned(), json!(self.person.local_id));
        truth.insert(
            "link".to_owned(),
            json!(if proved { "proved" } else { "unproved" }),
        );
        truth.insert(
            "paper".to_owned(),
            json!({"kana": kana, "birthDate": birth_date, "sex": sex}),
        );
        truth.insert("quirks".to_owned(), json!(quirks));
        truth.extend(Reading::new(&self.tree, &self.said).truth(&self.stays));
        Value::Object(truth)
    }

    /// The file names of this patient's storage without their flags.
    pub fn versions(&self) -> impl Iterator<Item = &Version> {
        self.tree.files().map(|(entry, _)| &entry.version)
    }
}

impl Paper {
    fn of(person: &Person, quirks: &[Quirk]) -> Self {
        let kana = if quirks.contains(&Quirk::PaperKanaDiffers) {
            "ベツジン イチロウ".to_owned()
        } else {
            person.kana()
        };
        let birth = if quirks.contains(&Quirk::PaperBirthDateDiffers) {
            person.birth.plus_days(-365)
        } else {
            person.birth
        };
        Self {
            kana,
            birth_date: birth.iso_date(),
            sex: person.sex.to_owned(),
        }
    }
}

/// Ten digits that spread over the folders and never meet: 7,654,321 and 10⁸ have no divisor in
/// common.
pub(crate) fn local_id(number: u64) -> String {
    format!("{:010}", (number + 1).wrapping_mul(7_654_321) % 100_000_000)
}

/// The files of one patient out of all.
const fn share(files: u64, number: u64, patients: u64) -> u64 {
    files * (number + 1) / patients - files * number / patients
}

#[cfg(test)]
mod tests;
