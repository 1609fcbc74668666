//! What happens to messages that are pushed, on both databases, by the papers of the moment.

use model::id::PersonId;
use model::papers::WithdrawalPaper;

use super::*;
use crate::frame::Frame;
use crate::papers::{Entry, Papers};
use crate::testing::{NOW, Stage, feed, hospital, on_both};
use crate::{PatientChange, Store, Taken};

const OPERATOR: PersonId = PersonId(7);
const DAY: i64 = 24 * 60 * 60;
const PATIENT: &str = "0000123456";

fn fold(text: &str) -> String {
    text.to_owned()
}

fn message(text: &str, whose: Whose) -> Pushed {
    Pushed {
        raw: Arc::new(text.as_bytes().to_vec()),
        control: text.as_bytes().to_vec(),
        kind: "ADT^A08".to_owned(),
        whose,
    }
}

fn of(number: &str, text: &str) -> Pushed {
    let local = LocalPatientId::parse(hospital(), number).unwrap();
    message(text, Whose::Of(local))
}

fn nobodys(text: &str) -> Pushed {
    let (rule, answer) = ("D2300", "AA");
    message(text, Whose::Unknown { rule, answer })
}

/// A store with the papers of one network.
struct Scene<'a> {
    stage: &'a Stage,
    store: Store,
    papers: Papers,
}

impl<'a> Scene<'a> {
    async fn new(stage: &'a Stage) -> Self {
        let (store, papers) = (stage.store.clone(), stage.store.papers(fold));
        papers.recompute_all().await.unwrap();
        Self {
            stage,
            store,
            papers,
        }
    }

    /// The patient consents; nobody has done yet what follows.
    async fn consents(&self, number: &str, patient: &str) {
        let header = model::papers::ConsentPaper::FIELDS.join(",");
        let who = "ミホンキヨウミ,1958-03-14,female";
        let code = hospital();
        let line = format!(
            "{number},C-1,1,2026-03-30,本人,self,{who},{code}:{patient},*,*,*,2026-03-30,,説明者,事務局"
        );
        let file = format!("{header}\n{line}\n");
        let entry = Entry::Active;
        let imported = self
            .papers
            .import(OPERATOR, "consent", file.as_bytes(), entry);
        imported.await.unwrap();
    }

    async fn withdraws(&self, number: &str) {
        let paper = WithdrawalPaper {
            consent_no: number.parse().unwrap(),
            withdrawn_on: "2026-04-01".parse().ok(),
            signer: Some("本人".to_owned()),
            relation: Some("self".to_owned()),
            identity_check: Some("旅券".to_owned()),
        };
        self.papers.withdraw(OPERATOR, &paper).await.unwrap();
    }

    async fn follow(&self) {
        while self.store.jobs().follow(&self.papers).await.unwrap().done > 0 {}
    }

    async fn receive(&self, pushed: Vec<Pushed>) -> Vec<Received> {
        let received = self.store.intake().receive(&feed("his"), pushed).await;
        received.unwrap()
    }

    async fn fates(&self, pushed: Vec<Pushed>) -> Vec<Fate> {
        let received = self.receive(pushed).await;
        received.iter().map(|received| received.fate).collect()
    }

    /// The number of the only patient.
    async fn patient(&self) -> (i64,) {
        let sql = "select number from patient";
        let row = self.store.0.office.fetch_optional(sql, params![]).await;
        row.unwrap().unwrap()
    }

    /// The inbox in its order, opened.
    async fn inbox(&self) -> Vec<String> {
        let sql = "select patient, arrival, sealed from inbox where feed = $1 order by arrival";
        let db = self.store.intake().db().clone();
        let rows: Vec<(i64, i64, Vec<u8>)> = db.fetch_all(sql, params!["his"]).await.unwrap();
        let mut texts = Vec::new();
        for (patient, arrival, sealed) in rows {
            let key = self.store.0.keys.patient(PatientNumber(patient)).await;
            let plain = key.unwrap().unwrap().open_inbox(arrival, &sealed).unwrap();
            let frame = Frame::unpack(&plain).unwrap();
            texts.push(String::from_utf8(frame.raw().unwrap().to_vec()).unwrap());
        }
        texts
    }

    /// How many messages met a fate, in all.
    async fn count(&self, fate: Fate) -> i64 {
        let reception = self.store.intake().reception(&feed("his")).await.unwrap();
        let of_fate = reception.counts.iter().filter(|count| count.fate == fate);
        of_fate.map(|count| count.count).sum()
    }
}

