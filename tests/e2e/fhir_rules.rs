//! The rules of FHIR R4 (4.0.1) and JP Core 1.2.0 that every answer of the face must keep, as one
//! function over JSON. Two suites include this file: the rendering tests feed it with every branch of
//! every body, the end-to-end stories with whatever the running program answers.

use serde_json::{Map, Value};

/// All rules that a resource breaks, each as `path: rule`; a bundle is judged with its entries.
pub(crate) fn validate(resource: &Value) -> Vec<String> {
    let mut broken = Broken(Vec::new());
    of_resource(resource, &mut broken);
    everywhere(resource, text(resource, "resourceType"), "", &mut broken);
    broken.0
}

struct Broken(Vec<String>);

impl Broken {
    fn unless(&mut self, holds: bool, path: &str, rule: &str) {
        if !holds {
            self.0.push(format!("{path}: {rule}"));
        }
    }
}

const PROFILES: &str = "http://jpfhir.jp/fhir/core/StructureDefinition/";
const EXTENSIONS: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/";

/// JP Core extensions with the one value type they may have.
const EXTENSION_TYPES: &[(&str, &str)] = &[
    ("JP_Condition_DiseaseOutcome", "valueCodeableConcept"),
    (
        "JP_Condition_DiseasePostfixModifier",
        "valueCodeableConcept",
    ),
    ("JP_Condition_DiseasePrefixModifier", "valueCodeableConcept"),
    ("JP_MedicationDosage_Device", "valueReference"),
    ("JP_MedicationDosage_Line", "valueCodeableConcept"),
    ("JP_MedicationDosage_PeriodOfUse", "valuePeriod"),
    ("JP_MedicationDosage_UsageDuration", "valueDuration"),
    (
        "JP_MedicationRequest_DispenseRequest_ExpectedRepeatCount",
        "valueInteger",
    ),
    (
        "JP_MedicationRequest_DispenseRequest_InstructionForDispense",
        "valueCodeableConcept",
    ),
    (
        "JP_Medication_IngredientStrength_StrengthType",
        "valueCodeableConcept",
    ),
    ("JP_Medication_Ingredient_DrugNo", "valueInteger"),
    (
        "JP_Organization_InsuranceOrganizationCategory",
        "valueCoding",
    ),
    ("JP_Organization_InsuranceOrganizationNo", "valueIdentifier"),
    ("JP_Organization_PrefectureNo", "valueCoding"),
];

/// What never leaves: insurance, next of kin, the number that fetches a prescription.
const FORBIDDEN: &[&str] = &[
    "JP_Insurance_memberID",
    "InsurerNumber",
    "InsuredPerson",
    "PublicPayerNumber",
    "引換番号",
    "Coverage/",
];

/// Elements whose type is SimpleQuantity: no comparator.
const SIMPLE: &[&str] = &["doseQuantity", "rateQuantity", "low", "high", "quantity"];

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn code<'a>(value: &'a Value, key: &str) -> &'a str {
    value
        .get(key)
        .and_then(|concept| list(concept, "coding").first())
        .map_or("", |coding| text(coding, "code"))
}

fn has(value: &Value, key: &str) -> bool {
    value.get(key).is_some()
}

/// How many elements of a choice `name[x]` there are.
fn choices(value: &Value, name: &str) -> usize {
    let keys = value.as_object().into_iter().flat_map(Map::keys);
    let of_choice = |key: &&String| {
        let rest = key.trim_start_matches('_').strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    };
    keys.filter(of_choice).count()
}

