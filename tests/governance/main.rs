//! Every key of a regulation that counts as built changes what the system does, or refuses what it
//! cannot do yet. A key that is read and then ignored would be a promise broken in silence.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod hub;
mod papers;

use std::collections::BTreeSet;
use std::process::Command;

use auth::limits::{Usage, Use};
use model::id::{PatientId, PersonId};
use model::network::{Facility, Network, Profession, Profile};
use model::time::Instant;

use crate::papers::{period, readers, readers_of_clinic_only, window};

/// What the regulation says unless a row of the table says otherwise.
const PLAIN: &str = r#"
schema = "profile/1"
regulation.title = "規程"
regulation.version = "1"
regulation.effective_from = 2020-04-01
network.patient_system = "urn:musubi:test:patient"
users.professions = ["physician", "nurse", "secretariat"]
viewing.setup = "on_consent_all"
viewing.relationship = []
viewing.window.back = "unlimited"
viewing.window.forward = "unlimited"
retention.after_last_view = "unlimited"
withdrawal.hold = "PT0S"
rights = { physician = ["*"], nurse = ["lab"] }
"#;

/// The register of the network that the table speaks of.
const FACILITIES: &str = "code\tname\tkana\tkind\tgroups\tdiscloses
1319999901\t病院\tビョウイン\thospital\t\t*
1319999902\t診療所\tシンリョウジョ\tclinic\t\t*
1349999903\t薬局\tヤッキョク\tpharmacy\t\t*
";

