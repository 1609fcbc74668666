//! The example network with a few people, for this room's tests.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use model::network::{Facility, Network, Profession, Profile};
use model::time::Instant;
use secrecy::{ExposeSecret, SecretString};
use store::{Clock, MasterKey, NewPerson, Row, Store, StoreConfig};
use tower::ServiceExt;

use crate::factor::totp;
use crate::http::Connection;
use crate::state::Auth;

/// 2026-04-01T09:00:00+09:00
pub(crate) const NOW: Instant = Instant(1_775_001_600_000_000);
/// The clinic of the example network.
pub(crate) const CLINIC: &str = "1319999902";
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) fn network() -> Network {
    let profile = include_str!("../../networks/example/profile.toml");
    let facilities = include_str!("../../networks/example/facilities.tsv");
    Network {
        id: "example".to_owned(),
        profile: Profile::parse("profile.toml", profile).value.unwrap(),
        facilities: Facility::parse_all("facilities.tsv", facilities)
            .value
            .unwrap(),
        feeds: std::collections::BTreeMap::new(),
        hash: [1; 32],
    }
}

/// A hub that only signs people in.
pub(crate) struct Stage {
    pub(crate) auth: Auth,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    router: Router,
    _folder: tempfile::TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The cookie as the browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let set = self.headers["set-cookie"].to_str().unwrap();
        set.split(';').next().unwrap().to_owned()
    }
}

impl Stage {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::local(folder.path(), MasterKey::random().unwrap());
        let clock = Clock::fixed(NOW);
        let store = Store::open(config, Arc::new(network()), clock.clone())
            .await
            .unwrap();
        let auth = Auth::new(&store);
        let router = crate::router(auth.clone());
        Self {
            auth,
            store,
            clock,
            router,
            _folder: folder,
        }
    }

    /// Opens an account; the secret for its codes.
    pub(crate) async fn person(&self, login: &str, profession: Profession) -> String {
        let new = NewPerson {
            login: login.parse().unwrap(),
            name: "佐藤 一郎".to_owned(),
            profession,
            facility: CLINIC.parse().unwrap(),
        };
        let enrolment = self
            .auth
            .enrol(&new, SecretString::from(PASSWORD))
            .await
            .unwrap();
        enrolment.secret.expose_secret().to_owned()
    }

    /// Answers by other routes from now on.
    pub(crate) fn answer_by(&mut self, router: Router) {
        self.router = router;
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_seconds(seconds));
    }

    pub(crate) fn code(&self, secret: &str) -> String {
        totp::code(secret, self.clock.now()).unwrap()
    }

    /// Sends a request from a program on this machine, unless it says otherwise.
    pub(crate) async fn send(&self, request: axum::http::request::Builder, body: &str) -> Answer {
        let mut request = request.body(Body::from(body.to_owned())).unwrap();
        let here = Connection {
            peer: [127, 0, 0, 1].into(),
            tls: false,
        };
        if request.extensions().get::<Connection>().is_none() {
            request.extensions_mut().insert(here);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    pub(crate) async fn post(&self, path: &str, cookie: &str, body: &str) -> Answer {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.header("cookie", cookie), body).await
    }

    pub(crate) async fn password(&self, login: &str, password: &str) -> Answer {
        let body = serde_json::json!({ "user": login, "password": password });
        self.post("/login", "", &body.to_string()).await
    }

    pub(crate) async fn totp(&self, cookie: &str, code: &str) -> Answer {
        let body = serde_json::json!({ "code": code });
        self.post("/login/totp", cookie, &body.to_string()).await
    }

    /// Signs in; the cookie and the form secret.
    pub(crate) async fn sign_in(&self, login: &str, secret: &str) -> (String, String) {
        let first = self.password(login, PASSWORD).await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text);
        let second = self.totp(&first.cookie(), &self.code(secret)).await;
        assert_eq!(second.status, StatusCode::OK, "{}", second.text);
        (
            second.cookie(),
            second.json()["csrf"].as_str().unwrap().to_owned(),
        )
    }

    /// Status of `GET /me` with a cookie.
    pub(crate) async fn me(&self, cookie: &str) -> StatusCode {
        self.send(Request::get("/me").header("cookie", cookie), "")
            .await
            .status
    }

    /// Action and reason of every row of the audit.
    pub(crate) async fn audit(&self) -> Vec<(String, String)> {
        let rows = self
            .store
            .audit()
            .rows(Instant::MIN, Instant::MAX, 1_000)
            .await
            .unwrap();
        let word = |row: &Row| {
            serde_json::to_value(row.action)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        rows.into_iter()
            .map(|row| (word(&row), row.reason.unwrap_or_default()))
            .collect()
    }
}
