//! What is asked: at every address of the routers' own lists, about one patient.

use reqwest::Method;
use serde_json::json;
use viewer_api::Interaction;

use super::about::About;
use crate::support::{HOSPITAL, encoded};

/// A question.
pub(super) struct Probe {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Probe {
    pub(super) fn new(method: &Method, path: impl Into<String>) -> Self {
        Self {
            method: method.clone(),
            path: path.into(),
            headers: Vec::new(),
            body: String::new(),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string();
        self.with("content-type", "application/json")
    }

    fn form(mut self, body: String) -> Self {
        self.body = body;
        self.with("content-type", "application/x-www-form-urlencoded")
    }
}

/// An address of the program's own lists.
pub(super) struct Address {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) face: Option<&'static viewer_api::Route>,
}

/// Every address there is.
pub(super) fn addresses() -> Vec<Address> {
    let plain = |method: &Method, path: &str| Address {
        method: method.clone(),
        path: path.to_owned(),
        face: None,
    };
    let face = |route: &'static viewer_api::Route| Address {
        face: Some(route),
        ..plain(&route.method, &route.path)
    };
    let mut all: Vec<Address> = viewer_api::routes().iter().map(face).collect();
    all.extend(
        auth::ROUTES
            .iter()
            .map(|route| plain(&route.method, route.path)),
    );
    all.extend(
        office::ROUTES
            .iter()
            .map(|route| plain(&route.method, route.path)),
    );
    all.extend(
        shell::assets::ROUTES
            .iter()
            .map(|(method, path)| plain(method, path)),
    );
    all
}

/// What is asked at an address. `papers` says that papers are the requester's own work.
pub(super) fn probes(address: &Address, about: &About, papers: bool) -> Vec<Probe> {
    if let Some(route) = address.face {
        return face_probes(route, about);
    }
    let Address { method, path, .. } = address;
    let named = |name: &str, ids: &[&str]| -> Vec<Probe> {
        ids.iter()
            .map(|id| Probe::new(method, path.replace(name, &encoded(id))))
            .collect()
    };
    // The secretariat is entitled to its papers, but not to learn from other ids who is a patient.
    let numbers: Vec<&str> = about
        .ids()
        .into_iter()
        .filter(|id| !papers || *id != about.consent_no)
        .collect();
    match path.as_str() {
        "/" | "/me" => about
            .ids()
            .iter()
            .map(|id| Probe::new(method, format!("{path}?patient={id}&id={id}")))
            .collect(),
        "/login" => {
            vec![Probe::new(method, path).json(&json!({ "user": about.local_id, "password": "x" }))]
        }
        "/login/totp" => vec![Probe::new(method, path).json(&json!({ "code": about.local_id }))],
        "/logout" => vec![Probe::new(method, path).json(&json!({ "csrf": about.patient }))],
        "/me/tokens" => {
            vec![Probe::new(method, path).json(&json!({ "hours": 0, "patient": about.patient }))]
        }
        "/assets/{hash}/{name}" => named("{hash}", &about.ids())
            .into_iter()
            .map(|probe| Probe {
                path: probe.path.replace("{name}", &about.patient),
                ..probe
            })
            .collect(),
        "/office/consents" if papers => {
            vec![Probe::new(method, path).json(&json!({ "patient": about.patient }))]
        }
        "/office/consents" => vec![Probe::new(method, path).json(&entry(about))],
        "/office/consents/{no}" | "/office/consents/{no}/check" => named("{no}", &numbers),
        "/office/consents/{no}/withdraw" => named("{no}", &numbers)
            .into_iter()
            .map(|probe| probe.json(&json!({ "signer": "署名者" })))
            .collect(),
        _ => panic!("{method} {path} has no trial"),
    }
}

/// The consent form as it stands in the office.
fn entry(about: &About) -> serde_json::Value {
    json!({
        "consent_no": about.consent_no, "form": "C-1", "form_version": "1", "signed_on": "2026-04-01",
        "signer": "署名者", "relation": "self", "kana": about.kana, "birth_date": about.birth_date, "sex": "male",
        "local_ids": format!("{HOSPITAL}:{}", about.local_id), "sources": HOSPITAL, "readers": "*", "categories": "*",
        "from": "2020-01-01", "to": "", "explained_by": "説明者", "kept_at": "事務局",
    })
}

