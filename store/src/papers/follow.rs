//! What follows from a patient's papers inside the office database: effective grants, and which links
//! feeds may read.

use std::collections::BTreeMap;

use consent::effective;
use model::id::{FacilityId, PatientNumber};
use model::papers::{ConsentState, EffectiveGrant, LinkState};

use super::basis;
use super::ledger::{Kept, Ledger, Wanted};
use super::outbox::{Post, post};
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

/// A row with since.
type KeptRow = (i64, i64, i64, i64, i64, i64, i64, i64, i64);

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
    if basis::is_another(shared, tx).await? {
        return basis::shut(shared, tx, patient).await;
    }
    let now = shared.clock.now();
    let ledger = Ledger::load(shared, tx, patient).await?;
    let active = |kept: &Kept| kept.state == ConsentState::Active;
    let papers = ledger.facts(shared, active, |link| link.state);
    let granted = replace_grants(
        shared,
        tx,
        patient,
        &effective(&papers, &shared.network, now),
    )
    .await?;
    // Read is what somebody could see once the link is proved, and nothing else.
    let hoped = effective(
        &ledger.facts(shared, active, |_| LinkState::Proved),
        &shared.network,
        now,
    );
    let named = ledger.named(shared, active);
    let mut wanted_changed = false;
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
        wanted_changed = true;
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
            let what = Post::BackFill(&link.local.facility);
            post(
                shared,
                tx,
                patient,
                what,
                if leaves { now } else { now.max(wanted.from) },
            )
            .await?;
        }
    }
    Ok(granted || wanted_changed)
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

/// Replaces the grants of a patient; one that was there before keeps the moment since when.
async fn replace_grants(
    shared: &Shared,
    tx: &mut Tx,
    patient: PatientNumber,
    grants: &[EffectiveGrant],
) -> Result<bool, Error> {
    let sql = "select reader, source, categories, sensitivity_max, valid_from, valid_to, window_from, window_to, since \
               from effective_grant where patient = $1";
    let kept: Vec<KeptRow> = tx.fetch_all(sql, params![patient]).await?;
    let since: BTreeMap<Row, i64> = kept
        .into_iter()
        .map(|(r, s, c, n, vf, vt, wf, wt, since)| ((r, s, c, n, vf, vt, wf, wt), since))
        .collect();
    let rows: Vec<Row> = grants.iter().map(row).collect();
    if rows.len() == since.len() && rows.iter().all(|row| since.contains_key(row)) {
        return Ok(false);
    }
    tx.execute(
        "delete from effective_grant where patient = $1",
        params![patient],
    )
    .await?;
    let now = shared.clock.now().0;
    let values =
        rows.iter().zip(0_i64..).map(|(row, ordinal)| {
            let (
                reader,
                source,
                categories,
                sensitivity,
                valid_from,
                valid_to,
                window_from,
                window_to,
            ) = *row;
            let since = since.get(row).copied().unwrap_or(now);
            [
                patient.0,
                reader,
                source,
                ordinal,
                categories,
                sensitivity,
                valid_from,
                valid_to,
                window_from,
                window_to,
                since,
            ]
            .map(Value::Int)
            .to_vec()
        });
    tx.insert_many(&GRANTS, values.collect()).await?;
    Ok(true)
}

/// The next state of a patient's papers: whoever works under the last one must stop.
pub(super) async fn next_epoch(tx: &mut Tx, patient: PatientNumber) -> Result<i64, Error> {
    let sql = "update patient set epoch = epoch + 1 where number = $1 returning epoch";
    let row: Option<(i64,)> = tx.fetch_optional(sql, params![patient]).await?;
    row.map(|(epoch,)| epoch).ok_or(Error::NotFound)
}
