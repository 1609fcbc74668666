//! Withdrawals: the door shuts at once, the data go when the paper is complete and the hold is over.

use std::sync::Arc;

use model::network::Limit;
use model::papers::ConsentState;

use super::*;
use crate::testing::{NOW, network, on_both};

/// The same store under a regulation that holds withdrawn data for seven days.
async fn with_hold(stage: &Stage) -> Papers {
    let mut network = network();
    network.profile.withdrawal.hold = Limit::Span {
        months: 0,
        days: 7,
        seconds: 0,
    };
    let store = Store::open(stage.config.clone(), Arc::new(network), stage.clock.clone())
        .await
        .unwrap();
    store.papers(fold)
}

const DAY: i64 = 86_400;

#[tokio::test]
async fn gov_nine_one_a_withdrawal_shuts_the_door_in_its_own_transaction() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = proved(&papers, &consent("C-1")).await;
        assert_eq!(open(&stage.store, entered.patient).await.len(), 3);
        let epoch = papers.epoch(entered.patient).await.unwrap();
        let withdrawn = papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        assert_eq!(
            (withdrawn.patient, withdrawn.state),
            (entered.patient, ConsentState::Withdrawn)
        );
        assert!(open(&stage.store, entered.patient).await.is_empty());
        assert!(roster(&papers, hospital()).await.is_empty());
        assert_eq!(papers.epoch(entered.patient).await.unwrap(), epoch + 1);
    })
    .await;
}

#[tokio::test]
async fn gov_nine_two_an_incomplete_withdrawal_stops_now_and_deletes_when_it_is_complete() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = proved(&papers, &consent("C-1")).await;
        empty_outbox(&papers).await;
        papers.withdraw(OPERATOR, &incomplete("C-1")).await.unwrap();
        assert!(open(&stage.store, entered.patient).await.is_empty());
        assert_eq!(errands(&papers).await, ["audit"]);
        assert!(
            !papers
                .withdraw(OPERATOR, &incomplete("C-1"))
                .await
                .unwrap()
                .changed
        );
        assert_eq!(papers.due_erasure(entered.patient).await.unwrap(), None);

        stage.clock.set(NOW.plus_seconds(DAY));
        assert!(
            papers
                .withdraw(OPERATOR, &complete("C-1"))
                .await
                .unwrap()
                .changed
        );
        assert_eq!(errands(&papers).await, ["audit", "erase", "audit"]);
        let shown = papers.show(&"C-1".parse().unwrap()).await.unwrap();
        assert_eq!(
            (shown.withdrawn_at, shown.erase_at),
            (Some(NOW), Some(NOW.plus_seconds(DAY)))
        );
        assert!(
            !papers
                .withdraw(OPERATOR, &complete("C-1"))
                .await
                .unwrap()
                .changed
        );
        stage.clock.set(NOW);
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_can_be_taken_back_inside_the_hold_only() {
    on_both(async |stage| {
        let papers = with_hold(stage).await;
        let entered = proved(&papers, &consent("C-1")).await;
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        let shown = papers.show(&"C-1".parse().unwrap()).await.unwrap();
        assert_eq!(shown.erase_at, Some(NOW.plus_seconds(7 * DAY)));

        stage.clock.set(NOW.plus_seconds(7 * DAY - 1));
        assert_eq!(papers.due_erasure(entered.patient).await.unwrap(), None);
        let restored = papers
            .restore(OPERATOR, &"C-1".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(restored.state, ConsentState::Active);
        assert_eq!(open(&stage.store, entered.patient).await.len(), 3);
        assert_eq!(roster(&papers, hospital()).await, ["0000123456"]);

        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        stage.clock.set(NOW.plus_seconds(14 * DAY - 1));
        let late = papers.restore(OPERATOR, &"C-1".parse().unwrap()).await;
        assert_eq!(why(late), Disagreement::State);
        assert!(papers.due_erasure(entered.patient).await.unwrap().is_some());
        stage.clock.set(NOW);
    })
    .await;
}

#[tokio::test]
async fn an_incomplete_withdrawal_can_be_taken_back_at_any_time() {
    on_both(async |stage| {
        let papers = papers(stage);
        papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Signed)
            .await
            .unwrap();
        papers.withdraw(OPERATOR, &incomplete("C-1")).await.unwrap();
        let checked = papers.check(OPERATOR, &"C-1".parse().unwrap()).await;
        assert_eq!(why(checked), Disagreement::State);
        let restored = papers
            .restore(OPERATOR, &"C-1".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(restored.state, ConsentState::Signed);
        let again = papers.restore(OPERATOR, &"C-1".parse().unwrap()).await;
        assert_eq!(why(again), Disagreement::State);
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_is_not_taken_back_over_the_paper_of_another_person() {
    on_both(async |stage| {
        let papers = papers(stage);
        let mistyped = ConsentPaper {
            local_ids: consent("C-1").local_ids,
            ..stranger("C-1")
        };
        proved(&papers, &mistyped).await;
        papers.withdraw(OPERATOR, &incomplete("C-1")).await.unwrap();
        let right = ConsentPaper {
            readers: only([clinic()]),
            ..consent("C-2")
        };
        let entered = proved(&papers, &right).await;
        let opened = open(&stage.store, entered.patient).await;
        assert_eq!(opened, BTreeSet::from([(clinic(), hospital())]));

        let restored = papers.restore(OPERATOR, &"C-1".parse().unwrap()).await;
        assert_eq!(why(restored), Disagreement::OtherPerson);
        assert_eq!(open(&stage.store, entered.patient).await, opened);
    })
    .await;
}

#[tokio::test]
async fn the_hold_is_for_papers_that_never_opened_anything_too() {
    on_both(async |stage| {
        let papers = with_hold(stage).await;
        let signed = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Signed)
            .await
            .unwrap();
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        assert_eq!(papers.due_erasure(signed.patient).await.unwrap(), None);
        stage.clock.set(NOW.plus_seconds(7 * DAY));
        let erasure = papers.due_erasure(signed.patient).await.unwrap().unwrap();
        assert!(erasure.whole);
        papers.erased(&erasure).await.unwrap();
        stage.clock.set(NOW);
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_paper_entered_again_stays_withdrawn() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = proved(&papers, &consent("C-1")).await;
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        let again = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        assert_eq!(
            (again.changed, again.state),
            (false, ConsentState::Withdrawn)
        );
        assert!(open(&stage.store, entered.patient).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_withdrawal_ends_its_own_consent_only() {
    on_both(async |stage| {
        let papers = papers(stage);
        let for_clinic = ConsentPaper {
            readers: only([clinic()]),
            ..consent("C-1")
        };
        let entered = proved(&papers, &for_clinic).await;
        let for_pharmacy = ConsentPaper {
            readers: only([pharmacy()]),
            ..consent("C-2")
        };
        papers
            .enter_consent(OPERATOR, &for_pharmacy, Entry::Active)
            .await
            .unwrap();
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        let left = open(&stage.store, entered.patient).await;
        assert_eq!(left, BTreeSet::from([(pharmacy(), hospital())]));
        assert_eq!(roster(&papers, hospital()).await, ["0000123456"]);
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_nobody_entered_cannot_be_withdrawn() {
    on_both(async |stage| {
        let refused = papers(stage).withdraw(OPERATOR, &complete("C-1")).await;
        assert!(matches!(refused, Err(PaperError::NotFound)));
    })
    .await;
}
