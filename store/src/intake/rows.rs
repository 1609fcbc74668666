//! Changes as rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::code::{CodeSystem, Coding};
use model::id::{FacilityId, PatientNumber};
use model::record::{Body, Record};
use model::time::Instant;

use super::{
    ABSENT, CURRENT, FoundBy, Item, ItemChange, Joined, Known, Outcome, PatientChange, Publish,
    SUPERSEDED_ONLY, Slot, SlotChange, Standing, WITHDRAWN, is_served, record_key,
};
use crate::Token;
use crate::db::{Db, Insert, Tx, Type, Value, params};
use crate::error::Error;
use crate::keys::{Keys, PatientKey};
use crate::raw::Place;

const ITEMS: Insert = Insert {
    table: "item",
    columns: &[
        ("patient", Type::Int),
        ("slot", Type::Int),
        ("path", Type::Int),
        ("facility", Type::Int),
        ("kind", Type::Int),
        ("flag", Type::Int),
        ("version", Type::Int),
        ("department", Type::Int),
        ("content", Type::Int),
        ("size", Type::Int),
        ("modified", Type::Int),
        ("event_at", Type::Int),
        ("cancels", Type::Int),
        ("outcome", Type::Int),
        ("segment", Type::Int),
        ("frame_at", Type::Int),
        ("frame_length", Type::Int),
    ],
    conflict: "on conflict (patient, slot, path) do update set flag = excluded.flag, content = excluded.content, \
               size = excluded.size, modified = excluded.modified, event_at = excluded.event_at, \
               cancels = excluded.cancels, outcome = excluded.outcome, segment = excluded.segment, \
               frame_at = excluded.frame_at, frame_length = excluded.frame_length",
};

const SLOTS: Insert = Insert {
    table: "slot",
    columns: &[
        ("patient", Type::Int),
        ("slot", Type::Int),
        ("facility", Type::Int),
        ("state", Type::Int),
        ("joins", Type::Int),
        ("published", Type::Bytes),
        ("keys", Type::Bytes),
    ],
    conflict: "on conflict (patient, slot) do update set state = excluded.state, joins = excluded.joins, \
               published = excluded.published, keys = excluded.keys",
};

const RECORDS: Insert = Insert {
    table: "record",
    columns: &[
        ("patient", Type::Int),
        ("category", Type::Int),
        ("occurred_from", Type::Int),
        ("key", Type::Int),
        ("occurred_to", Type::Int),
        ("kind", Type::Int),
        ("facility", Type::Int),
        ("sensitivity", Type::Int),
        ("facets", Type::Int),
        ("code1", Type::Int),
        ("code2", Type::Int),
        ("code3", Type::Int),
        ("code4", Type::Int),
        ("state", Type::Int),
        ("version", Type::Int),
        ("accepted_at", Type::Int),
        ("source", Type::Int),
        ("segment", Type::Int),
        ("frame_at", Type::Int),
        ("frame_length", Type::Int),
        ("ordinal", Type::Int),
        ("body", Type::Bytes),
    ],
    // A patient taken from an order gives way only to a newer one (facet 1 of the kind).
    conflict: "on conflict (patient, key) do update set category = excluded.category, \
               occurred_from = excluded.occurred_from, occurred_to = excluded.occurred_to, \
               sensitivity = excluded.sensitivity, facets = excluded.facets, code1 = excluded.code1, \
               code2 = excluded.code2, code3 = excluded.code3, code4 = excluded.code4, state = excluded.state, \
               version = record.version + 1, accepted_at = excluded.accepted_at, source = excluded.source, \
               segment = excluded.segment, frame_at = excluded.frame_at, frame_length = excluded.frame_length, \
               ordinal = excluded.ordinal, body = excluded.body \
               where record.kind <> 1 or excluded.facets = 0 or excluded.occurred_from >= record.occurred_from",
};

const FINDINGS: Insert = Insert {
    table: "finding",
    columns: &[
        ("patient", Type::Int),
        ("slot", Type::Int),
        ("path", Type::Int),
        ("ordinal", Type::Int),
        ("rule", Type::Text),
        ("severity", Type::Int),
        ("effect", Type::Int),
        ("segment", Type::Text),
        ("segment_ordinal", Type::Int),
        ("field", Type::Int),
        ("repetition", Type::Int),
        ("component", Type::Int),
        ("start_byte", Type::Int),
        ("end_byte", Type::Int),
    ],
    conflict: "",
};

