//! A patient whom the hospital registered under two numbers: with the last paper that names the second
//! one everything goes that stands under it, and nothing else, wherever the process dies.

use model::finding::{Effect, Finding, Place, Severity};
use model::papers::LinkState;

use super::*;
use crate::error::Error;
use crate::intake::FoundBy;
use crate::testing::feed;
use crate::{Fate, Link, Pushed, Token, Whose};

const FIRST: &str = "0000123456";
const SECOND: &str = "0000077777";
/// What tells the rows of a table apart.
const TABLES: [(&str, &str); 6] = [
    ("finding", "select path from finding where patient = $1"),
    ("item", "select path from item where patient = $1"),
    ("slot", "select slot from slot where patient = $1"),
    ("record", "select key from record where patient = $1"),
    (
        "search_token",
        "select token from search_token where patient = $1",
    ),
    ("inbox", "select arrival from inbox where patient = $1"),
];

fn local(number: &str) -> LocalPatientId {
    LocalPatientId::parse(hospital(), number).unwrap()
}

impl Kept {
    /// A second consent names the second number too, and the hospital agrees.
    async fn names_the_second(&self) {
        let numbers = format!("{FIRST};{}:{SECOND}", hospital());
        enter(&self.papers, "C-2", WHO, &numbers).await;
        let (patient, second) = (self.patient.patient, local(SECOND));
        let proved = self.papers.prove_link(patient, &second, &evidence()).await;
        proved.unwrap();
        self.store.jobs().follow(&self.papers).await.unwrap();
    }

    async fn ends_the_second(&self) {
        let paper = withdrawal("C-2");
        self.papers.withdraw(OPERATOR, &paper).await.unwrap();
    }

    /// A file under a number, with a record, a finding, a record joined of it and others, and tokens of
    /// which one is the same under every number.
    async fn under(&self, number: &str, path: i64) -> PatientChange {
        let roster = self.papers.roster(&hospital()).await.unwrap();
        let mut links = roster[0].links.iter();
        let link = links.find(|link| link.local_id == local(number)).unwrap();
        let mut change = self.file(path, number).await;
        change.items[0].item.number = link.number;
        change.items[0].findings = Some(vec![Finding {
            rule: "D2302".to_owned(),
            severity: Severity::Warn,
            effect: Effect::Publish,
            place: Place::default(),
        }]);
        let mut joined = self.change(hospital()).await.joined.unwrap();
        joined[0].number = link.number;
        joined[0].record.meta.source_key = format!("{number}|stay");
        change.joined = Some(joined);
        let tokens = ["キヨウミ", number].map(|text| Token::Name(text.to_owned()));
        let found = FoundBy {
            tokens: tokens.to_vec(),
            only: true,
        };
        change.tokens = BTreeMap::from([(link.number, found)]);
        change
    }

    /// Something stands in every table under a number.
    async fn brings(&self, number: &str, path: i64) {
        let change = self.under(number, path).await;
        self.store.intake().accept(vec![change]).await.unwrap();
        let pushed = Pushed {
            raw: Arc::new(number.as_bytes().to_vec()),
            control: Vec::new(),
            kind: "other".to_owned(),
            whose: Whose::Of(local(number)),
        };
        let received = self
            .store
            .intake()
            .receive(&feed("line"), vec![pushed])
            .await;
        assert_eq!(received.unwrap()[0].fate, Fate::Kept);
    }

    /// The patient's rows of every table, in an order of their own.
    async fn stands(&self) -> BTreeMap<&'static str, Vec<i64>> {
        let mut stands = BTreeMap::new();
        for (table, sql) in TABLES {
            let patient = params![self.patient.patient];
            let rows = self.store.0.records.fetch_all(sql, patient).await;
            let mut rows: Vec<i64> = rows.unwrap().into_iter().map(|(row,)| row).collect();
            rows.sort_unstable();
            stands.insert(table, rows);
        }
        stands
    }

    /// Numbers at the hospital, with where their links stand.
    async fn numbers(&self) -> Vec<(String, LinkState)> {
        let roster = self.papers.roster(&hospital()).await.unwrap();
        let links = roster.iter().flat_map(|entry| &entry.links);
        let number = |link: &Link| (link.local_id.id.reveal().clone(), link.state);
        links.map(number).collect()
    }
}

