//! What the regulation ends by itself, on both databases, with the clock in hand.

mod erase;
mod follow;
mod numbers;
mod pack;
mod rewrite;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use model::id::{FacilityId, LocalPatientId, PersonId};
use model::network::{Limit, Network, Retention};
use model::papers::{ConsentState, WithdrawalPaper};
use model::person::Sex;
use model::record::{Category, Kind, Occurred, Record, RecordMeta, Sensitivity};
use model::time::Instant;
use serde_json::json;

use crate::audit::{Action, Event};
use crate::db::params;
use crate::intake::{Joined, PatientChange, Standing};
use crate::papers::{Entered, Entry, Evidence, Papers};
use crate::testing::{NOW, Stage, hospital, network, on_both};
use crate::{Clock, Store};

const OPERATOR: PersonId = PersonId(7);
const DAY: i64 = 24 * 60 * 60;
const TEN_DAYS: Limit = Limit::Span {
    months: 0,
    days: 10,
    seconds: 0,
};

/// A hub whose regulation keeps data so long, with one patient's data of [`NOW`].
struct Kept {
    store: Store,
    papers: Papers,
    clock: Clock,
    patient: Entered,
}

/// The same words from everybody.
fn fold(text: &str) -> String {
    text.to_owned()
}

impl Kept {
    async fn new(stage: &Stage, after_last_view: Limit, until: Option<Date>) -> Self {
        let mut network: Network = network();
        network.profile.retention = Retention {
            after_last_view,
            until,
        };
        let (config, clock) = (stage.config.clone(), stage.clock.clone());
        clock.set(NOW);
        let store = Store::open(config, Arc::new(network), clock.clone())
            .await
            .unwrap();
        let papers = store.papers(fold);
        papers.recompute_all().await.unwrap();
        let patient = consent(&papers, "C-1").await;
        let kept = Self {
            store,
            papers,
            clock,
            patient,
        };
        kept.store.jobs().follow(&kept.papers).await.unwrap();
        kept.arrive().await;
        kept
    }

    async fn arrive(&self) {
        let change = self.change(hospital()).await;
        self.store.intake().accept(vec![change]).await.unwrap();
    }

    /// A result that a feed has read, as far as before its batch is accepted.
    async fn change(&self, facility: FacilityId) -> PatientChange {
        let body = json!({"Observation": {"category": "laboratory", "status": "final", "code": {"t": "Na"}}});
        let meta = RecordMeta {
            facility: facility.clone(),
            kind: Kind::Observation,
            category: Category::Lab,
            sensitivity: Sensitivity::Normal,
            occurred: Occurred::at("2024-05-10".parse().unwrap()),
            source_key: "Na".to_owned(),
        };
        let body = serde_json::from_value(body).unwrap();
        let patient = self.patient.patient;
        let known = self.store.intake().known(patient, &facility).await.unwrap();
        PatientChange {
            patient,
            public: self.patient.public,
            epoch: self.papers.epoch(patient).await.unwrap(),
            facility,
            joins: known.joins,
            items: Vec::new(),
            slots: Vec::new(),
            joined: Some(vec![Joined {
                number: 0,
                record: Record { meta, body },
                standing: Standing::Current,
            }]),
            tokens: BTreeMap::new(),
            taken: crate::Taken::default(),
        }
    }

    async fn look(&self) {
        let event = Event::new(Action::Read)
            .by_person(PersonId(1))
            .about(self.patient.patient, self.patient.public, 1)
            .gives(vec!["Na".to_owned()]);
        self.store.audit().record(event).await.unwrap();
    }

    /// How many patients the job ends after so many seconds from [`NOW`].
    async fn ends(&self, seconds: i64) -> usize {
        self.clock.set(NOW.plus_seconds(seconds));
        self.store.jobs().retain(&self.papers).await.unwrap()
    }

    async fn state(&self, number: &str) -> ConsentState {
        let shown = self.papers.show(&number.parse().unwrap()).await;
        shown.unwrap().state
    }

    /// Records and grants of the patient.
    async fn rows(&self) -> (usize, usize) {
        let patient = params![self.patient.patient];
        let shared = &self.store.0;
        let sql = "select key from record where patient = $1";
        let records: Vec<(i64,)> = shared.records.fetch_all(sql, patient).await.unwrap();
        let sql = "select ordinal from effective_grant where patient = $1";
        let grants: Vec<(i64,)> = shared.office.fetch_all(sql, patient).await.unwrap();
        (records.len(), grants.len())
    }
}

/// Enters a consent of somebody: kana, birth date, sex, and their number at the hospital.
async fn enter(papers: &Papers, number: &str, who: &str, local_id: &str) {
    let header = model::papers::ConsentPaper::FIELDS.join(",");
    let line = format!(
        "{number},C-1,1,2026-03-30,本人,self,{who},{}:{local_id},*,*,*,2026-03-30,,説明者,事務局",
        hospital()
    );
    let file = format!("{header}\n{line}\n");
    papers
        .import(OPERATOR, "consent", file.as_bytes(), Entry::Active)
        .await
        .unwrap();
}

/// What the patient's paper says of them.
const WHO: &str = "ミホンキヨウミ,1958-03-14,female";

/// What the hospital says of them.
fn evidence() -> Evidence {
    Evidence {
        birth_date: "1958-03-14".parse().ok(),
        sex: Some(Sex::Female),
        kana: Some("ミホンキヨウミ".to_owned()),
        kanji: None,
    }
}

/// A complete paper that ends a consent.
fn withdrawal(number: &str) -> WithdrawalPaper {
    WithdrawalPaper {
        consent_no: number.parse().unwrap(),
        withdrawn_on: "2026-04-01".parse().ok(),
        signer: Some("本人".to_owned()),
        relation: Some("self".to_owned()),
        identity_check: Some("旅券".to_owned()),
    }
}

