//! Bodies of every kind: the emptiest, the fullest, and one for each value of each closed set.

use std::collections::{BTreeMap, BTreeSet};

use model::allergy::{Allergy, AllergySource};
use model::code::{CodeSystem, Coding, Concept};
use model::condition::{ClinicalStatus, Condition, VerificationStatus};
use model::encounter::{Encounter, EncounterClass, EncounterStatus, Stay};
use model::id::{FacilityId, PatientId, RecordId};
use model::medication::{
    Ingredient, MedicationKind, MedicationRequest, MedicationStatus, OrderHead, Route, Usage,
};
use model::network::{
    Anchor, ConsentScope, Facility, FacilityKind, Limit, Limits, Network, Profile, Retention,
    Topology, Window, Withdrawal,
};
use model::observation::{
    Observation, ObservationCategory, ObservationStatus, ReferenceRange, Report, Specimen, Value,
};
use model::patient::Patient;
use model::person::{Address, Bed, PersonName, Sex, Staff, Telecom, Writing};
use model::quantity::{Comparator, Decimal, Quantity, Range};
use model::record::{
    Body, Categories, Category, Kind, Occurred, ReadRecord, RecordMeta, Sensitivity,
};
use model::time::{Instant, PartialDateTime};

use crate::fhir::Rendering;

pub(crate) const PATIENT: PatientId = PatientId([7; 16]);

pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn time(text: &str) -> Option<PartialDateTime> {
    Some(text.parse().unwrap())
}

pub(crate) fn facility() -> FacilityId {
    "1319999901".parse().unwrap()
}

pub(crate) fn coded(system: CodeSystem, code: &str, display: &str) -> Concept {
    let coding = Coding {
        system: Some(system),
        code: code.to_owned(),
        display: text(display),
    };
    Concept {
        codings: vec![coding],
        text: None,
    }
}

pub(crate) fn hl7(table: u16, code: &str) -> Option<Concept> {
    Some(coded(CodeSystem::Hl7Table(table), code, code))
}

pub(crate) fn quantity(value: &str, code: &str, unit: &str) -> Quantity {
    let unit = coded(CodeSystem::Merit9, code, unit);
    Quantity {
        value: Decimal::parse(value).unwrap(),
        comparator: None,
        unit: Some(unit),
    }
}

fn doctor() -> Staff {
    Staff {
        id: text("D0101"),
        name: text("服部 時夫"),
        kana: text("ハットリ トキオ"),
    }
}

fn other(field: &str) -> Vec<(String, String)> {
    vec![(field.to_owned(), "そのまま".to_owned())]
}

pub(crate) fn network() -> Network {
    let code = facility();
    let known = Facility {
        code: code.clone(),
        name: "見本病院".to_owned(),
        kana: "ミホンビョウイン".to_owned(),
        kind: FacilityKind::Hospital,
        groups: Vec::new(),
        discloses: Categories::ALL,
    };
    Network {
        id: "example".to_owned(),
        profile: profile(),
        facilities: BTreeMap::from([(code, known)]),
        feeds: BTreeMap::new(),
        hash: [9; 32],
    }
}

fn profile() -> Profile {
    Profile {
        title: "見本 ネットワーク".to_owned(),
        version: "1.0".to_owned(),
        patient_system: "https://renkei.example.jp/id/patient".to_owned(),
        topology: Topology::Hub,
        ends_on: None,
        professions: BTreeSet::new(),
        staff_methods: Vec::new(),
        consent_scope: ConsentScope::PerFacility,
        consent_form: None,
        window: Window {
            back: Limit::Unlimited,
            forward: Limit::Unlimited,
            anchor: Anchor::Publication,
        },
        retention: Retention {
            after_last_view: Limit::Unlimited,
            until: None,
        },
        withdrawal: Withdrawal {
            hold: Limit::Unlimited,
        },
        rights: BTreeMap::new(),
        limits: Limits {
            requests_per_minute: None,
            searches_per_minute: None,
            patients_per_hour: None,
        },
    }
}

pub(crate) fn on(network: &Network) -> Rendering<'_> {
    Rendering {
        network,
        today: "2024-05-10".parse().unwrap(),
    }
}

/// A record of a body, on the tenth of May 2024.
pub(crate) fn record(kind: Kind, category: Category, body: Body) -> ReadRecord {
    ReadRecord {
        id: RecordId([1; 16]),
        patient: PATIENT,
        meta: RecordMeta {
            facility: facility(),
            kind,
            category,
            sensitivity: Sensitivity::Normal,
            occurred: Occurred::at("2024-05-10".parse().unwrap()),
            source_key: String::new(),
        },
        body,
        last_updated: Instant::start_of("2024-05-11".parse().unwrap()),
        version: 3,
        superseded_only: false,
        source: "00112233aabbccdd".to_owned(),
    }
}

