//! Prescriptions and injections.

use model::code::{CodeSystem, Coding, Concept};
use model::medication::{
    Ingredient, MedicationKind, MedicationRequest, MedicationStatus, OrderHead, Route, Usage,
};
use model::person::Bed;
use model::quantity::Decimal;

use super::{coded, doctor, hl7, other, quantity, text, time};

pub(crate) fn bare_medication(kind: MedicationKind) -> MedicationRequest {
    MedicationRequest {
        kind,
        status: MedicationStatus::Active,
        order: OrderHead::default(),
        rp_number: "1".to_owned(),
        order_in_rp: 1,
        sequence: None,
        drug: Concept::text("後発品院内採用錠１ｍｇ"),
        ingredients: Vec::new(),
        dose: None,
        dose_max: None,
        per_day: None,
        rate: None,
        rate_per: None,
        dispense: None,
        refills: None,
        form: None,
        instructions: Vec::new(),
        prescription_number: None,
        categories: Vec::new(),
        dosage_class: None,
        strength: None,
        ordered_at: None,
        usages: Vec::new(),
        routes: Vec::new(),
        deliver_to: None,
        notes: Vec::new(),
        other: Vec::new(),
    }
}

fn order() -> OrderHead {
    OrderHead {
        placer: text("000000024000123"),
        filler: text("F1"),
        group: text("000000024000123_01_001"),
        entered_at: time("2024-05-10T10:30:45+09:00"),
        entered_by: Some(doctor()),
        requester: Some(doctor()),
        department: Some(coded(CodeSystem::Department, "01", "内科")),
        setting: hl7(482, "O"),
        other: other("ORC-13"),
    }
}

pub(crate) fn usage() -> Usage {
    Usage {
        code: Some(coded(
            CodeSystem::JamiUsage,
            "1013044400000000",
            "内服・経口・１日３回朝昼夕食後",
        )),
        additional: vec![coded(CodeSystem::JamiUsage, "I1100000", "１日おき")],
        decoded: None,
        amount: Some(quantity("2", "TAB", "錠")),
        days: Decimal::parse("5").ok(),
        duration_text: text("１４日分"),
        start: time("2024-05-10"),
        end: time("2024-05-14"),
        text: text("１日２回まで"),
        times: Decimal::parse("10").ok(),
        other: other("TQ1-12"),
    }
}

fn route() -> Route {
    Route {
        route: hl7(162, "PO"),
        site: Some(coded(CodeSystem::JamiUsage, "77L", "左手")),
        device: hl7(164, "IVP"),
        method: Some(coded(
            CodeSystem::Local("99ILL".to_owned()),
            "102",
            "点滴静注(末梢)",
        )),
        line: Some(coded(CodeSystem::Local("99IL".to_owned()), "01", "主管")),
        site_modifier: hl7(495, "L"),
    }
}

pub(crate) fn full_medication(kind: MedicationKind) -> MedicationRequest {
    let drug = |code: &str| coded(CodeSystem::Hot9, code, "ムコダイン錠２５０ｍｇ");
    let ingredient = |base, code: &str| Ingredient {
        base,
        drug: drug(code),
        amount: Some(quantity("1", "HON", "本")),
        other: other("RXC-7"),
    };
    let is_injection = kind == MedicationKind::Injection;
    let mixture = vec![
        ingredient(true, "107750602"),
        ingredient(false, "108010001"),
    ];
    MedicationRequest {
        order: order(),
        rp_number: "2".to_owned(),
        order_in_rp: 2,
        sequence: text("001"),
        drug: drug("103835401"),
        ingredients: if is_injection { mixture } else { Vec::new() },
        dose: Some(quantity("1.0", "TAB", "錠")),
        dose_max: Some(quantity("2", "TAB", "錠")),
        per_day: Some(quantity("3", "TAB", "錠")),
        rate: Some(quantity("102", "ML", "ml/hr")),
        rate_per: text("H1"),
        dispense: Some(quantity("15.00", "TAB", "錠")),
        refills: Decimal::parse("2").ok(),
        form: Some(coded(CodeSystem::Merit9, "TAB", "錠剤")),
        instructions: vec![coded(
            CodeSystem::Jahis("JHSP0002".to_owned()),
            "B",
            "一包化指示",
        )],
        prescription_number: text("2024051000045"),
        categories: vec![coded(CodeSystem::Merit9, "OHO", "院外処方")],
        dosage_class: Some(coded(
            CodeSystem::Jahis("JHSP0003".to_owned()),
            "22",
            "頓用",
        )),
        strength: Some(quantity("250", "MG", "mg")),
        ordered_at: time("2024-05-10T10:00:00+09:00"),
        usages: vec![usage()],
        routes: vec![route()],
        deliver_to: Some(Bed {
            ward: text("05E"),
            ..Bed::default()
        }),
        notes: vec!["食後に".to_owned()],
        other: other("RXE-13"),
        ..bare_medication(kind)
    }
}

pub(crate) fn medications() -> impl Iterator<Item = MedicationRequest> {
    let kinds = [MedicationKind::Prescription, MedicationKind::Injection];
    let statuses = [
        MedicationStatus::Active,
        MedicationStatus::OnHold,
        MedicationStatus::Cancelled,
        MedicationStatus::Stopped,
    ];
    kinds.into_iter().flat_map(move |kind| {
        let of_status = statuses.map(|status| MedicationRequest {
            status,
            ..full_medication(kind)
        });
        let decoded = Usage {
            code: None,
            decoded: text("１日３回"),
            ..usage()
        };
        let odd = Usage {
            times: Decimal::parse("1.5").ok(),
            days: None,
            ..Usage::default()
        };
        let setting = Some(Concept {
            codings: vec![Coding {
                system: None,
                code: "I".to_owned(),
                display: None,
            }],
            text: None,
        });
        let changed = [
            MedicationRequest {
                usages: vec![decoded, odd],
                ..full_medication(kind)
            },
            MedicationRequest {
                routes: vec![route(), Route::default(), route()],
                ..full_medication(kind)
            },
            MedicationRequest {
                dose: None,
                dose_max: None,
                ..full_medication(kind)
            },
            MedicationRequest {
                dose_max: None,
                per_day: None,
                ..full_medication(kind)
            },
            MedicationRequest {
                refills: Decimal::parse("0.5").ok(),
                ingredients: Vec::new(),
                ..full_medication(kind)
            },
            MedicationRequest {
                order: OrderHead {
                    setting,
                    entered_at: None,
                    ..order()
                },
                ..full_medication(kind)
            },
            MedicationRequest {
                ordered_at: None,
                ..bare_medication(kind)
            },
        ];
        of_status.into_iter().chain(changed)
    })
}
