//! Patients are found by blind tokens, among those whose demographics the requester may see.

use model::id::PatientNumber;
use model::network::Profession;
use model::papers::EffectiveGrant;
use model::record::{Categories, Category};
use model::time::Instant;

use super::scene::{PATIENT, Reader, everything, grant, introduce, public, register};
use crate::audit::Action;
use crate::disclosure::{PatientQuery, Refused, Sort, Token};
use crate::testing::{NOW, Stage, clinic, hospital, on_both, pharmacy};

fn name(text: &str) -> Token {
    Token::Name(text.to_owned())
}

fn born(date: &str) -> Token {
    Token::BirthDate(date.to_owned())
}

fn statement() -> Vec<Token> {
    vec![
        name("ミホン"),
        name("ミホ"),
        Token::Family("ミホン".to_owned()),
        Token::Given("タロウ".to_owned()),
        born("1958-03-14"),
        Token::Gender("male".to_owned()),
        Token::Identifier(hospital().to_string(), "0000123".to_owned()),
    ]
}

async fn found(reader: &Reader, tokens: Vec<Token>) -> Vec<String> {
    let query = PatientQuery {
        tokens,
        ..PatientQuery::default()
    };
    ids(reader, &query).await
}

async fn ids(reader: &Reader, query: &PatientQuery) -> Vec<String> {
    let found = reader
        .door
        .find_patients(&reader.requester, &reader.call, query)
        .await
        .unwrap();
    found.iter().map(|patient| patient.id.to_string()).collect()
}

/// A patient of the hospital whom the clinic may know.
async fn admit(stage: &Stage, number: PatientNumber, tokens: Vec<Token>) {
    introduce(&stage.store, number).await;
    grant(
        &stage.store,
        number,
        &[everything(clinic(), hospital())],
        NOW,
    )
    .await;
    register(&stage.store, number, hospital(), tokens).await;
}

async fn check(tokens: Vec<Token>, expected: bool) {
    on_both(async |stage| {
        admit(stage, PATIENT, statement()).await;
        let found = found(&Reader::physician(&stage.store), tokens.clone()).await;
        assert_eq!(
            found,
            if expected {
                vec![public(PATIENT).to_string()]
            } else {
                Vec::new()
            }
        );
    })
    .await;
}

#[tokio::test]
async fn a_name_and_a_birth_date_find_the_patient() {
    check(vec![name("ミホン"), born("1958-03-14")], true).await;
}

#[tokio::test]
async fn the_beginning_of_a_name_is_a_token_too() {
    check(vec![name("ミホ"), born("1958-03-14")], true).await;
}

#[tokio::test]
async fn a_local_id_finds_the_patient() {
    check(
        vec![Token::Identifier(
            hospital().to_string(),
            "0000123".to_owned(),
        )],
        true,
    )
    .await;
}

#[tokio::test]
async fn a_local_id_of_another_facility_is_another_id() {
    check(
        vec![Token::Identifier(
            clinic().to_string(),
            "0000123".to_owned(),
        )],
        false,
    )
    .await;
}

#[tokio::test]
async fn six_tokens_fit_and_all_must_hold() {
    let mut tokens = statement();
    tokens.pop();
    check(tokens.clone(), true).await;
    tokens[5] = Token::Gender("female".to_owned());
    check(tokens, false).await;
}

#[tokio::test]
async fn a_family_name_is_no_given_name() {
    check(
        vec![Token::Given("ミホン".to_owned()), born("1958-03-14")],
        false,
    )
    .await;
}

#[tokio::test]
async fn no_token_or_too_many_are_refused() {
    on_both(async |stage| {
        admit(stage, PATIENT, statement()).await;
        let reader = Reader::physician(&stage.store);
        for tokens in [Vec::new(), statement()] {
            let query = PatientQuery {
                tokens,
                ..PatientQuery::default()
            };
            let found = reader
                .door
                .find_patients(&reader.requester, &reader.call, &query)
                .await;
            assert!(matches!(found, Err(Refused::NotFound)));
        }
    })
    .await;
}

/// Halves of two facilities' statements are nobody: one facility must have said all of it.
#[tokio::test]
async fn all_tokens_must_fit_one_facilitys_statement() {
    on_both(async |stage| {
        introduce(&stage.store, PATIENT).await;
        let both = [
            everything(clinic(), hospital()),
            everything(clinic(), pharmacy()),
        ];
        grant(&stage.store, PATIENT, &both, NOW).await;
        register(&stage.store, PATIENT, hospital(), vec![name("ミホン")]).await;
        register(
            &stage.store,
            PATIENT,
            pharmacy(),
            vec![born("1958-03-14"), name("タロウ")],
        )
        .await;
        let reader = Reader::physician(&stage.store);
        assert!(
            found(&reader, vec![name("ミホン"), born("1958-03-14")])
                .await
                .is_empty()
        );
        assert_eq!(
            found(&reader, vec![name("タロウ"), born("1958-03-14")])
                .await
                .len(),
            1
        );
    })
    .await;
}

