//! Inpatient stays: SS-MIX2 has no visit number, so admissions (ADT-22) and discharges (ADT-52) of
//! a patient at a facility are matched by their times.

use std::collections::BTreeMap;

use model::encounter::{
    Encounter, EncounterClass, EncounterEvent, EncounterStatus, EventKind, Stay,
};
use model::id::FacilityId;
use model::record::{Body, Category, Kind, Occurred, Record, RecordMeta, Sensitivity};
use model::time::{Instant, PartialDateTime};

use super::{Contribution, Joined};

/// Version of the item, what it says, and whether that is superseded only.
type Event<'a> = (&'a str, &'a EncounterEvent, bool);

/// The stays that the events tell. A discharge closes the admission that it names, else the latest
/// one not later than it; without one it is a stay of unknown begin. A stay is marked when one of the
/// two events that it is made of is superseded only.
pub(super) fn stays(facility: &FacilityId, contributions: &[Contribution<'_>]) -> Vec<Joined> {
    let mut events: Vec<Event<'_>> = contributions.iter().filter_map(event).collect();
    events.sort_by_key(|(version, event, _)| (*version, event.kind, start(event.at)));
    let alive = |kind| {
        let events = &events;
        events.iter().copied().filter(move |event| {
            event.1.kind == kind && !event.1.cancels && !is_void(event, events)
        })
    };
    // Later versions come later, so the newest statement about an admission stays.
    let admissions: BTreeMap<String, Event<'_>> = alive(EventKind::Admission)
        .map(|event| (admission_key(event.1), event))
        .collect();
    let mut discharges: BTreeMap<Option<String>, Vec<Event<'_>>> = BTreeMap::new();
    for discharge in alive(EventKind::Discharge) {
        let key = closes(discharge.1, &admissions).or_else(|| implied_admission(discharge.1));
        discharges.entry(key).or_default().push(discharge);
    }
    let mut stays: Vec<Joined> = Vec::new();
    let mut add = |key: String, stay, superseded_only| {
        stays.push(Joined {
            record: record(facility, key, stay),
            superseded_only,
        });
    };
    for (key, (_, admission, opening)) in &admissions {
        let discharge = discharges
            .remove(&Some(key.clone()))
            .and_then(|closing| closing.last().copied());
        let closing = discharge.is_some_and(|(_, _, superseded)| superseded);
        let stay = stay(admission, discharge.map(|(_, discharge, _)| discharge));
        add(key.clone(), stay, *opening || closing);
    }
    for (key, orphans) in discharges {
        let key = |discharge| key.clone().unwrap_or_else(|| orphan_key(discharge));
        let newest: BTreeMap<String, Event<'_>> = orphans
            .into_iter()
            .map(|event| (key(event.1), event))
            .collect();
        for (key, (_, discharge, superseded_only)) in newest {
            add(key, orphan(discharge), superseded_only);
        }
    }
    stays
}

fn event<'a>(contribution: &Contribution<'a>) -> Option<Event<'a>> {
    match &contribution.record.body {
        Body::Event(event) => Some((
            contribution.version,
            event.as_ref(),
            contribution.superseded_only,
        )),
        _ => None,
    }
}

fn start(time: Option<PartialDateTime>) -> Option<Instant> {
    time.map(|time| time.start())
}

/// Whether a later cancel event takes an event back: same kind, same time; where the cancel names
/// no time, the same admission.
fn is_void((version, event, _): &Event<'_>, events: &[Event<'_>]) -> bool {
    events
        .iter()
        .filter(|(later, cancel, _)| cancel.cancels && cancel.kind == event.kind && later > version)
        .any(
            |(_, cancel, _)| match (start(cancel.at), start(cancel.admitted)) {
                (Some(at), _) => start(event.at) == Some(at),
                (None, Some(admitted)) => start(event.admitted) == Some(admitted),
                (None, None) => false,
            },
        )
}

/// A real order number identifies a stay even when its start is corrected.
fn admission_key(event: &EncounterEvent) -> String {
    event
        .number
        .clone()
        .unwrap_or_else(|| inpatient_key(event.at))
}

fn inpatient_key(start: Option<PartialDateTime>) -> String {
    format!(
        "IMP|{}",
        start.map(|start| start.to_string()).unwrap_or_default()
    )
}