fn face_probes(route: &viewer_api::Route, about: &About) -> Vec<Probe> {
    let example = |id: &str, patient: &str| {
        let example = route.example(id, patient);
        let probe = Probe::new(&example.method, example.uri);
        match example.form {
            Some(form) => probe.form(form),
            None => probe,
        }
    };
    match route.interaction {
        Interaction::Capabilities => vec![example(&about.patient, &about.patient)],
        Interaction::Read => {
            // Its own id, and ids of other kinds.
            let own = about
                .records
                .get(route.resource)
                .unwrap_or(&about.records["Observation"]);
            let ids = [
                own.as_str(),
                &about.patient,
                &about.local_id,
                &about.records["Condition"],
                &about.consent_no,
            ];
            let plain = ids.into_iter().map(|id| example(id, &about.patient));
            plain
                .chain([example(own, "").with("if-none-match", &about.version)])
                .collect()
        }
        Interaction::Search => {
            let queries = queries(route.resource, about);
            let asked = queries
                .iter()
                .map(|query| Probe::new(&route.method, format!("{}?{query}", route.path)));
            asked.chain([example("", &about.patient)]).collect()
        }
        Interaction::PostedSearch => {
            let queries = queries(route.resource, about).into_iter();
            let asked = queries
                .take(2)
                .map(|query| Probe::new(&route.method, &route.path).form(query));
            asked.chain([example("", &about.patient)]).collect()
        }
    }
}

fn queries(resource: &str, about: &About) -> Vec<String> {
    let patient = &about.patient;
    let id = about.records.get(resource).unwrap_or(patient);
    if resource == "Patient" {
        let name = format!("birthdate={}", about.birth_date);
        return vec![
            format!("_id={patient}&_revinclude=Provenance:target"),
            format!(
                "identifier={}",
                encoded(&format!("{}|{}", about.local_system, about.local_id))
            ),
            format!("identifier={}", encoded(&about.local_id)),
            format!("name={}&{name}", encoded(&about.kana)),
            format!("family={}&{name}", encoded(&about.kana)),
            name,
        ];
    }
    vec![
        format!("patient={}", encoded(&format!("Patient/{patient}"))),
        format!("patient={patient}&_id={id}"),
        format!(
            "patient={patient}&_include={resource}:patient&_revinclude=Provenance:target&_count=1"
        ),
        format!("_id={id}"),
        format!("patient={patient}&_count=0"),
        format!("patient={patient}&date=ge2000&_sort=-date&unknown={id}"),
    ]
}

/// Addresses that nobody serves, and other methods where somebody serves.
pub(super) fn unserved(about: &About) -> Vec<Probe> {
    let ids = about.ids();
    let paths = [
        "Patient/{id}/$everything",
        "Patient/{id}/_history",
        "Patient/{id}/_history/1",
        "Binary/{id}",
        "{id}",
    ];
    let paths = paths
        .iter()
        .map(|path| format!("/fhir/{path}"))
        .chain(["/patients/{id}", "/{id}", "/healthz", "/readyz", "/metrics"].map(str::to_owned));
    let mut probes: Vec<Probe> = paths
        .map(|path| Probe::new(&Method::GET, path.replace("{id}", &about.patient)))
        .collect();
    for address in addresses() {
        for method in [
            Method::HEAD,
            Method::OPTIONS,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            Method::POST,
            Method::GET,
        ] {
            let served = |other: &Address| other.path == address.path && other.method == method;
            if addresses().iter().any(served) {
                continue;
            }
            let path = ["{id}", "{no}", "{hash}", "{name}"]
                .iter()
                .fold(address.path.clone(), |path, name| {
                    path.replace(name, ids[0])
                });
            probes.push(Probe::new(
                &method,
                format!("{path}?patient={}", about.patient),
            ));
        }
    }
    probes
}
