//! TQ1: when, how often and for how long (HL7 v2.5 §4.5.4).

use model::code::{CodeSystem, Concept};
use model::medication::Usage;
use model::quantity::{Decimal, Quantity};

use super::{
    Other, cq, decimal, keep, nested_or_flat, nm, plain, single, trimmed, ts, unread,
    unread_components,
};
use crate::hl7::message::{Repetition, Segment};
use crate::hl7::prescription::usage;
use crate::lint::{self, Findings};
use crate::text;

const READ: [usize; 11] = [1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 14];

pub(crate) fn read(segment: &Segment<'_>, findings: &mut Findings) -> Usage {
    unread(segment, &READ, findings);
    let mut other = Other::new();
    keep(segment, &[1, 6, 9, 10, 12], &mut other);
    let mut patterns = segment
        .field(3)
        .repetitions()
        .filter_map(|repetition| pattern(&repetition, findings));
    let (code, additional) = (patterns.next(), patterns.collect());
    let amount = single(&segment.field(2), findings).and_then(|amount| cq(&amount, findings));
    if amount.is_none() {
        keep(segment, &[2], &mut other);
    }
    let (days, duration_text) = duration(segment, findings);
    Usage {
        decoded: code.as_ref().and_then(decoded),
        code,
        additional,
        amount,
        days,
        duration_text,
        start: ts(&segment.field(7), findings),
        end: ts(&segment.field(8), findings),
        text: plain(&segment.field(11), findings),
        times: nm(&segment.field(14), findings),
        other,
    }
}

/// One repeat pattern. Usages of 16 characters and additional ones of 8 go by one name.
fn pattern(repetition: &Repetition<'_>, findings: &mut Findings) -> Option<Concept> {
    let (concept, read) = nested_or_flat(repetition, findings);
    unread_components(repetition, &[read, &[11]].concat(), findings);
    let mut concept = concept.unwrap_or_default();
    for coding in &mut concept.codings {
        if coding.system == Some(CodeSystem::JamiUsage) && coding.code.len() == 8 {
            coding.system = Some(CodeSystem::JamiAdditionalUsage);
        }
        let said = coding.display.as_deref().unwrap_or_default();
        if coding.system == Some(CodeSystem::JamiUsage) && usage::contradicts(&coding.code, said) {
            findings.add(lint::D2033, repetition.place());
        }
    }
    concept.text = concept.text.or_else(|| trimmed(repetition, 11));
    (!concept.is_empty()).then_some(concept)
}

/// The words of a code that came without any.
fn decoded(concept: &Concept) -> Option<String> {
    if concept.text.is_some() {
        return None;
    }
    let coding = concept.codings.first()?;
    matches!(coding.system, None | Some(CodeSystem::JamiUsage))
        .then(|| usage::decode(&coding.code))?
}

/// TQ1-6: days where a unit says so, in any of the spellings of senders, else the text as sent.
fn duration(segment: &Segment<'_>, findings: &mut Findings) -> (Option<Decimal>, Option<String>) {
    let field = segment.field(6);
    let Some(repetition) = single(&field, findings) else {
        return (None, None);
    };
    // The unit may stand behind the number in the same component: `5日分`.
    if let Some(days) = trimmed(&repetition, 1).as_deref().and_then(with_unit) {
        findings.add(lint::D2019, repetition.place());
        unread_components(&repetition, &[1], findings);
        return (Some(days), None);
    }
    if !field.has_content() {
        return (None, None);
    }
    match cq(&repetition, findings) {
        Some(amount) if amount.unit.as_ref().is_some_and(is_day) => {
            if !amount.unit.as_ref().is_some_and(says_only_day) {
                findings.add(lint::D2033, repetition.place_of(2));
            }
            (Some(amount.value), None)
        }
        Some(amount) => (None, Some(words(&amount))),
        None => (None, Some(field.whole().into_owned())),
    }
}

const DAYS: [&str; 7] = ["d", "day", "days", "日", "日分", "日間", "日間分"];

fn with_unit(text: &str) -> Option<Decimal> {
    let text = text::half_width(text).to_lowercase();
    let digits = text.trim_end_matches(|char: char| !char.is_ascii_digit());
    let (number, unit) = text.split_at_checked(digits.len())?;
    DAYS.contains(&unit.trim())
        .then(|| decimal(number).map(|(number, _)| number))?
}

fn is_day(unit: &Concept) -> bool {
    names(unit).any(is_day_name)
}

