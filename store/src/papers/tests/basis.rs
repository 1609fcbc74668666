//! A process that still works with an older regulation can take away and cannot open.

use std::sync::Arc;

use model::papers::{ConsentState, LinkState};

use super::*;
use crate::error::Error;
use crate::testing::{network, on_both};

/// A process with a regulation under which the pharmacy reads nothing.
async fn narrower(stage: &Stage) -> Store {
    let mut narrower = network();
    narrower.hash = [2; 32];
    narrower.facilities.remove(&pharmacy());
    Store::open(
        stage.config.clone(),
        Arc::new(narrower),
        stage.clock.clone(),
    )
    .await
    .unwrap()
}

/// Two consents of one patient, entered under the older regulation; then a newer one came in force.
struct Changed {
    old: Papers,
    new: Papers,
    store: Store,
    patient: PatientNumber,
}

impl Changed {
    async fn new(stage: &Stage) -> Self {
        let old = papers(stage);
        old.recompute_all().await.unwrap();
        let patient = proved(&old, &consent("C-1")).await.patient;
        let labs = ConsentPaper {
            categories: [Category::Lab].into_iter().collect(),
            ..consent("C-2")
        };
        proved(&old, &labs).await;
        old.withdraw(OPERATOR, &incomplete("C-2")).await.unwrap();
        let store = narrower(stage).await;
        let new = store.papers(fold);
        new.recompute_all().await.unwrap();
        empty_outbox(&new).await;
        Self {
            old,
            new,
            store,
            patient,
        }
    }

    async fn readers(&self) -> usize {
        open(&self.store, self.patient).await.len()
    }
}

#[track_caller]
fn refused<T>(result: &Result<T, PaperError>) {
    assert!(matches!(
        result,
        Err(PaperError::Store(Error::Unavailable(_)))
    ));
}

#[tokio::test]
async fn gov_an_older_regulation_opens_nothing_once_a_newer_one_is_in_force() {
    on_both(async |stage| {
        let changed = Changed::new(stage).await;
        let (old, patient) = (&changed.old, changed.patient);
        assert_eq!(changed.readers().await, 2);
        refused(&old.restore(OPERATOR, &"C-2".parse().unwrap()).await);
        for entry in [Entry::Signed, Entry::Active] {
            refused(&old.enter_consent(OPERATOR, &consent("C-3"), entry).await);
            refused(&old.enter_consent(OPERATOR, &stranger("C-4"), entry).await);
        }
        let new = &changed.new;
        new.enter_consent(OPERATOR, &consent("C-3"), Entry::Signed)
            .await
            .unwrap();
        refused(&old.check(OPERATOR, &"C-3".parse().unwrap()).await);
        let other = new
            .enter_consent(OPERATOR, &stranger("C-4"), Entry::Active)
            .await
            .unwrap()
            .patient;
        let at_hospital = local(hospital(), "0000999999");
        let theirs = Evidence {
            birth_date: "1961-07-07".parse().ok(),
            kana: Some("タニンハナコ".to_owned()),
            ..evidence()
        };
        let proof = old.prove_link(other, &at_hospital, &theirs).await;
        assert!(matches!(proof, Err(Error::Unavailable(_))));
        assert!(old.due_erasure(patient).await.is_err());
        assert!(old.expire(patient).await.is_err());
        assert!(old.recompute(patient).await.is_err());
        assert_eq!(changed.readers().await, 2);
        // A disagreement takes away only.
        let proof = old.prove_link(other, &at_hospital, &evidence()).await;
        assert_eq!(proof.unwrap(), LinkState::Disagrees);
        new.restore(OPERATOR, &"C-2".parse().unwrap())
            .await
            .unwrap();
    })
    .await;
}

#[tokio::test]
async fn gov_a_withdrawal_under_an_older_regulation_shuts_and_leaves_the_rest_to_the_newer_one() {
    on_both(async |stage| {
        let changed = Changed::new(stage).await;
        let (old, new) = (&changed.old, &changed.new);
        new.restore(OPERATOR, &"C-2".parse().unwrap())
            .await
            .unwrap();
        empty_outbox(new).await;
        let epoch = new.epoch(changed.patient).await.unwrap();
        let withdrawn = old.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        assert_eq!(withdrawn.state, ConsentState::Withdrawn);
        assert_eq!(changed.readers().await, 0);
        assert!(roster(new, hospital()).await.is_empty());
        assert!(new.epoch(changed.patient).await.unwrap() > epoch);
        assert_eq!(errands(new).await, ["erase", "follow", "audit"]);

        new.recompute(changed.patient).await.unwrap();
        assert_eq!(changed.readers().await, 2);
        assert_eq!(roster(new, hospital()).await, ["0000123456"]);
        assert_eq!(
            new.due_erasure(changed.patient)
                .await
                .unwrap()
                .unwrap()
                .sources,
            []
        );
    })
    .await;
}

#[tokio::test]
async fn while_grants_are_brought_in_line_nobody_reads_and_no_other_regulation_writes() {
    on_both(async |stage| {
        let old = papers(stage);
        old.recompute_all().await.unwrap();
        let entered = proved(&old, &consent("C-1")).await;
        let store = narrower(stage).await;
        let new = store.papers(fold);
        // The process with the newer regulation dies on its way.
        assert!(new.announce().await.unwrap());
        let done = new.recompute_some(PatientNumber(0)).await.unwrap();
        assert_eq!(done, Some((entered.patient, 1)));
        for papers in [&old, &new] {
            assert!(!papers.ready().await.unwrap());
        }
        for store in [&stage.store, &store] {
            assert!(!store.disclosure().ready().await.unwrap());
        }
        refused(
            &old.enter_consent(OPERATOR, &consent("C-2"), Entry::Active)
                .await,
        );
        assert!(old.recompute_some(PatientNumber(0)).await.is_err());
        assert_eq!(open(&store, entered.patient).await.len(), 2);
        // Whoever starts next finishes, in whichever direction.
        new.recompute_all().await.unwrap();
        assert!(new.ready().await.unwrap() && !old.ready().await.unwrap());
        assert_eq!(old.recompute_all().await.unwrap(), 1);
        assert!(old.ready().await.unwrap() && !new.ready().await.unwrap());
        assert_eq!(open(&store, entered.patient).await.len(), 3);
    })
    .await;
}
