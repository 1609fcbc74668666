//! A closed door says the same whatever is behind it; the audit says what was.

use consent::{Reason, Viewing};
use model::id::{PatientNumber, RecordId};
use model::network::{Factor, Profession};
use model::record::{Categories, Category, Kind};
use model::time::Instant;

use super::scene::{
    PATIENT, Reader, everything, file, grant, id_of, introduce, keep, lab, open_patient, public,
    requester,
};
use crate::audit::{Action, Row};
use crate::disclosure::{PatientQuery, RecordQuery, Refused, Token};
use crate::intake::Standing;
use crate::testing::{NOW, Stage, clinic, hospital, on_both, pharmacy};

async fn audit(stage: &Stage) -> Vec<Row> {
    stage
        .store
        .audit()
        .rows(Instant::MIN, Instant::MAX, 1_000)
        .await
        .unwrap()
}

async fn last_row(stage: &Stage) -> Row {
    audit(stage).await.pop().unwrap()
}

const NOBODY: PatientNumber = PatientNumber(404);
const CLOSED: PatientNumber = PatientNumber(2);
const ELSEWHERE: PatientNumber = PatientNumber(3);
const OVER: PatientNumber = PatientNumber(4);

/// One patient is unknown, one has papers that open nothing, one opened to the pharmacy only, one
/// until yesterday: the answers are equal to the letter.
#[tokio::test]
async fn unknown_and_closed_patients_look_the_same() {
    on_both(async |stage| {
        for number in [CLOSED, ELSEWHERE, OVER] {
            introduce(&stage.store, number).await;
            keep(&stage.store, number, vec![lab("a")]).await;
        }
        grant(
            &stage.store,
            ELSEWHERE,
            &[everything(pharmacy(), hospital())],
            NOW,
        )
        .await;
        let over = model::papers::EffectiveGrant {
            valid_to: NOW,
            ..everything(clinic(), hospital())
        };
        grant(&stage.store, OVER, &[over], NOW).await;
        let reader = Reader::physician(&stage.store);
        let mut reasons = Vec::new();
        for number in [NOBODY, CLOSED, ELSEWHERE, OVER] {
            let by_patient = reader.view(number).await.map(|_| ()).unwrap_err();
            let id = id_of(&stage.store, number, &lab("a"));
            let by_record = reader
                .door
                .open_record::<Viewing>(&reader.requester, &reader.call, id)
                .await;
            let by_record = by_record.map(|_| ()).unwrap_err();
            assert_eq!(
                (format!("{by_patient:?}"), format!("{by_record:?}")),
                ("NotFound".into(), "NotFound".into())
            );
            let row = last_row(stage).await;
            assert_eq!(
                (row.action, row.permitted, row.count),
                (Action::Refuse, false, 0)
            );
            assert_eq!(
                row.patient,
                (number != NOBODY).then(|| public(number).to_string())
            );
            reasons.push(row.reason.unwrap());
        }
        assert_eq!(reasons, ["UNKNOWN", "NO_CONSENT", "NO_CONSENT", "EXPIRED"]);
    })
    .await;
}

#[tokio::test]
async fn an_id_that_nobody_gave_is_not_found() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let reader = Reader::physician(&stage.store);
        for bytes in [[0; 16], [0xff; 16], [7; 16]] {
            let opened = reader
                .door
                .open_record::<Viewing>(&reader.requester, &reader.call, RecordId(bytes))
                .await;
            assert!(matches!(opened, Err(Refused::NotFound)));
        }
    })
    .await;
}

/// What depends on the requester alone is the same for a patient who exists and one who does not.
#[tokio::test]
async fn roles_and_factors_are_refused_before_any_patient_is_looked_up() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let one_factor = requester(Profession::Physician, clinic(), [Factor::Password].into());
        let stranger = "1319999904".parse().unwrap();
        let mut pharmacist = Reader::at(&stage.store, Profession::Pharmacist, clinic());
        pharmacist.call.asked = [Category::Problem].into_iter().collect();
        let readers = [
            (Reader::new(&stage.store, one_factor), Reason::Factor),
            (
                Reader::at(&stage.store, Profession::Physician, stranger),
                Reason::Stopped,
            ),
            (
                Reader::at(&stage.store, Profession::Secretariat, clinic()),
                Reason::Role,
            ),
            (
                Reader::at(&stage.store, Profession::Clerk, clinic()),
                Reason::Role,
            ),
            (pharmacist, Reason::Role),
        ];
        for (reader, reason) in readers {
            for number in [PATIENT, NOBODY] {
                let refused = reader.view(number).await.map(|_| ()).unwrap_err();
                assert!(
                    matches!(refused, Refused::Forbidden(why) if why == reason),
                    "{refused:?}"
                );
                let row = last_row(stage).await;
                assert_eq!(
                    (row.patient, row.reason),
                    (None, Some(reason.code().to_owned()))
                );
            }
            let found = reader
                .door
                .find_patients(&reader.requester, &reader.call, &PatientQuery::default())
                .await;
            assert!(matches!(found, Err(Refused::Forbidden(why)) if why == reason));
        }
    })
    .await;
}

/// After a change of the regulation nothing is read until the grants follow from it.
#[tokio::test]
async fn grants_of_another_regulation_open_nothing() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("a")]).await;
        let sql = "update basis set network_hash = $1";
        stage
            .store
            .0
            .office
            .execute(sql, crate::db::params![vec![8_u8; 32]])
            .await
            .unwrap();
        let reader = Reader::physician(&stage.store);
        assert!(!reader.door.ready().await.unwrap());
        for number in [PATIENT, NOBODY] {
            assert!(matches!(
                reader.view(number).await,
                Err(Refused::Unavailable)
            ));
        }
        let query = PatientQuery {
            tokens: vec![Token::Name("ミホン".to_owned())],
            ..PatientQuery::default()
        };
        let found = reader
            .door
            .find_patients(&reader.requester, &reader.call, &query)
            .await;
        assert!(matches!(found, Err(Refused::Unavailable)));
    })
    .await;
}

