//! What the regulations have in common, sentence by sentence, by example.

use std::collections::BTreeSet;

use model::network::{ConsentScope, Factor, Limit, Profession, Topology};
use model::papers::{ConsentState, Facilities, LinkState};
use model::record::{Category, Sensitivity};
use model::time::Instant;

use super::worlds::{Look, World, day, facility, look, requester, set, world};
use crate::question::{About, Basis, Outputs};
use crate::{Exporting, Printing, Reason, Viewing, decide};

/// Changes the plain world and the plain look, and expects this answer.
fn check(change: impl FnOnce(&mut World, &mut Look), expected: Option<Reason>) {
    let (mut world, mut look) = (world(), look());
    change(&mut world, &mut look);
    let question = world.question(&look, About::Record(look.record.clone()));
    assert_eq!(
        decide::<Viewing>(&question)
            .err()
            .map(|denied| denied.reason),
        expected
    );
}

#[test]
fn gov_nine_one_only_active_opens() {
    check(|_, _| {}, None);
    for state in [
        ConsentState::Signed,
        ConsentState::Withdrawn,
        ConsentState::Erased,
        ConsentState::Expired,
    ] {
        check(
            |world, _| world.papers.consents[0].state = state,
            Some(Reason::NoConsent),
        );
    }
}

#[test]
fn gov_nine_one_a_permit_names_the_state_of_the_papers_and_dies_soon() {
    let (world, look) = (world(), look());
    let mut question = world.question(&look, About::Patient);
    question.epoch = 42;
    let permit = decide::<Viewing>(&question).unwrap();
    assert_eq!((permit.epoch(), permit.audience()), (42, &facility(1)));
    assert_eq!(permit.network(), &world.network.hash);
    assert_eq!(permit.basis(), &question.basis);
    assert_eq!(permit.expires_at(), look.now.plus_seconds(5));
}

#[test]
fn gov_nine_one_a_permit_does_not_outlive_the_consent() {
    let (mut world, mut look) = (world(), look());
    world.papers.consents[0].to = Some(day(1));
    let end = Instant::start_of(day(2));
    look.now = end.plus_seconds(-1);
    let permit = decide::<Viewing>(&world.question(&look, About::Patient)).unwrap();
    assert_eq!(permit.expires_at(), end);
}

#[test]
fn gov_nine_four_a_door_without_anything_behind_it_stays_shut() {
    let (mut world, look) = (world(), look());
    world.papers.consents[0].categories = set(&[Category::Lab]);
    rights(&mut world, &[Category::Image]);
    let denied = decide::<Viewing>(&world.question(&look, About::Patient)).unwrap_err();
    assert_eq!(denied.reason, Reason::NotDisclosed);
}

#[test]
fn gov_nine_one_a_permit_lasts_as_long_as_any_consent_opens() {
    let (mut world, mut look) = (world(), look());
    world.papers.consents.push(crate::ConsentFacts {
        to: Some(day(1)),
        ..world.papers.consents[0].clone()
    });
    look.now = Instant::start_of(day(2)).plus_seconds(-1);
    let permit = decide::<Viewing>(&world.question(&look, About::Patient)).unwrap();
    assert_eq!(permit.expires_at(), look.now.plus_seconds(5));
}

#[test]
fn gov_nine_three_a_link_opens_once_it_is_proved() {
    for state in [LinkState::Unproved, LinkState::Disagrees] {
        check(
            |world, _| world.papers.links[0].state = state,
            Some(Reason::NoConsent),
        );
    }
    check(
        |world, _| world.papers.links[0].facility = facility(3),
        Some(Reason::OtherSource),
    );
}

