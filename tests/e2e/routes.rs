//! Nobody without a grant learns whether a patient exists: every route answers about one who does as
//! about one who does not, word for word.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use viewer_api::Interaction;

use crate::support::{
    Answer, CLINIC, CLINICAL, HOSPITAL, Hub, Kind, PHARMACY, Running, encoded, paper, patients,
};

/// After a failed sign-in, with a second to spare.
const LONGEST_PAUSE: Duration = Duration::from_secs(6);

/// What can be known of a patient from outside.
#[derive(Clone)]
struct About {
    patient: String,
    local_id: String,
    local_system: String,
    consent_no: String,
    kana: String,
    birth_date: String,
    version: String,
    /// An id of each resource type.
    records: BTreeMap<&'static str, String>,
}

impl About {
    /// What the requester with a grant knows.
    fn read(
        hub: &Hub,
        running: &Running,
        token: &str,
        patient: &samples::Patient,
        consent_no: &str,
    ) -> Self {
        let id = hub.patient(consent_no);
        let read = running.get(Some(token), &format!("/fhir/Patient/{id}"));
        let person = read.json();
        let local = person["identifier"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["value"] == patient.person.local_id.as_str());
        let types = CLINICAL.iter().chain(&["Consent"]);
        let first = |kind: &&'static str| {
            let found = running.all(token, &format!("{kind}?patient={id}"));
            (
                *kind,
                found.first().unwrap_or_else(|| panic!("no {kind}"))["id"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            )
        };
        Self {
            records: types.map(first).chain([("Patient", id.clone())]).collect(),
            patient: id,
            local_id: patient.person.local_id.clone(),
            local_system: local.unwrap()["system"].as_str().unwrap().to_owned(),
            consent_no: consent_no.to_owned(),
            kana: patient.paper.kana.replace(' ', ""),
            birth_date: patient.paper.birth_date.clone(),
            version: read.headers["etag"].to_str().unwrap().to_owned(),
        }
    }

    /// Somebody of the same kind who does not exist.
    fn nobody(&self) -> Self {
        let other = |text: &String| turned(text);
        Self {
            patient: other(&self.patient),
            local_id: other(&self.local_id),
            local_system: self.local_system.clone(),
            consent_no: other(&self.consent_no),
            kana: "アルハズモナイナマエ".to_owned(),
            birth_date: "1899-11-30".to_owned(),
            version: "W/\"1\"".to_owned(),
            records: self
                .records
                .iter()
                .map(|(kind, id)| (*kind, other(id)))
                .collect(),
        }
    }

    fn ids(&self) -> Vec<&str> {
        let own = [self.local_id.as_str(), &self.consent_no];
        own.into_iter()
            .chain(self.records.values().map(String::as_str))
            .collect()
    }

    /// A text without what it repeats of the question.
    fn neutral(&self, text: &str) -> String {
        let echoed = self
            .ids()
            .into_iter()
            .chain([self.kana.as_str(), &self.birth_date]);
        let plain = echoed.fold(text.to_owned(), |text, id| {
            text.replace(&encoded(id), "*").replace(id, "*")
        });
        // A cursor is sealed, so it is another text every time.
        let mut parts = plain.split("_cursor=");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |text, part| {
            text + part.trim_start_matches(|letter| letter != '"')
        })
    }
}

/// The same letters in another order.
fn turned(id: &str) -> String {
    let letters: Vec<char> = id.chars().collect();
    let places: Vec<usize> = (1..letters.len() - 1)
        .filter(|at| letters[*at].is_ascii_alphanumeric())
        .collect();
    let mut other = letters.clone();
    for (from, to) in places.iter().zip(places.iter().cycle().skip(1)) {
        other[*to] = letters[*from];
    }
    let other: String = other.into_iter().collect();
    assert_ne!(other, id);
    other
}

