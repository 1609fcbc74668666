//! A hub with one consenting patient, three people and the face, over SQLite.

use std::collections::BTreeMap;
use std::sync::Arc;

use auth::{Auth, Connection};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use model::id::{LocalPatientId, PatientId};
use model::network::{Limits, Profession};
use model::papers::{ConsentPaper, Facilities};
use model::person::Sex;
use model::record::{Categories, Record};
use model::time::Instant;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use store::{
    Clock, Entered, Entry, Evidence, FoundBy, Joined, MasterKey, NewPerson, PatientChange,
    Standing, Store, StoreConfig, Token,
};
use tower::ServiceExt;

use crate::fhir::tests::bodies;
use crate::{Example, Face, router};

/// 2026-04-01T09:00:00+09:00
const NOW: Instant = Instant(1_775_001_600_000_000);
const HOSPITAL: &str = "1319999901";
pub(super) const CLINIC: &str = "1319999902";
pub(super) const PHARMACY: &str = "1349999903";
const PASSWORD: &str = "correct horse battery";

/// The open hub.
pub(super) struct Stage {
    /// The patient who consented that the clinic may see the hospital's data.
    pub(super) patient: PatientId,
    auth: Auth,
    pub(super) clock: Clock,
    pub(super) store: Store,
    router: Router,
    _folder: tempfile::TempDir,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Stage {
    /// Opens the hub and takes in the records of the patient at the hospital.
    pub(super) async fn open(records: Vec<Record>) -> Self {
        let unlimited = Limits {
            requests_per_minute: None,
            searches_per_minute: None,
            patients_per_hour: None,
        };
        Self::limited(records, unlimited).await
    }

    /// The same under a regulation with limits.
    pub(super) async fn limited(records: Vec<Record>, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::local(folder.path(), MasterKey::random().unwrap());
        let clock = Clock::fixed(NOW);
        let mut network = bodies::network();
        network.profile.limits = limits;
        let network = Arc::new(network);
        let store = Store::open(config, Arc::clone(&network), clock.clone())
            .await
            .unwrap();
        let auth = Auth::new(&store);
        let face = Face {
            auth: auth.clone(),
            disclosure: store.disclosure(),
            network,
            base: "https://hub.example.jp/fhir".to_owned(),
            clock: clock.clone(),
            fold: str::to_owned,
        };
        let router = router(Arc::new(face));
        let patient = PatientId([0; 16]);
        let mut stage = Self {
            patient,
            auth,
            clock,
            store,
            router,
            _folder: folder,
        };
        stage
            .person("papers", Profession::Secretariat, CLINIC)
            .await;
        let entered = stage.consent().await;
        stage.patient = entered.public;
        stage.take_in(&entered, records).await;
        stage
    }

    async fn consent(&self) -> Entered {
        let papers = self.store.papers(str::to_owned);
        papers.recompute_all().await.unwrap();
        let local = LocalPatientId::parse(HOSPITAL.parse().unwrap(), "0000123456").unwrap();
        let only = |code: &str| Facilities::Only([code.parse().unwrap()].into());
        let paper = ConsentPaper {
            consent_no: "C-0001".parse().unwrap(),
            form: "C-1".to_owned(),
            form_version: "1".to_owned(),
            signed_on: "2026-03-01".parse().unwrap(),
            signer: "見本 花子".to_owned(),
            relation: "self".to_owned(),
            kana: "ミホン ハナコ".to_owned(),
            birth_date: "1948-04-15".parse().unwrap(),
            sex: Sex::Female,
            local_ids: vec![local.clone()],
            sources: only(HOSPITAL),
            readers: only(CLINIC),
            categories: Categories::ALL,
            from: "2026-03-01".parse().unwrap(),
            to: None,
            explained_by: "受付".to_owned(),
            kept_at: "棚 1".to_owned(),
        };
        let operator = self
            .store
            .accounts()
            .account(&"papers".parse().unwrap())
            .await
            .unwrap()
            .unwrap()
            .person
            .id;
        let entered = papers
            .enter_consent(operator, &paper, Entry::Active)
            .await
            .unwrap();
        self.store.jobs().follow(&papers).await.unwrap();
        let evidence = Evidence {
            birth_date: Some(paper.birth_date),
            sex: Some(paper.sex),
            kana: Some(paper.kana.clone()),
            kanji: None,
        };
        papers
            .prove_link(entered.patient, &local, &evidence)
            .await
            .unwrap();
        entered
    }

    async fn take_in(&self, entered: &Entered, records: Vec<Record>) {
        let facility = HOSPITAL.parse().unwrap();
        let roster = self.store.papers(str::to_owned).roster(&facility).await;
        let roster = roster.unwrap();
        let read = roster.iter().find(|read| read.patient == entered.patient);
        let tokens = [
            Token::Identifier(HOSPITAL.to_owned(), "0000123456".to_owned()),
            Token::Name("見本".to_owned()),
            Token::Family("見本".to_owned()),
            Token::BirthDate("1948-04-15".to_owned()),
            Token::Gender("female".to_owned()),
        ];
        let found = FoundBy {
            tokens: tokens.to_vec(),
            only: true,
        };
        let change = PatientChange {
            patient: entered.patient,
            public: entered.public,
            epoch: read.unwrap().epoch,
            facility,
            joins: 0,
            items: Vec::new(),
            slots: Vec::new(),
            joined: Some(records.into_iter().map(current).collect()),
            tokens: BTreeMap::from([(0, found)]),
            taken: store::Taken::default(),
        };
        self.store.intake().accept(vec![change]).await.unwrap();
    }

    /// Opens an account; a read token of its own.
    pub(super) async fn person(
        &self,
        login: &str,
        profession: Profession,
        facility: &str,
    ) -> String {
        let new = NewPerson {
            login: login.parse().unwrap(),
            name: "佐藤 一郎".to_owned(),
            profession,
            facility: facility.parse().unwrap(),
        };
        let enrolment = self
            .auth
            .enrol(&new, SecretString::from(PASSWORD))
            .await
            .unwrap();
        let code =
            auth::factor::totp::code(enrolment.secret.expose_secret(), self.clock.now()).unwrap();
        let password = SecretString::from(PASSWORD);
        let token = self
            .auth
            .issue_at_terminal(login, password, &SecretString::from(code), 1)
            .await
            .unwrap();
        token.text.expose_secret().to_owned()
    }

    /// Sends a request from a program on this machine.
    pub(super) async fn send(&self, request: axum::http::request::Builder, body: String) -> Answer {
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Connection {
            peer: [127, 0, 0, 1].into(),
            tls: false,
        });
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .unwrap()
            .into_parts();
        let bytes = to_bytes(body, 1 << 22).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// Asks with a token and further headers.
    pub(super) async fn get_with(
        &self,
        token: &str,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let request = Request::get(uri).header("authorization", format!("Bearer {token}"));
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.send(request, String::new()).await
    }

    /// Asks with a token.
    pub(super) async fn get(&self, token: &str, uri: &str) -> Answer {
        self.get_with(token, uri, &[]).await
    }

    /// Asks as an example of a route does, with a token.
    pub(super) async fn ask(&self, token: &str, example: Example) -> Answer {
        let request = Request::builder().method(example.method).uri(example.uri);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = match example.form {
            Some(_) => request.header("content-type", "application/x-www-form-urlencoded"),
            None => request,
        };
        self.send(request, example.form.unwrap_or_default()).await
    }
}

fn current(record: Record) -> Joined {
    Joined {
        number: 0,
        record,
        standing: Standing::Current,
    }
}
