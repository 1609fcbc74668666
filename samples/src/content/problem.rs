//! PPR-01: diagnoses (PRB, ZPR, ORC).

use super::{Family, Record};
use crate::catalog::diseases::{ACUTE_PREFIX, Disease, SUSPECTED_SUFFIX, UNCODED};
use crate::hl7::Segment;
use crate::hospital::Doctor;
use crate::person::Person;
use crate::storage::NO_ORDER;
use crate::time::Moment;
use serde_json::{Value, json};

/// The diagnoses of one slot: all of a patient (order number 9…9), or one.
#[derive(Clone, Debug)]
pub(crate) struct ProblemList {
    pub(crate) recorded: Moment,
    pub(crate) order: Option<u64>,
    pub(crate) problems: Vec<Problem>,
}

/// How a diagnosis is marked as not yet sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suspicion {
    None,
    /// PRB-13 `1^疑いあり^JHSD0005`.
    Coded,
    /// PRB-13 `1` and nothing else.
    Bare,
    /// The suffix の疑い in ZPR.
    Suffix,
}

/// One diagnosis.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) disease: &'static Disease,
    /// Counts the diagnoses of a patient.
    pub(crate) number: u64,
    /// PRB-4
    pub(crate) id: String,
    pub(crate) doctor: Doctor,
    pub(crate) diagnosed: Moment,
    pub(crate) onset: Option<Moment>,
    /// 転帰 (HL7 table 0241) and its day.
    pub(crate) outcome: Option<(&'static str, &'static str, Moment)>,
    pub(crate) suspicion: Suspicion,
    pub(crate) acute_prefix: bool,
    pub(crate) main: bool,
    /// PRB-1 = DE.
    pub(crate) deleted: bool,
    /// PRB-25 = V.
    pub(crate) restricted: bool,
}

impl ProblemList {
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        let mut segments = vec![patient.pid()];
        for problem in &self.problems {
            segments.extend([problem.prb(self.recorded), problem.zpr(), self.orc(problem)]);
        }
        segments
    }

    fn orc(&self, problem: &Problem) -> Segment {
        let order = self
            .order
            .map_or_else(|| NO_ORDER.to_owned(), |n| format!("{n:015}"));
        Segment::new("ORC")
            .set(1, "NW")
            .set(2, order)
            .set(12, problem.doctor.xcn())
            .set(17, problem.doctor.department.cwe())
            .set(29, "O^外来患者オーダ^HL70482")
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let record = |problem: &Problem| Record {
            family: Family::Conditions,
            value: problem.truth(),
        };
        self.problems.iter().map(record).collect()
    }
}

impl Problem {
    fn prb(&self, recorded: Moment) -> Segment {
        let icd10 = match self.disease.icd10 {
            "" => String::new(),
            icd10 => format!("{icd10}^^I10^O^外来時^JHSD0004^2013"),
        };
        let suspicion = match self.suspicion {
            Suspicion::Coded => "1^疑いあり^JHSD0005",
            Suspicion::Bare => "1",
            Suspicion::None | Suspicion::Suffix => "",
        };
        let segment = Segment::new("PRB")
            .set(1, if self.deleted { "DE" } else { "AD" })
            .set(2, recorded.date())
            .set(3, self.disease.name.cwe())
            .set(4, self.id.clone())
            .set(7, self.diagnosed.date())
            .set(10, icd10)
            .set(13, suspicion)
            .set(16, self.onset.map(Moment::date).unwrap_or_default())
            .set(
                18,
                if self.main {
                    "1^主診断^JHSD0007"
                } else {
                    "2^副診断^JHSD0007"
                },
            )
            .set(
                25,
                if self.restricted {
                    "V^非常に限定^HL70177"
                } else {
                    ""
                },
            );
        match self.outcome {
            None => segment,
            Some((code, text, day)) => segment
                .set(9, day.date())
                .set(14, format!("{code}^{text}^HL70241"))
                .set(15, day.date()),
        }
    }

    fn zpr(&self) -> Segment {
        let disease = self.disease;
        let exchange = disease
            .exchange
            .map(|code| format!("{code}^{}^MDCDX2", disease.name.text));
        let suffix = self.suspicion == Suspicion::Suffix;
        Segment::new("ZPR")
            .set(
                1,
                if self.acute_prefix {
                    ACUTE_PREFIX.cwe()
                } else {
                    String::new()
                },
            )
            .set(2, disease.name.cwe())
            .set(
                3,
                if suffix {
                    SUSPECTED_SUFFIX.cwe()
                } else {
                    String::new()
                },
            )
            .set(5, exchange.unwrap_or_default())
            .set(
                7,
                if disease.name == UNCODED.name {
                    "コード化されていない病名"
                } else {
                    ""
                },
            )
    }

    fn clinical_status(&self) -> &'static str {
        if self.outcome.is_some() {
            "resolved"
        } else {
            "active"
        }
    }

    fn verification_status(&self) -> &'static str {
        if self.deleted {
            "entered-in-error"
        } else if self.suspicion == Suspicion::None {
            "confirmed"
        } else {
            "provisional"
        }
    }

    fn truth(&self) -> Value {
        let icd10 = match self.disease.icd10 {
            "" => None,
            icd10 => Some(icd10),
        };
        json!({
            "identifier": self.id,
            "code": self.disease.name.truth(),
            "icd10": icd10,
            "exchangeCode": self.disease.exchange,
            "prefix": self.acute_prefix.then(|| ACUTE_PREFIX.truth()),
            "suffix": (self.suspicion == Suspicion::Suffix).then(|| SUSPECTED_SUFFIX.truth()),
            "clinicalStatus": (!self.deleted).then(|| self.clinical_status()),
            "verificationStatus": self.verification_status(),
            "recordedDate": self.diagnosed.iso_date(),
            "onset": self.onset.map(Moment::iso_date),
            "abatement": self.outcome.map(|(_, _, day)| day.iso_date()),
            "outcome": self.outcome.map(|(code, ..)| code),
            "main": self.main,
            "security": self.restricted.then_some("V"),
            "recorder": self.doctor.truth(),
            "department": self.doctor.department.code,
        })
    }
}
