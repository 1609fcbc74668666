//! Consents: once, the same again, another one, somebody else's.

use model::papers::ConsentState;
use model::time::Instant;

use super::*;
use crate::papers::TaskKind;
use crate::testing::{NOW, on_both};

#[tokio::test]
async fn gov_nine_one_a_signed_consent_opens_nothing_until_it_is_checked() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Signed)
            .await
            .unwrap();
        assert_eq!(
            (entered.created, entered.changed, entered.state),
            (true, true, ConsentState::Signed)
        );
        assert!(roster(&papers, hospital()).await.is_empty());
        assert_eq!(errands(&papers).await, ["audit"]);

        let checked = papers
            .check(OPERATOR, &"C-1".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(
            (checked.patient, checked.state),
            (entered.patient, ConsentState::Active)
        );
        assert_eq!(roster(&papers, hospital()).await, ["0000123456"]);
        assert_eq!(
            errands(&papers).await,
            ["audit", "introduce", "back-fill 1319999901", "audit"]
        );
        assert!(
            !papers
                .check(OPERATOR, &"C-1".parse().unwrap())
                .await
                .unwrap()
                .changed
        );
    })
    .await;
}

#[tokio::test]
async fn the_same_paper_again_changes_nothing() {
    on_both(async |stage| {
        let papers = papers(stage);
        let first = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let epoch = papers.epoch(first.patient).await.unwrap();
        let again = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        assert_eq!((again.patient, again.public), (first.patient, first.public));
        assert_eq!((again.created, again.changed), (false, false));
        let signed = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Signed)
            .await
            .unwrap();
        assert_eq!(
            (signed.changed, signed.state),
            (false, ConsentState::Active)
        );
        assert_eq!(papers.epoch(first.patient).await.unwrap(), epoch);
    })
    .await;
}

#[tokio::test]
async fn a_signed_paper_entered_as_checked_is_in_force() {
    on_both(async |stage| {
        let papers = papers(stage);
        papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Signed)
            .await
            .unwrap();
        let active = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        assert_eq!(
            (active.created, active.changed, active.state),
            (false, true, ConsentState::Active)
        );
        let shown = papers.show(&"C-1".parse().unwrap()).await.unwrap();
        assert_eq!(shown.active_since, Some(NOW));
    })
    .await;
}

#[tokio::test]
async fn a_number_belongs_to_one_paper() {
    on_both(async |stage| {
        let papers = papers(stage);
        papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let other = ConsentPaper {
            readers: only([clinic()]),
            ..consent("C-1")
        };
        let refused = papers.enter_consent(OPERATOR, &other, Entry::Active).await;
        assert_eq!(why(refused), Disagreement::OtherContent);
        assert!(papers.show(&"C-1".parse().unwrap()).await.unwrap().paper == consent("C-1"));
    })
    .await;
}

#[tokio::test]
async fn papers_that_name_the_same_local_id_are_of_one_patient() {
    on_both(async |stage| {
        let papers = papers(stage);
        let first = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let ids = vec![local(hospital(), "0000123456"), local(clinic(), "77")];
        let second = ConsentPaper {
            local_ids: ids,
            ..consent("C-2")
        };
        let second = papers
            .enter_consent(OPERATOR, &second, Entry::Active)
            .await
            .unwrap();
        assert_eq!((second.patient, second.created), (first.patient, false));
        let third = ConsentPaper {
            local_ids: vec![local(clinic(), "77")],
            ..consent("C-3")
        };
        let third = papers
            .enter_consent(OPERATOR, &third, Entry::Active)
            .await
            .unwrap();
        assert_eq!(third.patient, first.patient);
        let other = papers
            .enter_consent(OPERATOR, &stranger("C-4"), Entry::Active)
            .await
            .unwrap();
        assert_ne!((other.patient, other.public), (first.patient, first.public));
        assert!(other.created);
    })
    .await;
}

