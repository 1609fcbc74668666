//! Usages: the JAMI standard usage master (16 characters) and its additional codes (8).

use crate::hl7::{Code, code};

/// When and how often a drug is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) code: Code,
    pub(crate) per_day: i64,
}

const SYSTEM: &str = "JAMISDP01";

const fn usage(number: &'static str, text: &'static str, per_day: i64) -> Usage {
    Usage {
        code: code(number, text, SYSTEM),
        per_day,
    }
}

pub(crate) const BREAKFAST: Usage = usage("1011000400000000", "内服・経口・１日１回朝食後", 1);
pub(crate) const TWICE: Usage = usage("1012040400000000", "内服・経口・１日２回朝夕食後", 2);
pub(crate) const THRICE: Usage = usage("1013044400000000", "内服・経口・１日３回朝昼夕食後", 3);
pub(crate) const FOUR_TIMES: Usage = usage(
    "1014144400000000",
    "内服・経口・１日４回朝昼夕食後就寝前",
    4,
);
pub(crate) const BEDTIME: Usage = usage("1011100000000000", "内服・経口・１日１回就寝前", 1);
pub(crate) const EIGHT_HOURS: Usage = usage("1023000000000000", "内服・経口・８時間毎", 3);

/// Taken when needed.
pub(crate) const WHEN_NEEDED: [Code; 3] = [
    code(
        "1050110020000000",
        "内服・経口・疼痛時　１日２回まで",
        SYSTEM,
    ),
    code("1050710000000000", "内服・経口・発熱時", SYSTEM),
    code("1050610000000000", "内服・経口・不眠時", SYSTEM),
];

pub(crate) const SPREAD: Usage = usage("2B74000000000000", "外用・塗布・１日４回", 4);
pub(crate) const DROPS: Usage = usage("2H71000000000000", "外用・点眼・１日１回", 1);
pub(crate) const STICK: Usage = usage("2A71000000000000", "外用・貼付・１日１回", 1);
pub(crate) const INSERT: Code = code("2R50410000000000", "外用・肛門挿入・便秘時", SYSTEM);

/// 月・木
pub(crate) const MONDAY_THURSDAY: Code = code("W0100100", "月曜日、木曜日", SYSTEM);
pub(crate) const EVERY_OTHER_DAY: Code = code("I1100000", "１日おき", SYSTEM);

/// 不均等: three, two and one unit at the first, second and third time.
pub(crate) const UNEVEN: [Code; 3] = [
    code("V13NNNNN", "不均等・１回目・３単位量", SYSTEM),
    code("V22NNNNN", "不均等・２回目・２単位量", SYSTEM),
    code("V31NNNNN", "不均等・３回目・１単位量", SYSTEM),
];

/// Only text: usages that the hospital never coded.
pub(crate) const UNCODED: Code = code("", "医師の指示どおり", "");
