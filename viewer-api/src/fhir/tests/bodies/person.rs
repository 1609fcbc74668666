//! What facilities say of who somebody is.

use model::patient::Patient;
use model::person::{Address, PersonName, Sex, Telecom, Writing};

use super::{other, text, time};

pub(crate) fn name(writing: Writing, family: &str, given: &str, kind: Option<&str>) -> PersonName {
    PersonName {
        writing,
        family: text(family),
        given: text(given),
        text: format!("{family} {given}"),
        original: (writing == Writing::Phonetic).then(|| "ﾐﾎﾝ ﾊﾅｺ".to_owned()),
        kind: kind.map(str::to_owned),
    }
}

pub(crate) fn bare_patient() -> Patient {
    Patient {
        local_id: "0000123456".to_owned(),
        names: Vec::new(),
        birth_date: None,
        sex: None,
        addresses: Vec::new(),
        telecoms: Vec::new(),
        updated: None,
        from_order: false,
        other: Vec::new(),
    }
}

pub(crate) fn full_patient() -> Patient {
    let kinds = [
        None,
        Some("L"),
        Some("D"),
        Some("M"),
        Some("N"),
        Some("S"),
        Some("A"),
    ];
    let kanji = kinds
        .iter()
        .map(|kind| name(Writing::Ideographic, "見本", "花子", *kind));
    let kana = name(Writing::Phonetic, "ミホン", "ハナコ", Some("L"));
    let latin = name(Writing::Alphabetic, "MIHON", "HANAKO", None);
    Patient {
        names: kanji.chain([kana, latin]).collect(),
        birth_date: time("1948-04-15"),
        sex: Some(Sex::Female),
        addresses: ["H", "B", "C", "BR"]
            .iter()
            .map(|kind| address(kind))
            .collect(),
        telecoms: vec![
            telecom("022-000-0000", Some("PRN"), Some("PH")),
            telecom("090-0000-0000", Some("PRS"), Some("CP")),
            telecom("", None, None),
        ],
        updated: time("2024-05-10T10:15:00+09:00"),
        other: other("PID-10"),
        ..bare_patient()
    }
}

fn address(kind: &str) -> Address {
    Address {
        text: text("宮城県仙台市架空区五本町一丁目２番３号"),
        lines: vec!["五本町一丁目２番３号".to_owned()],
        city: text("仙台市"),
        state: text("宮城県"),
        postal_code: text("980-0000"),
        country: text("JPN"),
        kind: text(kind),
    }
}

fn telecom(value: &str, use_code: Option<&str>, equipment: Option<&str>) -> Telecom {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Telecom {
        value: value.to_owned(),
        work: false,
        use_code: owned(use_code),
        equipment: owned(equipment),
    }
}
