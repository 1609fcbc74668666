//! Code systems as URIs: the one table between the names of messages and FHIR, in both directions.
//! JP Core 1.2.0 writes URLs; the object identifiers of 1.1.2 are understood in searches.

use std::borrow::Cow;

use model::code::CodeSystem;
use model::id::FacilityId;

pub(crate) const UCUM: &str = "http://unitsofmeasure.org";
pub(crate) const MERIT9_UNIT: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code";
pub(crate) const MERIT9_FORM: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationFormMERIT9_CS";
pub(crate) const MERIT9_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_MedicationCategoryMERIT9_CS";
pub(crate) const ICD10_2013: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full";
pub(crate) const ICD10: &str = "http://hl7.org/fhir/sid/icd-10";
pub(crate) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(crate) const CONDITION_CLINICAL: &str =
    "http://terminology.hl7.org/CodeSystem/condition-clinical";
pub(crate) const OBSERVATION_CATEGORY: &str =
    "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS";
pub(crate) const ORDER_SETTING: &str = "http://terminology.hl7.org/CodeSystem/v2-0482";
pub(crate) const ALLERGY_CATEGORY: &str = "http://hl7.org/fhir/allergy-intolerance-category";
pub(crate) const REQUEST_STATUS: &str = "http://hl7.org/fhir/CodeSystem/medicationrequest-status";
pub(crate) const CONSENT_STATUS: &str = "http://hl7.org/fhir/consent-state-codes";
pub(crate) const GENDER: &str = "http://hl7.org/fhir/administrative-gender";

pub(crate) const INSTITUTION: &str =
    "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no";
pub(crate) const RESOURCE_INSTANCE: &str =
    "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier";
pub(crate) const RP_NUMBER: &str =
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber";
pub(crate) const ORDER_IN_RP: &str =
    "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex";
pub(crate) const STRENGTH_TYPE: &str =
    "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationIngredientStrengthStrengthType";

const HL7_TABLE: &str = "http://terminology.hl7.org/CodeSystem/v2-";
const JP_CORE_TABLE: &str = "http://jpfhir.jp/fhir/core/CodeSystem/";
const NAMED_TABLE: &str = "urn:musubi:table:";
const LOCAL_TABLE: &str = "urn:musubi:local:";
const ROUTES: &str = "http://jpfhir.jp/fhir/core/CodeSystem/route-codes";
const JAMI_ADDITIONAL_USAGE: &str = "http://jami.jp/CodeSystem/MedicationUsageAdditional";
const JAMI_BODY_SITE: &str = "http://jami.jp/CodeSystem/MedicationBodySiteExternal";
const LOCAL_PATIENT: &str = "urn:oid:1.2.392.100495.20.3.51.1";

