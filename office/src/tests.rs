use std::collections::BTreeMap;
use std::sync::Arc;

use auth::{Auth, Connection};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use model::network::{Facility, Network, Profession, Profile};
use model::time::Instant;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use store::{Clock, MasterKey, NewPerson, Store, StoreConfig};
use tower::ServiceExt;

use crate::{Office, ROUTES, router};

/// 2026-04-01T09:00:00+09:00
const NOW: Instant = Instant(1_775_001_600_000_000);
const PASSWORD: &str = "correct horse";

fn network() -> Network {
    let profile = include_str!("../../networks/example/profile.toml");
    let facilities = include_str!("../../networks/example/facilities.tsv");
    Network {
        id: "example".to_owned(),
        profile: Profile::parse("profile.toml", profile).value.unwrap(),
        facilities: Facility::parse_all("facilities.tsv", facilities)
            .value
            .unwrap(),
        feeds: BTreeMap::new(),
        hash: [1; 32],
    }
}

/// An office whose secretary is signed in.
struct Stage {
    store: Store,
    auth: Auth,
    app: Router,
    secretary: Session,
    _folder: tempfile::TempDir,
}

/// Cookie and form secret of somebody who signed in.
struct Session {
    cookie: String,
    csrf: String,
}

async fn send(app: &Router, request: Request<Body>) -> (StatusCode, Option<String>, Value) {
    let mut request = request;
    request.extensions_mut().insert(Connection {
        peer: [127, 0, 0, 1].into(),
        tls: false,
    });
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let cookie = parts
        .headers
        .get("set-cookie")
        .map(|value| value.to_str().unwrap().to_owned());
    let bytes = to_bytes(body, 1 << 20).await.unwrap();
    (
        parts.status,
        cookie,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

fn post(path: &str, cookie: &str, csrf: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header("content-type", "application/json")
        .header("cookie", cookie)
        .header("x-csrf-token", csrf)
        .body(Body::from(body.to_string()))
        .unwrap()
}

async fn sign_in(auth: &Auth, app: &Router, profession: Profession) -> Session {
    let login = profession.name();
    let new = NewPerson {
        login: login.parse().unwrap(),
        name: "見本".to_owned(),
        profession,
        facility: "1319999902".parse().unwrap(),
    };
    let enrolment = auth
        .enrol(&new, SecretString::from(PASSWORD))
        .await
        .unwrap();
    let code = auth::factor::totp::code(enrolment.secret.expose_secret(), NOW).unwrap();
    let cookie = |set: Option<String>| set.unwrap().split(';').next().unwrap().to_owned();
    let body = json!({ "user": login, "password": PASSWORD });
    let (_, set, _) = send(app, post("/login", "", "", &body)).await;
    let body = json!({ "code": code });
    let (_, set, answer) = send(app, post("/login/totp", &cookie(set), "", &body)).await;
    Session {
        cookie: cookie(set),
        csrf: answer["csrf"].as_str().unwrap().to_owned(),
    }
}

impl Stage {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::local(folder.path(), MasterKey::random().unwrap());
        let store = Store::open(config, Arc::new(network()), Clock::fixed(NOW))
            .await
            .unwrap();
        let auth = Auth::new(&store);
        let papers = store.papers(str::to_owned);
        let office = Office {
            auth: auth.clone(),
            papers,
            audit: store.audit().clone(),
        };
        let app = auth::router(auth.clone()).merge(router(office));
        let secretary = sign_in(&auth, &app, Profession::Secretariat).await;
        Self {
            store,
            auth,
            app,
            secretary,
            _folder: folder,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        let Session { cookie, csrf } = &self.secretary;
        let (status, _, answer) = send(&self.app, post(path, cookie, csrf, body)).await;
        (status, answer)
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header("cookie", &self.secretary.cookie);
        let (status, _, answer) = send(&self.app, request.body(Body::empty()).unwrap()).await;
        (status, answer)
    }

    async fn audit(&self) -> Vec<Value> {
        let rows = self
            .store
            .audit()
            .rows(Instant::MIN, Instant::MAX, 1_000)
            .await
            .unwrap();
        rows.iter()
            .map(|row| serde_json::to_value(row).unwrap())
            .collect()
    }
}

fn form() -> Value {
    json!({
        "consent_no": "C-0001", "form": "C-1", "form_version": "1", "signed_on": "2026-03-31",
        "signer": "見本 花子", "relation": "self", "kana": "ミホン ハナコ",
        "birth_date": "1950-01-31", "sex": "female", "local_ids": "1319999901:0000000001",
        "sources": "1319999901", "readers": ["1319999902"], "categories": "*",
        "from": "2026-04-01", "explained_by": "窓口", "kept_at": "棚1"
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut form = form();
    form[field] = value;
    form
}

fn fields(answer: &Value) -> Vec<&str> {
    let fields = answer["fields"].as_array().unwrap();
    fields
        .iter()
        .map(|field| field["field"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_consent_is_entered_checked_shown_and_withdrawn() {
    let stage = Stage::open().await;
    let (status, entered) = stage.post("/office/consents", &form()).await;
    assert_eq!(status, StatusCode::CREATED, "{entered}");
    assert_eq!(entered["state"], "signed");
    assert_eq!(entered["patient"].as_str().unwrap().len(), 26);
    let (status, again) = stage.post("/office/consents", &form()).await;
    assert_eq!(
        (status, &again["changed"]),
        (StatusCode::OK, &json!(false)),
        "the same form again"
    );
    let (status, checked) = stage
        .post("/office/consents/C-0001/check", &json!({}))
        .await;
    assert_eq!(
        (status, &checked["state"]),
        (StatusCode::OK, &json!("active"))
    );
    let (status, shown) = stage.get("/office/consents/C-0001").await;
    assert_eq!(
        (status, &shown["paper"]["kana"]),
        (StatusCode::OK, &json!("ミホン ハナコ"))
    );
    assert_eq!(shown["paper"]["readers"], "1319999902");
    assert_eq!(shown["links"][0]["state"], "unproved");
    let withdrawal = json!({ "withdrawn_on": "2026-04-01", "signer": "見本 花子" });
    let (status, gone) = stage
        .post("/office/consents/C-0001/withdraw", &withdrawal)
        .await;
    assert_eq!(
        (status, &gone["state"]),
        (StatusCode::OK, &json!("withdrawn")),
        "{gone}"
    );
    let (_, shown) = stage.get("/office/consents/C-0001").await;
    assert_eq!(
        shown["erase_at"],
        Value::Null,
        "an incomplete withdrawal erases nothing yet"
    );
    let complete = json!({
        "withdrawn_on": "2026-04-01", "signer": "見本 花子", "relation": "self",
        "identity_check": "運転免許証"
    });
    let (status, _) = stage
        .post("/office/consents/C-0001/withdraw", &complete)
        .await;
    assert_eq!(status, StatusCode::OK);
    let (_, shown) = stage.get("/office/consents/C-0001").await;
    assert!(shown["erase_at"].is_string(), "{shown}");
    let reads = stage
        .audit()
        .await
        .into_iter()
        .filter(|row| row["action"] == "read");
    assert_eq!(
        reads.map(|row| row["reason"].clone()).collect::<Vec<_>>(),
        ["C-0001"; 4]
    );
}

#[tokio::test]
async fn gov_eight_only_the_secretariat_uses_the_office() {
    let stage = Stage::open().await;
    for profession in [Profession::Physician, Profession::Administrator] {
        let session = sign_in(&stage.auth, &stage.app, profession).await;
        for route in ROUTES {
            // Whether the consent exists makes no difference: nothing is looked up.
            let path = route.path.replace("{no}", "C-0001");
            let mut request = post(&path, &session.cookie, &session.csrf, &json!({}));
            *request.method_mut() = route.method.clone();
            let (status, _, answer) = send(&stage.app, request).await;
            assert_eq!(
                (status, &answer["error"]),
                (StatusCode::FORBIDDEN, &json!("role")),
                "{path}"
            );
        }
    }
    let refused = stage
        .audit()
        .await
        .into_iter()
        .filter(|row| row["action"] == "refuse");
    assert_eq!(refused.count(), 2 * ROUTES.len());
}

#[tokio::test]
async fn nobody_without_a_session_uses_the_office() {
    let stage = Stage::open().await;
    for route in ROUTES {
        let path = route.path.replace("{no}", "C-0001");
        let mut request = post(&path, "", "", &form());
        *request.method_mut() = route.method.clone();
        assert_eq!(
            send(&stage.app, request).await.0,
            StatusCode::UNAUTHORIZED,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_read_token_of_the_secretariat_reads_and_enters_nothing() {
    let stage = Stage::open().await;
    stage.post("/office/consents", &form()).await;
    let (_, made) = stage.post("/me/tokens", &json!({})).await;
    let bearer = format!("Bearer {}", made["token"].as_str().unwrap());
    for route in ROUTES {
        let path = route.path.replace("{no}", "C-0001");
        let request = Request::builder().method(&route.method).uri(&path);
        let request = request
            .header("authorization", &bearer)
            .body(Body::empty())
            .unwrap();
        let reads = route.method == Method::GET;
        let expected = if reads {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        assert_eq!(send(&stage.app, request).await.0, expected, "{path}");
    }
}

#[tokio::test]
async fn another_site_cannot_use_the_session_of_the_secretariat() {
    let stage = Stage::open().await;
    for route in ROUTES.iter().filter(|route| route.method == Method::POST) {
        let path = route.path.replace("{no}", "C-0001");
        let request = post(&path, &stage.secretary.cookie, "", &form());
        let (status, _, answer) = send(&stage.app, request).await;
        assert_eq!(
            (status, &answer["error"]),
            (StatusCode::FORBIDDEN, &json!("foreign")),
            "{path}"
        );
    }
}

async fn check(form: Value, expected: &[&str]) {
    let stage = Stage::open().await;
    let (status, answer) = stage.post("/office/consents", &form).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
    assert_eq!(fields(&answer), expected, "{answer}");
}

#[tokio::test]
async fn fields_that_cannot_be_read_are_all_named() {
    let mut form = with("birth_date", json!("31.1.1950"));
    form["sex"] = json!("woman");
    form["readers"] = Value::Null;
    check(form, &["birth_date", "sex", "readers"]).await;
}

#[tokio::test]
async fn a_sex_is_written_as_in_the_manual() {
    check(with("sex", json!("f")), &["sex"]).await;
    let stage = Stage::open().await;
    let (_, answer) = stage
        .post("/office/consents", &with("sex", json!("Female")))
        .await;
    let told = "is none of male, female, other, unknown, M, F, O, U";
    assert_eq!(answer["fields"][0]["message"], told);
    let (status, _) = stage
        .post("/office/consents", &with("sex", json!("F")))
        .await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn fields_that_the_regulation_refuses_are_named() {
    let mut form = with("form", json!("X-9"));
    form["sources"] = json!("1319999909");
    check(form, &["form", "sources"]).await;
}

#[tokio::test]
async fn a_misspelt_field_is_not_ignored() {
    check(with("categorys", json!("lab")), &["categorys"]).await;
}

#[tokio::test]
async fn a_field_that_is_no_text_is_named() {
    check(with("kana", json!(1)), &["kana"]).await;
}

#[tokio::test]
async fn another_form_under_the_same_number_is_a_conflict() {
    let stage = Stage::open().await;
    stage.post("/office/consents", &form()).await;
    let other = with("birth_date", json!("1951-01-31"));
    let (status, answer) = stage.post("/office/consents", &other).await;
    assert_eq!(
        (status, fields(&answer)),
        (StatusCode::CONFLICT, vec!["consent_no"])
    );
}

#[tokio::test]
async fn what_does_not_exist_is_not_found() {
    let stage = Stage::open().await;
    for no in ["C-9999", "..%2Fx", "%E5%90%8C"] {
        let (status, _) = stage.get(&format!("/office/consents/{no}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{no}");
        for verb in ["check", "withdraw"] {
            let path = format!("/office/consents/{no}/{verb}");
            assert_eq!(
                stage.post(&path, &json!({})).await.0,
                StatusCode::NOT_FOUND,
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_form_is_refused() {
    let stage = Stage::open().await;
    let Session { cookie, csrf } = &stage.secretary;
    for (kind, body, expected) in [
        ("application/json", "{", StatusCode::BAD_REQUEST),
        ("application/json", "[]", StatusCode::BAD_REQUEST),
        ("text/csv", "consent_no", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let request = Request::post("/office/consents")
            .header("content-type", kind)
            .header("cookie", cookie)
            .header("x-csrf-token", csrf)
            .body(Body::from(body))
            .unwrap();
        assert_eq!(send(&stage.app, request).await.0, expected, "{body}");
    }
}

/// What the papers' own rows do not say, the request's row does.
#[tokio::test]
async fn every_answer_of_the_office_is_in_the_audit() {
    let stage = Stage::open().await;
    let mut wrong = form();
    wrong["birth_date"] = json!("soon");
    for (body, reason) in [(form(), None), (form(), Some("200")), (wrong, Some("422"))] {
        let before = stage.audit().await.len();
        stage.post("/office/consents", &body).await;
        let rows = stage.audit().await.split_off(before);
        let expected = reason.map(|reason| match reason {
            "200" => (json!("/office/consents"), json!(true), json!("C-0001")),
            status => (json!("/office/consents"), json!(false), json!(status)),
        });
        let found = rows.iter().map(|row| {
            (
                row["route"].clone(),
                row["permitted"].clone(),
                row["reason"].clone(),
            )
        });
        assert_eq!(found.collect::<Vec<_>>(), Vec::from_iter(expected));
    }
    let before = stage.audit().await.len();
    stage.get("/office/consents/C-0009").await;
    let rows = stage.audit().await.split_off(before);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["reason"], "404");
    assert!(!rows[0].to_string().contains("C-0009"));
}
