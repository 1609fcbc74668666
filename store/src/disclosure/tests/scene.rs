//! People who look, and patients whose papers stand in the office's tables and whose records came
//! in through the intake.

use std::collections::{BTreeMap, BTreeSet};

use consent::{Purpose, Requester, Verified, Via, Viewing};
use model::id::{FacilityId, PatientId, PatientNumber, PersonId, RecordId, RecordKey};
use model::network::{Factor, Profession};
use model::papers::EffectiveGrant;
use model::record::{
    Body, Categories, Category, Kind, Occurred, ReadRecord, Record, RecordMeta, Sensitivity,
};
use model::time::Instant;
use serde_json::{Value, json};

use crate::db::params;
use crate::disclosure::{Call, Disclosed, Disclosure, Page, RecordQuery, Refused, Token, View};
use crate::intake::{
    Item, ItemChange, Joined, Outcome, PatientChange, Publish, SlotChange, Standing,
};
use crate::testing::{NOW, clinic, hospital};
use crate::{FoundBy, Packed, Store};

/// The patient of a scene.
pub(super) const PATIENT: PatientNumber = PatientNumber(1);

pub(super) const DAY: i64 = 86_400_000_000;

/// The public id of a patient.
pub(super) fn public(number: PatientNumber) -> PatientId {
    let mut id = [0x5a; 16];
    id[..8].copy_from_slice(&number.0.to_be_bytes());
    PatientId(id)
}

/// Person 1, signed in with some factors.
pub(super) fn requester(
    profession: Profession,
    facility: FacilityId,
    factors: BTreeSet<Factor>,
) -> Requester {
    verified(PersonId(1), profession, facility, factors)
}

/// Person 2, a physician of the clinic.
pub(super) fn somebody_else() -> Requester {
    verified(
        PersonId(2),
        Profession::Physician,
        clinic(),
        BTreeSet::new(),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests of the door play the part of sign-in"
)]
fn verified(
    person: PersonId,
    profession: Profession,
    facility: FacilityId,
    factors: BTreeSet<Factor>,
) -> Requester {
    Requester::verified(Verified {
        person,
        login: "t.mihon".to_owned(),
        profession,
        facility,
        purpose: Purpose::Treatment,
        factors,
        via: Via::Session,
    })
}

/// A person in front of the door.
pub(super) struct Reader {
    pub(super) door: Disclosure,
    pub(super) requester: Requester,
    pub(super) call: Call,
}

impl Reader {
    pub(super) fn new(store: &Store, requester: Requester) -> Self {
        let call = Call {
            route: "/fhir/Observation",
            request: 7,
            parameters: String::new(),
            asked: Categories::ALL,
        };
        Self {
            door: store.disclosure(),
            requester,
            call,
        }
    }

    pub(super) fn at(store: &Store, profession: Profession, facility: FacilityId) -> Self {
        let factors = BTreeSet::from([Factor::Password, Factor::Totp]);
        Self::new(store, requester(profession, facility, factors))
    }

    /// A physician of the clinic.
    pub(super) fn physician(store: &Store) -> Self {
        Self::at(store, Profession::Physician, clinic())
    }

    pub(super) async fn view(&self, number: PatientNumber) -> Result<View<'_, Viewing>, Refused> {
        self.door
            .open(&self.requester, &self.call, public(number))
            .await
    }

    /// What a query shows of the scene's patient.
    pub(super) async fn page(&self, query: &RecordQuery) -> Page<Disclosed<ReadRecord>> {
        self.view(PATIENT)
            .await
            .unwrap()
            .records(query)
            .await
            .unwrap()
    }

    /// The names of what a query shows, in the alphabet's order.
    pub(super) async fn names(&self, query: &RecordQuery) -> Vec<String> {
        let page = self.page(query).await;
        let mut names: Vec<String> = page.items.iter().map(|record| name(record)).collect();
        assert_eq!(page.total, u64::try_from(names.len()).unwrap());
        names.sort();
        names
    }
}

