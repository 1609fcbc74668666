//! The CapabilityStatement, made from the resource table.

use crate::json::Value;
use model::network::Network;

use super::meta::canonical;
use super::object::Object;
use super::resources::{Found, RESOURCES, Resource};

/// When what the face offers last changed.
const CHANGED_ON: &str = "2026-11-21";

/// What the face can do.
pub(crate) fn statement(base: &str, network: &Network) -> Value {
    let implementation = Object::new()
        .with("description", network.profile.title.as_str())
        .with("url", base);
    let software = Object::new()
        .with("name", "musubi")
        .with("version", env!("CARGO_PKG_VERSION"));
    let security = Object::new().with(
        "description",
        "Bearer: a read token that a person made after a full sign-in. 閲覧トークンを要する。",
    );
    let rest = Object::new()
        .with("mode", "server")
        .with("security", security)
        .with(
            "resource",
            RESOURCES.iter().map(resource).collect::<Vec<_>>(),
        );
    Object::resource("CapabilityStatement")
        .with("status", "active")
        .with("date", CHANGED_ON)
        .with("kind", "instance")
        .with("software", software)
        .with("implementation", implementation)
        .with("fhirVersion", "4.0.1")
        .with("format", vec!["application/fhir+json"])
        .with("rest", vec![Value::from(rest)])
        .into()
}

fn resource(resource: &Resource) -> Value {
    let searches = !resource.search.is_empty();
    let interactions = ["read", "search-type"]
        .into_iter()
        .filter(|code| *code == "read" || searches);
    let interactions = interactions.map(|code| Object::new().with("code", code).into());
    let profiles: Vec<String> = resource
        .profiles
        .iter()
        .map(|profile| canonical(profile))
        .collect();
    let includes = resource
        .needs_patient()
        .then(|| vec![format!("{}:patient", resource.name), "*:patient".to_owned()]);
    let parameters = resource.search.iter().map(|parameter| {
        Value::from(
            Object::new()
                .with("name", parameter.name)
                .with("type", parameter.kind),
        )
    });
    Object::new()
        .with("type", resource.name)
        .with("supportedProfile", profiles)
        .with("interaction", interactions.collect::<Vec<Value>>())
        .with(
            "versioning",
            if resource.found == Found::Register {
                "no-version"
            } else {
                "versioned"
            },
        )
        .with("conditionalRead", "full-support")
        .with("searchInclude", includes)
        .with(
            "searchRevInclude",
            resource.has_provenance().then(|| vec!["Provenance:target"]),
        )
        .with("searchParam", parameters.collect::<Vec<_>>())
        .into()
}
