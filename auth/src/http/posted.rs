//! Bodies that may be JSON or a form.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::{Form, Json};
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;

/// What was posted.
pub(super) struct Posted<T> {
    /// It was a form: the answer is a page.
    pub(super) form: bool,
    /// The content.
    pub(super) body: T,
}

const WRONG: Refusal = Refusal::Malformed("The body does not have the expected fields.");

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Posted<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let kind = request
            .headers()
            .get(CONTENT_TYPE)
            .map(|value| value.to_str().unwrap_or("?"));
        let kind = kind.map(|kind| {
            kind.split(';')
                .next()
                .unwrap_or("")
                .trim()
                .to_ascii_lowercase()
        });
        match kind.as_deref() {
            Some("application/json") => {
                let Json(body) = Json::from_request(request, state)
                    .await
                    .map_err(|_| WRONG)?;
                Ok(Self { form: false, body })
            }
            Some("application/x-www-form-urlencoded") => {
                let Form(body) = Form::from_request(request, state)
                    .await
                    .map_err(|_| WRONG)?;
                Ok(Self { form: true, body })
            }
            None => {
                // No type and no body is what `curl -X POST` sends: nothing is meant.
                let bytes = Bytes::from_request(request, state)
                    .await
                    .map_err(|_| WRONG)?;
                if !bytes.is_empty() {
                    return Err(Refusal::UnknownType);
                }
                let body = serde_json::from_str("{}").map_err(|_| WRONG)?;
                Ok(Self { form: false, body })
            }
            Some(_) => Err(Refusal::UnknownType),
        }
    }
}
