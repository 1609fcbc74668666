//! What a query asks, and what it may not ask.

use super::*;
use crate::fhir::resources::RESOURCES;

fn resource(name: &str) -> &'static Resource {
    RESOURCES
        .iter()
        .find(|resource| resource.name == name)
        .unwrap()
}

fn parse(name: &str, query: &str, strict: bool) -> Result<Search, Error> {
    Search::parse(resource(name), &crate::fhir::url::pairs(query), strict)
}

fn check(name: &str, query: &str, used: &str) {
    let search = parse(name, query, false).unwrap_or_else(|error| panic!("{query}: {error}"));
    assert_eq!(search.query(), used, "{query}");
}

fn refused(name: &str, query: &str, strict: bool) -> u16 {
    parse(name, query, strict)
        .err()
        .map_or(200, |error| error.status().0.as_u16())
}

#[test]
fn only_what_was_used_is_repeated() {
    check(
        "Observation",
        "patient=x&category=laboratory&foo=1&_summary=true",
        "patient=x&category=laboratory",
    );
    check(
        "Observation",
        "patient=x&_format=json&_pretty=true&code=",
        "patient=x",
    );
    check(
        "Observation",
        "patient=x&_count=1000",
        "patient=x&_count=200",
    );
    check(
        "Condition",
        "patient=x&code=http://a|1",
        "patient=x&code=http%3A%2F%2Fa%7C1",
    );
    check("Organization", "_id=1319999901&patient=x", "_id=1319999901");
}

#[test]
fn a_strict_client_hears_of_what_is_not_offered() {
    assert_eq!(refused("Observation", "patient=x&foo=1", false), 200);
    assert_eq!(refused("Observation", "patient=x&foo=1", true), 400);
    assert_eq!(
        refused(
            "Observation",
            "patient=x&category=laboratory&_count=5",
            true
        ),
        200
    );
}

#[test]
fn what_would_answer_another_question_is_refused() {
    for query in [
        "patient=x&code:in=http://a",
        "patient:missing=true",
        "patient=x&_has:Provenance:target:agent=y",
        "patient=x&_filter=code eq 1",
        "patient=x&date=soon",
        "patient=x&_count=many",
        "patient=x&_sort=code",
        "patient=x&_include=Observation:subject",
        "patient=x&code=a&code=b",
        "patient=x&code=http://a|",
        "patient=x&date=ne2024&date=ne2023",
        "patient=x&patient=y",
        "patient=x,y",
    ] {
        assert_eq!(refused("Observation", query, false), 400, "{query}");
    }
}

#[test]
fn only_what_has_a_time_of_change_is_asked_for_it() {
    let name = "name=a&gender=male";
    let patient = "patient=x";
    for (kind, query) in [
        ("Patient", name),
        ("Consent", patient),
        ("Encounter", patient),
    ] {
        for (asked, expected) in [
            ("_lastUpdated=ge2026-04-01", 200),
            ("_lastUpdated=soon", 400),
            ("_sort=-_lastUpdated", 200),
            ("_sort=date", if kind == "Encounter" { 200 } else { 400 }),
        ] {
            let status = refused(kind, &format!("{query}&{asked}"), true);
            assert_eq!(status, expected, "{kind} {asked}");
        }
    }
    for asked in ["_lastUpdated=ge2026-04-01", "_sort=_lastUpdated", "_sort="] {
        assert_eq!(refused("Organization", asked, false), 400, "{asked}");
    }
}

#[test]
fn no_refusal_repeats_a_value() {
    for query in [
        "patient=x&date=見本",
        "patient=見本,x",
        "patient=x&見本=1",
        "patient=x&_sort=見本",
    ] {
        let text = parse("Observation", query, true)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(!text.is_empty() && !text.contains("見本"), "{text}");
    }
}

#[test]
fn a_category_narrows_what_is_asked() {
    let asked = |query: &str| parse("Observation", query, false).unwrap().asked;
    let lab = asked("patient=x&category=laboratory");
    assert!(
        lab.contains(model::record::Category::Lab)
            && !lab.contains(model::record::Category::Demographics)
    );
    assert_eq!(asked("patient=x"), resource("Observation").opened_by);
    assert_eq!(
        asked("patient=x&category=unheard-of"),
        resource("Observation").opened_by
    );
}

#[test]
fn values_that_nobody_has_find_nothing_instead_of_everything() {
    let facets = |query: &str| parse("Observation", query, false).unwrap().records.facets;
    assert_eq!(facets("patient=x&category=unheard-of"), [NOTHING]);
    assert_eq!(facets("patient=x&_id=no-id"), [NOTHING]);
    let both = "patient=x&category=exam,laboratory";
    assert_eq!(
        facets(both),
        [model::record::facet::EXAM | model::record::facet::LABORATORY]
    );
    let of_other_system = "patient=x&category=http://other|laboratory";
    assert_eq!(facets(of_other_system), [NOTHING]);
}

#[test]
fn systems_are_understood_in_every_form() {
    let system = |query: &str| {
        parse("Observation", query, false)
            .unwrap()
            .records
            .codes
            .remove(0)
            .system
    };
    let jlac = system("patient=x&code=urn:oid:1.2.392.200119.4.504|5C070");
    assert!(jlac.is_some());
    assert_eq!(
        jlac,
        system("patient=x&code=http://medis.or.jp/CodeSystem/master-JLAC10-17digits|5C070")
    );
    assert_eq!(system("patient=x&code=5C070"), None);
}

#[test]
fn a_patient_may_be_named_in_every_form_of_a_reference() {
    for form in [
        "abc",
        "Patient/abc",
        "https://hub.example.jp/fhir/Patient/abc",
    ] {
        let search = parse("Condition", &format!("patient={form}"), false).unwrap();
        assert_eq!(search.patient.as_deref(), Some("abc"));
    }
}

#[test]
fn too_many_alternatives_are_refused() {
    let ids = vec!["aeaqcaibaeaqcaibaeaqcaibae"; 17].join(",");
    assert_eq!(
        refused("Observation", &format!("patient=x&_id={ids}"), false),
        400
    );
    let codes = vec!["1"; 17].join(",");
    assert_eq!(
        refused("Observation", &format!("patient=x&code={codes}"), false),
        400
    );
}
