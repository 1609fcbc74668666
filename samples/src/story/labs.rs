//! What the laboratory reports.

use super::Story;
use crate::catalog::labs::{
    ABO, BLOOD, CHEMISTRY, CRP, GLUCOSE, HBS, IMMUNOLOGY_SET, Panel, RESEARCH, SERUM, TITRE, Test,
    URINE,
};
use crate::content::Message;
use crate::content::lab::{Measured, Observed, Report, Specimen};
use crate::hl7::{code, decimal};
use crate::tape::Draft;
use crate::time::Moment;

impl Story {
    /// OML-11 of a specimen taken today.
    pub(super) fn lab_report(&mut self, bed: Option<&'static str>) -> Draft {
        let order = self.order(bed);
        let collected = order.ordered.plus_minutes(15);
        let mut panels: Vec<&'static Panel> = self
            .random
            .some_of(&[&BLOOD, &GLUCOSE], 45)
            .into_iter()
            .copied()
            .collect();
        panels.push(&CHEMISTRY);
        let mut specimens = Vec::new();
        for panel in panels {
            specimens.push(self.specimen(panel, order.number, specimens.len(), collected));
        }
        if self.random.chance(40) {
            specimens.push(self.immunology(order.number, specimens.len(), collected));
        }
        if self.random.chance(25) {
            specimens.push(self.urine(order.number, specimens.len(), collected));
        }
        let reported = collected.plus_minutes(self.random.between(40, 200));
        let report = Report {
            order,
            reported,
            specimens,
        };
        self.draft(
            Message::Lab(report),
            collected,
            Some(order.number),
            reported,
        )
    }

    fn specimen(
        &mut self,
        panel: &'static Panel,
        order: u64,
        n: usize,
        collected: Moment,
    ) -> Specimen {
        let mut results = Vec::new();
        for test in panel.tests {
            if self.random.chance(85) {
                results.push(self.result(test, collected));
            }
        }
        Specimen {
            number: order * 10 + n as u64,
            material: panel.material,
            set: panel.set,
            collected,
            results,
        }
    }

    /// A quantitative result: what the patient's diseases make of it, seldom far outside.
    fn result(&mut self, test: &'static Test, collected: Moment) -> Observed {
        let (low, high) = test.range(self.tape.person.sex);
        let scaled = self.level(test, low, high);
        let width = (high - low).max(1);
        let flag = match scaled {
            value if value >= high + width * 2 => "HH",
            value if value > high => "H",
            value if value <= low - width => "LL",
            value if value < low => "L",
            _ if self.random.chance(50) => "N",
            _ => "",
        };
        let mut observed = Observed {
            test: test.coded(self.random.chance(70)),
            sub_id: None,
            value: Measured::Number(decimal(scaled, test.places)),
            unit: test.unit,
            range: Some(self.range_text(test)),
            flag,
            status: 'F',
            observed: self.random.chance(70).then_some(collected),
        };
        if self.mixed_results {
            self.disturb(&mut observed);
        }
        observed
    }

    /// The value, scaled by the test's decimal places.
    fn level(&mut self, test: &Test, low: i64, high: i64) -> i64 {
        let width = (high - low).max(1);
        let listed = |analytes: &[&str]| analytes.iter().any(|a| test.jlac10.starts_with(a));
        if self.diseases.iter().any(|disease| listed(disease.raises)) && self.random.chance(80) {
            return high + self.random.between(1, width);
        }
        if self.diseases.iter().any(|disease| listed(disease.lowers)) && self.random.chance(80) {
            return low - self.random.between(1, width / 2 + 1);
        }
        match self.random.below(60) {
            0 => high + width * 2,
            1 => (low - width).max(1),
            2..=5 => high + self.random.between(1, width / 3 + 1),
            6..=8 => (low - self.random.between(1, width / 3 + 1)).max(1),
            _ => self.random.between(low, high),
        }
    }

