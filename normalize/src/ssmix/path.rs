//! Folders and file names:
//! `PID[0:3]/PID[3:6]/PID/診療日/データ種別/患者ID_診療日_データ種別_オーダNo_発生日時_診療科コード_フラグ`.

use jiff::civil::{Date, DateTime};
use model::finding::{Finding, Place};
use model::time::{Instant, PartialDateTime};

use super::data_type::DataKind;
use crate::lint::{self, Rule};

/// コンディションフラグ
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flag {
    /// `0`: deleted
    Deleted,
    /// `2`: superseded
    Superseded,
    /// `1`: valid
    Active,
}

/// What a file name says.
#[derive(Clone, PartialEq, Eq)]
pub struct FileName {
    /// 患者ID, verbatim.
    pub patient: String,
    /// 診療日; absent for kinds that have none (`-`).
    pub date: Option<Date>,
    /// データ種別
    pub kind: DataKind,
    /// オーダNo, verbatim.
    pub order: String,
    /// 発生日時, verbatim: usually `YYYYMMDDHHMMSSFFF`.
    pub time: String,
    /// 診療科コード; absent for `-`.
    pub department: Option<String>,
    /// コンディションフラグ
    pub flag: Flag,
    /// What deviates from the standard.
    pub deviations: Vec<Finding>,
}

/// The order number of items that have none.
pub(super) const NO_ORDER: &str = "999999999999999";

/// The folder of a patient under a root.
pub fn folder(local_id: &str) -> String {
    let part = |from: usize, to: usize| {
        local_id
            .chars()
            .skip(from)
            .take(to - from)
            .collect::<String>()
    };
    let (first, second) = (part(0, 3), part(3, 6));
    [first.as_str(), second.as_str(), local_id]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

/// Reads a path relative to a root, or a bare file name. The name is read from its right end,
/// because some writers leave the department out; the folders are only checked against it.
///
/// # Errors
/// The finding, when it is no name of the storage. Neither carries the name.
pub fn parse(relative: &str) -> Result<FileName, Finding> {
    let mut folders: Vec<&str> = relative
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let name = folders.pop().unwrap_or_default();
    let mut file = parse_name(name).ok_or_else(|| breach(lint::S1117))?;
    check_folders(&mut file, name, &folders);
    Ok(file)
}

fn parse_name(name: &str) -> Option<FileName> {
    let fields: Vec<&str> = name.split('_').collect();
    let (patient, date, kind, order, time, department, flag) = match fields.as_slice() {
        [patient, date, kind, order, time, department, flag] => {
            (patient, date, kind, order, time, *department, flag)
        }
        [patient, date, kind, order, time, flag] if is_time(time) => {
            (patient, date, kind, order, time, "", flag)
        }
        _ => return None,
    };
    let mut deviations = Vec::new();
    let flag = match *flag {
        "0" => Flag::Deleted,
        "1" => Flag::Active,
        "2" => Flag::Superseded,
        _ => return None,
    };
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if ![patient, kind, order, time]
        .into_iter()
        .all(|text| plain(text))
        || instant(time).is_none()
    {
        return None;
    }
    let day = match *date {
        "-" => None,
        text => Some(day(text)?),
    };
    let usual = order.len() == NO_ORDER.len() && time.len() == 17 && !department.is_empty();
    if !usual {
        deviations.push(breach(lint::S1114));
    }
    let kind = DataKind::named(kind);
    if matches!(kind, DataKind::Other(_)) {
        deviations.push(breach(lint::S1103));
    }
    Some(FileName {
        patient: (*patient).to_owned(),
        date: day,
        kind,
        order: (*order).to_owned(),
        time: (*time).to_owned(),
        department: Some(department)
            .filter(|code| !code.is_empty() && *code != "-")
            .map(str::to_owned),
        flag,
        deviations,
    })
}

/// The folders must repeat the name. Padding of the two upper ones differs between builders and
/// says nothing.
fn check_folders(file: &mut FileName, name: &str, folders: &[&str]) {
    let mut fields = name.split('_');
    let expected = [fields.next(), fields.next(), fields.next()];
    if let [.., patient, date, kind] = folders
        && expected != [Some(*patient), Some(*date), Some(*kind)]
    {
        file.deviations.push(breach(lint::S1101));
    }
}

fn breach(rule: Rule) -> Finding {
    rule.at(Place::default())
}

fn is_time(text: &str) -> bool {
    (14..=17).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn day(text: &str) -> Option<Date> {
    // `i16` would read a sign.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from, to| {
        text.get(from..to)
            .and_then(|part: &str| part.parse::<i16>().ok())
    };
    let (month, day) = (
        i8::try_from(number(4, 6)?).ok()?,
        i8::try_from(number(6, 8)?).ok()?,
    );
    if text.len() == 8 {
        Date::new(number(0, 4)?, month, day).ok()
    } else {
        None
    }
}

fn written(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// 発生日時; what is missing of the 17 digits counts as zero.
fn instant(text: &str) -> Option<Instant> {
    if !is_time(text) {
        return None;
    }
    let padded = text.to_owned() + &"0".repeat(17_usize.saturating_sub(text.len()));
    let part = |from, to| {
        padded
            .get(from..to)
            .and_then(|part: &str| part.parse::<i16>().ok())
    };
    let two = |from| part(from, from + 2).and_then(|number| i8::try_from(number).ok());
    let nanoseconds = i32::from(part(14, 17)?) * 1_000_000;
    let date = day(padded.get(..8)?)?;
    let clock = DateTime::new(
        date.year(),
        date.month(),
        date.day(),
        two(8)?,
        two(10)?,
        two(12)?,
        nanoseconds,
    );
    Some(PartialDateTime::at(clock.ok()?, None).start())
}

/// A time as the 17 digits of 発生日時, in Japan.
pub(super) fn digits(time: Instant) -> String {
    let civil = time.civil();
    let (date, clock) = (civil.date(), civil.time());
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}{:03}",
        date.year(),
        date.month(),
        date.day(),
        clock.hour(),
        clock.minute(),
        clock.second(),
        clock.millisecond()
    )
}

