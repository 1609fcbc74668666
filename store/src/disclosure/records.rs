//! Reading one patient's records: one statement, then the audit row, then the bodies.

use std::collections::BTreeMap;
use std::sync::Arc;

use consent::Action;
use model::condition::ClinicalStatus;
use model::id::{FacilityId, PatientId, RecordId, RecordKey};
use model::record::{Body, Categories, Kind, ReadRecord, Record};
use model::time::Instant;

use super::query::{ALTERNATIVES, Page, Position, RecordQuery, Sort};
use super::visible::opened;
use super::{Disclosed, Refused, View, event};
use crate::audit::Action as Audited;
use crate::db::{Value, params};
use crate::error::Error;
use crate::frame::Frame;
use crate::keys::PatientKey;
use crate::raw::Place;

/// Columns of a row that was found.
#[derive(sqlx::FromRow)]
struct Found {
    key: i64,
    occurred_from: i64,
    version: i64,
    state: i64,
    source: i64,
    segment: i64,
    frame_at: i64,
    frame_length: i64,
    ordinal: i64,
    body: Option<Vec<u8>>,
    updated: i64,
    total: i64,
}

/// The visible records that a query asks for; `$1` patient, `$2`–`$4` reader (see `visible.rs`).
macro_rules! asked {
    () => {
        concat!(
            "with seen as (select r.*, ",
            opened!(),
            " as opened from record r where r.patient = $1 and r.kind = $5 and r.state <> 0), \
             asked as (select s.*, case when s.accepted_at > s.opened then s.accepted_at else s.opened end as updated \
             from seen s where s.opened is not null \
             and (s.occurred_to >= s.occurred_from or $12 = 0) \
             and ($12 = 0 or (s.occurred_from >= $6 and s.occurred_from <= $7 and s.occurred_to >= $8 and s.occurred_to <= $9 \
             and not (s.occurred_from >= $10 and s.occurred_to <= $11))) \
             and ($20 = 0 or (s.facets & $20) <> 0) and ($21 = 0 or (s.facets & $21) <> 0) and ($22 = 0 or (s.facets & $22) <> 0) \
             and ($23 = 0 or exists (select 1 from (values ($28, $29), ($30, $31), ($32, $33), ($34, $35), ($36, $37), ($38, $39), \
             ($40, $41), ($42, $43), ($44, $45), ($46, $47), ($48, $49), ($50, $51), ($52, $53), ($54, $55), ($56, $57), ($58, $59)) as q \
             where s.code1 between q.column1 and q.column2 or s.code2 between q.column1 and q.column2 \
             or s.code3 between q.column1 and q.column2 or s.code4 between q.column1 and q.column2)) \
             and ($24 = 0 or s.key in ($60, $61, $62, $63, $64, $65, $66, $67, $68, $69, $70, $71, $72, $73, $74, $75))), \
             news as (select a.* from asked a where $19 = 0 or (a.updated >= $13 and a.updated <= $14 and a.updated >= $15 and a.updated <= $16 \
             and not (a.updated >= $17 and a.updated <= $18))) \
             select key, occurred_from, version, state, source, segment, frame_at, frame_length, ordinal, body, updated, \
             (select count(*) from news) as total from news n "
        )
    };
}

