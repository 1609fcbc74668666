//! Proof of links: a facility's own demographics are compared with the papers that name the link, for many
//! patients in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use model::id::{LocalPatientId, PatientNumber};
use model::papers::{ConsentState, LinkState};
use model::time::Instant;

use super::evidence::{Evidence, Tokens};
use super::follow::{follow_all, next_epochs};
use super::ledger::Ledger;
use super::link::token;
use super::outbox::{Note, Post, post_all};
use super::task::{self, TaskKind};
use super::{Papers, basis, facility_id};
use crate::audit::Action;
use crate::db::{Insert, Tx, Type, Value, params};
use crate::error::Error;

const EVIDENCE: Insert = Insert {
    table: "link_evidence",
    columns: &[
        ("patient", Type::Int),
        ("facility", Type::Int),
        ("link_token", Type::Int),
        ("version", Type::Int),
        ("birth_date", Type::Int),
        ("sex", Type::Int),
        ("kana", Type::Int),
        ("kanji", Type::Int),
        ("given_kana", Type::Int),
        ("given_kanji", Type::Int),
    ],
    conflict: "",
};

/// The demographics versions of links, which were proved once, with how they stand now.
const VERSIONS: &str = "select e.patient, e.facility, e.link_token, l.state, e.version, e.birth_date, e.sex, e.kana, \
     e.kanji, e.given_kana, e.given_kanji from link_evidence e join link l on l.patient = e.patient \
     and l.facility = e.facility and l.token = e.link_token where e.patient";

#[derive(sqlx::FromRow)]
struct VersionRow {
    patient: i64,
    facility: i64,
    link_token: i64,
    state: i64,
    version: i64,
    birth_date: i64,
    sex: i64,
    kana: i64,
    kanji: i64,
    given_kana: i64,
    given_kanji: i64,
}

/// What a facility's demographics say under a number that papers give a patient.
#[derive(Clone)]
pub struct Proof {
    /// Whose papers.
    pub patient: PatientNumber,
    /// The number.
    pub local_id: LocalPatientId,
    /// Who that is, as the facility says.
    pub evidence: Evidence,
}

impl Proof {
    fn new(patient: PatientNumber, local_id: &LocalPatientId, evidence: &Evidence) -> Self {
        Self {
            patient,
            local_id: local_id.clone(),
            evidence: evidence.clone(),
        }
    }
}

/// A proof as numbers.
#[derive(Clone, Copy)]
struct Given {
    patient: PatientNumber,
    facility: i64,
    link: i64,
    tokens: Tokens,
}

impl Given {
    fn of(papers: &Papers, proof: &Proof) -> Self {
        let shared = papers.shared();
        Self {
            patient: proof.patient,
            facility: proof.local_id.facility.number(),
            link: token(shared, &proof.local_id),
            tokens: Tokens::of(&shared.keys, &proof.evidence),
        }
    }

    const fn place(&self) -> (PatientNumber, i64, i64) {
        (self.patient, self.facility, self.link)
    }

    /// The row that keeps it as a demographics version of its link.
    fn version(&self, number: usize) -> Vec<Value> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let Tokens {
            birth_date,
            sex,
            kana,
            kanji,
            given_kana,
            given_kanji,
        } = self.tokens;
        let link = [self.patient.0, self.facility, self.link, number];
        let tokens = [birth_date, sex, kana, kanji, given_kana, given_kanji];
        link.into_iter().chain(tokens).map(Value::Int).collect()
    }
}

/// The demographics versions of links of some patients, in the order of their numbers.
#[derive(Default)]
struct Versions {
    of: BTreeMap<(PatientNumber, i64, i64), Vec<Tokens>>,
    proved: BTreeSet<(PatientNumber, i64, i64)>,
}

impl Versions {
    fn of(mut rows: Vec<VersionRow>) -> Self {
        rows.sort_unstable_by_key(|row| row.version);
        let mut versions = Self::default();
        for row in rows {
            let link = (PatientNumber(row.patient), row.facility, row.link_token);
            if row.state == LinkState::Proved as i64 {
                versions.proved.insert(link);
            }
            versions.of.entry(link).or_default().push(Tokens {
                birth_date: row.birth_date,
                sex: row.sex,
                kana: row.kana,
                kanji: row.kanji,
                given_kana: row.given_kana,
                given_kanji: row.given_kanji,
            });
        }
        versions
    }

    fn of_link(&self, given: &Given) -> &[Tokens] {
        self.of.get(&given.place()).map_or(&[], Vec::as_slice)
    }

