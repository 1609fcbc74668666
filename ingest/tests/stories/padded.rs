//! Papers say a number without the zeros that the hospital writes before it.

use std::fs;

use model::feed::Identity;

use crate::hospital::{FIRST, Hospital, NAMES, SECOND};

#[tokio::test]
async fn a_number_is_found_however_the_hospital_pads_it() {
    let stripped = Identity {
        strip_leading_zeros: true,
        pad_to: None,
    };
    let hospital = Hospital::with(stripped).await;
    hospital.consent("C-1", &["1"]).await;
    hospital.consent("C-2", &["2"]).await;
    for number in [FIRST, SECOND] {
        hospital.lay(number, number, "ADT-00", 0, NAMES);
        hospital.lay(number, number, "OML-11", 1, NAMES);
    }
    // Left by a system that did not pad.
    fs::create_dir_all(hospital.storage().join("1/1")).unwrap();
    for read in [4, 0] {
        let report = hospital.sweep().await;
        assert_eq!((report.read, report.moved), (read, 0), "{report:?}");
    }
    hospital.lay(SECOND, SECOND, "OML-11", 2, NAMES);
    assert_eq!(hospital.sweep().await.read, 1);
}
