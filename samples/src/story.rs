//! One patient's years at the hospital, day after day, written onto a tape.

use crate::catalog::diseases::{CHRONIC, Disease};
use crate::content::prescription::{DaysForm, RpForm};
use crate::content::problem::Problem;
use crate::content::{Message, Order, Record};
use crate::hospital::Doctor;
use crate::quirk::Quirk;
use crate::random::Random;
use crate::tape::{Draft, Tape};
use crate::time::Moment;
use crate::tree::Entry;
use crate::wire::Fault;

mod labs;
mod orders;
mod quirks;
pub(crate) mod registration;
mod stays;
mod treatment;

/// Nothing is written after this day, except what a quirk still owes.
pub(crate) const LAST_DAY: Moment = Moment::day(2025, 6, 30);

/// A patient's history while it is being written.
pub(crate) struct Story {
    random: Random,
    pub(crate) tape: Tape,
    /// Stays that a reader joins from admissions and discharges.
    pub(crate) stays: Vec<Record>,
    doctor: Doctor,
    diseases: Vec<&'static Disease>,
    problems: Vec<Problem>,
    next_problem: u64,
    /// PPR-01 with all diagnoses in one slot, or one slot each.
    whole_list: bool,
    rp_form: RpForm,
    days_form: DaysForm,
    body: registration::Body,
    first_order: u64,
    next_order: u64,
    /// Today, at the beginning of the day.
    today: Moment,
    mixed_results: bool,
}

/// How much to write.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extent {
    /// Stop when so many files exist; `None` means as many as the years bring.
    pub(crate) files: Option<u64>,
    /// Results in every form of the field (SN, `""`, 測定不能, corrections …), or ordinary ones.
    pub(crate) mixed_results: bool,
}

impl Story {
    /// A story for the tape's person; `first_order` begins their order numbers.
    pub(crate) fn new(mut random: Random, tape: Tape, first_order: u64, extent: Extent) -> Self {
        let doctor = Doctor::any(&mut random);
        let mut diseases = random.some_of(&CHRONIC, 22);
        diseases.truncate(3);
        if diseases.is_empty() {
            diseases.push(random.pick(&CHRONIC));
        }
        let today = Moment::day(2017, 1, 4).plus_days(random.between(0, 7 * 365));
        Self {
            body: registration::Body::any(&mut random),
            whole_list: random.chance(60),
            rp_form: *random.pick(&[RpForm::Number, RpForm::OrderAndNumber, RpForm::WithSequence]),
            days_form: *random.pick(&[DaysForm::Coded, DaysForm::Letter, DaysForm::Text]),
            random,
            tape,
            stays: Vec::new(),
            doctor,
            diseases,
            problems: Vec::new(),
            next_problem: 0,
            first_order,
            next_order: first_order,
            today,
            mixed_results: extent.mixed_results,
        }
    }

    /// Writes everything: registration, visits over the years, and every quirk once.
    pub(crate) fn tell(&mut self, extent: Extent, quirks: &[Quirk]) {
        if quirks.contains(&Quirk::DiagnosisDropped) {
            self.whole_list = true;
        }
        self.register();
        self.first_visit();
        let mut owed = quirks.iter();
        let interval = self.interval(extent);
        while self.today < LAST_DAY && !self.is_enough(extent) {
            self.visit();
            owed.next().into_iter().for_each(|quirk| self.enact(*quirk));
            let jitter = self.random.between(-interval / 4, interval / 4);
            self.pass_days(interval + jitter);
        }
        for quirk in owed {
            self.pass_days(3);
            self.enact(*quirk);
        }
        if quirks.contains(&Quirk::StillAdmitted) {
            self.pass_days(3);
            self.stay_on();
        }
    }

    fn is_enough(&self, extent: Extent) -> bool {
        let files = self.tape.tree.len() as u64;
        extent.files.is_some_and(|wanted| files >= wanted)
    }

    /// Days between two visits: a wanted number of files is spread over the years that are left.
    fn interval(&mut self, extent: Extent) -> i64 {
        let usual = *self.random.pick(&[56, 84, 112, 168]);
        match extent.files.map(i64::try_from) {
            // A visit leaves two to three files.
            Some(Ok(files)) => {
                (self.today.days_until(LAST_DAY) * 5 / (2 * files.max(1))).clamp(1, usual)
            }
            _ => usual,
        }
    }

    fn pass_days(&mut self, days: i64) {
        self.today = self.today.plus_days(days.max(1));
    }

    /// A moment of the working day, to the second.
    fn daytime(&mut self) -> Moment {
        let minute = self.random.between(0, 59);
        let second = self.random.between(0, 59);
        let hour = self.random.between(9, 15);
        self.today.at(hour, minute).plus_millis(second * 1000)
    }

    /// When a message of this moment reaches the storage.
    fn sent(&mut self, happened: Moment) -> Moment {
        let delay = self.random.between(1_000, 600_000);
        happened.plus_millis(delay)
    }

    fn order_number(&mut self) -> u64 {
        self.next_order += 1;
        self.next_order
    }

    fn order(&mut self, bed: Option<&'static str>) -> Order {
        Order {
            number: self.order_number(),
            ordered: self.daytime(),
            doctor: self.doctor,
            bed,
        }
    }

    /// A draft about `day`, sent soon after `happened`.
    fn draft(
        &mut self,
        message: Message,
        day: Moment,
        order: Option<u64>,
        happened: Moment,
    ) -> Draft {
        let undated = message.kind().is_undated() && order.is_none();
        Draft {
            message,
            day,
            order,
            sent: self.sent(happened),
            department: if undated {
                "-"
            } else {
                self.doctor.department.code
            },
            fault: None,
        }
    }

    fn put(&mut self, draft: &Draft) -> Entry {
        self.tape.put(draft)
    }

    fn put_faulty(&mut self, mut draft: Draft, fault: Fault) {
        draft.fault = Some(fault);
        self.tape.put(&draft);
    }
}
