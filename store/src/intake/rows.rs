//! Changes as rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::id::PatientNumber;
use model::time::Instant;

use super::columns::{FINDINGS, ITEMS, RECORDS, SLOTS, TOKENS, bytes};
use super::{
    ABSENT, CURRENT, Head, ItemChange, Joined, PatientChange, Publish, SUPERSEDED_ONLY, SlotChange,
    Standing, WITHDRAWN, is_served,
};
use crate::Token;
use crate::db::{Tx, Value, params};
use crate::error::Error;
use crate::keys::{Keys, PatientKey};
use crate::raw::Place;

/// Marks records as withdrawn; who asks by `_lastUpdated` learns nothing of them.
pub(super) async fn withdraw(
    tx: &mut Tx,
    patient: PatientNumber,
    keys: &[i64],
    now: Instant,
) -> Result<(), Error> {
    let sql = "update record set state = $3, version = version + 1, accepted_at = $4 where patient = $1 and key = $2";
    for key in keys {
        tx.execute(sql, params![patient, *key, WITHDRAWN, now])
            .await?;
    }
    Ok(())
}

/// Collects the rows of a batch, so that each table is written with few statements.
pub(super) struct Writer {
    keys: Keys,
    now: Instant,
    items: Vec<Vec<Value>>,
    slots: Vec<Vec<Value>>,
    /// By patient and key: no key may come twice in one statement; the last one wins.
    records: BTreeMap<(i64, i64), Vec<Value>>,
    /// Since when the statement of an order about the patient stands among the records.
    from_orders: HashMap<(i64, i64), Instant>,
    findings: Vec<Vec<Value>>,
    tokens: BTreeSet<(i64, i64, i64, i64)>,
    clear_findings: Vec<(i64, i64, i64)>,
    clear_tokens: Vec<(i64, i64, i64)>,
    gone: Vec<(PatientNumber, Vec<i64>)>,
}

