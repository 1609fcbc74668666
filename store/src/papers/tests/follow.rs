//! Grants: they are what the decision computes from the papers, whatever happened in which order.

use std::sync::Arc;

use consent::{ConsentFacts, Link, PatientPapers, effective};
use model::papers::{ConsentState, EffectiveGrant, LinkState};
use model::record::Sensitivity;
use model::time::Instant;

use super::*;
use crate::testing::{NOW, network, on_both};

type Row = (i64, i64, i64, i64, i64, i64, i64, i64);

/// The grants as they stand in the table.
async fn grants(store: &Store, patient: PatientNumber) -> Vec<EffectiveGrant> {
    let sql = "select reader, source, categories, sensitivity_max, valid_from, valid_to, window_from, window_to \
               from effective_grant where patient = $1 order by ordinal";
    let rows: Vec<Row> = store
        .0
        .office
        .fetch_all(sql, params![patient])
        .await
        .unwrap();
    let grant = |(reader, source, categories, sensitivity, vf, vt, wf, wt): Row| {
        assert_eq!(sensitivity, Sensitivity::Normal as i64);
        EffectiveGrant {
            reader: FacilityId::from_number(reader).unwrap(),
            source: FacilityId::from_number(source).unwrap(),
            categories: Categories(categories),
            sensitivity_max: Sensitivity::Normal,
            valid_from: Instant(vf),
            valid_to: Instant(vt),
            window_from: Instant(wf),
            window_to: Instant(wt),
        }
    };
    rows.into_iter().map(grant).collect()
}

/// What the four papers of the random story say.
fn story(number: u64) -> ConsentPaper {
    let ids = vec![local(hospital(), "0000123456"), local(clinic(), "77")];
    match number {
        0 => consent("C-0"),
        1 => ConsentPaper {
            local_ids: ids,
            readers: only([clinic()]),
            ..consent("C-1")
        },
        2 => ConsentPaper {
            categories: [Category::Lab].into_iter().collect(),
            ..consent("C-2")
        },
        _ => ConsentPaper {
            local_ids: ids,
            sources: only([clinic()]),
            to: "2026-04-30".parse().ok(),
            ..consent("C-3")
        },
    }
}

