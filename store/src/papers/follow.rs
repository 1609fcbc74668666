//! What follows from a patient's papers inside the office database: effective grants, and which links
//! feeds may read.

use std::collections::{BTreeMap, BTreeSet};

use consent::effective;
use model::id::{FacilityId, PatientNumber};
use model::papers::{ConsentState, EffectiveGrant, LinkState};

use super::basis;
use super::ledger::{Kept, Ledger, Wanted};
use super::outbox::{Post, post_all};
use crate::Shared;
use crate::db::{Insert, Tx, Type, Value, params};
use crate::error::Error;

const GRANTS: Insert = Insert {
    table: "effective_grant",
    columns: &[
        ("patient", Type::Int),
        ("reader", Type::Int),
        ("source", Type::Int),
        ("ordinal", Type::Int),
        ("categories", Type::Int),
        ("sensitivity_max", Type::Int),
        ("valid_from", Type::Int),
        ("valid_to", Type::Int),
        ("window_from", Type::Int),
        ("window_to", Type::Int),
        ("since", Type::Int),
    ],
    conflict: "",
};

/// A grant as a row without patient, ordinal and since: reader, source, categories, sensitivity,
/// validity, window.
type Row = (i64, i64, i64, i64, i64, i64, i64, i64);

/// A row with patient and since.
type KeptRow = (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64);

fn row(grant: &EffectiveGrant) -> Row {
    (
        grant.reader.number(),
        grant.source.number(),
        grant.categories.0,
        grant.sensitivity_max as i64,
        grant.valid_from.0,
        grant.valid_to.0,
        grant.window_from.0,
        grant.window_to.0,
    )
}

/// Brings grants and wanted links of a patient in line with the papers. Whether anything changed.
/// Where another regulation than this process's is in force, all are taken away instead.
pub(super) async fn follow(
    shared: &Shared,
    tx: &mut Tx,
    patient: PatientNumber,
) -> Result<bool, Error> {
    let changed = follow_all(shared, tx, &[patient]).await?;
    Ok(!changed.is_empty())
}

/// The same for several patients: of whom anything changed.
pub(super) async fn follow_all(
    shared: &Shared,
    tx: &mut Tx,
    patients: &[PatientNumber],
) -> Result<BTreeSet<PatientNumber>, Error> {
    let mut changed = BTreeSet::new();
    if basis::is_another(shared, tx).await? {
        for patient in patients {
            if basis::shut(shared, tx, *patient).await? {
                changed.insert(*patient);
            }
        }
        return Ok(changed);
    }
    let ledgers = Ledger::load_all(shared, tx, patients).await?;
    let mut granted = Vec::with_capacity(patients.len());
    for patient in patients {
        let Some(ledger) = ledgers.get(patient) else {
            granted.push((*patient, Vec::new()));
            continue;
        };
        let papers = ledger.facts(shared, is_active, |link| link.state);
        let grants = effective(&papers, &shared.network, shared.clock.now());
        granted.push((*patient, grants.iter().map(row).collect()));
        if want(shared, tx, *patient, ledger).await? {
            changed.insert(*patient);
        }
    }
    changed.extend(replace_grants(shared, tx, granted).await?);
    Ok(changed)
}

fn is_active(kept: &Kept) -> bool {
    kept.state == ConsentState::Active
}

/// Says when feeds may read the links of a patient. Whether anything changed.
async fn want(
    shared: &Shared,
    tx: &mut Tx,
    patient: PatientNumber,
    ledger: &Ledger,
) -> Result<bool, Error> {
    let now = shared.clock.now();
    // Read is what somebody could see once the link is proved, and nothing else.
    let hoped = effective(
        &ledger.facts(shared, is_active, |_| LinkState::Proved),
        &shared.network,
        now,
    );
    let named = ledger.named(shared, is_active);
    let mut posted = Vec::new();
    let mut changed = false;
    for link in &ledger.links {
        let is_named = named.contains(&(link.local.facility.clone(), link.token));
        let wanted = if is_named {
            period(&hoped, &link.local.facility)
        } else {
            Wanted::NEVER
        };
        if wanted == link.wanted {
            continue;
        }
        changed = true;
        let sql = "update link set wanted_from = $4, wanted_to = $5 where patient = $1 and facility = $2 and token = $3";
        tx.execute(
            sql,
            params![
                patient,
                &link.local.facility,
                link.token,
                wanted.from,
                wanted.to
            ],
        )
        .await?;
        // What stands under a number that left is hidden by the same look that finds what is new.
        let leaves =
            wanted == Wanted::NEVER && period(&hoped, &link.local.facility) != Wanted::NEVER;
        if link.wanted == Wanted::NEVER || leaves {
            let due_at = if leaves { now } else { now.max(wanted.from) };
            posted.push((patient, Post::BackFill(&link.local.facility), due_at));
        }
    }
    post_all(shared, tx, &posted).await?;
    Ok(changed)
}

