//! Erasing after the end of a consent: rows and tokens go, then the patient's key, then somebody tries to
//! read and must fail, then the deletion record is written. Viewing ended long before, in the
//! transaction that ended the consent.

use std::sync::Arc;

use model::id::{FacilityId, PatientNumber, RecordKey};

use super::Jobs;
use super::tally::{Tally, count};
use crate::audit::{Action, Event};
use crate::db::{Tx, params};
use crate::error::Error;
use crate::papers::{Erasure, Papers};
use crate::raw::Place;

/// What erases one facility's rows of a patient. Findings go by their item, so they go first.
const OF_FACILITY: [(&str, &str); 6] = [
    (
        "finding",
        "delete from finding where patient = $1 and exists (select 1 from item i where i.patient = finding.patient \
         and i.slot = finding.slot and i.path = finding.path and i.facility = $2)",
    ),
    (
        "item",
        "delete from item where patient = $1 and facility = $2",
    ),
    (
        "slot",
        "delete from slot where patient = $1 and facility = $2",
    ),
    (
        "record",
        "delete from record where patient = $1 and facility = $2",
    ),
    (
        "search_token",
        "delete from search_token where patient = $1 and facility = $2",
    ),
    (
        "inbox",
        "delete from inbox where patient = $1 and facility = $2",
    ),
];

/// What erases what stands under one of a patient's numbers at a facility. A slot has one number, and
/// so has what its records say together with those of other slots: what stands under other numbers
/// was made without it. What goes by its item goes first.
const OF_NUMBER: [(&str, &str); 6] = [
    (
        "finding",
        "delete from finding where patient = $1 and exists (select 1 from item i where i.patient = finding.patient \
         and i.slot = finding.slot and i.path = finding.path and i.facility = $2 and i.number = $3)",
    ),
    (
        "record",
        "delete from record where patient = $1 and facility = $2 and (source = $3 or exists (select 1 from item i \
         where i.patient = record.patient and i.slot = record.source and i.number = $3))",
    ),
    (
        "slot",
        "delete from slot where patient = $1 and facility = $2 and exists (select 1 from item i \
         where i.patient = slot.patient and i.slot = slot.slot and i.number = $3)",
    ),
    (
        "item",
        "delete from item where patient = $1 and facility = $2 and number = $3",
    ),
    (
        "search_token",
        "delete from search_token where patient = $1 and facility = $2 and number = $3",
    ),
    (
        "inbox",
        "delete from inbox where patient = $1 and facility = $2 and number = $3",
    ),
];

/// What erases everything that is kept of a patient.
const EVERYTHING: [(&str, &str); 6] = [
    ("finding", "delete from finding where patient = $1"),
    ("item", "delete from item where patient = $1"),
    ("slot", "delete from slot where patient = $1"),
    ("record", "delete from record where patient = $1"),
    (
        "search_token",
        "delete from search_token where patient = $1",
    ),
    ("inbox", "delete from inbox where patient = $1"),
];

/// Something that a patient's key opens, to be tried when the key is gone.
pub(super) enum Sample {
    /// One of the patient's frames.
    Frame(Place),
    /// A text of ours, where no frame of the patient can be opened.
    Text(Vec<u8>),
}

/// Where [`Sample::Text`] is sealed to: no record has this key.
const NO_RECORD: RecordKey = RecordKey(0);

impl Jobs {
    /// Erases what nothing holds any more of a patient. Does nothing when nothing is due.
    ///
    /// A paper may come in between any two steps, and so may a crash. What the erasing took and the
    /// paper holds is fetched again, because whichever call of [`Papers::erased`] is the last one asks
    /// for it. What the paper's feeds read before a step does not come in after it: each step turns
    /// the patient's count of joins on, and a batch under another count is not accepted.
    pub(super) async fn erase(&self, papers: &Papers, patient: PatientNumber) -> Result<(), Error> {
        while let Some(erasure) = papers.due_erasure(patient).await? {
            // Rows tell where frames stand, so before they go.
            let sample = match erasure.whole {
                true => self.sample(patient).await?,
                false => None,
            };
            self.erase_rows(&erasure).await?;
            if erasure.whole {
                self.shred(patient, sample).await?;
            }
            self.record(&erasure).await?;
            match papers.erased(&erasure).await {
                Ok(()) => break,
                // A paper came in between; look again what is due.
                Err(Error::StaleEpoch) => {}
                Err(error) => return Err(error),
            }
        }
        self.forget_tally(patient).await
    }

    /// Deletes until a pass finds nothing: a batch that was running brings its rows before it learns
    /// of the withdrawal.
    pub(super) async fn erase_rows(&self, erasure: &Erasure) -> Result<(), Error> {
        loop {
            let mut tx = self.pass(erasure.patient).await?;
            let mut rows = 0;
            for facility in &erasure.sources {
                rows += delete(&mut tx, erasure.patient, facility, None).await?;
            }
            for (facility, number) in &erasure.numbers {
                rows += delete(&mut tx, erasure.patient, facility, Some(*number)).await?;
            }
            tx.commit().await?;
            if rows == 0 {
                return Ok(());
            }
        }
    }

    /// A transaction beside which no batch of the patient is accepted, and after which none is that
    /// was made from what was read before.
    async fn pass(&self, patient: PatientNumber) -> Result<Tx, Error> {
        let mut tx = self.store.0.records.begin().await?;
        tx.lock_patient(patient.0, true).await?;
        let sql = "update patient set joins = joins + 1 where number = $1";
        tx.execute(sql, params![patient]).await?;
        Ok(tx)
    }

