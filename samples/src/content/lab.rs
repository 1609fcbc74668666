//! OML-11: laboratory reports (SPM, OBR, ORC, OBX).

use super::{Family, Order, Record};
use crate::hl7::{Code, Coded, Segment, escape};
use crate::person::Person;
use crate::time::Moment;
use serde_json::{Value, json};

/// One report: an order with its specimens.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) order: Order,
    pub(crate) reported: Moment,
    pub(crate) specimens: Vec<Specimen>,
}

/// One specimen and the results from it.
#[derive(Clone, Debug)]
pub(crate) struct Specimen {
    pub(crate) number: u64,
    pub(crate) material: Code,
    pub(crate) set: Code,
    pub(crate) collected: Moment,
    pub(crate) results: Vec<Observed>,
}

/// One OBX.
#[derive(Clone, Debug)]
pub(crate) struct Observed {
    pub(crate) test: Coded,
    pub(crate) sub_id: Option<u32>,
    pub(crate) value: Measured,
    pub(crate) unit: Option<Code>,
    /// OBX-7 as sent.
    pub(crate) range: Option<String>,
    /// OBX-8.
    pub(crate) flag: &'static str,
    /// OBX-11.
    pub(crate) status: char,
    /// OBX-14, where the laboratory sends it.
    pub(crate) observed: Option<Moment>,
}

