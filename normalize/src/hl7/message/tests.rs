use std::fs;
use std::path::{Path, PathBuf};

use super::*;

const HEADER: &str = "MSH|^~\\&|HIS|1319999999|GW|RCV|20240510||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87||ISO 2022-1994";

fn message(text: &str) -> Message {
    Message::parse(text.as_bytes(), Fallback::Cp932)
        .unwrap_or_else(|findings| panic!("{findings:?}"))
}

fn names(message: &Message) -> Vec<&str> {
    message.segments().map(|segment| segment.name()).collect()
}

fn rules(findings: &[Finding]) -> Vec<&str> {
    findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

#[test]
fn line_ends_of_every_kind_part_segments() {
    for text in [
        "{}\rPID|1\rPV1|2\r",
        "{}\nPID|1\nPV1|2",
        "{}\r\nPID|1\r\n\r\nPV1|2\r\n",
        "\n\n{}\rPID|1\r \rPV1|2\0\0\x1a",
    ] {
        let message = message(&text.replace("{}", HEADER));
        assert_eq!(names(&message), ["MSH", "PID", "PV1"], "{text:?}");
        assert_eq!(message.first("PV1").unwrap().field(1).raw(), "2");
        assert_eq!(rules(message.findings()), [""; 0], "{text:?}");
    }
}

#[test]
fn wrappers_are_taken_off_and_a_second_message_is_found() {
    let one = message(&format!(
        "FHS|^~\\&|\rBHS|^~\\&\r{HEADER}\rPID|1\rBTS|1\rFTS|1\r"
    ));
    assert_eq!(names(&one), ["MSH", "PID"]);
    let two = message(&format!("{HEADER}\rPID|1\r{HEADER}\rPID|2\r"));
    assert_eq!(names(&two), ["MSH", "PID"]);
    assert_eq!(rules(two.findings()), ["D2005"]);
}

#[test]
fn a_byte_order_mark_moves_positions_only() {
    let message = message(&format!("\u{FEFF}{HEADER}\rPID|1||42"));
    let place = message.first("PID").unwrap().field(3).place();
    assert_eq!(
        (place.start, place.end),
        (
            text::offset(3 + HEADER.len() + 8),
            text::offset(3 + HEADER.len() + 10)
        )
    );
}

#[test]
fn fields_count_from_the_name_and_msh_counts_its_separator() {
    let message = message(&format!("{HEADER}\rPID|1||42^^^^PI\r"));
    let header = message.first("MSH").unwrap();
    assert_eq!(
        [1, 2, 3, 9, 11].map(|number| header.field(number).raw()),
        ["|", "^~\\&", "HIS", "ADT^A08^ADT_A01", "P"]
    );
    assert_eq!((header.field_count(), header.field(40).raw()), (20, ""));
    let patient = message.first("PID").unwrap();
    assert_eq!(
        [0, 1, 2, 3, 4].map(|number| patient.field(number).raw()),
        ["PID", "1", "", "42^^^^PI", ""]
    );
    assert_eq!(patient.ordinal(), 2);
}

#[test]
fn odd_delimiters_are_used_and_impossible_ones_replaced() {
    let odd = message("MSH#*~\\&#HIS#########2.5\rPID#1##42****PI");
    assert_eq!(
        odd.first("PID")
            .unwrap()
            .field(3)
            .first()
            .unwrap()
            .component(5)
            .as_deref(),
        Some("PI")
    );
    assert_eq!(rules(odd.findings()), ["D2002"]);
    let three = message("MSH|^~\\|HIS|||||||||2.5\rPID|1||4&2^x");
    assert_eq!(
        three.first("PID").unwrap().field(3).text().as_deref(),
        Some("4&2")
    );
    let clash = message("MSH|^^\\&|HIS|||||||||2.5\rPID|1||42^^^^PI");
    assert_eq!(
        clash.first("PID").unwrap().field(3).text().as_deref(),
        Some("42")
    );
    let yen = message("MSH|^~￥&|HIS|||||||||2.5\rPID|1||4￥T￥2");
    assert_eq!(
        yen.first("PID").unwrap().field(3).text().as_deref(),
        Some("4&2")
    );
}

#[test]
fn what_is_no_message_is_withheld() {
    for text in [
        "",
        "\0\0",
        "hello",
        "MSA|AA|1",
        "MSH",
        "MSHX",
        "MSH1^~\\&1",
        "PID|1||42",
    ] {
        let findings = Message::parse(text.as_bytes(), Fallback::Cp932).unwrap_err();
        assert_eq!(rules(&findings), ["D2001"], "{text:?}");
    }
}

#[test]
fn repetitions_components_and_sub_components_come_apart() {
    let message = message(&format!("{HEADER}\rOBX|1|NM|A&B\\T\\C^text~^^x||\"\"|"));
    let segment = message.first("OBX").unwrap();
    let repetitions: Vec<_> = segment.field(3).repetitions().collect();
    assert_eq!(repetitions.len(), 2);
    assert_eq!(repetitions[0].component(1).as_deref(), Some("A&B&C"));
    assert_eq!(
        (
            repetitions[0].subs(1).next().flatten().as_deref(),
            repetitions[0].subs(1).nth(1).flatten().as_deref()
        ),
        (Some("A"), Some("B&C"))
    );
    assert_eq!(
        (
            repetitions[1].component(1),
            repetitions[1].component(3).as_deref()
        ),
        (None, Some("x"))
    );
    assert!(
        segment.field(5).is_null()
            && segment.field(5).text().is_none()
            && !segment.field(5).has_content()
    );
    assert!(segment.field(4).is_empty() && segment.field(6).is_empty());
}

#[test]
fn components_have_no_last_number() {
    for separator in ["^", "￥"] {
        let numbers: Vec<String> = (1..=40).map(|number| number.to_string()).collect();
        let text = format!(
            "MSH|{separator}~\\&|HIS|||||||||2.5\rPID|1||x~{}~y",
            numbers.join(separator)
        );
        let message = message(&text);
        let field = message.first("PID").unwrap().field(3);
        let many = field.repetitions().nth(1).unwrap();
        assert_eq!(many.component_count(), 40, "{text}");
        for number in [1, 2, 15, 16, 17, 18, 39, 40] {
            let place = many.place_of(number);
            let bytes = &text.as_bytes()[place.start as usize..place.end as usize];
            assert_eq!(bytes, number.to_string().as_bytes(), "{text}");
            assert_eq!(many.component(number).unwrap(), number.to_string());
        }
        assert!(many.component(0).is_none() && many.component(41).is_none());
        let others = (1..=40).filter(|number| ![1, 16, 17].contains(number));
        let others: Vec<Place> = others.map(|number| many.place_of(number)).collect();
        let found: Vec<Place> = many.filled_beside(&[1, 16, 17]).collect();
        assert_eq!(found, others);
    }
}

#[test]
fn positions_lead_back_to_the_bytes_behind_kanji() {
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend_from_slice(b"\rPID|1||42||\x1b$B5\\K\\\x1b(B^\x1b$B5~H~\x1b(B||19580314");
    let message = Message::parse(&bytes, Fallback::Cp932).unwrap();
    let patient = message.first("PID").unwrap();
    let birth = patient.field(7).place();
    assert_eq!(
        &bytes[birth.start as usize..birth.end as usize],
        b"19580314"
    );
    let given = patient.field(5).first().unwrap().place_of(2);
    assert_eq!(
        &bytes[given.start as usize..given.start as usize + 4],
        b"5~H~"
    );
    assert_eq!(
        (
            given.segment.as_str(),
            given.ordinal,
            given.field,
            given.repetition,
            given.component
        ),
        ("PID", 2, 5, 1, 2)
    );
}

#[test]
fn lines_that_are_no_segments_are_found() {
    let message = message(&format!("{HEADER}\rPID|1\rsecond line of a text\rOBX|1\r"));
    assert_eq!(names(&message), ["MSH", "PID", "OBX"]);
    assert_eq!(rules(message.findings()), ["D2010"]);
}

#[test]
fn a_declaration_that_lies_is_found() {
    let header = message(&format!("{HEADER}\rPID|1||42||宮本"));
    assert_eq!(rules(header.findings()), ["D2020"]);
    assert_eq!(header.findings()[0].place.field, 18);
}

#[test]
fn a_field_of_millions_of_delimiters_is_not_taken_apart() {
    let message = message(&format!("{HEADER}\rPID|1||{}", "~".repeat(1_000_000)));
    assert_eq!(rules(message.findings()), ["D2013"]);
    assert_eq!(
        message.first("PID").unwrap().field(3).repetitions().count(),
        1
    );
}

/// Every file of the licensed sample storage.
fn licensed() -> Vec<PathBuf> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(
        Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../samples/ss-mix2/nho"
        )),
        &mut files,
    );
    files.retain(|path| path.to_string_lossy().contains("_1"));
    files
}

