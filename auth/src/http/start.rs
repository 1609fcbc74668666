//! The start page, signing in and signing out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::caller::Signed;
use super::connection::Connection;
use super::cookie;
use super::origin::OwnSite;
use super::posted::Posted;
use super::witness::Witness;
use crate::page;
use crate::refusal::Refusal;
use crate::sign_in::Step;
use crate::state::Auth;

#[derive(Deserialize)]
pub(super) struct Credentials {
    user: String,
    password: SecretString,
}

#[derive(Deserialize)]
pub(super) struct Code {
    code: SecretString,
}

#[derive(Deserialize)]
pub(super) struct Confirmation {
    csrf: Option<String>,
}

/// `GET /`: the sign-in page, the next question, or who is signed in.
pub(super) async fn start(
    State(auth): State<Auth>,
    witness: Witness,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Some(secret) = cookie::read(&headers) else {
        return Ok(page::sign_in(None));
    };
    let seat = auth.seat(&secret).await?;
    if let Some(requester) = seat.as_ref().and_then(Auth::requester_of) {
        witness.saw(&requester);
    }
    Ok(match seat {
        Some(seat) if seat.next.is_none() => page::home(&auth, &seat, &secret),
        Some(_) => page::code(None),
        None => {
            let mut ended = page::sign_in(Some(&Refusal::SignInEnded));
            cookie::clear(ended.headers_mut());
            ended
        }
    })
}

/// `POST /login {user, password}` → `{"next": "totp"}`.
pub(super) async fn login(
    State(auth): State<Auth>,
    _: OwnSite,
    from: Connection,
    posted: Posted<Credentials>,
) -> Response {
    let Credentials { user, password } = posted.body;
    match auth.present_password(from.peer, &user, password).await {
        Ok(step) => went_on(posted.form, &step),
        Err(refusal) if posted.form => page::sign_in(Some(&refusal)),
        Err(refusal) => refusal.into_response(),
    }
}

/// `POST /login/totp {code}` → `{"next": null, "csrf": "…"}`.
pub(super) async fn login_totp(
    State(auth): State<Auth>,
    _: OwnSite,
    from: Connection,
    headers: HeaderMap,
    posted: Posted<Code>,
) -> Response {
    let step = match cookie::read(&headers) {
        Some(secret) => {
            auth.present_code(from.peer, &secret, &posted.body.code)
                .await
        }
        None => Err(Refusal::SignInEnded),
    };
    match step {
        Ok(step) => went_on(posted.form, &step),
        Err(refusal @ Refusal::SignInEnded) if posted.form => page::sign_in(Some(&refusal)),
        Err(refusal) if posted.form => page::code(Some(&refusal)),
        Err(refusal) => refusal.into_response(),
    }
}

fn went_on(form: bool, step: &Step) -> Response {
    let mut response = if form {
        Redirect::to("/").into_response()
    } else if step.next.is_some() {
        Json(json!({ "next": step.next })).into_response()
    } else {
        Json(json!({ "next": null, "csrf": step.secret.companion().text() })).into_response()
    };
    cookie::set(response.headers_mut(), &step.secret);
    response
}

/// `POST /logout`.
pub(super) async fn logout(
    State(auth): State<Auth>,
    _: OwnSite,
    signed: Signed,
    posted: Posted<Confirmation>,
) -> Result<Response, Refusal> {
    signed.check_form(posted.body.csrf.as_deref())?;
    auth.sign_out(&signed.secret).await?;
    let mut response = if posted.form {
        Redirect::to("/").into_response()
    } else {
        Json(json!({ "signed_out": true })).into_response()
    };
    let headers = response.headers_mut();
    cookie::clear(headers);
    headers.insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"storage\""),
    );
    Ok(response)
}