#[tokio::test]
async fn only_patients_on_file_are_kept_and_in_their_order() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        scene.follow().await;
        let fates = scene
            .fates(vec![
                of(PATIENT, "one"),
                of("77", "other"),
                of(PATIENT, "two"),
            ])
            .await;
        assert_eq!(fates, [Fate::Kept, Fate::NotOnFile, Fate::Kept]);
        scene.fates(vec![of(PATIENT, "three")]).await;
        assert_eq!(scene.inbox().await, ["one", "two", "three"]);
        assert_eq!(
            (
                scene.count(Fate::Kept).await,
                scene.count(Fate::NotOnFile).await
            ),
            (3, 1)
        );
    })
    .await;
}

#[tokio::test]
async fn gov_a_message_right_after_the_consent_is_kept() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        assert_eq!(
            scene.fates(vec![of(PATIENT, "before")]).await,
            [Fate::NotOnFile]
        );
        scene.consents("C-1", PATIENT).await;
        // The patient's key is not made yet.
        assert_eq!(scene.fates(vec![of(PATIENT, "after")]).await, [Fate::Kept]);
        scene.follow().await;
        assert_eq!(scene.inbox().await, ["after"]);
    })
    .await;
}

#[tokio::test]
async fn gov_a_message_right_after_the_withdrawal_is_not_kept() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        scene.follow().await;
        scene.fates(vec![of(PATIENT, "before")]).await;
        scene.withdraws("C-1").await;
        assert_eq!(
            scene.fates(vec![of(PATIENT, "after")]).await,
            [Fate::NotOnFile]
        );
    })
    .await;
}

#[tokio::test]
async fn gov_erasing_takes_what_waits_in_the_inbox_and_says_so() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        scene.follow().await;
        scene
            .fates(vec![of(PATIENT, "one"), of(PATIENT, "two")])
            .await;
        scene.withdraws("C-1").await;
        scene.follow().await;
        assert!(scene.inbox().await.is_empty());
        let audit = scene.store.audit();
        let rows = audit.rows(Instant::MIN, Instant::MAX, 100).await.unwrap();
        let detail = rows.into_iter().filter_map(|row| row.detail);
        assert!(detail.into_iter().any(|text| text.contains("inbox 2")));
    })
    .await;
}

#[tokio::test]
async fn gov_a_paper_that_comes_in_between_is_seen_before_anything_is_kept() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        scene.follow().await;
        let intake = scene.store.intake();
        let pushed = vec![of(PATIENT, "late")];
        let owners = intake.owners(&pushed).await.unwrap();
        let group = Group {
            first: 1,
            at: NOW,
            feed: feed("his"),
            patients: intake.patients(&owners).await.unwrap(),
            quarantine: None,
            pushed,
            owners,
        };
        let sealed = group.seal(&scene.store.0.keys).unwrap();
        scene.withdraws("C-1").await;
        let written = intake.write(&feed("his"), sealed).await;
        assert!(matches!(written, Err(Error::StaleEpoch)));
        assert!(scene.inbox().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn gov_a_message_under_a_new_paper_waits_until_the_old_data_are_erased() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        scene.follow().await;
        scene.withdraws("C-1").await;
        // The erasing has begun, and its process died.
        let (patient,) = scene.patient().await;
        let sql = "insert into job (patient, kind, facility, due_at) values ($1, 2, 0, $2)";
        let db = scene.store.intake().db().clone();
        db.execute(sql, params![patient, NOW]).await.unwrap();
        scene.consents("C-2", PATIENT).await;
        let intake = scene.store.intake();
        let early = intake.receive(&feed("his"), vec![of(PATIENT, "new")]).await;
        assert!(matches!(early, Err(Error::StaleEpoch)));
        scene.follow().await;
        assert_eq!(scene.fates(vec![of(PATIENT, "new")]).await, [Fate::Kept]);
        scene.follow().await;
        assert_eq!(scene.inbox().await, ["new"]);
    })
    .await;
}

