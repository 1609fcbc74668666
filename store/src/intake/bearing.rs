//! What is kept at a facility and bears on messages of many patients: a message costs the same however
//! much is kept of its patient.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{FacilityId, PatientNumber};

use super::known::{
    Hinted, ITEMS_OF, ITEMS_STORED, ItemRow, JOINS, SLOTS_OF, SlotRow, hinted, item, slot,
};
use super::{Intake, Known, Origin};
use crate::error::Error;

/// Messages of one patient that are about to be accepted.
pub struct Touching {
    /// Whose.
    pub patient: PatientNumber,
    /// The slots that they touch.
    pub slots: BTreeSet<i64>,
    /// Digests of their control ids and of their bytes.
    pub messages: Vec<(i64, i64)>,
    /// Whether pushed items that are withheld may count because of them.
    pub releases: bool,
}

/// What is kept and bears on messages.
#[derive(Default)]
pub struct Bearing {
    /// The slots that they touch with all their items, and of what a storage has elsewhere the items
    /// that say the same as a pushed one of these.
    pub known: Known,
    /// Pushed items with the same control ids, wherever they stand; of a message without one none.
    pub namesakes: Vec<Namesake>,
    /// Digests of the numbers under which demographics (ADT-00) are kept.
    pub demographics: BTreeSet<i64>,
}

/// A pushed item that has the control id of a message.
#[derive(Debug, Clone, Copy)]
pub struct Namesake {
    /// Digest that the same message has again.
    pub path: i64,
    /// Digest of the control id.
    pub control: i64,
    /// Digest of the bytes.
    pub content: i64,
}

/// Stands for the control id of a message that has none.
const NO_CONTROL: i64 = 0;

const NAMESAKES: Hinted = hinted!(
    "select i.patient, i.facility, i.path, i.modified, i.content from q cross join item i",
    " indexed by item_named",
    " where i.patient = q.a and i.modified = q.b and i.origin = 2"
);
const WITHHELD: Hinted = hinted!(
    "select distinct i.patient, i.slot from q cross join item i",
    " indexed by item_withheld",
    " where i.patient = q.a and i.facility = q.b and i.outcome = 3 and i.origin = 2"
);
const DEMOGRAPHICS: Hinted = hinted!(
    "select distinct i.patient, i.number from q cross join item i",
    " indexed by item_demographics",
    " where i.patient = q.a and i.facility = q.b and i.kind in (2, 3)"
);

/// Patients, each with something that is looked up.
type Pairs = BTreeSet<(i64, i64)>;

impl Intake {
    /// What is kept at a facility and bears on messages; nothing of patients of whom nothing is kept.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn bearing(
        &self,
        facility: &FacilityId,
        touching: &[Touching],
    ) -> Result<BTreeMap<PatientNumber, Bearing>, Error> {
        let mut bearing = self.counted(touching).await?;
        let kept = |touching: &&Touching| bearing.contains_key(&touching.patient);
        let touching: Vec<&Touching> = touching.iter().filter(kept).collect();
        let slots = self.items(facility, &touching, &mut bearing).await?;
        let rows: Vec<SlotRow> = self.fetch_of(SLOTS_OF, slots).await?;
        for row in rows {
            let bearing = bearing.entry(PatientNumber(row.0)).or_default();
            bearing.known.slots.extend([slot(row)]);
        }
        let here = pairs(&touching, |_| [facility.number()]);
        let rows: Vec<(i64, i64)> = self.fetch_of(DEMOGRAPHICS, here).await?;
        for (patient, number) in rows {
            let bearing = bearing.entry(PatientNumber(patient)).or_default();
            bearing.demographics.insert(number);
        }
        let controls = pairs(&touching, |of| {
            let controls = of.messages.iter().map(|(control, _)| *control);
            controls.filter(|control| *control != NO_CONTROL)
        });
        let rows: Vec<(i64, i64, i64, i64, i64)> = self.fetch_of(NAMESAKES, controls).await?;
        // Each hospital counts its control ids by itself.
        let here = rows.into_iter().filter(|row| row.1 == facility.number());
        for (patient, _, path, control, content) in here {
            let bearing = bearing.entry(PatientNumber(patient)).or_default();
            bearing.namesakes.push(Namesake {
                path,
                control,
                content,
            });
        }
        Ok(bearing)
    }

    /// The patients of whom something is kept, with the counts of their joins: they are read first, so
    /// that whoever changes something in between is noticed when the change is accepted.
    async fn counted(
        &self,
        touching: &[Touching],
    ) -> Result<BTreeMap<PatientNumber, Bearing>, Error> {
        let patients: Vec<i64> = touching.iter().map(|of| of.patient.0).collect();
        let rows: Vec<(i64, i64)> = self.db().fetch_among(JOINS, &patients).await?;
        let of = |(patient, joins)| {
            let known = Known {
                joins,
                is_part: true,
                ..Known::default()
            };
            let bearing = Bearing {
                known,
                ..Bearing::default()
            };
            (PatientNumber(patient), bearing)
        };
        Ok(rows.into_iter().map(of).collect())
    }

    /// Looks items up; the slots of which all are found.
    async fn items(
        &self,
        facility: &FacilityId,
        touching: &[&Touching],
        bearing: &mut BTreeMap<PatientNumber, Bearing>,
    ) -> Result<Pairs, Error> {
        let mut slots = pairs(touching, |of| of.slots.iter().copied());
        let releasing = pairs(touching, |of| of.releases.then(|| facility.number()));
        let withheld: Vec<(i64, i64)> = self.fetch_of(WITHHELD, releasing).await?;
        slots.extend(withheld);
        let mut contents = pairs(touching, |of| {
            of.messages.iter().map(|(_, content)| *content)
        });
        let rows: Vec<ItemRow> = self.fetch_of(ITEMS_OF, slots.clone()).await?;
        let pushed = rows
            .iter()
            .filter(|row| row.origin == Origin::Pushed as i64);
        contents.extend(pushed.map(|row| (row.patient, row.content)));
        let stored: Vec<ItemRow> = self.fetch_of(ITEMS_STORED, contents).await?;
        let elsewhere = stored.into_iter().filter(|row| {
            row.facility == facility.number() && !slots.contains(&(row.patient, row.slot))
        });
        for row in rows.into_iter().chain(elsewhere) {
            let bearing = bearing.entry(PatientNumber(row.patient)).or_default();
            bearing.known.items.push(item(&row));
        }
        Ok(slots)
    }

    async fn fetch_of<T: crate::db::Row>(
        &self,
        (sqlite, postgres): Hinted,
        pairs: impl IntoIterator<Item = (i64, i64)>,
    ) -> Result<Vec<T>, Error> {
        // The same pair twice would find its rows twice.
        let pairs: Vec<(i64, i64)> = pairs.into_iter().collect::<Pairs>().into_iter().collect();
        let sql = self.db().text(sqlite, postgres);
        self.db().fetch_pairs(sql, &pairs).await
    }
}

fn pairs<'a, I: IntoIterator<Item = i64>>(
    touching: &[&'a Touching],
    of: impl Fn(&'a Touching) -> I,
) -> Pairs {
    let pairs = touching.iter().flat_map(|touching| {
        let values = of(touching).into_iter();
        values
            .map(|value| (touching.patient.0, value))
            .collect::<Vec<_>>()
    });
    pairs.collect()
}

#[cfg(test)]
mod tests;