impl Writer {
    pub(super) fn new(keys: Keys, now: Instant) -> Self {
        Self {
            keys,
            now,
            items: Vec::new(),
            slots: Vec::new(),
            records: BTreeMap::new(),
            from_orders: HashMap::new(),
            findings: Vec::new(),
            tokens: BTreeSet::new(),
            clear_findings: Vec::new(),
            clear_tokens: Vec::new(),
            gone: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, change: &PatientChange, key: &PatientKey) -> Result<(), Error> {
        for item in &change.items {
            self.item(change, item)?;
        }
        let places: BTreeMap<i64, Place> = change
            .items
            .iter()
            .filter_map(|item| Some((item.item.path, item.item.place?)))
            .collect();
        for slot in &change.slots {
            self.slot(change, slot, &places)?;
        }
        let joined = change.joined.iter().flatten();
        for Joined {
            number,
            record,
            standing,
        } in joined
        {
            let head = Head::of(&self.keys, record);
            let plain = serde_json::to_vec(record)
                .map_err(|error| Error::Other("write record", error.into()))?;
            let sealed = key.seal_body(head.key, &plain)?;
            let nowhere = Place {
                segment: 0,
                at: 0,
                length: 0,
            };
            self.record(
                change.patient,
                &head,
                state(*standing),
                *number,
                nowhere,
                0,
                Some(sealed),
            );
        }
        let (patient, facility) = (change.patient.0, change.facility.number());
        for (number, found) in &change.tokens {
            // Of whom nothing was accepted yet, nothing stands there.
            if found.only && change.joins > 0 {
                self.clear_tokens.push((patient, facility, *number));
            }
            let blind = |token: &Token| (token.blind(&self.keys), patient, facility, *number);
            self.tokens.extend(found.tokens.iter().map(blind));
        }
        Ok(())
    }

    fn item(&mut self, change: &PatientChange, changed: &ItemChange) -> Result<(), Error> {
        let item = &changed.item;
        let place = item.place.ok_or(Error::Corrupt("item without frame"))?;
        self.items.push(vec![
            change.patient.into(),
            item.slot.into(),
            item.path.into(),
            (&change.facility).into(),
            item.kind.into(),
            item.flag.into(),
            item.version.into(),
            item.department.into(),
            item.content.into(),
            item.size.into(),
            item.modified.into(),
            item.event_at.unwrap_or(Instant::MIN).into(),
            item.cancels.into(),
            (item.outcome as i64).into(),
            (item.origin as i64).into(),
            item.number.into(),
            place.segment.into(),
            place.at.into(),
            place.length.into(),
        ]);
        let Some(findings) = &changed.findings else {
            return Ok(());
        };
        if !changed.fresh {
            self.clear_findings
                .push((change.patient.0, item.slot, item.path));
        }
        for (ordinal, finding) in (0_i64..).zip(findings) {
            let place = &finding.place;
            self.findings.push(vec![
                change.patient.into(),
                item.slot.into(),
                item.path.into(),
                ordinal.into(),
                finding.rule.as_str().into(),
                (finding.severity as i64).into(),
                (finding.effect as i64).into(),
                place.segment.as_str().into(),
                i64::from(place.ordinal).into(),
                i64::from(place.field).into(),
                i64::from(place.repetition).into(),
                i64::from(place.component).into(),
                i64::from(place.start).into(),
                i64::from(place.end).into(),
            ]);
        }
        Ok(())
    }

    fn slot(
        &mut self,
        change: &PatientChange,
        slot: &SlotChange,
        places: &BTreeMap<i64, Place>,
    ) -> Result<(), Error> {
        let mut keys = BTreeSet::new();
        for publish in slot
            .publish
            .iter()
            .filter(|publish| is_served(publish.head.kind))
        {
            // What an order says about the patient stays when the order goes.
            if !publish.head.is_from_order() {
                keys.insert(publish.head.key.0);
            }
            let place = *places
                .get(&publish.path)
                .ok_or(Error::Corrupt("item without frame"))?;
            self.published(change.patient, slot.slot, publish, place)?;
        }
        self.slots.push(vec![
            change.patient.into(),
            slot.slot.into(),
            (&change.facility).into(),
            slot.state.into(),
            slot.joins.into(),
            bytes(
                slot.published
                    .iter()
                    .flat_map(|(path, standing)| [*path, *standing]),
            )
            .into(),
            bytes(keys.iter().copied()).into(),
        ]);
        // INVARIANT: `before` is what stands in the table; the claim on the patient's row fails otherwise.
        let before = slot
            .before
            .iter()
            .flat_map(|before| before.keys.iter().copied());
        let gone: Vec<i64> = before.filter(|key| !keys.contains(key)).collect();
        self.gone.push((change.patient, gone));
        Ok(())
    }

    fn published(
        &mut self,
        patient: PatientNumber,
        slot: i64,
        publish: &Publish,
        place: Place,
    ) -> Result<(), Error> {
        let ordinal = i64::try_from(publish.ordinal).map_err(|_| Error::Corrupt("ordinal"))?;
        self.record(
            patient,
            &publish.head,
            state(publish.standing),
            slot,
            place,
            ordinal,
            None,
        );
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one argument a group of columns")]
    fn record(
        &mut self,
        patient: PatientNumber,
        head: &Head,
        state: i64,
        source: i64,
        place: Place,
        ordinal: i64,
        body: Option<Vec<u8>>,
    ) {
        let place_of_row = (patient.0, head.key.0);
        // Of what several orders say about the patient the newest stands, as between batches.
        if head.is_from_order() {
            let newest = self.from_orders.entry(place_of_row);
            let newest = newest.or_insert(head.occurred.from);
            if *newest > head.occurred.from {
                return;
            }
            *newest = head.occurred.from;
        }
        let facets = if state == ABSENT {
            head.facets_when_absent
        } else {
            head.facets
        };
        let [code1, code2, code3, code4] = head.codes;
        let row = vec![
            patient.into(),
            head.category.bit().into(),
            head.occurred.from.into(),
            head.key.0.into(),
            head.occurred.to.into(),
            (head.kind as i64).into(),
            head.facility.into(),
            (head.sensitivity as i64).into(),
            facets.into(),
            code1.into(),
            code2.into(),
            code3.into(),
            code4.into(),
            state.into(),
            1_i64.into(),
            self.now.into(),
            source.into(),
            place.segment.into(),
            place.at.into(),
            place.length.into(),
            ordinal.into(),
            body.into(),
        ];
        self.records.insert(place_of_row, row);
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), Error> {
        for (patient, gone) in &self.gone {
            withdraw(tx, *patient, gone, self.now).await?;
        }
        for (patient, slot, path) in &self.clear_findings {
            let sql = "delete from finding where patient = $1 and slot = $2 and path = $3";
            tx.execute(sql, params![*patient, *slot, *path]).await?;
        }
        for (patient, facility, number) in &self.clear_tokens {
            let sql =
                "delete from search_token where patient = $1 and facility = $2 and number = $3";
            tx.execute(sql, params![*patient, *facility, *number])
                .await?;
        }
        tx.insert_many(&ITEMS, self.items).await?;
        tx.insert_many(&SLOTS, self.slots).await?;
        tx.insert_many(&RECORDS, self.records.into_values().collect())
            .await?;
        tx.insert_many(&FINDINGS, self.findings).await?;
        let tokens = self.tokens.into_iter();
        let tokens = tokens.map(|(token, patient, facility, number)| {
            params![token, patient, facility, number].to_vec()
        });
        tx.insert_many(&TOKENS, tokens.collect()).await?;
        Ok(())
    }
}

const fn state(standing: Standing) -> i64 {
    match standing {
        Standing::Current => CURRENT,
        Standing::SupersededOnly => SUPERSEDED_ONLY,
        Standing::Absent => ABSENT,
    }
}
