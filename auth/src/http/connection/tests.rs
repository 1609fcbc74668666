use axum::http::{HeaderName, HeaderValue};

use super::*;

const NGINX: &[&str] = &["127.0.0.1"];

/// A request from a peer with headers, and who it is taken to be: address, TLS.
fn check(proxies: &[&str], peer: &str, headers: &[(&'static str, &str)], expected: (&str, bool)) {
    let front = Front {
        site: None,
        proxies: proxies.iter().map(|one| one.parse().unwrap()).collect(),
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        map.append(HeaderName::from_static(name), value);
    }
    let connection = front.connection(peer.parse().unwrap(), &map);
    let (peer, tls) = expected;
    let expected = Connection {
        peer: peer.parse().unwrap(),
        tls,
    };
    assert_eq!(connection, expected, "{proxies:?} {peer} {headers:?}");
}

#[test]
fn without_a_proxy_the_peer_is_the_client() {
    check(&[], "127.0.0.1", &[], ("127.0.0.1", false));
    check(&[], "::ffff:127.0.0.1", &[], ("127.0.0.1", false));
    check(&[], "192.0.2.7", &[], ("192.0.2.7", false));
}

#[test]
fn a_proxy_that_nobody_named_lends_nobody_its_place_on_this_machine() {
    for header in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "hub.example.jp"),
        ("forwarded", "for=127.0.0.1;proto=https"),
        ("x-real-ip", "127.0.0.1"),
        ("via", "1.1 proxy"),
    ] {
        check(&[], "127.0.0.1", &[header], ("0.0.0.0", false));
        check(&["192.0.2.1"], "::1", &[header], ("0.0.0.0", false));
        check(NGINX, "192.0.2.7", &[header], ("192.0.2.7", false));
    }
}

#[test]
fn a_named_proxy_tells_client_and_tls() {
    let of = |client, proto| [("x-forwarded-for", client), ("x-forwarded-proto", proto)];
    check(
        NGINX,
        "127.0.0.1",
        &of("192.0.2.7", "https"),
        ("192.0.2.7", true),
    );
    check(
        NGINX,
        "127.0.0.1",
        &of("192.0.2.7", "http"),
        ("192.0.2.7", false),
    );
    check(
        NGINX,
        "127.0.0.1",
        &of("192.0.2.7:55", "HTTPS"),
        ("192.0.2.7", true),
    );
    check(
        NGINX,
        "127.0.0.1",
        &of("[2001:db8::7]:55", "https"),
        ("2001:db8::7", true),
    );
    check(
        NGINX,
        "127.0.0.1",
        &of("2001:db8::7", "https"),
        ("2001:db8::7", true),
    );
    check(
        NGINX,
        "127.0.0.1",
        &of("192.0.2.7", "https, http"),
        ("192.0.2.7", false),
    );
}

#[test]
fn what_stands_before_the_last_stranger_is_the_strangers_word() {
    let proxies = &["127.0.0.1", "10.0.0.0/8"];
    let of = |passed| [("x-forwarded-for", passed), ("x-forwarded-proto", "https")];
    check(
        proxies,
        "127.0.0.1",
        &of("127.0.0.1, 192.0.2.7"),
        ("192.0.2.7", true),
    );
    check(
        proxies,
        "127.0.0.1",
        &of("10.0.0.9, 192.0.2.7, 10.1.2.3"),
        ("192.0.2.7", true),
    );
    check(
        proxies,
        "10.255.0.1",
        &of("nonsense, 192.0.2.7"),
        ("192.0.2.7", true),
    );
    let apart = [
        ("x-forwarded-for", "192.0.2.66"),
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "https"),
    ];
    check(proxies, "127.0.0.1", &apart, ("192.0.2.7", true));
}

#[test]
fn who_comes_through_a_proxy_is_never_on_this_machine() {
    let of = |passed| [("x-forwarded-for", passed)];
    check(NGINX, "127.0.0.1", &of("127.0.0.1"), ("0.0.0.0", false));
    check(NGINX, "127.0.0.1", &of("::1"), ("0.0.0.0", false));
    check(&["::1"], "::1", &of("::ffff:127.0.0.1"), ("0.0.0.0", false));
}

#[test]
fn headers_that_are_not_understood_make_a_stranger() {
    let proto = ("x-forwarded-proto", "https");
    check(NGINX, "127.0.0.1", &[], ("0.0.0.0", false));
    check(NGINX, "127.0.0.1", &[proto], ("0.0.0.0", false));
    for passed in ["", "nonsense", "192.0.2.7, nonsense", "192.0.2.7,", "見"] {
        let headers = [("x-forwarded-for", passed), proto];
        check(NGINX, "127.0.0.1", &headers, ("0.0.0.0", false));
    }
    let odd = [
        ("x-forwarded-for", "192.0.2.7"),
        ("x-forwarded-proto", "wss"),
    ];
    check(NGINX, "127.0.0.1", &odd, ("0.0.0.0", false));
}

#[test]
fn a_site_is_an_https_host_without_a_path() {
    let origin = |text: &str| text.parse::<Site>().map(|site| site.origin().to_owned());
    assert_eq!(
        origin("https://Hub.example.jp").unwrap(),
        "https://hub.example.jp"
    );
    assert_eq!(
        origin("https://hub.example.jp:443").unwrap(),
        "https://hub.example.jp"
    );
    assert_eq!(
        origin("https://[2001:db8::1]:8443").unwrap(),
        "https://[2001:db8::1]:8443"
    );
    for unfit in [
        "http://hub.example.jp",
        "hub.example.jp",
        "https://",
        "https://hub.example.jp/",
        "https://hub.example.jp/fhir",
        "https://a@hub.example.jp",
        "https://hub.example.jp:0",
        "https://hub.example.jp:x",
        "https://hub example.jp",
        "https://hub.example.jp?x",
    ] {
        assert_eq!(origin(unfit), Err(Unfit), "{unfit}");
    }
}
