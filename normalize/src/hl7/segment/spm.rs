//! SPM: the material of a laboratory result (HL7 v2.5 §7.4.3).

use model::observation::Specimen;

use super::{code, keep, plain, ts, unread};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// The fields that SS-MIX2 uses, and the additive.
const READ: [usize; 7] = [1, 2, 4, 5, 8, 17, 18];

pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Specimen {
    unread(segment, &READ, findings);
    let mut specimen = Specimen {
        number: plain(&segment.field(2), findings),
        material: code(segment, 4, findings),
        site: code(segment, 8, findings),
        collected: ts(&segment.field(17), findings),
        received: ts(&segment.field(18), findings),
        other: Vec::new(),
    };
    keep(segment, &[1, 5], &mut specimen.other);
    specimen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[test]
    fn material_site_and_times() {
        let (specimen, rules) = of_segment(
            "SPM|1|S1||023^血清^JC10|99&x||||||||||||202405100845|202405100900|X",
            read,
        );
        assert_eq!(specimen.number.as_deref(), Some("S1"));
        assert_eq!(specimen.material.unwrap().first_code(), Some("023"));
        assert_eq!(
            specimen.collected.unwrap().to_string(),
            "2024-05-10T08:45:00+09:00"
        );
        assert_eq!(
            specimen.received.unwrap().to_string(),
            "2024-05-10T09:00:00+09:00"
        );
        assert_eq!(specimen.other.len(), 2);
        assert_eq!(rules, ["D2017@19"]);
    }
}