/// Puts a patient on file: papers in force, a key, and no grants yet.
pub(super) async fn introduce(store: &Store, number: PatientNumber) {
    let office = &store.0.office;
    let basis = "insert into basis values (1, $1) on conflict (id) do update set network_hash = excluded.network_hash";
    office
        .execute(basis, params![store.network().hash.to_vec()])
        .await
        .unwrap();
    let patient = "insert into patient values ($1, $2, $3, 1)";
    office
        .execute(patient, params![number, public(number).0.to_vec(), NOW])
        .await
        .unwrap();
    let consent = "insert into consent values ($1, $2, 2, $3, 0, 0, $4)";
    let paper = format!("C-{}", number.0);
    office
        .execute(consent, params![paper, number, NOW, vec![0_u8; 32]])
        .await
        .unwrap();
    store.0.keys.ensure_patient(number, 1).await.unwrap();
}

/// A grant of everything, for ever.
pub(super) fn everything(reader: FacilityId, source: FacilityId) -> EffectiveGrant {
    EffectiveGrant {
        reader,
        source,
        categories: Categories::ALL,
        sensitivity_max: Sensitivity::Normal,
        valid_from: Instant::MIN,
        valid_to: Instant::MAX,
        window_from: Instant::MIN,
        window_to: Instant::MAX,
    }
}

/// Replaces the grants of a patient, as the papers' transaction does.
pub(super) async fn grant(
    store: &Store,
    number: PatientNumber,
    grants: &[EffectiveGrant],
    since: Instant,
) {
    let mut tx = store.0.office.begin().await.unwrap();
    tx.execute(
        "delete from effective_grant where patient = $1",
        params![number],
    )
    .await
    .unwrap();
    for (grant, ordinal) in grants.iter().zip(0_i64..) {
        let sql =
            "insert into effective_grant values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let params = params![
            number,
            &grant.reader,
            &grant.source,
            ordinal,
            grant.categories.0,
            grant.sensitivity_max as i64,
            grant.valid_from,
            grant.valid_to,
            grant.window_from,
            grant.window_to,
            since,
        ];
        tx.execute(sql, params).await.unwrap();
    }
    tx.commit().await.unwrap();
}

/// A patient whose data of the hospital the clinic may see, all of it.
pub(super) async fn open_patient(store: &Store, number: PatientNumber) {
    introduce(store, number).await;
    grant(store, number, &[everything(clinic(), hospital())], NOW).await;
}

fn change(number: PatientNumber, facility: FacilityId, joins: i64) -> PatientChange {
    PatientChange {
        patient: number,
        public: public(number),
        epoch: 1,
        facility,
        joins,
        items: Vec::new(),
        slots: Vec::new(),
        joined: None,
        tokens: BTreeMap::new(),
        taken: crate::Taken::default(),
    }
}

fn current(record: Record) -> Joined {
    Joined {
        number: 0,
        record,
        standing: Standing::Current,
    }
}

/// Keeps records whose bodies stand in their rows.
pub(super) async fn keep(store: &Store, number: PatientNumber, records: Vec<Record>) {
    let intake = store.intake();
    let joins = intake.known(number, &hospital()).await.unwrap().joins;
    let joined = Some(records.into_iter().map(current).collect());
    let change = PatientChange {
        joined,
        ..change(number, hospital(), joins)
    };
    intake.accept(vec![change]).await.unwrap();
}

