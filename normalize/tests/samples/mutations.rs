//! Nothing that a facility writes gets lost in silence: whatever changes in a segment that is read
//! changes a record or makes a finding, and no change makes reading fail.

use std::collections::BTreeSet;
use std::thread;

use ::normalize::Normalized;
use ::normalize::hl7::message::{Field, Message, Segment};
use ::normalize::ssmix::path::FileName;
use model::feed::Fallback;
use model::finding::{Finding, Place};

/// Segments that are deliberately never read.
const NEVER_READ: [&str; 3] = ["IN1", "NK1", "DB1"];

/// Fields of the envelope that decide something; the others name systems and transmissions.
const ENVELOPE: [usize; 4] = [9, 11, 12, 18];

struct Sample {
    case: String,
    file: FileName,
    /// The message in UTF-8, so that a byte of it is easily replaced.
    text: String,
    /// The message as it lies in the storage.
    bytes: Vec<u8>,
}

fn samples() -> Vec<Sample> {
    let folder = crate::samples().join("hl7");
    let sample = |case: String| {
        let bytes = std::fs::read(folder.join(format!("{case}.hl7"))).unwrap();
        let golden = std::fs::read_to_string(folder.join(format!("{case}.golden.json"))).unwrap();
        let golden: serde_json::Value = serde_json::from_str(&golden).unwrap();
        let file = crate::file(golden["file"].as_str().unwrap());
        let text = in_utf8(&Message::parse(&bytes, Fallback::Cp932).unwrap());
        Sample {
            case,
            file,
            text,
            bytes,
        }
    };
    crate::golden::cases()
        .into_iter()
        .map(sample)
        .filter(has_records)
        .collect()
}

/// Kinds that are kept as they are, and a deletion, state nothing.
fn has_records(sample: &Sample) -> bool {
    !crate::read_file(&sample.file, &sample.bytes, false)
        .records
        .is_empty()
}

fn in_utf8(message: &Message) -> String {
    let line = |segment: Segment<'_>| {
        let first = if segment.name() == "MSH" { 2 } else { 1 };
        let fields = (first..=segment.field_count()).map(|number| match (segment.name(), number) {
            ("MSH", 18) => "UNICODE UTF-8",
            _ => segment.field(number).raw(),
        });
        [segment.name()]
            .into_iter()
            .chain(fields)
            .collect::<Vec<_>>()
            .join("|")
            + "\r"
    };
    message.segments().map(line).collect()
}

/// Reads with the patient from the PID of every item: orders repeat the demographics.
fn read(file: &FileName, bytes: &[u8]) -> Normalized {
    crate::read_file(file, bytes, true)
}

/// Whether two readings tell a person the same.
fn same(one: &Normalized, other: &Normalized) -> bool {
    let rules = |read: &Normalized| -> BTreeSet<(String, String, u32, u32)> {
        let key = |finding: &Finding| {
            let place = &finding.place;
            (
                finding.rule.clone(),
                place.segment.clone(),
                place.ordinal,
                place.field,
            )
        };
        read.findings.iter().map(key).collect()
    };
    one.records == other.records
        && (&one.subject, one.cancels, one.event_time)
            == (&other.subject, other.cancels, other.event_time)
        && one.evidence == other.evidence
        && rules(one) == rules(other)
}

/// The places of a field whose content can be replaced: the field, and each of its components.
fn parts(field: &Field<'_>) -> Vec<(usize, usize)> {
    let place = field.place();
    let mut parts = vec![(place.start as usize, place.end as usize)];
    for repetition in field.repetitions() {
        for component in (1..=repetition.component_count())
            .filter(|number| repetition.component(*number).is_some())
        {
            let place = repetition.place_of(component);
            parts.push((place.start as usize, place.end as usize));
        }
    }
    parts
}

fn is_read(segment: &Segment<'_>, number: usize) -> bool {
    match segment.name() {
        "MSH" => ENVELOPE.contains(&number),
        // The number of a remark among its neighbours says nothing that their order does not say.
        "NTE" => number > 1,
        name => !NEVER_READ.contains(&name),
    }
}

