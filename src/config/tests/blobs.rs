//! A bucket is refused until everything that it needs is there, and says nothing secret.

use super::*;

/// What the environment of a good bucket holds, besides an endpoint.
const KEY: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "hospital-key-id"),
    ("AWS_SECRET_ACCESS_KEY", "hospital-secret"),
];

/// The mistakes of `blobs.url` with a good access key and one more variable.
fn check_bucket(text: &str, variable: (&str, &str), expected: &[&str]) {
    let environment = [&KEY[..], &[variable]].concat();
    let found = Stage::new(text).mistakes(&environment);
    assert_eq!(found, expected, "{text} {variable:?}");
}

const GOOD: &str = "blobs.url = \"s3://kita-hub/sealed/1\"\n";
const AT_HOME: (&str, &str) = ("AWS_ENDPOINT_URL", "https://s3.example.jp:9000/");

#[test]
fn a_bucket_is_taken_with_server_and_key_of_the_environment() {
    check_bucket(GOOD, AT_HOME, &[]);
    check_bucket(GOOD, ("AWS_REGION", "ap-northeast-1"), &[]);
    check_bucket("blobs.url = \"s3://kita-hub\"\n", AT_HOME, &[]);
    let environment = [&KEY[..], &[AT_HOME]].concat();
    let stage = Stage::new(GOOD);
    let config = stage.read_with(&environment).checked().unwrap();
    assert_eq!(config.data, stage.path("data"));
    let printed = format!("{config:?}");
    assert!(printed.contains("https://s3.example.jp:9000\""));
    assert!(!printed.contains("hospital-"), "{printed}");
}

#[test]
fn everything_that_a_bucket_lacks_is_said_at_once() {
    check(
        GOOD,
        &[
            "musubi.toml:2:13: error[C0104]: `blobs.url` needs AWS_REGION in the environment\n  help: or AWS_ENDPOINT_URL for another server than Amazon's",
            "musubi.toml:2:13: error[C0104]: `blobs.url` needs AWS_ACCESS_KEY_ID in the environment\n  help: put it where only the service reads it",
            "musubi.toml:2:13: error[C0104]: `blobs.url` needs AWS_SECRET_ACCESS_KEY in the environment\n  help: put it where only the service reads it",
        ],
    );
}

#[test]
fn plain_http_stays_on_this_machine_unless_it_is_allowed() {
    for loopback in ["localhost:9000", "127.0.0.1:9000", "[::1]:9000"] {
        let endpoint = format!("http://{loopback}");
        check_bucket(GOOD, ("AWS_ENDPOINT_URL", &endpoint), &[]);
    }
    let beyond = ("AWS_ENDPOINT_URL", "http://storage:9000");
    check_bucket(
        GOOD,
        beyond,
        &[
            "musubi.toml:2:13: error[C0123]: `blobs.url` has an endpoint that speaks plain HTTP beyond this machine\n  help: use https, or set `blobs.allow_http` where the network is yours alone",
        ],
    );
    check_bucket(&format!("{GOOD}blobs.allow_http = true\n"), beyond, &[]);
    for pretender in ["http://127.0.0.1.example.jp", "http://localhost.example.jp"] {
        let endpoint = ("AWS_ENDPOINT_URL", pretender);
        let environment = [&KEY[..], &[endpoint]].concat();
        assert_eq!(Stage::new(GOOD).mistakes(&environment).len(), 1);
    }
}

#[test]
fn an_endpoint_is_an_address_without_a_password() {
    let wrong = |url: &str| {
        let environment = [&KEY[..], &[("AWS_ENDPOINT_URL", url)]].concat();
        let mistakes = Stage::new(GOOD).mistakes(&environment);
        assert_eq!(mistakes.len(), 1, "{url}");
        mistakes.concat()
    };
    assert!(wrong("s3.example.jp").contains("C0102"));
    assert!(wrong("ftp://s3.example.jp").contains("C0102"));
    let said = wrong("https://hub:geheim@s3.example.jp");
    assert!(said.contains("C0107") && !said.contains("geheim"), "{said}");
}

#[test]
fn names_are_written_in_letters_that_every_server_keeps() {
    for url in [
        "s3://",
        "s3://ab",
        "s3://Kita",
        "s3://kita/Sealed",
        "s3://kita/a_b",
        "s3://kita/a//b",
    ] {
        let environment = [&KEY[..], &[AT_HOME]].concat();
        let mistakes = Stage::new(&format!("blobs.url = \"{url}\"\n")).mistakes(&environment);
        assert!(mistakes.concat().contains("C0102"), "{url}: {mistakes:?}");
    }
    check(
        "blobs.url = \"ftp://kita/sealed\"\n",
        &[
            "musubi.toml:2:13: error[C0102]: `blobs.url` must be a folder such as \"file://data/blobs\" or a bucket such as \"s3://bucket/prefix\", not \"ftp://kita/sealed\"",
        ],
    );
}