/// Keeps records whose bodies stand in the frame of a file, instead of what the file said before.
pub(super) async fn file(
    store: &Store,
    number: PatientNumber,
    path: &str,
    records: Vec<(Record, Standing)>,
) {
    let intake = store.intake();
    let known = intake.known(number, &hospital()).await.unwrap();
    let slot = intake.slot_digest(&hospital(), path);
    let path = intake.path_digest(&hospital(), 0, path);
    let item = Item::new(slot, 0, path, 1, 1, NOW, 0, 1, 1, 1, Outcome::Read);
    let packed = Packed::new(b"MSH|", "", records.iter().map(|(record, _)| record)).unwrap();
    let publish = records
        .into_iter()
        .enumerate()
        .map(|(ordinal, (record, standing))| Publish {
            path,
            ordinal,
            head: intake.head(&record),
            standing,
        });
    let slot = SlotChange {
        slot,
        state: 1,
        joins: 0,
        published: vec![(path, 1)],
        publish: publish.collect(),
        before: known.slots.get(&slot).cloned(),
    };
    let item = ItemChange {
        item,
        packed: Some(packed),
        findings: None,
        fresh: true,
    };
    let change = PatientChange {
        items: vec![item],
        slots: vec![slot],
        ..change(number, hospital(), known.joins)
    };
    intake.accept(vec![change]).await.unwrap();
}

/// Keeps what a facility says about who the patient is, and by what it is found.
pub(super) async fn register(
    store: &Store,
    number: PatientNumber,
    facility: FacilityId,
    tokens: Vec<Token>,
) {
    let intake = store.intake();
    let joins = intake.known(number, &facility).await.unwrap().joins;
    let mut statement = demographics(&format!("{}-{facility}", number.0));
    statement.meta.facility = facility.clone();
    let found = FoundBy { tokens, only: true };
    let change = PatientChange {
        joined: Some(vec![current(statement)]),
        tokens: BTreeMap::from([(0, found)]),
        taken: crate::Taken::default(),
        ..change(number, facility, joins)
    };
    intake.accept(vec![change]).await.unwrap();
}

fn record(kind: Kind, category: Category, name: &str, body: Value) -> Record {
    let meta = RecordMeta {
        facility: hospital(),
        kind,
        category,
        sensitivity: Sensitivity::Normal,
        occurred: Occurred::at("2024-05-10".parse().unwrap()),
        source_key: name.to_owned(),
    };
    let body: Body = serde_json::from_value(body).unwrap();
    Record { meta, body }
}

/// A result of the hospital of 2024-05-10.
pub(super) fn lab(name: &str) -> Record {
    let body = json!({"category": "laboratory", "status": "final", "code": {"t": name}});
    record(
        Kind::Observation,
        Category::Lab,
        name,
        json!({"Observation": body}),
    )
}

/// A diagnosis of the hospital of 2024-05-10 that lasts.
pub(super) fn diagnosis(name: &str) -> Record {
    let body = json!({"clinical": "active", "verification": "confirmed", "code": {"t": name}});
    record(
        Kind::Condition,
        Category::Problem,
        name,
        json!({"Condition": body}),
    )
}

/// What the hospital said on 2024-05-10 about who the patient is.
pub(super) fn demographics(name: &str) -> Record {
    let body = json!({"local_id": name, "names": []});
    record(
        Kind::Patient,
        Category::Demographics,
        name,
        json!({"Patient": body}),
    )
}

/// The same record at another time.
pub(super) fn on(mut record: Record, time: &str) -> Record {
    record.meta.occurred = Occurred::at(time.parse().unwrap());
    record
}

/// The name that a record of a scene was given.
pub(super) fn name(record: &ReadRecord) -> String {
    let name = match &record.body {
        Body::Observation(lab) => lab.code.text.clone(),
        Body::Condition(diagnosis) => diagnosis.code.text.clone(),
        Body::Patient(patient) => Some(patient.local_id.clone()),
        Body::Encounter(_) | Body::Allergy(_) | Body::Medication(_) | Body::Event(_) => None,
    };
    name.unwrap()
}

/// The public id that a record of a patient has.
pub(super) fn id_of(store: &Store, number: PatientNumber, record: &Record) -> RecordId {
    let key = crate::intake::record_key(&store.0.keys, record);
    store.0.keys.record_id(number, key).unwrap()
}

/// The key behind a public id.
pub(super) fn key_of(store: &Store, id: RecordId) -> RecordKey {
    store.0.keys.open_record_id(id).unwrap().1
}
