//! What a message says: one value that writes its own segments and knows the truth about itself.

use crate::hl7::Segment;
use crate::hospital::{self, Doctor};
use crate::person::Person;
use crate::storage::Kind;
use crate::time::Moment;
use serde_json::Value;

pub(crate) mod allergy;
pub(crate) mod demographics;
pub(crate) mod encounter;
pub(crate) mod injection;
pub(crate) mod lab;
pub(crate) mod other;
pub(crate) mod prescription;
pub(crate) mod problem;

/// The content of one file.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    Demographics(Box<demographics::Demographics>),
    Encounter(encounter::Event),
    Allergies(allergy::AllergyList),
    Problems(problem::ProblemList),
    Prescription(prescription::Prescription),
    Injection(injection::Injection),
    Lab(lab::Report),
    Meal(other::Meal),
    Imaging(other::ImagingOrder),
}

/// Lists of the truth that one message fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    Encounters,
    Conditions,
    Allergies,
    MedicationRequests,
    Observations,
}

impl Family {
    pub(crate) const ALL: [Self; 5] = [
        Self::Encounters,
        Self::Conditions,
        Self::Allergies,
        Self::MedicationRequests,
        Self::Observations,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Encounters => "encounters",
            Self::Conditions => "conditions",
            Self::Allergies => "allergies",
            Self::MedicationRequests => "medicationRequests",
            Self::Observations => "observations",
        }
    }
}

/// One entry of the truth.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) family: Family,
    pub(crate) value: Value,
}

impl Message {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Demographics(_) => Kind::Adt00,
            Self::Encounter(event) => event.kind(),
            Self::Allergies(_) => Kind::Adt61,
            Self::Problems(_) => Kind::Ppr01,
            Self::Prescription(_) => Kind::Omp01,
            Self::Injection(_) => Kind::Omp02,
            Self::Lab(_) => Kind::Oml11,
            Self::Meal(_) => Kind::Omd,
            Self::Imaging(_) => Kind::Omg01,
        }
    }

    /// MSH-9.
    pub(crate) fn message_type(&self) -> &'static str {
        match self {
            Self::Demographics(_) => "ADT^A08^ADT_A01",
            Self::Encounter(event) => event.message_type(),
            Self::Allergies(_) => "ADT^A60^ADT_A60",
            Self::Problems(_) => "PPR^ZD1^PPR_ZD1",
            Self::Prescription(_) | Self::Injection(_) => "RDE^O11^RDE_O11",
            Self::Lab(_) => "OUL^R22^OUL_R22",
            Self::Meal(_) => "OMD^O03^OMD_O03",
            Self::Imaging(_) => "OMG^O19^OMG_O19",
        }
    }

    /// All segments after MSH.
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        match self {
            Self::Demographics(demographics) => demographics.segments(),
            Self::Encounter(event) => event.segments(patient),
            Self::Allergies(list) => list.segments(patient),
            Self::Problems(list) => list.segments(patient),
            Self::Prescription(prescription) => prescription.segments(patient),
            Self::Injection(injection) => injection.segments(patient),
            Self::Lab(report) => report.segments(patient),
            Self::Meal(meal) => meal.segments(patient),
            Self::Imaging(order) => order.segments(patient),
        }
    }

    /// What a correct reader finds in it.
    pub(crate) fn records(&self) -> Vec<Record> {
        match self {
            Self::Demographics(demographics) => demographics.records(),
            Self::Encounter(event) => event.records(),
            Self::Allergies(list) => list.records(),
            Self::Problems(list) => list.records(),
            Self::Prescription(prescription) => prescription.records(),
            Self::Injection(injection) => injection.records(),
            Self::Lab(report) => report.records(),
            Self::Meal(_) | Self::Imaging(_) => Vec::new(),
        }
    }
}

/// EVN of ADT messages.
pub(crate) fn evn(recorded: Moment, occurred: Option<Moment>) -> Segment {
    Segment::new("EVN")
        .set(2, recorded.second())
        .set(5, "U0007^事務^花子^^^^^^^L^^^^^I")
        .set(6, occurred.map(Moment::second).unwrap_or_default())
}

/// PV1 of an outpatient (`O`, department) or an inpatient (`I`, bed).
pub(crate) fn pv1(bed: Option<&str>, doctor: &Doctor) -> Segment {
    let department = doctor.department.code;
    Segment::new("PV1")
        .set(1, "0001")
        .set(2, if bed.is_some() { "I" } else { "O" })
        .set(
            3,
            bed.map_or_else(|| format!("{department}^^^^^C"), |bed| format!("{bed}^^^N")),
        )
        .set(7, doctor.xcn())
        .set(10, department)
}

/// Who ordered what and when: the ORC that orders share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    pub(crate) number: u64,
    pub(crate) ordered: Moment,
    pub(crate) doctor: Doctor,
    /// The bed of an inpatient.
    pub(crate) bed: Option<&'static str>,
}

impl Order {
    /// ORC-2, as in the file name.
    pub(crate) fn placer(&self) -> String {
        format!("{:015}", self.number)
    }

    pub(crate) fn orc(&self, control: &str) -> Segment {
        let doctor = &self.doctor;
        Segment::new("ORC")
            .set(1, control)
            .set(2, self.placer())
            .set(9, self.ordered.second())
            .set(10, doctor.xcn())
            .set(12, doctor.xcn())
            .set(17, doctor.department.cwe())
            .set(21, hospital::NAME)
            .set(
                29,
                if self.bed.is_some() {
                    "I^入院患者オーダ^HL70482"
                } else {
                    "O^外来患者オーダ^HL70482"
                },
            )
    }

    pub(crate) fn pv1(&self) -> Segment {
        pv1(self.bed, &self.doctor)
    }

    pub(crate) const fn category(&self) -> &'static str {
        if self.bed.is_some() {
            "inpatient"
        } else {
            "outpatient"
        }
    }
}
