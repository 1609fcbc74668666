//! JSON as the face builds it. An object is a short list of named values: names are the program's own
//! words, so that none is copied, and values are written in the order in which they were said.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::Number;

/// A JSON value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) enum Value {
    /// Nothing.
    #[default]
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Self>),
    Object(Vec<(&'static str, Self)>),
}

impl Value {
    /// The value of a name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(named) = self else {
            return None;
        };
        let found = named.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    /// The value of a name, to be changed.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(named) = self else {
            return None;
        };
        let found = named.iter_mut().find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    /// The text, when it is one.
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members of an array; none when it is something else.
    pub(crate) fn into_array(self) -> Vec<Self> {
        match self {
            Self::Array(values) => values,
            _ => Vec::new(),
        }
    }

    /// The value of a name, and nothing else of the object.
    pub(crate) fn take(self, name: &str) -> Option<Self> {
        let Self::Object(named) = self else {
            return None;
        };
        let mut named = named.into_iter();
        let found = named.find(|(known, _)| *known == name);
        found.map(|(_, value)| value)
    }

    /// The members of an array, to be changed.
    pub(crate) fn as_array_mut(&mut self) -> Option<&mut Vec<Self>> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Object(named) => {
                let mut map = serializer.serialize_map(Some(named.len()))?;
                for (name, value) in named {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

/// What a test looks into.
#[cfg(test)]
pub(crate) fn plain(value: impl Into<Value>) -> serde_json::Value {
    serde_json::to_value(value.into()).unwrap()
}