/// Repetitions, their components, and the sub-components of those.
type Parts<'a> = Vec<Vec<Vec<&'a str>>>;

impl<'m> Field<'m> {
    fn parts(&self) -> Parts<'m> {
        let subcomponent = self.separators().subcomponent;
        let components = |repetition: Repetition<'m>| {
            let components = (1..).map_while(|number| repetition.part(number));
            components
                .map(|(_, raw)| match subcomponent {
                    Some(between) => raw.split(between).collect(),
                    None => vec![raw],
                })
                .collect()
        };
        self.repetitions().map(components).collect()
    }
}

fn parts<'m>(field: &hl7_parser::message::Field<'m>) -> Parts<'m> {
    let components = |repeat: &hl7_parser::message::Repeat<'m>| {
        let subcomponents = |component: &hl7_parser::message::Component<'m>| {
            let parts = component.subcomponents.iter();
            parts.map(|part| part.value).collect()
        };
        repeat.components.iter().map(subcomponents).collect()
    };
    if field.raw_value().is_empty() {
        return Vec::new();
    }
    field.repeats.iter().map(components).collect()
}

#[test]
fn the_cut_agrees_with_another_parser_on_real_files() {
    let files = licensed();
    assert!(files.len() >= 10);
    let mut compared = 0;
    for path in files {
        let bytes = fs::read(&path).unwrap();
        let Ok(ours) = Message::parse(&bytes, Fallback::Cp932) else {
            continue;
        };
        let theirs =
            hl7_parser::Message::parse_with_lenient_newlines(&ours.decoded.text, true).unwrap();
        // The other parser stops where a line is no segment.
        let theirs = &theirs.segments;
        for (ours, theirs) in ours.segments().zip(theirs) {
            assert_eq!(ours.name(), theirs.name, "{}", path.display());
            assert_eq!(
                ours.field_count(),
                theirs.fields.len(),
                "{} {}",
                path.display(),
                theirs.name
            );
            for (index, field) in theirs.fields.iter().enumerate() {
                assert_eq!(
                    ours.field(index + 1).raw(),
                    field.raw_value(),
                    "{} {}",
                    path.display(),
                    theirs.name
                );
                // MSH-2 is the separators themselves; that parser does not take it apart.
                if ours.name() != "MSH" {
                    assert_eq!(
                        ours.field(index + 1).parts(),
                        parts(field),
                        "{} {}",
                        path.display(),
                        theirs.name
                    );
                }
            }
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}
