use super::*;
use crate::testing::{NOW, Stage, clinic, on_both};

fn login(text: &str) -> Login {
    text.parse().unwrap()
}

async fn sato(stage: &Stage) -> PersonId {
    let new = NewPerson {
        login: login("sato"),
        name: "佐藤 一郎".to_owned(),
        profession: Profession::Physician,
        facility: clinic(),
    };
    stage.store.accounts().add(&new).await.unwrap()
}

fn both() -> BTreeSet<Factor> {
    BTreeSet::from([Factor::Password, Factor::Totp])
}

fn token(person: PersonId) -> ReadToken {
    let expires_at = NOW.plus_seconds(60);
    ReadToken {
        person,
        factors: both(),
        created_at: NOW,
        expires_at,
    }
}

#[test]
fn account_names_fold_capitals_and_take_plain_letters_only() {
    assert_eq!(login(" Sato.Ichiro ").as_str(), "sato.ichiro");
    let long = "a".repeat(65);
    for wrong in ["", "佐藤", "a b", ".sato", "sato\0", &long] {
        assert!(wrong.parse::<Login>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_name_is_given_once_and_names_of_people_are_sealed() {
    on_both(async |stage| {
        let accounts = stage.store.accounts();
        let id = sato(stage).await;
        let again = NewPerson {
            login: login("SATO"),
            name: "別人".to_owned(),
            profession: Profession::Nurse,
            facility: clinic(),
        };
        assert!(matches!(
            accounts.add(&again).await,
            Err(Error::Conflict(_))
        ));
        let account = accounts.account(&login("sato")).await.unwrap().unwrap();
        assert!(account.person.id == id && account.person.name == "佐藤 一郎");
        assert!(account.password.is_none() && account.totp.is_none());
        let sealed: Vec<(Vec<u8>,)> = stage
            .store
            .0
            .office
            .fetch_all("select sealed from person", crate::db::params![])
            .await
            .unwrap();
        let name = "佐藤".as_bytes();
        assert!(!sealed[0].0.windows(name.len()).any(|window| window == name));
        assert!(accounts.account(&login("suzuki")).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_one_time_code_is_used_once_and_older_ones_are_spent_with_it() {
    on_both(async |stage| {
        let accounts = stage.store.accounts();
        let id = sato(stage).await;
        accounts
            .set_credential(id, Factor::Totp, b"secret")
            .await
            .unwrap();
        assert!(accounts.use_step(id, 100).await.unwrap());
        assert!(!accounts.use_step(id, 100).await.unwrap());
        assert!(!accounts.use_step(id, 99).await.unwrap());
        assert!(accounts.use_step(id, 101).await.unwrap());
        let account = accounts.account_of(id).await.unwrap().unwrap();
        let totp = account.totp.unwrap();
        assert_eq!(
            (totp.secret.as_slice(), totp.used_step),
            (b"secret".as_slice(), 101)
        );
    })
    .await;
}

#[tokio::test]
async fn a_second_sign_in_ends_the_first_but_a_password_alone_does_not() {
    on_both(async |stage| {
        let accounts = stage.store.accounts();
        let id = sato(stage).await;
        let password = BTreeSet::from([Factor::Password]);
        assert!(
            accounts
                .begin_session(&[1; 32], id, &both())
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            accounts
                .begin_session(&[2; 32], id, &password)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(accounts.session(&[1; 32]).await.unwrap().is_some());
        assert_eq!(
            accounts
                .begin_session(&[3; 32], id, &both())
                .await
                .unwrap()
                .len(),
            2
        );
        assert!(accounts.session(&[1; 32]).await.unwrap().is_none());
        assert_eq!(accounts.sessions().await.unwrap().len(), 1);
        let (session, person) = accounts.session(&[3; 32]).await.unwrap().unwrap();
        assert_eq!((session.factors, session.created_at), (both(), NOW));
        assert_eq!(person.facility, clinic());
        assert!(accounts.end_session(&[3; 32]).await.unwrap().is_some());
        assert!(accounts.end_session(&[3; 32]).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_shut_account_has_no_session_and_no_token_and_gets_none() {
    on_both(async |stage| {
        let accounts = stage.store.accounts();
        let id = sato(stage).await;
        accounts.begin_session(&[1; 32], id, &both()).await.unwrap();
        accounts.add_token(&[2; 32], &token(id)).await.unwrap();
        assert!(accounts.token(&[2; 32]).await.unwrap().is_some());
        assert_eq!(accounts.set_active(id, false).await.unwrap().len(), 1);
        assert!(accounts.session(&[1; 32]).await.unwrap().is_none());
        assert!(accounts.token(&[2; 32]).await.unwrap().is_none());
        assert!(accounts.begin_session(&[3; 32], id, &both()).await.is_err());
        assert!(accounts.add_token(&[4; 32], &token(id)).await.is_err());
        accounts.set_active(id, true).await.unwrap();
        assert!(accounts.token(&[2; 32]).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn a_new_credential_ends_what_the_old_one_opened() {
    on_both(async |stage| {
        let accounts = stage.store.accounts();
        let id = sato(stage).await;
        accounts.begin_session(&[1; 32], id, &both()).await.unwrap();
        accounts.add_token(&[2; 32], &token(id)).await.unwrap();
        let ended = accounts
            .set_credential(id, Factor::Password, b"hash")
            .await
            .unwrap();
        assert_eq!(ended.len(), 1);
        assert!(accounts.token(&[2; 32]).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn expired_tokens_and_old_counters_are_forgotten() {
    on_both(async |stage| {
        let accounts = stage.store.accounts();
        let id = sato(stage).await;
        accounts.add_token(&[2; 32], &token(id)).await.unwrap();
        let start = |counter: &mut Counter| {
            counter.failures += 1;
            counter.day_start = NOW;
            counter.failures
        };
        accounts
            .count(Throttle::Address, "192.0.2.1", start)
            .await
            .unwrap();
        stage.clock.set(NOW.plus_seconds(24 * 60 * 60));
        accounts.forget_expired_tokens().await.unwrap();
        accounts.forget_old_counters().await.unwrap();
        assert!(accounts.token(&[2; 32]).await.unwrap().is_none());
        assert_eq!(
            accounts
                .count(Throttle::Address, "192.0.2.1", start)
                .await
                .unwrap(),
            1
        );
    })
    .await;
}

#[tokio::test]
async fn attempts_that_come_at_once_are_counted_one_by_one() {
    on_both(async |stage| {
        let accounts = stage.store.accounts();
        let attempt = |counter: &mut Counter| {
            counter.failures += 1;
            counter.failures
        };
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let accounts = accounts.clone();
            tasks.spawn(async move {
                accounts
                    .count(Throttle::Password, "sato", attempt)
                    .await
                    .unwrap()
            });
        }
        let mut seen = tasks.join_all().await;
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            accounts
                .count(Throttle::Totp, "sato", attempt)
                .await
                .unwrap(),
            1
        );
        accounts.unlock(&login("sato")).await.unwrap();
        assert_eq!(
            accounts
                .count(Throttle::Password, "sato", attempt)
                .await
                .unwrap(),
            1
        );
    })
    .await;
}
