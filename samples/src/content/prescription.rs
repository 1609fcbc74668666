//! OMP-01: prescriptions (ORC, RXE, TQ1, RXR), one group for each drug.

use super::{Family, Order, Record};
use crate::catalog::allergens::Allergen;
use crate::catalog::drugs::Drug;
use crate::content::allergy::al1;
use crate::hl7::{Code, Segment, code};
use crate::person::Person;
use crate::time::Moment;
use serde_json::{Value, json};

/// How ORC-4 names the RP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RpForm {
    /// `1`
    Number,
    /// `000000024000123_01`
    OrderAndNumber,
    /// `000000024000123_01_001`
    WithSequence,
}

/// How TQ1-6 names the days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DaysForm {
    /// `14^D&日&ISO+`
    Coded,
    /// `14^d`
    Letter,
    /// `14^日分`
    Text,
}

/// One prescription.
#[derive(Clone, Debug)]
pub(crate) struct Prescription {
    pub(crate) order: Order,
    pub(crate) rp_form: RpForm,
    pub(crate) days_form: DaysForm,
    /// Dispensed by a pharmacy outside.
    pub(crate) outside: bool,
    /// AL1 of the order: a snapshot that readers keep only when nothing else says it.
    pub(crate) allergy: Option<Allergen>,
    pub(crate) rps: Vec<Rp>,
}

/// Drugs with the same usage.
#[derive(Clone, Debug)]
pub(crate) struct Rp {
    pub(crate) usage: Code,
    /// 追加用法: weekdays, every other day, uneven doses.
    pub(crate) additional: Vec<Code>,
    pub(crate) purpose: Purpose,
    pub(crate) start: Moment,
    pub(crate) drugs: Vec<Item>,
}

/// RXE-27, and what follows from it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// 内服 for so many days.
    Internal { days: i64 },
    /// 頓用, so many times (TQ1-14), with a condition in words (TQ1-11).
    WhenNeeded { times: i64, condition: &'static str },
    /// 外用, at a site.
    External { route: Code, site: Option<Code> },
}

/// One drug of an RP.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) drug: &'static Drug,
    /// RXE-3; `None` is written as `""`.
    pub(crate) dose: Option<i64>,
    /// RXE-4, the largest of uneven doses.
    pub(crate) largest: Option<i64>,
    /// RXE-19.
    pub(crate) daily: Option<i64>,
    /// RXE-10.
    pub(crate) total: i64,
    /// RXE-12.
    pub(crate) refills: Option<i64>,
    /// RXE-7.
    pub(crate) instructions: Vec<Code>,
}

const ORAL: Code = code("PO", "口", "HL70162");

