//! NTE: remarks on the segment before (HL7 v2.5 §2.15.10).

use super::{texts, unread};
use crate::hl7::message::Segment;
use crate::lint::Findings;

/// The lines of a remark.
pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Vec<String> {
    // NTE-1 numbers the remarks, NTE-4 says what kind of remark a remark is.
    unread(segment, &[1, 3], findings);
    texts(segment, 3, findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[test]
    fn lines_of_a_remark() {
        let (lines, rules) = of_segment("NTE|1|L|溶血あり~再検予定|RE", read);
        assert_eq!(lines, ["溶血あり", "再検予定"]);
        assert_eq!(rules, ["D2017@2", "D2017@4"]);
    }
}