#[test]
fn gov_nine_four_the_first_failing_reason_is_the_answer() {
    // Each step takes away one more thing than the step before, from the last reason to the first.
    type Step = fn(&mut World, &mut Look);
    let steps: [(Step, Reason); 11] = [
        (
            |world, _| world.network.profile.window.back = days(1),
            Reason::Window,
        ),
        (
            |_, look| look.record.sensitivity = Sensitivity::Restricted,
            Reason::Sensitivity,
        ),
        (
            |world, _| world.papers.consents[0].categories = set(&[Category::Image]),
            Reason::NotDisclosed,
        ),
        (
            |world, _| rights(world, &[Category::Image]),
            Reason::Category,
        ),
        (
            |_, look| look.record.source = facility(2),
            Reason::OtherSource,
        ),
        (
            |world, _| world.papers.consents[0].from = day(3),
            Reason::Expired,
        ),
        (
            |world, _| world.papers.consents[0].readers = only(2),
            Reason::OtherReader,
        ),
        (
            |world, _| world.papers.consents[0].state = ConsentState::Withdrawn,
            Reason::NoConsent,
        ),
        (|world, _| rights(world, &[]), Reason::Role),
        (
            |world, _| world.network.profile.staff_methods.clear(),
            Reason::Factor,
        ),
        (|_, look| look.suspended = true, Reason::Suspended),
    ];
    let (mut world, mut look) = (world(), look());
    look.record.occurred_from = Instant::start_of(day(-2));
    for (step, reason) in steps {
        step(&mut world, &mut look);
        let question = world.question(&look, About::Record(look.record.clone()));
        assert_eq!(decide::<Viewing>(&question).unwrap_err().reason, reason);
    }
    world.network.facilities.remove(&facility(1));
    let question = world.question(&look, About::Record(look.record.clone()));
    assert_eq!(
        decide::<Viewing>(&question).unwrap_err().reason,
        Reason::Stopped
    );
}

#[test]
fn gov_nine_four_reasons_have_one_fixed_order() {
    let order = [
        Reason::Stopped,
        Reason::Suspended,
        Reason::Factor,
        Reason::Role,
        Reason::Output,
        Reason::NoConsent,
        Reason::OtherReader,
        Reason::Expired,
        Reason::OtherSource,
        Reason::Category,
        Reason::NotDisclosed,
        Reason::Sensitivity,
        Reason::Window,
    ];
    assert!(order.is_sorted());
    assert!(order.map(Reason::concerns_patient).is_sorted());
    assert_eq!(
        order
            .map(Reason::code)
            .into_iter()
            .collect::<BTreeSet<_>>()
            .len(),
        order.len()
    );
}

#[test]
fn gov_nine_four_the_period_counts_whole_days_in_japan() {
    let between = |world: &mut World| {
        world.papers.consents[0].from = day(2);
        world.papers.consents[0].to = Some(day(3));
    };
    let at = |n: i32, offset: i64| Instant(Instant::start_of(day(n)).0 + offset);
    for (now, expected) in [
        (at(2, -1), Some(Reason::Expired)),
        (at(2, 0), None),
        (at(4, -1), None),
        (at(4, 0), Some(Reason::NoConsent)),
    ] {
        check(
            |world, look| {
                between(world);
                look.now = now;
            },
            expected,
        );
    }
}

#[test]
fn gov_two_the_window_counts_from_the_day_the_consent_became_active() {
    let at = |n: i32, offset: i64| Instant(Instant::start_of(day(n)).0 + offset);
    for (occurred, expected) in [
        (at(-2, -1), Some(Reason::Window)),
        (at(-2, 0), None),
        (at(2, -1), None),
        (at(2, 0), Some(Reason::Window)),
    ] {
        check(
            |world, look| {
                world.papers.consents[0].active_since = at(0, 3_600_000_000);
                world.network.profile.window.back = days(2);
                world.network.profile.window.forward = days(1);
                look.record.occurred_from = occurred;
            },
            expected,
        );
    }
}

#[test]
fn gov_two_a_window_of_years_ends_on_the_same_day_of_the_year() {
    let two_years = Limit::Span {
        months: 24,
        days: 0,
        seconds: 0,
    };
    let on = |date: &str| Instant::start_of(date.parse().unwrap());
    for (occurred, expected) in [("2024-03-30", None), ("2024-03-29", Some(Reason::Window))] {
        check(
            |world, look| {
                world.network.profile.window.back = two_years;
                look.record.occurred_from = on(occurred);
            },
            expected,
        );
    }
}

