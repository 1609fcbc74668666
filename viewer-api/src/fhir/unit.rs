//! Units that are certainly UCUM: exact spellings only, because case and width change meaning.

/// Spellings of laboratories and orders, with the UCUM code they mean.
const UNITS: &[(&str, &str)] = &[
    ("%", "%"),
    ("/uL", "/uL"),
    ("/μL", "/uL"),
    ("10*3/uL", "10*3/uL"),
    ("10*4/uL", "10*4/uL"),
    ("10*6/uL", "10*6/uL"),
    (".10*3/uL", "10*3/uL"),
    (".10*4/uL", "10*4/uL"),
    (".10*6/uL", "10*6/uL"),
    ("10^3/μL", "10*3/uL"),
    ("10^4/μL", "10*4/uL"),
    ("10^6/μL", "10*6/uL"),
    ("IU/L", "[IU]/L"),
    ("IU/mL", "[IU]/mL"),
    ("U/L", "U/L"),
    ("U/mL", "U/mL"),
    ("u/L", "U/L"),
    ("cel", "Cel"),
    ("℃", "Cel"),
    ("cm", "cm"),
    ("d", "d"),
    ("日", "d"),
    ("fL", "fL"),
    ("g", "g"),
    ("g/dL", "g/dL"),
    ("g/dl", "g/dL"),
    ("h", "h"),
    ("kg", "kg"),
    ("mEq/L", "meq/L"),
    ("meq/L", "meq/L"),
    ("mL", "mL"),
    ("mL/min", "mL/min"),
    ("mL/min/1.73m2", "mL/min/{1.73_m2}"),
    ("mg", "mg"),
    ("mg/L", "mg/L"),
    ("mg/dL", "mg/dL"),
    ("mg/dl", "mg/dL"),
    ("mm", "mm"),
    ("mm/h", "mm/h"),
    ("mmHg", "mm[Hg]"),
    ("mmol/L", "mmol/L"),
    ("mosm/kg", "mosm/kg"),
    ("ng/dL", "ng/dL"),
    ("ng/mL", "ng/mL"),
    ("ng/ml", "ng/mL"),
    ("pg", "pg"),
    ("pg/mL", "pg/mL"),
    ("pg/ml", "pg/mL"),
    ("permil", "[ppth]"),
    ("uIU/mL", "u[IU]/mL"),
    ("ug/dL", "ug/dL"),
    ("ug/mL", "ug/mL"),
    ("umol/L", "umol/L"),
    ("μIU/mL", "u[IU]/mL"),
    ("μg/dL", "ug/dL"),
    ("μg/mL", "ug/mL"),
];

/// The UCUM code of a spelling, when there is no doubt.
pub(crate) fn ucum(spelling: &str) -> Option<&'static str> {
    UNITS
        .iter()
        .find(|(known, _)| *known == spelling)
        .map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certain_spellings_become_ucum() {
        assert_eq!(ucum("mg/dL"), Some("mg/dL"));
        assert_eq!(ucum("u/L"), Some("U/L"));
        for doubtful in ["Mg/dl", "MG/DL", "錠", "", "IU"] {
            assert_eq!(ucum(doubtful), None, "{doubtful}");
        }
    }
}