/// A system that means the same everywhere: its URL, and other URIs under which it is known.
struct Fixed(CodeSystem, &'static str, &'static [&'static str]);

static FIXED: [Fixed; 19] = [
    Fixed(
        CodeSystem::Hot9,
        "http://medis.or.jp/CodeSystem/master-HOT9",
        &[
            "urn:oid:1.2.392.200119.4.403.1",
            "urn:oid:1.2.392.100495.20.2.74",
        ],
    ),
    Fixed(
        CodeSystem::Hot7,
        "http://medis.or.jp/CodeSystem/master-HOT7",
        &["urn:oid:1.2.392.200119.4.403.2"],
    ),
    Fixed(
        CodeSystem::Hot13,
        "http://medis.or.jp/CodeSystem/master-HOT13",
        &["urn:oid:1.2.392.200119.4.402.1"],
    ),
    Fixed(
        CodeSystem::Yj,
        "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
        &[
            "urn:oid:1.2.392.100495.20.2.73",
            "urn:oid:1.2.392.100495.20.1.73",
        ],
    ),
    Fixed(
        CodeSystem::ClaimsDrug,
        "urn:oid:1.2.392.100495.20.2.71",
        &[],
    ),
    Fixed(
        CodeSystem::Jlac10,
        "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
        &["urn:oid:1.2.392.200119.4.504"],
    ),
    Fixed(CodeSystem::Jlac11, "urn:musubi:table:JC11", &[]),
    Fixed(
        CodeSystem::Icd10,
        ICD10_2013,
        &[ICD10, "urn:oid:2.16.840.1.113883.6.3"],
    ),
    Fixed(
        CodeSystem::DiseaseNumber,
        "http://medis.or.jp/CodeSystem/master-disease-keyNumber",
        &["urn:oid:1.2.392.200119.4.101.2"],
    ),
    Fixed(
        CodeSystem::DiseaseExchange,
        "http://medis.or.jp/CodeSystem/master-disease-exCode",
        &["urn:oid:1.2.392.200119.4.101.6"],
    ),
    Fixed(
        CodeSystem::ModifierNumber,
        "http://medis.or.jp/CodeSystem/master-disease-modKeyNumber",
        &["urn:oid:1.2.392.200119.4.201.2"],
    ),
    Fixed(
        CodeSystem::ModifierExchange,
        "http://medis.or.jp/CodeSystem/master-disease-modExCode",
        &["urn:oid:1.2.392.200119.4.201.5"],
    ),
    Fixed(
        CodeSystem::JamiUsage,
        "http://jami.jp/CodeSystem/MedicationUsage",
        &[
            "urn:oid:1.2.392.200250.2.2.20.20",
            "urn:oid:1.2.392.200250.2.2.20",
        ],
    ),
    Fixed(
        CodeSystem::JamiAdditionalUsage,
        JAMI_ADDITIONAL_USAGE,
        &["urn:oid:1.2.392.200250.2.2.20.22"],
    ),
    Fixed(
        CodeSystem::JamiBodySite,
        JAMI_BODY_SITE,
        &["urn:oid:1.2.392.200250.2.2.20.32"],
    ),
    Fixed(
        CodeSystem::Merit9,
        MERIT9_UNIT,
        &[
            "urn:oid:1.2.392.100495.20.2.101",
            MERIT9_FORM,
            MERIT9_CATEGORY,
        ],
    ),
    Fixed(
        CodeSystem::Department,
        "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment",
        &["urn:oid:1.2.392.200250.2.2.2"],
    ),
    Fixed(
        CodeSystem::Loinc,
        "http://loinc.org",
        &["urn:oid:2.16.840.1.113883.6.1"],
    ),
    Fixed(
        CodeSystem::Hl7Table(162),
        ROUTES,
        &["urn:oid:1.2.392.100495.20.2.34"],
    ),
];

/// The URI under which a code of a facility's message is shown.
pub(crate) fn uri(system: &CodeSystem, code: &str, facility: &FacilityId) -> Cow<'static, str> {
    match (system, code.len()) {
        // One name of HL7 v2 messages stands for three JAMI tables; the length of a code tells which.
        (CodeSystem::JamiUsage, 8) => return JAMI_ADDITIONAL_USAGE.into(),
        (CodeSystem::JamiUsage, 3) => return JAMI_BODY_SITE.into(),
        _ => {}
    }
    if let Some(Fixed(_, url, _)) = FIXED.iter().find(|Fixed(known, ..)| known == system) {
        return (*url).into();
    }
    let uri = match system {
        CodeSystem::Hl7Table(number) => format!("{HL7_TABLE}{number:04}"),
        CodeSystem::Jahis(name) => format!("{JP_CORE_TABLE}{name}"),
        CodeSystem::Jshr(name) => format!("{NAMED_TABLE}{name}"),
        CodeSystem::Local(name) | CodeSystem::Other(name) => local(facility, name),
        CodeSystem::IsoPlus => format!("{NAMED_TABLE}ISO+"),
        CodeSystem::Janis => format!("{NAMED_TABLE}JANIS"),
        _ => String::new(),
    };
    uri.into()
}

/// A table or numbering of one facility.
pub(crate) fn local(facility: &FacilityId, name: &str) -> String {
    format!("{LOCAL_TABLE}{facility}:{}", super::url::encode(name))
}

/// The system of a patient's numbers at one facility.
pub(crate) fn local_patient(facility: &FacilityId) -> String {
    format!("{LOCAL_PATIENT}{facility}")
}

/// The facility whose patient numbers a system means.
pub(crate) fn patient_facility(uri: &str) -> Option<FacilityId> {
    uri.strip_prefix(LOCAL_PATIENT)?.parse().ok()
}

/// What a search means by a URI.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Named {
    pub(crate) system: CodeSystem,
    /// The facility of a local table.
    pub(crate) facility: Option<FacilityId>,
}

