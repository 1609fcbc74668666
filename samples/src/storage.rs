//! Names and folders of a standardized storage (SS-MIX2 Ver. 1.2: folder levels 1–5, file name).

use crate::time::Moment;
use std::fmt;

/// データ種別 that this crate writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 患者基本情報
    Adt00,
    /// 外来診察の受付
    Adt12,
    /// 入院実施
    Adt22,
    /// 退院実施
    Adt52,
    /// アレルギー情報
    Adt61,
    /// 病名（歴）情報
    Ppr01,
    /// 食事オーダ, kept raw
    Omd,
    /// 処方オーダ
    Omp01,
    /// 注射オーダ
    Omp02,
    /// 検体検査結果
    Oml11,
    /// 放射線検査オーダ, kept raw
    Omg01,
}

impl Kind {
    /// The folder's name.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Adt00 => "ADT-00",
            Self::Adt12 => "ADT-12",
            Self::Adt22 => "ADT-22",
            Self::Adt52 => "ADT-52",
            Self::Adt61 => "ADT-61",
            Self::Ppr01 => "PPR-01",
            Self::Omd => "OMD",
            Self::Omp01 => "OMP-01",
            Self::Omp02 => "OMP-02",
            Self::Oml11 => "OML-11",
            Self::Omg01 => "OMG-01",
        }
    }

    /// True for kinds without 診療日 (folder `-`).
    pub const fn is_undated(self) -> bool {
        matches!(self, Self::Adt00 | Self::Adt61 | Self::Ppr01)
    }
}

/// コンディションフラグ, the last field of a file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// 0: invalidated, or a delete message.
    Deleted,
    /// 1: in force.
    Current,
    /// 2: superseded.
    Superseded,
}

impl Flag {
    /// The digit.
    pub const fn digit(self) -> char {
        match self {
            Self::Deleted => '0',
            Self::Current => '1',
            Self::Superseded => '2',
        }
    }
}

/// Order number of kinds that have none.
pub const NO_ORDER: &str = "999999999999999";

/// What the standard calls "the same data": all versions of one slot replace each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    /// 患者ID
    pub patient: String,
    /// 診療日, `YYYYMMDD` or `-`.
    pub date: String,
    /// データ種別
    pub kind: Kind,
    /// オーダNo, 15 digits.
    pub order: String,
}

impl Slot {
    /// The slot of a kind; an undated kind drops the day, no order number becomes `9…9`.
    pub fn new(patient: &str, day: Moment, kind: Kind, order: Option<u64>) -> Self {
        Self {
            patient: patient.to_owned(),
            date: if kind.is_undated() {
                "-".to_owned()
            } else {
                day.date()
            },
            kind,
            order: order.map_or_else(|| NO_ORDER.to_owned(), |number| format!("{number:015}")),
        }
    }

    /// A version of this slot.
    pub fn version(&self, time: Moment, department: &str) -> Version {
        Version {
            slot: self.clone(),
            time,
            department: department.to_owned(),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.date, self.kind.folder(), self.order)
    }
}

/// One version of a slot: a file name without its flag, whose content never changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The slot.
    pub slot: Slot,
    /// 発生日時
    pub time: Moment,
    /// 診療科コード, or `-`.
    pub department: String,
}

impl Version {
    /// Path below a root, with `/`, under one flag.
    pub fn path(&self, flag: Flag) -> String {
        let Slot {
            patient,
            date,
            kind,
            order,
        } = &self.slot;
        let kind = kind.folder();
        let first: String = patient.chars().take(3).collect();
        let second: String = patient.chars().skip(3).take(3).collect();
        let (time, department, flag) = (self.time.stamp(), &self.department, flag.digit());
        format!(
            "{first}/{second}/{patient}/{date}/{kind}/{patient}_{date}_{kind}_{order}_{time}_{department}_{flag}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(slot: &Slot, department: &str, path: &str) {
        let time = Moment::day(2024, 5, 10).at(10, 30).plus_millis(46_984);
        assert_eq!(slot.version(time, department).path(Flag::Current), path);
    }

    #[test]
    fn an_order_lies_in_the_folder_of_its_day() {
        check(
            &Slot::new(
                "0000123456",
                Moment::day(2024, 5, 10),
                Kind::Omp01,
                Some(24_000_123),
            ),
            "01",
            "000/012/0000123456/20240510/OMP-01/0000123456_20240510_OMP-01_000000024000123_20240510103046984_01_1",
        );
    }

    #[test]
    fn demographics_have_neither_day_nor_order() {
        check(
            &Slot::new("0000123456", Moment::day(2024, 5, 10), Kind::Adt00, None),
            "-",
            "000/012/0000123456/-/ADT-00/0000123456_-_ADT-00_999999999999999_20240510103046984_-_1",
        );
    }
}
