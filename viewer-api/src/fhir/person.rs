//! People in FHIR: names in several writings, addresses, telephones, and staff inside a resource.

use crate::json::Value;
use model::id::FacilityId;
use model::person::{Address, Bed, PersonName, Sex, Staff, Telecom, Writing};

use super::datatypes::{as_sent, extended, extension, identifier};
use super::object::Object;
use super::system;

const REPRESENTATION: &str = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation";

/// A `HumanName`: the text is the whole name, family first (JP Core).
pub(crate) fn human_name(name: &PersonName) -> Object {
    let usage = match name.kind.as_deref() {
        None | Some("L") => Some("official"),
        Some("D") => Some("usual"),
        Some("M") => Some("maiden"),
        Some("N") => Some("nickname"),
        Some("S") => Some("anonymous"),
        Some(_) => None,
    };
    Object::new()
        .with("extension", vec![representation(name.writing)])
        .with("use", usage)
        .with("text", name.text.as_str())
        .with(
            "_text",
            name.original
                .as_deref()
                .map(|original| extended(as_sent(original))),
        )
        .with("family", name.family.as_deref())
        .with("given", name.given.as_deref().map(|given| vec![given]))
}

fn representation(writing: Writing) -> Value {
    let code = match writing {
        Writing::Ideographic => "IDE",
        Writing::Phonetic => "SYL",
        Writing::Alphabetic => "ABC",
    };
    extension(REPRESENTATION, "valueCode", code)
}

/// An `administrative-gender`.
pub(crate) const fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Male => "male",
        Sex::Female => "female",
        Sex::Other => "other",
        Sex::Unknown => "unknown",
    }
}

/// An `Address`.
pub(crate) fn address(address: &Address) -> Object {
    let usage = match address.kind.as_deref() {
        Some("H" | "C") => Some("home"),
        Some("B") => Some("work"),
        _ => None,
    };
    let country = match address.country.as_deref() {
        Some("JPN") => Some("JP"),
        other => other,
    };
    Object::new()
        .with("use", usage)
        .with("text", address.text.as_deref())
        .with("line", address.lines.clone())
        .with("city", address.city.as_deref())
        .with("state", address.state.as_deref())
        .with("postalCode", address.postal_code.as_deref())
        .with("country", country)
}

/// A `ContactPoint` (HL7 tables 0201 and 0202).
pub(crate) fn telecom(telecom: &Telecom) -> Object {
    let system = match (telecom.equipment.as_deref(), telecom.use_code.as_deref()) {
        (Some("FX"), _) => "fax",
        (Some("BP"), _) => "pager",
        (Some("Internet" | "X.400"), _) | (_, Some("NET")) => "email",
        _ => "phone",
    };
    let usage = match (
        telecom.work,
        telecom.equipment.as_deref(),
        telecom.use_code.as_deref(),
    ) {
        (true, ..) | (_, _, Some("WPN")) => "work",
        (_, Some("CP"), _) | (_, _, Some("PRS")) => "mobile",
        _ => "home",
    };
    Object::new()
        .with("system", system)
        .with("value", telecom.value.as_str())
        .with("use", usage)
}

/// A member of staff as the content of a `Practitioner`; nothing when nothing is known of them.
pub(crate) fn practitioner(staff: &Staff, facility: &FacilityId) -> Option<Object> {
    let number = staff
        .id
        .as_deref()
        .map(|id| identifier(&system::local(facility, "staff"), id));
    let written = |text: &str, writing| {
        Value::from(
            Object::new()
                .with("extension", vec![representation(writing)])
                .with("text", text),
        )
    };
    let kanji = staff
        .name
        .as_deref()
        .map(|name| written(name, Writing::Ideographic));
    let kana = staff
        .kana
        .as_deref()
        .map(|kana| written(kana, Writing::Phonetic));
    let names: Vec<Value> = kanji.into_iter().chain(kana).collect();
    if number.is_none() && names.is_empty() {
        return None;
    }
    let identifiers: Vec<Value> = number.into_iter().map(Value::from).collect();
    Some(
        Object::new()
            .with("identifier", identifiers)
            .with("name", names),
    )
}

/// A place inside a facility as the content of a `Location`, named from ward to bed; nothing when it is not named.
pub(crate) fn location(bed: &Bed) -> Option<Object> {
    let (finest, _) = *parts(bed).last()?;
    // HL7 v2.5 table 0305: `C` is a clinic, whose name is a department and not a ward.
    let kind = if bed.kind.as_deref() == Some("C") && finest == "wa" {
        "area"
    } else {
        finest
    };
    let system = "http://terminology.hl7.org/CodeSystem/location-physical-type";
    Some(
        Object::new()
            .with("name", place(bed))
            .with("physicalType", super::datatypes::codeable(system, kind)),
    )
}

/// The name of a place inside a facility, from ward to bed.
pub(crate) fn place(bed: &Bed) -> String {
    let names: Vec<&str> = parts(bed).into_iter().map(|(_, name)| name).collect();
    names.join(" ")
}

fn parts(bed: &Bed) -> Vec<(&'static str, &str)> {
    let parts = [("wa", &bed.ward), ("ro", &bed.room), ("bd", &bed.bed)];
    let named = parts.into_iter();
    named
        .filter_map(|(kind, name)| name.as_deref().map(|name| (kind, name)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::plain;

    fn check(telecom_: (&str, Option<&str>, Option<&str>, bool), system: &str, usage: &str) {
        let (value, use_code, equipment, work) = telecom_;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let point = Telecom {
            value: value.to_owned(),
            work,
            use_code: owned(use_code),
            equipment: owned(equipment),
        };
        let shown = plain(telecom(&point));
        assert_eq!(
            (shown["system"].as_str(), shown["use"].as_str()),
            (Some(system), Some(usage))
        );
    }

    #[test]
    fn a_telephone_is_one_of_home_work_or_mobile() {
        check(
            ("022-000-0000", Some("PRN"), Some("PH"), false),
            "phone",
            "home",
        );
        check(
            ("022-000-0001", Some("WPN"), Some("PH"), true),
            "phone",
            "work",
        );
        check(
            ("090-0000-0000", Some("PRN"), Some("CP"), false),
            "phone",
            "mobile",
        );
        check(("022-000-0002", None, Some("FX"), true), "fax", "work");
        check(("a@example.jp", Some("NET"), None, false), "email", "home");
    }

    #[test]
    fn half_width_kana_are_shown_full_width_and_kept() {
        let name = PersonName {
            writing: Writing::Phonetic,
            family: Some("ミホン".to_owned()),
            given: Some("ハナコ".to_owned()),
            text: "ミホン ハナコ".to_owned(),
            original: Some("ﾐﾎﾝ ﾊﾅｺ".to_owned()),
            kind: Some("L".to_owned()),
        };
        let shown = plain(human_name(&name));
        assert_eq!(shown["extension"][0]["valueCode"], "SYL");
        assert_eq!(shown["text"], "ミホン ハナコ");
        assert_eq!(shown["_text"]["extension"][0]["valueString"], "ﾐﾎﾝ ﾊﾅｺ");
    }

    #[test]
    fn a_bed_is_named_from_ward_to_bed() {
        let text = |text: &str| Some(text.to_owned());
        let bed = Bed {
            ward: text("05E"),
            room: text("512"),
            bed: text("2"),
            kind: text("N"),
        };
        let shown = plain(location(&bed).unwrap());
        assert_eq!(shown["name"], "05E 512 2");
        assert_eq!(shown["physicalType"]["coding"][0]["code"], "bd");
        assert!(location(&Bed::default()).is_none());
    }
}
