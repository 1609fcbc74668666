//! RXC: one drug of a mixture (HL7 v2.5 §4.14.3).

use model::medication::Ingredient;

use super::{code, keep, quantity, require, require_content, stated, unread};
use crate::hl7::message::Segment;
use crate::lint::{self, Findings};

/// A drug of a mixture; `None` with a finding when none is named.
pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Option<Ingredient> {
    require(segment, &[1], findings);
    require_content(segment, 2, findings);
    unread(segment, &[1, 2, 3, 4, 5, 6, 7, 8, 9], findings);
    let mut other = Vec::new();
    let kind = segment.field(1).text();
    if !matches!(kind.as_deref(), None | Some("A" | "B")) {
        findings.add(lint::D2015, segment.field(1).place());
        keep(segment, &[1], &mut other);
    }
    let amount = quantity(segment, (3, 4), findings, &mut other);
    keep(segment, &[5, 6, 7, 8, 9], &mut other);
    let drug = code(segment, 2, findings);
    let drug = stated(drug, segment, findings)?;
    Some(Ingredient {
        base: kind.as_deref() == Some("B"),
        drug,
        amount,
        other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[test]
    fn base_drug_and_amount() {
        let (ingredient, rules) = of_segment(
            "RXC|B|107750602^ソリタ^HOT9|1|HON^本^MR9P|||01^麻薬^JHSI0004",
            read,
        );
        let ingredient = ingredient.unwrap();
        assert!(ingredient.base);
        assert_eq!(ingredient.drug.first_code(), Some("107750602"));
        assert_eq!(ingredient.amount.unwrap().value.as_str(), "1");
        assert_eq!(
            ingredient.other,
            [("RXC-7".to_owned(), "01^麻薬^JHSI0004".to_owned())]
        );
        assert_eq!(rules, [""; 0]);
    }

    #[test]
    fn an_amount_in_words_stays_in_words() {
        let (ingredient, rules) = of_segment("RXC|A|108010001^アドナ^HOT9|適量|AMP", read);
        let ingredient = ingredient.unwrap();
        assert!(!ingredient.base && ingredient.amount.is_none());
        assert_eq!(ingredient.other.len(), 2);
        assert_eq!(rules, ["D2014@3"]);
    }

    #[test]
    fn without_a_drug_there_is_no_ingredient() {
        let (ingredient, rules) = of_segment("RXC|B||1|HON", read);
        assert!(ingredient.is_none());
        assert_eq!(rules, ["D2012@2", "D2034@0"]);
    }
}