async fn consent(papers: &Papers, number: &str) -> Entered {
    enter(papers, number, WHO, "0000123456").await;
    let local = LocalPatientId::parse(hospital(), "0000123456").unwrap();
    let roster = papers.roster(&hospital()).await.unwrap();
    let patient = roster[0].patient;
    let proved = papers.prove_link(patient, &local, &evidence()).await;
    proved.unwrap();
    Entered {
        patient,
        public: roster[0].public,
        created: true,
        changed: true,
        state: ConsentState::Active,
    }
}

#[tokio::test]
async fn gov_two_data_that_nobody_ever_viewed_go_after_their_time_since_arrival() {
    on_both(async |stage| {
        let kept = Kept::new(stage, TEN_DAYS, None).await;
        assert_eq!(kept.ends(11 * DAY - 1).await, 0);
        assert_eq!(kept.ends(11 * DAY).await, 1);
        // The door is shut before anything is erased.
        assert_eq!(kept.rows().await, (1, 0));
        assert_eq!(kept.state("C-1").await, ConsentState::Expired);
        kept.store.jobs().follow(&kept.papers).await.unwrap();
        assert_eq!(kept.rows().await, (0, 0));
        assert_eq!(kept.state("C-1").await, ConsentState::Erased);
        let key = kept.store.0.keys.patient(kept.patient.patient).await;
        assert!(key.unwrap().is_none());
        assert!(kept.papers.roster(&hospital()).await.unwrap().is_empty());
        assert_eq!(kept.ends(100 * DAY).await, 0);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_two_a_view_begins_the_time_anew() {
    on_both(async |stage| {
        let kept = Kept::new(stage, TEN_DAYS, None).await;
        kept.clock.set(NOW.plus_seconds(5 * DAY));
        kept.look().await;
        assert_eq!(kept.ends(11 * DAY).await, 0);
        assert_eq!(kept.ends(16 * DAY - 1).await, 0);
        assert_eq!(kept.ends(16 * DAY).await, 1);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_two_a_new_consent_is_not_ended_for_what_nobody_viewed_before_it() {
    on_both(async |stage| {
        let kept = Kept::new(stage, TEN_DAYS, None).await;
        kept.clock.set(NOW.plus_seconds(8 * DAY));
        consent(&kept.papers, "C-2").await;
        assert_eq!(kept.ends(19 * DAY - 1).await, 0);
        assert_eq!(kept.ends(19 * DAY).await, 1);
        assert_eq!(kept.state("C-1").await, ConsentState::Expired);
        assert_eq!(kept.state("C-2").await, ConsentState::Expired);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_two_the_deletion_record_says_that_the_regulation_ended_it() {
    on_both(async |stage| {
        let kept = Kept::new(stage, TEN_DAYS, None).await;
        kept.ends(11 * DAY).await;
        kept.store.jobs().follow(&kept.papers).await.unwrap();
        let audit = kept.store.audit();
        let rows = audit.rows(Instant::MIN, Instant::MAX, 100).await.unwrap();
        let expired = rows.iter().find(|row| row.action == Action::ConsentExpired);
        assert_eq!(expired.unwrap().person, 0);
        let erased = rows
            .iter()
            .find(|row| row.action == Action::Erased)
            .unwrap();
        assert_eq!(erased.patient, Some(kept.patient.public.to_string()));
        assert_eq!(erased.reason.as_deref(), Some("C-1"));
        let detail = erased.detail.clone().unwrap();
        assert!(detail.starts_with("reason: retention; rows: "), "{detail}");
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_two_an_incomplete_withdrawal_keeps_no_data_for_ever() {
    on_both(async |stage| {
        let kept = Kept::new(stage, TEN_DAYS, None).await;
        let paper = WithdrawalPaper {
            consent_no: "C-1".parse().unwrap(),
            withdrawn_on: None,
            signer: None,
            relation: None,
            identity_check: None,
        };
        kept.papers.withdraw(OPERATOR, &paper).await.unwrap();
        assert_eq!(kept.ends(11 * DAY).await, 1);
        let late = kept.papers.withdraw(OPERATOR, &paper).await.unwrap();
        assert_eq!((late.state, late.changed), (ConsentState::Expired, false));
        let number = "C-1".parse().unwrap();
        assert!(kept.papers.restore(OPERATOR, &number).await.is_err());
        kept.store.jobs().follow(&kept.papers).await.unwrap();
        assert_eq!(kept.rows().await, (0, 0));
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_two_after_the_last_day_of_retention_everything_goes() {
    on_both(async |stage| {
        let last = "2026-04-30".parse().unwrap();
        let kept = Kept::new(stage, Limit::Unlimited, Some(last)).await;
        let end = Instant::start_of("2026-05-01".parse().unwrap());
        let seconds = (end.0 - NOW.0) / 1_000_000;
        assert_eq!(kept.ends(seconds - 1).await, 0);
        assert_eq!(kept.ends(seconds).await, 1);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_two_unlimited_keeps_for_ever_and_a_consent_without_data_waits() {
    on_both(async |stage| {
        let kept = Kept::new(stage, Limit::Unlimited, None).await;
        assert_eq!(kept.ends(36_500 * DAY).await, 0);
        kept.store.close().await;
    })
    .await;
    on_both(async |stage| {
        let kept = Kept::new(stage, TEN_DAYS, None).await;
        let sql = "delete from record where patient = $1";
        let patient = params![kept.patient.patient];
        kept.store.0.records.execute(sql, patient).await.unwrap();
        assert_eq!(kept.ends(100 * DAY).await, 0);
        kept.store.close().await;
    })
    .await;
}
