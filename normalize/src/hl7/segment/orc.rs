//! ORC: what every order says about itself (HL7 v2.5 §4.5.1).

use model::code::Concept;
use model::medication::OrderHead;

use super::{code, keep, plain, require, staff, ts, unread};
use crate::hl7::message::Segment;
use crate::lint::{self, Findings};

/// The fields that SS-MIX2 uses with diagnoses, prescriptions, injections and results.
const READ: [usize; 17] = [1, 2, 3, 4, 5, 9, 10, 12, 13, 15, 16, 17, 18, 21, 22, 23, 29];

/// An order, and what its sender wants done with it.
pub(crate) struct Orc {
    /// ORC-1, HL7 table 0119.
    pub(crate) control: Option<String>,
    /// ORC-5, HL7 table 0038.
    pub(crate) status: Option<String>,
    pub(crate) head: OrderHead,
}

pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Orc {
    require(segment, &[1], findings);
    unread(segment, &READ, findings);
    let mut head = OrderHead {
        placer: plain(&segment.field(2), findings),
        filler: plain(&segment.field(3), findings),
        group: plain(&segment.field(4), findings),
        entered_at: ts(&segment.field(9), findings),
        entered_by: staff(segment, 10, findings),
        requester: staff(segment, 12, findings),
        department: code(segment, 17, findings),
        setting: code(segment, 29, findings).map(|setting| with_letter(segment, setting, findings)),
        other: Vec::new(),
    };
    keep(segment, &[1, 5, 13, 15, 16, 18, 21, 22, 23], &mut head.other);
    Orc { control: segment.field(1).text(), status: segment.field(5).text(), head }
}

/// Outpatient is the letter O; some senders write the digit.
fn with_letter(segment: &Segment<'_>, mut setting: Concept, findings: &mut Findings) -> Concept {
    for coding in setting.codings.iter_mut().filter(|coding| coding.code == "0") {
        "O".clone_into(&mut coding.code);
        findings.add(lint::D2019, segment.field(29).place());
    }
    setting
}
