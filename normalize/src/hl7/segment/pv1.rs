//! PV1: the visit (SS-MIX2 options `1O 2R 3O 6O 7O 10C 17O 36O 44O 45O`).

use model::code::Concept;
use model::encounter::EncounterClass;
use model::person::{Bed, Staff};
use model::time::PartialDateTime;

use super::{Other, code, keep, only, pl, require, single, ts, unread, xcn};
use crate::hl7::message::{Field, Message};
use crate::lint::{self, Findings};
use crate::text;

/// What PV1 says.
#[derive(Default)]
pub(crate) struct Visit {
    /// Outpatient or inpatient (PV1-2).
    pub(crate) class: Option<EncounterClass>,
    /// Ward and bed, or department of outpatients (PV1-3).
    pub(crate) bed: Option<Bed>,
    /// 主治医 (PV1-7).
    pub(crate) attending: Vec<Staff>,
    /// Department (PV1-10).
    pub(crate) department: Option<Concept>,
    /// 入院時医師 (PV1-17).
    pub(crate) admitting: Vec<Staff>,
    /// Discharge disposition (PV1-36).
    pub(crate) disposition: Option<Concept>,
    /// Admission or reception (PV1-44).
    pub(crate) admitted: Option<PartialDateTime>,
    /// Discharge (PV1-45).
    pub(crate) discharged: Option<PartialDateTime>,
}

/// Reads the first PV1.
pub(crate) fn read(message: &Message, findings: &mut Findings) -> Visit {
    let Some(segment) = message.first("PV1") else {
        findings.add(lint::D2011, super::missing("PV1"));
        return Visit::default();
    };
    require(&segment, &[2], findings);
    unread(&segment, &[1, 2, 3, 6, 7, 10, 17, 36, 44, 45], findings);
    let bed = single(&segment.field(3), findings);
    let bed = bed.and_then(|place| pl(&place, findings));
    Visit {
        class: class(&segment.field(2), findings),
        bed,
        attending: xcn(&segment.field(7), findings),
        department: code(&segment, 10, findings),
        admitting: xcn(&segment.field(17), findings),
        disposition: code(&segment, 36, findings),
        admitted: ts(&segment.field(44), findings),
        discharged: ts(&segment.field(45), findings),
    }
}

/// HL7 table 0004; the digit 0 stands for the letter O with some senders.
fn class(field: &Field<'_>, findings: &mut Findings) -> Option<EncounterClass> {
    let Some(sent) = only(field, findings) else {
        if field.is_null() {
            findings.add(lint::D2012, field.place());
        }
        return None;
    };
    let code = text::half_width(&sent);
    if code != sent || code == "0" {
        findings.add(lint::D2019, field.place());
    }
    match code.as_ref() {
        "I" => Some(EncounterClass::Inpatient),
        "O" | "0" => Some(EncounterClass::Ambulatory),
        _ => {
            findings.add(lint::D2015, field.place());
            None
        }
    }
}

/// What PV1 of an order or a report says, for the body's other fields: it is a copy, so it makes
/// no encounter.
pub(crate) fn of_order(message: &Message, findings: &mut Findings) -> Other {
    let mut other = Other::new();
    if let Some(segment) = message.first("PV1") {
        unread(&segment, &[1, 2, 3, 6, 7, 10, 17, 36, 44, 45], findings);
        keep(&segment, &[1, 2, 3, 6, 7, 10, 17, 36, 44, 45], &mut other);
    }
    other
}