/// A batch that is made of messages takes these out of the inbox, and no other ones.
#[tokio::test]
async fn what_is_accepted_waits_no_longer() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        scene.follow().await;
        let (patient,) = scene.patient().await;
        let texts = ["1", "2", "3", "4", "5", "6", "7"];
        let pushed = texts.iter().map(|text| of(PATIENT, text)).collect();
        let arrivals = scene.receive(pushed).await;
        let arrivals: Vec<i64> = arrivals.iter().map(|message| message.arrival).collect();
        let entries = scene
            .papers
            .entries(&hospital(), &[PatientNumber(patient)])
            .await;
        let entry = entries.unwrap().pop().unwrap();
        for (taken, left) in [
            (&arrivals[2..3], 6),
            (&arrivals[..2], 4),
            (&arrivals[3..6], 1),
        ] {
            let known = scene.store.intake().known(entry.patient, &hospital()).await;
            let change = PatientChange {
                patient: entry.patient,
                public: entry.public,
                epoch: entry.epoch,
                facility: hospital(),
                joins: known.unwrap().joins,
                items: Vec::new(),
                slots: Vec::new(),
                joined: None,
                tokens: BTreeMap::new(),
                taken: Taken {
                    feed: "his".to_owned(),
                    arrivals: taken.to_vec(),
                },
            };
            scene.store.intake().accept(vec![change]).await.unwrap();
            assert_eq!(scene.inbox().await.len(), left);
        }
        assert_eq!(scene.inbox().await, ["7"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_that_waits_for_papers_is_no_backlog() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        scene.follow().await;
        let early = scene.receive(vec![of(PATIENT, "early")]).await;
        scene.receive(vec![of(PATIENT, "late")]).await;
        let sql = "select epoch from patient";
        let epoch = scene.store.0.office.fetch_optional(sql, params![]).await;
        let (epoch,): (i64,) = epoch.unwrap().unwrap();
        let (intake, feed) = (scene.store.intake(), feed("his"));
        let arrivals: Vec<i64> = early.iter().map(|message| message.arrival).collect();
        let hold = intake.hold(&feed.id, &arrivals, epoch);
        hold.await.unwrap();
        let reception = intake.reception(&feed).await.unwrap();
        assert_eq!((reception.waiting, reception.held), (1, 1));
        // Another paper: what waited goes on.
        scene.consents("C-2", PATIENT).await;
        let reception = intake.reception(&feed).await.unwrap();
        assert_eq!((reception.waiting, reception.held), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn numbers_ascend_over_restarts_processes_and_clocks_that_are_set_back() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        let three = vec![of(PATIENT, "1"), of("77", "2"), of(PATIENT, "3")];
        let first = scene.receive(three.clone()).await;
        let numbers: Vec<i64> = first.iter().map(|received| received.arrival).collect();
        assert_eq!(numbers, [NOW.0, NOW.0 + 1, NOW.0 + 2]);
        stage.clock.set(NOW.plus_seconds(-60));
        let other = Store::open(
            stage.config.clone(),
            stage.store.network().clone(),
            stage.clock.clone(),
        );
        let other = other.await.unwrap();
        let mut last = NOW.0 + 2;
        for store in [&other, &scene.store, &other, &scene.store] {
            let received = store.intake().receive(&feed("his"), three.clone()).await;
            for received in received.unwrap() {
                assert!(received.arrival > last);
                last = received.arrival;
            }
        }
        assert_eq!(scene.inbox().await.len(), 10);
        other.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_what_nobody_can_say_whose_it_is_goes_after_thirty_days_with_its_key() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        let pushed = vec![nobodys("MSH|a"), message("T", Whose::Refused)];
        assert_eq!(
            scene.fates(pushed).await,
            [Fate::Quarantined, Fate::Refused]
        );
        let day = Instant::start_of(NOW.day());
        let keys = &scene.store.0.keys;
        let sql = "select arrival, sealed from quarantine where rule = 'D2300' and answer = 'AA'";
        let db = scene.store.intake().db().clone();
        let rows: Vec<(i64, Vec<u8>)> = db.fetch_all(sql, params![]).await.unwrap();
        let [(arrival, sealed)] = &rows[..] else {
            panic!("one message in quarantine");
        };
        let key = keys.quarantine("his", day).await.unwrap().unwrap();
        let plain = key.open(*arrival, sealed).unwrap();
        assert_eq!(Frame::unpack(&plain).unwrap().raw().unwrap(), b"MSH|a");
        let reception = async || scene.store.intake().reception(&feed("his")).await.unwrap();
        for (days, left) in [(0, 1), (30, 1), (31, 0)] {
            scene.stage.clock.set(NOW.plus_seconds(days * DAY));
            scene.store.jobs().empty_quarantine().await.unwrap();
            let quarantined = reception().await.quarantined;
            assert_eq!(quarantined.len(), left, "{days}");
            let key = keys.quarantine("his", day).await.unwrap();
            assert_eq!(key.is_some(), left == 1);
        }
        assert_eq!(scene.count(Fate::Quarantined).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_group_of_many_patients_is_kept_whole() {
    on_both(async |stage| {
        let scene = Scene::new(stage).await;
        scene.consents("C-1", PATIENT).await;
        let pushed = (0..1_100).map(|number| match number % 100 {
            0 => of(PATIENT, &number.to_string()),
            _ => of(&format!("9{number}"), "nobody"),
        });
        let received = scene.receive(pushed.collect()).await;
        assert!(received.is_sorted_by_key(|received| received.arrival));
        assert_eq!(scene.inbox().await.len(), 11);
        assert_eq!(scene.count(Fate::NotOnFile).await, 1_089);
    })
    .await;
}
