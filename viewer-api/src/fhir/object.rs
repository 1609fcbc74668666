//! Building JSON objects that FHIR accepts: what is empty is left out, so rendering never asks.

use crate::json::Value;

/// A JSON object under construction, in the order of its calls.
#[derive(Default)]
pub(crate) struct Object(Vec<(&'static str, Value)>);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A resource of a type.
    pub(crate) fn resource(kind: &str) -> Self {
        Self::new().with("resourceType", kind)
    }

    /// An object that has one element more, unless the element says nothing.
    // INVARIANT: FHIR R4 §2.6.2: no empty objects, arrays or strings, no null; §2.24.0.1: strings
    // without control characters except tab, CR and LF.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        if let Some(value) = meaningful(value.into()) {
            debug_assert!(self.0.iter().all(|(said, _)| *said != name), "{name}");
            self.0.push((name, value));
        }
        self
    }

    /// Whether nothing was said.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}

fn meaningful(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => readable(text).map(Value::String),
        Value::Array(values) => {
            let values: Vec<Value> = values.into_iter().filter_map(meaningful).collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
        Value::Object(named) if named.is_empty() => None,
        other => Some(other),
    }
}

/// A text without what FHIR forbids in strings; nothing when only blanks are left.
pub(crate) fn readable(mut text: String) -> Option<String> {
    text.retain(|character| !character.is_control() || matches!(character, '\t' | '\r' | '\n'));
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::plain;

    fn check(value: impl Into<Value>, expected: &serde_json::Value) {
        assert_eq!(plain(Object::new().with("x", value)), *expected);
    }

    #[test]
    fn what_is_empty_does_not_appear() {
        for empty in [
            Value::Null,
            "".into(),
            "　 ".into(),
            Value::Array(Vec::new()),
            Object::new().into(),
            vec![Value::Null, "".into()].into(),
            "\u{0}".into(),
        ] {
            check(empty, &json!({}));
        }
    }

    #[test]
    fn what_is_said_stays_as_it_is() {
        check("  -", &json!({"x": "  -"}));
        check(vec!["", "a"], &json!({"x": ["a"]}));
        check(false, &json!({"x": false}));
        check("a\u{0}b\u{1b}\n", &json!({"x": "ab\n"}));
    }
}
