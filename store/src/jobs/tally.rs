//! What an erasing took so far. Rows are counted in the transaction that deletes them, keys are named
//! before they are destroyed: whenever a process dies, the deletion record that is written later tells
//! everything that went.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{FacilityId, PatientNumber};

use super::Jobs;
use crate::db::{Tx, params};
use crate::error::Error;

const ADD: &str = "insert into erasing (patient, what, number, count) values ($1, $2, $3, $4) \
     on conflict (patient, what, number) do update set count = erasing.count + excluded.count";
/// Not the name of a table of records.
const KEY: &str = "key";

/// What went of one patient.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// How many rows, by table.
    pub(super) rows: BTreeMap<String, i64>,
    /// Facilities of which rows went.
    pub(super) sources: BTreeSet<FacilityId>,
    /// Generations of keys.
    pub(super) keys: BTreeSet<i64>,
}

/// Counts rows of one facility, or of any, that the transaction deletes.
pub(super) async fn count(
    tx: &mut Tx,
    patient: PatientNumber,
    table: &'static str,
    facility: Option<&FacilityId>,
    rows: u64,
) -> Result<(), Error> {
    if rows == 0 {
        return Ok(());
    }
    let rows = i64::try_from(rows).unwrap_or(i64::MAX);
    let facility = facility.map_or(0, FacilityId::number);
    tx.execute(ADD, params![patient, table, facility, rows])
        .await?;
    Ok(())
}

impl Jobs {
    /// Names the keys that are about to be destroyed.
    pub(super) async fn name_keys(
        &self,
        patient: PatientNumber,
        generations: &[i64],
    ) -> Result<(), Error> {
        for generation in generations {
            let params = params![patient, KEY, *generation, 0_i64];
            self.store.0.records.execute(ADD, params).await?;
        }
        Ok(())
    }

    /// What went since the last erasing that was done. A key that was named and is still there did
    /// not go.
    pub(super) async fn tally(&self, patient: PatientNumber) -> Result<Tally, Error> {
        let sql = "select what, number, count from erasing where patient = $1";
        let records = &self.store.0.records;
        let rows: Vec<(String, i64, i64)> = records.fetch_all(sql, params![patient]).await?;
        let left = self.store.0.keys.generations(patient).await?;
        let mut tally = Tally::default();
        for (what, number, count) in rows {
            if what == KEY {
                tally.keys.insert(number);
                continue;
            }
            *tally.rows.entry(what).or_default() += count;
            if number != 0 {
                let facility = FacilityId::from_number(number);
                let facility = facility.map_err(|_| Error::Corrupt("facility code"))?;
                tally.sources.insert(facility);
            }
        }
        tally.keys.retain(|generation| !left.contains(generation));
        Ok(tally)
    }

    /// Begins anew: what went stands in a deletion record.
    pub(super) async fn forget_tally(&self, patient: PatientNumber) -> Result<(), Error> {
        let sql = "delete from erasing where patient = $1";
        self.store.0.records.execute(sql, params![patient]).await?;
        Ok(())
    }
}
