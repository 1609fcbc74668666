//! HL7: the parts of a message lie inside one another and inside the bytes, and what a file means is
//! the same each time, of the patient whose item it was found to be, and nothing when it is withheld.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use model::feed::Feed;
use model::finding::{Effect, Finding, Place};
use normalize::hl7::message::{Field, Message, Repetition, Segment, Separators};
use normalize::ssmix::data_type::DataKind;
use normalize::ssmix::path::{FileName, parse};
use normalize::{Context, Format, Item, Subject, normalize, subject};

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = fuzz::choice(data) else {
        return;
    };
    let feed = fuzz::feed(fuzz::fallback(choice));
    match Message::parse(bytes, feed.fallback) {
        Ok(message) => whole(bytes.len(), &message),
        Err(found) => assert!(
            withholds(&found),
            "a message that cannot be read is withheld"
        ),
    }
    file(bytes, &feed, choice);
});

fn withholds(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.effect == Effect::Withhold)
}

fn whole(length: usize, message: &Message) {
    inside(length, message.findings());
    for (index, segment) in message.segments().enumerate() {
        assert_eq!(segment.ordinal() as usize, index + 1);
        assert_eq!(segment.name().len(), 3);
        let place = segment.place();
        lies_in(&place, 0, length);
        fields(&segment, message.separators(), &place);
    }
}

/// The fields follow one another inside their segment, and none is behind the last.
fn fields(segment: &Segment<'_>, separators: &Separators, around: &Place) {
    let (mut start, end) = (around.start as usize, around.end as usize);
    for number in 1..=segment.field_count() {
        let field = segment.field(number);
        let place = field.place();
        lies_in(&place, start, end);
        let is_separator = (segment.name(), number) == ("MSH", 1);
        assert_eq!(field.raw().contains(separators.field), is_separator);
        start = place.end as usize;
        parts(&field, separators, &place);
    }
    assert!(segment.field(segment.field_count() + 1).is_empty());
}

/// Repetitions and components put together are the field; their places lie in it, in order.
fn parts(field: &Field<'_>, separators: &Separators, around: &Place) {
    let raw: Vec<&str> = field
        .repetitions()
        .map(|repetition| repetition.raw())
        .collect();
    assert_eq!(raw.is_empty(), field.is_empty());
    let between = separators.repetition.to_string();
    assert_eq!(raw.join(&between), field.raw());
    let mut start = around.start as usize;
    for repetition in field.repetitions() {
        let place = repetition.place();
        lies_in(&place, start, around.end as usize);
        components(&repetition, &place);
        start = place.end as usize;
    }
    let text = field.text().unwrap_or_default();
    let dropped = |char: char| char.is_control() && char != '\t' && char != '\n';
    assert!(!text.contains(dropped) && !field.whole().contains(dropped));
}

fn components(repetition: &Repetition<'_>, around: &Place) {
    let mut start = around.start as usize;
    // High numbers are each looked for.
    for number in 1..=repetition.component_count().min(64) {
        let place = repetition.place_of(number);
        lies_in(&place, start, around.end as usize);
        start = place.end as usize;
        let given = repetition.subs(number).flatten().next().is_some();
        assert!(!given || repetition.component(number).is_some());
    }
}

fn lies_in(place: &Place, start: usize, end: usize) {
    let whole = start..=end;
    assert!(place.start <= place.end, "{place:?}");
    assert!(
        whole.contains(&(place.start as usize)),
        "{place:?} in {whole:?}"
    );
    assert!(
        whole.contains(&(place.end as usize)),
        "{place:?} in {whole:?}"
    );
}

fn inside(length: usize, findings: &[Finding]) {
    findings
        .iter()
        .for_each(|finding| lies_in(&finding.place, 0, length));
}

/// Reads the bytes as a file of each kind that they may be of.
fn file(bytes: &[u8], feed: &Feed, choice: u8) {
    let found = subject(bytes, feed);
    let patient = match &found {
        Subject::Id(id) => id.as_str(),
        Subject::Unreadable | Subject::Different => "1",
    };
    let file = name(patient, choice);
    let item = Item {
        format: Format::SsMix2(&file),
        bytes,
    };
    let context = Context {
        feed,
        patient_from_order: choice & 4 != 0,
    };
    let read = normalize(&item, &context);
    assert!(
        read == normalize(&item, &context),
        "the same item gives the same answer"
    );
    inside(bytes.len(), &read.findings);
    assert!(!withholds(&read.findings) || read.records.is_empty());
    let mut keys = BTreeSet::new();
    for record in &read.records {
        assert_eq!(record.meta.facility, feed.facility);
        let key = (record.meta.kind, record.meta.source_key.as_str());
        assert!(keys.insert(key), "two records are kept under {key:?}");
    }
    if read.records.is_empty() {
        return;
    }
    assert!(
        read.subject.as_deref() == Some(patient),
        "records of somebody else"
    );
    assert!(
        !matches!(found, Subject::Different),
        "records of two patients"
    );
}

fn name(patient: &str, choice: u8) -> FileName {
    let kinds = [
        DataKind::Adt00,
        DataKind::Adt12,
        DataKind::Adt22,
        DataKind::Adt52,
        DataKind::Adt61,
        DataKind::Ppr01,
        DataKind::Omp01,
        DataKind::Omp02,
        DataKind::Oml11,
    ];
    let kind = kinds[usize::from(choice >> 3) % kinds.len()].name();
    let name = format!("{patient}_20240510_{kind}_000000024000123_20240510103046984_01_1");
    parse(&name).unwrap_or_else(|finding| panic!("{} {name}", finding.rule))
}
