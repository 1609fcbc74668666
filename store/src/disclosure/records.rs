//! Reading one patient's records: one statement, then the audit row, then the bodies.

use std::collections::BTreeMap;
use std::sync::Arc;

use consent::Action;
use model::condition::ClinicalStatus;
use model::id::{FacilityId, PatientId, RecordId, RecordKey};
use model::record::{Body, Categories, Kind, ReadRecord, Record};
use model::time::Instant;

use super::query::{ALTERNATIVES, Page, Position, RecordQuery, Sort};
use super::visible::updated;
use super::{Disclosed, Refused, View, event};
use crate::audit::Action as Audited;
use crate::db::{Value, params};
use crate::error::Error;
use crate::frame::Frame;
use crate::keys::PatientKey;
use crate::raw::Place;

/// So many records are opened by one thread: handing over fewer costs more than it gains.
const PORTION: usize = 64;

/// Columns of a row that was found.
#[derive(sqlx::FromRow)]
struct Found {
    key: i64,
    /// Its place in the order that was asked for.
    place: i64,
    updated: i64,
    total: i64,
    category: i64,
    occurred_from: i64,
    facility: i64,
    sensitivity: i64,
    version: i64,
    state: i64,
    source: i64,
    segment: i64,
    frame_at: i64,
    frame_length: i64,
    ordinal: i64,
    body: Option<Vec<u8>>,
}

/// The records that a query asks for and `$2` may see; `$1` patient, `$2`–`$4` reader (see
/// `visible.rs`). Keys come first and are few numbers wide, because the total needs them all; whole
/// rows are fetched for the page only. `$scan` has them come about as they will be asked for: a page
/// that is full is not changed any more.
macro_rules! page {
    ($column:literal, $beyond:literal, $order:literal, $scan:literal) => {
        concat!(
            "with mine as materialized (select * from office.effective_grant where patient = $1 and reader = $2), \
             code as materialized (select column1 as low, column2 as high from (values \
             ($28, $29), ($30, $31), ($32, $33), ($34, $35), ($36, $37), ($38, $39), ($40, $41), ($42, $43), \
             ($44, $45), ($46, $47), ($48, $49), ($50, $51), ($52, $53), ($54, $55), ($56, $57), ($58, $59)) as v \
             where column1 <= column2), \
             seen as materialized (select r.key, r.occurred_from, ",
            updated!("mine"),
            " as updated from record r where r.patient = $1 and r.kind = $5 and r.state <> 0 \
             and ($12 = 0 or (r.occurred_to >= r.occurred_from \
             and r.occurred_from >= $6 and r.occurred_from <= $7 and r.occurred_to >= $8 and r.occurred_to <= $9 \
             and not (r.occurred_from >= $10 and r.occurred_to <= $11))) \
             and ($20 = 0 or (r.facets & $20) <> 0) and ($21 = 0 or (r.facets & $21) <> 0) and ($22 = 0 or (r.facets & $22) <> 0) \
             and ($23 = 0 or exists (select 1 from code c where r.code1 between c.low and c.high \
             or r.code2 between c.low and c.high or r.code3 between c.low and c.high or r.code4 between c.low and c.high)) \
             and ($24 = 0 or r.key in ($60, $61, $62, $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74, $75))",
            $scan,
            "), \
             asked as not materialized (select s.* from seen s where s.updated is not null \
             and ($19 = 0 or (s.updated >= $13 and s.updated <= $14 and s.updated >= $15 and s.updated <= $16 \
             and not (s.updated >= $17 and s.updated <= $18)))), \
             page as (select a.key, a.",
            $column,
            " as place, a.updated, (select count(*) from asked) as total from asked a where $25 = 0 or a.",
            $column,
            $beyond,
            "$26 or (a.",
            $column,
            " = $26 and a.key",
            $beyond,
            "$27) order by place",
            $order,
            ", a.key",
            $order,
            " limit cast($76 as bigint)) \
             select p.key, p.place, p.updated, p.total, r.category, r.occurred_from, r.facility, r.sensitivity, r.version, r.state, r.source, r.segment, r.frame_at, r.frame_length, \
             r.ordinal, r.body from page p join record r on r.patient = $1 and r.key = p.key order by p.place",
            $order,
            ", p.key",
            $order
        )
    };
}

