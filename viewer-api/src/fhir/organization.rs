//! `Organization`: the facilities of the network's own register; nothing about patients.

use crate::json::Value;
use model::network::{Facility, FacilityKind};

use super::Rendering;
use super::datatypes::{codeable, coding, extension, identifier};
use super::meta::{Version, versioned};
use super::object::Object;
use super::system::INSTITUTION;

const EXTENSIONS: &str =
    "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Organization_";
const PREFECTURE: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/PrefectureNo-2digits";
const FEE_TABLE: &str = "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationFeeScoreType";
const SEVEN_DIGITS: &str = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicalOrganizationID";

/// Renders a facility.
pub(crate) fn render(facility: &Facility, on: &Rendering<'_>) -> Value {
    let code = facility.code.to_string();
    let kind = codeable(
        "http://terminology.hl7.org/CodeSystem/organization-type",
        "prov",
    );
    Object::resource("Organization")
        .with("id", code.as_str())
        .with("meta", versioned(&version(on), Some("JP_Organization")))
        .with("language", "ja")
        .with("extension", parts_of_code(&code))
        .with(
            "identifier",
            vec![Value::from(identifier(INSTITUTION, &code))],
        )
        .with("active", true)
        .with(
            "type",
            vec![Value::from(kind.with("text", kind_text(facility.kind)))],
        )
        .with("name", facility.name.as_str())
        .with("alias", vec![facility.kana.as_str()])
        .into()
}

/// The register changes with the files of the network only, so their digest is its version.
fn version(on: &Rendering<'_>) -> Version {
    let id = on
        .network
        .hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Version { id, updated: None }
}

const fn kind_text(kind: FacilityKind) -> &'static str {
    match kind {
        FacilityKind::Hospital => "病院",
        FacilityKind::Clinic => "診療所",
        FacilityKind::Dental => "歯科",
        FacilityKind::Pharmacy => "薬局",
    }
}

/// Prefecture, fee table and seven-digit number, the parts of a ten-digit code.
fn parts_of_code(code: &str) -> Vec<Value> {
    let part = |range: std::ops::Range<usize>| code.get(range).unwrap_or_default();
    let of = |name: &str| format!("{EXTENSIONS}{name}");
    vec![
        extension(
            &of("PrefectureNo"),
            "valueCoding",
            coding(PREFECTURE, part(0..2)),
        ),
        extension(
            &of("InsuranceOrganizationCategory"),
            "valueCoding",
            coding(FEE_TABLE, part(2..3)),
        ),
        extension(
            &of("InsuranceOrganizationNo"),
            "valueIdentifier",
            identifier(SEVEN_DIGITS, part(3..10)),
        ),
    ]
}
