//! Consents and withdrawals as CSV: mistakes have a place in the file, and papers that were read and
//! are written again are the same papers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::mistake::Mistake;
use model::papers::csv::{Line, Read, Sheet, read};
use model::papers::{ConsentPaper, WithdrawalPaper};

const FILE: &str = "papers.csv";

fuzz_target!(|data: &[u8]| {
    let lines = lengths(data);
    match read(FILE, data) {
        Err(mistake) if mistake.rule == "P0101" => {
            assert_eq!((mistake.line, mistake.column), (0, 0));
            assert!(std::str::from_utf8(data).is_err());
        }
        Err(mistake) => lies_in(&mistake, &lines),
        Ok(found) => {
            found
                .mistakes
                .iter()
                .for_each(|mistake| lies_in(mistake, &lines));
            match &found.sheet {
                Sheet::Consents(good) => consents(good, &lines),
                Sheet::Withdrawals(good) => withdrawals(good, &lines),
            }
        }
    }
});

/// Characters of each line.
fn lengths(data: &[u8]) -> Vec<usize> {
    let text = std::str::from_utf8(data).unwrap_or_default();
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    text.split('\n').map(|line| line.chars().count()).collect()
}

/// A place is a character, or the one behind the last of a line.
fn lies_in(mistake: &Mistake, lines: &[usize]) {
    let length = mistake.line.checked_sub(1).and_then(|line| lines.get(line));
    let length = length.unwrap_or_else(|| panic!("no line {} of {}", mistake.line, lines.len()));
    assert!(
        (1..=length + 1).contains(&mistake.column),
        "{} of {length}",
        mistake.column
    );
    assert_eq!(mistake.file, FILE);
}

fn consents(good: &[Line<ConsentPaper>], lines: &[usize]) {
    for line in good {
        for field in ConsentPaper::FIELDS {
            lies_in(&line.mistake("P0201", FILE, field, ""), lines);
        }
        let texts = line.paper.to_fields().into_iter().map(|(_, text)| text);
        let again = again(ConsentPaper::FIELDS, texts);
        let Sheet::Consents(papers) = again.sheet else {
            panic!("another form");
        };
        assert!(papers.iter().map(|line| &line.paper).eq([&line.paper]));
    }
}

fn withdrawals(good: &[Line<WithdrawalPaper>], lines: &[usize]) {
    for line in good {
        for field in WithdrawalPaper::FIELDS {
            lies_in(&line.mistake("P0201", FILE, field, ""), lines);
        }
        let WithdrawalPaper {
            consent_no,
            withdrawn_on,
            signer,
            relation,
            identity_check,
        } = line.paper.clone();
        let texts = [
            consent_no.to_string(),
            withdrawn_on.map_or_else(String::new, |day| day.to_string()),
            signer.unwrap_or_default(),
            relation.unwrap_or_default(),
            identity_check.unwrap_or_default(),
        ];
        let again = again(WithdrawalPaper::FIELDS, texts.into_iter());
        let Sheet::Withdrawals(papers) = again.sheet else {
            panic!("another form");
        };
        assert!(papers.iter().map(|line| &line.paper).eq([&line.paper]));
    }
}

/// Reads one line of quoted cells under its header.
fn again(fields: &[&str], texts: impl Iterator<Item = String>) -> Read {
    let cells: Vec<String> = texts
        .map(|text| format!("\"{}\"", text.replace('"', "\"\"")))
        .collect();
    let file = [fields.join(","), cells.join(",")].join("\r\n");
    let read = read(FILE, file.as_bytes());
    let read = read.unwrap_or_else(|mistake| panic!("{} {}", mistake.rule, mistake.message));
    assert_eq!(read.mistakes, []);
    read
}
