//! OBX-5: what was found, in the form that its data type (OBX-2) and the text itself allow.

use model::code::Concept;
use model::observation::Value;
use model::quantity::{Quantity, Range};

use super::number;
use crate::hl7::message::{Field, Repetition, Segment};
use crate::hl7::segment::{cwe, moment, trimmed, unread_components};
use crate::lint::{self, Findings};
use crate::text;

/// A value, and what was sent where that is shown otherwise.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) value: Option<Value>,
    pub(crate) original: Option<String>,
}

impl Found {
    /// A value whose words may differ from the sender's.
    fn of(value: Value, shown: &str, sent: &str) -> Self {
        Self { value: Some(value), original: (shown != sent).then(|| sent.to_owned()) }
    }

    fn text(text: &str, sent: &str) -> Self {
        Self::of(Value::Text(text.to_owned()), text, sent)
    }
}

/// Reads OBX-5; nothing when it is empty or `""`.
pub(crate) fn read(segment: &Segment<'_>, unit: Option<&Concept>, findings: &mut Findings) -> Found {
    let field = segment.field(5);
    if !field.has_content() {
        return Found::default();
    }
    let Some(first) = field.first() else { return Found::default() };
    if field.repetitions().nth(1).is_some() {
        return several(&field);
    }
    let sent = field.whole();
    let kind = text::half_width(&segment.field(2).text().unwrap_or_default());
    match kind.as_str() {
        "NM" => numeric(&field, unit, findings),
        "SN" => structured(&first, unit, findings),
        "CWE" | "CE" | "CNE" | "CF" => coded(&first, findings),
        "DT" | "TS" | "DTM" => time(&field, findings),
        "ST" | "TX" | "FT" | "TM" | "IS" | "ID" => textual(&sent, unit),
        "" => {
            findings.add(lint::D2012, segment.field(2).place());
            untyped(&first, unit, findings)
        }
        _ => {
            findings.add(lint::D2015, segment.field(2).place());
            textual(&sent, unit)
        }
    }
}

fn quantity(unit: Option<&Concept>, value: model::quantity::Decimal) -> Quantity {
    Quantity { value, comparator: None, unit: unit.cloned() }
}

fn numeric(field: &Field<'_>, unit: Option<&Concept>, findings: &mut Findings) -> Found {
    let sent = field.whole();
    let Some(value) = number::plain(&sent) else {
        let found = textual(&sent, unit);
        let compared = matches!(found.value, Some(Value::Quantity(_)));
        findings.add(if compared { lint::D2019 } else { lint::D2014 }, field.place());
        return found;
    };
    let shown = value.as_str().to_owned();
    if shown != sent {
        findings.add(lint::D2019, field.place());
    }
    Found::of(Value::Quantity(quantity(unit, value)), &shown, &sent)
}

/// Text. Only a comparing sign with a plain number behind it is more than that.
fn textual(sent: &str, unit: Option<&Concept>) -> Found {
    match number::compared(sent) {
        Some((comparator, value)) => {
            let quantity = Quantity { comparator: Some(comparator), ..quantity(unit, value) };
            Found { value: Some(Value::Quantity(quantity)), original: Some(sent.to_owned()) }
        }
        None => Found::text(sent.trim(), sent),
    }
}

/// SN: comparator, number, separator, number (HL7 v2.5 §2.A.70).
fn structured(repetition: &Repetition<'_>, unit: Option<&Concept>, findings: &mut Findings) -> Found {
    unread_components(repetition, &[1, 2, 3, 4], findings);
    let part = |component| trimmed(repetition, component);
    let number = |component| part(component).as_deref().and_then(number::plain);
    let words = [1, 2, 3, 4].into_iter().filter_map(part).collect::<String>();
    let sign = part(1).filter(|sign| sign != "=");
    let value = match (sign, number(2), part(3).as_deref(), number(4)) {
        (None, Some(value), None, None) if part(4).is_none() => Some(Value::Quantity(quantity(unit, value))),
        (Some(sign), Some(value), None, None) if part(4).is_none() => number::comparator(&sign)
            .map(|sign| Value::Quantity(Quantity { comparator: Some(sign), ..quantity(unit, value) })),
        (None, Some(low), Some("-"), Some(high)) => {
            Some(Value::Range(Range { low: Some(quantity(unit, low)), high: Some(quantity(unit, high)) }))
        }
        (None, Some(first), Some(":" | "/"), Some(second)) => {
            Some(Value::Ratio(quantity(None, first), quantity(None, second)))
        }
        _ => None,
    };
    let value = value.unwrap_or(Value::Text(words));
    Found { value: Some(value), original: Some(repetition.raw().to_owned()) }
}

/// A coded value. A lone word without a system is no code but the value itself.
fn coded(repetition: &Repetition<'_>, findings: &mut Findings) -> Found {
    let value = match cwe(repetition, findings) {
        Some(concept) => match (concept.codings.as_slice(), &concept.text) {
            ([word], None) if word.system.is_none() => Value::Concept(Concept::text(word.code.clone())),
            _ => Value::Concept(concept),
        },
        None => Value::Text(repetition.raw().to_owned()),
    };
    Found { value: Some(value), original: None }
}

fn time(field: &Field<'_>, findings: &mut Findings) -> Found {
    let sent = field.whole();
    match moment(sent.trim()) {
        Some((time, repaired)) => {
            if repaired {
                findings.add(lint::D2019, field.place());
            }
            Found { value: Some(Value::Time(time)), original: repaired.then_some(sent) }
        }
        None => {
            findings.add(lint::D2014, field.place());
            Found::text(sent.trim(), &sent)
        }
    }
}

/// Without a data type the form of the value tells what it can be.
fn untyped(repetition: &Repetition<'_>, unit: Option<&Concept>, findings: &mut Findings) -> Found {
    let sent = repetition.raw();
    match number::plain(sent) {
        Some(value) => {
            let shown = value.as_str().to_owned();
            Found::of(Value::Quantity(quantity(unit, value)), &shown, sent)
        }
        None if repetition.component_count() > 1 => coded(repetition, findings),
        None => textual(sent, unit),
    }
}

/// Repeated values are lines of one text: no number of them stands for the others.
fn several(field: &Field<'_>) -> Found {
    let lines = field.repetitions().map(|repetition| {
        let part = |component| trimmed(&repetition, component);
        part(2).or_else(|| part(1)).unwrap_or_default()
    });
    Found::text(&lines.collect::<Vec<_>>().join("\n"), &field.whole())
}