fn of_resource(resource: &Value, broken: &mut Broken) {
    let kind = text(resource, "resourceType");
    broken.unless(!kind.is_empty(), kind, "a resource has a type");
    match kind {
        "Bundle" => return bundle(resource, broken),
        "OperationOutcome" => return outcome(resource, broken),
        "CapabilityStatement" => return capability(resource, broken),
        _ => {}
    }
    let id = text(resource, "id");
    broken.unless(is_id(id), kind, "id is 1 to 64 letters, digits, - or .");
    broken.unless(
        !text(&resource["meta"], "versionId").is_empty(),
        kind,
        "meta.versionId",
    );
    profile(resource, kind, broken);
    contained(resource, broken);
    match kind {
        "Patient" => patient(resource, broken),
        "Organization" => broken.unless(
            has(resource, "name") || has(resource, "identifier"),
            kind,
            "org-1",
        ),
        "Encounter" => encounter(resource, broken),
        "Condition" => condition(resource, broken),
        "AllergyIntolerance" => allergy(resource, broken),
        "MedicationRequest" => medication_request(resource, broken),
        "Observation" => observation(resource, broken),
        "Consent" => consent(resource, broken),
        "Provenance" => provenance(resource, broken),
        other => broken.unless(false, other, "the type is served"),
    }
}

fn profile(resource: &Value, kind: &str, broken: &mut Broken) {
    if kind == "Provenance" {
        return;
    }
    let own = |profile: &Value| {
        let name = profile
            .as_str()
            .and_then(|url| url.strip_prefix(PROFILES))
            .unwrap_or_default();
        name.strip_prefix("JP_")
            .is_some_and(|name| name.starts_with(kind))
    };
    let profiles = list(&resource["meta"], "profile");
    broken.unless(
        !profiles.is_empty() && profiles.iter().all(own),
        kind,
        "meta.profile names its JP Core profile",
    );
}

/// dom-2 to dom-5.
fn contained(resource: &Value, broken: &mut Broken) {
    let kind = text(resource, "resourceType");
    let mut references = Vec::new();
    references_in(resource, &mut references);
    let held: Vec<String> = list(resource, "contained")
        .iter()
        .map(|one| format!("#{}", text(one, "id")))
        .collect();
    for (one, name) in list(resource, "contained").iter().zip(&held) {
        broken.unless(
            !has(one, "contained"),
            kind,
            "dom-2: nothing contained contains",
        );
        broken.unless(
            references.contains(&name.as_str()),
            kind,
            "dom-3: what is contained is referenced",
        );
        let meta = one.get("meta").cloned().unwrap_or_default();
        broken.unless(
            !has(&meta, "versionId") && !has(&meta, "lastUpdated"),
            kind,
            "dom-4: no version inside",
        );
        broken.unless(!has(&meta, "security"), kind, "dom-5: no security inside");
    }
    for reference in references
        .iter()
        .filter(|reference| reference.starts_with('#'))
    {
        broken.unless(
            held.iter().any(|name| name == reference),
            kind,
            "an inner reference finds its resource",
        );
    }
    let count = held.iter().collect::<std::collections::BTreeSet<_>>().len();
    broken.unless(count == held.len(), kind, "ids of what is contained differ");
}

fn references_in<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references_in(value, found)),
        Value::Object(map) => {
            found.extend(map.get("reference").and_then(Value::as_str));
            map.values().for_each(|value| references_in(value, found));
        }
        _ => {}
    }
}

fn patient(patient: &Value, broken: &mut Broken) {
    let identifiers = list(patient, "identifier");
    let valued = identifiers
        .iter()
        .all(|one| has(one, "value") && has(one, "system"));
    broken.unless(
        !identifiers.is_empty() && valued,
        "Patient",
        "JP_Patient: identifier.value",
    );
    broken.unless(
        !has(patient, "contact"),
        "Patient",
        "next of kin never leave",
    );
    let gender = text(patient, "gender");
    broken.unless(
        ["", "male", "female", "other", "unknown"].contains(&gender),
        "Patient",
        "gender",
    );
    for identifier in identifiers {
        let suffix = text(identifier, "system").strip_prefix("urn:oid:1.2.392.100495.20.3.51.");
        let fits = suffix.is_none_or(|suffix| {
            let prefecture: u8 = suffix
                .get(1..3)
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0);
            suffix.len() == 11 && suffix.starts_with('1') && (1..=47).contains(&prefecture)
        });
        broken.unless(
            fits,
            "Patient.identifier",
            "JP_Patient: system of an institution's numbers",
        );
    }
    for name in list(patient, "name") {
        let code = list(name, "extension")
            .first()
            .map_or("", |extension| text(extension, "valueCode"));
        broken.unless(
            ["IDE", "SYL", "ABC"].contains(&code),
            "Patient.name",
            "a writing is named",
        );
    }
}

