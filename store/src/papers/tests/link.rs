//! Links: what proves them, what closes them, and who is on the roster.

use std::sync::Arc;

use model::papers::LinkState;

use super::*;
use crate::papers::TaskKind;
use crate::testing::{NOW, feed, network, on_both};

#[tokio::test]
async fn gov_nine_three_nothing_opens_before_the_facility_agrees() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        assert!(open(&stage.store, entered.patient).await.is_empty());
        let entry = papers.roster(&hospital()).await.unwrap().remove(0);
        assert_eq!(
            (entry.patient, entry.public, entry.links[0].state),
            (entered.patient, entered.public, LinkState::Unproved)
        );

        let state = papers
            .prove_link(entry.patient, &entry.links[0].local_id, &evidence())
            .await
            .unwrap();
        let now = papers.roster(&hospital()).await.unwrap().remove(0);
        assert_eq!(
            (state, now.epoch),
            (LinkState::Proved, entry.epoch + 1),
            "one step and no more: a feed tells its own proof from a paper by it"
        );
        let readers = [hospital(), clinic(), pharmacy()].map(|reader| (reader, hospital()));
        assert_eq!(
            open(&stage.store, entered.patient).await,
            BTreeSet::from(readers)
        );
        let again = papers
            .prove_link(entry.patient, &entry.links[0].local_id, &evidence())
            .await
            .unwrap();
        assert_eq!(again, state);
        let later = papers.roster(&hospital()).await.unwrap().remove(0);
        assert_eq!(later.epoch, now.epoch);
    })
    .await;
}

#[tokio::test]
async fn a_facility_that_disagrees_is_closed_until_somebody_brings_a_paper() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let at_hospital = local(hospital(), "0000123456");
        let other = Evidence {
            birth_date: "1958-03-15".parse().ok(),
            ..evidence()
        };
        let state = papers
            .prove_link(entered.patient, &at_hospital, &other)
            .await
            .unwrap();
        assert_eq!(state, LinkState::Disagrees);
        let tasks = papers.tasks().await.unwrap();
        assert_eq!(
            (tasks[0].kind, tasks[0].patient),
            (TaskKind::LinkDisagrees, Some(entered.public))
        );
        assert_eq!(tasks[0].facility, Some(hospital()));
        let again = papers
            .prove_link(entered.patient, &at_hospital, &evidence())
            .await
            .unwrap();
        assert_eq!(again, LinkState::Disagrees);
        assert!(open(&stage.store, entered.patient).await.is_empty());

        // The form had a wrong birth date: it is withdrawn, and the patient signs another one.
        papers.withdraw(OPERATOR, &incomplete("C-1")).await.unwrap();
        let right = ConsentPaper {
            birth_date: "1958-03-15".parse().unwrap(),
            ..consent("C-2")
        };
        let second = papers
            .enter_consent(OPERATOR, &right, Entry::Active)
            .await
            .unwrap();
        assert_eq!(second.patient, entered.patient);
        let state = papers
            .prove_link(entered.patient, &at_hospital, &other)
            .await
            .unwrap();
        assert_eq!(state, LinkState::Proved);
    })
    .await;
}

#[tokio::test]
async fn a_facility_without_kana_agrees_by_what_another_one_proved() {
    on_both(async |stage| {
        let papers = papers(stage);
        let ids = vec![local(hospital(), "0000123456"), local(clinic(), "77")];
        let paper = ConsentPaper {
            local_ids: ids.clone(),
            ..consent("C-1")
        };
        let entered = papers
            .enter_consent(OPERATOR, &paper, Entry::Active)
            .await
            .unwrap();
        let kanji_only = Evidence {
            kana: None,
            ..evidence()
        };
        let early = papers
            .prove_link(entered.patient, &ids[1], &kanji_only)
            .await
            .unwrap();
        assert_eq!(early, LinkState::Unproved);
        papers
            .prove_link(entered.patient, &ids[0], &evidence())
            .await
            .unwrap();
        let later = papers
            .prove_link(entered.patient, &ids[1], &kanji_only)
            .await
            .unwrap();
        assert_eq!(later, LinkState::Proved);
    })
    .await;
}

