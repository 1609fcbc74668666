//! Allergies: the allergy list (ADT-61), AL1 of the demographics and AL1 of orders become one list.

use std::collections::BTreeMap;

use model::allergy::{Allergy, AllergySource};
use model::id::FacilityId;
use model::record::{Body, Kind, Record, RecordMeta};

use super::{Contribution, Joined};
use crate::text;

/// One allergy for every key: of several statements the one of the more trusted list, then the
/// newest. A statement stands back where a more trusted list speaks of the same allergen; so an
/// order's snapshot shows only what no list of the facility has.
pub(super) fn list(facility: &FacilityId, contributions: &[Contribution<'_>]) -> Vec<Joined> {
    let mut chosen: BTreeMap<String, (&str, &Allergy, &RecordMeta, bool)> = BTreeMap::new();
    for contribution in contributions {
        let Body::Allergy(allergy) = &contribution.record.body else {
            continue;
        };
        let meta = &contribution.record.meta;
        // The source key only settles which of two equally new statements is taken.
        let rank = |version, allergy: &Allergy, meta: &RecordMeta| {
            (allergy.source, version, meta.source_key.clone())
        };
        let candidate = (
            contribution.version,
            allergy.as_ref(),
            meta,
            contribution.superseded_only,
        );
        chosen
            .entry(allergy.key())
            .and_modify(|(version, kept, kept_meta, superseded)| {
                if rank(contribution.version, allergy, meta) > rank(*version, kept, kept_meta) {
                    (*version, *kept, *kept_meta, *superseded) = candidate;
                }
            })
            .or_insert(candidate);
    }
    let trusted = most_trusted(chosen.values().map(|(_, allergy, ..)| *allergy));
    let stands = |allergy: &Allergy| {
        trusted
            .get(&allergen(allergy))
            .is_none_or(|source| allergy.source >= *source)
    };
    chosen
        .into_iter()
        .filter(|(_, (_, allergy, ..))| stands(allergy))
        .map(|(source_key, (_, allergy, meta, superseded_only))| Joined {
            record: Record {
                meta: RecordMeta {
                    facility: facility.clone(),
                    kind: Kind::AllergyIntolerance,
                    source_key,
                    ..meta.clone()
                },
                body: Body::Allergy(Box::new(allergy.clone())),
            },
            superseded_only,
        })
        .collect()
}

/// The most trusted list that speaks of each allergen.
fn most_trusted<'a>(
    allergies: impl Iterator<Item = &'a Allergy>,
) -> BTreeMap<String, AllergySource> {
    let mut trusted = BTreeMap::new();
    for allergy in allergies {
        let source = trusted.entry(allergen(allergy)).or_insert(allergy.source);
        *source = allergy.source.max(*source);
    }
    trusted
}

/// The allergen apart from how an item is numbered: its code, else its words.
fn allergen(allergy: &Allergy) -> String {
    match allergy.code.codings.first() {
        Some(coding) => format!("{:?}|{}", coding.system, coding.code),
        None => text::fold(allergy.code.text.as_deref().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
