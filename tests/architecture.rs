//! Who may depend on whom. Lines between the rooms go down only, and each outside crate that carries
//! a promise (one place that knows SQL, one that checks passwords, rooms without waiting) has its
//! owners. docs/architecture.md draws the picture.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a look at the workspace that cannot go on fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// The rooms, each with those it may use. `samples` serves tests only, so nothing is above it.
const ROOMS: [(&str, &[&str]); 11] = [
    ("model", &[]),
    ("consent", &["model"]),
    ("normalize", &["model"]),
    ("shell", &["model"]),
    ("store", &["consent", "model"]),
    ("auth", &["consent", "model", "shell", "store"]),
    ("ingest", &["consent", "model", "normalize", "store"]),
    ("office", &["auth", "consent", "model", "shell", "store"]),
    (
        "viewer-api",
        &["auth", "consent", "model", "shell", "store"],
    ),
    (
        "musubi",
        &[
            "auth",
            "consent",
            "ingest",
            "model",
            "normalize",
            "office",
            "shell",
            "store",
            "viewer-api",
        ],
    ),
    ("samples", &[]),
];

/// Rooms that do no input or output, wait for nothing and read no clock, with all that they may use
/// from outside.
const PURE: [(&str, &[&str]); 3] = [
    (
        "model",
        &["data-encoding", "jiff", "serde", "thiserror", "toml"],
    ),
    ("consent", &["jiff"]),
    (
        "normalize",
        &["encoding_rs", "hl7-parser", "jiff", "memchr"],
    ),
];

/// Outside crates that carry a promise, and the rooms that may use them.
const OWNERS: [(&str, &[&str]); 22] = [
    // One place knows SQL, and how things are sealed.
    ("sqlx", &["store"]),
    ("aws-lc-rs", &["store"]),
    ("lz4_flex", &["store"]),
    ("object_store", &["store"]),
    // Faces, and the program that puts them together.
    ("axum", &["auth", "musubi", "office", "shell", "viewer-api"]),
    ("tower-http", &["musubi"]),
    ("askama", &["auth", "office", "shell", "viewer-api"]),
    ("rust-embed", &["shell"]),
    // Waiting, and computing.
    (
        "tokio",
        &[
            "auth",
            "ingest",
            "musubi",
            "office",
            "samples",
            "store",
            "viewer-api",
        ],
    ),
    ("tokio-rustls", &["ingest"]),
    ("futures-util", &["ingest"]),
    ("rayon", &["ingest"]),
    ("rustix", &["ingest"]),
    // Bytes of hospitals.
    ("hl7-parser", &["normalize"]),
    ("encoding_rs", &["normalize", "samples"]),
    // Who asks.
    ("argon2", &["auth"]),
    ("totp-rs", &["auth"]),
    ("zxcvbn", &["auth"]),
    // The command line and what it shows.
    ("anyhow", &["musubi"]),
    ("clap", &["musubi", "samples"]),
    ("metrics-exporter-prometheus", &["musubi"]),
    ("tracing-subscriber", &["musubi"]),
];

/// A line of some `[dependencies]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    room: String,
    needs: String,
    in_tests: bool,
}

fn metadata() -> Value {
    let mut cargo = Command::new(env!("CARGO"));
    // Without the graph of the outside crates nothing has to be fetched.
    cargo.args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
        "--offline",
    ]);
    let output = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn texts<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item[field].as_str().unwrap()).collect()
}

fn uses() -> Vec<Use> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let of_room = |package: &Value| {
        let room = package["name"].as_str().unwrap().to_owned();
        let lines = package["dependencies"].as_array().unwrap().clone();
        lines.into_iter().map(move |line| Use {
            room: room.clone(),
            needs: line["name"].as_str().unwrap().to_owned(),
            in_tests: line["kind"] == "dev",
        })
    };
    packages.iter().flat_map(of_room).collect()
}

