//! Who is calling: the extractor that all faces share.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, MatchedPath};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use consent::Requester;

use super::connection::Connection;
use super::witness::Witness;
use super::{cookie, origin, request_id};
use crate::limits::Use;
use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::sign_in::Seat;
use crate::state::Auth;

/// The person on whose behalf a request is made, by read token or by session. It answers 401, 403,
/// 429 or 503 from the request alone, before anything about a patient is looked at. A session's
/// request that changes something must show the session's form secret in `X-CSRF-Token`.
#[derive(Debug, Clone)]
pub struct Caller(pub Arc<Requester>);

impl<S> FromRequestParts<S> for Caller
where
    Auth: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let auth = Auth::from_ref(state);
        let requester = requester(&auth, parts).await?;
        let Ok(witness) = Witness::from_request_parts(parts, state).await;
        witness.saw(&requester);
        let route = parts.extensions.get::<MatchedPath>();
        let route = route.map_or("", MatchedPath::as_str);
        let request = request_id(&parts.headers);
        auth.count(&requester, Use::Request, route, request).await?;
        Ok(Self(requester))
    }
}

/// Who presents the request's token or cookie.
async fn requester(auth: &Auth, parts: &Parts) -> Result<Arc<Requester>, Refusal> {
    if parts.headers.contains_key(AUTHORIZATION) {
        if !Connection::of(parts, &auth.front)?.is_private() {
            return Err(Refusal::Insecure);
        }
        let text = bearer(parts).ok_or(Refusal::NotSignedIn)?;
        return auth.bearer(text).await;
    }
    let secret = cookie::read(&parts.headers).ok_or(Refusal::NotSignedIn)?;
    if !parts.method.is_safe() {
        origin::check(parts, auth.front.site.as_ref())?;
        origin::check_form(parts, &secret, None)?;
    }
    let seat = auth.seat(&secret).await?.ok_or(Refusal::NotSignedIn)?;
    Auth::requester_of(&seat).ok_or(Refusal::NotSignedIn)
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1; the scheme's case does not count).
fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let (value, more) = (values.next()?, values.next());
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    (more.is_none() && scheme.eq_ignore_ascii_case("bearer")).then_some(token.trim())
}

/// A person at a browser session, for this room's own routes, whose forms carry their secret
/// themselves.
pub(super) struct Signed {
    /// The session's secret.
    pub(super) secret: Secret,
    /// The session.
    pub(super) seat: Seat,
    /// The person as a requester.
    pub(super) requester: Arc<Requester>,
    parts: Parts,
}

impl Signed {
    /// See [`origin::check_form`].
    pub(super) fn check_form(&self, field: Option<&str>) -> Result<(), Refusal> {
        origin::check_form(&self.parts, &self.secret, field)
    }
}

impl FromRequestParts<Auth> for Signed {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, auth: &Auth) -> Result<Self, Refusal> {
        if parts.headers.contains_key(AUTHORIZATION) {
            return Err(Refusal::SessionNeeded);
        }
        let secret = cookie::read(&parts.headers).ok_or(Refusal::NotSignedIn)?;
        let seat = auth.seat(&secret).await?.ok_or(Refusal::NotSignedIn)?;
        let requester = Auth::requester_of(&seat).ok_or(Refusal::NotSignedIn)?;
        let Ok(witness) = Witness::from_request_parts(parts, auth).await;
        witness.saw(&requester);
        Ok(Self {
            secret,
            seat,
            requester,
            parts: parts.clone(),
        })
    }
}
