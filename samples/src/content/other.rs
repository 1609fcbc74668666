//! OMD and OMG-01: kinds that readers keep without making records of them.

use super::Order;
use crate::hl7::Segment;
use crate::person::Person;
use crate::time::Moment;

/// A meal order.
#[derive(Clone, Debug)]
pub(crate) struct Meal {
    pub(crate) order: Order,
    pub(crate) from: Moment,
    pub(crate) until: Moment,
}

impl Meal {
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        vec![
            patient.pid(),
            self.order.pv1(),
            self.order.orc("NW"),
            // Meals are timed by the hour (SS-MIX2: 朝 07, 昼 12, 夕 18).
            Segment::new("TQ1")
                .set(1, "1")
                .set(3, "TID&１日３回&HL70335")
                .set(7, format!("{}18", self.from.date()))
                .set(8, format!("{}07", self.until.date()))
                .set(9, "R^ルーチン^HL70485"),
            Segment::new("ODS")
                .set(1, "D")
                .set(3, "021^糖尿病食１６００ｋｃａｌ^99XY3")
                .set(4, "塩分６ｇ以下"),
        ]
    }
}

/// A radiology order.
#[derive(Clone, Debug)]
pub(crate) struct ImagingOrder {
    pub(crate) order: Order,
}

impl ImagingOrder {
    pub(crate) fn segments(&self, patient: &Person) -> Vec<Segment> {
        vec![
            patient.pid(),
            self.order.pv1(),
            self.order.orc("NW"),
            Segment::new("TQ1").set(1, "1").set(9, "R^^HL70485"),
            Segment::new("OBR")
                .set(2, self.order.placer())
                .set(4, "1000000000000000^Ｘ線単純撮影^JJ1017")
                .set(16, self.order.doctor.xcn()),
        ]
    }
}
