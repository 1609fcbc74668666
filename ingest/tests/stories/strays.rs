//! A file lies in the folder of one patient and is of another: nothing of it becomes the first one's,
//! however much the two have in common.

use crate::hospital::{FIRST, Hospital, NAMES, SECOND};

#[tokio::test]
async fn what_names_somebody_else_is_withheld_even_from_a_namesake() {
    let hospital = Hospital::new().await;
    hospital.consent("C-1", &[FIRST]).await;
    hospital.lay(FIRST, FIRST, "ADT-00", 0, NAMES);
    hospital.lay(FIRST, FIRST, "OML-11", 1, NAMES);
    hospital.lay(FIRST, SECOND, "OML-11", 2, NAMES);
    hospital.lay(FIRST, SECOND, "OML-11", 3, "");
    let report = hospital.sweep().await;
    assert_eq!((report.read, report.withheld), (2, 2), "{report:?}");
    assert_eq!(report.findings.get("D2301"), Some(&2), "{report:?}");
}

#[tokio::test]
async fn the_demographics_of_somebody_else_prove_nothing() {
    let hospital = Hospital::new().await;
    hospital.consent("C-1", &[FIRST]).await;
    hospital.lay(FIRST, SECOND, "ADT-00", 0, NAMES);
    let report = hospital.sweep().await;
    assert_eq!((report.unproved_links, report.read), (1, 0), "{report:?}");
}