/// A question.
struct Probe {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Probe {
    fn new(method: &Method, path: impl Into<String>) -> Self {
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
struct Address {
    method: Method,
    path: String,
    face: Option<&'static viewer_api::Route>,
}

/// Every address there is.
fn addresses() -> Vec<Address> {
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
fn probes(address: &Address, about: &About, papers: bool) -> Vec<Probe> {
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
fn unserved(about: &About) -> Vec<Probe> {
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

/// Somebody who asks.
struct Requester {
    who: &'static str,
    headers: Vec<(&'static str, String)>,
    papers: bool,
    /// Signed in by read token or by session; nothing when nobody knows them.
    by: Option<&'static str>,
}

/// Requests that were answered: id, how many rows of the audit each may have, what was asked.
type Answered = Vec<(String, RangeInclusive<usize>, String)>;

/// How many rows the answer to a requester who has no grant leaves; nothing where nobody is asked
/// who they are.
fn rows(requester: &Requester, address: &Address) -> Option<RangeInclusive<usize>> {
    let by = requester.by?;
    match address.face {
        Some(route) => match route.interaction {
            Interaction::Capabilities => None,
            // Looked for as the origin of a record, then as that of a person.
            Interaction::Read if route.resource == "Provenance" => Some(1..=2),
            _ => Some(1..=1),
        },
        None if address.path.starts_with("/assets") || address.path.starts_with("/login") => None,
        None if by == "token" && ["/", "/logout", "/me/tokens"].contains(&&*address.path) => None,
        None => Some(1..=1),
    }
}

impl Requester {
    fn token(who: &'static str, token: &str) -> Self {
        Self {
            who,
            headers: vec![("authorization", format!("Bearer {token}"))],
            papers: false,
            by: Some("token"),
        }
    }

    fn ask(&self, running: &Running, probe: &Probe) -> Answer {
        let headers: Vec<(&str, &str)> = self
            .headers
            .iter()
            .chain(&probe.headers)
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        running.send(
            probe.method.clone(),
            &probe.path,
            &headers,
            probe.body.clone(),
        )
    }
}

fn requesters(hub: &Hub, running: &Running) -> Vec<Requester> {
    let token = |login: &'static str, profession: &str, facility: &str| {
        Requester::token(login, &hub.token(login, profession, facility))
    };
    let secret = hub.person("browsing", "physician", PHARMACY);
    let session = running.sign_in("browsing", &secret);
    let browsing = vec![("cookie", session.cookie), ("x-csrf-token", session.csrf)];
    vec![
        Requester {
            who: "nobody",
            headers: Vec::new(),
            papers: false,
            by: None,
        },
        Requester {
            by: None,
            ..Requester::token(
                "a made-up token",
                "musubi_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            )
        },
        Requester {
            who: "a physician elsewhere, by session",
            headers: browsing,
            papers: false,
            by: Some("session"),
        },
        token("elsewhere", "physician", PHARMACY),
        token("nurse", "nurse", PHARMACY),
        token("pharmacist", "pharmacist", PHARMACY),
        token("administrator", "administrator", CLINIC),
        Requester {
            papers: true,
            ..token("clerk", "secretariat", CLINIC)
        },
    ]
}

/// Everything of an answer but the question, the request's number and the clock.
fn neutral(answer: &Answer, about: &About) -> (u16, Vec<(String, String)>, String) {
    // How long somebody is held is told in whole seconds, and the two questions are not asked at once.
    let seconds = |text: &str| match answer.status {
        429 => text.replace(|char: char| char.is_ascii_digit(), "#"),
        _ => text.to_owned(),
    };
    let own = ["x-request-id", "date"];
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()));
    // An echo may be longer or shorter than its counterpart.
    let headers = headers.filter(|(name, _)| name.as_str() != "content-length");
    let mut headers: Vec<(String, String)> = headers
        .map(|(name, value)| {
            (
                name.to_string(),
                seconds(&about.neutral(value.to_str().unwrap())),
            )
        })
        .collect();
    headers.sort();
    (
        answer.status,
        headers,
        seconds(&about.neutral(&answer.body)),
    )
}

/// Asks both; the ids of the requests. Who failed to sign in must pause: when that pause ended between
/// the two questions, both are asked again after the longest one.
fn check(running: &Running, requester: &Requester, asked: &[(Probe, &About); 2]) -> [String; 2] {
    let ask = |(probe, _): &(Probe, &About)| {
        let answer = requester.ask(running, probe);
        assert!(
            answer.status < 500,
            "{} {} {}",
            requester.who,
            probe.path,
            answer.body
        );
        answer
    };
    let mut answers = [&asked[0], &asked[1]].map(ask);
    while (answers[0].status == 429) != (answers[1].status == 429) {
        std::thread::sleep(LONGEST_PAUSE);
        answers = [&asked[0], &asked[1]].map(ask);
    }
    let [first, second] = [0, 1].map(|at| neutral(&answers[at], asked[at].1));
    let [one, other] = [0, 1].map(|at| format!("{} {}", asked[at].0.method, asked[at].0.path));
    assert_eq!(first, second, "{}: {one} and {other}", requester.who);
    answers.map(|answer| answer.headers["x-request-id"].to_str().unwrap().to_owned())
}

/// Every answer to a signed-in person has its rows; those to strangers are counted.
fn check_audit(hub: &Hub, answered: &Answered, strangers: usize) {
    let everything = ["audit", "show", "--limit", "1000000", "--as", "secretary"];
    let shown = hub.json(&everything, "");
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut turned_away = 0;
    for row in shown["rows"].as_array().unwrap() {
        if let Some(request) = row["request"].as_str() {
            *found.entry(request).or_default() += 1;
        } else if row["reason"] == "NOT_SIGNED_IN" {
            let (count, rest) = row["detail"].as_str().unwrap().split_once(' ').unwrap();
            assert!(rest.starts_with("requests from 127.0.0.1 since "), "{rest}");
            turned_away += count.parse::<usize>().unwrap();
        }
    }
    for (request, rows, asked) in answered {
        let found = found.get(&**request).copied().unwrap_or(0);
        assert!(rows.contains(&found), "{asked}: {found} rows");
    }
    assert!(turned_away >= strangers, "{turned_away} of {strangers}");
}

#[test]
fn who_exists_and_who_does_not_are_answered_alike() {
    let hub = Hub::new(Kind::Sqlite);
    let patient = patients(3, 1, 60).remove(0);
    hub.admit(&patient);
    hub.secretary();
    hub.consents(&[paper("N-1000-77", &patient, CLINIC, "*")]);
    hub.ingest();
    let running = hub.serve("serve,office");
    let treating = hub.token("treating", "physician", CLINIC);
    let real = About::read(&hub, &running, &treating, &patient, "N-1000-77");
    let absent = real.nobody();
    let addresses = addresses();
    let (mut answered, mut strangers) = (Answered::new(), 0);
    for requester in requesters(&hub, &running) {
        for address in &addresses {
            let asked = probes(address, &real, requester.papers).into_iter();
            let pairs: Vec<(Probe, Probe)> = asked
                .zip(probes(address, &absent, requester.papers))
                .collect();
            assert!(!pairs.is_empty(), "{} has no trial", address.path);
            for (first, second) in pairs {
                let asked = format!("{}: {} {}", requester.who, first.method, first.path);
                let ids = check(&running, &requester, &[(first, &real), (second, &absent)]);
                if let Some(rows) = rows(&requester, address) {
                    answered.extend(ids.map(|id| (id, rows.clone(), asked.clone())));
                } else if requester.by.is_none() && address.path.ends_with("/fhir/Patient") {
                    strangers += ids.len();
                }
            }
        }
    }
    let elsewhere = Requester::token("elsewhere", &hub.token("again", "physician", PHARMACY));
    for (first, second) in unserved(&real).into_iter().zip(unserved(&absent)) {
        check(&running, &elsewhere, &[(first, &real), (second, &absent)]);
    }
    assert!(running.stop());
    check_audit(&hub, &answered, strangers);
}

#[test]
fn how_the_program_is_stands_on_a_listener_of_its_own() {
    let hub = Hub::new(Kind::Sqlite);
    let running = hub.serve("serve,office,ingest");
    let unknown = running.get(None, "/nowhere");
    for path in ["/healthz", "/readyz", "/metrics"] {
        let page = running.get(None, path);
        assert_eq!((page.status, &page.body), (404, &unknown.body), "{path}");
        assert_eq!(running.probe(path).status, 200, "{path}");
    }
    let ready = running.probe("/readyz").json();
    assert_eq!(
        (&ready["grants"], &ready["records"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(running.probe("/fhir/metadata").status, 404);
}

#[test]
fn records_outside_the_reach_are_as_if_they_were_not_there() {
    let hub = Hub::new(Kind::Sqlite);
    let patient = patients(5, 1, 60).remove(0);
    hub.admit(&patient);
    hub.secretary();
    hub.consents(&[
        paper("N-1000-77", &patient, CLINIC, "*"),
        paper("N-1000-78", &patient, PHARMACY, "lab"),
    ]);
    hub.ingest();
    let running = hub.serve("serve");
    let treating = hub.token("treating", "physician", CLINIC);
    let real = About::read(&hub, &running, &treating, &patient, "N-1000-77");
    let absent = About {
        patient: real.patient.clone(),
        version: real.version.clone(),
        ..real.nobody()
    };
    let laboratory = Requester::token(
        "sees laboratory results only",
        &hub.token("lab", "physician", PHARMACY),
    );
    let token = laboratory.headers[0]
        .1
        .trim_start_matches("Bearer ")
        .to_owned();
    assert!(running.total(&token, &format!("Observation?patient={}", real.patient)) > 0);
    let hidden = [
        "AllergyIntolerance",
        "Condition",
        "Encounter",
        "MedicationRequest",
    ];
    for kind in hidden {
        for path in [kind, "Provenance", "Observation"] {
            let probe = |about: &About| {
                Probe::new(
                    &Method::GET,
                    format!("/fhir/{path}/{}", about.records[kind]),
                )
            };
            check(
                &running,
                &laboratory,
                &[(probe(&real), &real), (probe(&absent), &absent)],
            );
        }
    }
    for kind in hidden {
        let every = running.get(
            Some(&token),
            &format!(
                "/fhir/{kind}?patient={}&_include={kind}:patient",
                real.patient
            ),
        );
        let bundle = every.json();
        assert_eq!(
            (every.status, &bundle["total"], &bundle["entry"]),
            (200, &json!(0), &serde_json::Value::Null),
            "{kind}"
        );
    }
}
