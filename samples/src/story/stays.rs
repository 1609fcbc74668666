//! Days on the ward.

use super::Story;
use crate::catalog::drugs::{ADDITIVES, FLUIDS};
use crate::content::Message;
use crate::content::encounter::{Event, Stay};
use crate::content::injection::Injection;
use crate::content::other::Meal;
use crate::hospital::BEDS;
use crate::tape::Draft;
use crate::time::Moment;

impl Story {
    /// A stay from admission to discharge.
    pub(super) fn stay(&mut self) {
        let mut stay = self.admit();
        self.treat(&stay);
        self.leave(&mut stay);
        self.stays.push(stay.record("finished"));
    }

    /// A stay that has no end yet.
    pub(super) fn stay_on(&mut self) {
        let stay = self.admit();
        self.treat(&stay);
        self.stays.push(stay.record("in-progress"));
    }

    /// ADT-22 on the next day, so that no stay begins before another has ended.
    pub(super) fn admit(&mut self) -> Stay {
        self.pass_days(1);
        let stay = Stay {
            bed: self.random.pick::<&str>(&BEDS),
            doctor: self.doctor,
            admitted: self.daytime(),
            discharged: None,
            discharge_names_admission: true,
        };
        let draft = self.admission(Event::Admission(stay.clone()), stay.admitted);
        self.put(&draft);
        stay
    }

    pub(super) fn admission(&mut self, event: Event, admitted: Moment) -> Draft {
        self.draft(Message::Encounter(event), admitted, None, admitted)
    }

    /// ADT-52 some days later.
    pub(super) fn leave(&mut self, stay: &mut Stay) {
        let draft = self.discharge(stay);
        self.put(&draft);
    }

    pub(super) fn discharge(&mut self, stay: &mut Stay) -> Draft {
        let days = self.random.between(2, 9);
        self.pass_days(days);
        let discharged = self.daytime();
        stay.discharged = Some(discharged);
        let message = Message::Encounter(Event::Discharge(stay.clone()));
        self.draft(message, discharged, None, discharged)
    }

    /// Meals, infusions, a laboratory report and the drugs of the ward.
    pub(super) fn treat(&mut self, stay: &Stay) {
        let bed = Some(stay.bed);
        let order = self.order(bed);
        let meal = Message::Meal(Meal {
            order,
            from: self.today,
            until: self.today.plus_days(3),
        });
        let draft = self.draft(meal, self.today, Some(order.number), order.ordered);
        self.put(&draft);
        for _ in 0..self.random.between(1, 3) {
            self.infuse(stay.bed);
        }
        let report = self.lab_report(bed);
        self.put(&report);
        let prescription = self.prescription(bed, None);
        self.put(&prescription);
        self.pass_days(1);
    }

    /// OMP-02: a mixture in a drip, once or several times.
    fn infuse(&mut self, bed: &'static str) {
        let (fluid, volume) = self.random.pick(&FLUIDS);
        let mut ingredients = vec![(fluid, 1, *volume)];
        for (drug, millilitres) in self.random.some_of(&ADDITIVES, 40) {
            let ampoules = self.random.between(1, 2);
            ingredients.push((drug, ampoules, millilitres * ampoules));
        }
        let order = self.order(Some(bed));
        let mut times = Vec::new();
        for n in 0..self.random.between(1, 3) {
            let start = self.today.plus_days(1).at(8, 0).plus_minutes(n * 480);
            times.push((start, start.plus_minutes(300)));
        }
        let message = Message::Injection(Injection {
            order,
            ingredients,
            times,
        });
        let draft = self.draft(message, self.today, Some(order.number), order.ordered);
        self.put(&draft);
    }
}
