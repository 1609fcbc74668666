//! ADT-12, ADT-22, ADT-52: receptions, admissions, discharges and their cancellation.

use super::{Family, Record, evn, pv1};
use crate::hl7::Segment;
use crate::hospital::Doctor;
use crate::person::Person;
use crate::storage::Kind;
use crate::time::Moment;
use serde_json::json;

/// What happened at the reception or on the ward.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Visit(Visit),
    Admission(Stay),
    AdmissionCancelled(Stay),
    Discharge(Stay),
    DischargeCancelled(Stay),
}

/// An outpatient reception.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) arrived: Moment,
    pub(crate) doctor: Doctor,
}

/// A hospital stay, as far as the sender knows it when a message is written.
#[derive(Clone, Debug)]
pub(crate) struct Stay {
    pub(crate) bed: &'static str,
    pub(crate) doctor: Doctor,
    pub(crate) admitted: Moment,
    pub(crate) discharged: Option<Moment>,
    /// Does the discharge repeat the time of admission (PV1-44)?
    pub(crate) discharge_names_admission: bool,
}

impl Event {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Visit(_) => Kind::Adt12,
            Self::Admission(_) | Self::AdmissionCancelled(_) => Kind::Adt22,
            Self::Discharge(_) | Self::DischargeCancelled(_) => Kind::Adt52,
        }
    }

    pub(crate) const fn message_type(&self) -> &'static str {
        match self {
            Self::Visit(_) => "ADT^A04^ADT_A01",
            Self::Admission(_) => "ADT^A01^ADT_A01",
            Self::AdmissionCancelled(_) => "ADT^A11^ADT_A09",
            Self::Discharge(_) => "ADT^A03^ADT_A03",
            Self::DischargeCancelled(_) => "ADT^A13^ADT_A01",
        }
    }

    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        let pid = patient.pid();
        match self {
            Self::Visit(visit) => vec![
                evn(visit.arrived.plus_minutes(2), None),
                pid,
                pv1(None, &visit.doctor).set(44, visit.arrived.second()),
            ],
            Self::Admission(stay) | Self::AdmissionCancelled(stay) => vec![
                evn(stay.admitted.plus_minutes(10), None),
                pid,
                stay.pv1().set(44, stay.admitted.second()),
            ],
            Self::Discharge(stay) | Self::DischargeCancelled(stay) => {
                let discharged = stay.discharged.unwrap_or(stay.admitted);
                let pv1 = stay.pv1().set(36, "01").set(45, discharged.second());
                let pv1 = if stay.discharge_names_admission {
                    pv1.set(44, stay.admitted.second())
                } else {
                    pv1
                };
                vec![evn(discharged.plus_minutes(10), Some(discharged)), pid, pv1]
            }
        }
    }

    /// Receptions stand alone; stays are joined from several files, see [`Stay::record`].
    pub(crate) fn records(&self) -> Vec<Record> {
        let Self::Visit(visit) = self else {
            return Vec::new();
        };
        vec![Record {
            family: Family::Encounters,
            value: json!({
                "class": "AMB",
                "status": "finished",
                "start": visit.arrived.iso_second(),
                "department": visit.doctor.department.code,
                "attender": visit.doctor.truth(),
            }),
        }]
    }
}

impl Stay {
    fn pv1(&self) -> Segment {
        pv1(Some(self.bed), &self.doctor).set(17, self.doctor.xcn())
    }

    /// The stay that a reader joins from its events.
    pub(crate) fn record(&self, status: &str) -> Record {
        Record {
            family: Family::Encounters,
            value: json!({
                "class": "IMP",
                "status": status,
                "start": self.admitted.iso_second(),
                "end": self.discharged.map(Moment::iso_second),
                "location": self.bed,
                "department": self.doctor.department.code,
                "attender": self.doctor.truth(),
                "admitter": self.doctor.truth(),
                "dischargeDisposition": self.discharged.map(|_| "01"),
            }),
        }
    }
}