pub(crate) fn of_patient(body: Patient) -> ReadRecord {
    record(
        Kind::Patient,
        Category::Demographics,
        Body::Patient(Box::new(body)),
    )
}

pub(crate) fn of_encounter(body: Encounter) -> ReadRecord {
    record(
        Kind::Encounter,
        Category::Encounter,
        Body::Encounter(Box::new(body)),
    )
}

pub(crate) fn of_condition(body: Condition) -> ReadRecord {
    record(
        Kind::Condition,
        Category::Problem,
        Body::Condition(Box::new(body)),
    )
}

pub(crate) fn of_allergy(body: Allergy) -> ReadRecord {
    record(
        Kind::AllergyIntolerance,
        Category::Allergy,
        Body::Allergy(Box::new(body)),
    )
}

pub(crate) fn of_medication(body: MedicationRequest) -> ReadRecord {
    record(
        Kind::MedicationRequest,
        Category::Prescription,
        Body::Medication(Box::new(body)),
    )
}

pub(crate) fn of_observation(body: Observation) -> ReadRecord {
    record(
        Kind::Observation,
        Category::Lab,
        Body::Observation(Box::new(body)),
    )
}

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

pub(crate) fn bare_encounter(class: EncounterClass, status: EncounterStatus) -> Encounter {
    Encounter {
        class,
        status,
        start: None,
        end: None,
        department: None,
        locations: Vec::new(),
        attending: Vec::new(),
        admitting: Vec::new(),
        disposition: None,
        number: None,
        other: Vec::new(),
    }
}

pub(crate) fn full_encounter(class: EncounterClass, status: EncounterStatus) -> Encounter {
    let bed = |ward: &str| Bed {
        ward: text(ward),
        room: text("512"),
        bed: text("2"),
        kind: text("N"),
    };
    let clinic = Bed {
        ward: text("01"),
        kind: text("C"),
        ..Bed::default()
    };
    let moved = time("2024-05-11T10:00:00+09:00");
    Encounter {
        start: time("2024-05-10T08:45:00+09:00"),
        end: time("2024-05-20"),
        department: Some(coded(CodeSystem::Department, "01", "内科")),
        locations: vec![
            Stay {
                bed: bed("05E"),
                start: time("2024-05-10"),
                end: moved,
            },
            Stay {
                bed: bed("05E"),
                start: moved,
                end: None,
            },
            Stay {
                bed: clinic,
                start: moved,
                end: time("2024-05-01"),
            },
            Stay {
                bed: Bed::default(),
                start: None,
                end: None,
            },
        ],
        attending: vec![doctor(), Staff::default()],
        admitting: vec![doctor()],
        disposition: hl7(112, "01"),
        number: text("000000024000300"),
        other: other("EVN-4"),
        ..bare_encounter(class, status)
    }
}

pub(crate) fn bare_condition() -> Condition {
    Condition {
        code: Concept::text("胃炎"),
        prefixes: Vec::new(),
        suffixes: Vec::new(),
        clinical: ClinicalStatus::Active,
        verification: VerificationStatus::Confirmed,
        identifier: None,
        recorded: None,
        onset: None,
        onset_text: None,
        abatement: None,
        expected_end: None,
        outcome: None,
        rank: None,
        icd_edition: None,
        kinds: Vec::new(),
        security: None,
        notes: Vec::new(),
        recorder: None,
        department: None,
        other: Vec::new(),
    }
}

pub(crate) fn full_condition() -> Condition {
    let disease = Coding {
        system: Some(CodeSystem::DiseaseNumber),
        code: "20054174".to_owned(),
        display: text("胃炎"),
    };
    let icd = Coding {
        system: Some(CodeSystem::Icd10),
        code: "K291".to_owned(),
        display: None,
    };
    Condition {
        code: Concept {
            codings: vec![disease, icd],
            text: text("胃炎"),
        },
        prefixes: vec![coded(CodeSystem::ModifierNumber, "27000225", "急性")],
        suffixes: vec![coded(CodeSystem::ModifierExchange, "8002", "の疑い")],
        identifier: text("D00000000000002"),
        recorded: time("2024-05-10"),
        onset: time("2024-05-08"),
        onset_text: text("一昨日から"),
        abatement: time("2024-05-09"),
        expected_end: time("2024-06"),
        outcome: hl7(241, "F"),
        rank: Some(coded(
            CodeSystem::Jahis("JHSD0007".to_owned()),
            "1",
            "主診断",
        )),
        icd_edition: text("2013"),
        kinds: vec![coded(
            CodeSystem::Jahis("JHSD0004".to_owned()),
            "O",
            "外来時",
        )],
        security: hl7(177, "U"),
        notes: vec!["特記".to_owned()],
        recorder: Some(doctor()),
        department: Some(coded(CodeSystem::Department, "01", "内科")),
        other: other("PRB-2"),
        ..bare_condition()
    }
}

