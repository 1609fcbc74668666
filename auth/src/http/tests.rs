use axum::http::{Request, StatusCode};
use model::network::Profession;
use model::time::Instant;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::testing::{PASSWORD, Stage};

const OK: StatusCode = StatusCode::OK;
const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
const HELD: StatusCode = StatusCode::TOO_MANY_REQUESTS;

#[tokio::test]
async fn a_person_signs_in_with_password_and_code_and_out() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let first = stage.password("Sato", PASSWORD).await;
    assert_eq!(
        (first.status, first.text.as_str()),
        (OK, r#"{"next":"totp"}"#)
    );
    assert_eq!(
        stage.me(&first.cookie()).await,
        UNAUTHORIZED,
        "the password alone opens nothing"
    );
    let second = stage.totp(&first.cookie(), &stage.code(&secret)).await;
    assert_eq!(second.status, OK);
    assert_ne!(
        second.cookie(),
        first.cookie(),
        "the session's secret is new after sign-in"
    );
    assert_eq!(stage.me(&first.cookie()).await, UNAUTHORIZED);
    let me = stage
        .send(Request::get("/me").header("cookie", second.cookie()), "")
        .await
        .json();
    assert_eq!(me["login"], "sato");
    assert_eq!(me["profession"], "physician");
    assert_eq!(me["facility"]["name"], "うみべ内科クリニック");
    assert_eq!(me["csrf"], second.json()["csrf"]);
    let body = serde_json::json!({ "csrf": me["csrf"] }).to_string();
    let out = stage.post("/logout", &second.cookie(), &body).await;
    assert_eq!(out.status, OK);
    assert_eq!(out.headers["clear-site-data"], "\"cache\", \"storage\"");
    assert!(
        out.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
    assert_eq!(stage.me(&second.cookie()).await, UNAUTHORIZED);
}

#[tokio::test]
async fn nobody_learns_whether_an_account_exists_or_is_shut() {
    let stage = Stage::open().await;
    stage.person("sato", Profession::Physician).await;
    stage.person("shut", Profession::Nurse).await;
    stage.auth.disable(&"shut".parse().unwrap()).await.unwrap();
    let wrong = stage.password("sato", "wrong horse").await;
    assert_eq!(wrong.status, UNAUTHORIZED);
    assert!(!wrong.headers.contains_key("set-cookie"));
    let cases = [
        ("nobody", "wrong horse"),
        ("shut", PASSWORD),
        ("佐藤", "x"),
        ("", ""),
    ];
    for (login, password) in cases {
        let other = stage.password(login, password).await;
        assert_eq!(
            (other.status, &other.text),
            (wrong.status, &wrong.text),
            "{login}"
        );
        assert_eq!(other.headers, wrong.headers, "{login}");
    }
    // Names that do not exist are held like those that do.
    assert_eq!(stage.password("nobody", "again").await.status, HELD);
    assert_eq!(stage.password("sato", PASSWORD).await.status, HELD);
}

#[tokio::test]
async fn a_used_code_does_not_work_again() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let code = stage.code(&secret);
    stage.sign_in("sato", &secret).await;
    let first = stage.password("sato", PASSWORD).await;
    assert_eq!(
        stage.totp(&first.cookie(), &code).await.status,
        UNAUTHORIZED
    );
    stage.later(30);
    assert_eq!(
        stage
            .totp(&first.cookie(), &stage.code(&secret))
            .await
            .status,
        OK
    );
}

#[tokio::test]
async fn five_wrong_codes_end_the_sign_in_and_hold_codes_but_not_the_password() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let cookie = stage.password("sato", PASSWORD).await.cookie();
    for attempt in 1..=5 {
        let answer = stage.totp(&cookie, "not a code").await;
        let expected = if attempt < 5 {
            "wrong"
        } else {
            "sign-in-ended"
        };
        assert_eq!(answer.json()["error"], expected, "attempt {attempt}");
        stage.later(1);
    }
    assert_eq!(
        stage.totp(&cookie, &stage.code(&secret)).await.status,
        UNAUTHORIZED
    );
    let cookie = stage.password("sato", PASSWORD).await.cookie();
    let held = stage.totp(&cookie, &stage.code(&secret)).await;
    assert_eq!(
        (held.status, held.headers["retry-after"].to_str().unwrap()),
        (HELD, "299")
    );
    stage.later(299);
    let cookie = stage.password("sato", PASSWORD).await.cookie();
    assert_eq!(stage.totp(&cookie, &stage.code(&secret)).await.status, OK);
}