    /// Whether a link is proved and has this version, to the last token: then a message that says it
    /// again changes nothing.
    fn is_remembered(&self, given: &Given) -> bool {
        self.proved.contains(&given.place()) && self.of_link(given).contains(&given.tokens)
    }

    /// The names in kanji that facilities, proved already, have of a patient.
    fn kanji(&self, patient: PatientNumber) -> Vec<i64> {
        let of_patient = self.proved.iter().filter(|(of, ..)| *of == patient);
        let versions = of_patient.filter_map(|link| self.of.get(link)).flatten();
        versions
            .map(|version| version.kanji)
            .filter(|kanji| *kanji != 0)
            .collect()
    }
}

/// What facilities have said of some patients under proved numbers, as it stood at one moment.
pub struct Demographics {
    papers: Papers,
    versions: Versions,
}

impl Demographics {
    /// Whether a facility said just this before: then it proves nothing new.
    pub fn hold(&self, said: &Proof) -> bool {
        self.versions.is_remembered(&Given::of(&self.papers, said))
    }

    /// Whether an item that says this may be of the patient whom the facility's demographics name. One
    /// that does not fit is withheld; the link stays.
    pub fn fit(&self, said: &Proof) -> bool {
        let given = Given::of(&self.papers, said);
        given.tokens.fits(self.versions.of_link(&given))
    }
}

impl Papers {
    /// Compares a facility's own demographics with the papers that name the link, and remembers them.
    /// Where the link stands then. A link that comes to stand elsewhere takes the patient's epoch one
    /// step on. A disagreement closes the link and asks for a person. A proved link stays proved, and takes the
    /// demographics as a further version when birth date and a name agree, be it the given name alone;
    /// other ones ask for a person too, and no item that says the same fits.
    ///
    /// # Errors
    /// [`Error::NotFound`] when no paper links this local id to the patient.
    pub async fn prove_link(
        &self,
        patient: PatientNumber,
        local_id: &LocalPatientId,
        evidence: &Evidence,
    ) -> Result<LinkState, Error> {
        self.prove(&Proof::new(patient, local_id, evidence)).await
    }

    /// The same for links of different patients, in one transaction: what became of each. When it
    /// fails for what somebody's papers are, each is tried alone: they hold up nobody else's.
    pub async fn prove_links(&self, proofs: &[Proof]) -> Vec<Result<LinkState, Error>> {
        let patients: BTreeSet<PatientNumber> = proofs.iter().map(|proof| proof.patient).collect();
        // What one link of a patient proves counts for the next one.
        if patients.len() == proofs.len() {
            match self.prove_together(proofs).await {
                Ok(states) => return states.into_iter().map(Ok).collect(),
                Err(Error::Unavailable(what)) => {
                    let unavailable = proofs.iter().map(|_| Err(Error::Unavailable(what)));
                    return unavailable.collect();
                }
                Err(_) => {}
            }
        }
        let mut states = Vec::with_capacity(proofs.len());
        for proof in proofs {
            states.push(self.prove(proof).await);
        }
        states
    }

