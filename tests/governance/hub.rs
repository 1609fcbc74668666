//! What a regulation does to a hub with one patient: real store, real papers, the clock in hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use auth::{Auth, Connection};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use model::id::{LocalPatientId, PersonId};
use model::network::Profession;
use model::papers::{ConsentPaper, Facilities, WithdrawalPaper};
use model::person::Sex;
use model::record::{Categories, Category, Kind, Occurred, Record, RecordMeta, Sensitivity};
use model::time::Instant;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use store::{
    Clock, Entered, Entry, Evidence, Joined, MasterKey, NewPerson, PaperError, Papers,
    PatientChange, Shown, Standing, Store, StoreConfig,
};
use tower::ServiceExt;

use crate::network;
use crate::papers::{CLINIC, HOSPITAL, facility};

/// 2026-04-01T09:00:00+09:00
const NOW: Instant = Instant(1_775_001_600_000_000);
const DAY: i64 = 24 * 60 * 60;
const OPERATOR: PersonId = PersonId(1);
const PASSWORD: &str = "correct horse battery";

struct Hub {
    store: Store,
    papers: Papers,
    clock: Clock,
    _folder: tempfile::TempDir,
}

/// Runs a story on a hub under a regulation.
fn on<T>(profile: &str, story: impl AsyncFnOnce(&Hub) -> T) -> T {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let config = StoreConfig::local(folder.path(), MasterKey::random().unwrap());
        let clock = Clock::fixed(NOW);
        let network = Arc::new(network(profile));
        let store = Store::open(config, network, clock.clone()).await.unwrap();
        let papers = store.papers(str::to_owned);
        papers.recompute_all().await.unwrap();
        let hub = Hub {
            store,
            papers,
            clock,
            _folder: folder,
        };
        let told = story(&hub).await;
        hub.store.close().await;
        told
    })
}

impl Hub {
    async fn enter(&self) -> Result<Entered, PaperError> {
        let local = LocalPatientId::parse(facility(HOSPITAL), "0000123456").unwrap();
        let paper = ConsentPaper {
            consent_no: "C-0001".parse().unwrap(),
            form: "C-1".to_owned(),
            form_version: "1".to_owned(),
            signed_on: "2026-03-01".parse().unwrap(),
            signer: "本人".to_owned(),
            relation: "self".to_owned(),
            kana: "ミホンハナコ".to_owned(),
            birth_date: "1948-04-15".parse().unwrap(),
            sex: Sex::Female,
            local_ids: vec![local.clone()],
            sources: Facilities::All,
            readers: Facilities::All,
            categories: Categories::ALL,
            from: "2026-03-01".parse().unwrap(),
            to: None,
            explained_by: "説明者".to_owned(),
            kept_at: "事務局".to_owned(),
        };
        let entered = self
            .papers
            .enter_consent(OPERATOR, &paper, Entry::Active)
            .await?;
        self.follow().await;
        let evidence = Evidence {
            birth_date: Some(paper.birth_date),
            sex: Some(paper.sex),
            kana: Some(paper.kana),
            kanji: None,
        };
        self.papers
            .prove_link(entered.patient, &local, &evidence)
            .await?;
        Ok(entered)
    }

    async fn follow(&self) {
        self.store.jobs().follow(&self.papers).await.unwrap();
    }

    /// Takes in who the patient is, as the hospital says.
    async fn arrive(&self, entered: &Entered) {
        let meta = RecordMeta {
            facility: facility(HOSPITAL),
            kind: Kind::Patient,
            category: Category::Demographics,
            sensitivity: Sensitivity::Normal,
            occurred: Occurred::at("2026-03-01".parse().unwrap()),
            source_key: "patient".to_owned(),
        };
        let body = json!({"Patient": {"local_id": "0000123456", "names": []}});
        let body = serde_json::from_value(body).unwrap();
        let roster = self.papers.roster(&facility(HOSPITAL)).await.unwrap();
        let read = roster.iter().find(|read| read.patient == entered.patient);
        let change = PatientChange {
            patient: entered.patient,
            public: entered.public,
            epoch: read.unwrap().epoch,
            facility: facility(HOSPITAL),
            joins: 0,
            items: Vec::new(),
            slots: Vec::new(),
            joined: Some(vec![Joined {
                number: 0,
                record: Record { meta, body },
                standing: Standing::Current,
            }]),
            tokens: BTreeMap::new(),
            taken: store::Taken::default(),
        };
        self.store.intake().accept(vec![change]).await.unwrap();
    }

