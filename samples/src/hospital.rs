//! The invented hospital: its code, doctors and wards.

use crate::hl7::{Code, code};
use crate::random::Random;
use serde_json::{Value, json};

/// 医療施設ID of the hospital: prefecture 13, fee table 1, a number nobody has.
pub const FACILITY: &str = "1319999901";

/// Its name.
pub const NAME: &str = "架空記念病院";

/// A doctor with the department where they see patients.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doctor {
    pub(crate) id: &'static str,
    pub(crate) family: &'static str,
    pub(crate) given: &'static str,
    pub(crate) department: Code,
}

const fn doctor(
    id: &'static str,
    family: &'static str,
    given: &'static str,
    department: Code,
) -> Doctor {
    Doctor {
        id,
        family,
        given,
        department,
    }
}

const DOCTORS: [Doctor; 8] = [
    doctor("D0101", "服部", "時夫", code("01", "内科", "HL70069")),
    doctor("D0102", "本多", "万里", code("01", "内科", "HL70069")),
    doctor("D0801", "舘岡", "匡", code("08", "循環器科", "HL70069")),
    doctor("D1101", "入江", "巳之助", code("11", "整形外科", "HL70069")),
    doctor("D4501", "京極", "愛", code("45", "呼吸器内科", "HL70069")),
    doctor("D4801", "見本", "朋子", code("48", "腎臓内科", "HL70069")),
    doctor("D7001", "院庄", "勇", code("70", "消化器内科", "HL70069")),
    doctor("D7301", "糖谷", "美日", code("73", "糖尿病内科", "HL70069")),
];

/// 病棟^病室^ベッド
pub(crate) const BEDS: [&str; 6] = [
    "05E^512^2",
    "05E^501^1",
    "06W^610^4",
    "07S^702^1",
    "03N^305^3",
    "ICU^01^1",
];

impl Doctor {
    pub(crate) fn any(random: &mut Random) -> Self {
        *random.pick(&DOCTORS)
    }

    /// XCN in kanji.
    pub(crate) fn xcn(&self) -> String {
        format!("{}^{}^{}^^^^^^^L^^^^^I", self.id, self.family, self.given)
    }

    pub(crate) fn truth(&self) -> Value {
        json!({"identifier": self.id, "family": self.family, "given": self.given})
    }
}