fn encounter(encounter: &Value, broken: &mut Broken) {
    let path = "Encounter";
    let statuses = [
        "planned",
        "arrived",
        "in-progress",
        "finished",
        "cancelled",
        "unknown",
    ];
    broken.unless(
        statuses.contains(&text(encounter, "status")),
        path,
        "status",
    );
    broken.unless(
        ["AMB", "IMP"].contains(&text(&encounter["class"], "code")),
        path,
        "class",
    );
    broken.unless(has(encounter, "subject"), path, "subject");
    broken.unless(
        list(encounter, "location")
            .iter()
            .all(|one| has(one, "location")),
        path,
        "location.location",
    );
    let person = |one: &Value| has(one, "individual") && has(one, "type");
    broken.unless(
        list(encounter, "participant").iter().all(person),
        path,
        "participant names a person and a role",
    );
}

fn condition(condition: &Value, broken: &mut Broken) {
    let path = "Condition";
    let (clinical, verification) = (
        code(condition, "clinicalStatus"),
        code(condition, "verificationStatus"),
    );
    let is_error = verification == "entered-in-error";
    let listed = list(condition, "category").iter().any(|one| {
        list(one, "coding")
            .iter()
            .any(|coding| text(coding, "code") == "problem-list-item")
    });
    broken.unless(!listed || is_error || !clinical.is_empty(), path, "con-3");
    let may_end = ["inactive", "resolved", "remission"].contains(&clinical);
    broken.unless(
        choices(condition, "abatement") == 0 || may_end,
        path,
        "con-4",
    );
    broken.unless(!is_error || clinical.is_empty(), path, "con-5");
    let known = [
        "",
        "active",
        "recurrence",
        "relapse",
        "inactive",
        "remission",
        "resolved",
    ];
    broken.unless(known.contains(&clinical), path, "clinicalStatus");
    let known = [
        "confirmed",
        "provisional",
        "unconfirmed",
        "differential",
        "refuted",
        "entered-in-error",
    ];
    broken.unless(known.contains(&verification), path, "verificationStatus");
    broken.unless(has(condition, "subject"), path, "subject");
    broken.unless(
        choices(condition, "onset") < 2 && choices(condition, "abatement") < 2,
        path,
        "one onset, one end",
    );
    broken.unless(
        has(&condition["code"], "text"),
        path,
        "JP Core: code.text is the whole name",
    );
}

fn allergy(allergy: &Value, broken: &mut Broken) {
    let path = "AllergyIntolerance";
    let (clinical, verification) = (
        code(allergy, "clinicalStatus"),
        code(allergy, "verificationStatus"),
    );
    let is_error = verification == "entered-in-error";
    broken.unless(is_error || !clinical.is_empty(), path, "ait-1");
    broken.unless(!is_error || clinical.is_empty(), path, "ait-2");
    broken.unless(
        ["", "active", "inactive", "resolved"].contains(&clinical),
        path,
        "clinicalStatus",
    );
    let known = [
        "",
        "unconfirmed",
        "confirmed",
        "refuted",
        "entered-in-error",
    ];
    broken.unless(known.contains(&verification), path, "verificationStatus");
    broken.unless(
        ["", "allergy", "intolerance"].contains(&text(allergy, "type")),
        path,
        "type",
    );
    let known = ["food", "medication", "environment", "biologic"];
    let categories = list(allergy, "category").iter();
    broken.unless(
        categories
            .filter_map(Value::as_str)
            .all(|one| known.contains(&one)),
        path,
        "category",
    );
    broken.unless(
        has(allergy, "patient") && !has(allergy, "subject"),
        path,
        "patient",
    );
    broken.unless(has(allergy, "code"), path, "code");
    broken.unless(choices(allergy, "onset") < 2, path, "one onset");
    for reaction in list(allergy, "reaction") {
        broken.unless(
            !list(reaction, "manifestation").is_empty(),
            path,
            "reaction.manifestation",
        );
        let known = ["", "mild", "moderate", "severe"];
        broken.unless(
            known.contains(&text(reaction, "severity")),
            path,
            "reaction.severity",
        );
    }
}

