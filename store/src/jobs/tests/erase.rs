//! A new consent of a patient who is being erased: between any two steps of the erasing, with a feed
//! that reads meanwhile, and with a process that dies there.

use model::papers::ConsentPaper;

use super::super::erase::Sample;
use super::super::tally::Tally;
use super::*;
use crate::error::Error;
use crate::papers::Erasure;
use crate::testing::clinic;

/// A patient with data under a consent that was withdrawn; nothing is erased yet.
async fn withdrawn(stage: &Stage) -> (Kept, Erasure) {
    let kept = Kept::new(stage, Limit::Unlimited, None).await;
    let paper = withdrawal("C-1");
    kept.papers.withdraw(OPERATOR, &paper).await.unwrap();
    let patient = kept.patient.patient;
    let erasure = kept.papers.due_erasure(patient).await.unwrap().unwrap();
    assert!(erasure.whole);
    (kept, erasure)
}

impl Kept {
    /// The patient consents anew, at the clinic too; somebody does what follows except the erasing.
    async fn consents_anew(&self) {
        let number = "C-1".parse().unwrap();
        let first = self.papers.show(&number).await.unwrap().paper;
        let at_clinic = LocalPatientId::parse(clinic(), "77").unwrap();
        let paper = ConsentPaper {
            consent_no: "C-2".parse().unwrap(),
            local_ids: [first.local_ids.clone(), vec![at_clinic]].concat(),
            ..first
        };
        self.papers
            .enter_consent(OPERATOR, &paper, Entry::Active)
            .await
            .unwrap();
        let jobs = self.store.jobs();
        for errand in self.papers.outbox(0, 100).await.unwrap() {
            jobs.run(&self.papers, &[&errand]).await.unwrap();
        }
        for facility in [hospital(), clinic()] {
            let patient = self.patient.patient;
            let begun = self.clock.now();
            jobs.back_filled(&[patient], &facility, begun)
                .await
                .unwrap();
        }
    }

    /// A feed reads both facilities under the new consent; what it read of the hospital waits.
    async fn feed(&self) -> Vec<PatientChange> {
        let change = self.change(clinic()).await;
        self.store.intake().accept(vec![change]).await.unwrap();
        vec![self.change(hospital()).await]
    }

    /// Everything that is due, as often as it comes back.
    async fn follow(&self) {
        while self.store.jobs().follow(&self.papers).await.unwrap().done > 0 {}
    }

    /// The data are gone, and feeds must fetch what the new consent holds; what they then bring stays
    /// and can be opened. Of what somebody read before, nothing comes in.
    async fn begins_anew(&self, stale: Vec<PatientChange>) {
        self.follow().await;
        assert_eq!(self.state("C-1").await, ConsentState::Erased);
        assert_eq!(self.state("C-2").await, ConsentState::Active);
        assert_eq!(self.rows().await.0, 0);
        let intake = self.store.intake();
        let epoch = self.papers.epoch(self.patient.patient).await.unwrap();
        for change in stale {
            let change = PatientChange { epoch, ..change };
            let accepted = intake.accept(vec![change]).await;
            assert!(matches!(accepted, Err(Error::StaleEpoch)));
        }
        for facility in [hospital(), clinic()] {
            let back_fills = self.store.jobs().back_fills(&facility).await.unwrap();
            assert_eq!(back_fills, [self.patient.patient]);
            let change = self.change(facility).await;
            intake.accept(vec![change]).await.unwrap();
        }
        self.follow().await;
        assert_eq!((self.rows().await.0, self.opened().await), (2, 2));
    }

    /// What the deletion records say, the newest first.
    pub(super) async fn deletion_records(&self) -> Vec<String> {
        let audit = self.store.audit();
        let rows = audit.rows(Instant::MIN, Instant::MAX, 100).await.unwrap();
        let erased = rows.into_iter().filter(|row| row.action == Action::Erased);
        erased.filter_map(|row| row.detail).collect()
    }

