//! Who asks: the verified requester of a FHIR request, or a refusal in FHIR's own form.

use std::sync::Arc;

use auth::{Caller, Refusal, Use, request_id};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use consent::Requester;

use crate::Shared;
use crate::error::Error;
use crate::fhir::Asked;

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
            request: request_id(&parts.headers),
        })
    }
}

impl Asked<'_> {
    /// Counts what is asked for against the regulation's limits, before anything is looked up.
    pub(crate) async fn count(&self, what: Use) -> Result<(), Error> {
        let counted = self
            .face
            .auth
            .count(self.requester, what, self.route, self.request);
        counted.await.map_err(refused)
    }
}

/// Sees to it that no answer leaves without its row of the audit.
pub(crate) async fn witnessed(
    State(face): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Error> {
    auth::witness(&face.auth, request, next)
        .await
        .map_err(refused)
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