#[test]
fn every_field_of_every_segment_counts() {
    let mut lost = Vec::new();
    let mut tried = 0;
    for sample in samples() {
        let before = read(&sample.file, sample.text.as_bytes());
        let message = Message::parse(sample.text.as_bytes(), Fallback::Cp932).unwrap();
        for segment in message.segments() {
            let numbers = (1..=segment.field_count()).filter(|number| is_read(&segment, *number));
            for field in numbers
                .map(|number| segment.field(number))
                .filter(|field| !field.is_empty())
            {
                let components = if segment.name() == "MSH" {
                    1
                } else {
                    usize::MAX
                };
                for (start, end) in parts(&field).into_iter().take(components) {
                    tried += 1;
                    let changed = [&sample.text[..start], "Q9Q", &sample.text[end..]].concat();
                    let after = read(&sample.file, changed.as_bytes());
                    if before.records == after.records && !is_found(&after, &field.place(), start) {
                        let place = field.place();
                        lost.push(format!(
                            "{} {}[{}]-{} {start}",
                            sample.case, place.segment, place.ordinal, place.field
                        ));
                    }
                }
            }
        }
    }
    assert!(tried > 1500, "{tried}");
    assert!(lost.is_empty(), "{} of {tried}: {lost:#?}", lost.len());
}

/// Whether a finding is about a field, or about its whole segment, which was left out.
fn speaks_of(finding: &Finding, ordinal: u32, field: u32) -> bool {
    finding.place.ordinal == ordinal && (finding.place.field == field || finding.place.field == 0)
}

/// Whether a finding says that segments of a name are not read.
fn is_unread(read: &Normalized, name: &str) -> bool {
    read.findings
        .iter()
        .any(|finding| finding.rule == "D2018" && finding.place.segment == name)
}

/// Whether a finding says segment, field and bytes of the change.
fn is_found(read: &Normalized, place: &Place, start: usize) -> bool {
    let covers = |found: &Place| (found.start as usize..=found.end as usize).contains(&start);
    read.findings
        .iter()
        .any(|finding| speaks_of(finding, place.ordinal, place.field) && covers(&finding.place))
        || is_unread(read, &place.segment)
}

/// A small generator of numbers (xorshift): the same changes in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }
}

const BYTES: [u8; 20] = [
    b'|', b'^', b'~', b'\\', b'&', b'\r', b'\n', 0x1B, b'$', b'(', b'B', 0x0E, 0x00, 0x20, b'0',
    b'9', b'"', 0x82, 0xE3, 0xFF,
];

const FIELDS: [&str; 12] = [
    "",
    "\"\"",
    "Q9Q",
    "99999999",
    "-1",
    "^^^^",
    "~~",
    "\\T\\",
    "\u{1b}$B|\u{1b}(B",
    "20240230",
    "＜０．５",
    "A&B^C~D",
];

/// One byte replaced, put in, taken away or repeated; or a field exchanged for something else.
fn mutate(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => changed[at] = BYTES[dice.below(BYTES.len())],
        1 => changed.insert(at, BYTES[dice.below(BYTES.len())]),
        2 => drop(changed.remove(at)),
        3 => changed[at] = u8::try_from(dice.below(256)).unwrap(),
        4 => changed.truncate(at),
        _ => {
            let stop = |byte: &u8| matches!(*byte, b'|' | b'\r');
            let start = bytes[..at]
                .iter()
                .rposition(stop)
                .map_or(0, |before| before + 1);
            let end = bytes[at..]
                .iter()
                .position(stop)
                .map_or(bytes.len(), |after| at + after);
            drop(changed.splice(start..end, FIELDS[dice.below(FIELDS.len())].bytes()));
        }
    }
    changed
}

/// What a field says, without what says nothing: blanks, `""`, separators at an end, empty
/// repetitions, zeros behind a full hour or minute, the message structure, two names of one code system, and
/// the types of names and numbers that every sender writes.
fn said(segment: &Segment<'_>, number: usize) -> String {
    let header = segment.name() == "MSH";
    let most = if header { 1 } else { usize::MAX };
    let repetitions = segment
        .field(number)
        .repetitions()
        .take(most)
        .map(|repetition| {
            let parts = repetition
                .raw()
                .split('^')
                .take(if header { 2 } else { usize::MAX })
                .map(component);
            parts
                .collect::<Vec<_>>()
                .join("^")
                .trim_end_matches(['^', '&'])
                .to_owned()
        });
    repetitions
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("~")
}

