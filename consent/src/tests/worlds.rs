//! Random small worlds: few facilities, few days, few categories, so that borders are met often.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use model::id::{FacilityId, PersonId};
use model::network::{
    Anchor, ConsentScope, Facility, FacilityKind, Factor, Limit, Limits, Network, Profession,
    Profile, Retention, Topology, Window, Withdrawal,
};
use model::papers::{ConsentNo, ConsentState, Facilities, LinkState};
use model::record::{Categories, Category, Sensitivity};
use model::time::Instant;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::select;

use crate::effective::{ConsentFacts, Link, PatientPapers, effective};
use crate::question::{About, Basis, Question, RecordFacts, Standing};
use crate::requester::{Purpose, Requester, Verified, Via};

/// A network and a patient's papers.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) papers: PatientPapers,
}

/// Somebody who looks at a record.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) requester: Requester,
    pub(crate) suspended: bool,
    pub(crate) record: RecordFacts,
    pub(crate) now: Instant,
}

impl World {
    pub(crate) fn question(&self, look: &Look, about: About) -> Question {
        Question {
            standing: Standing::of(
                &look.requester,
                &self.network,
                look.suspended,
                Categories::ALL,
            ),
            basis: Basis::Consent(vec![number()]),
            epoch: 1,
            grants: effective(&self.papers, &self.network, look.now),
            about,
            now: look.now,
        }
    }

    /// Whether the look succeeds.
    pub(crate) fn shows(&self, look: &Look) -> bool {
        let question = self.question(look, About::Record(look.record.clone()));
        crate::decide::<crate::Viewing>(&question).is_ok()
    }
}

pub(crate) fn number() -> ConsentNo {
    "C-1".parse().unwrap()
}

/// The n-th facility; the network has numbers 0 to 3.
pub(crate) fn facility(n: u8) -> FacilityId {
    format!("131999990{n}").parse().unwrap()
}

/// The n-th day around which everything happens.
pub(crate) fn day(n: i32) -> Date {
    date(2026, 3, 30).checked_add(n.days()).unwrap()
}

/// What a physician of facility 1 sees in a world without surprises.
pub(crate) fn network() -> Network {
    let kinds = [
        FacilityKind::Hospital,
        FacilityKind::Clinic,
        FacilityKind::Pharmacy,
        FacilityKind::Hospital,
    ];
    let facilities = (0..4_u8).zip(kinds).map(|(n, kind)| Facility {
        code: facility(n),
        name: format!("施設{n}"),
        kana: format!("シセツ{n}"),
        kind,
        groups: Vec::new(),
        discloses: Categories::ALL,
    });
    Network {
        id: "test".to_owned(),
        profile: profile(),
        facilities: facilities
            .map(|facility| (facility.code.clone(), facility))
            .collect(),
        feeds: std::collections::BTreeMap::new(),
        hash: [7; 32],
    }
}

fn profile() -> Profile {
    Profile {
        title: "試験用運用管理規程".to_owned(),
        version: "1".to_owned(),
        effective_from: day(-1),
        patient_system: "urn:musubi:test:patient".to_owned(),
        topology: Topology::Hub,
        ends_on: None,
        professions: BTreeSet::from([
            Profession::Physician,
            Profession::Pharmacist,
            Profession::Clerk,
        ]),
        staff_methods: vec![BTreeSet::from([Factor::Password, Factor::Totp])],
        consent_scope: ConsentScope::PerFacility,
        consent_form: None,
        window: Window {
            back: Limit::Unlimited,
            forward: Limit::Unlimited,
            anchor: Anchor::Publication,
        },
        retention: Retention {
            after_last_view: Limit::Unlimited,
            until: None,
        },
        withdrawal: Withdrawal {
            hold: Limit::Unlimited,
        },
        rights: [
            (Profession::Physician, Categories::ALL),
            (Profession::Pharmacist, set(&[Category::Lab])),
        ]
        .into(),
        limits: Limits {
            requests_per_minute: None,
            searches_per_minute: None,
            patients_per_hour: None,
        },
    }
}

pub(crate) fn set(categories: &[Category]) -> Categories {
    categories.iter().copied().collect()
}

/// An active consent for everything, from the first day on.
pub(crate) fn consent() -> ConsentFacts {
    ConsentFacts {
        state: ConsentState::Active,
        active_since: Instant::start_of(day(0)),
        sources: Facilities::All,
        readers: Facilities::All,
        categories: Categories::ALL,
        from: day(0),
        to: None,
    }
}

/// A physician of facility 1 looks at a lab of facility 0 on day 1.
pub(crate) fn look() -> Look {
    Look {
        requester: requester(
            Profession::Physician,
            facility(1),
            BTreeSet::from([Factor::Password, Factor::Totp]),
        ),
        suspended: false,
        record: RecordFacts {
            source: facility(0),
            category: Category::Lab,
            sensitivity: Sensitivity::Normal,
            occurred_from: Instant::start_of(day(0)),
        },
        now: Instant::start_of(day(1)),
    }
}

/// A patient who consented to everything and is known at facility 0.
pub(crate) fn world() -> World {
    let links = vec![Link {
        facility: facility(0),
        state: LinkState::Proved,
    }];
    World {
        network: network(),
        papers: PatientPapers {
            consents: vec![consent()],
            links,
        },
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests of the decision play the part of sign-in"
)]
pub(crate) fn requester(
    profession: Profession,
    facility: FacilityId,
    factors: BTreeSet<Factor>,
) -> Requester {
    let (person, login) = (PersonId(1), "t.mihon".to_owned());
    let purpose = Purpose::Treatment;
    Requester::verified(Verified {
        person,
        login,
        profession,
        facility,
        purpose,
        factors,
        via: Via::Session,
    })
}