    async fn show(&self) -> Shown {
        self.papers.show(&"C-0001".parse().unwrap()).await.unwrap()
    }

    /// A read token that a physician of the clinic made.
    async fn token(&self, auth: &Auth) -> String {
        let new = NewPerson {
            login: "physician".parse().unwrap(),
            name: "医師".to_owned(),
            profession: Profession::Physician,
            facility: facility(CLINIC),
        };
        let password = SecretString::from(PASSWORD);
        let enrolment = auth.enrol(&new, password.clone()).await.unwrap();
        let secret = enrolment.secret.expose_secret();
        let code = auth::factor::totp::code(secret, self.clock.now()).unwrap();
        let code = SecretString::from(code);
        let token = auth
            .issue_at_terminal("physician", password, &code, 1)
            .await
            .unwrap();
        token.text.expose_secret().to_owned()
    }

    async fn get(&self, path: &str) -> Value {
        let auth = Auth::new(&self.store);
        let token = self.token(&auth).await;
        let face = viewer_api::Face {
            auth,
            disclosure: self.store.disclosure(),
            network: Arc::clone(self.store.network()),
            base: "https://hub.example.jp/fhir".to_owned(),
            clock: self.clock.clone(),
            fold: str::to_owned,
        };
        let here = Connection {
            peer: [127, 0, 0, 1].into(),
            tls: false,
        };
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = request.extension(here).body(Body::empty()).unwrap();
        let response = viewer_api::router(Arc::new(face))
            .oneshot(request)
            .await
            .unwrap();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        serde_json::from_slice(&body).unwrap()
    }
}

/// The system of the patient's own id, as a reader sees it.
pub(crate) fn patient_system(profile: &str) -> String {
    on(profile, async |hub| {
        let entered = hub.enter().await.unwrap();
        hub.arrive(&entered).await;
        let patient = hub.get(&format!("/fhir/Patient/{}", entered.public)).await;
        let own = entered.public.to_string();
        let identifiers = patient["identifier"].as_array().unwrap();
        let identifier = identifiers
            .iter()
            .find(|one| one["value"] == own.as_str())
            .unwrap();
        identifier["system"].as_str().unwrap().to_owned()
    })
}

/// What becomes of a form C-1.
pub(crate) fn entering(profile: &str) -> String {
    on(profile, async |hub| match hub.enter().await {
        Ok(_) => "entered".to_owned(),
        Err(PaperError::Wrong(wrongs)) => format!("wrong: {}", wrongs[0].field),
        Err(error) => error.to_string(),
    })
}

/// How long the data could still come back.
pub(crate) fn erased_after_withdrawal(profile: &str) -> String {
    on(profile, async |hub| {
        hub.enter().await.unwrap();
        let paper = WithdrawalPaper {
            consent_no: "C-0001".parse().unwrap(),
            withdrawn_on: "2026-04-01".parse().ok(),
            signer: Some("本人".to_owned()),
            relation: Some("self".to_owned()),
            identity_check: Some("運転免許証".to_owned()),
        };
        hub.papers.withdraw(OPERATOR, &paper).await.unwrap();
        let erase_at = hub.show().await.erase_at.unwrap();
        format!("{} days", (erase_at.0 - NOW.0) / 1_000_000 / DAY)
    })
}

/// Where a consent stands 31 days later when nobody has looked.
pub(crate) fn after_a_month(profile: &str) -> String {
    on(profile, async |hub| {
        let entered = hub.enter().await.unwrap();
        hub.arrive(&entered).await;
        hub.clock.set(NOW.plus_seconds(31 * DAY));
        hub.store.jobs().retain(&hub.papers).await.unwrap();
        hub.follow().await;
        let state = serde_json::to_value(hub.show().await.state).unwrap();
        state.as_str().unwrap().to_owned()
    })
}