#[tokio::test]
async fn grants_are_what_the_decision_computes_whatever_happened_in_which_order() {
    on_both(async |stage| {
        let papers = papers(stage);
        let mut states: [Option<ConsentState>; 4] = [Some(ConsentState::Active), None, None, None];
        let patient = papers
            .enter_consent(OPERATOR, &story(0), Entry::Active)
            .await
            .unwrap()
            .patient;
        let mut proved = BTreeSet::new();
        let mut random = 20_260_401_u64;
        for _ in 0..60 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (which, what) = ((random >> 33) % 4, (random >> 40) % 5);
            let paper = story(which);
            let state = &mut states[usize::try_from(which).unwrap()];
            match what {
                0 => {
                    let entered = papers
                        .enter_consent(OPERATOR, &paper, Entry::Active)
                        .await
                        .unwrap();
                    *state = Some(entered.state);
                }
                1 => {
                    if let Ok(entered) = papers
                        .withdraw(OPERATOR, &incomplete(&paper.consent_no.to_string()))
                        .await
                    {
                        *state = Some(entered.state);
                    }
                }
                2 => {
                    if let Ok(entered) = papers.restore(OPERATOR, &paper.consent_no).await {
                        *state = Some(entered.state);
                    }
                }
                _ => {
                    let local = paper.local_ids.last().unwrap();
                    let proof = papers.prove_link(patient, local, &evidence()).await;
                    if proof.is_ok_and(|state| state == LinkState::Proved) {
                        proved.insert(local.facility.clone());
                    }
                }
            }
            let active = || {
                (0..)
                    .zip(&states)
                    .filter(|(_, state)| **state == Some(ConsentState::Active))
            };
            let named: BTreeSet<FacilityId> = active()
                .flat_map(|(number, _)| story(number).local_ids)
                .map(|local| local.facility)
                .collect();
            let facts = PatientPapers {
                consents: active()
                    .map(|(n, _)| ConsentFacts::of(&story(n), ConsentState::Active, NOW))
                    .collect(),
                links: named
                    .intersection(&proved)
                    .map(|facility| Link {
                        facility: facility.clone(),
                        state: LinkState::Proved,
                    })
                    .collect(),
            };
            assert_eq!(
                grants(&stage.store, patient).await,
                effective(&facts, &network(), NOW)
            );
        }
        assert_eq!(proved.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn what_was_open_before_another_paper_is_open_since_then() {
    on_both(async |stage| {
        let papers = papers(stage);
        let labs = ConsentPaper { categories: [Category::Lab].into_iter().collect(), ..consent("C-1") };
        let entered = proved(&papers, &labs).await;
        stage.clock.set(NOW.plus_seconds(3600));
        papers.enter_consent(OPERATOR, &consent("C-2"), Entry::Active).await.unwrap();
        let sql = "select categories, since from effective_grant where patient = $1 and reader = $2 order by categories";
        let params = params![entered.patient, &clinic()];
        let rows: Vec<(i64, i64)> = stage.store.0.office.fetch_all(sql, params).await.unwrap();
        let expected = [(Category::Lab.bit(), NOW.0), (Categories::ALL.0, NOW.plus_seconds(3600).0)];
        assert_eq!(rows, expected);
        stage.clock.set(NOW);
    })
    .await;
}

#[tokio::test]
async fn after_a_change_of_the_regulation_nothing_is_read_until_grants_follow() {
    on_both(async |stage| {
        let papers = papers(stage);
        papers.recompute_all().await.unwrap();
        assert!(papers.ready().await.unwrap());
        let entered = proved(&papers, &consent("C-1")).await;
        let other = papers
            .enter_consent(OPERATOR, &stranger("C-2"), Entry::Active)
            .await
            .unwrap();
        let epochs = (
            papers.epoch(entered.patient).await.unwrap(),
            papers.epoch(other.patient).await.unwrap(),
        );

        let mut narrower = network();
        narrower.hash = [2; 32];
        narrower.facilities.remove(&pharmacy());
        let store = Store::open(
            stage.config.clone(),
            Arc::new(narrower),
            stage.clock.clone(),
        )
        .await
        .unwrap();
        let papers = store.papers(fold);
        assert!(!papers.ready().await.unwrap());
        assert_eq!(papers.recompute_all().await.unwrap(), 1);
        assert!(papers.ready().await.unwrap());
        assert_eq!(papers.recompute_all().await.unwrap(), 0);
        let readers = [hospital(), clinic()].map(|reader| (reader, hospital()));
        assert_eq!(open(&store, entered.patient).await, BTreeSet::from(readers));
        // Only whose grants changed must begin again.
        let now = (
            papers.epoch(entered.patient).await.unwrap(),
            papers.epoch(other.patient).await.unwrap(),
        );
        assert_eq!(now, (epochs.0 + 1, epochs.1));
        assert!(!self::papers(stage).ready().await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_must_follow_waits_in_order_until_it_is_done() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = proved(&papers, &consent("C-1")).await;
        let errands = papers.outbox(0, 100).await.unwrap();
        assert!(
            errands
                .iter()
                .all(|errand| errand.patient == entered.patient && errand.public == entered.public)
        );
        assert!(matches!(errands[0].what, Ok(What::Introduce)));
        assert!(
            matches!(&errands[1].what, Ok(What::BackFill(facility)) if *facility == hospital())
        );
        let actions: Vec<String> = errands[2..]
            .iter()
            .map(|errand| match &errand.what {
                Ok(What::Audit(event)) => {
                    let row = crate::audit::Row::parse(&event.canonical().unwrap()).unwrap();
                    assert_eq!(row.patient, Some(entered.public.to_string()));
                    format!("{:?} {} {:?}", row.action, row.person, row.reason.unwrap())
                }
                _ => panic!("audit rows only"),
            })
            .collect();
        assert_eq!(
            actions,
            ["ConsentEntered 7 \"C-1\"", "LinkProved 0 \"1319999901\""]
        );
        papers.done(&[&errands[0]]).await.unwrap();
        assert_eq!(papers.outbox(0, 1).await.unwrap()[0].id, errands[1].id);
    })
    .await;
}