// The primary key backwards. Without a limit SQLite would leave the order of a part to the whole.
const DATE_DESCENDING: &str = page!(
    "occurred_from",
    " < ",
    " desc",
    " order by r.category desc, r.occurred_from desc limit 9223372036854775807"
);
const DATE_ASCENDING: &str = page!("occurred_from", " > ", "", "");
const UPDATED_DESCENDING: &str = page!("updated", " < ", " desc", "");
const UPDATED_ASCENDING: &str = page!("updated", " > ", "", "");

/// What one source discloses to the requester, as the papers say it now.
#[derive(Clone)]
pub struct Reach {
    /// Public id.
    pub id: RecordId,
    /// Whose.
    pub patient: PatientId,
    /// Whose data.
    pub source: FacilityId,
    /// Which categories.
    pub categories: Categories,
    /// From when on.
    pub valid_from: Instant,
    /// Until when (exclusive).
    pub valid_to: Instant,
    /// Since when it is so.
    pub since: Instant,
    /// Whether it holds now.
    pub active: bool,
}

impl<A: Action> View<'_, A> {
    /// The patient whose records these are.
    pub const fn patient_id(&self) -> PatientId {
        self.patient
    }

    /// The records that a query asks for, and that this requester may see.
    ///
    /// # Errors
    /// As [`super::Disclosure::open`].
    pub async fn records(
        &self,
        query: &RecordQuery,
    ) -> Result<Page<Disclosed<ReadRecord>>, Refused> {
        let found = self.find(query).await?;
        let total = match (found.first(), query.after) {
            (Some(row), _) => row.total,
            (None, None) => 0,
            (None, Some(_)) => {
                let all = RecordQuery {
                    after: None,
                    limit: 1,
                    ..query.clone()
                };
                self.find(&all).await?.first().map_or(0, |row| row.total)
            }
        };
        let full = u32::try_from(found.len()).is_ok_and(|rows| rows > query.limit);
        let mut found = found;
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| full).map(|row| Position {
            at: row.place,
            key: row.key,
        });
        let items = self.disclose(Audited::Search, found).await?;
        Ok(Page {
            items,
            total: u64::try_from(total).unwrap_or(0),
            next,
        })
    }

    /// One record of a kind.
    ///
    /// # Errors
    /// As [`super::Disclosure::open`].
    pub async fn record(&self, kind: Kind, id: RecordId) -> Result<Disclosed<ReadRecord>, Refused> {
        self.record_of_any(&[kind], id).await
    }

    /// One record, of whichever of the kinds it is.
    ///
    /// # Errors
    /// As [`super::Disclosure::open`].
    pub async fn record_of_any(
        &self,
        kinds: &[Kind],
        id: RecordId,
    ) -> Result<Disclosed<ReadRecord>, Refused> {
        let mut found = Vec::new();
        for kind in kinds {
            let query = RecordQuery {
                ids: vec![id],
                limit: 1,
                ..RecordQuery::new(*kind)
            };
            found.extend(self.find(&query).await?);
        }
        self.disclose(Audited::Read, found)
            .await?
            .pop()
            .ok_or(Refused::NotFound)
    }

    /// What the requester's own facility may see of this patient, one entry a source.
    ///
    /// # Errors
    /// As [`super::Disclosure::open`].
    pub async fn reach(&self) -> Result<Vec<Disclosed<Reach>>, Refused> {
        let sql = "select source, categories, valid_from, valid_to, since from effective_grant \
                   where patient = $1 and reader = $2 and (categories & $3) <> 0 order by source, ordinal";
        let mask = self.permit.categories().0;
        let params = params![self.number, self.requester.facility(), mask];
        let rows: Vec<(i64, i64, i64, i64, i64)> =
            self.store.0.office.fetch_all(sql, params).await?;
        let now = self.now()?;
        let mut reach: BTreeMap<i64, Reach> = BTreeMap::new();
        for (source, categories, from, to, since) in rows {
            let facility = FacilityId::from_number(source).map_err(|_| Error::Corrupt("grant"))?;
            let one = Reach {
                id: self.reach_id(source)?,
                patient: self.patient,
                source: facility,
                categories: Categories(categories & mask),
                valid_from: Instant(from),
                valid_to: Instant(to),
                since: Instant(since),
                active: from <= now.0 && now.0 < to,
            };
            reach
                .entry(source)
                .and_modify(|all| all.widen(&one))
                .or_insert(one);
        }
        let reach: Vec<Reach> = reach.into_values().collect();
        self.audit(
            Audited::Read,
            reach.iter().map(|one| one.id.to_string()).collect(),
        )?
        .durable()
        .await?;
        Ok(reach.into_iter().map(Disclosed).collect())
    }

    /// The id of the requester's own reach into a source. Somebody else's is another one: whoever
    /// comes to know it learns nothing by it, not even that it names anything.
    fn reach_id(&self, source: i64) -> Result<RecordId, Error> {
        let (facility, person) = (
            self.requester.facility().number(),
            self.requester.person().0,
        );
        let whose = [source, facility, person].map(i64::to_le_bytes);
        let parts: Vec<&[u8]> = whose.iter().map(<[u8; 8]>::as_slice).collect();
        let keys = &self.store.0.keys;
        keys.record_id(self.number, RecordKey(keys.place("consent", &parts)))
    }

    /// Now, as long as the permit is worth something.
    pub(super) fn now(&self) -> Result<Instant, Refused> {
        let now = self.store.0.clock.now();
        if now < self.permit.expires_at() {
            Ok(now)
        } else {
            Err(Refused::Unavailable)
        }
    }

    pub(super) fn audit(
        &self,
        action: Audited,
        ids: Vec<String>,
    ) -> Result<crate::audit::Pending, Error> {
        let event = event(self.store, action, self.requester, self.call)?;
        let event = event
            .about(self.number, self.patient, self.permit.epoch())
            .gives(ids);
        Ok(self.store.0.audit.submit(event))
    }

    async fn find(&self, query: &RecordQuery) -> Result<Vec<Found>, Refused> {
        if !query.fits() {
            return Err(Refused::NotFound);
        }
        let keys = &self.store.0.keys;
        let mut params: Vec<Value> = vec![
            self.number.into(),
            self.permit.audience().into(),
            self.permit.categories().0.into(),
            self.now()?.into(),
            (query.kind as i64).into(),
        ];
        params.extend(query.occurred.numbers().map(Value::from));
        params.extend(query.updated.numbers().map(Value::from));
        params.extend((0..3).map(|at| Value::from(query.facets.get(at).copied().unwrap_or(0))));
        params.push((!query.codes.is_empty()).into());
        params.push((!query.ids.is_empty()).into());
        params.push(query.after.is_some().into());
        params.push(query.after.map_or(0, |position| position.at).into());
        params.push(query.after.map_or(0, |position| position.key).into());
        for at in 0..ALTERNATIVES {
            // An alternative that is not used is a range that holds nothing.
            let (low, high) = query.codes.get(at).map_or((1, 0), |code| {
                keys.code_range(code.system.as_ref(), &code.code)
            });
            params.extend([low.into(), high.into()]);
        }
        for at in 0..ALTERNATIVES {
            let key = match query.ids.get(at) {
                Some(id) => keys
                    .open_record_id(*id)
                    .map(|(patient, key)| if patient == self.number { key.0 } else { 0 })?,
                None => 0,
            };
            params.push(key.into());
        }
        params.push(i64::from(query.limit).saturating_add(1).into());
        let sql = match query.sort {
            Sort::DateDescending => DATE_DESCENDING,
            Sort::DateAscending => DATE_ASCENDING,
            Sort::UpdatedDescending => UPDATED_DESCENDING,
            Sort::UpdatedAscending => UPDATED_ASCENDING,
        };
        Ok(self.store.0.records.fetch_all(sql, &params).await?)
    }

    /// The audit row is on its way while bodies are unsealed; nothing leaves before it is durable.
    async fn disclose(
        &self,
        action: Audited,
        found: Vec<Found>,
    ) -> Result<Vec<Disclosed<ReadRecord>>, Refused> {
        let ids = found
            .iter()
            .map(|row| self.store.0.keys.record_id(self.number, RecordKey(row.key)));
        let ids = ids.collect::<Result<Vec<RecordId>, Error>>()?;
        let pending = self.audit(action, ids.iter().map(ToString::to_string).collect())?;
        let found = Arc::new(found);
        let records = if found.is_empty() {
            Ok(Vec::new())
        } else {
            self.unseal(&found).await
        };
        pending.durable().await?;
        let read = records?.into_iter().zip(found.iter()).zip(ids);
        Ok(read
            .map(|((record, row), id)| Disclosed(self.read(id, record, row)))
            .collect())
    }

    async fn unseal(&self, found: &Arc<Vec<Found>>) -> Result<Vec<Record>, Error> {
        let key = self
            .store
            .0
            .keys
            .patient(self.number)
            .await?
            .ok_or(Error::NotFound)?;
        let key = Arc::new(key);
        let mut places: Vec<Place> = found
            .iter()
            .filter(|row| row.body.is_none())
            .map(Found::frame)
            .collect();
        places.sort_unstable();
        places.dedup();
        let sealed = places.iter().map(|place| (Arc::clone(&key), *place));
        let frames = self.store.0.raw.read(sealed.collect()).await?;
        let frames: BTreeMap<Place, Frame> = places.into_iter().zip(frames).collect();
        let frames = Arc::new(frames);
        let portions = (0..found.len()).step_by(PORTION).map(|start| {
            let (found, key, frames) = (Arc::clone(found), Arc::clone(&key), Arc::clone(&frames));
            tokio::task::spawn_blocking(move || {
                let portion = found.iter().skip(start).take(PORTION);
                let records = portion.map(|row| row.record(&key, &frames));
                records.collect::<Result<Vec<Record>, Error>>()
            })
        });
        // All of them run before the first is waited for.
        let portions: Vec<_> = portions.collect();
        let mut records = Vec::with_capacity(found.len());
        for portion in portions {
            records.extend(
                portion
                    .await
                    .map_err(|_| Error::Unavailable("record reader"))??,
            );
        }
        Ok(records)
    }

    fn read(&self, id: RecordId, record: Record, row: &Found) -> ReadRecord {
        let Record { mut meta, mut body } = record;
        meta.source_key.clear();
        // Under which of several numbers a joined record stands is not told.
        let slot = if row.body.is_some() { 0 } else { row.source };
        if row.state == crate::intake::ABSENT
            && let Body::Condition(condition) = &mut body
            && condition.clinical == ClinicalStatus::Active
        {
            condition.clinical = ClinicalStatus::Inactive;
            condition.notes.push(
                "施設の最新の病名一覧に記載なし / not in the facility's latest list".to_owned(),
            );
        }
        ReadRecord {
            id,
            patient: self.patient,
            meta,
            body,
            last_updated: Instant(row.updated),
            version: row.version,
            superseded_only: row.state == crate::intake::SUPERSEDED_ONLY,
            source: format!("{slot:016x}"),
        }
    }
}