#[tokio::test]
async fn a_category_that_was_not_asked_for_is_not_shown() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("a")]).await;
        let mut reader = Reader::physician(&stage.store);
        reader.call.asked = [Category::Problem].into_iter().collect();
        assert_eq!(
            reader
                .page(&RecordQuery::new(Kind::Observation))
                .await
                .total,
            0
        );
        reader.call.asked = Categories::ALL;
        assert_eq!(
            reader
                .page(&RecordQuery::new(Kind::Observation))
                .await
                .total,
            1
        );
    })
    .await;
}

/// The row is in the database when the answer is handed out, names what was given, and keeps the
/// query's parameters sealed.
#[tokio::test]
async fn each_answer_stands_in_the_audit_with_what_it_gave() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let records = vec![(lab("a"), Standing::Current), (lab("b"), Standing::Current)];
        file(&stage.store, PATIENT, "file", records).await;
        let mut reader = Reader::physician(&stage.store);
        reader.call.parameters = "code=HIV".to_owned();
        let page = reader.page(&RecordQuery::new(Kind::Observation)).await;
        let row = last_row(stage).await;
        let given: Vec<String> = page
            .items
            .iter()
            .map(|record| record.id.to_string())
            .collect();
        assert_eq!(
            (row.action, row.permitted, row.count, &row.ids),
            (Action::Search, true, 2, &given)
        );
        assert_eq!(
            (row.person, row.role.as_deref(), row.purpose.as_deref()),
            (1, Some("physician"), Some("TREAT"))
        );
        assert_eq!(
            (row.facility, row.patient, row.epoch),
            (
                Some(clinic().to_string()),
                Some(public(PATIENT).to_string()),
                Some(1)
            )
        );
        assert_eq!(row.route.as_deref(), Some("/fhir/Observation"));
        let sealed = data_encoding::BASE64
            .decode(row.parameters.unwrap().as_bytes())
            .unwrap();
        let plain = stage
            .store
            .0
            .keys
            .open_office("audit parameters", &sealed)
            .unwrap();
        assert_eq!(plain, b"code=HIV");
        assert_eq!(
            stage.store.audit().last_view(PATIENT).await.unwrap(),
            Some(NOW)
        );
    })
    .await;
}

#[tokio::test]
async fn an_empty_answer_stands_in_the_audit_and_is_no_view() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        let reader = Reader::physician(&stage.store);
        assert_eq!(
            reader
                .page(&RecordQuery::new(Kind::Observation))
                .await
                .total,
            0
        );
        let row = last_row(stage).await;
        assert_eq!(
            (row.action, row.permitted, row.count),
            (Action::Search, true, 0)
        );
        let view = reader.view(PATIENT).await.unwrap();
        let absent = id_of(&stage.store, PATIENT, &lab("a"));
        assert!(matches!(
            view.record(Kind::Observation, absent).await,
            Err(Refused::NotFound)
        ));
        assert_eq!(last_row(stage).await.count, 0);
        assert_eq!(stage.store.audit().last_view(PATIENT).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_disclosed_when_the_audit_cannot_be_written() {
    on_both(async |stage| {
        open_patient(&stage.store, PATIENT).await;
        keep(&stage.store, PATIENT, vec![lab("a")]).await;
        let reader = Reader::physician(&stage.store);
        let view = reader.view(PATIENT).await.unwrap();
        stage.store.audit().close().await;
        assert!(matches!(
            view.records(&RecordQuery::new(Kind::Observation)).await,
            Err(Refused::Unavailable)
        ));
        assert!(matches!(view.patient().await, Err(Refused::Unavailable)));
        assert!(matches!(view.reach().await, Err(Refused::Unavailable)));
        assert!(matches!(
            reader.view(NOBODY).await,
            Err(Refused::Unavailable)
        ));
    })
    .await;
}

/// A reader learns of their own facility's grants, and of no other reader's.
#[tokio::test]
async fn reach_is_the_readers_own() {
    on_both(async |stage| {
        introduce(&stage.store, PATIENT).await;
        let labs = model::papers::EffectiveGrant {
            categories: [Category::Lab].into_iter().collect(),
            ..everything(clinic(), hospital())
        };
        let others = [
            everything(pharmacy(), hospital()),
            everything(pharmacy(), clinic()),
        ];
        let over = model::papers::EffectiveGrant {
            valid_to: NOW,
            ..everything(clinic(), pharmacy())
        };
        grant(
            &stage.store,
            PATIENT,
            &[vec![labs, over], others.to_vec()].concat(),
            NOW,
        )
        .await;
        let reader = Reader::physician(&stage.store);
        let reach = reader.view(PATIENT).await.unwrap().reach().await.unwrap();
        let mut shown: Vec<_> = reach
            .iter()
            .map(|one| (one.source.clone(), one.categories, one.active))
            .collect();
        shown.sort_by(|a, b| a.0.cmp(&b.0));
        let labs = [Category::Lab].into_iter().collect();
        assert_eq!(
            shown,
            [
                (hospital(), labs, true),
                (pharmacy(), Categories::ALL, false)
            ]
        );
        assert_eq!(last_row(stage).await.count, 2);
    })
    .await;
}
