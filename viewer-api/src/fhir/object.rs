//! Building JSON objects that FHIR accepts.

use crate::json::{Say, Value};

/// Room for the text of most objects.
const TYPICAL: usize = 192;

/// A JSON object under construction, in the order of its calls: its text without the last brace.
#[derive(Default, PartialEq)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Self {
        Self::sized(TYPICAL)
    }

    /// An object whose text will have about so many bytes.
    pub(crate) fn sized(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// A resource of a type.
    pub(crate) fn resource(kind: &str) -> Self {
        Self::new().with("resourceType", kind)
    }

    /// An object that has one element more, unless the element says nothing.
    pub(crate) fn with(mut self, name: &'static str, value: impl Say) -> Self {
        let end = self.0.len();
        self.0.push(if end == 0 { '{' } else { ',' });
        self.0.push('"');
        self.0.push_str(name);
        self.0.push_str("\":");
        let before = self.0.len();
        value.say(&mut self.0);
        if self.0.len() == before {
            self.0.truncate(end);
        }
        self
    }

    /// An object that has all elements of another behind its own.
    pub(crate) fn and(mut self, other: &Self) -> Self {
        if let Some(elements) = other.0.strip_prefix('{') {
            self.0.push(if self.is_empty() { '{' } else { ',' });
            self.0.push_str(elements);
        }
        self
    }

    /// Bytes of its text up to now.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was said.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Say for Object {
    fn say(self, out: &mut String) {
        if !self.is_empty() {
            out.push_str(&self.0);
            out.push('}');
        }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        let Object(mut text) = object;
        if !text.is_empty() {
            text.push('}');
        }
        Self::written(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::plain;

    fn check(value: impl Say, expected: &serde_json::Value) {
        assert_eq!(
            plain(Object::new().with("x", value).with("y", 1_u32)),
            *expected
        );
    }

    #[test]
    fn what_is_empty_does_not_appear() {
        let nothing = &json!({"y": 1});
        check(Value::default(), nothing);
        check("", nothing);
        check("　 ", nothing);
        check("\u{0} \n", nothing);
        check(None::<bool>, nothing);
        check(Vec::<Value>::new(), nothing);
        check(vec!["", "\u{7f}"], nothing);
        check(vec![Object::new().with("z", "")], nothing);
        assert_eq!(plain(Object::new()), serde_json::Value::Null);
    }

    #[test]
    fn what_is_said_stays_as_it_is() {
        check("  -", &json!({"x": "  -", "y": 1}));
        check(vec!["", "a", "", "b"], &json!({"x": ["a", "b"], "y": 1}));
        check(false, &json!({"x": false, "y": 1}));
        check("é°ｱ\u{a0}", &json!({"x": "é°ｱ\u{a0}", "y": 1}));
        check("\"\\/\t\r\n<", &json!({"x": "\"\\/\t\r\n<", "y": 1}));
        check("a\u{0}b\u{1b}\u{85}\n", &json!({"x": "ab\n", "y": 1}));
    }

    #[test]
    fn elements_of_another_come_behind_its_own() {
        let one = || Object::new().with("a", true);
        assert_eq!(plain(one().and(&Object::new())), json!({"a": true}));
        assert_eq!(plain(Object::new().and(&one())), json!({"a": true}));
        let both = one().and(&Object::new().with("b", "c"));
        assert_eq!(plain(both), json!({"a": true, "b": "c"}));
    }
}
