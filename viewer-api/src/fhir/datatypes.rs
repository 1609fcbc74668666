//! FHIR data types out of the model's: codes, quantities, times, identifiers, references.

use std::borrow::Cow;

use model::code::{CodeSystem, Coding, Concept};
use model::id::FacilityId;
use model::quantity::{Comparator, Decimal, Quantity, Range};
use model::time::{PartialDateTime, Precision};

use super::object::Object;
use super::system::{self, MERIT9_UNIT, UCUM};
use super::unit::ucum;
use crate::json::{Say, Value};

/// A `Coding` of a system with its URI.
pub(crate) fn coding(system: &str, code: &str) -> Object {
    Object::new().with("system", system).with("code", code)
}

/// A `CodeableConcept` of one coding.
pub(crate) fn codeable(system: &str, code: &str) -> Object {
    Object::new().with("coding", vec![Value::from(coding(system, code))])
}

/// A `CodeableConcept` of a facility's concept.
pub(crate) fn concept(concept: &Concept, facility: &FacilityId) -> Object {
    concept_in(concept, facility, MERIT9_UNIT)
}

/// A `CodeableConcept` whose MERIT-9 codes are of a given table: units, forms and categories share
/// one name in HL7 v2 messages.
pub(crate) fn concept_in(concept: &Concept, facility: &FacilityId, merit9: &'static str) -> Object {
    Object::new()
        .with(
            "coding",
            codings(concept, facility, (&CodeSystem::Merit9, merit9)),
        )
        .with("text", words(concept))
}

/// A system, and the URI under which it stands where the place of a code tells more than its name.
pub(crate) type Given<'a> = (&'a CodeSystem, &'static str);

/// Where nothing else is known, MERIT-9 codes are units.
pub(crate) const UNITS: Given<'_> = (&CodeSystem::Merit9, MERIT9_UNIT);

/// The codings of a concept; one system stands under a given URI.
pub(crate) fn codings(concept: &Concept, facility: &FacilityId, given: Given<'_>) -> Vec<Object> {
    let codings = concept.codings.iter();
    codings
        .map(|one| sent_coding(one, facility, given))
        .collect()
}

/// The sender's words for a concept.
pub(crate) fn words(concept: &Concept) -> Option<&str> {
    let mut displays = concept.codings.iter().map(|coding| &coding.display);
    let display = || displays.find_map(Option::as_deref);
    concept.text.as_deref().or_else(display)
}

fn sent_coding(sent: &Coding, facility: &FacilityId, (system, given): Given<'_>) -> Object {
    let code = single_blanks(&sent.code);
    let uri = sent.system.as_ref().map(|named| {
        if named == system {
            Cow::Borrowed(given)
        } else {
            system::uri(named, &code, facility)
        }
    });
    Object::new()
        .with("system", uri)
        .with("code", code)
        .with("display", sent.display.as_deref())
}

/// FHIR `code`: no blanks at the ends, single blanks inside.
fn single_blanks(code: &str) -> Cow<'_, str> {
    if code.contains(char::is_whitespace) {
        let words: Vec<&str> = code.split_whitespace().collect();
        words.join(" ").into()
    } else {
        code.into()
    }
}

/// A whole number that is not negative.
pub(crate) fn whole(decimal: &Decimal) -> Option<u32> {
    decimal.as_str().parse().ok()
}

/// A `Quantity`.
pub(crate) fn quantity(quantity: &Quantity) -> Object {
    let comparator = quantity.comparator.map(|comparator| match comparator {
        Comparator::Less => "<",
        Comparator::LessOrEqual => "<=",
        Comparator::GreaterOrEqual => ">=",
        Comparator::Greater => ">",
    });
    with_unit(number(quantity).with("comparator", comparator), quantity)
}

/// A `SimpleQuantity`: a quantity that cannot have a comparator.
pub(crate) fn simple_quantity(quantity: &Quantity) -> Object {
    with_unit(number(quantity), quantity)
}

fn number(quantity: &Quantity) -> Object {
    Object::new().with("value", &quantity.value)
}

fn with_unit(number: Object, quantity: &Quantity) -> Object {
    let Some(unit) = &quantity.unit else {
        return number;
    };
    let merit9 = unit.code_in(&CodeSystem::Merit9);
    let (system, code) = match merit9 {
        Some(code) => (Some(MERIT9_UNIT), Some(code)),
        None => match spellings(unit).find_map(ucum) {
            Some(code) => (Some(UCUM), Some(code)),
            None => (None, None),
        },
    };
    let shown = words(unit).or_else(|| unit.first_code());
    number
        .with("unit", shown)
        .with("system", system)
        .with("code", code)
}

fn spellings(unit: &Concept) -> impl Iterator<Item = &str> {
    let codings = unit
        .codings
        .iter()
        .flat_map(|coding| [Some(coding.code.as_str()), coding.display.as_deref()]);
    codings.flatten().chain(unit.text.as_deref())
}

/// A number of a fixed unit.
pub(crate) fn amount(value: impl Say, unit: &str, system: &str, code: &str) -> Object {
    Object::new()
        .with("value", value)
        .with("unit", unit)
        .with("system", system)
        .with("code", code)
}

/// A `Duration` of days.
pub(crate) fn days(count: &Decimal) -> Object {
    amount(count, "日", UCUM, "d")
}

/// A `Range`.
pub(crate) fn range(range: &Range) -> Object {
    Object::new()
        .with("low", range.low.as_ref().map(simple_quantity))
        .with("high", range.high.as_ref().map(simple_quantity))
}