fn allowed<'a>(table: &[(&str, &'a [&'a str])], name: &str) -> Option<&'a [&'a str]> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, allowed)| *allowed)
}

fn is_room(name: &str) -> bool {
    allowed(&ROOMS, name).is_some()
}

/// What the house does not allow.
fn offences(uses: &[Use]) -> Vec<String> {
    let offends = |one: &&Use| {
        let Use {
            room,
            needs,
            in_tests,
        } = one;
        if is_room(needs) {
            let below = allowed(&ROOMS, room).is_some_and(|rooms| rooms.contains(&needs.as_str()));
            return !(below || *in_tests && needs == "samples");
        }
        let stranger =
            allowed(&PURE, room).is_some_and(|outside| !outside.contains(&needs.as_str()));
        let not_owner =
            allowed(&OWNERS, needs).is_some_and(|owners| !owners.contains(&room.as_str()));
        !*in_tests && (stranger || not_owner)
    };
    uses.iter()
        .filter(offends)
        .map(|one| format!("{} must not use {}", one.room, one.needs))
        .collect()
}

/// What is said of one line.
fn check(room: &str, needs: &str, in_tests: bool, is_allowed: bool) {
    let one = Use {
        room: room.to_owned(),
        needs: needs.to_owned(),
        in_tests,
    };
    assert_eq!(
        offences(&[one]).is_empty(),
        is_allowed,
        "{room} uses {needs}"
    );
}

#[test]
fn every_line_between_rooms_goes_down_and_every_outside_crate_stays_with_its_owners() {
    assert_eq!(offences(&uses()), Vec::<String>::new());
}

#[test]
fn every_room_is_named_here_and_built_by_default() {
    let metadata = metadata();
    let packages: BTreeSet<&str> = texts(&metadata["packages"], "name").into_iter().collect();
    assert_eq!(packages, ROOMS.iter().map(|(room, _)| *room).collect());
    let members = |field: &str| {
        metadata[field]
            .as_array()
            .unwrap()
            .iter()
            .map(ToString::to_string)
    };
    let all: BTreeSet<String> = members("workspace_members").collect();
    assert_eq!(all, members("workspace_default_members").collect());
}

#[test]
fn every_room_says_its_licence() {
    let metadata = metadata();
    assert!(
        texts(&metadata["packages"], "license")
            .iter()
            .all(|licence| *licence == "Apache-2.0 OR MIT")
    );
}

#[test]
fn the_faces_cannot_read_bytes_of_hospitals() {
    check("viewer-api", "normalize", false, false);
    check("viewer-api", "ingest", false, false);
}

#[test]
fn pure_rooms_take_nothing_from_outside_that_is_not_listed() {
    check("consent", "serde", false, false);
    check("normalize", "tokio", false, false);
    check("normalize", "proptest", true, true);
}

#[test]
fn only_the_store_knows_sql() {
    check("office", "sqlx", false, false);
    check("store", "sqlx", false, true);
}

#[test]
fn samples_serve_tests_only() {
    check("ingest", "samples", true, true);
    check("ingest", "samples", false, false);
    check("samples", "model", false, false);
}

/// `fuzz/` is a workspace of its own with versions of its own, which nothing else builds: what a room
/// takes in must stand there too, or `make fuzz` refuses to start.
#[test]
fn the_fuzz_targets_know_what_their_rooms_need() {
    let lock = include_str!("../fuzz/Cargo.lock");
    let packages = lock.split("[[package]]\n");
    let locked: BTreeMap<&str, &str> = packages
        .filter_map(|package| {
            let name = package.strip_prefix("name = \"")?;
            Some((name.split_once('"')?.0, package))
        })
        .collect();
    let missing: Vec<Use> = uses()
        .into_iter()
        .filter(|line| !line.in_tests)
        .filter(|line| {
            let package = locked.get(line.room.as_str());
            // A name stands alone, or before a version where there are several.
            package.is_some_and(|package| !package.contains(&format!("\n \"{}", line.needs)))
        })
        .collect();
    assert_eq!(
        missing,
        [],
        "cargo metadata --manifest-path fuzz/Cargo.toml"
    );
    assert!(locked.contains_key("normalize"));
}