/// From the first to the last moment at which a grant opens the source.
fn period(grants: &[EffectiveGrant], source: &FacilityId) -> Wanted {
    let of_source = || grants.iter().filter(|grant| grant.source == *source);
    match (
        of_source().map(|grant| grant.valid_from).min(),
        of_source().map(|grant| grant.valid_to).max(),
    ) {
        (Some(from), Some(to)) => Wanted { from, to },
        _ => Wanted::NEVER,
    }
}

/// Replaces the grants of patients; one that was there before keeps the moment since when. Of whom
/// they are other ones.
async fn replace_grants(
    shared: &Shared,
    tx: &mut Tx,
    granted: Vec<(PatientNumber, Vec<Row>)>,
) -> Result<Vec<PatientNumber>, Error> {
    let sql = "select patient, reader, source, categories, sensitivity_max, valid_from, valid_to, window_from, \
               window_to, since from effective_grant where patient";
    let numbers: Vec<i64> = granted.iter().map(|(patient, _)| patient.0).collect();
    let kept: Vec<KeptRow> = tx.fetch_among(sql, &numbers).await?;
    let mut since: BTreeMap<i64, BTreeMap<Row, i64>> = BTreeMap::new();
    for (patient, r, s, c, n, vf, vt, wf, wt, at) in kept {
        let rows = since.entry(patient).or_default();
        rows.insert((r, s, c, n, vf, vt, wf, wt), at);
    }
    let now = shared.clock.now().0;
    let (mut gone, mut values, mut changed) = (Vec::new(), Vec::new(), Vec::new());
    for (patient, rows) in granted {
        let since = since.remove(&patient.0).unwrap_or_default();
        if rows.len() == since.len() && rows.iter().all(|row| since.contains_key(row)) {
            continue;
        }
        changed.push(patient);
        if !since.is_empty() {
            gone.push(patient.0);
        }
        let value = |(ordinal, row): (i64, &Row)| {
            let (r, s, c, n, vf, vt, wf, wt) = *row;
            let at = since.get(row).copied().unwrap_or(now);
            let columns = [patient.0, r, s, ordinal, c, n, vf, vt, wf, wt, at];
            columns.map(Value::Int).to_vec()
        };
        values.extend((0..).zip(&rows).map(value));
    }
    tx.execute_among("delete from effective_grant where patient", &gone)
        .await?;
    tx.insert_many(&GRANTS, values).await?;
    Ok(changed)
}

/// The next state of a patient's papers: whoever works under the last one must stop.
pub(super) async fn next_epoch(tx: &mut Tx, patient: PatientNumber) -> Result<i64, Error> {
    let epochs = next_epochs(tx, &[patient.0]).await?;
    epochs.get(&patient).copied().ok_or(Error::NotFound)
}

/// The same for several patients.
pub(super) async fn next_epochs(
    tx: &mut Tx,
    patients: &[i64],
) -> Result<BTreeMap<PatientNumber, i64>, Error> {
    tx.execute_among(
        "update patient set epoch = epoch + 1 where number",
        patients,
    )
    .await?;
    let sql = "select number, epoch from patient where number";
    let rows: Vec<(i64, i64)> = tx.fetch_among(sql, patients).await?;
    let epoch = |(number, epoch): (i64, i64)| (PatientNumber(number), epoch);
    Ok(rows.into_iter().map(epoch).collect())
}
