//! Answering a search: open the one patient it names, ask the store, wrap what came back. Nothing is
//! filtered here that the store did not already decide.

use std::sync::Arc;

use crate::json::Value;
use ::consent::{Viewing, rights};
use auth::Use;
use model::id::PatientId;
use model::record::{Categories, Category, ReadRecord};
use model::time::Instant;
use serde::{Deserialize, Serialize};
use store::{Disclosed, Position, ReadPatient, Refused, Sort};

use super::bundle::{Bundle, Entry};
use super::resources::{Found, REACH_ACTIVE, REACH_INACTIVE, Resource};
use super::search::{Pairs, Search};
use super::{Asked, Rendering, consent, organization, patient, provenance, read, render, url};
use crate::error::Error;

/// So many records are rendered by one thread: handing over fewer costs more than it gains.
const PORTION: usize = 64;

/// Where an answer goes on; it travels sealed, as the cursor of the next page.
#[derive(Serialize, Deserialize)]
struct Continued {
    resource: String,
    query: String,
    after: After,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum After {
    /// After a record, in the order of the query.
    Record(Position),
    /// After so many of a short list.
    Count(usize),
}

/// What a search found on one page.
#[derive(Default)]
struct Answer {
    total: u64,
    matches: Vec<Entry>,
    included: Vec<Entry>,
    next: Option<After>,
}

/// Answers a search with a bundle.
pub(crate) async fn search(
    asked: &Asked<'_>,
    resource: &Resource,
    pairs: Pairs,
    strict: bool,
) -> Result<Value, Error> {
    let cursor = pairs
        .iter()
        .find(|(name, _)| name == "_cursor")
        .map(|(_, value)| value.clone());
    if cursor.is_none() {
        asked.count(Use::Search).await?;
    }
    let (pairs, after) = match &cursor {
        Some(cursor) => resume(asked, resource, cursor)?,
        None => (pairs, None),
    };
    let search = Search::parse(resource, &pairs, strict)?;
    let answer = match resource.found {
        Found::Records(_) => records(asked, resource, &search, after).await?,
        Found::Patients => patients(asked, &search, after).await?,
        Found::Reach => reach(asked, &search, after).await?,
        Found::Register => facilities(asked, &search, after).await?,
        Found::Targets => return Err(Error::NotFound),
    };
    let next = answer
        .next
        .map(|after| seal(asked, resource, &search, after))
        .transpose()?;
    let query = cursor.map_or_else(
        || search.query(),
        |cursor| format!("_cursor={}", url::encode(&cursor)),
    );
    let bundle = Bundle {
        base: &asked.face.base,
        kind: resource.name,
        total: answer.total,
        matches: answer.matches,
        included: answer.included,
        query: &query,
        next,
    };
    Ok(bundle.into())
}

/// The search a cursor continues; a cursor of another person, another type or another quarter of an
/// hour is no cursor.
fn resume(
    asked: &Asked<'_>,
    resource: &Resource,
    cursor: &str,
) -> Result<(Pairs, Option<After>), Error> {
    let content = asked
        .face
        .disclosure
        .open_cursor(asked.requester, cursor)
        .ok_or(Error::NotFound)?;
    let continued: Continued = serde_json::from_str(&content).map_err(|_| Error::NotFound)?;
    if continued.resource != resource.name {
        return Err(Error::NotFound);
    }
    Ok((url::pairs(&continued.query), Some(continued.after)))
}

fn seal(
    asked: &Asked<'_>,
    resource: &Resource,
    search: &Search,
    after: After,
) -> Result<String, Error> {
    let continued = Continued {
        resource: resource.name.to_owned(),
        query: search.query(),
        after,
    };
    let content = serde_json::to_string(&continued).map_err(|_| Error::Internal)?;
    Ok(asked
        .face
        .disclosure
        .seal_cursor(asked.requester, &content)?)
}

/// The patient a search names; there is exactly one.
async fn named(asked: &Asked<'_>, search: &Search) -> Result<PatientId, Error> {
    let id = search
        .patient
        .as_deref()
        .ok_or_else(|| Error::Invalid("patient is required".to_owned()))?;
    let patient = read::patient_id(id);
    asked.count(Use::Patient(patient)).await?;
    Ok(patient)
}

async fn records(
    asked: &Asked<'_>,
    resource: &Resource,
    search: &Search,
    after: Option<After>,
) -> Result<Answer, Error> {
    let patient = named(asked, search).await?;
    let call = asked.call(search.asked, search.query());
    let view = match asked
        .face
        .disclosure
        .open::<Viewing>(asked.requester, &call, patient)
        .await
    {
        Err(Refused::NotFound) => return Ok(Answer::default()),
        opened => opened?,
    };
    let mut query = search.records.clone();
    query.after = match after {
        Some(After::Record(position)) => Some(position),
        _ => None,
    };
    let page = view.records(&query).await?;
    let on = asked.rendering();
    let mut included = Vec::new();
    if search.includes_patient && !page.items.is_empty() {
        included.extend(included_patient(asked, search, patient).await?);
    }
    if search.includes_provenance {
        let origin = |record: &Disclosed<ReadRecord>| Entry {
            kind: "Provenance",
            id: record.id.to_string(),
            resource: provenance::of_record(record, resource.name, &on),
        };
        included.extend(page.items.iter().map(origin));
    }
    let matches = if page.items.len() > PORTION {
        side_by_side(asked, resource.name, page.items).await?
    } else {
        shown(resource.name, &page.items, &on)
    };
    Ok(Answer {
        total: page.total,
        matches,
        included,
        next: page.next.map(After::Record),
    })
}

fn shown(kind: &'static str, records: &[Disclosed<ReadRecord>], on: &Rendering<'_>) -> Vec<Entry> {
    let entry = |record: &Disclosed<ReadRecord>| {
        Some(Entry {
            kind,
            id: record.id.to_string(),
            resource: render(record, on)?,
        })
    };
    records.iter().filter_map(entry).collect()
}

/// A long page, rendered by several threads.
async fn side_by_side(
    asked: &Asked<'_>,
    kind: &'static str,
    records: Vec<Disclosed<ReadRecord>>,
) -> Result<Vec<Entry>, Error> {
    let today = asked.rendering().today;
    let mut records = records.into_iter();
    let mut portions = Vec::new();
    while records.len() > 0 {
        let portion: Vec<_> = records.by_ref().take(PORTION).collect();
        let network = Arc::clone(&asked.face.network);
        portions.push(tokio::task::spawn_blocking(move || {
            let on = Rendering {
                network: &network,
                today,
            };
            shown(kind, &portion, &on)
        }));
    }
    let mut entries = Vec::new();
    for portion in portions {
        entries.extend(portion.await.map_err(|_| Error::Internal)?);
    }
    Ok(entries)
}

/// The patient of the matches, if the role may see demographics; else nothing, without a word.
async fn included_patient(
    asked: &Asked<'_>,
    search: &Search,
    patient: PatientId,
) -> Result<Option<Entry>, Error> {
    let rights = rights(&asked.face.network.profile, asked.requester.profession());
    if !rights.contains(Category::Demographics) {
        return Ok(None);
    }
    let call = asked.call(Categories(Category::Demographics.bit()), search.query());
    let view = match asked
        .face
        .disclosure
        .open::<Viewing>(asked.requester, &call, patient)
        .await
    {
        Err(Refused::NotFound) => return Ok(None),
        opened => opened?,
    };
    let person = view.patient().await?;
    Ok(Some(shown_person(&person, &asked.rendering())))
}

fn shown_person(person: &ReadPatient, on: &Rendering<'_>) -> Entry {
    Entry {
        kind: "Patient",
        id: person.id.to_string(),
        resource: patient::render(person.id, &person.statements, person.last_updated, on),
    }
}

async fn patients(
    asked: &Asked<'_>,
    search: &Search,
    after: Option<After>,
) -> Result<Answer, Error> {
    if search.ids.is_none() {
        search.person.suffices()?;
    }
    let call = asked.call(search.asked, search.query());
    let system = asked.face.network.profile.patient_system.as_str();
    let disclosure = &asked.face.disclosure;
    let query = search.person.query(system, asked.face.fold);
    let named = named_patients(search, system);
    for id in named.iter().flatten() {
        asked.count(Use::Patient(*id)).await?;
    }
    let found: Vec<Disclosed<ReadPatient>> = match query {
        Some(mut query) if !query.tokens.is_empty() => {
            query.ids = named.unwrap_or_default();
            query.updated = search.records.updated;
            query.sort = search.records.sort;
            disclosure
                .find_patients(asked.requester, &call, &query)
                .await?
        }
        Some(_) => {
            let each = each(asked, &call, named.unwrap_or_default()).await?;
            by_change(each, search, |person| person.last_updated)
        }
        // Asked like anybody unknown, so that a role without the right is refused all the same.
        None => each(asked, &call, vec![read::patient_id("")]).await?,
    };
    let on = asked.rendering();
    let (page, next) = page(&found, search, after);
    let origin = |person: &Disclosed<ReadPatient>| Entry {
        kind: "Provenance",
        id: person.id.to_string(),
        resource: provenance::of_patient(person.id, &person.statements, person.last_updated, &on),
    };
    let matches = page.iter().map(|person| shown_person(person, &on));
    let included = page
        .iter()
        .filter(|_| search.includes_provenance)
        .map(origin)
        .collect();
    Ok(Answer {
        total: count(found.len()),
        matches: matches.collect(),
        included,
        next,
    })
}

/// A short list as `_lastUpdated` and `_sort` ask for it.
fn by_change<T>(found: Vec<T>, search: &Search, updated: fn(&T) -> Instant) -> Vec<T> {
    let asked = |one: &T| search.records.updated.holds(updated(one));
    let mut found: Vec<T> = found.into_iter().filter(asked).collect();
    match search.records.sort {
        Sort::UpdatedAscending => found.sort_by_key(updated),
        Sort::UpdatedDescending => found.sort_by_key(|one| std::cmp::Reverse(updated(one))),
        Sort::DateAscending | Sort::DateDescending => {}
    }
    found
}

/// The ids of the network that a search names, by `_id` and as identifiers; all of them must agree.
/// Texts that are no ids name nobody, however many there are.
fn named_patients(search: &Search, system: &str) -> Option<Vec<PatientId>> {
    let nobody = read::patient_id("");
    let by_id = search.ids.as_ref().map(|ids| {
        let ids = ids.iter().map(|id| read::patient_id(id));
        let known: Vec<PatientId> = ids.filter(|id| *id != nobody).collect();
        if known.is_empty() {
            vec![nobody]
        } else {
            known
        }
    });
    search
        .person
        .network_ids(system)
        .map(read::patient_id)
        .fold(by_id, |known, id| {
            let agrees = known.is_none_or(|ids| ids.contains(&id));
            Some(vec![if agrees { id } else { nobody }])
        })
}

/// Each patient by id, as far as this requester may know them.
async fn each(
    asked: &Asked<'_>,
    call: &store::Call,
    ids: Vec<PatientId>,
) -> Result<Vec<Disclosed<ReadPatient>>, Error> {
    let mut found = Vec::new();
    for id in ids {
        match asked
            .face
            .disclosure
            .open::<Viewing>(asked.requester, call, id)
            .await
        {
            Ok(view) => found.push(view.patient().await?),
            Err(Refused::NotFound) => {}
            Err(other) => return Err(other.into()),
        }
    }
    Ok(found)
}

async fn reach(asked: &Asked<'_>, search: &Search, after: Option<After>) -> Result<Answer, Error> {
    let patient = named(asked, search).await?;
    let call = asked.call(search.asked, search.query());
    let view = match asked
        .face
        .disclosure
        .open::<Viewing>(asked.requester, &call, patient)
        .await
    {
        Err(Refused::NotFound) => return Ok(Answer::default()),
        opened => opened?,
    };
    let all = view.reach().await?;
    let facet = |active: bool| if active { REACH_ACTIVE } else { REACH_INACTIVE };
    let asked_for = |reach: &store::Reach| {
        search
            .records
            .facets
            .iter()
            .all(|mask| mask & facet(reach.active) != 0)
            && (search.ids.is_none() || search.records.ids.contains(&reach.id))
    };
    let found: Vec<_> = all.iter().filter(|reach| asked_for(reach)).collect();
    let found = by_change(found, search, |reach| reach.since);
    let on = asked.rendering();
    let (page, next) = page(&found, search, after);
    let matches: Vec<Entry> = page
        .iter()
        .map(|reach| Entry {
            kind: "Consent",
            id: reach.id.to_string(),
            resource: consent::render(&read::reached(reach, asked), &on),
        })
        .collect();
    let mut included = Vec::new();
    if search.includes_patient && !matches.is_empty() {
        included.extend(included_patient(asked, search, patient).await?);
    }
    Ok(Answer {
        total: count(found.len()),
        matches,
        included,
        next,
    })
}

async fn facilities(
    asked: &Asked<'_>,
    search: &Search,
    after: Option<After>,
) -> Result<Answer, Error> {
    let call = asked.call(search.asked, search.query());
    asked.face.disclosure.note(asked.requester, &call).await?;
    let named = |code: String| search.ids.as_ref().is_none_or(|ids| ids.contains(&code));
    let all = asked.face.network.facilities.values();
    let found: Vec<_> = all
        .filter(|facility| named(facility.code.to_string()))
        .collect();
    let on = asked.rendering();
    let (page, next) = page(&found, search, after);
    let matches = page
        .iter()
        .map(|facility| Entry {
            kind: "Organization",
            id: facility.code.to_string(),
            resource: organization::render(facility, &on),
        })
        .collect();
    Ok(Answer {
        total: count(found.len()),
        matches,
        included: Vec::new(),
        next,
    })
}

/// A page of a short list.
fn page<'a, T>(all: &'a [T], search: &Search, after: Option<After>) -> (&'a [T], Option<After>) {
    let start = match after {
        Some(After::Count(count)) => count.min(all.len()),
        _ => 0,
    };
    let size = usize::try_from(search.records.limit).unwrap_or(usize::MAX);
    let end = start.saturating_add(size).min(all.len());
    let next = (end < all.len() && size > 0).then_some(After::Count(end));
    (all.get(start..end).unwrap_or_default(), next)
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
