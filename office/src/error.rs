//! What is not an answer. Internal text never leaves; fields are named, values are not repeated.

use auth::Refusal;
use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use store::PaperError;

/// A field of a form, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    /// Name, as in the CSV form.
    pub(crate) name: String,
    /// What is wrong, to be read after the name.
    pub(crate) message: String,
}

impl Field {
    pub(crate) fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            message: message.into(),
        }
    }

    fn json(&self) -> Value {
        json!({ "field": self.name, "message": self.message })
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody is signed in, or not in the way that this needs.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The person's role is another one.
    #[error("only the secretariat may do this")]
    Role,
    /// There is no such consent.
    #[error("no such consent")]
    NotFound,
    /// The body is no JSON object.
    #[error("send the fields of the form as a JSON object")]
    Malformed,
    /// The body is of another type.
    #[error("send application/json")]
    UnknownType,
    /// Fields that cannot be as they are.
    #[error("the form has fields that cannot be as they are")]
    Unprocessable(Vec<Field>),
    /// The form does not fit what is kept.
    #[error("the form does not fit what is kept")]
    Conflict(Field),
    /// The store failed.
    #[error("not available now")]
    Store(#[from] store::Error),
}

impl From<PaperError> for Error {
    fn from(error: PaperError) -> Self {
        match error {
            PaperError::Wrong(wrongs) => Self::Unprocessable(
                wrongs
                    .into_iter()
                    .map(|wrong| Field::new(wrong.field, wrong.message))
                    .collect(),
            ),
            PaperError::Conflict(conflict) => {
                Self::Conflict(Field::new(conflict.field(), conflict.message()))
            }
            PaperError::NotFound => Self::NotFound,
            PaperError::Store(error) => Self::Store(error),
        }
    }
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Refused(refusal) => refusal.status(),
            Self::Role => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::UnknownType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Store(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Role => "role",
            Self::NotFound => "not-found",
            Self::Malformed => "malformed",
            Self::UnknownType => "unknown-type",
            Self::Unprocessable(_) => "unprocessable",
            Self::Conflict(_) => "conflict",
            Self::Store(_) => "unavailable",
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Refused(refusal) = self {
            return refusal.into_response();
        }
        let fields: Vec<Value> = match &self {
            Self::Unprocessable(fields) => fields.iter().map(Field::json).collect(),
            Self::Conflict(field) => vec![field.json()],
            _ => Vec::new(),
        };
        let body = json!({ "error": self.code(), "message": self.to_string(), "fields": fields });
        let mut response = (self.status(), Json(body)).into_response();
        if let Self::Store(error) = &self {
            tracing::error!(%error, "the office is not available");
            if error.is_retryable() {
                response.headers_mut().insert(header::RETRY_AFTER, 5.into());
            }
        }
        response
    }
}
