//! Files of papers: all lines or none, every mistake at its place.

use super::*;
use crate::papers::{ImportError, TaskKind};
use crate::testing::on_both;

const HEADER: &str = "consent_no,form,form_version,signed_on,signer,relation,kana,birth_date,sex,local_ids,sources,readers,categories,from,to,explained_by,kept_at\n";
const FIRST: &str = "C-1,C-1,1,2026-03-30,見本 京美,self,ミホン キヨウミ,1958-03-14,female,1319999901:0000123456;1319999902:77,*,*,*,2026-04-01,,事務 太郎,連携室\n";
const SECOND: &str = "C-2,C-1,1,2026-03-30,他人 花子,self,タニン ハナコ,1961-07-07,female,1319999901:0000999999,1319999901,1319999902,lab;problem,2026-04-01,2027-03-31,事務 太郎,連携室\n";
const WITHDRAWALS: &str = "consent_no,withdrawn_on,signer,relation,identity_check\n";

/// Imports a file and tells its mistakes as `line:column rule`.
async fn mistakes(papers: &Papers, text: &str) -> Vec<String> {
    match papers
        .import(OPERATOR, "c.csv", text.as_bytes(), Entry::Active)
        .await
    {
        Err(ImportError::Mistakes(mistakes)) => mistakes
            .iter()
            .map(|it| format!("{}:{} {}", it.line, it.column, it.rule))
            .collect(),
        Err(error) => panic!("{error}"),
        Ok(imported) => panic!("{imported:?}"),
    }
}

#[tokio::test]
async fn a_file_of_consents_is_imported_once() {
    on_both(async |stage| {
        let papers = papers(stage);
        let file = format!("\u{feff}{HEADER}{FIRST}\r\n{SECOND}");
        let imported = papers
            .import(OPERATOR, "c.csv", file.as_bytes(), Entry::Active)
            .await
            .unwrap();
        assert_eq!(
            (imported.changed, imported.unchanged, imported.introduced),
            (2, 0, 2)
        );
        assert_eq!(
            roster(&papers, hospital()).await,
            ["0000123456", "0000999999"]
        );
        let again = papers
            .import(OPERATOR, "c.csv", file.as_bytes(), Entry::Active)
            .await
            .unwrap();
        assert_eq!(
            (again.changed, again.unchanged, again.introduced),
            (0, 2, 0)
        );
        let expected = ConsentPaper {
            local_ids: vec![local(hospital(), "0000123456"), local(clinic(), "77")],
            ..consent("C-1")
        };
        assert!(papers.show(&"C-1".parse().unwrap()).await.unwrap().paper == expected);
    })
    .await;
}

#[tokio::test]
async fn one_bad_line_and_nothing_is_applied() {
    on_both(async |stage| {
        let papers = papers(stage);
        let bad = SECOND
            .replace("1961-07-07", "昭和36年")
            .replace("1319999902,", "1319999999,");
        let worse = FIRST
            .replace("C-1,C-1", "C-3,C-1")
            .replace("ミホン", "タニン");
        let file = format!("{HEADER}{FIRST}{bad}{worse}C-4,C-1\n");
        let found = mistakes(&papers, &file).await;
        assert_eq!(found, ["3:41 P0105", "4:60 P0202", "5:1 P0104"]);
        assert!(matches!(
            papers.show(&"C-1".parse().unwrap()).await,
            Err(PaperError::NotFound)
        ));
        assert!(roster(&papers, hospital()).await.is_empty());
        assert!(papers.outbox(0, 10).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn lines_are_held_against_the_rules_and_against_what_is_kept() {
    on_both(async |stage| {
        let papers = papers(stage);
        let entered = papers
            .enter_consent(OPERATOR, &consent("C-0"), Entry::Active)
            .await
            .unwrap();
        let twin = SECOND.replace("0000999999", "0000123456");
        let strange = FIRST
            .replace("C-1,C-1", "C-5,C-1")
            .replace("*,*,*", "*,1319999999,*");
        let found = mistakes(&papers, &format!("{HEADER}{twin}{strange}")).await;
        assert_eq!(found, ["2:59 P0202", "3:98 P0201"]);
        let tasks = papers.tasks().await.unwrap();
        assert_eq!(
            tasks.iter().map(|task| task.kind).collect::<Vec<_>>(),
            [TaskKind::OtherPerson]
        );
        assert_eq!(tasks[0].patient, Some(entered.public));
    })
    .await;
}

#[tokio::test]
async fn a_file_of_withdrawals_stops_incomplete_papers_too() {
    on_both(async |stage| {
        let papers = papers(stage);
        papers
            .import(
                OPERATOR,
                "c.csv",
                format!("{HEADER}{FIRST}{SECOND}").as_bytes(),
                Entry::Active,
            )
            .await
            .unwrap();
        let file = format!("{WITHDRAWALS}C-1,2026-04-01,見本 京美,self,運転免許証\nC-2,,,,\n");
        let imported = papers
            .import(OPERATOR, "w.csv", file.as_bytes(), Entry::Active)
            .await
            .unwrap();
        assert_eq!(imported.changed, 2);
        assert!(roster(&papers, hospital()).await.is_empty());
        assert!(
            papers
                .show(&"C-1".parse().unwrap())
                .await
                .unwrap()
                .erase_at
                .is_some()
        );
        assert!(
            papers
                .show(&"C-2".parse().unwrap())
                .await
                .unwrap()
                .erase_at
                .is_none()
        );
        let unknown = format!("{WITHDRAWALS}C-1,,,,\n C-9 ,4月1日,,,\nC-8,,,,\n");
        assert_eq!(
            mistakes(&papers, &unknown).await,
            ["3:7 P0105", "4:1 P0203"]
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_no_form_is_said_once() {
    on_both(async |stage| {
        let papers = papers(stage);
        assert_eq!(mistakes(&papers, "").await, ["1:1 P0103"]);
        assert_eq!(
            mistakes(&papers, "consent_no,form\nC-1,C-1\n").await,
            ["1:1 P0103"]
        );
        let open = format!("{HEADER}\"C-1");
        assert_eq!(mistakes(&papers, &open).await, ["2:1 P0102"]);
        let sjis = papers
            .import(OPERATOR, "c.csv", b"\x93\xaf\x88\xd3", Entry::Active)
            .await;
        assert!(
            matches!(sjis, Err(ImportError::Mistakes(mistakes)) if mistakes[0].rule == "P0101")
        );
    })
    .await;
}