    /// Destroys the patient's keys, then whatever a batch brought under them in the last moment, at
    /// any facility: nobody could open it. Somebody tries, and must fail.
    pub(super) async fn shred(
        &self,
        patient: PatientNumber,
        sample: Option<Sample>,
    ) -> Result<(), Error> {
        let keys = &self.store.0.keys;
        self.name_keys(patient, &keys.generations(patient).await?)
            .await?;
        let destroyed = keys.shred(patient).await?;
        self.name_keys(patient, &destroyed).await?;
        self.erase_leftovers(patient).await?;
        let left = keys.generations(patient).await?;
        if left.iter().any(|generation| destroyed.contains(generation)) {
            return Err(Error::Corrupt("a destroyed key is there"));
        }
        if let Some(sample) = sample {
            self.must_not_open(patient, &sample).await?;
        }
        // Last: where it has to be tried again, the rest is done.
        keys.scrub().await
    }

    /// Tries to open what the destroyed key sealed.
    pub(super) async fn must_not_open(
        &self,
        patient: PatientNumber,
        sample: &Sample,
    ) -> Result<(), Error> {
        if self.opens(patient, sample).await? {
            return Err(Error::Corrupt("what was erased can still be opened"));
        }
        Ok(())
    }

    /// Something that the patient's key opens now; nothing when there is no key, or one that a crash
    /// left half destroyed.
    pub(super) async fn sample(&self, patient: PatientNumber) -> Result<Option<Sample>, Error> {
        let shared = &self.store.0;
        let key = match shared.keys.patient(patient).await {
            Err(Error::Corrupt(_)) | Ok(None) => return Ok(None),
            Ok(Some(key)) => key,
            Err(error) => return Err(error),
        };
        let sql = "select segment, frame_at, frame_length from item where patient = $1 limit 1";
        let row: Option<(i64, i64, i64)> =
            shared.records.fetch_optional(sql, params![patient]).await?;
        if let Some((segment, at, length)) = row {
            let frame = Sample::Frame(Place {
                segment,
                at,
                length,
            });
            if self.opens(patient, &frame).await? {
                return Ok(Some(frame));
            }
        }
        key.seal_body(NO_RECORD, b"sample")
            .map(|sealed| Some(Sample::Text(sealed)))
    }

    /// Whether any key that this process can get for the patient opens the sample.
    async fn opens(&self, patient: PatientNumber, sample: &Sample) -> Result<bool, Error> {
        let shared = &self.store.0;
        let Some(key) = shared.keys.patient(patient).await? else {
            return Ok(false);
        };
        Ok(match sample {
            Sample::Frame(place) => {
                let frames = shared.raw.packed(vec![(Arc::new(key), *place)]).await;
                frames.is_ok()
            }
            Sample::Text(sealed) => key.open_body(NO_RECORD, sealed).is_ok(),
        })
    }

    /// Deletes what a crash left of a patient after their key was destroyed: nobody can open it.
    async fn erase_leftovers(&self, patient: PatientNumber) -> Result<(), Error> {
        let tx = self.pass(patient).await?;
        delete_everything(tx, patient).await
    }

    /// The same of a patient who has no key now. Somebody else may have given them one in between, and
    /// have kept something under it.
    pub(super) async fn erase_what_was_left(&self, patient: PatientNumber) -> Result<(), Error> {
        let tx = self.pass(patient).await?;
        match self.store.0.keys.patient(patient).await? {
            Some(_) => Ok(()),
            None => delete_everything(tx, patient).await,
        }
    }

    async fn record(&self, erasure: &Erasure) -> Result<(), Error> {
        let Tally {
            rows,
            mut sources,
            keys,
        } = self.tally(erasure.patient).await?;
        sources.extend(erasure.sources.iter().cloned());
        sources.extend(erasure.numbers.iter().map(|(facility, _)| facility.clone()));
        let source = |facility: FacilityId| {
            let in_part = erasure.numbers.iter().any(|(at, _)| *at == facility);
            format!("{facility}{}", if in_part { " in part" } else { "" })
        };
        let rows_of = |(table, _): &(&str, _)| {
            let count = rows.get(*table).copied().unwrap_or_default();
            format!("{table} {count}")
        };
        let counts = listed(EVERYTHING.iter().map(rows_of));
        let sources = listed(sources.into_iter().map(source));
        let keys = listed(keys);
        let ground = erasure.ground.name();
        let event = Event::new(Action::Erased)
            .about(erasure.patient, erasure.public, 0)
            .of(listed(&erasure.consents))
            .with(format!(
                "reason: {ground}; rows: {counts}; sources: {sources}; keys destroyed: {keys}"
            ));
        self.store.0.audit.record(event).await
    }
}

fn listed(parts: impl IntoIterator<Item: ToString>) -> String {
    let parts: Vec<String> = parts.into_iter().map(|part| part.to_string()).collect();
    if parts.is_empty() {
        "none".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Deletes a facility's rows of a patient, all of them or those under one number.
async fn delete(
    tx: &mut Tx,
    patient: PatientNumber,
    facility: &FacilityId,
    number: Option<i64>,
) -> Result<u64, Error> {
    let mut rows = 0;
    let deletions = number.map_or(OF_FACILITY, |_| OF_NUMBER);
    for (table, sql) in deletions {
        let gone = match number {
            None => tx.execute(sql, params![patient, facility]).await?,
            Some(number) => tx.execute(sql, params![patient, facility, number]).await?,
        };
        count(tx, patient, table, Some(facility), gone).await?;
        rows += gone;
    }
    Ok(rows)
}

async fn delete_everything(mut tx: Tx, patient: PatientNumber) -> Result<(), Error> {
    for (table, sql) in EVERYTHING {
        let gone = tx.execute(sql, params![patient]).await?;
        count(&mut tx, patient, table, None, gone).await?;
    }
    tx.commit().await
}
