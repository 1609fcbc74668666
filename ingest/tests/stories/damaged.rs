//! What is kept of one patient does not open any more: a disk, a copy or somebody changed it. That is
//! told, and stops the feed for nobody else.

use std::fs;

use crate::hospital::{FIRST, Hospital, NAMES, SECOND};

async fn check(damage: fn(Vec<u8>) -> Vec<u8>) {
    let hospital = Hospital::new().await;
    hospital.consent("C-1", &[FIRST]).await;
    hospital.lay(FIRST, FIRST, "ADT-00", 0, NAMES);
    let result = hospital.lay(FIRST, FIRST, "OML-11", 1, NAMES);
    assert_eq!(hospital.sweep().await.read, 2);
    for segment in hospital.segments() {
        let bytes = fs::read(&segment).unwrap();
        fs::write(segment, damage(bytes)).unwrap();
    }
    let superseded = result.to_str().unwrap().strip_suffix("_1").unwrap();
    fs::rename(&result, format!("{superseded}_2")).unwrap();
    hospital.consent("C-2", &[SECOND]).await;
    hospital.lay(SECOND, SECOND, "ADT-00", 0, NAMES);
    for read in [1, 0] {
        let report = hospital.sweep().await;
        assert_eq!((report.damaged, report.read), (1, read), "{report:?}");
        let feed = hospital.store().jobs().feed("storage").await.unwrap();
        assert!(feed.up, "the source can be read");
        let noticed = hospital.store().intake().notices("storage").await.unwrap();
        let damaged = noticed
            .iter()
            .find(|one| one.rule == ingest::report::DAMAGED);
        assert_eq!(damaged.map(|one| one.count), Some(1));
    }
}

#[tokio::test]
async fn kept_data_that_do_not_open_stop_the_feed_for_nobody_else() {
    check(|bytes| bytes.iter().map(|byte| !byte).collect()).await;
}

#[tokio::test]
async fn kept_data_that_are_cut_off_stop_the_feed_for_nobody_else() {
    check(|_| Vec::new()).await;
}