fn medication_request(request: &Value, broken: &mut Broken) {
    let path = "MedicationRequest";
    broken.unless(
        ["active", "on-hold", "cancelled", "stopped"].contains(&text(request, "status")),
        path,
        "status",
    );
    broken.unless(text(request, "intent") == "order", path, "intent");
    broken.unless(choices(request, "medication") == 1, path, "medication[x]");
    broken.unless(has(request, "subject"), path, "subject");
    broken.unless(
        has(request, "authoredOn") != has(request, "_authoredOn"),
        path,
        "JP Core: authoredOn",
    );
    for system in ["Medication-RPGroupNumber", "MedicationAdministrationIndex"] {
        let of_system = |one: &&Value| {
            text(one, "system").ends_with(system) && !text(one, "value").starts_with('0')
        };
        let count = list(request, "identifier").iter().filter(of_system).count();
        broken.unless(
            count == 1,
            path,
            "JP Core: one RP number and one order in RP, without zeros in front",
        );
    }
    for dosage in list(request, "dosageInstruction") {
        broken.unless(choices(dosage, "asNeeded") < 2, path, "asNeeded[x]");
        for rate in list(dosage, "doseAndRate") {
            broken.unless(
                choices(rate, "dose") < 2 && choices(rate, "rate") < 2,
                path,
                "one dose, one rate",
            );
        }
    }
    let medications = list(request, "contained")
        .iter()
        .filter(|one| text(one, "resourceType") == "Medication");
    for ingredient in medications.flat_map(|one| list(one, "ingredient")) {
        broken.unless(choices(ingredient, "item") == 1, path, "ingredient.item[x]");
    }
}

fn observation(observation: &Value, broken: &mut Broken) {
    let path = "Observation";
    let known = [
        "registered",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "cancelled",
        "entered-in-error",
    ];
    broken.unless(known.contains(&text(observation, "status")), path, "status");
    let values = choices(observation, "value");
    broken.unless(values < 2, path, "one value[x]");
    broken.unless(
        values == 0 || !has(observation, "dataAbsentReason"),
        path,
        "obs-6",
    );
    broken.unless(
        values == 1 || has(observation, "dataAbsentReason"),
        path,
        "an absent value is explained",
    );
    broken.unless(list(observation, "component").is_empty(), path, "obs-7");
    for range in list(observation, "referenceRange") {
        let said = ["low", "high", "text"].iter().any(|key| has(range, key));
        broken.unless(said, path, "obs-3");
    }
    broken.unless(has(observation, "subject"), path, "subject");
    broken.unless(
        has(&observation["code"], "text"),
        path,
        "JP Core: code.text",
    );
    let categories = list(observation, "category");
    let system = "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS";
    let fits = |one: &Value| {
        list(one, "coding")
            .iter()
            .any(|coding| text(coding, "system") == system)
    };
    broken.unless(categories.iter().any(fits), path, "JP Core: category");
    if categories.iter().any(|one| {
        list(one, "coding")
            .iter()
            .any(|coding| text(coding, "code") == "laboratory")
    }) {
        broken.unless(
            !list(&observation["code"], "coding").is_empty(),
            path,
            "JP_Observation_LabResult: code.coding",
        );
        broken.unless(
            choices(observation, "effective") > 0,
            path,
            "JP_Observation_LabResult: effective[x]",
        );
        broken.unless(
            has(observation, "specimen"),
            path,
            "JP_Observation_LabResult: specimen",
        );
    }
}

fn consent(consent: &Value, broken: &mut Broken) {
    let path = "Consent";
    broken.unless(
        ["active", "inactive"].contains(&text(consent, "status")),
        path,
        "status",
    );
    broken.unless(
        !list(consent, "policy").is_empty() || has(consent, "policyRule"),
        path,
        "ppc-1",
    );
    broken.unless(
        code(consent, "scope") != "patient-privacy" || has(consent, "patient"),
        path,
        "ppc-2",
    );
    broken.unless(!list(consent, "category").is_empty(), path, "category");
    broken.unless(list(consent, "organization").len() == 1, path, "one source");
    broken.unless(
        list(&consent["provision"], "actor").len() == 1,
        path,
        "one reader: who asks",
    );
    for told in [
        "performer",
        "sourceAttachment",
        "sourceReference",
        "verification",
    ] {
        broken.unless(!has(consent, told), path, "neither signer nor scan");
    }
}

