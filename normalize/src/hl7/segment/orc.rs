//! ORC: what every order says about itself (HL7 v2.5 §4.5.1).

use std::borrow::Cow;

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
    keep(
        segment,
        &[1, 5, 13, 15, 16, 18, 21, 22, 23],
        &mut head.other,
    );
    Orc {
        control: segment.field(1).text().map(Cow::into_owned),
        status: segment.field(5).text().map(Cow::into_owned),
        head,
    }
}

/// Outpatient is the letter O; some senders write the digit.
fn with_letter(segment: &Segment<'_>, mut setting: Concept, findings: &mut Findings) -> Concept {
    for coding in setting
        .codings
        .iter_mut()
        .filter(|coding| coding.code == "0")
    {
        "O".clone_into(&mut coding.code);
        findings.add(lint::D2019, segment.field(29).place());
    }
    setting
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[test]
    fn numbers_people_and_department() {
        let (orc, rules) = of_segment(
            "ORC|NW|000000024000123|F1|000000024000123_01|||||20240510103045|U1^入力^花子||D1^服部^時夫^^^^^^^L^^^^^I~^ハットリ^トキオ^^^^^^^L^^^^^P|||||01^内科^HL70069",
            read,
        );
        let head = orc.head;
        assert_eq!(rules, [""; 0]);
        assert_eq!(head.placer.as_deref(), Some("000000024000123"));
        assert_eq!(head.filler.as_deref(), Some("F1"));
        assert_eq!(head.group.as_deref(), Some("000000024000123_01"));
        let requester = head.requester.unwrap();
        assert_eq!(
            (requester.name.as_deref(), requester.kana.as_deref()),
            (Some("服部 時夫"), Some("ハットリ トキオ"))
        );
        assert_eq!(head.department.unwrap().text.as_deref(), Some("内科"));
    }

    #[test]
    fn zero_for_the_letter_o_is_outpatient() {
        let (orc, rules) = of_segment(
            &format!("ORC|NW{}0^外来患者オーダ^HL70482", "|".repeat(28)),
            read,
        );
        assert_eq!(orc.head.setting.unwrap().first_code(), Some("O"));
        assert_eq!(rules, ["D2019@29"]);
    }

    #[test]
    fn what_has_no_place_is_kept_and_what_is_not_read_is_found() {
        let (orc, rules) = of_segment(
            "ORC|SC||||CM||||||||01^^^^^C||20240510|||PC1^^99XY2|X",
            read,
        );
        let kept: Vec<&str> = orc
            .head
            .other
            .iter()
            .map(|(field, _)| field.as_str())
            .collect();
        assert_eq!(kept, ["ORC-1", "ORC-5", "ORC-13", "ORC-15", "ORC-18"]);
        assert_eq!(rules, ["D2017@19"]);
    }
}
