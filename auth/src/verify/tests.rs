use model::id::PersonId;
use model::network::Profession;
use store::StoredTotp;
use zeroize::Zeroizing;

use super::*;
use crate::testing::{CLINIC, NOW, network};

const SECRET: &[u8] = b"12345678901234567890";

fn account() -> Account {
    Account {
        person: Person {
            id: PersonId(1),
            login: "sato".parse().unwrap(),
            name: "佐藤 一郎".to_owned(),
            profession: Profession::Physician,
            facility: CLINIC.parse().unwrap(),
            active: true,
        },
        password: None,
        totp: Some(StoredTotp {
            secret: Zeroizing::new(SECRET.to_vec()),
            used_step: 0,
        }),
    }
}

fn set(factors: &[Factor]) -> BTreeSet<Factor> {
    factors.iter().copied().collect()
}

fn check(account: Option<&Account>, presented: Presented<'_>, expected: Option<Option<Factor>>) {
    let proof = verify(&network(), account, &BTreeSet::new(), presented, NOW);
    assert_eq!(proof.map(|proof| proof.next), expected);
}

#[test]
fn a_right_password_leads_to_the_one_time_code() {
    check(
        Some(&account()),
        Presented::Password(true),
        Some(Some(Factor::Totp)),
    );
}

#[test]
fn a_wrong_password_leads_nowhere() {
    check(Some(&account()), Presented::Password(false), None);
}

#[test]
fn nobody_signs_in_as_nobody() {
    check(None, Presented::Password(true), None);
}

#[test]
fn a_shut_account_does_not_sign_in() {
    let mut shut = account();
    shut.person.active = false;
    check(Some(&shut), Presented::Password(true), None);
}

#[test]
fn gov_eight_a_profession_outside_the_regulation_does_not_sign_in() {
    let mut clerk = account();
    clerk.person.profession = Profession::Clerk;
    check(Some(&clerk), Presented::Password(true), None);
}

#[test]
fn a_facility_that_left_the_network_does_not_sign_in() {
    let mut gone = account();
    gone.person.facility = "1319999909".parse().unwrap();
    check(Some(&gone), Presented::Password(true), None);
}

#[test]
fn a_right_code_after_the_password_completes_the_sign_in_and_is_spent() {
    let code = totp::code(&totp::text(SECRET), NOW).unwrap();
    let already = set(&[Factor::Password]);
    let account = account();
    let proof = verify(
        &network(),
        Some(&account),
        &already,
        Presented::Totp(&code),
        NOW,
    )
    .unwrap();
    assert_eq!(proof.factors, set(&[Factor::Password, Factor::Totp]));
    assert_eq!(proof.next, None);
    assert_eq!(proof.spends, Some(NOW.0 / 30_000_000));
}

#[test]
fn an_account_without_a_shared_secret_has_no_right_code() {
    let bare = Account {
        totp: None,
        ..account()
    };
    check(Some(&bare), Presented::Totp("000000"), None);
}

fn check_asks(methods: &[&[Factor]], verified: &[Factor], expected: Asks) {
    let mut network = network();
    network.profile.staff_methods = methods.iter().map(|method| set(method)).collect();
    assert_eq!(
        asks(&network, &set(verified)),
        expected,
        "{methods:?} {verified:?}"
    );
}

#[test]
fn the_regulation_says_which_factors_suffice() {
    use Factor::{Password, Totp};
    let both: &[&[Factor]] = &[&[Password, Totp]];
    check_asks(both, &[], Asks::For(Password));
    check_asks(both, &[Password], Asks::For(Totp));
    check_asks(both, &[Totp], Asks::For(Password));
    check_asks(both, &[Password, Totp], Asks::Nothing);
    check_asks(&[&[Password]], &[Password], Asks::Nothing);
    check_asks(&[&[Totp]], &[Password], Asks::Impossible);
    check_asks(
        &[&[Password, Totp], &[Password]],
        &[Password],
        Asks::Nothing,
    );
}

#[test]
fn no_combination_or_an_empty_one_lets_nobody_in() {
    check_asks(&[], &[Factor::Password, Factor::Totp], Asks::Impossible);
    check_asks(&[&[]], &[Factor::Password, Factor::Totp], Asks::Impossible);
}