    /// What facilities have said of patients under numbers that they proved.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn demographics(&self, patients: &[PatientNumber]) -> Result<Demographics, Error> {
        let numbers: Vec<i64> = patients.iter().map(|patient| patient.0).collect();
        let versions = self.shared().office.fetch_among(VERSIONS, &numbers).await?;
        Ok(Demographics {
            papers: self.clone(),
            versions: Versions::of(versions),
        })
    }

    async fn prove(&self, proof: &Proof) -> Result<LinkState, Error> {
        let states = self.prove_together(std::slice::from_ref(proof)).await?;
        states.first().copied().ok_or(Error::NotFound)
    }

    async fn prove_together(&self, proofs: &[Proof]) -> Result<Vec<LinkState>, Error> {
        let given: Vec<Given> = proofs.iter().map(|proof| Given::of(self, proof)).collect();
        let patients: Vec<PatientNumber> = given.iter().map(|given| given.patient).collect();
        let known = self.demographics(&patients).await?.versions;
        let news = given.iter().filter(|given| !known.is_remembered(given));
        let news: Vec<Given> = news.copied().collect();
        let states = match news.is_empty() {
            true => BTreeMap::new(),
            false => {
                // Whoever waits for this may stand still for long, and others need these locks.
                let papers = self.clone();
                let proving = tokio::spawn(async move { papers.prove_news(&news).await });
                let gone = |_| Error::Unavailable("proof of links");
                proving.await.map_err(gone)??
            }
        };
        // What changes nothing is proved.
        let state = |given: &Given| states.get(&given.patient).copied();
        let states = given
            .iter()
            .map(|given| state(given).unwrap_or(LinkState::Proved));
        Ok(states.collect())
    }

    /// Proofs of different patients that may change something.
    async fn prove_news(
        &self,
        news: &[Given],
    ) -> Result<BTreeMap<PatientNumber, LinkState>, Error> {
        let shared = self.shared();
        let patients: Vec<PatientNumber> = news.iter().map(|given| given.patient).collect();
        let numbers: Vec<i64> = patients.iter().map(|patient| patient.0).collect();
        let now = shared.clock.now();
        let mut tx = self.begin().await?;
        let ledgers = Ledger::load_all(shared, &mut tx, &patients).await?;
        let versions = Versions::of(tx.fetch_among(VERSIONS, &numbers).await?);
        let (mut states, mut rows, mut settled) = (BTreeMap::new(), Vec::new(), Vec::new());
        for given in news {
            let ledger = ledgers.get(&given.patient).ok_or(Error::NotFound)?;
            let before = ledger
                .link(given.facility, given.link)
                .ok_or(Error::NotFound)?;
            let found = match before.state {
                LinkState::Unproved => self.compare(ledger, given, &versions.kanji(given.patient)),
                LinkState::Proved | LinkState::Disagrees => before.state,
            };
            states.insert(given.patient, found);
            let versions = versions.of_link(given);
            if found == LinkState::Proved && !versions.contains(&given.tokens) {
                if versions.is_empty() || given.tokens.follows(versions) {
                    rows.push(given.version(versions.len() + 1));
                } else {
                    disagrees(&mut tx, given, now).await?;
                }
            }
            if found != before.state {
                settled.push((given, found));
            }
        }
        if states.values().any(|state| *state == LinkState::Proved) {
            basis::may_open(shared, &mut tx).await?;
        }
        tx.insert_many(&EVIDENCE, rows).await?;
        self.settle(&mut tx, &settled, now).await?;
        tx.commit().await?;
        Ok(states)
    }

    /// What the active consents that name the link say of the facility's demographics.
    fn compare(&self, ledger: &Ledger, given: &Given, kanji: &[i64]) -> LinkState {
        let shared = self.shared();
        let active = ledger
            .consents
            .iter()
            .filter(|kept| kept.state == ConsentState::Active);
        let naming = active.filter(|kept| {
            let mut locals = kept.paper.local_ids.iter();
            locals.any(|named| {
                named.facility.number() == given.facility && token(shared, named) == given.link
            })
        });
        let found: Vec<LinkState> = naming
            .map(|kept| {
                Tokens::on(&shared.keys, &kept.paper, self.fold).compare(&given.tokens, kanji)
            })
            .collect();
        let first = [LinkState::Disagrees, LinkState::Proved]
            .into_iter()
            .find(|state| found.contains(state));
        first.unwrap_or(LinkState::Unproved)
    }

    /// Writes where links stand now, and what follows.
    async fn settle(
        &self,
        tx: &mut Tx,
        settled: &[(&Given, LinkState)],
        now: Instant,
    ) -> Result<(), Error> {
        let shared = self.shared();
        if settled.is_empty() {
            return Ok(());
        }
        let sql = "update link set state = $4 where patient = $1 and facility = $2 and token = $3";
        for (given, state) in settled {
            let params = params![given.patient, given.facility, given.link, *state as i64];
            tx.execute(sql, params).await?;
        }
        let patients: Vec<PatientNumber> = settled.iter().map(|(given, _)| given.patient).collect();
        follow_all(shared, tx, &patients).await?;
        let numbers: Vec<i64> = patients.iter().map(|patient| patient.0).collect();
        let epochs = next_epochs(tx, &numbers).await?;
        let mut notes = Vec::with_capacity(settled.len());
        for (given, state) in settled {
            let action = if *state == LinkState::Proved {
                Action::LinkProved
            } else {
                disagrees(tx, given, now).await?;
                Action::LinkDisagrees
            };
            let epoch = *epochs.get(&given.patient).ok_or(Error::NotFound)?;
            let note = Note::of_link(action, &facility_id(given.facility)?, epoch, now);
            notes.push((given.patient, note));
        }
        let posted: Vec<_> = notes
            .iter()
            .map(|(patient, note)| (*patient, Post::Note(note), now))
            .collect();
        post_all(shared, tx, &posted).await
    }
}

/// Asks for a person who looks at a link.
async fn disagrees(tx: &mut Tx, given: &Given, now: Instant) -> Result<(), Error> {
    let facility = facility_id(given.facility)?;
    let kind = TaskKind::LinkDisagrees;
    task::open(tx, kind, given.patient, Some(&facility), now).await
}