#[tokio::test]
async fn a_patient_whom_a_hospital_registered_twice_is_one_patient_with_both_numbers() {
    on_both(async |stage| {
        let papers = papers(stage);
        let naming = |consent_no, numbers: &[&str]| ConsentPaper {
            local_ids: numbers
                .iter()
                .map(|number| local(hospital(), number))
                .collect(),
            ..consent(consent_no)
        };
        for paper in [naming("C-1", &["1", "2"]), naming("C-2", &["2", "3"])] {
            papers
                .enter_consent(OPERATOR, &paper, Entry::Active)
                .await
                .unwrap();
        }
        let on_roster = papers.roster(&hospital()).await.unwrap();
        assert_eq!(on_roster.len(), 1);
        let mut numbers = roster(&papers, hospital()).await;
        numbers.sort();
        assert_eq!(numbers, ["1", "2", "3"]);
    })
    .await;
}

#[tokio::test]
async fn a_paper_with_local_ids_of_two_patients_is_refused_and_somebody_must_look() {
    on_both(async |stage| {
        let papers = papers(stage);
        let one = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let other = papers
            .enter_consent(
                OPERATOR,
                &ConsentPaper {
                    local_ids: vec![local(clinic(), "0000999999")],
                    ..stranger("C-2")
                },
                Entry::Active,
            )
            .await
            .unwrap();
        let ids = vec![
            local(hospital(), "0000123456"),
            local(clinic(), "0000999999"),
        ];
        let both = ConsentPaper {
            local_ids: ids,
            ..consent("C-3")
        };
        for _ in 0..2 {
            let refused = papers.enter_consent(OPERATOR, &both, Entry::Active).await;
            assert_eq!(why(refused), Disagreement::TwoPatients);
        }
        assert!(matches!(
            papers.show(&"C-3".parse().unwrap()).await,
            Err(PaperError::NotFound)
        ));
        let tasks = papers.tasks().await.unwrap();
        let about: Vec<_> = tasks.iter().map(|task| (task.kind, task.patient)).collect();
        assert_eq!(
            about,
            [
                (TaskKind::TwoPatients, Some(one.public)),
                (TaskKind::TwoPatients, Some(other.public))
            ]
        );
        papers.close_task(tasks[0].id).await.unwrap();
        assert_eq!(papers.tasks().await.unwrap().len(), 1);
        assert!(papers.close_task(tasks[0].id).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_mistyped_local_id_does_not_join_twins() {
    on_both(async |stage| {
        let papers = papers(stage);
        papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let ids = vec![local(hospital(), "0000123456"), local(clinic(), "78")];
        let twin = ConsentPaper {
            kana: "ミホン ケイコ".to_owned(),
            local_ids: ids,
            ..consent("C-2")
        };
        let refused = papers.enter_consent(OPERATOR, &twin, Entry::Active).await;
        assert_eq!(why(refused), Disagreement::OtherPerson);
        assert_eq!(papers.tasks().await.unwrap()[0].kind, TaskKind::OtherPerson);
        assert!(roster(&papers, clinic()).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn data_that_are_held_after_a_withdrawal_do_not_become_somebody_elses() {
    on_both(async |stage| {
        let papers = papers(stage);
        let first = proved(&papers, &consent("C-1")).await;
        papers.withdraw(OPERATOR, &incomplete("C-1")).await.unwrap();
        let other = ConsentPaper {
            local_ids: consent("C-1").local_ids,
            ..stranger("C-2")
        };
        let refused = papers.enter_consent(OPERATOR, &other, Entry::Active).await;
        assert_eq!(why(refused), Disagreement::OtherPerson);

        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        let erasure = papers.due_erasure(first.patient).await.unwrap().unwrap();
        papers.erased(&erasure).await.unwrap();
        let entered = papers
            .enter_consent(OPERATOR, &other, Entry::Active)
            .await
            .unwrap();
        assert_ne!(entered.patient, first.patient);
    })
    .await;
}

#[tokio::test]
async fn data_that_wait_for_their_erasing_do_not_become_somebody_elses() {
    on_both(async |stage| {
        let papers = papers(stage);
        let first = proved(&papers, &consent("C-1")).await;
        papers.withdraw(OPERATOR, &complete("C-1")).await.unwrap();
        let other = ConsentPaper {
            local_ids: consent("C-1").local_ids,
            ..stranger("C-2")
        };
        let refused = papers.enter_consent(OPERATOR, &other, Entry::Active).await;
        assert_eq!(why(refused), Disagreement::OtherPerson);
        assert!(open(&stage.store, first.patient).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_same_name_typed_otherwise_is_the_same_person() {
    on_both(async |stage| {
        let papers = papers(stage);
        let first = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let other = ConsentPaper {
            kana: "ミホン　キヨウミ".to_owned(),
            ..consent("C-2")
        };
        let second = papers
            .enter_consent(OPERATOR, &other, Entry::Active)
            .await
            .unwrap();
        assert_eq!(second.patient, first.patient);
    })
    .await;
}

#[tokio::test]
async fn papers_that_arrive_together_introduce_one_patient() {
    on_both(async |stage| {
        let entering = (0..8).map(|at| {
            let papers = papers(stage);
            let paper = consent(&format!("C-{at}"));
            tokio::spawn(async move {
                papers
                    .enter_consent(OPERATOR, &paper, Entry::Active)
                    .await
                    .unwrap()
            })
        });
        let mut patients = BTreeSet::new();
        for entering in entering.collect::<Vec<_>>() {
            patients.insert(entering.await.unwrap().patient);
        }
        assert_eq!(patients.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn fields_that_cannot_be_as_they_are_are_named() {
    on_both(async |stage| {
        let paper = ConsentPaper {
            kana: "見本".to_owned(),
            signed_on: "2026-04-02".parse().unwrap(),
            explained_by: " ".to_owned(),
            local_ids: vec![local("1319999999".parse().unwrap(), "1")],
            readers: only([]),
            categories: Categories::NONE,
            to: "2026-03-31".parse().ok(),
            ..consent("C-1")
        };
        let refused = papers(stage)
            .enter_consent(OPERATOR, &paper, Entry::Active)
            .await;
        let Err(PaperError::Wrong(wrongs)) = refused else {
            panic!("{refused:?}")
        };
        let fields: Vec<&str> = wrongs.iter().map(|wrong| wrong.field).collect();
        assert_eq!(
            fields,
            [
                "explained_by",
                "signed_on",
                "kana",
                "local_ids",
                "readers",
                "categories",
                "to"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn what_a_paper_says_comes_back_as_it_was_entered() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = proved(&papers, &consent("C-1")).await;
        let shown = papers.show(&"C-1".parse().unwrap()).await.unwrap();
        assert!(shown.paper == consent("C-1"));
        assert_eq!(
            (shown.patient, shown.state),
            (entered.public, ConsentState::Active)
        );
        assert_eq!(shown.links.len(), 1);
        assert_eq!(shown.links[0].1, model::papers::LinkState::Proved);
        assert_eq!(
            (shown.withdrawn_at, shown.erase_at),
            (None::<Instant>, None)
        );
        assert!(matches!(
            papers.show(&"C-9".parse().unwrap()).await,
            Err(PaperError::NotFound)
        ));
    })
    .await;
}

#[tokio::test]
async fn names_and_local_ids_stand_nowhere_in_clear() {
    on_both(async |stage| {
        proved(&papers(stage), &consent("C-1")).await;
        let Some(path) = stage.config.office.strip_prefix("sqlite://") else {
            return;
        };
        for file in [path.to_owned(), format!("{path}-wal")] {
            let bytes = std::fs::read(file).unwrap();
            for secret in [
                "ミホン",
                "キヨウミ",
                "見本",
                "0000123456",
                "1958-03-14",
                "事務 太郎",
            ] {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{secret}");
            }
        }
    })
    .await;
}