impl Found {
    const fn frame(&self) -> Place {
        Place {
            segment: self.segment,
            at: self.frame_at,
            length: self.frame_length,
        }
    }

    fn record(&self, key: &PatientKey, frames: &BTreeMap<Place, Frame>) -> Result<Record, Error> {
        let record: Record = match &self.body {
            Some(sealed) => {
                let plain = key.open_body(RecordKey(self.key), sealed)?;
                serde_json::from_slice(&plain).map_err(|_| Error::Corrupt("record"))?
            }
            None => frames
                .get(&self.frame())
                .ok_or(Error::Corrupt("frame"))?
                .record(self.ordinal)?,
        };
        if self.is_as_sealed(&record) {
            Ok(record)
        } else {
            Err(Error::Corrupt("record"))
        }
    }

    /// Whether the columns that the condition looked at say what is sealed. They stand in clear:
    /// somebody with the database's password could make a record look as if it were open.
    fn is_as_sealed(&self, record: &Record) -> bool {
        let meta = &record.meta;
        self.category == meta.category.bit()
            && self.occurred_from == meta.occurred.from.0
            && self.facility == meta.facility.number()
            && self.sensitivity == meta.sensitivity as i64
    }
}

impl Reach {
    fn widen(&mut self, other: &Self) {
        self.categories = self.categories.or(other.categories);
        self.valid_from = self.valid_from.min(other.valid_from);
        self.valid_to = self.valid_to.max(other.valid_to);
        self.since = self.since.min(other.since);
        self.active |= other.active;
    }
}
