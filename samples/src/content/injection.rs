//! OMP-02: injections and infusions (ORC, RXE, TQ1, RXR, RXC), one group for each administration.

use super::{Family, Order, Record};
use crate::catalog::drugs::Drug;
use crate::hl7::{Code, Segment, code};
use crate::person::Person;
use crate::time::Moment;
use serde_json::{Value, json};

const MILLILITRE: Code = code("ML", "ミリリットル", "MR9P");
const PER_HOUR: Code = code("ml/hr", "ミリリットル／時間", "ISO+");
const KIND: Code = code("00", "一般", "JHSI0002");
const DRIP: Code = code("02", "点滴", "JHSI0009");
const FORM: Code = code("INJ", "注射剤", "MR9P");
const ROUTE: Code = code("IV", "静脈内", "HL70162");
const SITE: Code = code("ARM", "腕", "HL70550");
const DEVICE: Code = code("IVP", "点滴ポンプ", "HL70164");
const METHOD: Code = code("102", "点滴静注(末梢)", "99ILL");
const LINE: Code = code("01", "主管", "99ILR");

/// One order: a mixture, given several times.
#[derive(Clone, Debug)]
pub(crate) struct Injection {
    pub(crate) order: Order,
    /// Carrier first, then what is mixed in: drug, amount in its own unit, millilitres of it.
    pub(crate) ingredients: Vec<(&'static Drug, i64, i64)>,
    /// Start and end of each administration.
    pub(crate) times: Vec<(Moment, Moment)>,
}

impl Injection {
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        let mut segments = vec![patient.pid(), self.order.pv1()];
        for ((start, end), sequence) in self.times.iter().zip(1_u32..) {
            let group = format!("{}_01_{sequence:03}", self.order.placer());
            segments.extend([
                self.order.orc("NW").set(4, group),
                self.rxe(*start, *end),
                Segment::new("TQ1")
                    .set(1, "1")
                    .set(7, start.minute())
                    .set(8, end.minute()),
                Segment::new("RXR")
                    .set(1, ROUTE.cwe())
                    .set(2, SITE.cwe())
                    .set(3, DEVICE.cwe())
                    .set(4, METHOD.cwe())
                    .set(5, LINE.cwe()),
            ]);
            segments.extend(self.ingredients.iter().enumerate().map(rxc));
        }
        segments
    }

    fn volume(&self) -> i64 {
        self.ingredients
            .iter()
            .map(|(_, _, millilitres)| millilitres)
            .sum()
    }

    /// Millilitres per hour, whole.
    fn rate(&self, start: Moment, end: Moment) -> i64 {
        let hours = start.minutes_until(end).max(60) / 60;
        self.volume() / hours
    }

    fn rxe(&self, start: Moment, end: Moment) -> Segment {
        Segment::new("RXE")
            .set(2, KIND.cwe())
            .set(3, self.volume().to_string())
            .set(5, MILLILITRE.cwe())
            .set(6, FORM.cwe())
            .set(7, "^一定速度で^JHSIC006")
            .set(21, "IHP^入院処方^MR9P~FTP^定時処方^JHSI0001")
            .set(22, "H1")
            .set(23, self.rate(start, end).to_string())
            .set(24, PER_HOUR.cwe())
            .set(27, DRIP.cwe())
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let record = |((start, end), sequence)| Record {
            family: Family::MedicationRequests,
            value: self.truth(start, end, sequence),
        };
        self.times
            .iter()
            .copied()
            .zip(1_u32..)
            .map(record)
            .collect()
    }

    fn truth(&self, start: Moment, end: Moment, sequence: u32) -> Value {
        let ingredient = |(n, (drug, amount, _)): (usize, &(&Drug, i64, i64))| {
            json!({
                "type": component(n),
                "medication": drug.coded().truth(),
                "amount": {"value": amount.to_string(), "unit": drug.unit.truth()},
            })
        };
        let ingredients: Value = self
            .ingredients
            .iter()
            .enumerate()
            .map(ingredient)
            .collect();
        json!({
            "kind": "injection",
            "status": "active",
            "orderNumber": self.order.placer(),
            "rpNumber": "1",
            "administration": format!("{sequence:03}"),
            "category": self.order.category(),
            "authoredOn": self.order.ordered.iso_second(),
            "requester": self.order.doctor.truth(),
            "department": self.order.doctor.department.code,
            "injectionKind": KIND.truth(),
            "form": FORM.truth(),
            "total": {"value": self.volume().to_string(), "unit": MILLILITRE.truth()},
            "rate": {"value": self.rate(start, end).to_string(), "unit": PER_HOUR.truth()},
            "technique": DRIP.truth(),
            "comment": "一定速度で",
            "ingredients": ingredients,
            "start": start.iso_minute(),
            "end": end.iso_minute(),
            "route": ROUTE.truth(),
            "site": SITE.truth(),
            "device": DEVICE.truth(),
            "method": METHOD.truth(),
            "line": LINE.truth(),
        })
    }
}

/// RXC-1: the first is the base.
const fn component(position: usize) -> &'static str {
    if position == 0 { "B" } else { "A" }
}

fn rxc((position, (drug, amount, _)): (usize, &(&Drug, i64, i64))) -> Segment {
    Segment::new("RXC")
        .set(1, component(position))
        .set(2, drug.coded().cwe())
        .set(3, amount.to_string())
        .set(4, drug.unit.cwe())
}
