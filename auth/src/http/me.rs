//! Who I am, and read tokens of my own.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use consent::Via;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::caller::{Caller, Signed};
use super::cookie;
use super::origin::OwnSite;
use super::posted::Posted;
use crate::page;
use crate::refusal::Refusal;
use crate::state::Auth;
use crate::token::LONGEST_HOURS;

#[derive(Deserialize)]
pub(super) struct Wanted {
    hours: Option<u8>,
    csrf: Option<String>,
}

/// `GET /me`: the person, role and facility of the request; for a session also the secret that its
/// unsafe requests must show.
pub(super) async fn me(
    State(auth): State<Auth>,
    Caller(requester): Caller,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let account = auth.accounts.account_of(requester.person()).await?;
    let person = account.ok_or(Refusal::NotSignedIn)?.person;
    let facility = auth.network.facilities.get(&person.facility);
    let by_session = requester.via() == Via::Session;
    let secret = cookie::read(&headers).filter(|_| by_session);
    let body = json!({
        "login": requester.login(),
        "name": person.name,
        "profession": requester.profession(),
        "facility": {
            "code": requester.facility(),
            "name": facility.map(|facility| facility.name.as_str()),
        },
        "purpose": requester.purpose().code(),
        "via": if by_session { "session" } else { "token" },
        "factors": requester.factors(),
        "csrf": secret.map(|secret| secret.companion().text()),
    });
    Ok(Json(body).into_response())
}

/// `POST /me/tokens {hours}` → `{"token": "…", "expires_at": "…"}`.
pub(super) async fn make_token(
    State(auth): State<Auth>,
    _: OwnSite,
    signed: Signed,
    posted: Posted<Wanted>,
) -> Result<Response, Refusal> {
    signed.check_form(posted.body.csrf.as_deref())?;
    let hours = posted.body.hours.unwrap_or(LONGEST_HOURS);
    if hours == 0 || hours > LONGEST_HOURS {
        return Err(Refusal::Malformed("hours must be 1 to 12."));
    }
    let token = auth.issue(&signed.requester, hours).await?;
    if posted.form {
        return Ok(page::token(&signed.seat, &token));
    }
    let body = json!({
        "token": token.text.expose_secret(),
        "expires_at": token.expires_at.to_string(),
    });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}
