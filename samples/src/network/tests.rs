use super::*;
use crate::step::Step;
use crate::storage::{Flag, Kind};
use crate::tree::Entry;
use encoding_rs::{ISO_2022_JP, SHIFT_JIS};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A rough network of 200 patients.
static PATIENTS: LazyLock<Vec<Patient>> =
    LazyLock::new(|| Network::generate(1, 200).patients().collect());

/// All their files: path and text.
static FILES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut files = Vec::new();
    for patient in PATIENTS.iter() {
        for (entry, bytes) in patient.tree.files() {
            files.push((entry.version.path(entry.flag), read(patient.form, bytes)));
        }
    }
    files
});

/// The text by a decoder that this crate did not write.
fn read(form: Form, bytes: &[u8]) -> String {
    use crate::charset::Charset;
    match form.charset {
        Charset::Utf8 => String::from_utf8(bytes.to_vec()).unwrap(),
        Charset::Cp932 => SHIFT_JIS.decode(bytes).0.into_owned(),
        Charset::Iso2022Jp => ISO_2022_JP.decode(bytes).0.into_owned(),
    }
}

/// Some file of the kind has a line that begins with `segment` and contains `text`.
fn check(kind: &str, segment: &str, text: &str) {
    let found = FILES.iter().any(|(path, message)| {
        let lines = message.split(['\r', '\n']);
        path.contains(&format!("/{kind}/"))
            && lines
                .filter(|line| line.starts_with(segment))
                .any(|line| line.contains(text))
    });
    assert!(found, "no {segment} with {text} in {kind}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed| Network::generate(seed, 30).patient(17).tree;
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn a_patient_does_not_depend_on_the_others() {
    let truth = |patients| Network::generate(1, patients).patient(4).truth();
    assert_eq!(truth(5), truth(50));
}

#[test]
fn every_quirk_has_patients_and_every_form_too() {
    for quirk in Quirk::ALL {
        assert!(
            PATIENTS.iter().any(|p| p.quirks.contains(&quirk)),
            "{quirk:?}"
        );
    }
    for form in Form::ALL {
        assert!(PATIENTS.iter().any(|p| p.form == form), "{form:?}");
    }
}

#[test]
fn every_flag_and_the_second_root_occur() {
    let of_patient = |patient: &Patient| {
        let files = patient.tree.files();
        files
            .map(|(entry, _)| (entry.flag, entry.root))
            .collect::<Vec<_>>()
    };
    let flags: BTreeSet<(Flag, usize)> = PATIENTS.iter().flat_map(of_patient).collect();
    for expected in [
        (Flag::Current, 0),
        (Flag::Deleted, 0),
        (Flag::Superseded, 0),
        (Flag::Current, 1),
    ] {
        assert!(flags.contains(&expected), "{expected:?}");
    }
}

#[test]
fn results_come_in_every_form() {
    for text in [
        "|13-30|",
        "|<0.15|",
        "|(-)|",
        "|M:13.7-16.8 F:11.6-14.8|",
        "|H|",
        "|L|",
        "|HH|",
        "|LL|",
        "|N|",
        "|||C",
        "|||D",
        "|||I",
        "|||P",
        "|||X",
        "||  -|",
        "|< 0.02|",
        "|<^0.02|",
        "|測定不能|",
        "|\"\"|",
        "|CWE|",
        "^JC10^10207^",
        "^:^",
    ] {
        check("OML-11", "OBX", text);
    }
    check("OML-11", "OBX", "|99901^研究用マーカーＺ^99X03|");
    check("OML-11", "ORC", "||IP|");
}

#[test]
fn prescriptions_come_in_every_form() {
    check("OMP-01", "ORC", "||1|||||");
    check("OMP-01", "ORC", "_01|||||");
    check("OMP-01", "ORC", "_01_001|||||");
    check("OMP-01", "RXE", "|\"\"||\"\"|");
    check("OMP-01", "RXE", "||^^^LC0017^");
    check("OMP-01", "RXE", "^HOT9^LC0102^");
    check("OMP-01", "RXE", "|OIT^軟膏^MR9P|");
    check("OMP-01", "RXE", "^YJ");
    check("OMP-01", "TQ1", "~V13NNNNN&");
    check("OMP-01", "TQ1", "~W0100100&");
    check("OMP-01", "TQ1", "|１日２回まで|||");
    check("OMP-01", "TQ1", "^日分|");
    check("OMP-01", "TQ1", "^d|");
    check("OMP-01", "TQ1", "^D&日&ISO+|");
    check("OMP-01", "TQ1", "|&医師の指示どおり&|");
    check("OMP-01", "RXR", "|77L^左手^JAMISDP01");
    check("OMP-01", "AL1", "セフェム");
    let refills = |line: &str| {
        line.split('|')
            .nth(12)
            .is_some_and(|field| !field.is_empty())
    };
    let mut lines = FILES.iter().flat_map(|(_, text)| text.split(['\r', '\n']));
    assert!(lines.any(|line| line.starts_with("RXE") && refills(line)));
    check("OMP-02", "RXC", "|A|");
    check("OMP-02", "ORC", "_01_002|");
}

#[test]
fn lists_come_in_every_form() {
    check("ADT-61", "IAM", "|D^削除^HL70323");
    check("ADT-61", "IAM", "\\T\\");
    check("ADT-61", "IAM", "|小学校入学前");
    check("PPR-01", "PRB", "|DE|");
    check("PPR-01", "PRB", "|1^疑いあり^JHSD0005|");
    check("PPR-01", "PRB", "|1|");
    check("PPR-01", "ZPR", "|8002^の疑い^MDCDX2");
    check("PPR-01", "ZPR", "コード化されていない病名");
    check("PPR-01", "PRB", "|V^非常に限定^HL70177");
    check("ADT-00", "AL1", "ペニシリン");
}

#[test]
fn messages_go_wrong_in_every_way() {
    check("ADT-12", "MSH", "|ADT^A01^ADT_A01|");
    check("ADT-22", "MSH", "|ADT^A11^ADT_A09|");
    check("ADT-52", "MSH", "|ADT^A13^ADT_A01|");
    check("OML-11", "MSH", "|ORU^R01^ORU_R01|");
    check("OMP-01", "MSH", "|T|2.5");
    check("ADT-00", "PID", "〓橋");
    check("ADT-00", "PID", "髙橋");
    check("OMD", "ODS", "塩分");
    check("OMG-01", "OBR", "JJ1017");
    let real_order = |path: &str| path.contains("/PPR-01/") && !path.contains("999999999999999");
    assert!(FILES.iter().any(|(path, _)| real_order(path)));
    let other = |path: &str, text: &str| {
        let id = path.split('/').nth(2).unwrap();
        !text.contains(&format!("|{id}^^^^PI|"))
    };
    assert!(FILES.iter().any(|(path, text)| other(path, text)));
}

/// Fields of the first line of a segment whose field `n` contains `text`.
fn fields(message: &str, segment: &str, n: usize, text: &str) -> Option<Vec<String>> {
    let lines = message.split(['\r', '\n']);
    let cut = lines.map(|line| line.split('|').map(str::to_owned).collect::<Vec<_>>());
    let mut of_segment = cut.filter(|fields| fields[0] == segment);
    of_segment.find(|fields| fields.get(n).is_some_and(|field| field.contains(text)))
}

#[test]
fn the_truth_says_what_the_bytes_say() {
    let mut compared = 0;
    for patient in Network::generate(3, 40).patients() {
        let message_of = |record: &Value| {
            let slot = record["slot"].as_str().unwrap();
            let current = patient
                .tree
                .files()
                .filter(|(entry, _)| entry.flag == Flag::Current);
            let of_slot = current.filter(|(entry, _)| entry.version.slot.to_string() == slot);
            of_slot.last().map(|(_, bytes)| read(patient.form, bytes))
        };
        let truth = patient.truth();
        for result in truth["observations"].as_array().unwrap() {
            let code = result["code"][0]["code"].as_str().unwrap();
            let Some(message) = message_of(result) else {
                continue;
            };
            let Some(obx) = fields(&message, "OBX", 3, &format!("{code}^")) else {
                continue;
            };
            if let Some(value) = result["value"]["quantity"]["value"].as_str() {
                assert!(obx[5].ends_with(value), "{} and {value}", obx[5]);
                compared += 1;
            }
            if let Some(range) = result["referenceRange"]["text"].as_str() {
                assert_eq!(obx[7], range);
            }
        }
        for request in truth["medicationRequests"].as_array().unwrap() {
            let Some(message) = message_of(request) else {
                continue;
            };
            let Some(code) = request["medication"][0]["code"].as_str() else {
                continue;
            };
            let rxe = fields(&message, "RXE", 2, code).unwrap();
            assert_eq!(rxe[15], request["prescriptionNumber"].as_str().unwrap());
            compared += 1;
        }
        let name = &truth["patient"]["name"][1];
        let kana = [&name["family"], &name["text"]]
            .into_iter()
            .find_map(Value::as_str)
            .unwrap();
        assert!(patient.person.kana().starts_with(&kana.replace('　', " ")));
    }
    assert!(compared > 2_000, "{compared}");
}

#[test]
fn a_wanted_number_of_files_is_about_reached() {
    let network = Network::generate(2, 20).with_files(2_000);
    let files: usize = network.patients().map(|patient| patient.tree.len()).sum();
    assert!((2_000..2_300).contains(&files), "{files}");
}

#[test]
fn an_ordinary_network_has_nothing_wrong() {
    for patient in Network::demo().patients() {
        let truth = patient.truth();
        assert_eq!(truth["link"], "proved");
        assert_eq!(truth["withheld"].as_array().unwrap().len(), 0);
        assert!(
            truth["findings"]
                .as_array()
                .unwrap()
                .iter()
                .all(|finding| { finding["findings"] == json!(["kept-raw"]) })
        );
    }
}

#[test]
fn the_demo_consents_name_the_demo_patients() {
    let patients: BTreeMap<String, Patient> = Network::demo()
        .patients()
        .map(|patient| (patient.person.local_id.clone(), patient))
        .collect();
    let lines: Vec<Vec<&str>> = include_str!("../../demo-consents.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    assert_eq!(lines.len(), 12);
    for line in &lines {
        let local_id = line[9].strip_prefix("1319999901:").unwrap();
        let Paper {
            kana,
            birth_date,
            sex,
        } = &patients[local_id].paper;
        assert_eq!([line[6], line[7], line[8]], [kana, birth_date, sex]);
    }
    let withdrawn = include_str!("../../demo-withdrawals.csv")
        .lines()
        .nth(1)
        .unwrap();
    let number = withdrawn.split(',').next().unwrap();
    assert!(lines.iter().any(|line| line[0] == number));
}

/// The starts of a patient's marked stays.
fn marked_stays(patient: &Patient) -> Vec<String> {
    let truth = patient.truth();
    let stays = truth["encounters"].as_array().unwrap().iter();
    let marked = stays.filter(|stay| stay["class"] == "IMP" && stay["tag"] == "superseded-only");
    marked.map(|stay| stay["start"].to_string()).collect()
}

#[test]
fn a_stay_is_marked_when_its_admission_or_its_discharge_is_superseded_only() {
    for kind in [Kind::Adt22, Kind::Adt52] {
        let mut patients = PATIENTS.iter().filter(|patient| {
            let mut files = patient.tree.files();
            files.any(|(entry, _)| entry.version.slot.kind == kind && entry.flag == Flag::Current)
        });
        let mut patient = patients.next().unwrap().clone();
        assert!(marked_stays(&patient).is_empty());
        let files = patient.tree.files();
        let current = files.filter(|(entry, _)| entry.version.slot.kind == kind);
        let current: Vec<Entry> = current
            .filter(|(entry, _)| entry.flag == Flag::Current)
            .map(|(entry, _)| entry.clone())
            .take(1)
            .collect();
        for entry in current {
            patient.tree.apply(&Step::Rename {
                root: entry.root,
                version: entry.version,
                from: Flag::Current,
                to: Flag::Superseded,
            });
        }
        assert_eq!(marked_stays(&patient).len(), 1, "{kind:?}");
    }
}
