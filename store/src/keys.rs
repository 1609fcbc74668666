//! Keys: from the master key everything fixed is derived, and under it every patient's own random
//! key is wrapped. Destroying a wrapped key makes that patient's frames unreadable everywhere,
//! backups included.
//!
//! ```text
//! master ─┬─ wrap     patient keys (random, one per patient and consent generation),
//!         │           quarantine keys (random, one per feed and day)
//!         ├─ office   papers, names, local ids, credentials
//!         ├─ search   blind tokens
//!         ├─ places   digests of slots, paths and contents
//!         ├─ ids      public record ids
//!         ├─ cursors  paging cursors
//!         └─ audit    signatures of the audit's heads
//! ```

mod codes;
mod quarantine;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use model::code::CodeSystem;
use model::id::{PatientNumber, RecordId, RecordKey};
use zeroize::Zeroizing;

use self::codes::Codes;
use crate::clock::Clock;
use crate::db::{Db, Insert, Type, params};
use crate::error::Error;
use crate::seal::{BlockCipher, Digester, Sealer, Secret, derive, random};

pub(crate) use quarantine::QuarantineKey;

/// The key that everything hangs on: 32 bytes from a file or a secret of the environment.
#[derive(Clone)]
pub struct MasterKey(Secret);

impl MasterKey {
    /// A key of exactly 32 bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// A fresh random key.
    pub fn random() -> Result<Self, Error> {
        random().map(Self::new)
    }

    /// The bytes, to write a key file.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// All keys of one network.
#[derive(Clone)]
pub(crate) struct Keys(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    network: String,
    wrap: Sealer,
    office: Sealer,
    cursors: Sealer,
    search: Digester,
    places: Digester,
    ids: BlockCipher,
    audit: Ed25519KeyPair,
    pepper: Secret,
    codes: Codes,
}

const PATIENT_KEYS: Insert = Insert {
    table: "patient_key",
    columns: &[
        ("patient", Type::Int),
        ("generation", Type::Int),
        ("wrapped", Type::Bytes),
        ("created_at", Type::Int),
    ],
    conflict: "",
};

/// No patient has this number.
const KEYS_LOCK: i64 = -1;

const CHECK: &[u8] = b"musubi master key";

impl Keys {
    /// Derives the fixed keys, and makes sure that the master key is the one this store was made
    /// with.
    pub(crate) async fn open(
        db: Db,
        master: &MasterKey,
        network: &str,
        clock: Clock,
    ) -> Result<Self, Error> {
        let key = |purpose: &str| derive(&master.0, &format!("{purpose} {network}"));
        let audit = Ed25519KeyPair::from_seed_unchecked(key("audit")?.as_slice());
        let inner = Inner {
            clock,
            network: network.to_owned(),
            wrap: Sealer::new(&*key("wrap")?)?,
            office: Sealer::new(&*key("office")?)?,
            cursors: Sealer::new(&*key("cursors")?)?,
            search: Digester::new(&*key("search")?),
            places: Digester::new(&*key("places")?),
            ids: BlockCipher::new(&*key("ids")?)?,
            audit: audit.map_err(|_| Error::Corrupt("audit key"))?,
            pepper: key("pepper")?,
            codes: Codes::default(),
            db,
        };
        inner.check_master().await?;
        Ok(Self(Arc::new(inner)))
    }

    /// Seals what the office keeps; `place` says what it is (table and key).
    pub(crate) fn seal_office(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.office.seal(plain, place.as_bytes())
    }

    /// Opens what [`Keys::seal_office`] sealed.
    pub(crate) fn open_office(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.office.open(sealed, place.as_bytes())
    }

    /// A blind token: finds equal texts of one domain, tells nothing else; never 0.
    pub(crate) fn blind(&self, domain: &str, text: &str) -> i64 {
        self.0.search.number(&[domain.as_bytes(), text.as_bytes()])
    }

    /// The blind token of a coding: its first part is the code's alone, its last 16 bits are the
    /// code's in its system, so that one column answers searches with and without a system.
    pub(crate) fn code(&self, system: Option<&CodeSystem>, code: &str) -> i64 {
        self.0.codes.token(system, code, || {
            let name = system.map_or_else(String::new, |system| {
                serde_json::to_string(system).unwrap_or_default()
            });
            let in_system = self.blind("system and code", &format!("{name}|{code}")) & 0xffff;
            self.code_range(None, code).0 | in_system
        })
    }

    /// The least and the greatest token of a code, in one system or in any.
    pub(crate) fn code_range(&self, system: Option<&CodeSystem>, code: &str) -> (i64, i64) {
        if system.is_some() {
            let token = self.code(system, code);
            return (token, token);
        }
        let alone = self.blind("code", code) & i64::MAX & !0xffff;
        (alone, alone | 0xffff)
    }

