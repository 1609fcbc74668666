//! One thing that fails holds up nobody else.

use super::*;
use crate::{Failing, Followed};

type Row = (i64, i64);

/// Patient and kind of what waits, in order.
async fn waiting(store: &Store) -> Vec<Row> {
    let sql = "select patient, kind from outbox order by id";
    store.0.office.fetch_all(sql, params![]).await.unwrap()
}

/// Another patient's consent, with what follows from it.
async fn somebody_else(papers: &Papers) -> i64 {
    enter(
        papers,
        "C-9",
        "タニンハナコ,1961-07-07,female",
        "0000999999",
    )
    .await;
    let roster = papers.roster(&hospital()).await.unwrap();
    roster.last().unwrap().patient.0
}

#[tokio::test]
async fn an_errand_that_fails_holds_up_its_own_patient_only_and_is_kept_in_order() {
    on_both(async |stage| {
        let kept = Kept::new(stage, Limit::Unlimited, None).await;
        let (store, jobs) = (&kept.store, kept.store.jobs());
        let patient = kept.patient.patient.0;
        let number = "C-1".parse().unwrap();
        let paper = WithdrawalPaper {
            consent_no: number,
            withdrawn_on: None,
            signer: None,
            relation: None,
            identity_check: None,
        };
        kept.papers.withdraw(OPERATOR, &paper).await.unwrap();
        let complete = WithdrawalPaper {
            withdrawn_on: "2026-04-01".parse().ok(),
            signer: Some("本人".to_owned()),
            relation: Some("self".to_owned()),
            identity_check: Some("旅券".to_owned()),
            ..paper
        };
        kept.papers.withdraw(OPERATOR, &complete).await.unwrap();
        let other = somebody_else(&kept.papers).await;
        let (audit, erase) = ((patient, 4), (patient, 3));
        let his = [audit, erase, audit];
        let hers = [(other, 1), (other, 2), (other, 4)];
        let sorted = |mut rows: Vec<Row>| {
            rows.sort_unstable();
            rows
        };
        assert_eq!(sorted(waiting(store).await), sorted([his, hers].concat()));

        let sql = "select id, sealed from outbox order by id limit 1";
        let note: Option<(i64, Vec<u8>)> =
            store.0.office.fetch_optional(sql, params![]).await.unwrap();
        let (id, sealed) = note.unwrap();
        let write = "update outbox set sealed = $2 where id = $1";
        let office = &store.0.office;
        office
            .execute(write, params![id, vec![1_u8]])
            .await
            .unwrap();
        for done in [3, 0] {
            let followed = jobs.follow(&kept.papers).await.unwrap();
            assert_eq!(followed, Followed { done, failed: 1 });
            let failing = jobs.failing().await.unwrap();
            let (patients, since) = (1, NOW);
            assert_eq!(failing, Some(Failing { patients, since }));
            kept.clock.set(NOW.plus_seconds(60));
            assert_eq!(waiting(store).await, his);
        }
        let back_fills = jobs.back_fills(&hospital()).await.unwrap();
        assert!(back_fills.iter().any(|patient| patient.0 == other));

        office.execute(write, params![id, sealed]).await.unwrap();
        let followed = jobs.follow(&kept.papers).await.unwrap();
        assert_eq!(followed, Followed { done: 4, failed: 0 });
        assert_eq!(jobs.failing().await.unwrap(), None);
        assert_eq!(kept.state("C-1").await, ConsentState::Erased);
        store.close().await;
    })
    .await;
}

#[tokio::test]
async fn an_erasing_that_fails_holds_up_no_other_one() {
    on_both(async |stage| {
        let kept = Kept::new(stage, TEN_DAYS, None).await;
        // Nobody knows this patient.
        let job = "insert into job (patient, kind, facility, due_at) values (0, 2, 0, 0)";
        let records = &kept.store.0.records;
        records.execute(job, params![]).await.unwrap();
        assert_eq!(kept.ends(11 * DAY).await, 1);
        let followed = kept.store.jobs().follow(&kept.papers).await.unwrap();
        assert_eq!(followed.failed, 1);
        assert_eq!(kept.state("C-1").await, ConsentState::Erased);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn nothing_is_put_aside_when_the_database_is_gone() {
    on_both(async |stage| {
        let kept = Kept::new(stage, Limit::Unlimited, None).await;
        somebody_else(&kept.papers).await;
        kept.store.0.records.close().await;
        assert!(kept.store.jobs().follow(&kept.papers).await.is_err());
        assert_eq!(waiting(&kept.store).await.len(), 3);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_back_fill_that_is_asked_for_while_one_runs_is_done_after_it() {
    on_both(async |stage| {
        let kept = Kept::new(stage, Limit::Unlimited, None).await;
        let (jobs, patient) = (kept.store.jobs(), kept.patient.patient);
        let begun = kept.clock.now();
        kept.clock.set(begun.plus_seconds(60));
        let ask = "insert into job (patient, kind, facility, due_at) values ($1, 1, $2, $3)";
        let asked = params![patient, &hospital(), kept.clock.now()];
        kept.store.0.records.execute(ask, asked).await.unwrap();
        kept.clock.set(begun.plus_seconds(120));
        jobs.back_filled(&[patient], &hospital(), begun)
            .await
            .unwrap();
        assert_eq!(jobs.back_fills(&hospital()).await.unwrap(), [patient]);
        jobs.back_filled(&[patient], &hospital(), kept.clock.now())
            .await
            .unwrap();
        assert_eq!(jobs.back_fills(&hospital()).await.unwrap(), []);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn papers_of_many_patients_are_followed_together_and_one_that_fails_waits_alone() {
    on_both(async |stage| {
        let kept = Kept::new(stage, Limit::Unlimited, None).await;
        let (store, jobs) = (&kept.store, kept.store.jobs());
        let mut file = model::papers::ConsentPaper::FIELDS.join(",");
        // More than fit in one look at the outbox.
        let many: i64 = 400;
        for number in 0..many {
            file.push_str(&format!(
                "\nM-{number},C-1,1,2026-03-30,本人,self,{WHO},{}:{number:010},*,*,*,2026-03-30,,説明者,事務局",
                hospital()
            ));
        }
        file.push('\n');
        let imported = kept.papers.import(OPERATOR, "c", file.as_bytes(), Entry::Active).await;
        assert_eq!(imported.unwrap().introduced, 400);
        // The note of one of them does not open.
        let (bad, _) = waiting(store).await[200];
        let sql = "update outbox set sealed = $2 where patient = $1 and kind = 4";
        let office = &store.0.office;
        office.execute(sql, params![bad, vec![1_u8]]).await.unwrap();
        let followed = jobs.follow(&kept.papers).await.unwrap();
        assert_eq!(followed, Followed { done: 3 * 400 - 1, failed: 1 });
        assert_eq!(waiting(store).await, [(bad, 4)]);
        let asked = jobs.back_fills(&hospital()).await.unwrap();
        let keyed = "select count(*) from patient_key";
        let keys: Option<(i64,)> = store.0.keys.db().fetch_optional(keyed, params![]).await.unwrap();
        // The patient of the stage has them already.
        assert_eq!((asked.len(), keys), (401, Some((many + 1,))));
        assert!(store.audit().verify().await.unwrap().is_good());
        store.close().await;
    })
    .await;
}