#[test]
fn gov_two_a_window_may_name_hours() {
    let hour = Limit::Span {
        months: 0,
        days: 0,
        seconds: 3600,
    };
    let end = Instant::start_of(day(1)).plus_seconds(3600);
    for (occurred, expected) in [
        (
            Instant::start_of(day(0)).plus_seconds(-3601),
            Some(Reason::Window),
        ),
        (Instant::start_of(day(0)).plus_seconds(-3600), None),
        (end.plus_seconds(-1), None),
        (end, Some(Reason::Window)),
    ] {
        check(
            |world, look| {
                world.network.profile.window.back = hour;
                world.network.profile.window.forward = hour;
                look.record.occurred_from = occurred;
            },
            expected,
        );
    }
}

#[test]
fn gov_two_nothing_opens_after_the_networks_last_day() {
    let ends = |world: &mut World| world.network.profile.ends_on = Some(day(0));
    check(|world, _| ends(world), Some(Reason::NoConsent));
    check(
        |world, _| world.network.profile.retention.until = Some(day(0)),
        Some(Reason::NoConsent),
    );
    check(
        |world, _| world.network.profile.ends_on = Some(day(1)),
        None,
    );
}

#[test]
fn gov_two_nothing_opens_before_the_regulations_first_day() {
    for (first, expected) in [(1, None), (2, Some(Reason::Expired))] {
        check(
            |world, _| world.network.profile.effective_from = day(first),
            expected,
        );
    }
}

#[test]
fn gov_one_a_hospital_that_discloses_one_way_gets_nothing_back() {
    check(
        |world, _| world.network.profile.topology = Topology::OneToMany,
        None,
    );
    check(
        |world, look| {
            world.network.profile.topology = Topology::OneToMany;
            world.papers.links[0].facility = facility(1);
            look.record.source = facility(1);
        },
        Some(Reason::NoConsent),
    );
}

#[test]
fn gov_one_mutual_members_disclose_and_a_single_hospital_keeps_to_itself() {
    check(
        |world, _| {
            world.network.profile.topology = Topology::Mutual;
            world
                .network
                .facilities
                .get_mut(&facility(1))
                .unwrap()
                .discloses = set(&[]);
        },
        Some(Reason::OtherReader),
    );
    check(
        |world, _| world.network.profile.topology = Topology::Single,
        Some(Reason::OtherReader),
    );
    check(
        |world, look| {
            world.network.profile.topology = Topology::Single;
            look.requester = requester(
                Profession::Physician,
                facility(0),
                look.requester.factors().clone(),
            );
        },
        None,
    );
}

#[test]
fn gov_two_a_consent_for_all_members_reaches_all() {
    check(
        |world, _| world.papers.consents[0].readers = only(2),
        Some(Reason::OtherReader),
    );
    check(
        |world, _| {
            world.papers.consents[0].readers = only(2);
            world.network.profile.consent_scope = ConsentScope::AllMembers;
        },
        None,
    );
}

#[test]
fn gov_nine_four_a_facility_needs_the_consent_for_its_own_records_too() {
    let own = |look: &mut Look| {
        look.requester = requester(
            Profession::Physician,
            facility(0),
            look.requester.factors().clone(),
        );
    };
    check(|_, look| own(look), None);
    check(
        |world, look| {
            own(look);
            world.papers.consents[0].readers = only(1);
        },
        Some(Reason::OtherReader),
    );
}

#[test]
fn gov_nine_four_every_ground_is_a_paper() {
    let own = Basis::OwnCare("K-1".to_owned());
    let law = Basis::LegalException("L-1".to_owned());
    for (basis, reader, expected) in [
        (Basis::Consent(Vec::new()), 1, Some(Reason::NoConsent)),
        (own.clone(), 0, None),
        (own, 1, Some(Reason::OtherReader)),
        (law.clone(), 0, Some(Reason::NoConsent)),
        (law, 1, Some(Reason::NoConsent)),
    ] {
        let (world, mut look) = (world(), look());
        look.requester = requester(
            Profession::Physician,
            facility(reader),
            look.requester.factors().clone(),
        );
        let mut question = world.question(&look, About::Record(look.record.clone()));
        question.basis = basis;
        assert_eq!(
            decide::<Viewing>(&question)
                .err()
                .map(|denied| denied.reason),
            expected
        );
    }
}

#[test]
fn gov_eight_administrative_roles_see_nothing_even_if_the_profile_says_so() {
    for profession in [Profession::Secretariat, Profession::Administrator] {
        check(
            |world, look| {
                world.network.profile.professions.insert(profession);
                world
                    .network
                    .profile
                    .rights
                    .insert(profession, model::record::Categories::ALL);
                look.requester =
                    requester(profession, facility(1), look.requester.factors().clone());
            },
            Some(Reason::Role),
        );
    }
}

