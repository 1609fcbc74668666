//! The desk: demographics, receptions, allergies, diagnoses.

use super::Story;
use crate::catalog::allergens::{ALLERGENS, GROUPS};
use crate::catalog::diseases::{ACUTE, CHRONIC, Disease, UNCODED};
use crate::content::Message;
use crate::content::allergy::{AllergyList, Item, Onset};
use crate::content::demographics::Demographics;
use crate::content::encounter::{Event, Visit};
use crate::content::problem::{Problem, ProblemList, Suspicion};
use crate::hl7::{Code, code};
use crate::hospital::Doctor;
use crate::person::Person;
use crate::random::Random;
use crate::tape::Draft;
use crate::time::Moment;

const BLOOD_GROUPS: [Code; 4] = [
    code("A", "A", "JSHR002"),
    code("B", "B", "JSHR002"),
    code("O", "O", "JSHR002"),
    code("AB", "AB", "JSHR002"),
];

/// What the scales say, and what never changes.
pub(crate) struct Body {
    height: i64,
    weight: i64,
    abo: Code,
    al1: bool,
    measured: bool,
}

impl Body {
    pub(crate) fn any(random: &mut Random) -> Self {
        Self {
            height: random.between(1450, 1850),
            weight: random.between(420, 900),
            abo: *random.pick(&BLOOD_GROUPS),
            al1: random.chance(30),
            measured: random.chance(50),
        }
    }

    /// ADT-00 of a person with this body.
    pub(crate) fn demographics(
        &self,
        person: &Person,
        doctor: Doctor,
        recorded: Moment,
    ) -> Message {
        let allergy = GROUPS.first().copied().filter(|_| self.al1);
        Message::Demographics(Box::new(Demographics {
            person: person.clone(),
            recorded,
            doctor,
            height: self.height,
            weight: self.weight,
            abo: self.abo,
            measured: self.measured.then_some(recorded),
            allergies: allergy.into_iter().collect(),
        }))
    }
}

impl Story {
    /// ADT-00 as of now.
    pub(super) fn register(&mut self) {
        let recorded = self.daytime();
        let message = self
            .body
            .demographics(&self.tape.person, self.doctor, recorded);
        let draft = self.draft(message, self.today, None, recorded);
        self.put(&draft);
    }

    /// The first day: reception, diagnoses, mostly a list of allergies.
    pub(super) fn first_visit(&mut self) {
        self.receive();
        let diseases = self.diseases.clone();
        for disease in diseases {
            let problem = self.problem(disease);
            self.problems.push(problem);
        }
        if let Some(problem) = self.problems.first_mut() {
            problem.main = true;
        }
        self.record_all_problems();
        if self.random.chance(60) {
            self.record_allergies();
        }
    }

    /// ADT-12 today.
    pub(super) fn receive(&mut self) {
        let arrived = self.daytime();
        let draft = self.reception(arrived);
        self.put(&draft);
    }

    pub(super) fn reception(&mut self, arrived: Moment) -> Draft {
        let visit = Visit {
            arrived,
            doctor: self.doctor,
        };
        let message = Message::Encounter(Event::Visit(visit));
        self.draft(message, arrived, None, arrived)
    }

    /// ADT-61, the whole list.
    fn record_allergies(&mut self) {
        let mut items = Vec::new();
        for (allergen, n) in self.random.some_of(&ALLERGENS, 35).into_iter().zip(1..) {
            let onset = match self.random.below(3) {
                0 => Onset::Unknown,
                1 => Onset::Date(Moment::day(2007, 7, 10).plus_days(self.random.between(0, 900))),
                _ => Onset::Text("小学校入学前"),
            };
            items.push(Item {
                allergen: *allergen,
                severity: usize::try_from(self.random.below(4)).unwrap_or(0),
                deleted: n > 1 && self.random.chance(20),
                id: self
                    .random
                    .chance(50)
                    .then(|| format!("A{}{n:02}", self.tape.person.local_id)),
                onset,
                reported: self.today,
            });
        }
        if items.is_empty() {
            return;
        }
        let recorded = self.daytime();
        let message = Message::Allergies(AllergyList { recorded, items });
        let draft = self.draft(message, self.today, None, recorded);
        self.put(&draft);
    }

    /// A diagnosis made today, sure or not.
    pub(super) fn problem(&mut self, disease: &'static Disease) -> Problem {
        let suspicion = match self.random.below(12) {
            0 => Suspicion::Coded,
            1 => Suspicion::Bare,
            2 => Suspicion::Suffix,
            _ => Suspicion::None,
        };
        self.next_problem += 1;
        let number = self.next_problem;
        let onset = self.random.chance(50);
        Problem {
            disease,
            number,
            id: format!("D{}{number:03}", self.tape.person.local_id),
            doctor: self.doctor,
            diagnosed: self.today,
            onset: onset.then(|| self.today.plus_days(-self.random.between(3, 400))),
            outcome: None,
            suspicion,
            acute_prefix: disease.icd10 == "K297",
            main: false,
            deleted: false,
            restricted: false,
        }
    }

    /// A disease that passes, or a bruise that nobody coded.
    pub(super) fn fall_ill(&mut self) -> &'static Disease {
        let disease = if self.random.chance(15) {
            &UNCODED
        } else {
            self.random.pick(&ACUTE)
        };
        let problem = self.problem(disease);
        self.problems.push(problem);
        self.record_problems();
        disease
    }

    /// Acute diseases of more than three weeks are over.
    pub(super) fn recover(&mut self) {
        let today = self.today;
        let chronic = |problem: &Problem| CHRONIC.iter().any(|d| d.name == problem.disease.name);
        let mut changed = Vec::new();
        for problem in &mut self.problems {
            let over = problem.diagnosed.days_until(today) > 21 && problem.outcome.is_none();
            if over && !chronic(problem) && !problem.deleted {
                problem.outcome = Some(("F", "完全に回復", today));
                changed.push(problem.clone());
            }
        }
        for problem in changed {
            self.record_problem(&problem);
        }
    }

    /// PPR-01 with what is new: the whole list again, or the last diagnosis in its own slot.
    fn record_problems(&mut self) {
        if let Some(problem) = self.problems.last().cloned() {
            self.record_problem(&problem);
        }
    }

    /// PPR-01 for every diagnosis known.
    fn record_all_problems(&mut self) {
        if self.whole_list {
            self.record_problems();
        } else {
            for problem in self.problems.clone() {
                self.record_problem(&problem);
            }
        }
    }

    /// PPR-01 after a change of one diagnosis.
    pub(super) fn record_problem(&mut self, problem: &Problem) {
        let recorded = self.daytime();
        let (order, problems) = if self.whole_list {
            (None, self.problems.clone())
        } else {
            // INVARIANT: a patient has fewer than 9,000 other orders, so these numbers are free.
            (
                Some(self.first_order + 9_000 + problem.number),
                vec![problem.clone()],
            )
        };
        let message = Message::Problems(ProblemList {
            recorded,
            order,
            problems,
        });
        let draft = self.draft(message, self.today, order, recorded);
        self.put(&draft);
    }
}
