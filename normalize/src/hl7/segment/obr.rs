//! OBR: the set of tests that results belong to (HL7 v2.5 §7.4.1).

use model::code::Concept;
use model::observation::Report;

use super::{
    code, keep, nested_or_flat, plain, require, single, staff, ts, unread, unread_components,
};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// The fields that SS-MIX2 uses, with material (15) and status (25) of other profiles.
const READ: [usize; 13] = [1, 2, 3, 4, 7, 8, 12, 13, 15, 16, 22, 25, 26];

/// A report, and the material where no SPM names one.
pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> (Report, Option<Concept>) {
    require(segment, &[4], findings);
    unread(segment, &READ, findings);
    let parent = segment.field(26);
    let mut report = Report {
        placer: plain(&segment.field(2), findings),
        filler: plain(&segment.field(3), findings),
        set: code(segment, 4, findings),
        collected: ts(&segment.field(7), findings),
        requester: staff(segment, 16, findings),
        issued: ts(&segment.field(22), findings),
        department: None,
        parent: parent.has_content().then(|| parent.whole().into_owned()),
        other: Vec::new(),
    };
    keep(segment, &[1, 8, 12, 13, 25], &mut report.other);
    (report, material(segment, findings))
}

/// OBR-15 holds a code in its first component.
fn material(segment: &Segment<'_>, findings: &mut Findings) -> Option<Concept> {
    let first = single(&segment.field(15), findings)?;
    let (material, read) = nested_or_flat(&first, findings);
    unread_components(&first, read, findings);
    material
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[test]
    fn set_times_and_parent_result() {
        let ((report, material), rules) = of_segment(
            "OBR|2|O1|F1|E002^生化学的検査^99O03|||202405100845||||||||019&全血&JC10|D1^服部^時夫||||||20240510112200|||F|6B01&菌名&JC10^1^S.aureus",
            read,
        );
        assert_eq!(report.placer.as_deref(), Some("O1"));
        assert_eq!(report.set.unwrap().text.as_deref(), Some("生化学的検査"));
        assert_eq!(
            report.issued.unwrap().to_string(),
            "2024-05-10T11:22:00+09:00"
        );
        assert_eq!(report.parent.as_deref(), Some("6B01&菌名&JC10^1^S.aureus"));
        assert_eq!(material.unwrap().text.as_deref(), Some("全血"));
        assert_eq!(rules, [""; 0]);
    }
}
