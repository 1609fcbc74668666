//! Receptions and stays.

use model::code::CodeSystem;
use model::encounter::{Encounter, EncounterClass, EncounterStatus, Stay};
use model::person::{Bed, Staff};

use super::{coded, doctor, hl7, other, text, time};

pub(crate) fn bare_encounter(class: EncounterClass, status: EncounterStatus) -> Encounter {
    Encounter {
        class,
        status,
        start: None,
        end: None,
        department: None,
        locations: Vec::new(),
        attending: Vec::new(),
        admitting: Vec::new(),
        disposition: None,
        number: None,
        other: Vec::new(),
    }
}

pub(crate) fn full_encounter(class: EncounterClass, status: EncounterStatus) -> Encounter {
    let bed = |ward: &str| Bed {
        ward: text(ward),
        room: text("512"),
        bed: text("2"),
        kind: text("N"),
    };
    let clinic = Bed {
        ward: text("01"),
        kind: text("C"),
        ..Bed::default()
    };
    let moved = time("2024-05-11T10:00:00+09:00");
    Encounter {
        start: time("2024-05-10T08:45:00+09:00"),
        end: time("2024-05-20"),
        department: Some(coded(CodeSystem::Department, "01", "内科")),
        locations: vec![
            Stay {
                bed: bed("05E"),
                start: time("2024-05-10"),
                end: moved,
            },
            Stay {
                bed: bed("05E"),
                start: moved,
                end: None,
            },
            Stay {
                bed: clinic,
                start: moved,
                end: time("2024-05-01"),
            },
            Stay {
                bed: Bed::default(),
                start: None,
                end: None,
            },
        ],
        attending: vec![doctor(), Staff::default()],
        admitting: vec![doctor()],
        disposition: hl7(112, "01"),
        number: text("000000024000300"),
        other: other("EVN-4"),
        ..bare_encounter(class, status)
    }
}
