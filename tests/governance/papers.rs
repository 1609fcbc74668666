//! What follows from one patient's papers under a regulation: grants, without any store.

use consent::{ConsentFacts, Link, PatientPapers, effective};
use model::id::FacilityId;
use model::papers::{ConsentState, EffectiveGrant, Facilities, LinkState};
use model::record::Categories;
use model::time::Instant;

use crate::network;

pub(crate) const HOSPITAL: &str = "1319999901";
pub(crate) const CLINIC: &str = "1319999902";

pub(crate) fn facility(code: &str) -> FacilityId {
    code.parse().unwrap()
}

/// The grants of a patient of the hospital who consented on 2026-04-01.
fn grants(profile: &str, readers: Facilities) -> Vec<EffectiveGrant> {
    let day = "2026-04-01".parse().unwrap();
    let consent = ConsentFacts {
        state: ConsentState::Active,
        active_since: Instant::start_of(day),
        sources: Facilities::All,
        readers,
        categories: Categories::ALL,
        from: day,
        to: None,
    };
    let link = Link {
        facility: facility(HOSPITAL),
        state: LinkState::Proved,
    };
    let papers = PatientPapers {
        consents: vec![consent],
        links: vec![link],
    };
    effective(&papers, &network(profile), Instant::start_of(day))
}

fn names(grants: &[EffectiveGrant]) -> String {
    let name = |grant: &EffectiveGrant| match grant.reader.to_string().as_str() {
        HOSPITAL => "hospital",
        CLINIC => "clinic",
        _ => "pharmacy",
    };
    grants.iter().map(name).collect::<Vec<_>>().join(" ")
}

/// Who may look when the form names everybody.
pub(crate) fn readers(profile: &str) -> String {
    names(&grants(profile, Facilities::All))
}

/// Who may look when the form names the clinic.
pub(crate) fn readers_of_clinic_only(profile: &str) -> String {
    names(&grants(
        profile,
        Facilities::Only([facility(CLINIC)].into()),
    ))
}

/// First and last day.
fn days(from: Instant, to: Instant) -> String {
    let first = if from == Instant::MIN {
        "ever".to_owned()
    } else {
        from.day().to_string()
    };
    let last = if to == Instant::MAX {
        "ever".to_owned()
    } else {
        Instant(to.0 - 1).day().to_string()
    };
    format!("{first} to {last}")
}

/// When the door is open.
pub(crate) fn period(profile: &str) -> String {
    let grant = &grants(profile, Facilities::All)[0];
    days(grant.valid_from, grant.valid_to)
}

/// Of which days something is shown.
pub(crate) fn window(profile: &str) -> String {
    let grant = &grants(profile, Facilities::All)[0];
    days(grant.window_from, grant.window_to)
}
