//! Papers as the secretariat brings them, on both kinds of database.

mod basis;
mod enter;
mod erase;
mod follow;
mod import;
mod link;
mod withdraw;

use std::collections::BTreeSet;

use model::id::{FacilityId, LocalPatientId, PatientNumber, PersonId};
use model::papers::{ConsentPaper, Facilities, WithdrawalPaper};
use model::person::Sex;
use model::record::{Categories, Category};

use super::{Conflict, Disagreement, Entered, Entry, Evidence, PaperError, Papers, Proof, What};
use crate::Store;
use crate::db::params;
use crate::error::Error;
use crate::testing::{Stage, clinic, hospital, pharmacy};

impl Papers {
    /// The number of the state that the patient's papers are in, whoever may read the patient.
    pub(crate) async fn epoch(&self, patient: PatientNumber) -> Result<i64, Error> {
        let sql = "select epoch from patient where number = $1";
        let office = &self.shared().office;
        let row: Option<(i64,)> = office.fetch_optional(sql, params![patient]).await?;
        row.map(|(epoch,)| epoch).ok_or(Error::NotFound)
    }
}

const OPERATOR: PersonId = PersonId(7);

/// Good enough for names that differ in blanks only.
fn fold(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace()).collect()
}

fn papers(stage: &Stage) -> Papers {
    stage.store.papers(fold)
}

/// Everybody may see everything of a patient who has number 0000123456 at the hospital.
fn consent(number: &str) -> ConsentPaper {
    ConsentPaper {
        consent_no: number.parse().unwrap(),
        form: "C-1".to_owned(),
        form_version: "1".to_owned(),
        signed_on: "2026-03-30".parse().unwrap(),
        signer: "見本 京美".to_owned(),
        relation: "self".to_owned(),
        kana: "ミホン キヨウミ".to_owned(),
        birth_date: "1958-03-14".parse().unwrap(),
        sex: Sex::Female,
        local_ids: vec![local(hospital(), "0000123456")],
        sources: Facilities::All,
        readers: Facilities::All,
        categories: Categories::ALL,
        from: "2026-04-01".parse().unwrap(),
        to: None,
        explained_by: "事務 太郎".to_owned(),
        kept_at: "連携室".to_owned(),
    }
}

/// A paper of another person with another number at the hospital.
fn stranger(number: &str) -> ConsentPaper {
    ConsentPaper {
        kana: "タニン ハナコ".to_owned(),
        birth_date: "1961-07-07".parse().unwrap(),
        local_ids: vec![local(hospital(), "0000999999")],
        ..consent(number)
    }
}

fn complete(number: &str) -> WithdrawalPaper {
    WithdrawalPaper {
        consent_no: number.parse().unwrap(),
        withdrawn_on: "2026-04-01".parse().ok(),
        signer: Some("見本 京美".to_owned()),
        relation: Some("self".to_owned()),
        identity_check: Some("運転免許証".to_owned()),
    }
}

fn incomplete(number: &str) -> WithdrawalPaper {
    WithdrawalPaper {
        identity_check: None,
        ..complete(number)
    }
}

fn local(facility: FacilityId, id: &str) -> LocalPatientId {
    LocalPatientId::parse(facility, id).unwrap()
}

fn only(facilities: impl IntoIterator<Item = FacilityId>) -> Facilities {
    Facilities::Only(facilities.into_iter().collect())
}

/// The patient of [`consent`] as the hospital's own demographics have them.
fn evidence() -> Evidence {
    Evidence {
        birth_date: "1958-03-14".parse().ok(),
        sex: Some(Sex::Female),
        kana: Some("ミホン キヨウミ".to_owned()),
        kanji: Some("見本 京美".to_owned()),
    }
}

/// Whether an item that says this is taken for the patient's.
async fn fits(
    papers: &Papers,
    patient: PatientNumber,
    local: &LocalPatientId,
    evidence: &Evidence,
) -> bool {
    let said = Proof {
        patient,
        local_id: local.clone(),
        evidence: evidence.clone(),
    };
    papers.demographics(&[patient]).await.unwrap().fit(&said)
}

/// Enters a consent in force and has the hospital agree.
async fn proved(papers: &Papers, paper: &ConsentPaper) -> Entered {
    let entered = papers
        .enter_consent(OPERATOR, paper, Entry::Active)
        .await
        .unwrap();
    for local in &paper.local_ids {
        papers
            .prove_link(entered.patient, local, &evidence())
            .await
            .unwrap();
    }
    entered
}

/// Reader and source of every grant.
async fn open(store: &Store, patient: PatientNumber) -> BTreeSet<(FacilityId, FacilityId)> {
    let sql = "select reader, source from effective_grant where patient = $1";
    let rows: Vec<(i64, i64)> = store
        .0
        .office
        .fetch_all(sql, params![patient])
        .await
        .unwrap();
    let facility = |number| FacilityId::from_number(number).unwrap();
    rows.into_iter()
        .map(|(reader, source)| (facility(reader), facility(source)))
        .collect()
}

/// Local ids on a facility's roster.
async fn roster(papers: &Papers, facility: FacilityId) -> Vec<String> {
    let entries = papers.roster(&facility).await.unwrap();
    entries
        .iter()
        .flat_map(|entry| &entry.links)
        .map(|link| link.local_id.id.reveal().clone())
        .collect()
}

/// The words of the outbox.
async fn errands(papers: &Papers) -> Vec<String> {
    let word = |what: &What| match what {
        What::Introduce => "introduce".to_owned(),
        What::BackFill(facility) => format!("back-fill {facility}"),
        What::Erase => "erase".to_owned(),
        What::Follow => "follow".to_owned(),
        What::Audit(_) => "audit".to_owned(),
    };
    papers
        .outbox(0, 100)
        .await
        .unwrap()
        .iter()
        .map(|errand| word(errand.what.as_ref().unwrap()))
        .collect()
}

async fn empty_outbox(papers: &Papers) {
    let errands = papers.outbox(0, 100).await.unwrap();
    let errands: Vec<_> = errands.iter().collect();
    papers.done(&errands).await.unwrap();
}

fn why(refused: Result<Entered, PaperError>) -> Disagreement {
    match refused {
        Err(PaperError::Conflict(Conflict { why, .. })) => why,
        other => panic!("{other:?}"),
    }
}