#[test]
fn gov_eight_professions_see_what_the_table_says() {
    let pharmacist = |look: &mut Look| {
        look.requester = requester(
            Profession::Pharmacist,
            facility(1),
            look.requester.factors().clone(),
        );
    };
    check(|_, look| pharmacist(look), None);
    check(
        |_, look| {
            pharmacist(look);
            look.record.category = Category::Image;
        },
        Some(Reason::Category),
    );
    // Admitted, but without a row in the table.
    check(
        |_, look| {
            look.requester = requester(
                Profession::Clerk,
                facility(1),
                look.requester.factors().clone(),
            );
        },
        Some(Reason::Role),
    );
    // A row in the table, but not admitted.
    check(
        |world, _| {
            world
                .network
                .profile
                .professions
                .remove(&Profession::Physician);
        },
        Some(Reason::Role),
    );
}

#[test]
fn gov_eight_a_route_that_asks_for_what_the_profession_may_not_see_is_refused_before_any_patient() {
    let (world, mut look) = (world(), look());
    look.requester = requester(
        Profession::Pharmacist,
        facility(1),
        look.requester.factors().clone(),
    );
    for (asked, expected) in [(Category::Image, Some(Reason::Role)), (Category::Lab, None)] {
        let mut question = world.question(&look, About::Patient);
        question.standing.asked = set(&[asked]);
        assert_eq!(
            decide::<Viewing>(&question)
                .err()
                .map(|denied| denied.reason),
            expected
        );
    }
}

#[test]
fn gov_two_the_sign_in_must_be_one_of_the_accepted_combinations() {
    let with = |factors: &[Factor]| factors.iter().copied().collect::<BTreeSet<_>>();
    for factors in [with(&[]), with(&[Factor::Password]), with(&[Factor::Totp])] {
        check(
            |_, look| look.requester = requester(Profession::Physician, facility(1), factors),
            Some(Reason::Factor),
        );
    }
    // An empty combination in the profile lets nobody in.
    check(
        |world, look| {
            world.network.profile.staff_methods = vec![BTreeSet::new()];
            look.requester = requester(Profession::Physician, facility(1), BTreeSet::new());
        },
        Some(Reason::Factor),
    );
}

#[test]
fn gov_two_only_named_categories_leave_the_screen() {
    let (world, look) = (world(), look());
    let mut question = world.question(&look, About::Patient);
    assert_eq!(
        decide::<Printing>(&question).unwrap_err().reason,
        Reason::Output
    );
    assert_eq!(
        decide::<Exporting>(&question).unwrap_err().reason,
        Reason::Output
    );
    question.standing.outputs = Outputs {
        print: set(&[Category::Lab]),
        ..Outputs::NONE
    };
    assert_eq!(
        decide::<Printing>(&question).unwrap().categories(),
        set(&[Category::Lab])
    );
    assert_eq!(
        decide::<Exporting>(&question).unwrap_err().reason,
        Reason::Output
    );
    question.about = About::Record(crate::RecordFacts {
        category: Category::Image,
        ..look.record
    });
    assert_eq!(
        decide::<Printing>(&question).unwrap_err().reason,
        Reason::Category
    );
    assert!(decide::<Viewing>(&question).is_ok());
}

#[test]
fn gov_two_the_table_of_rights_prints() {
    let table = crate::Matrix(&world().network.profile).to_string();
    let mut lines = table.lines();
    assert_eq!(
        lines.next(),
        Some("category         physician pharmacist clerk")
    );
    assert!(lines.any(|line| line == "lab              x         x          -    "));
    assert_eq!(table.lines().count(), 22);
}

fn days(days: i32) -> Limit {
    Limit::Span {
        months: 0,
        days,
        seconds: 0,
    }
}

fn only(reader: u8) -> Facilities {
    Facilities::Only(BTreeSet::from([facility(reader)]))
}

fn rights(world: &mut World, categories: &[Category]) {
    world
        .network
        .profile
        .rights
        .insert(Profession::Physician, set(categories));
}
