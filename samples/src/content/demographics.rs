//! ADT-00: demographics, body values, blood group, drug allergies (AL1).

use super::allergy::al1;
use super::lab::Measured;
use super::{Family, Record, evn, pv1};
use crate::catalog::allergens::Allergen;
use crate::hl7::{Code, Segment, code, decimal};
use crate::hospital::Doctor;
use crate::person::Person;
use crate::time::Moment;
use serde_json::{Value, json};

const HEIGHT: Code = code("9N001000000000001", "身長", "JC10");
const WEIGHT: Code = code("9N006000000000001", "体重", "JC10");
const ABO: Code = code("5H010000001999911", "血液型-ABO式", "JC10");
const RH: Code = code("5H020000001999911", "血液型-Rh式", "JC10");

/// What the registration desk knows.
#[derive(Clone, Debug)]
pub(crate) struct Demographics {
    /// The person as of this version.
    pub(crate) person: Person,
    pub(crate) recorded: Moment,
    pub(crate) doctor: Doctor,
    /// Tenths of a centimetre.
    pub(crate) height: i64,
    /// Tenths of a kilogram.
    pub(crate) weight: i64,
    pub(crate) abo: Code,
    /// When height and weight were taken, where the hospital says so (OBX-14).
    pub(crate) measured: Option<Moment>,
    pub(crate) allergies: Vec<Allergen>,
}

impl Demographics {
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let person = &self.person;
        let mut segments = vec![
            evn(self.recorded, None),
            person.full_pid(self.recorded),
            self.next_of_kin(),
            pv1(None, &self.doctor).set(10, ""),
            Segment::new("DB1").set(1, "1").set(2, "PT").set(4, "N"),
        ];
        segments.extend(
            self.body()
                .iter()
                .zip(1..)
                .map(|(line, n)| self.obx(n, line)),
        );
        segments.extend(self.allergies.iter().zip(1..).map(|(a, n)| al1(n, a)));
        segments.push(
            Segment::new("IN1")
                .set(1, "1")
                .set(2, "06^組合管掌健康保険^JHSD0001")
                .set(3, "06999991")
                .set(4, "架空健康保険組合")
                .set(10, "１２−３４")
                .set(11, "５６７８")
                .set(12, "20200401")
                .set(17, "SEL^本人^HL70063"),
        );
        segments
    }

    /// Contacts and insurance are parsed by readers but never leave; they make no record.
    fn next_of_kin(&self) -> Segment {
        let person = &self.person;
        let name = format!(
            "{}^花^^^^^L^I~{}^ハナ^^^^^L^P",
            person.family, person.family_kana
        );
        Segment::new("NK1")
            .set(1, "1")
            .set(2, name)
            .set(3, "SPO^配偶者^HL70063")
            .set(4, person.xad())
            .set(5, format!("^PRN^PH^^^^^^^^^{}", person.phone))
    }

    fn body(&self) -> [(Code, Measured, Option<Code>); 4] {
        [
            (
                HEIGHT,
                Measured::Number(decimal(self.height, 1)),
                Some(code("cm", "cm", "ISO+")),
            ),
            (
                WEIGHT,
                Measured::Number(decimal(self.weight, 1)),
                Some(code("kg", "kg", "ISO+")),
            ),
            (ABO, Measured::Coded(self.abo), None),
            (RH, Measured::Coded(code("+", "Rh+", "JSHR002")), None),
        ]
    }

    fn obx(&self, number: u32, (item, value, unit): &(Code, Measured, Option<Code>)) -> Segment {
        Segment::new("OBX")
            .set(1, number.to_string())
            .set(2, value.value_type())
            .set(3, item.cwe())
            .set(5, value.field())
            .set(6, unit.map(Code::cwe).unwrap_or_default())
            .set(11, "F")
            .set(14, self.measured.map(Moment::date).unwrap_or_default())
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        let observation = |(item, value, unit): &(Code, Measured, Option<Code>)| Record {
            family: Family::Observations,
            value: json!({
                "code": [item.truth()],
                "value": value.truth(),
                "unit": unit.map(Code::truth),
                "status": "final",
                "effective": self.measured.map(Moment::iso_date),
                "issued": self.recorded.iso_second(),
            }),
        };
        let allergy = |allergen: &Allergen| Record {
            family: Family::Allergies,
            value: allergen.truth("AL1"),
        };
        let observations = self.body().iter().map(observation).collect::<Vec<_>>();
        let allergies = self.allergies.iter().map(allergy);
        observations.into_iter().chain(allergies).collect()
    }

    /// The Patient that a reader gives.
    pub(crate) fn patient(&self) -> Value {
        self.person.truth()
    }
}