/// Who may not see a facility's demographics does not find by them, however much else is open.
#[tokio::test]
async fn who_may_not_see_the_statement_does_not_find_by_it() {
    on_both(async |stage| {
        admit(stage, PATIENT, statement()).await;
        let query = || vec![name("ミホン"), born("1958-03-14")];
        let physician = Reader::physician(&stage.store);
        assert_eq!(found(&physician, query()).await.len(), 1);
        let elsewhere = Reader::at(&stage.store, Profession::Physician, pharmacy());
        assert!(found(&elsewhere, query()).await.is_empty());
        let all_but_that = Categories::ALL.0 & !Category::Demographics.bit();
        let mut labs_only = Reader::physician(&stage.store);
        labs_only.call.asked = Categories(all_but_that);
        assert!(found(&labs_only, query()).await.is_empty());
        let open = everything(clinic(), hospital());
        let narrower = [
            EffectiveGrant {
                categories: Categories(all_but_that),
                ..open.clone()
            },
            EffectiveGrant {
                source: pharmacy(),
                ..open.clone()
            },
            EffectiveGrant {
                valid_to: NOW,
                ..open.clone()
            },
            EffectiveGrant {
                window_from: NOW,
                ..open
            },
        ];
        for narrow in narrower {
            grant(&stage.store, PATIENT, &[narrow], NOW).await;
            assert!(found(&physician, query()).await.is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_has_at_most_twenty_patients() {
    on_both(async |stage| {
        for number in 1..=25 {
            admit(stage, PatientNumber(number), statement()).await;
        }
        let found = found(
            &Reader::physician(&stage.store),
            vec![born("1958-03-14"), name("ミホン")],
        )
        .await;
        assert_eq!(found.len(), 20);
    })
    .await;
}

/// Whoever is named is found, however many others the description fits.
#[tokio::test]
async fn who_is_named_is_looked_for_among_all_whom_the_description_fits() {
    on_both(async |stage| {
        for number in 1..=25 {
            admit(stage, PatientNumber(number), statement()).await;
        }
        let reader = Reader::physician(&stage.store);
        let named = |tokens, numbers: &[i64]| PatientQuery {
            tokens,
            ids: numbers
                .iter()
                .map(|number| public(PatientNumber(*number)))
                .collect(),
            ..PatientQuery::default()
        };
        let tokens = || vec![born("1958-03-14"), name("ミホン")];
        let texts = |numbers: &[i64]| -> Vec<String> {
            let ids = numbers.iter().map(|number| public(PatientNumber(*number)));
            ids.map(|id| id.to_string()).collect()
        };
        assert_eq!(
            ids(&reader, &named(tokens(), &[25, 3])).await,
            texts(&[3, 25])
        );
        assert_eq!(ids(&reader, &named(tokens(), &[26])).await, texts(&[]));
        let other = vec![born("1958-03-15"), name("ミホン")];
        assert_eq!(ids(&reader, &named(other, &[25])).await, texts(&[]));
    })
    .await;
}

/// The time of change decides before the twenty are taken, and is the one that the reader is told.
#[tokio::test]
async fn who_changed_last_is_found_among_all_whom_the_description_fits() {
    on_both(async |stage| {
        for number in 1..=25 {
            admit(stage, PatientNumber(number), statement()).await;
        }
        let later = NOW.plus_seconds(60);
        let open = everything(clinic(), hospital());
        for number in [24, 7] {
            grant(
                &stage.store,
                PatientNumber(number),
                std::slice::from_ref(&open),
                later,
            )
            .await;
        }
        let reader = Reader::physician(&stage.store);
        let mut query = PatientQuery {
            tokens: vec![born("1958-03-14"), name("ミホン")],
            ..PatientQuery::default()
        };
        let texts = |numbers: &[i64]| -> Vec<String> {
            let ids = numbers.iter().map(|number| public(PatientNumber(*number)));
            ids.map(|id| id.to_string()).collect()
        };
        query.sort = Sort::UpdatedDescending;
        let latest = ids(&reader, &query).await;
        assert_eq!((latest.len(), &latest[..2]), (20, &texts(&[7, 24])[..]));
        query.sort = Sort::UpdatedAscending;
        assert_eq!(ids(&reader, &query).await[..2], texts(&[1, 2])[..]);
        query.updated.ends_from(later);
        assert_eq!(ids(&reader, &query).await, texts(&[7, 24]));
        query.sort = Sort::default();
        assert_eq!(ids(&reader, &query).await, texts(&[7, 24]));
        let found = reader
            .door
            .find_patients(&reader.requester, &reader.call, &query)
            .await
            .unwrap();
        assert!(
            found
                .iter()
                .all(|person| query.updated.holds(person.last_updated))
        );
    })
    .await;
}

/// A patient whose key is being destroyed does not spoil the answer for the others.
#[tokio::test]
async fn a_patient_who_is_being_erased_is_left_out() {
    on_both(async |stage| {
        for number in 1..=3 {
            admit(stage, PatientNumber(number), statement()).await;
        }
        stage.store.0.keys.shred(PatientNumber(2)).await.unwrap();
        let found = found(
            &Reader::physician(&stage.store),
            vec![born("1958-03-14"), name("ミホン")],
        )
        .await;
        let others = [1, 3].map(|number| public(PatientNumber(number)).to_string());
        assert_eq!(found, others);
    })
    .await;
}

#[tokio::test]
async fn each_patient_who_is_found_stands_in_the_audit_and_so_does_finding_nobody() {
    on_both(async |stage| {
        admit(stage, PATIENT, statement()).await;
        let reader = Reader::physician(&stage.store);
        let rows = async || {
            stage
                .store
                .audit()
                .rows(Instant::MIN, Instant::MAX, 100)
                .await
                .unwrap()
        };
        found(&reader, vec![name("ミホン"), born("1958-03-14")]).await;
        let row = rows().await.pop().unwrap();
        assert_eq!(
            (row.action, row.permitted, row.patient),
            (Action::Search, true, Some(public(PATIENT).to_string()))
        );
        found(&reader, vec![name("ミホン"), born("1958-03-15")]).await;
        let row = rows().await.pop().unwrap();
        assert_eq!(
            (row.action, row.permitted, row.patient, row.count),
            (Action::Search, true, None, 0)
        );
    })
    .await;
}
