//! JSON as the face builds it: text, written once in the order in which it is said. What is empty is
//! left out where it is said, so rendering never asks.

use std::borrow::Cow;

use model::quantity::Decimal;

/// A JSON value as text; none when nothing is said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Value(String);

/// What can be said in JSON.
// INVARIANT: FHIR R4 §2.6.2: no empty objects, arrays or strings, no null; §2.24.0.1: strings
// without control characters except tab, CR and LF.
pub(crate) trait Say {
    /// Appends its JSON, or nothing when it says nothing.
    fn say(self, out: &mut String);
}

impl Value {
    /// Something that was said.
    pub(crate) fn of(said: impl Say) -> Self {
        let mut text = String::new();
        said.say(&mut text);
        Self(text)
    }

    /// A JSON text.
    pub(crate) const fn written(text: String) -> Self {
        Self(text)
    }

    /// Whether nothing is said.
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The JSON text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The JSON text.
    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

impl Say for Value {
    fn say(self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl Say for &Value {
    fn say(self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl Say for &str {
    fn say(self, out: &mut String) {
        // Nearly every text stands in JSON as it is; one pass over its bytes tells.
        if self.bytes().fold(false, |any, byte| any | is_special(byte)) {
            return say_special(self, out);
        }
        if !is_blank(self) {
            out.push('"');
            out.push_str(self);
            out.push('"');
        }
    }
}

/// Whether a byte is escaped in JSON, or may belong to a control character (the last ones are U+0080
/// to U+009F, which begin with 0xC2 in UTF-8).
const fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\' || byte == 0x7f || byte == 0xc2
}

fn say_special(text: &str, out: &mut String) {
    let text = readable(text);
    if !is_blank(&text) {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// A text without what FHIR forbids in strings.
fn readable(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control() || matches!(character, '\t' | '\r' | '\n'))
        .collect()
}

fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}

impl Say for String {
    fn say(self, out: &mut String) {
        self.as_str().say(out);
    }
}

impl Say for Cow<'_, str> {
    fn say(self, out: &mut String) {
        self.as_ref().say(out);
    }
}

impl Say for bool {
    fn say(self, out: &mut String) {
        out.push_str(if self { "true" } else { "false" });
    }
}

impl Say for u32 {
    fn say(self, out: &mut String) {
        out.push_str(&self.to_string());
    }
}

impl Say for u64 {
    fn say(self, out: &mut String) {
        out.push_str(&self.to_string());
    }
}

/// In the digits that were sent.
impl Say for &Decimal {
    fn say(self, out: &mut String) {
        out.push_str(self.as_str());
    }
}

impl<T: Say> Say for Option<T> {
    fn say(self, out: &mut String) {
        if let Some(said) = self {
            said.say(out);
        }
    }
}

impl<T: Say> Say for Vec<T> {
    fn say(self, out: &mut String) {
        let start = out.len();
        for one in self {
            let end = out.len();
            out.push(if end == start { '[' } else { ',' });
            let before = out.len();
            one.say(out);
            if out.len() == before {
                out.truncate(end);
            }
        }
        if out.len() > start {
            out.push(']');
        }
    }
}

/// What a test looks into. That it reads back as it was written shows that it is JSON, and that no
/// object says a name twice.
#[cfg(test)]
pub(crate) fn plain(value: impl Say) -> serde_json::Value {
    let Value(text) = Value::of(value);
    if text.is_empty() {
        return serde_json::Value::Null;
    }
    let plain: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plain.to_string(), text);
    plain
}