    /// How many bodies the patient's key opens.
    async fn opened(&self) -> usize {
        let shared = &self.store.0;
        let key = shared.keys.patient(self.patient.patient).await.unwrap();
        let key = key.unwrap();
        let sql = "select key, body from record where patient = $1";
        let rows: Vec<(i64, Vec<u8>)> = shared
            .records
            .fetch_all(sql, params![self.patient.patient])
            .await
            .unwrap();
        rows.iter()
            .filter(|(row, body)| key.open_body(model::id::RecordKey(*row), body).is_ok())
            .count()
    }
}

#[tokio::test]
async fn gov_a_consent_before_the_rows_go_is_fetched_anew() {
    on_both(async |stage| {
        let (kept, erasure) = withdrawn(stage).await;
        kept.consents_anew().await;
        let stale = kept.feed().await;
        let jobs = kept.store.jobs();
        jobs.erase_rows(&erasure).await.unwrap();
        let patient = kept.patient.patient;
        jobs.shred(patient, None).await.unwrap();
        let done = kept.papers.erased(&erasure).await;
        assert!(matches!(done, Err(Error::StaleEpoch)));
        kept.begins_anew(stale).await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_what_a_feed_brings_between_rows_and_key_goes_with_the_key() {
    on_both(async |stage| {
        let (kept, erasure) = withdrawn(stage).await;
        let jobs = kept.store.jobs();
        jobs.erase_rows(&erasure).await.unwrap();
        kept.consents_anew().await;
        let stale = kept.feed().await;
        let patient = kept.patient.patient;
        jobs.shred(patient, None).await.unwrap();
        assert_eq!(kept.rows().await.0, 0);
        let epoch = kept.papers.epoch(patient).await.unwrap();
        let done = kept.papers.erased(&erasure).await;
        assert!(matches!(done, Err(Error::StaleEpoch)));
        // Whoever reads under the new consent begins anew.
        assert_eq!(kept.papers.epoch(patient).await.unwrap(), epoch + 1);
        kept.begins_anew(stale).await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_a_process_that_dies_after_the_key_loses_nothing_of_a_new_consent() {
    on_both(async |stage| {
        let (kept, erasure) = withdrawn(stage).await;
        let jobs = kept.store.jobs();
        jobs.erase_rows(&erasure).await.unwrap();
        kept.consents_anew().await;
        let stale = kept.feed().await;
        let patient = kept.patient.patient;
        jobs.shred(patient, None).await.unwrap();
        kept.begins_anew(stale).await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_a_process_that_dies_while_it_destroys_the_key_leaves_no_row_under_it() {
    on_both(async |stage| {
        let (kept, erasure) = withdrawn(stage).await;
        kept.store.jobs().erase_rows(&erasure).await.unwrap();
        kept.consents_anew().await;
        let stale = kept.feed().await;
        let keys = &kept.store.0.keys;
        keys.shred(kept.patient.patient).await.unwrap();
        assert_eq!(kept.rows().await.0, 1);
        kept.begins_anew(stale).await;
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_a_consent_while_the_key_is_destroyed_gets_another_one() {
    on_both(async |stage| {
        let (kept, erasure) = withdrawn(stage).await;
        let jobs = kept.store.jobs();
        jobs.erase_rows(&erasure).await.unwrap();
        let patient = kept.patient.patient;
        let destroyed = kept.store.0.keys.shred(patient).await.unwrap();
        // Another process introduces the patient anew, and its feed is quick.
        kept.consents_anew().await;
        let stale = kept.feed().await;
        assert_eq!(kept.opened().await, 1);
        let generations = kept.store.0.keys.generations(patient).await.unwrap();
        assert!(generations.iter().all(|made| !destroyed.contains(made)));
        let done = kept.papers.erased(&erasure).await;
        assert!(matches!(done, Err(Error::StaleEpoch)));
        // What came under the new key is as good as what comes now.
        kept.follow().await;
        assert_eq!(kept.opened().await, 1);
        let back_fills = kept.store.jobs().back_fills(&hospital()).await.unwrap();
        assert_eq!(back_fills, [patient]);
        let late = kept.store.intake().accept(stale).await;
        assert!(matches!(late, Err(Error::StaleEpoch)));
        kept.store.close().await;
    })
    .await;
}

const EVERYTHING_WENT: &str = "reason: withdrawal; rows: finding 0, item 0, slot 0, record 1, search_token 0, inbox 0; \
     sources: 1319999901; keys destroyed: 2";

#[tokio::test]
async fn gov_the_deletion_record_tells_what_went_before_the_process_died() {
    for with_key in [false, true] {
        on_both(async |stage| {
            let (kept, erasure) = withdrawn(stage).await;
            let (jobs, patient) = (kept.store.jobs(), kept.patient.patient);
            jobs.erase_rows(&erasure).await.unwrap();
            if with_key {
                jobs.shred(patient, None).await.unwrap();
            }
            kept.follow().await;
            assert_eq!(kept.deletion_records().await, [EVERYTHING_WENT]);
            // The next erasing is another one.
            assert_eq!(jobs.tally(patient).await.unwrap(), Tally::default());
            kept.store.close().await;
        })
        .await;
    }
}

#[tokio::test]
async fn gov_a_key_that_was_to_go_and_stayed_is_not_in_the_deletion_record() {
    on_both(async |stage| {
        let (kept, erasure) = withdrawn(stage).await;
        let (jobs, patient) = (kept.store.jobs(), kept.patient.patient);
        jobs.erase_rows(&erasure).await.unwrap();
        let generations = kept.store.0.keys.generations(patient).await.unwrap();
        jobs.name_keys(patient, &generations).await.unwrap();
        kept.consents_anew().await;
        kept.follow().await;
        let [record] = &kept.deletion_records().await[..] else {
            panic!("one deletion record");
        };
        assert!(record.contains("record 1"), "{record}");
        assert!(record.contains("sources: 1319999901"), "{record}");
        assert!(record.ends_with("keys destroyed: none"), "{record}");
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_what_can_still_be_opened_is_not_erased() {
    on_both(async |stage| {
        let (kept, _) = withdrawn(stage).await;
        let (jobs, patient) = (kept.store.jobs(), kept.patient.patient);
        let keys = &kept.store.0.keys;
        let key = Arc::new(keys.patient(patient).await.unwrap().unwrap());
        let packed = crate::Packed::new(b"PID", "", []).unwrap();
        let places = kept.store.0.raw.append(vec![(key, packed)]).await.unwrap();
        let text = jobs.sample(patient).await.unwrap().unwrap();
        assert!(matches!(text, Sample::Text(_)));
        let sql = "select generation, wrapped from patient_key where patient = $1";
        let row: Option<(i64, Vec<u8>)> = keys
            .db()
            .fetch_optional(sql, params![patient])
            .await
            .unwrap();
        let (generation, wrapped) = row.unwrap();
        jobs.shred(patient, jobs.sample(patient).await.unwrap())
            .await
            .unwrap();
        // A backup brings the destroyed key back.
        for is_back in [false, true] {
            if is_back {
                let sql = "insert into patient_key values ($1, $2, $3, 0)";
                let back = params![patient, generation, wrapped.clone()];
                keys.db().execute(sql, back).await.unwrap();
            }
            for sample in [&Sample::Frame(places[0]), &text] {
                let tried = jobs.must_not_open(patient, sample).await;
                assert_eq!(tried.is_err(), is_back);
            }
        }
        kept.store.close().await;
    })
    .await;
}

/// Whoever introduces many looks at their keys first; somebody else may have given one a key since, and
/// have acknowledged what stands under it.
#[tokio::test]
async fn gov_what_stands_under_a_key_is_not_what_a_crash_left() {
    on_both(async |stage| {
        let kept = Kept::new(stage, Limit::Unlimited, None).await;
        kept.arrive().await;
        let (patient, jobs) = (kept.patient.patient, kept.store.jobs());
        jobs.erase_what_was_left(patient).await.unwrap();
        assert_eq!(kept.rows().await.0, 1);
        kept.store.0.keys.shred(patient).await.unwrap();
        jobs.erase_what_was_left(patient).await.unwrap();
        assert_eq!(kept.rows().await.0, 0);
    })
    .await;
}
