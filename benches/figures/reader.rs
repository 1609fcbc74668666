//! A physician of the clinic who looks.

use std::sync::Arc;

use auth::{Auth, Caller, Connection};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::{Request, StatusCode};
use consent::Requester;
use model::network::Profession;
use model::record::{Categories, Kind, facet};
use secrecy::{ExposeSecret, SecretString};
use store::{Call, Clock, NewPerson, RecordQuery};
use tower::ServiceExt;

use crate::hub::{CLINIC, Hub};

const PASSWORD: &str = "correct horse battery";
const LOGIN: &str = "physician";

/// A signed-in physician with the face before them.
pub(crate) struct Reader {
    pub(crate) requester: Arc<Requester>,
    router: Router,
    token: String,
}

impl Reader {
    pub(crate) async fn sign_in(hub: &Hub) -> anyhow::Result<Self> {
        let auth = Auth::new(&hub.store);
        let name = "架空 一郎".to_owned();
        let (profession, facility) = (Profession::Physician, CLINIC.parse()?);
        let new = NewPerson {
            login: LOGIN.parse()?,
            name,
            profession,
            facility,
        };
        let enrolment = auth
            .enrol(&new, SecretString::from(PASSWORD))
            .await
            .map_err(anyhow::Error::msg)?;
        let code =
            auth::factor::totp::code(enrolment.secret.expose_secret(), Clock::system().now())
                .unwrap_or_default();
        let (password, code) = (SecretString::from(PASSWORD), SecretString::from(code));
        let issued = auth.issue_at_terminal(LOGIN, password, &code, 12).await;
        let issued = issued.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        let token = issued.text.expose_secret().to_owned();
        let (mut parts, ()) = request(&token, "/", ())?.into_parts();
        let caller = Caller::from_request_parts(&mut parts, &auth).await;
        let Caller(requester) = caller.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        let face = viewer_api::Face {
            auth,
            disclosure: hub.store.disclosure(),
            network: Arc::clone(&hub.network),
            base: "http://127.0.0.1/fhir".to_owned(),
            clock: Clock::system(),
            fold: normalize::text::fold,
        };
        Ok(Self {
            requester,
            router: viewer_api::router(Arc::new(face)),
            token,
        })
    }

    /// Asks the face; the length of the answer.
    pub(crate) async fn get(&self, uri: &str) -> anyhow::Result<usize> {
        let answer = self
            .router
            .clone()
            .oneshot(request(&self.token, uri, Body::empty())?)
            .await?;
        anyhow::ensure!(
            answer.status() == StatusCode::OK,
            "{uri}: {}",
            answer.status()
        );
        Ok(to_bytes(answer.into_body(), 1 << 24).await?.len())
    }
}

fn request<B>(token: &str, uri: &str, body: B) -> anyhow::Result<Request<B>> {
    let mut request = Request::get(uri)
        .header("authorization", format!("Bearer {token}"))
        .body(body)?;
    request.extensions_mut().insert(Connection {
        peer: [127, 0, 0, 1].into(),
        tls: false,
    });
    Ok(request)
}

/// What the audit will say of each look.
pub(crate) fn call() -> Call {
    Call {
        route: "/fhir/Observation",
        request: 1,
        parameters: String::new(),
        asked: Categories::ALL,
    }
}

/// Two hundred laboratory results, newest first.
pub(crate) fn labs() -> RecordQuery {
    RecordQuery {
        facets: vec![facet::LABORATORY],
        limit: 200,
        ..RecordQuery::new(Kind::Observation)
    }
}
