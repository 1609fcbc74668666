//! Who asks: the verified requester of a FHIR request, or a refusal in FHIR's own form.

use std::sync::Arc;

use auth::{Caller, Refusal};
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use consent::Requester;

use crate::Shared;
use crate::error::Error;
use crate::fhir::Asked;

/// The header in which the outermost layer puts the request's id.
const REQUEST_ID: &str = "x-request-id";

/// A signed-in request to the face.
pub(crate) struct Asker {
    face: Shared,
    requester: Arc<Requester>,
    request: u128,
}

impl Asker {
    /// The request as one of a route.
    pub(crate) fn asked(&self, route: &'static str) -> Asked<'_> {
        Asked {
            face: &self.face,
            requester: &self.requester,
            route,
            request: self.request,
        }
    }
}

impl FromRequestParts<Shared> for Asker {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, face: &Shared) -> Result<Self, Error> {
        let Caller(requester) = Caller::from_request_parts(parts, &face.auth)
            .await
            .map_err(refused)?;
        Ok(Self {
            face: Arc::clone(face),
            requester,
            request: request_id(parts),
        })
    }
}

/// A refused sign-in in FHIR's form; the reason is logged where the refusal becomes a response.
fn refused(refusal: Refusal) -> Error {
    let wait = refusal.retry_after();
    match refusal.into_response().status() {
        StatusCode::UNAUTHORIZED => Error::NotSignedIn,
        StatusCode::FORBIDDEN => Error::Forbidden,
        StatusCode::TOO_MANY_REQUESTS => Error::Throttled(wait),
        StatusCode::SERVICE_UNAVAILABLE => Error::Unavailable(wait),
        _ => Error::Internal,
    }
}

/// The request's id, a UUID or its 32 digits; 0 where no layer gave one.
fn request_id(parts: &Parts) -> u128 {
    let text = parts
        .headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    u128::from_str_radix(&text.replace('-', ""), 16).unwrap_or(0)
}