/// Somebody of whom something stands in every table under either number, and what stood there before
/// the second one came.
async fn registered_twice(stage: &Stage) -> (Kept, BTreeMap<&'static str, Vec<i64>>) {
    let kept = Kept::new(stage, Limit::Unlimited, None).await;
    kept.brings(FIRST, 1).await;
    let alone = kept.stands().await;
    kept.names_the_second().await;
    kept.brings(SECOND, 2).await;
    let both = kept.stands().await;
    let grew = |(table, rows): (&&str, &Vec<i64>)| rows.len() > alone[*table].len();
    assert!(both.iter().all(grew), "{both:?}");
    (kept, alone)
}

/// What the deletion record says of one number.
const ONE_NUMBER_WENT: &str = "reason: withdrawal; rows: finding 1, item 1, slot 1, record 2, search_token 2, inbox 1; \
     sources: 1319999901 in part; keys destroyed: none";

#[tokio::test]
async fn gov_what_stands_under_a_number_goes_with_it_and_the_rest_stays_as_it_is() {
    on_both(async |stage| {
        let (kept, alone) = registered_twice(stage).await;
        kept.ends_the_second().await;
        kept.store.jobs().follow(&kept.papers).await.unwrap();
        assert_eq!(kept.stands().await, alone);
        assert_eq!(kept.state("C-2").await, ConsentState::Erased);
        let proved = (FIRST.to_owned(), LinkState::Proved);
        assert_eq!(kept.numbers().await, [proved]);
        let says = kept.says(&kept.items().await).await;
        assert_eq!(says.into_values().collect::<Vec<_>>(), [FIRST]);
        assert_eq!(kept.deletion_records().await, [ONE_NUMBER_WENT]);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_an_erasing_of_a_number_that_dies_is_finished_by_the_next_one() {
    on_both(async |stage| {
        let (kept, alone) = registered_twice(stage).await;
        let late = kept.under(SECOND, 3).await;
        kept.ends_the_second().await;
        let patient = kept.patient.patient;
        let erasure = kept.papers.due_erasure(patient).await.unwrap().unwrap();
        assert!(erasure.sources.is_empty() && !erasure.whole);
        kept.store.jobs().erase_rows(&erasure).await.unwrap();
        // Here it dies, and a feed brings what it read of the number before.
        let epoch = kept.papers.epoch(patient).await.unwrap();
        let late = PatientChange { epoch, ..late };
        let accepted = kept.store.intake().accept(vec![late]).await;
        assert!(matches!(accepted, Err(Error::StaleEpoch)));
        assert_eq!(kept.stands().await, alone);
        kept.store.jobs().follow(&kept.papers).await.unwrap();
        assert_eq!(kept.stands().await, alone);
        assert_eq!(kept.deletion_records().await, [ONE_NUMBER_WENT]);
        kept.store.close().await;
    })
    .await;
}

#[tokio::test]
async fn gov_a_paper_that_names_the_number_again_while_it_goes_loses_nothing_of_the_other() {
    on_both(async |stage| {
        let (kept, alone) = registered_twice(stage).await;
        kept.ends_the_second().await;
        let patient = kept.patient.patient;
        let erasure = kept.papers.due_erasure(patient).await.unwrap().unwrap();
        kept.store.jobs().erase_rows(&erasure).await.unwrap();
        enter(&kept.papers, "C-3", WHO, SECOND).await;
        let done = kept.papers.erased(&erasure).await;
        assert!(matches!(done, Err(Error::StaleEpoch)));
        while kept.store.jobs().follow(&kept.papers).await.unwrap().done > 0 {}
        assert_eq!(kept.stands().await, alone);
        let back_fills = kept.store.jobs().back_fills(&hospital()).await.unwrap();
        assert_eq!(back_fills, [patient]);
        assert_eq!(kept.numbers().await.len(), 2);
        kept.store.close().await;
    })
    .await;
}
