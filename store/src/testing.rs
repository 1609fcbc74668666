//! One story on both kinds of database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::feed::{Fallback, Feed, FeedState, Identity, Source};
use model::id::{FacilityId, PatientNumber};
use model::network::{
    Anchor, ConsentScope, Facility, FacilityKind, Factor, Limit, Limits, Network, Profession,
    Profile, Retention, Topology, Window, Withdrawal,
};
use model::record::{Categories, Category};
use model::time::Instant;

use crate::error::Error;
use crate::keys::{Keys, PatientKey};
use crate::{Blobs, Clock, MasterKey, Store, StoreConfig};

/// 2026-04-01T09:00:00+09:00
pub(crate) const NOW: Instant = Instant(1_775_001_600_000_000);

/// The hospital of the test network.
pub(crate) fn hospital() -> FacilityId {
    "1319999901".parse().unwrap()
}

/// The clinic of the test network.
pub(crate) fn clinic() -> FacilityId {
    "1319999902".parse().unwrap()
}

/// The pharmacy of the test network.
pub(crate) fn pharmacy() -> FacilityId {
    "1349999903".parse().unwrap()
}

/// A feed of the hospital, which reads nothing.
pub(crate) fn feed(id: &str) -> Feed {
    Feed {
        id: id.to_owned(),
        title: "架空記念病院".to_owned(),
        facility: hospital(),
        state: FeedState::Active,
        source: Source::SsMix2Tree {
            roots: Vec::new(),
            sweep: Duration::ZERO,
            settle: Duration::ZERO,
        },
        fallback: Fallback::Cp932,
        identity: Identity::default(),
        quirks: Vec::new(),
        hash: [7; 32],
    }
}

/// A network of a hospital, a clinic and a pharmacy.
pub(crate) fn network() -> Network {
    let facility = |code: FacilityId, kind| {
        let name = "架空".to_owned();
        let kana = "カクウ".to_owned();
        (
            code.clone(),
            Facility {
                code,
                name,
                kana,
                kind,
                groups: Vec::new(),
                discloses: Categories::ALL,
            },
        )
    };
    let pharmacist = [
        Category::Demographics,
        Category::Allergy,
        Category::Prescription,
        Category::Dispensing,
        Category::Injection,
        Category::Lab,
    ];
    Network {
        id: "test".to_owned(),
        profile: Profile {
            title: "試験網規程".to_owned(),
            version: "1".to_owned(),
            effective_from: "2000-04-01".parse().unwrap(),
            patient_system: "https://test.example.jp/id/patient".to_owned(),
            topology: Topology::Hub,
            ends_on: None,
            professions: Profession::ALL
                .into_iter()
                .map(|(profession, _)| profession)
                .collect(),
            staff_methods: vec![BTreeSet::from([Factor::Password, Factor::Totp])],
            consent_scope: ConsentScope::PerFacility,
            consent_form: None,
            window: Window {
                back: Limit::Unlimited,
                forward: Limit::Unlimited,
                anchor: Anchor::Publication,
            },
            retention: Retention {
                after_last_view: Limit::Unlimited,
                until: None,
            },
            withdrawal: Withdrawal {
                hold: Limit::Span {
                    months: 0,
                    days: 0,
                    seconds: 0,
                },
            },
            rights: BTreeMap::from([
                (Profession::Physician, Categories::ALL),
                (Profession::Nurse, Categories::ALL),
                (Profession::Pharmacist, pharmacist.into_iter().collect()),
            ]),
            limits: Limits {
                requests_per_minute: None,
                searches_per_minute: None,
                patients_per_hour: None,
            },
        },
        facilities: BTreeMap::from([
            facility(hospital(), FacilityKind::Hospital),
            facility(clinic(), FacilityKind::Clinic),
            facility(pharmacy(), FacilityKind::Pharmacy),
        ]),
        feeds: BTreeMap::new(),
        hash: [1; 32],
    }
}

/// A store of a test, with what must outlive it.
pub(crate) struct Stage {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) config: StoreConfig,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// With a database of either kind, and files or somewhere else for what is sealed.
    pub(crate) async fn open(postgres: bool, blobs: Option<Blobs>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = StoreConfig::local(folder.path(), MasterKey::random().unwrap());
        if let Some(blobs) = blobs {
            config.blobs = blobs;
        }
        if postgres {
            let url = samples::postgres::database().unwrap();
            config.records.clone_from(&url);
            config.office.clone_from(&url);
            config.audit.clone_from(&url);
            config.keys = url;
        }
        let clock = Clock::fixed(NOW);
        let store = Store::open(config.clone(), Arc::new(network()), clock.clone())
            .await
            .unwrap();
        Self {
            store,
            clock,
            config,
            _folder: folder,
        }
    }
}

impl Keys {
    /// The patient's key; made when there is none.
    pub(crate) async fn ensure_patient(
        &self,
        patient: PatientNumber,
        generation: i64,
    ) -> Result<PatientKey, Error> {
        self.ensure_patients(&[(patient, generation)]).await?;
        let key = self.patient(patient).await?;
        key.ok_or(Error::NotFound)
    }
}

/// Runs a story on SQLite, then on PostgreSQL.
pub(crate) async fn on_both<F: AsyncFn(&Stage)>(story: F) {
    for postgres in [false, true] {
        let stage = Stage::open(postgres, None).await;
        story(&stage).await;
        stage.store.close().await;
    }
}

#[tokio::test]
async fn a_store_opens_again_only_with_its_own_master_key() {
    on_both(async |stage| {
        Store::open(
            stage.config.clone(),
            Arc::new(network()),
            stage.clock.clone(),
        )
        .await
        .unwrap();
        let other = StoreConfig {
            master: MasterKey::random().unwrap(),
            ..stage.config.clone()
        };
        assert!(
            Store::open(other, Arc::new(network()), stage.clock.clone())
                .await
                .is_err()
        );
    })
    .await;
}

#[tokio::test]
async fn a_shredded_patient_key_is_gone_and_a_new_generation_is_another_key() {
    on_both(async |stage| {
        let keys = &stage.store.0.keys;
        let patient = PatientNumber(7);
        let first = keys.ensure_patient(patient, 1).await.unwrap();
        let sealed = first.seal_frame(1, 0, b"x").unwrap();
        assert_eq!(keys.shred(patient).await.unwrap(), [1]);
        assert!(keys.patient(patient).await.unwrap().is_none());
        let second = keys.ensure_patient(patient, 2).await.unwrap();
        assert!(second.open_frame(1, 0, &sealed).is_err());
    })
    .await;
}