/// OBX-5 with the value type that goes with it.
#[derive(Clone, Debug)]
pub(crate) enum Measured {
    /// NM with a number, exactly as written.
    Number(String),
    /// NM with something else: 測定不能.
    NotANumber(&'static str),
    /// ST `< 0.02`: a comparator, a blank, a number.
    Compared(&'static str, String),
    /// SN `<^0.02`.
    Structured(&'static str, String),
    /// SN `^1^:^320`.
    Ratio(i64, i64),
    /// ST as it stands, leading blanks included.
    Text(&'static str),
    /// CWE.
    Coded(Code),
    /// NM, not there yet.
    Pending,
    /// NM `""`: explicitly nothing.
    Null,
}

impl Measured {
    pub(crate) const fn value_type(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::NotANumber(_) | Self::Pending | Self::Null => "NM",
            Self::Compared(..) | Self::Text(_) => "ST",
            Self::Structured(..) | Self::Ratio(..) => "SN",
            Self::Coded(_) => "CWE",
        }
    }

    pub(crate) fn field(&self) -> String {
        match self {
            Self::Number(number) => number.clone(),
            Self::NotANumber(text) | Self::Text(text) => escape(text),
            Self::Compared(comparator, number) => format!("{comparator} {number}"),
            Self::Structured(comparator, number) => format!("{comparator}^{number}"),
            Self::Ratio(one, many) => format!("^{one}^:^{many}"),
            Self::Coded(code) => code.cwe(),
            Self::Pending => String::new(),
            Self::Null => "\"\"".to_owned(),
        }
    }

    /// `value[x]`; null where there is none.
    pub(crate) fn truth(&self) -> Value {
        match self {
            Self::Number(number) => json!({"quantity": {"value": number}}),
            Self::Compared(comparator, number) | Self::Structured(comparator, number) => {
                json!({"quantity": {"comparator": comparator, "value": number}})
            }
            Self::NotANumber(text) | Self::Text(text) => json!({"string": text}),
            Self::Ratio(one, many) => json!({"ratio": [one.to_string(), many.to_string()]}),
            Self::Coded(code) => json!({"codeableConcept": code.truth()}),
            Self::Pending | Self::Null => Value::Null,
        }
    }
}

impl Report {
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        let mut segments = vec![patient.pid(), self.order.pv1()];
        for (specimen, n) in self.specimens.iter().zip(1..) {
            segments.extend([
                Segment::new("SPM")
                    .set(1, n.to_string())
                    .set(2, specimen.number.to_string())
                    .set(4, specimen.material.cwe())
                    .set(17, specimen.collected.minute()),
                self.obr(specimen),
                self.orc(specimen),
            ]);
            segments.extend(
                specimen
                    .results
                    .iter()
                    .zip(1..)
                    .map(|(line, n)| line.obx(n)),
            );
        }
        segments
    }

    fn obr(&self, specimen: &Specimen) -> Segment {
        Segment::new("OBR")
            .set(1, "1")
            .set(2, self.order.placer())
            .set(3, specimen.number.to_string())
            .set(4, specimen.set.cwe())
            .set(7, specimen.collected.minute())
            .set(8, specimen.collected.minute())
            .set(16, self.order.doctor.xcn())
            .set(22, self.reported.second())
    }

    fn orc(&self, specimen: &Specimen) -> Segment {
        let pending = specimen.results.iter().any(|line| line.status == 'I');
        self.order
            .orc("SC")
            .set(3, specimen.number.to_string())
            .set(5, if pending { "IP" } else { "CM" })
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let of_specimen = |specimen: &Specimen| {
            let truth = |line: &Observed| Record {
                family: Family::Observations,
                value: self.truth(specimen, line),
            };
            specimen.results.iter().map(truth).collect::<Vec<_>>()
        };
        self.specimens.iter().flat_map(of_specimen).collect()
    }

    fn truth(&self, specimen: &Specimen, line: &Observed) -> Value {
        json!({
            "orderNumber": self.order.placer(),
            "specimenId": specimen.number.to_string(),
            "specimen": specimen.material.truth(),
            "code": line.test.truth(),
            "subId": line.sub_id.map(|id| id.to_string()),
            "value": line.value.truth(),
            "unit": line.unit.map(Code::truth),
            "referenceRange": line.range.as_deref().map(range_truth),
            "interpretation": (!line.flag.is_empty()).then_some(line.flag),
            "status": line.fhir_status(),
            "effective": line.observed.unwrap_or(specimen.collected).iso_minute(),
            "issued": self.reported.iso_second(),
        })
    }
}

impl Observed {
    fn obx(&self, number: u32) -> Segment {
        Segment::new("OBX")
            .set(1, number.to_string())
            .set(2, self.value.value_type())
            .set(3, self.test.cwe())
            .set(4, self.sub_id.map(|id| id.to_string()).unwrap_or_default())
            .set(5, self.value.field())
            .set(6, self.unit.map(Code::cwe).unwrap_or_default())
            .set(7, self.range.clone().unwrap_or_default())
            .set(8, self.flag)
            .set(11, self.status)
            .set(14, self.observed.map(Moment::minute).unwrap_or_default())
    }

    /// HL7 table 0085 in FHIR's words.
    const fn fhir_status(&self) -> &'static str {
        match self.status {
            'C' => "corrected",
            'P' | 'S' => "preliminary",
            'I' | 'R' | 'O' => "registered",
            'X' | 'N' => "cancelled",
            'D' | 'W' => "entered-in-error",
            _ => "final",
        }
    }
}

/// The text, and both limits where it is simply `low-high`.
fn range_truth(text: &str) -> Value {
    let number = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '.');
    match text.split_once('-') {
        Some((low, high)) if !low.is_empty() && number(low) && number(high) => {
            json!({"text": text, "low": low, "high": high})
        }
        _ => json!({"text": text}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, expected: &Value) {
        assert_eq!(range_truth(range), *expected);
    }

    #[test]
    fn only_a_plain_range_has_limits() {
        check(
            "13-30",
            &json!({"text": "13-30", "low": "13", "high": "30"}),
        );
        check("<0.15", &json!({"text": "<0.15"}));
        check("(-)", &json!({"text": "(-)"}));
        check(
            "M:13.7-16.8 F:11.6-14.8",
            &json!({"text": "M:13.7-16.8 F:11.6-14.8"}),
        );
    }

    #[test]
    fn a_compared_value_is_written_in_both_forms() {
        assert_eq!(Measured::Compared("<", "0.02".to_owned()).field(), "< 0.02");
        assert_eq!(
            Measured::Structured("<", "0.02".to_owned()).field(),
            "<^0.02"
        );
    }
}
