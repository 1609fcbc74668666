//! What may be erased after a withdrawal, and what stays because something else holds it.

use model::papers::ConsentState;

use super::*;
use crate::papers::link::number;
use crate::papers::{Erasure, Ground};
use crate::testing::on_both;

/// Consent C-1 for the hospital's data, C-2 for the clinic's; both know the patient.
async fn two_sources(papers: &Papers) -> Entered {
    let at_hospital = ConsentPaper {
        sources: only([hospital()]),
        ..consent("C-1")
    };
    let ids = vec![local(hospital(), "0000123456"), local(clinic(), "77")];
    let at_clinic = ConsentPaper {
        sources: only([clinic()]),
        local_ids: ids,
        ..consent("C-2")
    };
    proved(papers, &at_hospital).await;
    proved(papers, &at_clinic).await
}

#[tokio::test]
async fn what_stands_under_a_number_goes_with_the_last_paper_that_names_it() {
    on_both(async |stage| {
        let papers = papers(stage);
        let naming = |consent_no, numbers: &[&str]| ConsentPaper {
            sources: only([hospital()]),
            local_ids: numbers
                .iter()
                .map(|number| local(hospital(), number))
                .collect(),
            ..consent(consent_no)
        };
        proved(&papers, &naming("C-1", &["1"])).await;
        let entered = proved(&papers, &naming("C-2", &["1", "2"])).await;
        let back_fill = format!("back-fill {}", hospital());
        let looks = async || {
            errands(&papers)
                .await
                .iter()
                .filter(|errand| **errand == back_fill)
                .count()
        };
        let before = looks().await;
        papers.withdraw(OPERATOR, &complete("C-2")).await.unwrap();
        assert_eq!(
            looks().await,
            before + 1,
            "what stands there is hidden at once"
        );
        let erasure = papers.due_erasure(entered.patient).await.unwrap().unwrap();
        let second = number(papers.shared(), &local(hospital(), "2"));
        assert_eq!(erasure.numbers, [(hospital(), second)]);
        assert!(erasure.sources.is_empty() && !erasure.whole);
        papers.erased(&erasure).await.unwrap();
        assert_eq!(roster(&papers, hospital()).await, ["1"]);
        let first = local(hospital(), "1");
        let fits = fits(&papers, entered.patient, &first, &evidence()).await;
        assert!(fits, "what proved the other number stays");
        assert_eq!(errands(&papers).await.last(), Some(&back_fill));
        assert_eq!(papers.due_erasure(entered.patient).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn only_sources_that_nothing_holds_any_more_are_erased() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = two_sources(&papers).await;
        assert_eq!(papers.due_erasure(entered.patient).await.unwrap(), None);
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        let erasure = papers.due_erasure(entered.patient).await.unwrap().unwrap();
        let expected = Erasure {
            patient: entered.patient,
            public: entered.public,
            consents: vec!["C-1".parse().unwrap()],
            ground: Ground::Withdrawal,
            sources: vec![hospital()],
            numbers: Vec::new(),
            whole: false,
        };
        assert_eq!(erasure, expected);
        papers.erased(&erasure).await.unwrap();
        assert_eq!(papers.due_erasure(entered.patient).await.unwrap(), None);
        assert_eq!(
            papers.show(&"C-1".parse().unwrap()).await.unwrap().state,
            ConsentState::Erased
        );
        assert_eq!(roster(&papers, clinic()).await, ["77"]);
        // The hospital's number still stands on the other form, but its demographics are gone.
        let at_hospital = local(hospital(), "0000123456");
        assert!(!fits(&papers, entered.patient, &at_hospital, &evidence()).await);
    })
    .await;
}

#[tokio::test]
async fn data_of_an_incomplete_withdrawal_stay() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = two_sources(&papers).await;
        papers.withdraw(OPERATOR, &incomplete("C-1")).await.unwrap();
        papers.withdraw(OPERATOR, &complete("C-2")).await.unwrap();
        let erasure = papers.due_erasure(entered.patient).await.unwrap().unwrap();
        assert_eq!((erasure.sources, erasure.whole), (vec![clinic()], false));
    })
    .await;
}

#[tokio::test]
async fn the_last_withdrawal_erases_the_whole_patient_and_a_new_consent_begins_anew() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = two_sources(&papers).await;
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        papers.withdraw(OPERATOR, &complete("C-2")).await.unwrap();
        let erasure = papers.due_erasure(entered.patient).await.unwrap().unwrap();
        assert!(erasure.whole);
        assert_eq!(erasure.sources, [hospital(), clinic()]);
        papers.erased(&erasure).await.unwrap();
        let anew = papers
            .enter_consent(OPERATOR, &consent("C-3"), Entry::Active)
            .await
            .unwrap();
        assert!(anew.created);
        assert_ne!(
            (anew.patient, anew.public),
            (entered.patient, entered.public)
        );
    })
    .await;
}

#[tokio::test]
async fn a_consent_that_came_while_data_were_erased_has_them_fetched_again() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = proved(&papers, &consent("C-1")).await;
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        let erasure = papers.due_erasure(entered.patient).await.unwrap().unwrap();
        papers
            .enter_consent(OPERATOR, &consent("C-2"), Entry::Active)
            .await
            .unwrap();
        empty_outbox(&papers).await;
        assert!(papers.erased(&erasure).await.is_err());
        assert_eq!(
            errands(&papers).await,
            ["introduce", "back-fill 1319999901"]
        );
        let now_due = papers.due_erasure(entered.patient).await.unwrap().unwrap();
        assert_eq!((now_due.sources.len(), now_due.whole), (0, false));
        papers.erased(&now_due).await.unwrap();
        assert_eq!(roster(&papers, hospital()).await, ["0000123456"]);
    })
    .await;
}