fn component(text: &str) -> String {
    let text: String = text.replace("\"\"", "").split_whitespace().collect();
    match text.as_str() {
        "L" | "I" | "P" | "PI" => String::new(),
        "HOT" => "HOT9".to_owned(),
        time if (12..=14).contains(&time.len()) && time.parse::<u64>().is_ok() => {
            let minute = time.strip_suffix("00").unwrap_or(time);
            minute
                .strip_suffix("00")
                .filter(|hour| hour.len() == 10)
                .unwrap_or(minute)
                .to_owned()
        }
        _ => text,
    }
}

/// Where two messages say different things in segments that are read: ordinal and field.
fn difference(one: &Message, other: &Message) -> Option<(u32, usize)> {
    let read = |message| -> Vec<Segment<'_>> {
        Message::segments(message)
            .filter(|segment| !NEVER_READ.contains(&segment.name()))
            .collect()
    };
    let (before, after) = (read(one), read(other));
    for (old, new) in before.iter().zip(&after) {
        if old.name() != new.name() {
            return Some((old.ordinal(), 0));
        }
        // The rest of the envelope may be written in several ways that mean the same.
        let counts =
            |number: &usize| is_read(old, *number) && (old.name() != "MSH" || *number < 12);
        let numbers = (1..=old.field_count().max(new.field_count())).filter(counts);
        for number in numbers {
            let (was, is) = (said(old, number), said(new, number));
            if was != is && !(is.is_empty() && stands_elsewhere(&before, old, number)) {
                return Some((old.ordinal(), number));
            }
        }
    }
    (before.len() != after.len()).then_some((0, 0))
}

/// What stands in two fields is still said when one of them is emptied.
fn stands_elsewhere(segments: &[Segment<'_>], here: &Segment<'_>, number: usize) -> bool {
    segments.iter().any(|segment| {
        let others = (1..=segment.field_count())
            .filter(|other| (segment.ordinal(), *other) != (here.ordinal(), number));
        others
            .into_iter()
            .any(|other| said(segment, other) == said(here, number))
    })
}

#[test]
fn a_hundred_thousand_changes_break_nothing_and_lose_nothing_in_silence() {
    let samples = samples();
    let lost: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (1..=4)
            .map(|seed| {
                scope.spawn({
                    let samples = &samples;
                    move || run(samples, seed, 25_000)
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    assert!(
        lost.is_empty(),
        "{} lost: {:#?}",
        lost.len(),
        lost.iter().take(400).collect::<Vec<_>>()
    );
}

fn run(samples: &[Sample], seed: u64, rounds: usize) -> Vec<String> {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let parse = |bytes: &[u8]| Message::parse(bytes, Fallback::Cp932);
    let readings: Vec<(Normalized, Message)> = samples
        .iter()
        .map(|sample| {
            (
                read(&sample.file, &sample.bytes),
                parse(&sample.bytes).unwrap(),
            )
        })
        .collect();
    let mut lost = Vec::new();
    for _ in 0..rounds {
        let index = dice.below(samples.len());
        let (sample, (before, message)) = (&samples[index], &readings[index]);
        let changed = mutate(&sample.bytes, &mut dice);
        let after = read(&sample.file, &changed);
        if !same(before, &after) {
            continue;
        }
        let Some((ordinal, field)) = parse(&changed)
            .ok()
            .and_then(|changed| difference(message, &changed))
        else {
            continue;
        };
        let line = message
            .segments()
            .find(|segment| segment.ordinal() == ordinal);
        let name = line.map_or("", |segment| segment.name());
        let number = u32::try_from(field).unwrap();
        if !is_unread(&after, name)
            && !after
                .findings
                .iter()
                .any(|finding| speaks_of(finding, ordinal, number))
        {
            let is = parse(&changed).unwrap();
            let is = is
                .segments()
                .find(|segment| segment.ordinal() == ordinal)
                .map(|segment| segment.field(field).whole());
            lost.push(format!("{} {name}[{ordinal}]-{field} {is:?}", sample.case));
        }
    }
    lost
}