    /// A keyed digest of a place in a source or of its content; never 0.
    pub(crate) fn place(&self, domain: &str, parts: &[&[u8]]) -> i64 {
        let domain = [domain.as_bytes()];
        self.0.places.number(&[&domain, parts].concat())
    }

    /// Seals a paging cursor for one person.
    pub(crate) fn seal_cursor(&self, person: i64, content: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.cursors.seal(content, &person.to_le_bytes())
    }

    /// Opens a paging cursor of the same person.
    pub(crate) fn open_cursor(&self, person: i64, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.cursors.open(sealed, &person.to_le_bytes())
    }

    /// The public id of a record.
    pub(crate) fn record_id(
        &self,
        patient: PatientNumber,
        key: RecordKey,
    ) -> Result<RecordId, Error> {
        let mut block = [0; 16];
        let (left, right) = block.split_at_mut(8);
        left.copy_from_slice(&patient.0.to_be_bytes());
        right.copy_from_slice(&key.0.to_be_bytes());
        self.0.ids.encrypt(block).map(RecordId)
    }

    /// What a public record id stands for; nonsense ids decode to patients who do not exist.
    pub(crate) fn open_record_id(&self, id: RecordId) -> Result<(PatientNumber, RecordKey), Error> {
        let block = self.0.ids.decrypt(id.0)?;
        let half = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| i64::from_be_bytes(*bytes));
        Ok((
            PatientNumber(half(block.first_chunk())),
            RecordKey(half(block.last_chunk())),
        ))
    }

    /// Signs a head of the audit.
    pub(crate) fn sign(&self, head: &[u8]) -> Vec<u8> {
        self.0.audit.sign(head).as_ref().to_vec()
    }

    /// Whether a signature of [`Keys::sign`] fits.
    pub(crate) fn verify(&self, head: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0.audit.public_key().as_ref())
            .verify(head, signature)
            .is_ok()
    }

    /// The pepper of password hashes.
    pub(crate) fn pepper(&self) -> &[u8; 32] {
        &self.0.pepper
    }

    /// The database of wrapped keys.
    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }

    /// The patient's key, if there is one.
    pub(crate) async fn patient(
        &self,
        patient: PatientNumber,
    ) -> Result<Option<PatientKey>, Error> {
        let sql = "select generation, wrapped from patient_key where patient = $1 order by generation desc limit 1";
        let row: Option<(i64, Vec<u8>)> = self.0.db.fetch_optional(sql, params![patient]).await?;
        row.map(|(generation, wrapped)| self.unwrap(patient, generation, &wrapped))
            .transpose()
    }

    /// The keys of many patients at once; who has none is not among them.
    pub(crate) async fn patients(
        &self,
        patients: &[i64],
    ) -> Result<BTreeMap<PatientNumber, Arc<PatientKey>>, Error> {
        let sql = "select patient, generation, wrapped from patient_key where patient";
        let mut rows: Vec<(i64, i64, Vec<u8>)> = self.0.db.fetch_among(sql, patients).await?;
        rows.sort_unstable();
        // Of several generations the last one counts.
        let newest: BTreeMap<i64, (i64, Vec<u8>)> = rows
            .into_iter()
            .map(|(patient, generation, wrapped)| (patient, (generation, wrapped)))
            .collect();
        let key = |(patient, (generation, wrapped)): (i64, (i64, Vec<u8>))| {
            let patient = PatientNumber(patient);
            let key = self.unwrap(patient, generation, &wrapped)?;
            Ok((patient, Arc::new(key)))
        };
        newest.into_iter().map(key).collect()
    }

    /// Makes keys of the patients who have none; the numbers beside them are the keys' generations.
    pub(crate) async fn ensure_patients(
        &self,
        patients: &[(PatientNumber, i64)],
    ) -> Result<(), Error> {
        if patients.is_empty() {
            return Ok(());
        }
        let numbers: Vec<i64> = patients.iter().map(|(patient, _)| patient.0).collect();
        let mut tx = self.0.db.begin().await?;
        // Of two who find none, one must find the other's: only the newest generation opens anything.
        tx.lock_patient(KEYS_LOCK, true).await?;
        let sql = "select patient from patient_key where patient";
        let keyed: Vec<(i64,)> = tx.fetch_among(sql, &numbers).await?;
        let keyed: BTreeSet<i64> = keyed.into_iter().map(|(patient,)| patient).collect();
        let mut rows = Vec::new();
        for (patient, generation) in patients
            .iter()
            .filter(|(patient, _)| !keyed.contains(&patient.0))
        {
            let key: Secret = Zeroizing::new(random()?);
            let place = wrap_place(&self.0.network, *patient, *generation);
            let wrapped = self.0.wrap.seal(key.as_slice(), place.as_bytes())?;
            rows.push(params![*patient, *generation, wrapped, self.0.clock.now()].to_vec());
        }
        tx.insert_many(&PATIENT_KEYS, rows).await?;
        tx.commit().await
    }

    /// Destroys the patient's keys: overwritten and deleted, to be followed by [`Keys::scrub`].
    /// Returns the generations that died.
    pub(crate) async fn shred(&self, patient: PatientNumber) -> Result<Vec<i64>, Error> {
        let generations = self.generations(patient).await?;
        let blank = vec![0_u8; 60];
        self.0
            .db
            .execute(
                "update patient_key set wrapped = $2 where patient = $1",
                params![patient, blank],
            )
            .await?;
        self.0
            .db
            .execute(
                "delete from patient_key where patient = $1",
                params![patient],
            )
            .await?;
        Ok(generations)
    }

    /// Makes the bytes of destroyed keys of patients unreachable in the database's files.
    pub(crate) async fn scrub(&self) -> Result<(), Error> {
        self.0.db.scrub("vacuum patient_key").await
    }

    /// The generations of keys that a patient has.
    pub(crate) async fn generations(&self, patient: PatientNumber) -> Result<Vec<i64>, Error> {
        let sql = "select generation from patient_key where patient = $1";
        let rows: Vec<(i64,)> = self.0.db.fetch_all(sql, params![patient]).await?;
        Ok(rows.into_iter().map(|(generation,)| generation).collect())
    }

    fn unwrap(
        &self,
        patient: PatientNumber,
        generation: i64,
        wrapped: &[u8],
    ) -> Result<PatientKey, Error> {
        let place = wrap_place(&self.0.network, patient, generation);
        let key = Zeroizing::new(self.0.wrap.open(wrapped, place.as_bytes())?);
        let key: &[u8; 32] = key
            .as_slice()
            .try_into()
            .map_err(|_| Error::Corrupt("patient key"))?;
        Ok(PatientKey {
            place: format!("{} {}", self.0.network, patient.0),
            frames: Sealer::new(&*derive(key, "frames")?)?,
            bodies: Sealer::new(&*derive(key, "bodies")?)?,
        })
    }
}