/// How a key is proved.
enum Proof {
    /// Two values, and what is seen under each.
    Seen(fn(&str) -> String, [(&'static str, &'static str); 2]),
    /// The only value that is built; this one is refused.
    Refuses(&'static str),
}
use Proof::{Refuses, Seen};

/// Every built key, in the order of a profile.
const PROOFS: &[(&str, Proof)] = &[
    ("schema", Refuses(r#""profile/2""#)),
    (
        "regulation.title",
        Seen(title, [(r#""甲""#, "甲 1"), (r#""乙""#, "乙 1")]),
    ),
    (
        "regulation.version",
        Seen(title, [(r#""1""#, "規程 1"), (r#""2""#, "規程 2")]),
    ),
    (
        "regulation.effective_from",
        Seen(
            period,
            [
                ("2020-04-01", "2026-04-01 to ever"),
                ("2026-05-01", "2026-05-01 to ever"),
            ],
        ),
    ),
    (
        "regulation.cited_guidelines",
        Seen(
            in_the_hash,
            [("[]", "as without"), (r#"["第6.0版"]"#, "another")],
        ),
    ),
    (
        "network.topology",
        Seen(
            readers,
            [
                (r#""hub""#, "hospital clinic pharmacy"),
                (r#""single""#, "hospital"),
            ],
        ),
    ),
    (
        "network.ends_on",
        Seen(
            period,
            [
                ("2027-03-31", "2026-04-01 to 2027-03-31"),
                ("2028-03-31", "2026-04-01 to 2028-03-31"),
            ],
        ),
    ),
    (
        "network.patient_system",
        Seen(
            hub::patient_system,
            [(r#""urn:a:b""#, "urn:a:b"), (r#""urn:c:d""#, "urn:c:d")],
        ),
    ),
    (
        "users.professions",
        Seen(
            physicians_sight,
            [(r#"["physician"]"#, "21"), (r#"["nurse"]"#, "0")],
        ),
    ),
    ("auth.methods.staff", Refuses(r#"[["password"]]"#)),
    (
        "consent.scope",
        Seen(
            readers_of_clinic_only,
            [
                (r#""per_facility""#, "clinic"),
                (r#""all_members""#, "hospital clinic pharmacy"),
            ],
        ),
    ),
    (
        "consent.form",
        Seen(
            hub::entering,
            [(r#""C-1""#, "entered"), (r#""C-2""#, "wrong: form")],
        ),
    ),
    ("viewing.setup", Refuses(r#""at_registration""#)),
    ("viewing.relationship", Refuses(r#"["referred_in"]"#)),
    (
        "viewing.window.back",
        Seen(
            window,
            [
                (r#""P2Y""#, "2024-04-01 to ever"),
                (r#""unlimited""#, "ever to ever"),
            ],
        ),
    ),
    (
        "viewing.window.forward",
        Seen(
            window,
            [
                (r#""P30D""#, "ever to 2026-05-01"),
                (r#""unlimited""#, "ever to ever"),
            ],
        ),
    ),
    ("viewing.window.back_anchor", Refuses(r#""signature""#)),
    ("viewing.window.extend_on_view", Refuses("true")),
    (
        "retention.after_last_view",
        Seen(
            hub::after_a_month,
            [(r#""P30D""#, "erased"), (r#""P31D""#, "active")],
        ),
    ),
    (
        "retention.until",
        Seen(
            hub::after_a_month,
            [("2026-05-01", "erased"), ("2026-05-02", "active")],
        ),
    ),
    (
        "withdrawal.mode",
        Refuses(r#""stop_then_delete_on_request""#),
    ),
    ("withdrawal.stop_within", Refuses(r#""PT1H""#)),
    (
        "withdrawal.hold",
        Seen(
            hub::erased_after_withdrawal,
            [(r#""PT0S""#, "0 days"), (r#""P7D""#, "7 days")],
        ),
    ),
    ("custody.without_consent", Refuses(r#""sealed""#)),
    ("output.print", Refuses(r#"["lab"]"#)),
    ("output.save", Refuses(r#"["lab"]"#)),
    (
        "rights",
        Seen(
            physicians_sight,
            [
                (r#"{ physician = ["lab"] }"#, "1"),
                (r#"{ nurse = ["lab"] }"#, "0"),
            ],
        ),
    ),
    (
        "limits.requests_per_minute",
        Seen(requests, [("2", "2"), (r#""unlimited""#, "9")]),
    ),
    (
        "limits.searches_per_minute",
        Seen(searches, [("3", "3"), (r#""unlimited""#, "9")]),
    ),
    (
        "limits.patients_per_hour",
        Seen(patients, [("4", "4"), (r#""unlimited""#, "9")]),
    ),
];

/// The plain profile with one key said otherwise.
fn profile(key: &str, value: &str) -> String {
    let says = |line: &&str| !line.starts_with(&format!("{key} ="));
    let plain: Vec<&str> = PLAIN.lines().filter(says).collect();
    format!("{}\n{key} = {value}\n", plain.join("\n"))
}

fn network(profile: &str) -> Network {
    let parsed = Profile::parse("profile.toml", profile);
    let Some(profile) = parsed.value else {
        panic!("{:?}", parsed.mistakes);
    };
    Network {
        id: "test".to_owned(),
        profile,
        facilities: Facility::parse_all("facilities.tsv", FACILITIES)
            .value
            .unwrap(),
        feeds: std::collections::BTreeMap::new(),
        hash: [3; 32],
    }
}

#[test]
fn gov_two_every_built_key_is_obeyed_or_refuses() {
    for (key, proof) in PROOFS {
        match proof {
            Seen(look, values) => {
                assert_ne!(values[0].1, values[1].1, "{key}");
                for (value, expected) in values {
                    assert_eq!(look(&profile(key, value)), *expected, "{key} = {value}");
                }
            }
            Refuses(value) => {
                let mistakes = Profile::parse("profile.toml", &profile(key, value)).mistakes;
                let found = mistakes
                    .iter()
                    .any(|mistake| mistake.message.contains(&format!("`{key}`")));
                assert!(found, "{key} = {value}: {mistakes:?}");
            }
        }
    }
}

#[test]
fn gov_two_the_table_names_every_built_key() {
    let empty = Profile::parse("profile.toml", "");
    let built = empty.defaults.iter().filter(|taken| taken.built);
    let missing = empty
        .mistakes
        .iter()
        .filter(|mistake| mistake.message.ends_with("is missing"));
    let named = |message: &str| message.split('`').nth(1).unwrap().to_owned();
    let keys: BTreeSet<String> = built
        .map(|taken| taken.key.to_owned())
        .chain(missing.map(|mistake| named(&mistake.message)))
        .collect();
    let proved: BTreeSet<String> = PROOFS.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(proved, keys);
}

/// What `musubi check` says of a network with this profile.
fn checked(profile: &str) -> serde_json::Value {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("test");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("profile.toml"), profile).unwrap();
    std::fs::write(folder.join("facilities.tsv"), FACILITIES).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_musubi"));
    let ended = command.args(["check", "--json"]).arg(&folder).output();
    let report: serde_json::Value = serde_json::from_slice(&ended.unwrap().stdout).unwrap();
    assert_eq!(report["mistakes"], serde_json::json!([]));
    report["networks"][0].clone()
}

/// Title and version, as a person compares them with the paper.
fn title(profile: &str) -> String {
    let served = checked(profile);
    let word = |key: &str| served[key].as_str().unwrap().to_owned();
    format!("{} {}", word("title"), word("version"))
}

/// The hash stands in every row of the audit: what was cited is a part of what was in force.
fn in_the_hash(profile: &str) -> String {
    let plain = self::profile("regulation.cited_guidelines", "[]");
    let same = checked(profile)["hash"] == checked(&plain)["hash"];
    if same { "as without" } else { "another" }.to_owned()
}

fn physicians_sight(profile: &str) -> String {
    let seen = consent::rights(&network(profile).profile, Profession::Physician);
    seen.iter().count().to_string()
}

/// How many of nine at once are let through.
fn admitted(profile: &str, what: fn(u8) -> Use) -> String {
    let mut usage = Usage::new(network(profile).profile.limits);
    let mut admit = |number: &u8| usage.admit(PersonId(1), what(*number), Instant(0)).is_ok();
    (1..10).filter(|number| admit(number)).count().to_string()
}

fn requests(profile: &str) -> String {
    admitted(profile, |_| Use::Request)
}

fn searches(profile: &str) -> String {
    admitted(profile, |_| Use::Search)
}

fn patients(profile: &str) -> String {
    admitted(profile, |number| Use::Patient(PatientId([number; 16])))
}