impl Prescription {
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        let mut segments = vec![patient.pid(), self.order.pv1()];
        segments.extend(self.allergy.iter().map(|allergen| al1(1, allergen)));
        for (rp, number) in self.rps.iter().zip(1..) {
            for item in &rp.drugs {
                let group = rp_number(self.rp_form, &self.order, number);
                segments.extend([
                    self.order.orc("NW").set(4, group),
                    self.rxe(rp, item),
                    self.tq1(rp),
                    rp.purpose.rxr(),
                ]);
            }
        }
        segments
    }

    /// RXE-21.
    fn categories(&self) -> Vec<Code> {
        if self.order.bed.is_some() {
            vec![
                code("IHP", "入院処方", "MR9P"),
                code("ORD", "定期処方", "MR9P"),
            ]
        } else if self.outside {
            vec![
                code("OHP", "外来処方", "MR9P"),
                code("OHO", "院外処方", "MR9P"),
            ]
        } else {
            vec![
                code("OHP", "外来処方", "MR9P"),
                code("OHI", "院内処方", "MR9P"),
            ]
        }
    }

    /// RXE-15.
    fn prescription_number(&self) -> String {
        format!(
            "{}{:06}",
            self.order.ordered.date(),
            self.order.number % 1_000_000
        )
    }

    fn rxe(&self, rp: &Rp, item: &Item) -> Segment {
        let drug = item.drug;
        let number = |value: Option<i64>| value.map(|value| value.to_string());
        let unknown = || "\"\"".to_owned();
        let daily = item
            .daily
            .map(|daily| format!("{daily}^{}", drug.unit.nested()));
        Segment::new("RXE")
            .set(2, drug.coded().cwe())
            .set(3, number(item.dose).unwrap_or_else(unknown))
            .set(4, number(item.largest).unwrap_or_default())
            .set(5, item.dose.map_or_else(unknown, |_| drug.unit.cwe()))
            .set(6, drug.form.cwe())
            .set(7, repeat(&item.instructions))
            .set(10, item.total.to_string())
            .set(11, drug.unit.cwe())
            .set(12, number(item.refills).unwrap_or_default())
            .set(15, self.prescription_number())
            .set(19, daily.unwrap_or_default())
            .set(21, repeat(&self.categories()))
            .set(27, rp.purpose.code().cwe())
            .set(31, drug.supplementary().map(Code::cwe).unwrap_or_default())
    }

    fn tq1(&self, rp: &Rp) -> Segment {
        let usages = [rp.usage].into_iter().chain(rp.additional.iter().copied());
        let usages = usages.map(Code::nested).collect::<Vec<_>>().join("~");
        let segment = Segment::new("TQ1")
            .set(1, "1")
            .set(3, usages)
            .set(7, rp.start.date());
        match rp.purpose {
            Purpose::Internal { days } => segment.set(6, self.days_form.field(days)),
            Purpose::WhenNeeded { times, condition } => {
                segment.set(11, condition).set(14, times.to_string())
            }
            Purpose::External { .. } => segment,
        }
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for (rp, number) in self.rps.iter().zip(1..) {
            for (item, position) in rp.drugs.iter().zip(1..) {
                records.push(Record {
                    family: Family::MedicationRequests,
                    value: self.truth(rp, number, item, position),
                });
            }
        }
        records.extend(self.allergy.map(|allergen| Record {
            family: Family::Allergies,
            value: allergen.truth("order"),
        }));
        records
    }

    fn truth(&self, rp: &Rp, rp_number: u32, item: &Item, position: u32) -> Value {
        let drug = item.drug;
        let amount = |value: i64| json!({"value": value.to_string(), "unit": drug.unit.truth()});
        let (days, times, condition) = match rp.purpose {
            Purpose::Internal { days } => (Some(days.to_string()), None, None),
            Purpose::WhenNeeded { times, condition } => {
                (None, Some(times.to_string()), Some(condition))
            }
            Purpose::External { .. } => (None, None, None),
        };
        let (route, site) = rp.purpose.route();
        let mut medication = drug.coded().truth();
        if let (Some(codings), Some(yj)) = (medication.as_array_mut(), drug.supplementary()) {
            codings.push(yj.truth());
        }
        json!({
            "kind": "prescription",
            "status": "active",
            "orderNumber": self.order.placer(),
            "rpNumber": rp_number.to_string(),
            "orderInRp": position.to_string(),
            "category": self.order.category(),
            "authoredOn": self.order.ordered.iso_second(),
            "requester": self.order.doctor.truth(),
            "department": self.order.doctor.department.code,
            "medication": medication,
            "form": drug.form.truth(),
            "dose": item.dose.map(amount),
            "maxDose": item.largest.map(amount),
            "daily": item.daily.map(amount),
            "quantity": amount(item.total),
            "refills": item.refills.map(|n| n.to_string()),
            "prescriptionNumber": self.prescription_number(),
            "categories": truths(&self.categories()),
            "purpose": rp.purpose.code().truth(),
            "usage": rp.usage.truth(),
            "additionalUsage": truths(&rp.additional),
            "instructions": truths(&item.instructions),
            "days": days,
            "times": times,
            "condition": condition,
            "start": rp.start.iso_date(),
            "route": route.truth(),
            "site": site.map(Code::truth),
        })
    }
}

/// ORC-4.
pub(crate) fn rp_number(form: RpForm, order: &Order, number: u32) -> String {
    let order = order.placer();
    match form {
        RpForm::Number => number.to_string(),
        RpForm::OrderAndNumber => format!("{order}_{number:02}"),
        RpForm::WithSequence => format!("{order}_{number:02}_001"),
    }
}

impl DaysForm {
    fn field(self, days: i64) -> String {
        match self {
            Self::Coded => format!("{days}^D&日&ISO+"),
            Self::Letter => format!("{days}^d"),
            Self::Text => format!("{days}^日分"),
        }
    }
}

impl Purpose {
    const fn code(self) -> Code {
        match self {
            Self::Internal { .. } => code("21", "内服", "JHSP0003"),
            Self::WhenNeeded { .. } => code("22", "頓用", "JHSP0003"),
            Self::External { .. } => code("23", "外用", "JHSP0003"),
        }
    }

    const fn route(self) -> (Code, Option<Code>) {
        match self {
            Self::Internal { .. } | Self::WhenNeeded { .. } => (ORAL, None),
            Self::External { route, site } => (route, site),
        }
    }

    fn rxr(self) -> Segment {
        let (route, site) = self.route();
        Segment::new("RXR")
            .set(1, route.cwe())
            .set(2, site.map(Code::cwe).unwrap_or_default())
    }
}

fn repeat(codes: &[Code]) -> String {
    codes
        .iter()
        .map(|code| code.cwe())
        .collect::<Vec<_>>()
        .join("~")
}

fn truths(codes: &[Code]) -> Value {
    codes.iter().map(|code| code.truth()).collect()
}