/// The system of a URI in any of its forms; one that nobody knows matches nothing.
pub(crate) fn named(uri: &str) -> Named {
    let known = FIXED
        .iter()
        .find(|Fixed(_, url, others)| *url == uri || others.contains(&uri));
    let everywhere = |system| Named {
        system,
        facility: None,
    };
    if let Some(Fixed(system, ..)) = known {
        return everywhere(system.clone());
    }
    if let Some(number) = uri
        .strip_prefix(HL7_TABLE)
        .and_then(|digits| digits.parse().ok())
    {
        return everywhere(CodeSystem::Hl7Table(number));
    }
    if let Some(name) = uri
        .strip_prefix(JP_CORE_TABLE)
        .or_else(|| uri.strip_prefix(NAMED_TABLE))
    {
        return everywhere(CodeSystem::named(name));
    }
    let table = uri
        .strip_prefix(LOCAL_TABLE)
        .and_then(|rest| rest.split_once(':'));
    if let Some((facility, name)) = table
        && let Ok(facility) = facility.parse()
    {
        return Named {
            system: CodeSystem::named(&super::url::decode(name)),
            facility: Some(facility),
        };
    }
    everywhere(CodeSystem::Other(uri.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facility() -> FacilityId {
        "1319999901".parse().unwrap()
    }

    fn check(uri: &str, expected: &CodeSystem) {
        assert_eq!(named(uri).system, *expected, "{uri}");
    }

    #[test]
    fn object_identifiers_and_urls_mean_the_same() {
        check("urn:oid:1.2.392.200119.4.504", &CodeSystem::Jlac10);
        check(
            "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
            &CodeSystem::Jlac10,
        );
        check("urn:oid:1.2.392.100495.20.1.73", &CodeSystem::Yj);
        check("urn:oid:1.2.392.100495.20.2.74", &CodeSystem::Hot9);
        check("http://hl7.org/fhir/sid/icd-10", &CodeSystem::Icd10);
    }

    #[test]
    fn what_is_shown_is_found_again() {
        let systems = FIXED.iter().map(|Fixed(system, ..)| system.clone()).chain([
            CodeSystem::Hl7Table(127),
            CodeSystem::Jahis("JHSP0003".to_owned()),
            CodeSystem::Jshr("JSHR002".to_owned()),
            CodeSystem::Local("99X03".to_owned()),
            CodeSystem::Other("院内 表:1".to_owned()),
            CodeSystem::Janis,
            CodeSystem::IsoPlus,
        ]);
        for system in systems {
            let shown = uri(&system, "1", &facility());
            check(&shown, &system);
            assert!(shown.is_ascii() && shown.contains(':'), "{shown}");
        }
    }

    #[test]
    fn a_local_table_belongs_to_its_facility() {
        assert_eq!(
            uri(&CodeSystem::Local("99X03".to_owned()), "1", &facility()),
            "urn:musubi:local:1319999901:99X03"
        );
        assert_eq!(
            named("urn:musubi:local:1319999901:99X03").facility,
            Some(facility())
        );
    }

    #[test]
    fn a_patient_number_names_its_facility() {
        assert_eq!(
            patient_facility("urn:oid:1.2.392.100495.20.3.51.11319999901"),
            Some(facility())
        );
        assert_eq!(
            patient_facility("urn:oid:1.2.392.100495.20.3.51.1131"),
            None
        );
    }

    #[test]
    fn the_length_of_a_jami_code_tells_its_table() {
        let shown = |code| uri(&CodeSystem::JamiUsage, code, &facility());
        assert_eq!(
            shown("1013044400000000"),
            "http://jami.jp/CodeSystem/MedicationUsage"
        );
        assert_eq!(shown("V11NNNNN"), JAMI_ADDITIONAL_USAGE);
        assert_eq!(shown("77L"), JAMI_BODY_SITE);
    }
}