#[tokio::test]
async fn later_items_are_held_against_every_version_of_the_demographics() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = proved(&papers, &consent("C-1")).await;
        let at_hospital = local(hospital(), "0000123456");
        let married = Evidence {
            kana: Some("サンプル キヨウミ".to_owned()),
            kanji: None,
            ..evidence()
        };
        let fits_here = async |evidence: &Evidence| {
            fits(&papers, entered.patient, &at_hospital, evidence).await
        };
        assert!(fits_here(&evidence()).await);
        assert!(!fits_here(&married).await);
        // The number of somebody else is not a version, be it a twin; a new name after a marriage is.
        let man = Evidence {
            sex: Some(Sex::Male),
            ..married.clone()
        };
        let twin = Evidence {
            kana: Some("ミホン マサミ".to_owned()),
            kanji: Some("見本 雅美".to_owned()),
            ..evidence()
        };
        let in_one = Evidence {
            kana: Some("サンプルキヨウミ".to_owned()),
            ..married.clone()
        };
        let open = async || papers.tasks().await.unwrap();
        for (demographics, known) in [
            (man, false),
            (twin, false),
            (in_one, false),
            (married.clone(), true),
        ] {
            let state = papers
                .prove_link(entered.patient, &at_hospital, &demographics)
                .await
                .unwrap();
            assert_eq!(state, LinkState::Proved);
            assert_eq!(fits_here(&demographics).await, known);
            // Somebody looks, once; the link and what fits it stay.
            let tasks = open().await;
            assert_eq!(tasks.len(), usize::from(!known));
            for task in tasks {
                assert_eq!(task.kind, TaskKind::LinkDisagrees);
                assert_eq!(task.facility, Some(hospital()));
                papers.close_task(task.id).await.unwrap();
            }
            assert!(fits_here(&evidence()).await);
        }
        let elsewhere = local(clinic(), "77");
        assert!(!fits(&papers, entered.patient, &elsewhere, &evidence()).await);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_linked_without_a_paper() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let unnamed = local(clinic(), "0000123456");
        assert!(
            papers
                .prove_link(entered.patient, &unnamed, &evidence())
                .await
                .is_err()
        );
        assert!(roster(&papers, clinic()).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn feeds_read_only_while_and_where_a_consent_covers_the_facility() {
    on_both(async |stage| {
        let papers = papers(stage);
        let ids = vec![local(hospital(), "0000123456"), local(clinic(), "77")];
        let paper = ConsentPaper {
            local_ids: ids,
            sources: only([hospital()]),
            from: "2026-04-02".parse().unwrap(),
            to: "2026-04-03".parse().ok(),
            ..consent("C-1")
        };
        papers
            .enter_consent(OPERATOR, &paper, Entry::Active)
            .await
            .unwrap();
        for (hours, expected) in [(0, 0), (24, 1), (60, 1), (63, 0)] {
            stage.clock.set(NOW.plus_seconds(hours * 3600));
            assert_eq!(
                roster(&papers, hospital()).await.len(),
                expected,
                "{hours} h"
            );
            assert!(roster(&papers, clinic()).await.is_empty());
        }
        stage.clock.set(NOW);
    })
    .await;
}

#[tokio::test]
async fn local_ids_compare_as_the_facilitys_feed_says() {
    on_both(async |stage| {
        let mut network = network();
        let mut feed = feed("hospital");
        feed.identity.strip_leading_zeros = true;
        network.feeds.insert(feed.id.clone(), feed);
        let store = Store::open(stage.config.clone(), Arc::new(network), stage.clock.clone())
            .await
            .unwrap();
        let papers = store.papers(fold);
        let first = papers
            .enter_consent(OPERATOR, &consent("C-1"), Entry::Active)
            .await
            .unwrap();
        let bare = ConsentPaper {
            local_ids: vec![local(hospital(), "123456")],
            ..consent("C-2")
        };
        let second = papers
            .enter_consent(OPERATOR, &bare, Entry::Active)
            .await
            .unwrap();
        assert_eq!(second.patient, first.patient);
        assert_eq!(roster(&papers, hospital()).await, ["0000123456"]);
    })
    .await;
}

/// What the hospital says of the patient of [`stranger`].
fn of_stranger() -> Evidence {
    Evidence {
        birth_date: "1961-07-07".parse().ok(),
        kana: Some("タニン ハナコ".to_owned()),
        kanji: None,
        ..evidence()
    }
}

fn proof(of: &Entered, id: &str, evidence: Evidence) -> Proof {
    Proof {
        patient: of.patient,
        local_id: local(hospital(), id),
        evidence,
    }
}

#[tokio::test]
async fn links_of_several_patients_are_proved_together_and_each_stands_for_itself() {
    on_both(async |stage| {
        let papers = papers(stage);
        let enter = async |paper: &ConsentPaper| {
            let entered = papers.enter_consent(OPERATOR, paper, Entry::Active).await;
            entered.unwrap()
        };
        let (one, other) = (enter(&consent("C-1")).await, enter(&stranger("C-2")).await);
        let impostor = ConsentPaper {
            local_ids: vec![local(hospital(), "0000555555")],
            ..consent("C-3")
        };
        let third = enter(&impostor).await;
        empty_outbox(&papers).await;
        let proofs = [
            proof(&one, "0000123456", evidence()),
            proof(&other, "0000999999", of_stranger()),
            proof(&third, "0000555555", of_stranger()),
        ];
        // Said again it changes nothing.
        for errands_since in [4, 0] {
            let states = papers.prove_links(&proofs).await;
            let states: Vec<LinkState> = states.into_iter().map(Result::unwrap).collect();
            let (proved, disagrees) = (LinkState::Proved, LinkState::Disagrees);
            assert_eq!(states, [proved, proved, disagrees]);
            // An audit row each; nothing is fetched any more of whom the facility does not mean.
            assert!(errands(&papers).await.len() <= errands_since);
            empty_outbox(&papers).await;
        }
        for entered in [&one, &other, &third] {
            assert_eq!(papers.epoch(entered.patient).await.unwrap(), 2);
        }
        assert!(!open(&stage.store, one.patient).await.is_empty());
        assert!(!open(&stage.store, other.patient).await.is_empty());
        assert!(open(&stage.store, third.patient).await.is_empty());
        assert_eq!(papers.tasks().await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn one_bad_patient_hurts_no_other_one_whose_link_is_proved_with_theirs() {
    on_both(async |stage| {
        let papers = papers(stage);
        let mut entered = Vec::new();
        for paper in [consent("C-1"), stranger("C-2")] {
            let one = papers.enter_consent(OPERATOR, &paper, Entry::Active).await;
            entered.push(one.unwrap());
        }
        let sql = "update consent_version set sealed = $2 where consent_no = $1";
        let broken = params!["C-1", vec![1_u8]];
        stage.store.0.office.execute(sql, broken).await.unwrap();
        let proofs = [
            proof(&entered[0], "0000123456", evidence()),
            proof(&entered[1], "0000999999", of_stranger()),
        ];
        let states = papers.prove_links(&proofs).await;
        assert!(matches!(states[0], Err(Error::Corrupt(_))));
        assert!(matches!(states[1], Ok(LinkState::Proved)));
        assert!(open(&stage.store, entered[0].patient).await.is_empty());
        assert!(!open(&stage.store, entered[1].patient).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn what_one_link_of_a_patient_proves_counts_for_the_next_one_proved_with_it() {
    on_both(async |stage| {
        let papers = papers(stage);
        let numbers = ["0000123456", "0000123457"];
        let paper = ConsentPaper {
            local_ids: numbers.map(|id| local(hospital(), id)).to_vec(),
            ..consent("C-1")
        };
        let entered = papers.enter_consent(OPERATOR, &paper, Entry::Active).await;
        let entered = entered.unwrap();
        let kanji_only = Evidence {
            kana: None,
            ..evidence()
        };
        let proofs = [
            proof(&entered, numbers[0], evidence()),
            proof(&entered, numbers[1], kanji_only),
        ];
        let states = papers.prove_links(&proofs).await;
        assert!(
            states
                .into_iter()
                .all(|state| state.unwrap() == LinkState::Proved)
        );
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_away_is_no_fault_of_a_link() {
    on_both(async |stage| {
        let papers = papers(stage);
        let proof = |number| Proof {
            patient: PatientNumber(number),
            local_id: local(hospital(), "0000123456"),
            evidence: evidence(),
        };
        stage.store.close().await;
        let states = papers.prove_links(&[proof(1), proof(2)]).await;
        assert!(
            matches!(
                states.as_slice(),
                [Err(Error::Unavailable(_)), Err(Error::Unavailable(_))]
            ),
            "{states:?}"
        );
    })
    .await;
}
