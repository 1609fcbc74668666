//! RP: 処方グループ, drugs with one usage. Its number stands in ORC-4.

/// RP number without leading zeros, and administration sequence. `order_RP`, `order_RP_sequence`
/// (JAHIS 処方データ交換規約, 注射データ交換規約), or the number alone.
pub(super) fn number(group: &str) -> (String, Option<String>) {
    let mut parts = group.splitn(3, '_');
    let whole = parts.next().unwrap_or_default();
    let number = parts.next().unwrap_or(whole);
    let sequence = parts
        .next()
        .filter(|sequence| !sequence.is_empty())
        .map(str::to_owned);
    let number = match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0",
        significant => significant,
    };
    (number.to_owned(), sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(group: &str, rp: &str, sequence: Option<&str>) {
        assert_eq!(
            number(group),
            (rp.to_owned(), sequence.map(str::to_owned)),
            "{group}"
        );
    }

    #[test]
    fn all_forms_of_senders() {
        check("1", "1", None);
        check("02", "2", None);
        check("000000024000123_01", "1", None);
        check("000000024000201_01_001", "1", Some("001"));
        check("000000024000201_10_002", "10", Some("002"));
    }

    #[test]
    fn odd_forms_lose_nothing() {
        check("", "", None);
        check("0", "0", None);
        check("A1", "A1", None);
        check("1_2_3_4", "2", Some("3_4"));
        check("1_", "", None);
    }
}
