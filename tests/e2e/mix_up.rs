//! One patient is never another: what is asked about the first holds nothing of the second.

use reqwest::Method;

use crate::support::{CLINIC, CLINICAL, Hub, Kind, PHARMACY, encoded, paper, patients};

/// Two patients of one hospital; the clinic may see both, the pharmacy the second only.
struct Two {
    hub: Hub,
    ids: [String; 2],
}

impl Two {
    fn new() -> Self {
        let hub = Hub::new(Kind::Sqlite);
        let two = patients(9, 2, 60);
        two.iter().for_each(|patient| hub.admit(patient));
        hub.secretary();
        hub.consents(&[
            paper("N-1", &two[0], CLINIC, "*"),
            paper("N-2", &two[1], "*", "*"),
        ]);
        hub.ingest();
        let ids = [hub.patient("N-1"), hub.patient("N-2")];
        Self { hub, ids }
    }
}

#[test]
fn one_patient_is_never_another() {
    let Two { hub, ids: [a, b] } = Two::new();
    let running = hub.serve("serve");
    let treating = hub.token("treating", "physician", CLINIC);
    for kind in CLINICAL.iter().chain(&["Consent"]) {
        let of = |id: &str| running.all(&treating, &format!("{kind}?patient={id}&_count=7"));
        let (first, second) = (of(&a), of(&b));
        for (resources, id) in [(&first, &a), (&second, &b)] {
            for resource in resources {
                let subject = resource.get("subject").or(resource.get("patient")).unwrap();
                assert_eq!(subject["reference"], format!("Patient/{id}"), "{kind}");
            }
        }
        let id = second[0]["id"].as_str().unwrap();
        assert_eq!(
            running.total(&treating, &format!("{kind}?patient={b}&_id={id}")),
            1,
            "{kind}"
        );
        assert_eq!(
            running.total(&treating, &format!("{kind}?patient={a}&_id={id}")),
            0,
            "{kind}"
        );
        let form = Some((
            "application/x-www-form-urlencoded",
            format!("patient={a}&_id={id}"),
        ));
        let posted = running.ask(
            Method::POST,
            Some(&treating),
            &format!("/fhir/{kind}/_search"),
            form,
        );
        assert_eq!(posted.json()["total"], 0, "{kind}");
        let both = running.get(
            Some(&treating),
            &format!("/fhir/{kind}?patient={a}&patient={b}"),
        );
        assert_eq!(both.status, 400, "{kind}");
        let included = format!(
            "{kind}?patient={a}&_include={kind}:patient&_revinclude=Provenance:target&_count=200"
        );
        for resource in running.all(&treating, &included) {
            assert!(
                !resource.to_string().contains(&b),
                "{kind} of one patient names the other"
            );
            if resource["resourceType"] == "Provenance" {
                let target = resource["target"][0]["reference"]
                    .as_str()
                    .unwrap()
                    .rsplit('/')
                    .next()
                    .unwrap()
                    .to_owned();
                assert!(
                    first.iter().any(|record| record["id"] == target.as_str()),
                    "{kind}: provenance of another record"
                );
            }
        }
    }
}

#[test]
fn a_cursor_is_its_persons_and_its_searchs() {
    let Two { hub, ids: [a, b] } = Two::new();
    let running = hub.serve("serve");
    let treating = hub.token("treating", "physician", CLINIC);
    let colleague = hub.token("colleague", "physician", CLINIC);
    let page = running
        .get(
            Some(&treating),
            &format!("/fhir/Observation?patient={a}&_count=1"),
        )
        .json();
    let links = page["link"].as_array().unwrap();
    let next = links
        .iter()
        .find(|link| link["relation"] == "next")
        .unwrap()["url"]
        .as_str()
        .unwrap();
    let cursor = next
        .split("_cursor=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let follow = |token: &str, path: &str| {
        running.get(Some(token), &format!("/fhir/{path}_cursor={cursor}"))
    };
    assert_eq!(follow(&colleague, "Observation?").status, 404);
    assert_eq!(follow(&treating, "Condition?").status, 404);
    assert_eq!(follow(&treating, "Observation?").status, 200);
    let with_another = follow(&treating, &format!("Observation?patient={b}&"));
    assert!(
        !with_another
            .body
            .replace(&with_another.json()["link"].to_string(), "")
            .contains(&b)
    );
    let cut = running.get(
        Some(&treating),
        &format!("/fhir/Observation?_cursor={}", &cursor[..cursor.len() - 2]),
    );
    assert_eq!(cut.status, 404);
}

#[test]
fn a_list_of_patients_holds_only_those_of_the_reader() {
    let Two { hub, ids: [a, b] } = Two::new();
    let running = hub.serve("serve");
    let pharmacist = hub.token("pharmacist", "pharmacist", PHARMACY);
    let found = running.all(&pharmacist, &format!("Patient?_id={a},{b}"));
    assert_eq!(
        found
            .iter()
            .map(|patient| patient["id"].as_str().unwrap())
            .collect::<Vec<_>>(),
        [b.as_str()]
    );
    assert_eq!(running.total(&pharmacist, &format!("Patient?_id={a}")), 0);
    let identifier = running
        .get(Some(&pharmacist), &format!("/fhir/Patient/{b}"))
        .json()["identifier"]
        .clone();
    let own = identifier
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["value"] == b.as_str())
        .unwrap();
    let system = encoded(&format!("{}|", own["system"].as_str().unwrap()));
    assert_eq!(
        running.total(&pharmacist, &format!("Patient?identifier={system}{b}")),
        1
    );
    assert_eq!(
        running.total(
            &pharmacist,
            &format!("Patient?identifier={system}{b}&_id={a}")
        ),
        0
    );
    assert_eq!(
        running.total(
            &pharmacist,
            &format!("Patient?identifier={system}{a}&_id={b}")
        ),
        0
    );
}