pub(crate) fn conditions() -> impl Iterator<Item = Condition> {
    let clinical = [
        ClinicalStatus::Active,
        ClinicalStatus::Inactive,
        ClinicalStatus::Resolved,
    ];
    let verification = [
        VerificationStatus::Confirmed,
        VerificationStatus::Provisional,
        VerificationStatus::EnteredInError,
    ];
    let onsets = [None, time("2024-05-08")];
    let all = clinical
        .into_iter()
        .flat_map(move |clinical| verification.map(|verification| (clinical, verification)));
    all.flat_map(move |(clinical, verification)| {
        let of = move |body: Condition| Condition {
            clinical,
            verification,
            ..body
        };
        onsets
            .map(|onset| {
                of(Condition {
                    onset,
                    ..full_condition()
                })
            })
            .into_iter()
            .chain([of(bare_condition())])
    })
}

pub(crate) fn bare_allergy() -> Allergy {
    Allergy {
        source: AllergySource::AllergyList,
        kind: None,
        code: Concept::text("スギ花粉"),
        severity: None,
        reactions: Vec::new(),
        action: None,
        identifier: None,
        reason: None,
        sensitivity: None,
        onset: None,
        onset_text: None,
        recorded: None,
        clinical: None,
        asserter: None,
        other: Vec::new(),
    }
}

pub(crate) fn full_allergy() -> Allergy {
    Allergy {
        source: AllergySource::Order,
        kind: hl7(127, "DA"),
        code: coded(CodeSystem::Hot9, "106824501", "アリナミン"),
        severity: hl7(128, "MO"),
        reactions: vec!["発疹".to_owned(), "呼吸困難".to_owned()],
        action: hl7(323, "A"),
        identifier: text("A1"),
        reason: text("誤登録のため"),
        sensitivity: hl7(436, "AL"),
        onset: time("2007-07-10"),
        onset_text: text("小学校入学前"),
        recorded: time("2024-05-10"),
        clinical: hl7(438, "C"),
        asserter: Some(doctor()),
        other: other("IAM-14"),
    }
}

pub(crate) fn allergies() -> impl Iterator<Item = Allergy> {
    let with = |change: &dyn Fn(&mut Allergy)| {
        let mut body = full_allergy();
        change(&mut body);
        body
    };
    let kinds = ["DA", "FA", "EA", "PA", "LA", "AA", "MA", "MC"]
        .map(|code| with(&|body| body.kind = hl7(127, code)));
    let severities =
        ["SV", "MO", "MI", "U"].map(|code| with(&|body| body.severity = hl7(128, code)));
    let silent = ["SV", "U"]
        .map(|code| with(&|body| (body.severity, body.reactions) = (hl7(128, code), Vec::new())));
    let actions = ["A", "D", "U", "X"].map(|code| with(&|body| body.action = hl7(323, code)));
    let clinical = ["C", "D", "E", "I", "P", "S", "U", "Z"]
        .map(|code| with(&|body| body.clinical = hl7(438, code)));
    let types =
        ["AD", "AL", "CT", "IN", "SE"].map(|code| with(&|body| body.sensitivity = hl7(436, code)));
    let worded = with(&|body| body.onset = None);
    let both = with(&|body| (body.action, body.clinical) = (hl7(323, "D"), hl7(438, "E")));
    [bare_allergy(), worded, both]
        .into_iter()
        .chain(kinds)
        .chain(severities)
        .chain(silent)
        .chain(actions)
        .chain(clinical)
        .chain(types)
}

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
        specimen: Some(Specimen {
            number: text("240510000101"),
            material: Some(coded(CodeSystem::Jlac10, "023", "血清")),
            site: hl7(550, "ARM"),
            collected: time("2024-05-10T08:45:00+09:00"),
            received: time("2024-05-10T09:00:00+09:00"),
            other: other("SPM-5"),
        }),
        report: Some(Report {
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
        }),
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
            specimen: Some(Specimen::default()),
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
