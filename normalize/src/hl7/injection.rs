//! RDE^O11 of the data kind OMP-02: injections. One request an administration; its drugs are the
//! RXC of a mixture, and what RXE names is the kind of injection.

use model::medication::MedicationKind;
use model::record::{Category, Record};

use super::{Reading, prescription};
use crate::lint::Findings;

/// Reads one request an ORC group.
pub(super) fn read(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    prescription::requests(
        reading,
        MedicationKind::Injection,
        Category::Injection,
        findings,
    )
}

#[cfg(test)]
mod tests {
    use model::record::Body;

    use crate::testing::{read, rules};

    #[test]
    fn every_administration_is_a_request_with_its_mixture_base_first() {
        let message = [
            "MSH|^~\\&|HIS||GW||20240513||RDE^O11^RDE_O11|1|P|2.5||||||UNICODE UTF-8",
            "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F",
            "PV1|0001|I|05E^512^2^^^N",
            "ORC|NW|000000000000001||000000000000001_01_001|||||20240513160000",
            "RXE||00^一般^JHSI0002|510||ML^mL^MR9P",
            "TQ1|1||||||202405140800|202405141300",
            "RXC|A|108010001^アドナ^HOT9|1|AMP^アンプル^MR9P",
            "RXC|B|107750602^ソリタ^HOT9|1|HON^本^MR9P",
            "ORC|NW|000000000000001||000000000000001_01_002|||||20240513160000",
            "RXE||00^一般^JHSI0002|510||ML^mL^MR9P",
            "RXC|B|107750602^ソリタ^HOT9|1|HON^本^MR9P",
        ];
        let file = "0000123456_20240513_OMP-02_000000000000001_20240513160001200_01_1";
        let read = read(file, message.join("\r").as_bytes());
        assert_eq!(rules(&read), [""; 0]);
        let described = read.records.iter().map(|record| {
            let Body::Medication(request) = &record.body else {
                panic!()
            };
            let drugs = request
                .ingredients
                .iter()
                .filter_map(|part| part.drug.text.as_deref());
            let sequence = request.sequence.as_deref().unwrap_or_default();
            let drugs = drugs.collect::<Vec<_>>().join("+");
            format!(
                "{} {} {sequence} {drugs}",
                record.meta.category.name(),
                request.rp_number
            )
        });
        assert_eq!(
            described.collect::<Vec<_>>(),
            ["injection 1 001 ソリタ+アドナ", "injection 1 002 ソリタ"]
        );
    }
}
