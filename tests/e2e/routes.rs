//! Nobody without a grant learns whether a patient exists: every route answers about one who does as
//! about one who does not, word for word.

mod about;
mod probes;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use viewer_api::Interaction;

use self::about::About;
use self::probes::{Address, Probe, addresses, probes, unserved};
use crate::support::{Answer, CLINIC, Hub, Kind, PHARMACY, Running, paper, patients};

/// After a failed sign-in, with a second to spare.
const LONGEST_PAUSE: Duration = Duration::from_secs(6);

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
        [&ready["grants"], &ready["records"], &ready["blobs"]],
        [&json!(true); 3]
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
