//! Results under a new name may come before the demographics that tell of it: they wait, and are read
//! when the demographics have come.

use ingest::Report;

use crate::hospital::{FIRST, Hospital, NAMES, SECOND};

/// The same person after a marriage.
const MARRIED: &str = "佐藤^京美^^^^^L^I~サトウ^キョウミ^^^^^L^P";

fn counts(report: &Report) -> (usize, usize) {
    (report.read, report.withheld)
}

#[tokio::test]
async fn what_came_before_its_demographics_is_read_after_them() {
    let hospital = Hospital::new().await;
    hospital.consent("C-1", &[FIRST]).await;
    hospital.lay(FIRST, FIRST, "ADT-00", 0, NAMES);
    hospital.lay(FIRST, FIRST, "OML-11", 1, MARRIED);
    hospital.lay(FIRST, SECOND, "OML-11", 2, NAMES);
    let early = hospital.sweep().await;
    assert_eq!(counts(&early), (1, 2), "{early:?}");
    assert_eq!(early.findings.get("D2302"), Some(&1), "{early:?}");
    assert_eq!(counts(&hospital.sweep().await), (0, 0), "nothing is new");

    hospital.lay(FIRST, FIRST, "ADT-00", 0, MARRIED);
    assert_eq!(counts(&hospital.sweep().await), (1, 0));
    let healed = hospital.sweep().await;
    assert_eq!(counts(&healed), (1, 1), "{healed:?}");
    assert_eq!(
        counts(&hospital.sweep().await),
        (0, 0),
        "what stays withheld is not read again and again"
    );
    let kept = hospital.store().intake();
    let (files, withheld, _) = kept
        .count(&"1319999901".parse().unwrap(), store::Origin::Storage)
        .await
        .unwrap();
    assert_eq!((files, withheld), (3, 1));
}
