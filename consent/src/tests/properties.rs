//! What holds in every world.

use model::network::Profession;
use model::papers::{ConsentState, LinkState};
use model::record::{Categories, Category, Sensitivity};
use model::time::Instant;
use proptest::prelude::*;

use super::worlds::{Look, World, consents, looks, requester, worlds};
use crate::effective::{PatientPapers, effective};
use crate::export::{Attempt, allows};
use crate::question::{About, RecordFacts};
use crate::{Exporting, Printing, Viewing, admit, decide};

fn attempt<'a>(world: &'a World, look: &'a Look, record: &'a RecordFacts) -> Attempt<'a> {
    Attempt {
        network: &world.network,
        papers: &world.papers,
        requester: &look.requester,
        suspended: look.suspended,
        record,
        now: look.now,
    }
}

/// Every record that could be of any use to somebody: not delicate, on the day a consent became
/// active.
fn useful(world: &World) -> Vec<RecordFacts> {
    let mut records = Vec::new();
    for consent in &world.papers.consents {
        for source in world.network.facilities.keys() {
            records.extend(Category::ALL.map(|(category, _)| RecordFacts {
                source: source.clone(),
                category,
                sensitivity: Sensitivity::Normal,
                occurred_from: consent.active_since,
            }));
        }
    }
    records
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]

    // About one look in twenty-five succeeds.
    #[test]
    fn the_decision_equals_the_second_decider(world in worlds(), look in looks()) {
        prop_assert_eq!(world.shows(&look), allows(&attempt(&world, &look, &look.record)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_patients_door_opens_exactly_when_something_could_be_behind_it(world in worlds(), look in looks()) {
        let opens = decide::<Viewing>(&world.question(&look, About::Patient)).is_ok();
        let something = useful(&world).iter().any(|record| allows(&attempt(&world, &look, record)));
        prop_assert_eq!(opens, something);
    }

    #[test]
    fn a_withdrawal_never_shows_more(world in worlds(), look in looks(), which in any::<prop::sample::Index>()) {
        let mut after = world.clone();
        if !after.papers.consents.is_empty() {
            let index = which.index(after.papers.consents.len());
            after.papers.consents[index].state = ConsentState::Withdrawn;
        }
        prop_assert!(world.shows(&look) || !after.shows(&look));
    }

    #[test]
    fn another_consent_never_shows_less(world in worlds(), look in looks(), another in consents()) {
        let mut after = world.clone();
        after.papers.consents.push(another);
        prop_assert!(after.shows(&look) || !world.shows(&look));
    }

    #[test]
    fn several_consents_show_what_each_shows(world in worlds(), look in looks()) {
        let alone = world.papers.consents.iter().any(|consent| {
            let papers = PatientPapers { consents: vec![consent.clone()], ..world.papers.clone() };
            World { papers, ..world.clone() }.shows(&look)
        });
        prop_assert_eq!(world.shows(&look), alone);
    }

    #[test]
    fn a_forbid_never_shows_more(world in worlds(), look in looks(), kept in 0..1_i64 << 21) {
        let mut source_closes = world.clone();
        for facility in source_closes.network.facilities.values_mut() {
            facility.discloses = facility.discloses.and(Categories(kept));
        }
        let mut profession_loses = world.clone();
        for rights in profession_loses.network.profile.rights.values_mut() {
            *rights = rights.and(Categories(kept));
        }
        for after in [source_closes, profession_loses] {
            prop_assert!(world.shows(&look) || !after.shows(&look));
        }
    }

    #[test]
    fn nothing_opens_without_a_proved_link(mut world in worlds()) {
        world.papers.links.retain(|link| link.state != LinkState::Proved);
        prop_assert!(effective(&world.papers, &world.network, Instant::MIN).is_empty());
    }

    #[test]
    fn grants_stay_inside_the_network_and_below_delicate(world in worlds()) {
        for grant in effective(&world.papers, &world.network, Instant::MIN) {
            prop_assert!(world.network.facilities.contains_key(&grant.reader));
            let source = &world.network.facilities[&grant.source];
            prop_assert_eq!(grant.categories.and(source.discloses), grant.categories);
            prop_assert!(!grant.categories.is_empty());
            prop_assert_eq!(grant.sensitivity_max, Sensitivity::Normal);
            prop_assert!(grant.valid_from < grant.valid_to && grant.window_from < grant.window_to);
        }
    }

    #[test]
    fn the_order_of_papers_does_not_matter(world in worlds()) {
        let mut turned = world.papers.clone();
        turned.consents.reverse();
        turned.links.reverse();
        let grants = |papers| effective(papers, &world.network, Instant::MIN);
        prop_assert_eq!(grants(&world.papers), grants(&turned));
    }

    #[test]
    fn grants_computed_earlier_answer_the_same(world in worlds(), look in looks()) {
        let mut question = world.question(&look, About::Record(look.record.clone()));
        let fresh = decide::<Viewing>(&question).is_ok();
        question.grants = effective(&world.papers, &world.network, Instant::MIN);
        prop_assert_eq!(fresh, decide::<Viewing>(&question).is_ok());
    }

    #[test]
    fn what_depends_on_the_requester_alone_is_the_same_for_every_patient(world in worlds(), look in looks()) {
        let question = world.question(&look, About::Record(look.record.clone()));
        let answer = decide::<Viewing>(&question).map(|permit| permit.categories());
        match (admit::<Viewing>(&question.standing), answer) {
            (Err(denied), answer) => {
                prop_assert!(!denied.reason.concerns_patient());
                prop_assert_eq!(answer, Err(denied));
            }
            (Ok(admitted), Ok(permitted)) => prop_assert_eq!(admitted, permitted),
            (Ok(_), Err(denied)) => prop_assert!(denied.reason.concerns_patient()),
        }
    }

    #[test]
    fn administrative_roles_never_see_anything(mut world in worlds(), look in looks(), secretary in any::<bool>()) {
        let role = if secretary { Profession::Secretariat } else { Profession::Administrator };
        world.network.profile.professions.insert(role);
        world.network.profile.rights.insert(role, Categories::ALL);
        let requester = requester(role, look.requester.facility().clone(), look.requester.factors().clone());
        let look = Look { requester, ..look };
        prop_assert!(decide::<Viewing>(&world.question(&look, About::Patient)).is_err());
        prop_assert!(!world.shows(&look));
    }

    #[test]
    fn nothing_leaves_the_screen_where_the_regulation_names_nothing(world in worlds(), look in looks()) {
        let question = world.question(&look, About::Patient);
        prop_assert!(decide::<Printing>(&question).is_err());
        prop_assert!(decide::<Exporting>(&question).is_err());
    }
}