fn provenance(provenance: &Value, broken: &mut Broken) {
    let path = "Provenance";
    broken.unless(list(provenance, "target").len() == 1, path, "one target");
    broken.unless(has(provenance, "recorded"), path, "recorded");
    let agents = list(provenance, "agent");
    broken.unless(
        !agents.is_empty() && agents.iter().all(|agent| has(agent, "who")),
        path,
        "agent.who",
    );
    let entities = list(provenance, "entity");
    broken.unless(
        entities
            .iter()
            .all(|one| text(one, "role") == "source" && has(one, "what")),
        path,
        "entity",
    );
}

fn bundle(bundle: &Value, broken: &mut Broken) {
    broken.unless(text(bundle, "type") == "searchset", "Bundle", "type");
    broken.unless(bundle["total"].is_u64(), "Bundle", "total");
    let links = list(bundle, "link");
    let relation = |name: &str| {
        links
            .iter()
            .filter(|link| text(link, "relation") == name)
            .count()
    };
    broken.unless(
        relation("self") == 1 && relation("next") < 2,
        "Bundle",
        "links",
    );
    let entries = list(bundle, "entry");
    let urls: std::collections::BTreeSet<&str> =
        entries.iter().map(|entry| text(entry, "fullUrl")).collect();
    broken.unless(
        urls.len() == entries.len(),
        "Bundle",
        "bdl-7: addresses differ",
    );
    for entry in entries {
        let resource = &entry["resource"];
        let address = format!(
            "/{}/{}",
            text(resource, "resourceType"),
            text(resource, "id")
        );
        broken.unless(
            text(entry, "fullUrl").ends_with(&address),
            "Bundle.entry",
            "the address is the resource's",
        );
        broken.unless(
            ["match", "include"].contains(&text(&entry["search"], "mode")),
            "Bundle.entry",
            "search.mode",
        );
        of_resource(resource, broken);
    }
}

fn outcome(outcome: &Value, broken: &mut Broken) {
    let issues = list(outcome, "issue");
    let said = |issue: &Value| has(issue, "severity") && has(issue, "code");
    broken.unless(
        !issues.is_empty() && issues.iter().all(said),
        "OperationOutcome",
        "issue",
    );
}

fn capability(statement: &Value, broken: &mut Broken) {
    let path = "CapabilityStatement";
    for key in ["status", "date", "kind", "fhirVersion", "format", "rest"] {
        broken.unless(has(statement, key), path, key);
    }
    broken.unless(
        text(statement, "kind") != "instance" || has(statement, "implementation"),
        path,
        "cpb-15",
    );
    for resource in list(statement, "rest")
        .iter()
        .flat_map(|rest| list(rest, "resource"))
    {
        let names: Vec<&str> = list(resource, "searchParam")
            .iter()
            .map(|one| text(one, "name"))
            .collect();
        let distinct: std::collections::BTreeSet<&&str> = names.iter().collect();
        broken.unless(distinct.len() == names.len(), path, "cpb-12");
        broken.unless(
            !list(resource, "interaction").is_empty(),
            path,
            "interaction",
        );
    }
}

/// What holds of every element, wherever it stands.
fn everywhere(value: &Value, path: &str, key: &str, broken: &mut Broken) {
    match value {
        Value::Null => broken.unless(false, path, "no null"),
        Value::String(text) => of_text(text, path, key, broken),
        Value::Array(values) => {
            broken.unless(!values.is_empty(), path, "no empty array");
            values
                .iter()
                .for_each(|value| everywhere(value, path, key, broken));
        }
        Value::Object(map) => {
            broken.unless(!map.is_empty(), path, "ele-1: no empty object");
            of_object(value, path, key, broken);
            for (inner, value) in map {
                everywhere(value, &format!("{path}.{inner}"), inner, broken);
            }
        }
        Value::Bool(_) | Value::Number(_) => {}
    }
}