#[tokio::test]
async fn a_locked_account_waits_for_somebody_who_unlocks_it() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let papers = stage.store.papers(str::to_owned);
    for _ in 0..4 {
        let first = stage.password("sato", PASSWORD).await;
        for _ in 0..5 {
            stage.totp(&first.cookie(), "000000").await;
            stage.later(60);
        }
        stage.later(300);
    }
    let first = stage.password("sato", PASSWORD).await;
    let held = stage.totp(&first.cookie(), &stage.code(&secret)).await;
    assert_eq!(held.status, HELD);
    let tasks = papers.tasks().await.unwrap();
    let login = "sato".parse().unwrap();
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].kind, store::TaskKind::AccountLocked);
    assert_eq!((&tasks[0].account, tasks[0].patient), (&Some(login), None));
    let login = "sato".parse().unwrap();
    stage.auth.unlock(&login, None, "called").await.unwrap();
    assert!(papers.tasks().await.unwrap().is_empty());
    stage.later(60);
    stage.sign_in("sato", &secret).await;
    let nobody = "nobody".parse().unwrap();
    assert!(stage.auth.unlock(&nobody, None, "called").await.is_err());
}

#[tokio::test]
async fn a_session_ends_when_idle_and_its_use_keeps_it() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, _) = stage.sign_in("sato", &secret).await;
    for _ in 0..3 {
        stage.later(599);
        assert_eq!(stage.me(&cookie).await, OK);
    }
    stage.later(600);
    assert_eq!(stage.me(&cookie).await, UNAUTHORIZED);
    assert!(
        stage
            .audit()
            .await
            .contains(&("sign-out".to_owned(), "timeout".to_owned()))
    );
}

#[tokio::test]
async fn a_second_sign_in_ends_the_first_session() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (first, _) = stage.sign_in("sato", &secret).await;
    stage.later(30);
    let (second, _) = stage.sign_in("sato", &secret).await;
    assert_eq!(stage.me(&first).await, UNAUTHORIZED);
    assert_eq!(stage.me(&second).await, OK);
}

#[tokio::test]
async fn gov_omori_six_three_every_kind_of_end_is_in_the_audit() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, csrf) = stage.sign_in("sato", &secret).await;
    let body = serde_json::json!({ "csrf": csrf }).to_string();
    stage.post("/logout", &cookie, &body).await;
    stage.later(30);
    stage.sign_in("sato", &secret).await;
    stage.later(600);
    stage.auth.sweep().await.unwrap();
    stage.sign_in("sato", &secret).await;
    stage.auth.disable(&"sato".parse().unwrap()).await.unwrap();
    stage.password("sato", PASSWORD).await;
    let rows = stage.audit().await;
    let ends: Vec<&str> = rows
        .iter()
        .filter(|(action, _)| action == "sign-out")
        .map(|(_, how)| how.as_str())
        .collect();
    assert_eq!(ends, ["logout", "timeout", "forced"]);
    let count = |wanted: &str| rows.iter().filter(|(action, _)| action == wanted).count();
    assert_eq!((count("sign-in"), count("sign-in-failed")), (3, 1));
}

#[tokio::test]
async fn suspension_ends_sessions_and_tokens_with_the_next_request() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, csrf) = stage.sign_in("sato", &secret).await;
    let token = make_token(&stage, &cookie, &csrf).await;
    assert_eq!(stage.me(&cookie).await, OK);
    assert_eq!(me_with(&stage, &token).await, OK);
    stage.auth.disable(&"sato".parse().unwrap()).await.unwrap();
    assert_eq!(stage.me(&cookie).await, UNAUTHORIZED);
    assert_eq!(me_with(&stage, &token).await, UNAUTHORIZED);
}

async fn make_token(stage: &Stage, cookie: &str, csrf: &str) -> String {
    let body = serde_json::json!({ "csrf": csrf }).to_string();
    let made = stage.post("/me/tokens", cookie, &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()["token"].as_str().unwrap().to_owned()
}

async fn me_with(stage: &Stage, token: &str) -> StatusCode {
    let request = Request::get("/me").header("authorization", format!("Bearer {token}"));
    stage.send(request, "").await.status
}

#[tokio::test]
async fn a_read_token_lasts_twelve_hours_and_outlives_its_session() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, csrf) = stage.sign_in("sato", &secret).await;
    let token = make_token(&stage, &cookie, &csrf).await;
    stage.later(12 * 60 * 60 - 1);
    assert_eq!(stage.me(&cookie).await, UNAUTHORIZED);
    assert_eq!(me_with(&stage, &token).await, OK);
    stage.later(1);
    assert_eq!(me_with(&stage, &token).await, UNAUTHORIZED);
}

#[tokio::test]
async fn a_read_token_does_not_travel_where_others_read_along() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, csrf) = stage.sign_in("sato", &secret).await;
    let token = make_token(&stage, &cookie, &csrf).await;
    for (tls, expected) in [(false, FORBIDDEN), (true, OK)] {
        let far = Connection {
            peer: [192, 0, 2, 7].into(),
            tls,
        };
        let request = Request::get("/me").header("authorization", format!("bearer {token}"));
        assert_eq!(
            stage.send(request.extension(far), "").await.status,
            expected
        );
    }
}

