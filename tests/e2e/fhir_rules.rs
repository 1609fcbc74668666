//! The rules of FHIR R4 (4.0.1) and JP Core 1.2.0 that every answer of the face must keep, as one
//! function over JSON. Two suites include this file: the rendering tests feed it with every branch of
//! every body, the end-to-end stories with whatever the running program answers.

// The paths are written out because the file is included from two places.
#[path = "fhir_rules/elements.rs"]
mod elements;
#[path = "fhir_rules/resources.rs"]
mod resources;

use serde_json::{Map, Value};

use elements::{everywhere, is_id};
use resources::{
    allergy, condition, consent, encounter, medication_request, observation, patient, provenance,
};

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
