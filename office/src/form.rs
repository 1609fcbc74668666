//! How a JSON object becomes a paper. Its fields are those of the CSV form: a text each; a list may
//! also be an array of texts. Unknown fields are refused: a misspelt one would be ignored.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use model::papers::{ConsentNo, ConsentPaper, Unreadable, WithdrawalPaper};
use serde_json::{Map, Value};

use crate::error::{Error, Field};

/// A posted form; an empty body is an empty form.
pub(crate) struct Form(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Error;

    async fn from_request(request: Request, state: &S) -> Result<Self, Error> {
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let kind = kind.map(|kind| {
            kind.split(';')
                .next()
                .unwrap_or("")
                .trim()
                .to_ascii_lowercase()
        });
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Error::Malformed)?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        if kind.as_deref() != Some("application/json") {
            return Err(Error::UnknownType);
        }
        serde_json::from_slice(&bytes)
            .map(Self)
            .map_err(|_| Error::Malformed)
    }
}

impl Form {
    /// The consent form.
    pub(crate) fn consent(self) -> Result<ConsentPaper, Error> {
        let texts = self.texts(ConsentPaper::FIELDS)?;
        let text = |field| texts.get(field).map_or("", String::as_str);
        ConsentPaper::from_fields(text).map_err(unreadable)
    }

    /// The withdrawal form of a consent; the form need not repeat the number.
    pub(crate) fn withdrawal(self, number: &ConsentNo) -> Result<WithdrawalPaper, Error> {
        let mut texts = self.texts(WithdrawalPaper::FIELDS)?;
        let number = number.to_string();
        let told = texts
            .entry("consent_no".to_owned())
            .or_insert_with(|| number.clone());
        if *told != number {
            let other = Field::new("consent_no", "is not the number of the address");
            return Err(Error::Unprocessable(vec![other]));
        }
        let text = |field| texts.get(field).map_or("", String::as_str);
        WithdrawalPaper::from_fields(text).map_err(unreadable)
    }

    /// The text of each field.
    fn texts(self, known: &[&str]) -> Result<BTreeMap<String, String>, Error> {
        let (mut texts, mut wrong) = (BTreeMap::new(), Vec::new());
        for (name, value) in self.0 {
            if !known.contains(&name.as_str()) {
                wrong.push(Field::new(name, "is not a field of this form"));
            } else if let Some(text) = text(value) {
                texts.insert(name, text);
            } else {
                wrong.push(Field::new(name, "is neither a text nor a list of texts"));
            }
        }
        if wrong.is_empty() {
            Ok(texts)
        } else {
            Err(Error::Unprocessable(wrong))
        }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text),
        Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Some(items?.join(";"))
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn unreadable(fields: Vec<Unreadable>) -> Error {
    let fields = fields
        .into_iter()
        .map(|field| Field::new(field.field, field.message));
    Error::Unprocessable(fields.collect())
}