const CATEGORIES: [Category; 3] = [Category::Demographics, Category::Lab, Category::Image];

fn categories() -> impl Strategy<Value = Categories> {
    prop_oneof![
        4 => Just(Categories::ALL),
        1 => proptest::sample::subsequence(CATEGORIES.to_vec(), 0..=3).prop_map(|some| set(&some)),
    ]
}

/// Mostly clinicians.
fn professions() -> impl Strategy<Value = Profession> {
    prop_oneof![
        6 => Just(Profession::Physician),
        2 => Just(Profession::Pharmacist),
        1 => select(vec![Profession::Secretariat, Profession::Administrator]),
    ]
}

fn factors() -> impl Strategy<Value = BTreeSet<Factor>> {
    prop_oneof![
        9 => Just(BTreeSet::from([Factor::Password, Factor::Totp])),
        1 => btree_set(select(vec![Factor::Password, Factor::Totp]), 0..2),
    ]
}

/// A facility of the network, or now and then one that is not.
fn any_facility() -> impl Strategy<Value = FacilityId> {
    prop_oneof![9 => 0..4_u8, 1 => Just(4_u8)].prop_map(facility)
}

fn facilities() -> impl Strategy<Value = Facilities> {
    prop_oneof![
        Just(Facilities::All),
        btree_set(any_facility(), 0..4).prop_map(Facilities::Only)
    ]
}

/// A border of a day, or its middle.
fn moment(days: std::ops::Range<i32>) -> impl Strategy<Value = Instant> {
    (days, select(vec![-1, 0, 43_200_000_000]))
        .prop_map(|(n, offset)| Instant(Instant::start_of(day(n)).0 + offset))
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        2 => Just(Limit::Unlimited),
        1 => (0..2_i32, 0..3_i32).prop_map(|(months, days)| Limit::Span {
            months,
            days,
            seconds: 0
        }),
    ]
}

fn maybe_day() -> impl Strategy<Value = Option<Date>> {
    prop_oneof![6 => Just(None), 1 => (0..6_i32).prop_map(|n| Some(day(n)))]
}

prop_compose! {
    fn profiles()(
        topology in select(vec![Topology::Hub, Topology::Hub, Topology::Mutual, Topology::OneToMany, Topology::Single]),
        effective_from in 0..3_i32,
        ends_on in maybe_day(),
        until in maybe_day(),
        all_members in any::<bool>(),
        (back, forward) in (limit(), limit()),
        admitted in btree_set(professions(), 2..4),
        rights in proptest::collection::btree_map(professions(), categories(), 2..4),
        one_factor in prop::bool::weighted(0.1),
    ) -> Profile {
        Profile {
            topology,
            effective_from: day(effective_from - 1),
            ends_on,
            professions: admitted,
            staff_methods: if one_factor {
                vec![BTreeSet::new(), BTreeSet::from([Factor::Totp])]
            } else {
                vec![BTreeSet::from([Factor::Password, Factor::Totp])]
            },
            consent_scope: if all_members { ConsentScope::AllMembers } else { ConsentScope::PerFacility },
            window: Window { back, forward, anchor: Anchor::Publication },
            retention: Retention { after_last_view: Limit::Unlimited, until },
            rights,
            ..profile()
        }
    }
}

prop_compose! {
    pub(crate) fn consents()(
        state in prop_oneof![
            5 => Just(ConsentState::Active),
            1 => select(vec![
                ConsentState::Signed,
                ConsentState::Withdrawn,
                ConsentState::Erased,
                ConsentState::Expired,
            ]),
        ],
        active_since in moment(0..4),
        (sources, readers) in (facilities(), facilities()),
        categories in categories(),
        from in 0..3_i32,
        to in maybe_day(),
    ) -> ConsentFacts {
        ConsentFacts { state, active_since, sources, readers, categories, from: day(from), to }
    }
}

fn links() -> impl Strategy<Value = Vec<Link>> {
    let state = prop_oneof![
        5 => Just(LinkState::Proved),
        1 => select(vec![LinkState::Unproved, LinkState::Disagrees]),
    ];
    vec(
        (any_facility(), state).prop_map(|(facility, state)| Link { facility, state }),
        0..6,
    )
}

prop_compose! {
    pub(crate) fn worlds()(
        profile in profiles(),
        discloses in vec(categories(), 4),
        consents in vec(consents(), 0..6),
        links in links(),
    ) -> World {
        let mut network = Network { profile, ..network() };
        for (facility, discloses) in network.facilities.values_mut().zip(discloses) {
            facility.discloses = discloses;
        }
        World { network, papers: PatientPapers { consents, links } }
    }
}

prop_compose! {
    pub(crate) fn looks()(
        profession in professions(),
        (reader, source) in (any_facility(), any_facility()),
        factors in factors(),
        suspended in prop::bool::weighted(0.05),
        category in select(CATEGORIES.to_vec()),
        sensitivity in prop_oneof![
            8 => Just(Sensitivity::Normal),
            1 => select(vec![Sensitivity::Restricted, Sensitivity::Untold]),
        ],
        occurred_from in prop_oneof![2 => moment(0..6), 1 => moment(-36..40)],
        now in moment(0..7),
    ) -> Look {
        let record = RecordFacts { source, category, sensitivity, occurred_from };
        Look { requester: requester(profession, reader, factors), suspended, record, now }
    }
}