const TOKENS: Insert = Insert {
    table: "search_token",
    columns: &[
        ("token", Type::Int),
        ("patient", Type::Int),
        ("facility", Type::Int),
    ],
    conflict: "on conflict do nothing",
};

type ItemRow = (
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
    i64,
);
type SlotRow = (i64, i64, i64, Vec<u8>, Vec<u8>);

pub(super) async fn known(
    db: &Db,
    patient: PatientNumber,
    facility: &FacilityId,
) -> Result<Known, Error> {
    let items = "select slot, path, kind, flag, version, department, content, size, modified, event_at, cancels, outcome, \
                 segment, frame_at, frame_length from item where patient = $1 and facility = $2";
    let slots =
        "select slot, state, joins, published, keys from slot where patient = $1 and facility = $2";
    let joins: Option<(i64,)> = db
        .fetch_optional(
            "select joins from patient where number = $1",
            params![patient],
        )
        .await?;
    let items: Vec<ItemRow> = db.fetch_all(items, params![patient, facility]).await?;
    let slots: Vec<SlotRow> = db.fetch_all(slots, params![patient, facility]).await?;
    Ok(Known {
        items: items.into_iter().map(item).collect(),
        slots: slots.into_iter().map(|row| (row.0, slot(row))).collect(),
        joins: joins.map_or(0, |(joins,)| joins),
    })
}

fn item(row: ItemRow) -> Item {
    Item {
        slot: row.0,
        path: row.1,
        kind: row.2,
        flag: row.3,
        version: Instant(row.4),
        department: row.5,
        content: row.6,
        size: row.7,
        modified: row.8,
        event_at: Some(Instant(row.9)).filter(|at| *at != Instant::MIN),
        cancels: row.10 != 0,
        outcome: match row.11 {
            1 => Outcome::Read,
            2 => Outcome::Kept,
            _ => Outcome::Withheld,
        },
        place: Some(Place {
            segment: row.12,
            at: row.13,
            length: row.14,
        }),
    }
}

fn slot((slot, state, joins, published, keys): SlotRow) -> Slot {
    let published = numbers(&published)
        .chunks_exact(2)
        .filter_map(|pair| Some((*pair.first()?, *pair.last()?)))
        .collect();
    Slot {
        slot,
        state,
        joins,
        published,
        keys: numbers(&keys),
    }
}

fn numbers(bytes: &[u8]) -> Vec<i64> {
    bytes
        .as_chunks::<8>()
        .0
        .iter()
        .map(|chunk| i64::from_le_bytes(*chunk))
        .collect()
}

fn bytes(numbers: impl IntoIterator<Item = i64>) -> Vec<u8> {
    numbers.into_iter().flat_map(i64::to_le_bytes).collect()
}

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
    findings: Vec<Vec<Value>>,
    tokens: BTreeSet<(i64, i64, i64)>,
    clear_findings: Vec<(i64, i64, i64)>,
    clear_tokens: Vec<(i64, i64)>,
    gone: Vec<(PatientNumber, Vec<i64>)>,
    /// Tokens of codes that occurred already: a batch says few codes many times.
    codes: HashMap<String, Vec<(Option<CodeSystem>, i64)>>,
}

