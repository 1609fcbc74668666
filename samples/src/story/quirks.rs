//! Each deviation, enacted on a day of its own.

use super::Story;
use crate::catalog::allergens::GROUPS;
use crate::content::Message;
use crate::content::encounter::Event;
use crate::quirk::Quirk;
use crate::storage::Flag;
use crate::tape::Draft;
use crate::wire::Fault;

impl Story {
    pub(super) fn enact(&mut self, quirk: Quirk) {
        match quirk {
            Quirk::Superseded
            | Quirk::Deleted
            | Quirk::DeletedThenInserted
            | Quirk::OnlySuperseded
            | Quirk::Late => self.correct(quirk),
            Quirk::SecondRoot | Quirk::TwoFlags | Quirk::Vanished => self.misplace(quirk),
            Quirk::TestMessage
            | Quirk::OtherPatient
            | Quirk::BirthDateDiffers
            | Quirk::NameDiffers
            | Quirk::MessageType
            | Quirk::ReceptionAsAdmission => self.err(quirk),
            Quirk::AdmissionCancelledByDeletion | Quirk::AdmissionCancelledInForce => {
                self.cancel_admission(quirk == Quirk::AdmissionCancelledInForce);
            }
            Quirk::DischargeCancelledByDeletion | Quirk::DischargeCancelledInForce => {
                self.cancel_discharge(quirk == Quirk::DischargeCancelledInForce);
            }
            Quirk::DischargeWithoutAdmission => {
                let mut stay = self.admit();
                stay.discharge_names_admission = false;
                self.leave(&mut stay);
                self.stays.push(stay.record("finished"));
            }
            Quirk::TwoReceptions => {
                self.pass_days(1);
                let arrived = self.daytime();
                for minutes in [0, 150] {
                    let draft = self.reception(arrived.plus_minutes(minutes));
                    self.put(&draft);
                }
            }
            Quirk::DiagnosisDeleted | Quirk::DiagnosisDropped | Quirk::DiagnosisRestricted => {
                self.reconsider(quirk);
            }
            Quirk::OrderAllergy => self.prescribe_with_allergy(),
            Quirk::NameChanged => {
                self.tape.person.rename(&mut self.random);
                self.register();
            }
            // The end of the story, and the paper outside of it.
            Quirk::StillAdmitted | Quirk::PaperKanaDiffers | Quirk::PaperBirthDateDiffers => {}
        }
    }

    /// The same order again, an hour later, with other content.
    fn again(&mut self, draft: &Draft) -> Draft {
        let mut corrected = draft.clone();
        corrected.sent = draft.sent.plus_minutes(60);
        match &mut corrected.message {
            Message::Prescription(prescription) => {
                let items = prescription.rps.iter_mut().flat_map(|rp| &mut rp.drugs);
                items.for_each(|item| item.total += 1);
            }
            Message::Lab(report) => {
                report.reported = report.reported.plus_minutes(60);
                let lines = report.specimens.iter_mut().flat_map(|s| &mut s.results);
                lines
                    .filter(|line| line.status == 'F')
                    .for_each(|line| line.status = 'C');
            }
            _ => {}
        }
        corrected
    }

    fn correct(&mut self, quirk: Quirk) {
        let first = if self.random.chance(50) {
            self.lab_report(None)
        } else {
            self.prescription(None, None)
        };
        let corrected = self.again(&first);
        let entry = match quirk {
            Quirk::Late => self.put(&corrected),
            _ => self.put(&first),
        };
        let later = corrected.sent;
        match quirk {
            Quirk::Superseded => {
                self.put(&corrected);
            }
            Quirk::Deleted => self.tape.delete(&corrected),
            Quirk::DeletedThenInserted => self.tape.replace(&corrected, &corrected.clone()),
            Quirk::Late => {
                self.tape
                    .put_late(&first, later.plus_days(2), Flag::Current);
            }
            _ => self.tape.reflag(later, &entry, Flag::Superseded),
        }
    }

    fn misplace(&mut self, quirk: Quirk) {
        let draft = self.lab_report(None);
        let entry = self.put(&draft);
        let later = draft.sent.plus_minutes(30);
        match quirk {
            Quirk::Vanished => self.tape.vanish(later, &entry),
            Quirk::TwoFlags => {
                self.tape.copy(later, &entry, Flag::Current);
                let later = later.plus_minutes(5);
                self.tape.reflag(later, &entry, Flag::Deleted);
            }
            _ => self.tape.copy(later, &entry, Flag::Current),
        }
    }

    fn err(&mut self, quirk: Quirk) {
        self.pass_days(1);
        let (draft, fault) = match quirk {
            Quirk::TestMessage => (self.prescription(None, None), Fault::Test),
            Quirk::OtherPatient => (self.prescription(None, None), Fault::OtherPatient),
            Quirk::BirthDateDiffers => (self.lab_report(None), Fault::BirthDate),
            Quirk::NameDiffers => (self.lab_report(None), Fault::Name),
            Quirk::MessageType => (self.lab_report(None), Fault::MessageType("ORU^R01^ORU_R01")),
            _ => {
                let arrived = self.daytime();
                let draft = self.reception(arrived);
                (draft, Fault::MessageType("ADT^A01^ADT_A01"))
            }
        };
        self.put_faulty(draft, fault);
    }

    fn cancel_admission(&mut self, in_force: bool) {
        let stay = self.admit();
        let event = Event::AdmissionCancelled(stay.clone());
        let draft = self.admission(event, stay.admitted.plus_minutes(40));
        if in_force {
            self.put(&draft);
            self.stays.push(stay.record("cancelled"));
        } else {
            self.tape.delete(&draft);
        }
    }

    /// The patient was written out too early, and leaves some days later.
    fn cancel_discharge(&mut self, in_force: bool) {
        let mut stay = self.admit();
        let discharge = self.discharge(&mut stay);
        self.put(&discharge);
        let mut cancel = discharge.clone();
        cancel.message = Message::Encounter(Event::DischargeCancelled(stay.clone()));
        cancel.sent = discharge.sent.plus_minutes(30);
        if in_force {
            self.put(&cancel);
        } else {
            self.tape.delete(&cancel);
        }
        self.leave(&mut stay);
        self.stays.push(stay.record("finished"));
    }

    fn reconsider(&mut self, quirk: Quirk) {
        self.fall_ill();
        self.pass_days(1);
        let Some(mut problem) = self.problems.pop() else {
            return;
        };
        match quirk {
            Quirk::DiagnosisDeleted => problem.deleted = true,
            Quirk::DiagnosisRestricted => problem.restricted = true,
            // The list is written again without it.
            _ => {
                if let Some(rest) = self.problems.last().cloned() {
                    self.record_problem(&rest);
                }
                return;
            }
        }
        self.problems.push(problem.clone());
        self.record_problem(&problem);
    }

    fn prescribe_with_allergy(&mut self) {
        let mut draft = self.prescription(None, None);
        if let Message::Prescription(prescription) = &mut draft.message {
            prescription.allergy = GROUPS.get(1).copied();
        }
        self.put(&draft);
    }
}
