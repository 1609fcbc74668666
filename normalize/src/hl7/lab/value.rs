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
        Self {
            value: Some(value),
            original: (shown != sent).then(|| sent.to_owned()),
        }
    }

    fn text(text: &str, sent: &str) -> Self {
        Self::of(Value::Text(text.to_owned()), text, sent)
    }
}

/// Reads OBX-5; nothing when it is empty or `""`.
pub(crate) fn read(
    segment: &Segment<'_>,
    unit: Option<&Concept>,
    findings: &mut Findings,
) -> Found {
    let field = segment.field(5);
    if !field.has_content() {
        return Found::default();
    }
    let Some(first) = field.first() else {
        return Found::default();
    };
    if field.repetitions().nth(1).is_some() {
        return several(&field);
    }
    let sent = field.whole();
    let kind = segment.field(2).text().unwrap_or_default();
    match text::half_width(&kind).as_ref() {
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
    Quantity {
        value,
        comparator: None,
        unit: unit.cloned(),
    }
}

fn numeric(field: &Field<'_>, unit: Option<&Concept>, findings: &mut Findings) -> Found {
    let sent = field.whole();
    let Some(value) = number::plain(&sent) else {
        let found = textual(&sent, unit);
        let compared = matches!(found.value, Some(Value::Quantity(_)));
        findings.add(
            if compared { lint::D2019 } else { lint::D2014 },
            field.place(),
        );
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
            let quantity = Quantity {
                comparator: Some(comparator),
                ..quantity(unit, value)
            };
            Found {
                value: Some(Value::Quantity(quantity)),
                original: Some(sent.to_owned()),
            }
        }
        None => Found::text(sent.trim(), sent),
    }
}

/// SN: comparator, number, separator, number (HL7 v2.5 §2.A.70).
fn structured(
    repetition: &Repetition<'_>,
    unit: Option<&Concept>,
    findings: &mut Findings,
) -> Found {
    unread_components(repetition, &[1, 2, 3, 4], findings);
    let part = |component| trimmed(repetition, component);
    let number = |component| part(component).as_deref().and_then(number::plain);
    let words = [1, 2, 3, 4]
        .into_iter()
        .filter_map(part)
        .collect::<String>();
    let sign = part(1).filter(|sign| sign != "=");
    let value = match (sign, number(2), part(3).as_deref(), number(4)) {
        (None, Some(value), None, None) if part(4).is_none() => {
            Some(Value::Quantity(quantity(unit, value)))
        }
        (Some(sign), Some(value), None, None) if part(4).is_none() => number::comparator(&sign)
            .map(|sign| {
                Value::Quantity(Quantity {
                    comparator: Some(sign),
                    ..quantity(unit, value)
                })
            }),
        (None, Some(low), Some("-"), Some(high)) => Some(Value::Range(Range {
            low: Some(quantity(unit, low)),
            high: Some(quantity(unit, high)),
        })),
        (None, Some(first), Some(":" | "/"), Some(second)) => {
            Some(Value::Ratio(quantity(None, first), quantity(None, second)))
        }
        _ => None,
    };
    let value = value.unwrap_or(Value::Text(words));
    Found {
        value: Some(value),
        original: Some(repetition.raw().to_owned()),
    }
}

/// A coded value. A lone word without a system is no code but the value itself.
fn coded(repetition: &Repetition<'_>, findings: &mut Findings) -> Found {
    let value = match cwe(repetition, findings) {
        Some(concept) => match (concept.codings.as_slice(), &concept.text) {
            ([word], None) if word.system.is_none() => {
                Value::Concept(Concept::text(word.code.clone()))
            }
            _ => Value::Concept(concept),
        },
        None => Value::Text(repetition.raw().to_owned()),
    };
    Found {
        value: Some(value),
        original: None,
    }
}