impl Writer {
    pub(super) fn new(keys: Keys, now: Instant) -> Self {
        Self {
            keys,
            now,
            items: Vec::new(),
            slots: Vec::new(),
            records: BTreeMap::new(),
            findings: Vec::new(),
            tokens: BTreeSet::new(),
            clear_findings: Vec::new(),
            clear_tokens: Vec::new(),
            gone: Vec::new(),
            codes: HashMap::new(),
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
        for Joined { record, standing } in change.joined.iter().flatten() {
            let row_key = record_key(&self.keys, record).0;
            let plain = serde_json::to_vec(record)
                .map_err(|error| Error::Other("write record", error.into()))?;
            let sealed = key.seal_body(model::id::RecordKey(row_key), &plain)?;
            let nowhere = Place {
                segment: 0,
                at: 0,
                length: 0,
            };
            self.record(
                change.patient,
                record,
                row_key,
                state(*standing),
                0,
                nowhere,
                0,
                Some(sealed),
            );
        }
        let (patient, facility) = (change.patient.0, change.facility.number());
        let tokens = match &change.tokens {
            None => return Ok(()),
            Some(FoundBy::Also(tokens)) => tokens,
            Some(FoundBy::Only(tokens)) => {
                self.clear_tokens.push((patient, facility));
                tokens
            }
        };
        let blind = |token: &Token| (token.blind(&self.keys), patient, facility);
        self.tokens.extend(tokens.iter().map(blind));
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
            .filter(|publish| is_served(publish.record.meta.kind))
        {
            let key = record_key(&self.keys, &publish.record).0;
            // What an order says about the patient stays when the order goes.
            if !from_order(&publish.record) {
                keys.insert(key);
            }
            let place = *places
                .get(&publish.path)
                .ok_or(Error::Corrupt("item without frame"))?;
            self.published(change.patient, slot.slot, publish, key, place)?;
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
        key: i64,
        place: Place,
    ) -> Result<(), Error> {
        let ordinal = i64::try_from(publish.ordinal).map_err(|_| Error::Corrupt("ordinal"))?;
        self.record(
            patient,
            &publish.record,
            key,
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
        record: &Record,
        key: i64,
        state: i64,
        source: i64,
        place: Place,
        ordinal: i64,
        body: Option<Vec<u8>>,
    ) {
        let meta = &record.meta;
        let mut codes = record.body.search_codes().into_iter();
        let codes = [(); 4].map(|()| codes.next().map_or(0, |coding| self.code(coding)));
        let facets = match (&record.body, state) {
            (Body::Condition(_), ABSENT) => record.body.facets_when_absent(),
            _ => record.body.facets(),
        };
        let mut row = vec![
            patient.into(),
            meta.category.bit().into(),
            meta.occurred.from.into(),
            key.into(),
            meta.occurred.to.into(),
            (meta.kind as i64).into(),
            (&meta.facility).into(),
            (meta.sensitivity as i64).into(),
            facets.into(),
        ];
        row.extend(codes.map(Value::from));
        row.extend([
            state.into(),
            1_i64.into(),
            self.now.into(),
            source.into(),
            place.segment.into(),
            place.at.into(),
            place.length.into(),
            ordinal.into(),
            body.into(),
        ]);
        self.records.insert((patient.0, key), row);
    }

    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), Error> {
        for (patient, gone) in &self.gone {
            withdraw(tx, *patient, gone, self.now).await?;
        }
        for (patient, slot, path) in &self.clear_findings {
            let sql = "delete from finding where patient = $1 and slot = $2 and path = $3";
            tx.execute(sql, params![*patient, *slot, *path]).await?;
        }
        for (patient, facility) in &self.clear_tokens {
            tx.execute(
                "delete from search_token where patient = $1 and facility = $2",
                params![*patient, *facility],
            )
            .await?;
        }
        tx.insert_many(&ITEMS, self.items).await?;
        tx.insert_many(&SLOTS, self.slots).await?;
        tx.insert_many(&RECORDS, self.records.into_values().collect())
            .await?;
        tx.insert_many(&FINDINGS, self.findings).await?;
        let tokens = self
            .tokens
            .into_iter()
            .map(|(token, patient, facility)| vec![token.into(), patient.into(), facility.into()]);
        tx.insert_many(&TOKENS, tokens.collect()).await
    }

    /// The blind token of a coding.
    fn code(&mut self, coding: &Coding) -> i64 {
        let known = self.codes.get(&coding.code);
        let known = known.and_then(|all| all.iter().find(|(system, _)| *system == coding.system));
        if let Some((_, token)) = known {
            return *token;
        }
        let token = self.keys.code(coding.system.as_ref(), &coding.code);
        let all = self.codes.entry(coding.code.clone()).or_default();
        all.push((coding.system.clone(), token));
        token
    }
}

const fn state(standing: Standing) -> i64 {
    match standing {
        Standing::Current => CURRENT,
        Standing::SupersededOnly => SUPERSEDED_ONLY,
        Standing::Absent => ABSENT,
    }
}

fn from_order(record: &Record) -> bool {
    matches!(&record.body, Body::Patient(patient) if patient.from_order)
}
