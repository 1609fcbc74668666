//! The pages of this room: sign in, the code, who is signed in, a new token. Japanese first.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use model::network::Profession;
use secrecy::ExposeSecret;
use shell::Frame;

use crate::refusal::Refusal;
use crate::secret::Secret;
use crate::session::limits;
use crate::sign_in::Seat;
use crate::state::Auth;
use crate::token::{IssuedToken, LONGEST_HOURS};

/// Words of a refusal, Japanese and English.
type Alert = Option<(String, String)>;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    alert: Alert,
}

#[derive(Template)]
#[template(path = "code.html")]
struct Code {
    alert: Alert,
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    name: &'a str,
    login: &'a str,
    role: (&'static str, &'static str),
    facility: &'a str,
    facility_code: String,
    csrf: String,
    hours: u8,
    idle_minutes: i64,
}

#[derive(Template)]
#[template(path = "token.html")]
struct Token<'a> {
    token: &'a str,
    expires: String,
}

fn with_refusal(refusal: Option<&Refusal>, frame: &Frame<'_>, main: &impl Template) -> Response {
    match refusal {
        Some(refusal) => refusal.with_headers(shell::page(refusal.status(), frame, main)),
        None => shell::page(StatusCode::OK, frame, main),
    }
}

/// Asks for account name and password.
pub(crate) fn sign_in(refusal: Option<&Refusal>) -> Response {
    let frame = Frame {
        title: "サインイン",
        title_en: "Sign in",
        idle_seconds: 0,
    };
    with_refusal(
        refusal,
        &frame,
        &SignIn {
            alert: refusal.map(Refusal::words),
        },
    )
}

/// Asks for a one-time code.
pub(crate) fn code(refusal: Option<&Refusal>) -> Response {
    let frame = Frame {
        title: "確認コード",
        title_en: "One-time code",
        idle_seconds: crate::session::UNFINISHED,
    };
    with_refusal(
        refusal,
        &frame,
        &Code {
            alert: refusal.map(Refusal::words),
        },
    )
}

/// Says who is signed in, and offers a token and the way out.
pub(crate) fn home(auth: &Auth, seat: &Seat, secret: &Secret) -> Response {
    let person = &seat.person;
    let facility = auth.network.facilities.get(&person.facility);
    let idle_seconds = limits(person.profession).idle;
    let main = Home {
        name: &person.name,
        login: person.login.as_str(),
        role: words(person.profession),
        facility: facility.map_or("", |facility| facility.name.as_str()),
        facility_code: person.facility.to_string(),
        csrf: secret.companion().text(),
        hours: LONGEST_HOURS,
        idle_minutes: idle_seconds / 60,
    };
    let frame = Frame {
        title: "サインイン中",
        title_en: "Signed in",
        idle_seconds,
    };
    shell::page(StatusCode::OK, &frame, &main)
}

/// Shows a new token, once.
pub(crate) fn token(seat: &Seat, token: &IssuedToken) -> Response {
    let expires = token
        .expires_at
        .civil()
        .strftime("%Y-%m-%d %H:%M")
        .to_string();
    let main = Token {
        token: token.text.expose_secret(),
        expires,
    };
    let frame = Frame {
        title: "閲覧トークン",
        title_en: "Read token",
        idle_seconds: limits(seat.person.profession).idle,
    };
    shell::page(StatusCode::CREATED, &frame, &main)
}

/// 職種 in words, Japanese and English.
const fn words(profession: Profession) -> (&'static str, &'static str) {
    match profession {
        Profession::Physician => ("医師", "Physician"),
        Profession::Dentist => ("歯科医師", "Dentist"),
        Profession::Pharmacist => ("薬剤師", "Pharmacist"),
        Profession::Nurse => ("看護師", "Nurse"),
        Profession::RadTech => ("診療放射線技師", "Radiological technologist"),
        Profession::Pt => ("理学療法士", "Physical therapist"),
        Profession::Ot => ("作業療法士", "Occupational therapist"),
        Profession::Msw => ("医療ソーシャルワーカー", "Medical social worker"),
        Profession::Dietitian => ("管理栄養士", "Dietitian"),
        Profession::Clerk => ("事務職員", "Clerk"),
        Profession::OtherStaff => ("その他の職員", "Other staff"),
        Profession::Secretariat => ("事務局", "Secretariat"),
        Profession::Administrator => ("システム管理者", "Administrator"),
    }
}
