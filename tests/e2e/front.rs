//! Behind a proxy that speaks TLS: links lead to it, and what it tells of its clients decides who is
//! far away, who is held, and whose token may travel.

use reqwest::Method;
use serde_json::json;

use crate::support::{Answer, CLINIC, Hub, Kind, Running};

const SITE: &str = "https://hub.example.jp";

/// Asks as the proxy would for a client.
fn through(running: &Running, token: &str, client: &str, scheme: &str) -> Answer {
    let headers = [
        ("authorization", &*format!("Bearer {token}")),
        ("x-forwarded-for", client),
        ("x-forwarded-proto", scheme),
    ];
    running.send(Method::GET, "/fhir/Organization", &headers, String::new())
}

/// A sign-in that fails, from a client.
fn fail(running: &Running, client: &str, login: &str) -> u16 {
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", client),
        ("x-forwarded-proto", "https"),
    ];
    let body = json!({ "user": login, "password": "wrong" });
    running
        .send(Method::POST, "/login", &headers, body.to_string())
        .status
}

#[test]
fn a_named_proxy_tells_who_asks_and_how() {
    let mut hub = Hub::new(Kind::Sqlite);
    hub.set("MUSUBI_SERVE_PUBLIC_URL", SITE);
    hub.set("MUSUBI_SERVE_TRUSTED_PROXIES", "[\"127.0.0.1\"]");
    let running = hub.serve("serve");
    let token = hub.token("reader", "physician", CLINIC);
    let found = through(&running, &token, "192.0.2.7", "https");
    assert_eq!(found.status, 200, "{}", found.body);
    let bundle = found.json();
    for link in [&bundle["link"][0]["url"], &bundle["entry"][0]["fullUrl"]] {
        let begins = format!("{SITE}/fhir/Organization");
        assert!(link.as_str().unwrap().starts_with(&begins), "{link}");
    }
    let capabilities = running.get(None, "/fhir/metadata").json();
    assert_eq!(
        capabilities["implementation"]["url"],
        format!("{SITE}/fhir")
    );
    assert_eq!(through(&running, &token, "192.0.2.7", "http").status, 403);
    assert_eq!(through(&running, &token, "nonsense", "https").status, 403);
    assert_eq!(running.get(Some(&token), "/fhir/Organization").status, 403);

    let failures: Vec<u16> = (0..31)
        .map(|one| fail(&running, "192.0.2.7", &format!("nobody-{one}")))
        .collect();
    assert_eq!((failures[0], failures[30]), (401, 429));
    assert_eq!(fail(&running, "192.0.2.8", "somebody"), 401);
}

#[test]
fn a_proxy_that_nobody_named_has_no_place_on_this_machine() {
    let hub = Hub::new(Kind::Sqlite);
    let running = hub.serve("serve");
    let token = hub.token("reader", "physician", CLINIC);
    assert_eq!(running.get(Some(&token), "/fhir/Organization").status, 200);
    assert_eq!(through(&running, &token, "127.0.0.1", "https").status, 403);
}