#[tokio::test]
async fn a_read_token_makes_no_tokens_and_more_than_twelve_hours_are_refused() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, csrf) = stage.sign_in("sato", &secret).await;
    let token = make_token(&stage, &cookie, &csrf).await;
    let request = Request::post("/me/tokens").header("authorization", format!("Bearer {token}"));
    assert_eq!(stage.send(request, "").await.status, FORBIDDEN);
    for hours in [0, 13] {
        let body = serde_json::json!({ "csrf": csrf, "hours": hours }).to_string();
        let made = stage.post("/me/tokens", &cookie, &body).await;
        assert_eq!(made.status, StatusCode::UNPROCESSABLE_ENTITY, "{hours}");
    }
}

#[tokio::test]
async fn a_token_from_a_terminal_needs_password_and_code_and_can_be_revoked() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let issue = async |password: &str, code: &str| {
        let (password, code) = (SecretString::from(password), SecretString::from(code));
        stage
            .auth
            .issue_at_terminal("sato", password, &code, 12)
            .await
    };
    assert!(issue(PASSWORD, "000").await.is_err());
    stage.later(1);
    assert!(issue("wrong", &stage.code(&secret)).await.is_err());
    stage.later(1);
    let token = issue(PASSWORD, &stage.code(&secret)).await.unwrap();
    assert_eq!(me_with(&stage, token.text.expose_secret()).await, OK);
    assert_eq!(
        stage
            .auth
            .revoke_tokens(&"sato".parse().unwrap())
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        me_with(&stage, token.text.expose_secret()).await,
        UNAUTHORIZED
    );
}

#[tokio::test]
async fn every_unsafe_route_refuses_other_sites_and_missing_form_secrets() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, csrf) = stage.sign_in("sato", &secret).await;
    let unsafe_routes = || ROUTES.iter().filter(|route| !route.method.is_safe());
    for route in unsafe_routes() {
        let foreign = Request::post(route.path)
            .header("cookie", &cookie)
            .header("content-type", "application/json")
            .header("sec-fetch-site", "cross-site")
            .header("x-csrf-token", &csrf);
        let body = r#"{"user":"sato","password":"x","code":"1"}"#;
        assert_eq!(
            stage.send(foreign, body).await.status,
            FORBIDDEN,
            "{}",
            route.path
        );
    }
    for path in ["/logout", "/me/tokens"] {
        for body in ["{}", r#"{"csrf":""}"#, r#"{"csrf":"wrong"}"#] {
            assert_eq!(
                stage.post(path, &cookie, body).await.status,
                FORBIDDEN,
                "{path} {body}"
            );
        }
    }
    assert_eq!(stage.me(&cookie).await, OK, "nothing was ended");
}

#[tokio::test]
async fn a_form_gets_pages_in_japanese_and_english() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let form = |path: &str, cookie: &str| {
        Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", cookie)
    };
    let start = stage.send(Request::get("/"), "").await;
    assert!(start.text.contains("パスワード") && start.text.contains("Password"));
    let wrong = stage
        .send(form("/login", ""), "user=sato&password=wrong")
        .await;
    assert_eq!(wrong.status, UNAUTHORIZED);
    assert!(wrong.text.contains("role=\"alert\"") && wrong.text.contains("Please try again"));
    stage.later(1);
    let first = stage
        .send(form("/login", ""), "user=sato&password=correct+horse")
        .await;
    assert_eq!(
        (first.status, &first.headers["location"]),
        (StatusCode::SEE_OTHER, &"/".parse().unwrap())
    );
    let asked = stage
        .send(Request::get("/").header("cookie", first.cookie()), "")
        .await;
    assert!(asked.text.contains("確認コード"), "{}", asked.text);
    let code = format!("code={}", stage.code(&secret));
    let second = stage
        .send(form("/login/totp", &first.cookie()), &code)
        .await;
    assert_eq!(second.status, StatusCode::SEE_OTHER, "{}", second.text);
    let home = stage
        .send(Request::get("/").header("cookie", second.cookie()), "")
        .await;
    for word in ["佐藤 一郎", "医師", "うみべ内科クリニック", "Sign out"] {
        assert!(home.text.contains(word), "{word}");
    }
    let (_, rest) = home.text.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = rest.split('"').next().unwrap();
    let body = format!("csrf={csrf}&hours=1");
    let token = stage
        .send(form("/me/tokens", &second.cookie()), &body)
        .await;
    assert_eq!(token.status, StatusCode::CREATED);
    assert!(token.text.contains("Bearer musubi_"), "{}", token.text);
    let out = stage
        .send(form("/logout", &second.cookie()), &format!("csrf={csrf}"))
        .await;
    assert_eq!(out.status, StatusCode::SEE_OTHER);
    let gone = stage
        .send(Request::get("/").header("cookie", second.cookie()), "")
        .await;
    assert_eq!(gone.status, UNAUTHORIZED);
    assert!(
        gone.headers["set-cookie"]
            .to_str()
            .unwrap()
            .contains("Max-Age=0")
    );
}