fn of_text(text: &str, path: &str, key: &str, broken: &mut Broken) {
    let readable =
        |character: char| !character.is_control() || matches!(character, '\t' | '\r' | '\n');
    broken.unless(text.chars().all(readable), path, "no control characters");
    broken.unless(!text.trim().is_empty(), path, "no blank text");
    broken.unless(
        FORBIDDEN.iter().all(|word| !text.contains(word)),
        path,
        "never leaves",
    );
    match key {
        "system" if path.ends_with("telecom.system") => {}
        "system" | "url" | "uri" | "fullUrl" => {
            let relative = path.ends_with("extension.extension.url");
            broken.unless(
                relative || (text.contains(':') && !text.contains(' ')),
                path,
                "an absolute address",
            );
        }
        "code" => broken.unless(
            text == text.split_whitespace().collect::<Vec<_>>().join(" "),
            path,
            "a code",
        ),
        "lastUpdated" | "issued" | "recorded" => {
            broken.unless(is_date_time(text, 19), path, "an instant")
        }
        "birthDate" => broken.unless(text.len() <= 10 && is_date_time(text, 4), path, "a date"),
        "start" | "end" | "authoredOn" | "dateTime" | "recordedDate" | "receivedTime" => {
            broken.unless(is_date_time(text, 4), path, "a dateTime");
        }
        _ if key.ends_with("DateTime") => broken.unless(is_date_time(text, 4), path, "a dateTime"),
        _ => {}
    }
}

fn of_object(value: &Value, path: &str, key: &str, broken: &mut Broken) {
    if has(value, "url") && (key == "extension") {
        let values = choices(value, "value");
        let nested = has(value, "extension");
        broken.unless((values == 1) != nested, path, "ext-1");
        let name = text(value, "url").strip_prefix(EXTENSIONS);
        let fits = name.is_none_or(|name| {
            EXTENSION_TYPES
                .iter()
                .any(|(known, kind)| *known == name && has(value, kind))
        });
        broken.unless(fits, path, "a JP Core extension has its value type");
    }
    let is_quantity = has(value, "value") && has(value, "unit");
    broken.unless(
        !is_quantity || !has(value, "code") || has(value, "system"),
        path,
        "qty-3",
    );
    broken.unless(
        !SIMPLE.contains(&key) || !has(value, "comparator"),
        path,
        "sqty-1",
    );
    broken.unless(
        has(value, "numerator") == has(value, "denominator"),
        path,
        "rat-1",
    );
    let (start, end) = (text(value, "start"), text(value, "end"));
    broken.unless(
        start.is_empty() || end.is_empty() || is_before(start, end),
        path,
        "per-1",
    );
    if has(value, "reference") && value["reference"].is_string() {
        let reference = text(value, "reference");
        let parts: Vec<&str> = reference.split('/').collect();
        let local = reference.starts_with('#');
        let named = parts.len() == 2 && parts.iter().all(|part| is_id(part));
        broken.unless(local || named, path, "ref-1: a reference leads somewhere");
    }
}

fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// `YYYY[-MM[-DD[Thh:mm:ss[.fff]±hh:mm]]]`, at least so long.
fn is_date_time(text: &str, least: usize) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let (date, rest) = shape.split_at_checked(19).unwrap_or((shape.as_str(), ""));
    let zone = rest
        .strip_prefix('.')
        .map_or(rest, |fraction| fraction.trim_start_matches('0'));
    let fits = match date {
        "0000" | "0000-00" | "0000-00-00" => rest.is_empty(),
        "0000-00-00T00:00:00" => ["Z", "+00:00", "-00:00"].contains(&zone),
        _ => false,
    };
    fits && text.len() >= least
}

/// Whether a period does not end before it begins, as far as both are precise.
fn is_before(start: &str, end: &str) -> bool {
    let common = start.len().min(end.len()).min(19);
    start.get(..common) <= end.get(..common)
}