fn time(field: &Field<'_>, findings: &mut Findings) -> Found {
    let sent = field.whole();
    match moment(sent.trim()) {
        Some((time, repaired)) => {
            if repaired {
                findings.add(lint::D2019, field.place());
            }
            Found {
                value: Some(Value::Time(time)),
                original: repaired.then(|| sent.into_owned()),
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    fn number(quantity: &Quantity) -> String {
        let sign = quantity
            .comparator
            .map_or(String::new(), |sign| format!("{sign:?} "));
        format!("{sign}{}", quantity.value.as_str())
    }

    fn shown(value: Option<Value>) -> String {
        match value {
            None => "nothing".to_owned(),
            Some(Value::Quantity(quantity)) => format!("quantity {}", number(&quantity)),
            Some(Value::Range(Range {
                low: Some(low),
                high: Some(high),
            })) => {
                format!("range {} {}", number(&low), number(&high))
            }
            Some(Value::Range(_)) => "open range".to_owned(),
            Some(Value::Ratio(first, second)) => {
                format!("ratio {} {}", number(&first), number(&second))
            }
            Some(Value::Concept(concept)) => {
                format!(
                    "concept {} {}",
                    concept.first_code().unwrap_or("-"),
                    concept.text.as_deref().unwrap_or_default()
                )
            }
            Some(Value::Text(text)) => format!("text {text}"),
            Some(Value::Time(time)) => format!("time {time}"),
        }
    }

    #[track_caller]
    fn check(kind: &str, sent: &str, expected: &str, rules: &[&str]) {
        let segment = format!("OBX|1|{kind}|code||{sent}");
        let (found, breached) =
            of_segment(&segment, |segment, findings| read(segment, None, findings));
        assert_eq!(shown(found.value), expected, "{kind} {sent}");
        assert_eq!(breached, rules, "{kind} {sent}");
    }

    #[track_caller]
    fn check_original(kind: &str, sent: &str, original: Option<&str>) {
        let segment = format!("OBX|1|{kind}|code||{sent}");
        let (found, _) = of_segment(&segment, |segment, findings| read(segment, None, findings));
        assert_eq!(found.original.as_deref(), original, "{kind} {sent}");
    }

    #[test]
    fn numbers() {
        check("NM", "7.20", "quantity 7.20", &[]);
        check("NM", "１２．３", "quantity 12.3", &["D2019@5"]);
        check("NM", "<0.02", "quantity Less 0.02", &["D2019@5"]);
        check("NM", "測定不能", "text 測定不能", &["D2014@5"]);
        check("NM", "", "nothing", &[]);
        check("NM", "\"\"", "nothing", &[]);
    }

    #[test]
    fn texts_stay_texts_but_for_a_compared_number() {
        check("ST", "< 0.02", "quantity Less 0.02", &[]);
        check("ST", "≧100", "quantity GreaterOrEqual 100", &[]);
        check("ST", "52", "text 52", &[]);
        check("ST", "  -", "text -", &[]);
        check("ST", " 1 : 320", "text 1 : 320", &[]);
        check("ST", "2.3(±)", "text 2.3(±)", &[]);
        check("FT", "一行\\.br\\二行", "text 一行\n二行", &[]);
        check("ST", "溶血^あり", "text 溶血^あり", &[]);
    }

    #[test]
    fn structured_numbers() {
        check("SN", "<^0.02", "quantity Less 0.02", &[]);
        check("SN", "^5.1", "quantity 5.1", &[]);
        check("SN", "=^5.1", "quantity 5.1", &[]);
        check("SN", "^1^-^4", "range 1 4", &[]);
        check("SN", "^1^:^320", "ratio 1 320", &[]);
        check("SN", "^^-", "text -", &[]);
        check("SN", "^2^+", "text 2+", &[]);
        check("SN", "<>^3", "text <>3", &[]);
    }

    #[test]
    fn coded_values_and_lone_words() {
        check("CWE", "A^A^JSHR002", "concept A A", &[]);
        check("CE", "1301^S.aureus^JANIS", "concept 1301 S.aureus", &[]);
        check("CWE", "陰性", "concept - 陰性", &[]);
    }

    #[test]
    fn times() {
        check("TS", "202405100845", "time 2024-05-10T08:45:00+09:00", &[]);
        check("DT", "20240510", "time 2024-05-10", &[]);
        check("DT", "昨日", "text 昨日", &["D2014@5"]);
    }

    #[test]
    fn without_a_type_the_form_decides() {
        check("", "7.2", "quantity 7.2", &["D2012@2"]);
        check("", "A^A^JSHR002", "concept A A", &["D2012@2"]);
        check("", "陽性", "text 陽性", &["D2012@2"]);
        check("ZZ", "7.2", "text 7.2", &["D2015@2"]);
    }

    #[test]
    fn several_values_are_lines_of_a_text() {
        check("NM", "1.0~2.0", "text 1.0\n2.0", &[]);
        check(
            "CWE",
            "1^大腸菌^JANIS~2^緑膿菌^JANIS",
            "text 大腸菌\n緑膿菌",
            &[],
        );
    }

    #[test]
    fn what_is_shown_otherwise_is_kept_as_sent() {
        check_original("NM", "7.2", None);
        check_original("NM", "007", Some("007"));
        check_original("ST", "  -", Some("  -"));
        check_original("ST", "< 0.02", Some("< 0.02"));
        check_original("ST", "陰性", None);
        check_original(
            "CWE",
            "1^大腸菌^JANIS~2^緑膿菌^JANIS",
            Some("1^大腸菌^JANIS~2^緑膿菌^JANIS"),
        );
    }
}