/// A `Ratio`.
pub(crate) fn ratio(numerator: Object, denominator: Object) -> Object {
    Object::new()
        .with("numerator", numerator)
        .with("denominator", denominator)
}

/// A `dateTime`.
pub(crate) fn date_time(time: PartialDateTime) -> String {
    time.to_string()
}

/// An `instant`, when enough was sent.
pub(crate) fn instant(time: PartialDateTime) -> Option<String> {
    (time.precision() >= Precision::Second).then(|| time.to_string())
}

/// A `Period`. An end before its start cannot be said in FHIR (per-1) and stands as it was sent.
pub(crate) fn period(start: Option<PartialDateTime>, end: Option<PartialDateTime>) -> Object {
    let backwards = start
        .zip(end)
        .is_some_and(|(start, end)| start.start() > end.end());
    let period = Object::new().with("start", start.map(date_time));
    match end {
        Some(end) if backwards => period.with("_end", extended(as_sent(&date_time(end)))),
        end => period.with("end", end.map(date_time)),
    }
}

/// An `Identifier`.
pub(crate) fn identifier(system: &str, value: &str) -> Object {
    Object::new().with("system", system).with("value", value)
}

/// A `Reference` to a resource of this face.
pub(crate) fn reference(kind: &str, id: impl std::fmt::Display) -> Object {
    Object::new().with("reference", format!("{kind}/{id}"))
}

/// An `Annotation`.
pub(crate) fn note(text: impl Say) -> Value {
    Object::new().with("text", text).into()
}

/// An `Extension` with a value; nothing when the value says nothing.
pub(crate) fn extension(url: &str, key: &'static str, value: impl Say) -> Value {
    let value = Value::of(value);
    if value.is_empty() {
        return value;
    }
    Object::new().with("url", url).with(key, value).into()
}

/// An element that consists of one extension only.
pub(crate) fn extended(extension: Value) -> Object {
    Object::new().with("extension", vec![extension])
}

/// What the sender wrote, where it is shown otherwise.
pub(crate) fn as_sent(text: &str) -> Value {
    extension("urn:musubi:extension:as-sent", "valueString", text)
}

/// Why a mandatory element has no value (R4 extension `data-absent-reason`).
pub(crate) fn absent() -> Object {
    extended(extension(
        "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
        "valueCode",
        "unknown",
    ))
}

/// A field of the message that has no element in FHIR: its address, e.g. `RXE-42`, and its content
/// under the key of its type, e.g. `valueString`.
pub(crate) fn source_field(field: &str, key: &'static str, value: impl Say) -> Value {
    let content = extension("content", key, value);
    if content.is_empty() {
        return content;
    }
    let parts = vec![extension("field", "valueString", field), content];
    Object::new()
        .with("url", "urn:musubi:extension:source-field")
        .with("extension", parts)
        .into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::plain;

    fn unit(system: Option<CodeSystem>, code: &str, display: &str) -> Concept {
        let coding = Coding {
            system,
            code: code.to_owned(),
            display: Some(display.to_owned()),
        };
        Concept {
            codings: vec![coding],
            text: None,
        }
    }

    fn check(value: &str, unit: Option<Concept>, expected: &str) {
        let sent = Quantity {
            value: Decimal::parse(value).unwrap(),
            comparator: None,
            unit,
        };
        assert_eq!(Value::from(quantity(&sent)).as_str(), expected);
    }

    #[test]
    fn digits_stay_as_the_sender_wrote_them() {
        check("15.00", None, r#"{"value":15.00}"#);
        check("0.10", None, r#"{"value":0.10}"#);
        check("-0", None, r#"{"value":-0}"#);
        check(
            "12345678901234567890.123456789",
            None,
            r#"{"value":12345678901234567890.123456789}"#,
        );
    }

    #[test]
    fn a_code_of_a_unit_never_stands_without_its_system() {
        let merit9 = format!(r#"{{"value":1,"unit":"錠","system":"{MERIT9_UNIT}","code":"TAB"}}"#);
        check(
            "1",
            Some(unit(Some(CodeSystem::Merit9), "TAB", "錠")),
            &merit9,
        );
        let iso = unit(Some(CodeSystem::IsoPlus), "u/L", "U/L");
        check(
            "52",
            Some(iso),
            r#"{"value":52,"unit":"U/L","system":"http://unitsofmeasure.org","code":"U/L"}"#,
        );
        check(
            "1",
            Some(unit(None, "ﾊｺ", "箱")),
            r#"{"value":1,"unit":"箱"}"#,
        );
    }

    #[test]
    fn a_period_that_ends_before_it_begins_is_kept_without_lying() {
        let time = |text: &str| text.parse().ok();
        let value = plain(period(time("2024-05-10"), time("2024-05-09")));
        assert_eq!(value["start"], "2024-05-10");
        assert!(value.get("end").is_none());
        assert_eq!(value["_end"]["extension"][0]["valueString"], "2024-05-09");
        assert_eq!(
            plain(period(time("2024-05-10"), time("2024-05"))),
            json!({"start": "2024-05-10", "end": "2024-05"})
        );
    }

    #[test]
    fn an_instant_needs_seconds() {
        assert_eq!(instant("2024-05-10".parse().unwrap()), None);
        assert!(instant("2024-05-10T08:45:00+09:00".parse().unwrap()).is_some());
    }

    #[test]
    fn an_extension_without_value_is_none() {
        assert!(source_field("RXE-42", "valueString", "").is_empty());
        let empty = extension("urn:x", "valueCodeableConcept", Object::new());
        assert!(empty.is_empty());
    }
}
