//! Everything that is not an answer, as an `OperationOutcome`. Texts name parameters and reasons of
//! form; they never hold a value of the request or of a record.

use crate::fhir::object::Object;
use crate::json::Value;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The media type of every FHIR answer.
pub(crate) const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// Why a request has no answer; numbers are seconds after which asking again may help.
// INVARIANT: which variant it is depends on requester, route and network alone, except `NotFound`,
// which is the same for what does not exist and for what this reader may not see.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Unsupported(String),
    #[error("sign in first")]
    NotSignedIn,
    #[error("this role may not use this")]
    Forbidden,
    #[error("not found")]
    NotFound,
    #[error("this method is not offered here")]
    Method,
    #[error("only application/fhir+json is offered")]
    NotAcceptable,
    #[error("the request is too large")]
    TooLarge,
    #[error("a search is posted as application/x-www-form-urlencoded")]
    MediaType,
    #[error("{0}")]
    TooFewCriteria(&'static str),
    #[error("too many requests")]
    Throttled(Option<i64>),
    #[error("not available now, try again")]
    Unavailable(Option<i64>),
    #[error("internal error")]
    Internal,
}

impl Error {
    /// HTTP status and FHIR `issue-type`.
    pub(crate) const fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
            Self::Unsupported(_) => (StatusCode::BAD_REQUEST, "not-supported"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "login"),
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "not-supported"),
            Self::NotAcceptable => (StatusCode::NOT_ACCEPTABLE, "not-supported"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-long"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-supported"),
            Self::TooFewCriteria(_) => (StatusCode::UNPROCESSABLE_ENTITY, "processing"),
            Self::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "throttled"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "transient"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "exception"),
        }
    }

    fn outcome(&self) -> Value {
        let issue = Object::new()
            .with("severity", "error")
            .with("code", self.status().1)
            .with("diagnostics", self.to_string());
        Object::resource("OperationOutcome")
            .with("issue", vec![issue])
            .into()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = fhir_json(self.status().0, self.outcome());
        let headers = response.headers_mut();
        match self {
            Self::NotSignedIn => {
                headers.insert(
                    header::WWW_AUTHENTICATE,
                    HeaderValue::from_static("Bearer realm=\"musubi\""),
                );
            }
            Self::Throttled(Some(seconds)) | Self::Unavailable(Some(seconds)) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response
    }
}

/// A response whose body is a resource.
pub(crate) fn fhir_json(status: StatusCode, resource: Value) -> Response {
    let body = resource.into_text();
    (status, [(header::CONTENT_TYPE, FHIR_JSON)], body).into_response()
}