    /// `13-30`, or the ranges of both sexes in one text.
    fn range_text(&mut self, test: &Test) -> String {
        let text = |(low, high)| {
            format!(
                "{}-{}",
                decimal(low, test.places),
                decimal(high, test.places)
            )
        };
        if test.male != test.female && self.random.chance(20) {
            format!("M:{} F:{}", text(test.male), text(test.female))
        } else {
            text(test.range(self.tape.person.sex))
        }
    }

    /// Corrections, withdrawals, and values that are none.
    fn disturb(&mut self, observed: &mut Observed) {
        match self.random.below(40) {
            0 | 1 => observed.status = 'C',
            2 => observed.status = 'P',
            3 => observed.status = 'D',
            4 => {
                observed.status = 'I';
                observed.value = Measured::Pending;
                observed.flag = "";
            }
            5 => {
                observed.status = 'X';
                observed.value = Measured::NotANumber("測定不能");
                observed.flag = "";
            }
            6 => {
                observed.value = Measured::Null;
                observed.flag = "";
            }
            7 => observed.range = None,
            _ => {}
        }
    }

    /// CRP, hepatitis, blood group and others: every value type there is.
    fn immunology(&mut self, order: u64, n: usize, collected: Moment) -> Specimen {
        let mut results = vec![self.crp()];
        if self.random.chance(40) {
            results.push(self.qualitative(&HBS));
        }
        if self.mixed_results && self.random.chance(40) {
            results.push(plain(
                &TITRE,
                Measured::Ratio(1, 80 << self.random.below(4)),
            ));
        }
        if self.random.chance(15) {
            results.push(plain(&ABO, Measured::Coded(code("A", "A型", "JSHR002"))));
        }
        if self.mixed_results && self.random.chance(30) {
            let value = decimal(self.random.between(1, 90), RESEARCH.places);
            let mut result = plain(&RESEARCH, Measured::Number(value));
            result.unit = RESEARCH.unit;
            result.sub_id = Some(1);
            results.push(result);
        }
        Specimen {
            number: order * 10 + n as u64,
            material: SERUM,
            set: IMMUNOLOGY_SET,
            collected,
            results,
        }
    }

    fn crp(&mut self) -> Observed {
        let limit = "0.02".to_owned();
        let (value, flag) = match self.random.below(3) {
            0 if self.mixed_results && self.random.chance(50) => {
                (Measured::Structured("<", limit), "")
            }
            0 => (Measured::Compared("<", limit), ""),
            1 => (
                Measured::Number(decimal(self.random.between(2, 14), CRP.places)),
                "N",
            ),
            _ => (
                Measured::Number(decimal(self.random.between(15, 1800), CRP.places)),
                "H",
            ),
        };
        let mut result = plain(&CRP, value);
        result.unit = CRP.unit;
        result.range = Some("<0.15".to_owned());
        result.flag = flag;
        result
    }

    fn urine(&mut self, order: u64, n: usize, collected: Moment) -> Specimen {
        let mut results = Vec::new();
        for test in URINE.tests {
            results.push(self.qualitative(test));
        }
        Specimen {
            number: order * 10 + n as u64,
            material: URINE.material,
            set: URINE.set,
            collected,
            results,
        }
    }

    /// `  -`, ` 2 +` and their like: SN semantics in ST, one blank for each empty component.
    fn qualitative(&mut self, test: &'static Test) -> Observed {
        let (text, flag) = *self.random.pick(&[
            ("  -", ""),
            ("  -", "N"),
            ("  -", ""),
            ("  +-", ""),
            (" 2 +", "A"),
            ("  +", "A"),
        ]);
        let mut result = plain(test, Measured::Text(text));
        result.range = Some("(-)".to_owned());
        result.flag = flag;
        result
    }
}

fn plain(test: &Test, value: Measured) -> Observed {
    Observed {
        test: test.coded(true),
        sub_id: None,
        value,
        unit: None,
        range: None,
        flag: "",
        status: 'F',
        observed: None,
    }
}