impl FileName {
    /// The name but for its flag, which changes later.
    pub fn without_flag(&self) -> String {
        let (kind, order, time) = (self.kind.name(), &self.order, &self.time);
        let department = self.department.as_deref().unwrap_or("-");
        let patient = &self.patient;
        let date = self.date.map_or_else(|| "-".to_owned(), written);
        format!("{patient}_{date}_{kind}_{order}_{time}_{department}")
    }

    /// What versions of the same data share within a facility: the patient's `number` after the feed's
    /// identity rules, 診療日, データ種別, オーダNo.
    pub fn slot(&self, number: &str) -> String {
        let (kind, order) = (self.kind.name(), &self.order);
        match self.date {
            None => format!("{number}|-|{kind}|{order}"),
            Some(date) => format!("{number}|{}|{kind}|{order}", written(date)),
        }
    }

    /// What tells versions of a slot apart: 発生日時 and 診療科コード.
    pub fn version(&self) -> String {
        format!(
            "{}|{}",
            self.time,
            self.department.as_deref().unwrap_or("-")
        )
    }

    /// The order number, unless it stands for "none" (all nines).
    pub fn order_number(&self) -> Option<&str> {
        let real = !self.order.bytes().all(|byte| byte == b'9') && self.order != "-";
        real.then_some(self.order.as_str())
    }

    /// 発生日時
    pub fn instant(&self) -> Instant {
        instant(&self.time).unwrap_or(Instant::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "0000123456_20240510_OMP-01_000000024000123_20240510103046984_01_1";

    #[track_caller]
    fn deviations(path: &str, expected: &[&str]) {
        let file = parse(path).unwrap_or_else(|finding| panic!("{path} {}", finding.rule));
        let rules: Vec<&str> = file
            .deviations
            .iter()
            .map(|finding| finding.rule.as_str())
            .collect();
        assert_eq!(rules, expected, "{path}");
    }

    #[test]
    fn a_name_says_patient_date_kind_order_time_department_and_flag() {
        let file = parse(NAME).ok().unwrap();
        assert_eq!(file.patient, "0000123456");
        assert_eq!(file.date.unwrap().to_string(), "2024-05-10");
        assert_eq!(file.kind, DataKind::Omp01);
        assert_eq!(
            file.slot("123456"),
            "123456|20240510|OMP-01|000000024000123"
        );
        assert_eq!(file.version(), "20240510103046984|01");
        assert_eq!(file.order_number(), Some("000000024000123"));
        assert_eq!(file.instant().to_string(), "2024-05-10T10:30:46.984+09:00");
        assert_eq!(file.flag, Flag::Active);
    }

    #[test]
    fn a_hyphen_and_nines_stand_for_none() {
        let file = parse("0000123456_-_ADT-00_999999999999999_20240510101530123_-_2")
            .ok()
            .unwrap();
        assert_eq!(
            (file.date, file.department.as_deref(), file.order_number()),
            (None, None, None)
        );
        assert_eq!(file.slot("123456"), "123456|-|ADT-00|999999999999999");
        assert_eq!(file.flag, Flag::Superseded);
    }

    #[test]
    fn folders_follow_from_the_patient_id() {
        assert_eq!(folder("0000123456"), "000/012/0000123456");
        assert_eq!(folder("9999013"), "999/901/9999013");
        assert_eq!(folder("123"), "123/123");
        assert_eq!(folder("12345"), "123/45/12345");
    }

    #[test]
    fn folders_that_contradict_the_name_are_found() {
        deviations(&format!("000/012/0000123456/20240510/OMP-01/{NAME}"), &[]);
        deviations(&format!("0/-/0000123456/20240510/OMP-01/{NAME}"), &[]);
        deviations(
            &format!("000/012/0000123456/20240511/OMP-01/{NAME}"),
            &["S1101"],
        );
        deviations(
            &format!("999/901/9999013/20240510/OMP-01/{NAME}"),
            &["S1101"],
        );
        deviations(
            &format!("000/012/0000123456/20240510/ADT-31/{NAME}"),
            &["S1101"],
        );
    }

    #[test]
    fn names_of_real_senders_are_read() {
        deviations(
            "9999013_20111220_OMG-01_2011122000300_20111220224447339_-_1",
            &["S1114"],
        );
        deviations(
            "9999013_20160101_OMP-01_000000011000185_201601011500321_01_1",
            &["S1114"],
        );
        deviations(
            "9999013_20160101_OMP-01_000000011000185_20160101150032100_1",
            &["S1114"],
        );
        deviations(
            "9999013_20160101_OML-12_000000011000185_20160101150032100_01_1",
            &["S1103"],
        );
    }

    #[test]
    fn what_is_no_name_of_the_storage_is_refused() {
        for name in [
            "",
            ".",
            "Thumbs.db",
            "0000123456_20240510_OMP-01_000000024000123_20240510103046984_01_3",
            "0000123456_20241310_OMP-01_000000024000123_20240510103046984_01_1",
            "0000123456_2024+510_OMP-01_000000024000123_20240510103046984_01_1",
            "0000123456_20240510_OMP-01_000000024000123_2024_01_1",
            "0000123456_20240510_OMP-01_000000024000123_20240510103046984_01_1.tmp",
            "..%2f_20240510_OMP-01_000000024000123_20240510103046984_01_1",
        ] {
            assert!(parse(name).is_err(), "{name}");
        }
    }
}
