//! What holds of each resource type.

use serde_json::Value;

use super::{Broken, choices, code, has, list, text};

pub(super) fn patient(patient: &Value, broken: &mut Broken) {
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

pub(super) fn encounter(encounter: &Value, broken: &mut Broken) {
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

pub(super) fn condition(condition: &Value, broken: &mut Broken) {
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
    broken.unless(has(condition, "code"), path, "code");
}

pub(super) fn allergy(allergy: &Value, broken: &mut Broken) {
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

pub(super) fn medication_request(request: &Value, broken: &mut Broken) {
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

pub(super) fn observation(observation: &Value, broken: &mut Broken) {
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

pub(super) fn consent(consent: &Value, broken: &mut Broken) {
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

pub(super) fn provenance(provenance: &Value, broken: &mut Broken) {
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