fn wrap_place(network: &str, patient: PatientNumber, generation: i64) -> String {
    format!("patient key {network} {} {generation}", patient.0)
}

impl Inner {
    async fn check_master(&self) -> Result<(), Error> {
        let sealed = self.wrap.seal(CHECK, CHECK)?;
        let insert = "insert into master_check values (1, $1) on conflict do nothing";
        self.db.execute(insert, params![sealed]).await?;
        let row: Option<(Vec<u8>,)> = self
            .db
            .fetch_optional("select sealed from master_check", params![])
            .await?;
        let (sealed,) = row.ok_or(Error::Corrupt("master key check"))?;
        let plain = self.wrap.open(&sealed, CHECK);
        if plain.is_ok_and(|plain| plain == CHECK) {
            Ok(())
        } else {
            Err(Error::Conflict(
                "the master key is not the one of this store",
            ))
        }
    }
}

/// One patient's key, ready for use.
pub(crate) struct PatientKey {
    place: String,
    frames: Sealer,
    bodies: Sealer,
}

impl PatientKey {
    /// Seals a frame that will stand at a place of a segment.
    pub(crate) fn seal_frame(&self, segment: i64, at: i64, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.frames
            .seal(plain, self.frame_place(segment, at).as_bytes())
    }

    /// Opens a frame.
    pub(crate) fn open_frame(
        &self,
        segment: i64,
        at: i64,
        sealed: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.frames
            .open(sealed, self.frame_place(segment, at).as_bytes())
    }

    /// Seals the body of a joined record, which stands in its row.
    pub(crate) fn seal_body(&self, key: RecordKey, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.bodies.seal(plain, self.body_place(key).as_bytes())
    }

    /// Opens the body of a joined record.
    pub(crate) fn open_body(&self, key: RecordKey, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.bodies.open(sealed, self.body_place(key).as_bytes())
    }

    /// Seals a message that was pushed, until its frame is written.
    pub(crate) fn seal_inbox(&self, arrival: i64, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.frames
            .seal(plain, self.inbox_place(arrival).as_bytes())
    }

    /// Opens a message that was pushed.
    pub(crate) fn open_inbox(&self, arrival: i64, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.frames
            .open(sealed, self.inbox_place(arrival).as_bytes())
    }

    fn inbox_place(&self, arrival: i64) -> String {
        format!("inbox 1 {} {arrival}", self.place)
    }

    fn frame_place(&self, segment: i64, at: i64) -> String {
        format!("frame 1 {} {segment} {at}", self.place)
    }

    fn body_place(&self, key: RecordKey) -> String {
        format!("body 1 {} {}", self.place, key.0)
    }
}