#[tokio::test]
async fn a_body_of_another_kind_or_shape_is_refused_without_being_echoed() {
    let stage = Stage::open().await;
    let text = Request::post("/login").header("content-type", "text/plain");
    let answer = stage.send(text, "user=sato").await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    for body in [
        "{",
        "[]",
        r#"{"user":"sato"}"#,
        r#"{"user":1,"password":"geheim"}"#,
    ] {
        let answer = stage.post("/login", "", body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert!(!answer.text.contains("geheim"));
    }
}

#[tokio::test]
async fn every_route_answers_and_no_other_method_does() {
    let stage = Stage::open().await;
    for route in ROUTES {
        let request = Request::builder().method(&route.method).uri(route.path);
        let answer = stage.send(request, "").await;
        assert!(
            answer.status != StatusCode::NOT_FOUND,
            "{} {}",
            route.method,
            route.path
        );
        let other = Request::builder().method("DELETE").uri(route.path);
        assert_eq!(
            stage.send(other, "").await.status,
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
}

#[tokio::test]
async fn every_answer_to_a_signed_in_person_has_its_row() {
    let stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, csrf) = stage.sign_in("sato", &secret).await;
    let before = stage.audit().await.len();
    let too_long = serde_json::json!({ "csrf": csrf, "hours": 13 }).to_string();
    stage.me(&cookie).await;
    stage.post("/me/tokens", &cookie, &too_long).await;
    stage
        .send(Request::get("/").header("cookie", &cookie), "")
        .await;
    let rows = stage.audit().await.split_off(before);
    let row = |action: &str, reason: &str| (action.to_owned(), reason.to_owned());
    let expected = [row("read", ""), row("refuse", "422"), row("read", "")];
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn strangers_who_are_turned_away_are_counted_by_minute_and_address() {
    let stage = Stage::open().await;
    for _ in 0..3 {
        assert_eq!(me_with(&stage, "musubi_made-up").await, UNAUTHORIZED);
    }
    assert_eq!(stage.audit().await, []);
    stage.later(60);
    stage.auth.sweep().await.unwrap();
    assert_eq!(me_with(&stage, "musubi_made-up").await, UNAUTHORIZED);
    stage.auth.close().await.unwrap();
    let rows = stage
        .store
        .audit()
        .rows(Instant::MIN, Instant::MAX, 10)
        .await
        .unwrap();
    let details: Vec<_> = rows
        .iter()
        .filter_map(|row| row.detail.as_deref())
        .collect();
    assert_eq!(
        details,
        [
            "3 requests from 127.0.0.1 since 2026-04-01T09:00:00.000+09:00",
            "1 requests from 127.0.0.1 since 2026-04-01T09:01:00.000+09:00",
        ]
    );
    assert!(
        rows.iter()
            .all(|row| row.reason.as_deref() == Some("NOT_SIGNED_IN"))
    );
}

/// An answer that never comes and one that breaks are outcomes too, and whoever asked stands behind them.
#[tokio::test]
async fn what_takes_too_long_or_breaks_has_its_row() {
    let mut stage = Stage::open().await;
    let secret = stage.person("sato", Profession::Physician).await;
    let (cookie, _) = stage.sign_in("sato", &secret).await;
    let before = stage.audit().await.len();
    let late = async |_: Caller| std::future::pending::<StatusCode>().await;
    let broken = async |_: Caller| -> StatusCode { panic!("a mistake of ours") };
    let routes = Router::new()
        .route("/late", get(late))
        .route("/broken", get(broken))
        .layer(middleware::from_fn_with_state(
            stage.auth.clone(),
            async |State(auth): State<Auth>, request, next| {
                let longest = std::time::Duration::from_secs(1);
                witness::witness_within(longest, &auth, request, next).await
            },
        ));
    stage.answer_by(routes.with_state(stage.auth.clone()));
    for (path, status) in [
        ("/late", StatusCode::SERVICE_UNAVAILABLE),
        ("/broken", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        let request = Request::get(path).header("cookie", &cookie);
        assert_eq!(stage.send(request, "").await.status, status, "{path}");
    }
    let rows = stage.audit().await.split_off(before);
    let row = |reason: &str| ("refuse".to_owned(), reason.to_owned());
    assert_eq!(rows, [row("503"), row("500")]);
}