/// Whether code, text and system of a unit agree that it is the day.
fn says_only_day(unit: &Concept) -> bool {
    let system = unit
        .codings
        .first()
        .and_then(|coding| coding.system.as_ref());
    names(unit).all(is_day_name)
        && matches!(
            system,
            None | Some(CodeSystem::IsoPlus | CodeSystem::Merit9)
        )
}

fn names(unit: &Concept) -> impl Iterator<Item = &str> {
    let codes = unit.codings.iter().map(|coding| coding.code.as_str());
    codes.chain(unit.text.as_deref())
}

fn is_day_name(name: &str) -> bool {
    DAYS.contains(&text::half_width(name).to_lowercase().as_str())
}

/// A duration that is not in days, in the sender's words.
fn words(amount: &Quantity) -> String {
    let unit = amount
        .unit
        .as_ref()
        .and_then(|unit| unit.text.as_deref().or(unit.first_code()));
    format!("{}{}", amount.value.as_str(), unit.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::of_segment;

    #[track_caller]
    fn check_duration(sent: &str, days: Option<&str>, text: Option<&str>) {
        let (usage, _) = of_segment(&format!("TQ1|1|||||{sent}"), read);
        let found = usage.days.as_ref().map(Decimal::as_str);
        assert_eq!(
            (found, usage.duration_text.as_deref()),
            (days, text),
            "{sent}"
        );
    }

    #[test]
    fn days_in_the_spellings_of_senders() {
        for sent in [
            "5^d",
            "5^D&日&ISO+",
            "5^日分",
            "5日分",
            "５^日",
            "5^D^日^ISO+",
            "5^day",
            "5日間",
        ] {
            check_duration(sent, Some("5"), None);
        }
    }

    #[test]
    fn what_is_not_in_days_stays_in_words() {
        check_duration("10^回分", None, Some("10回分"));
        check_duration("2^W&週&ISO+", None, Some("2週"));
        check_duration("5", None, Some("5"));
        check_duration("適宜", None, Some("適宜"));
        check_duration("\"\"", None, None);
        check_duration("", None, None);
    }

    #[test]
    fn usage_and_additional_usages() {
        let (usage, rules) = of_segment(
            "TQ1|1||1012040400000000&内服・経口・１日２回朝夕食後&JAMISDP01~W0100100&月・木&JAMISDP01|||14^d|20240510",
            read,
        );
        assert_eq!(
            usage.code.unwrap().code_in(&CodeSystem::JamiUsage),
            Some("1012040400000000")
        );
        let additional: Vec<_> = usage
            .additional
            .iter()
            .map(|code| code.code_in(&CodeSystem::JamiAdditionalUsage))
            .collect();
        assert_eq!(additional, [Some("W0100100")]);
        assert_eq!(usage.decoded, None);
        assert_eq!(rules, [""; 0]);
    }

    #[test]
    fn carets_in_the_place_of_ampersands_are_read() {
        let (usage, rules) =
            of_segment("TQ1|||1013044400000000^１日３回朝昼夕食後^JAMISDP01", read);
        let code = usage.code.unwrap();
        assert_eq!(
            code.code_in(&CodeSystem::JamiUsage),
            Some("1013044400000000")
        );
        assert_eq!(code.text.as_deref(), Some("１日３回朝昼夕食後"));
        assert_eq!(rules, ["D2019@3"]);
    }

    #[test]
    fn only_a_code_without_words_is_decoded() {
        let (usage, _) = of_segment("TQ1|||1013044400000000&&JAMISDP01", read);
        assert_eq!(
            usage.decoded.as_deref(),
            Some("内服・経口・１日３回朝昼夕食後")
        );
        let (usage, _) = of_segment("TQ1|||毎食後", read);
        assert_eq!(
            (usage.code.unwrap().text.as_deref(), usage.decoded),
            (Some("毎食後"), None)
        );
    }

    #[test]
    fn words_that_contradict_the_code_are_found() {
        let (_, rules) = of_segment("TQ1|||1011040000000000&１日１回朝食後&JAMISDP01", read);
        assert_eq!(rules, ["D2033@3"]);
    }

    #[test]
    fn as_needed_has_a_limit_in_words_and_a_count() {
        let (usage, _) = of_segment(
            "TQ1|1||PRNpain&疼痛時&MR9P||||20240510||||１日２回まで|||10",
            read,
        );
        assert_eq!(usage.text.as_deref(), Some("１日２回まで"));
        assert_eq!(usage.times.unwrap().as_str(), "10");
        assert_eq!(usage.start.unwrap().to_string(), "2024-05-10");
    }
}
