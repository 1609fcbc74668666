//! Results and measurements.

use std::sync::Arc;

use model::code::{CodeSystem, Coding, Concept};
use model::observation::{
    Observation, ObservationCategory, ObservationStatus, ReferenceRange, Report, Specimen, Value,
};
use model::quantity::{Comparator, Decimal, Quantity, Range};

use super::{coded, doctor, hl7, other, text, time};

pub(crate) fn bare_observation(category: ObservationCategory) -> Observation {
    Observation {
        category,
        status: ObservationStatus::Final,
        code: Concept::default(),
        sub_id: None,
        value: None,
        original: None,
        range: None,
        flags: Vec::new(),
        effective: None,
        issued: None,
        specimen: None,
        report: None,
        notes: Vec::new(),
        other: Vec::new(),
    }
}

pub(crate) fn milligrams(value: &str, comparator: Option<Comparator>) -> Quantity {
    let unit = coded(CodeSystem::IsoPlus, "mg/dL", "mg/dL");
    Quantity {
        value: Decimal::parse(value).unwrap(),
        comparator,
        unit: Some(unit),
    }
}

pub(crate) fn full_observation(category: ObservationCategory) -> Observation {
    let jlac = Coding {
        system: Some(CodeSystem::Jlac10),
        code: "5C070000002306201".to_owned(),
        display: text("CRP"),
    };
    let local = Coding {
        system: Some(CodeSystem::Local("99X03".to_owned())),
        code: "50100".to_owned(),
        display: None,
    };
    let limits = Range {
        low: Some(milligrams("0.00", None)),
        high: Some(milligrams("0.14", None)),
    };
    Observation {
        code: Concept {
            codings: vec![jlac, local],
            text: text("ＣＲＰ"),
        },
        sub_id: text("1"),
        value: Some(Value::Quantity(milligrams("0.020", Some(Comparator::Less)))),
        original: text("< 0.020"),
        range: Some(ReferenceRange {
            text: "0.00-0.14".to_owned(),
            limits: Some(limits),
        }),
        flags: ["H", "L", "N", "要確認"].map(str::to_owned).to_vec(),
        effective: time("2024-05-10T08:45:00+09:00"),
        issued: time("2024-05-10T11:22:00+09:00"),
        specimen: Some(Arc::new(Specimen {
            number: text("240510000101"),
            material: Some(coded(CodeSystem::Jlac10, "023", "血清")),
            site: hl7(550, "ARM"),
            collected: time("2024-05-10T08:45:00+09:00"),
            received: time("2024-05-10T09:00:00+09:00"),
            other: other("SPM-5"),
        })),
        report: Some(Arc::new(Report {
            placer: text("000000024000310"),
            filler: text("240510000101"),
            set: Some(coded(
                CodeSystem::Local("99O03".to_owned()),
                "E002",
                "生化学的検査",
            )),
            collected: time("2024-05-10T08:45:00+09:00"),
            requester: Some(doctor()),
            issued: time("2024-05-10T11:22:00+09:00"),
            department: Some(coded(CodeSystem::Department, "01", "内科")),
            parent: text("6B010000006174701&培養^1^E.coli"),
            other: other("OBR-25"),
        })),
        notes: vec!["溶血".to_owned()],
        other: other("OBX-15"),
        ..bare_observation(category)
    }
}

pub(crate) fn observations() -> impl Iterator<Item = Observation> {
    let categories = [
        ObservationCategory::Laboratory,
        ObservationCategory::BodyMeasurement,
        ObservationCategory::Exam,
    ];
    categories.into_iter().flat_map(|category| {
        let of_value = values().into_iter().map(move |value| Observation {
            value: Some(value),
            ..full_observation(category)
        });
        let unsaid = statuses().into_iter().map(move |status| Observation {
            status,
            ..bare_observation(category)
        });
        let dated = Observation {
            issued: time("2024-05-10"),
            ..full_observation(category)
        };
        let worded = ReferenceRange {
            text: "(-)".to_owned(),
            limits: None,
        };
        let worded = Observation {
            range: Some(worded),
            specimen: Some(Arc::default()),
            ..full_observation(category)
        };
        of_value.chain(unsaid).chain([dated, worded])
    })
}

fn statuses() -> [ObservationStatus; 6] {
    [
        ObservationStatus::Registered,
        ObservationStatus::Preliminary,
        ObservationStatus::Final,
        ObservationStatus::Corrected,
        ObservationStatus::Cancelled,
        ObservationStatus::EnteredInError,
    ]
}

fn values() -> Vec<Value> {
    let plain = || milligrams("1", None);
    let comparators = [
        Comparator::Less,
        Comparator::LessOrEqual,
        Comparator::GreaterOrEqual,
        Comparator::Greater,
    ];
    let quantities =
        comparators.map(|comparator| Value::Quantity(milligrams("0.02", Some(comparator))));
    let open = Range {
        low: None,
        high: Some(milligrams("4", Some(Comparator::Less))),
    };
    let mut values = vec![
        Value::Quantity(Quantity {
            unit: None,
            ..plain()
        }),
        Value::Range(Range {
            low: Some(plain()),
            high: Some(milligrams("4", None)),
        }),
        Value::Range(open),
        Value::Ratio(plain(), milligrams("320", None)),
        Value::Concept(coded(CodeSystem::Jshr("JSHR002".to_owned()), "A", "A")),
        Value::Text("  -".to_owned()),
        Value::Text("\u{0}".to_owned()),
        Value::Time("2024-05-10".parse().unwrap()),
    ];
    values.extend(quantities);
    values
}