/// The admission that a discharge closes.
fn closes(discharge: &EncounterEvent, admissions: &BTreeMap<String, Event<'_>>) -> Option<String> {
    let numbered = discharge
        .number
        .clone()
        .filter(|number| admissions.contains_key(number));
    let named = || {
        let named = discharge.admitted?;
        let exact = |time: PartialDateTime| time.start() == named.start();
        let same_day = |time: PartialDateTime| time.date() == named.date();
        find(admissions, exact).or_else(|| find(admissions, same_day))
    };
    let latest = || {
        let end = discharge.at?.end();
        let before = admissions
            .iter()
            .filter(|(_, (_, admission, _))| start(admission.at).is_some_and(|at| at <= end));
        before
            .max_by_key(|(_, (_, admission, _))| start(admission.at))
            .map(|(key, _)| key.clone())
    };
    // A discharge that names an admission nobody sent must not close another one.
    numbered.or_else(named).or_else(|| {
        if discharge.admitted.is_none() {
            latest()
        } else {
            None
        }
    })
}

fn find(
    admissions: &BTreeMap<String, Event<'_>>,
    same: impl Fn(PartialDateTime) -> bool,
) -> Option<String> {
    let found = admissions
        .iter()
        .find(|(_, (_, admission, _))| admission.at.is_some_and(&same));
    found.map(|(key, _)| key.clone())
}

/// The key that the admission would have which only the discharge tells of.
fn implied_admission(discharge: &EncounterEvent) -> Option<String> {
    discharge
        .admitted
        .map(|admitted| inpatient_key(Some(admitted)))
}

fn orphan_key(discharge: &EncounterEvent) -> String {
    let end = discharge.at.map(|end| end.to_string()).unwrap_or_default();
    discharge
        .number
        .clone()
        .unwrap_or_else(|| format!("IMP||{end}"))
}

fn orphan(discharge: &EncounterEvent) -> Encounter {
    let status = if discharge.admitted.is_some() {
        EncounterStatus::Finished
    } else {
        EncounterStatus::Unknown
    };
    let mut stay = discharge.stay.clone();
    for place in &mut stay.locations {
        place.end = discharge.at;
    }
    Encounter {
        status,
        start: discharge.admitted,
        end: discharge.at,
        ..stay
    }
}

/// An admission and, when there is one, its discharge as one stay. What both say, the later message
/// says better; what happened at admission, the admission.
fn stay(admission: &EncounterEvent, discharge: Option<&EncounterEvent>) -> Encounter {
    let opened = admission.stay.clone();
    let Some(discharge) = discharge else {
        return Encounter {
            start: admission.at,
            locations: beds(&opened, None, admission.at, None),
            ..opened
        };
    };
    let closed = discharge.stay.clone();
    let later = |later: Vec<_>, earlier| if later.is_empty() { earlier } else { later };
    Encounter {
        class: EncounterClass::Inpatient,
        status: EncounterStatus::Finished,
        start: admission.at,
        end: discharge.at,
        locations: beds(&opened, Some(&closed), admission.at, discharge.at),
        department: closed.department.or(opened.department),
        attending: later(closed.attending, opened.attending),
        admitting: if opened.admitting.is_empty() {
            closed.admitting
        } else {
            opened.admitting
        },
        disposition: closed.disposition.or(opened.disposition),
        number: opened.number.or(closed.number),
        other: opened.other.into_iter().chain(closed.other).collect(),
    }
}

/// The beds of admission and discharge with what is known of their periods; one when it is the
/// same.
fn beds(
    opened: &Encounter,
    closed: Option<&Encounter>,
    start: Option<PartialDateTime>,
    end: Option<PartialDateTime>,
) -> Vec<Stay> {
    let first = opened.locations.first().map(|stay| stay.bed.clone());
    let last = closed
        .and_then(|closed| closed.locations.first())
        .map(|stay| stay.bed.clone());
    match (first, last) {
        (Some(first), Some(last)) if first != last => {
            vec![
                Stay {
                    bed: first,
                    start,
                    end: None,
                },
                Stay {
                    bed: last,
                    start: None,
                    end,
                },
            ]
        }
        (Some(bed), _) | (None, Some(bed)) => vec![Stay { bed, start, end }],
        (None, None) => Vec::new(),
    }
}

fn record(facility: &FacilityId, source_key: String, stay: Encounter) -> Record {
    let occurred = match (stay.start, stay.end) {
        (Some(start), end) => Occurred::between(start, end),
        (None, Some(end)) => Occurred::at(end),
        (None, None) => Occurred::undated(Instant::MIN),
    };
    let meta = RecordMeta {
        facility: facility.clone(),
        kind: Kind::Encounter,
        category: Category::Encounter,
        sensitivity: Sensitivity::Normal,
        occurred,
        source_key,
    };
    Record {
        meta,
        body: Body::Encounter(Box::new(stay)),
    }
}

#[cfg(test)]
mod tests;