const DATE_DESCENDING: &str = concat!(
    asked!(),
    "where $25 = 0 or n.occurred_from < $26 or (n.occurred_from = $26 and n.key < $27) \
     order by n.occurred_from desc, n.key desc limit $76"
);
const DATE_ASCENDING: &str = concat!(
    asked!(),
    "where $25 = 0 or n.occurred_from > $26 or (n.occurred_from = $26 and n.key > $27) \
     order by n.occurred_from, n.key limit $76"
);
const UPDATED_DESCENDING: &str = concat!(
    asked!(),
    "where $25 = 0 or n.updated < $26 or (n.updated = $26 and n.key < $27) \
     order by n.updated desc, n.key desc limit $76"
);
const UPDATED_ASCENDING: &str = concat!(
    asked!(),
    "where $25 = 0 or n.updated > $26 or (n.updated = $26 and n.key > $27) \
     order by n.updated, n.key limit $76"
);

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
    pub async fn records(&self, query: &RecordQuery) -> Result<Page<Disclosed<ReadRecord>>, Refused> {
        let found = self.find(query).await?;
        let total = match (found.first(), query.after) {
            (Some(row), _) => row.total,
            (None, None) => 0,
            (None, Some(_)) => {
                let all = RecordQuery { after: None, limit: 1, ..query.clone() };
                self.find(&all).await?.first().map_or(0, |row| row.total)
            }
        };
        let full = u32::try_from(found.len()).is_ok_and(|rows| rows > query.limit);
        let mut found = found;
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        let by_news = matches!(query.sort, Sort::UpdatedAscending | Sort::UpdatedDescending);
        let next = found.last().filter(|_| full).map(|row| Position {
            at: if by_news { row.updated } else { row.occurred_from },
            key: row.key,
        });
        let items = self.disclose(Audited::Search, found).await?;
        Ok(Page { items, total: u64::try_from(total).unwrap_or(0), next })
    }

    /// One record of a kind.
    ///
    /// # Errors
    /// As [`super::Disclosure::open`].
    pub async fn record(&self, kind: Kind, id: RecordId) -> Result<Disclosed<ReadRecord>, Refused> {
        let query = RecordQuery { ids: vec![id], limit: 1, ..RecordQuery::new(kind) };
        let found = self.find(&query).await?;
        self.disclose(Audited::Read, found).await?.pop().ok_or(Refused::NotFound)
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
        let rows: Vec<(i64, i64, i64, i64, i64)> = self.store.0.office.fetch_all(sql, params).await?;
        let now = self.now()?;
        let mut reach: BTreeMap<i64, Reach> = BTreeMap::new();
        for (source, categories, from, to, since) in rows {
            let facility = FacilityId::from_number(source).map_err(|_| Error::Corrupt("grant"))?;
            let key = RecordKey(self.store.0.keys.place("consent", &[&source.to_le_bytes()]));
            let one = Reach {
                id: self.store.0.keys.record_id(self.number, key)?,
                patient: self.patient,
                source: facility,
                categories: Categories(categories & mask),
                valid_from: Instant(from),
                valid_to: Instant(to),
                since: Instant(since),
                active: from <= now.0 && now.0 < to,
            };
            reach.entry(source).and_modify(|all| all.widen(&one)).or_insert(one);
        }
        let reach: Vec<Reach> = reach.into_values().collect();
        self.audit(Audited::Read, reach.iter().map(|one| one.id.to_string()).collect())?.durable().await?;
        Ok(reach.into_iter().map(Disclosed).collect())
    }

    /// Now, as long as the permit is worth something.
    pub(super) fn now(&self) -> Result<Instant, Refused> {
        let now = self.store.0.clock.now();
        if now < self.permit.expires_at() { Ok(now) } else { Err(Refused::Unavailable) }
    }

    pub(super) fn audit(&self, action: Audited, ids: Vec<String>) -> Result<crate::audit::Pending, Error> {
        let event = event(self.store, action, self.requester, self.call)?;
        let event = event.about(self.number, self.patient, self.permit.epoch()).gives(ids);
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
            let (low, high) = query.codes.get(at).map_or((1, 0), |code| keys.code_range(code.system.as_ref(), &code.code));
            params.extend([low.into(), high.into()]);
        }
        for at in 0..ALTERNATIVES {
            let key = match query.ids.get(at) {
                Some(id) => keys.open_record_id(*id).map(|(patient, key)| if patient == self.number { key.0 } else { 0 })?,
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
    async fn disclose(&self, action: Audited, found: Vec<Found>) -> Result<Vec<Disclosed<ReadRecord>>, Refused> {
        let ids = found.iter().map(|row| self.store.0.keys.record_id(self.number, RecordKey(row.key)));
        let ids = ids.collect::<Result<Vec<RecordId>, Error>>()?;
        let pending = self.audit(action, ids.iter().map(ToString::to_string).collect())?;
        let records = if found.is_empty() { Ok(Vec::new()) } else { self.unseal(&found).await };
        pending.durable().await?;
        let read = records?.into_iter().zip(found).zip(ids);
        Ok(read.map(|((record, row), id)| Disclosed(self.read(id, record, &row))).collect())
    }

    async fn unseal(&self, found: &[Found]) -> Result<Vec<Record>, Error> {
        let key = self.store.0.keys.patient(self.number).await?.ok_or(Error::NotFound)?;
        let key = Arc::new(key);
        let mut places: Vec<Place> = found.iter().filter(|row| row.body.is_none()).map(Found::place).collect();
        places.sort_unstable();
        places.dedup();
        let frames = self.store.0.raw.read(key.clone(), places.clone()).await?;
        let frames: BTreeMap<Place, Frame> = places.into_iter().zip(frames).collect();
        found.iter().map(|row| row.record(&key, &frames)).collect()
    }

    fn read(&self, id: RecordId, record: Record, row: &Found) -> ReadRecord {
        let Record { mut meta, mut body } = record;
        meta.source_key.clear();
        if row.state == crate::intake::ABSENT
            && let Body::Condition(condition) = &mut body
            && condition.clinical == ClinicalStatus::Active
        {
            condition.clinical = ClinicalStatus::Inactive;
            condition.notes.push("施設の最新の病名一覧に記載なし / not in the facility's latest list".to_owned());
        }
        ReadRecord {
            id,
            patient: self.patient,
            meta,
            body,
            last_updated: Instant(row.updated),
            version: row.version,
            superseded_only: row.state == crate::intake::SUPERSEDED_ONLY,
            source: format!("{:016x}", row.source),
        }
    }
}

impl Found {
    const fn place(&self) -> Place {
        Place { segment: self.segment, at: self.frame_at, length: self.frame_length }
    }

    fn record(&self, key: &PatientKey, frames: &BTreeMap<Place, Frame>) -> Result<Record, Error> {
        match &self.body {
            Some(sealed) => {
                let plain = key.open_body(RecordKey(self.key), sealed)?;
                serde_json::from_slice(&plain).map_err(|_| Error::Corrupt("record"))
            }
            None => frames.get(&self.place()).ok_or(Error::Corrupt("frame"))?.record(self.ordinal),
        }
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
