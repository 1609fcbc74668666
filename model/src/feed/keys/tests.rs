use super::*;
use crate::mistake::brief;
use crate::network::FacilityKind;
use crate::record::Categories;

const GOOD: &str = r#"schema = "feed/1"
id = "demo-hospital"
title = "中央病院 SS-MIX2 標準化ストレージ"
facility = "1319999901"
state = "active"
source.kind = "ssmix2-tree"
source.roots = ["/mnt/a/SSMIX2", "/mnt/b/SSMIX2"]
"#;

fn facilities() -> BTreeMap<FacilityId, Facility> {
    let code: FacilityId = "1319999901".parse().unwrap();
    let facility = Facility {
        code: code.clone(),
        name: "中央病院".to_owned(),
        kana: "チュウオウビョウイン".to_owned(),
        kind: FacilityKind::Hospital,
        groups: Vec::new(),
        discloses: Categories::ALL,
    };
    BTreeMap::from([(code, facility)])
}

fn parse(text: &str, feeds: &BTreeMap<String, Feed>) -> Parsed<Feed> {
    Feed::parse(
        "feeds/demo.toml",
        text,
        [7; 32],
        Neighbours {
            facilities: Some(&facilities()),
            feeds,
        },
    )
}

/// The mistakes of a feed beside others, each as `line:column rule message | help`.
fn check_beside(feeds: &BTreeMap<String, Feed>, text: &str, expected: &[&str]) {
    assert_eq!(brief(&parse(text, feeds).mistakes), expected, "{text}");
}

/// The mistakes of the good feed with lines added at its end (they begin at line 8).
fn check(added: &str, expected: &[&str]) {
    check_beside(&BTreeMap::new(), &format!("{GOOD}{added}"), expected);
}

#[test]
fn a_feed_is_read_with_its_defaults() {
    let parsed = parse(GOOD, &BTreeMap::new());
    let feed = parsed.value.unwrap();
    assert_eq!(
        (feed.id.as_str(), feed.state, feed.hash),
        ("demo-hospital", FeedState::Active, [7; 32])
    );
    assert_eq!(feed.fallback, Fallback::Cp932);
    assert_eq!(
        feed.source,
        Source::SsMix2Tree {
            roots: vec!["/mnt/a/SSMIX2".into(), "/mnt/b/SSMIX2".into()],
            sweep: Duration::from_secs(600),
            settle: Duration::from_secs(2),
        }
    );
    assert!(
        parsed
            .defaults
            .iter()
            .any(|taken| taken.key == "source.sweep" && taken.value == "\"10m\"")
    );
}

#[test]
fn what_is_written_goes_before_the_defaults() {
    let text = format!(
        "{GOOD}quirks = [\"oml11-merge\"]\nidentity = {{ strip_leading_zeros = true, pad_to = 10 }}\ndecode.fallback = \"euc-jp\"\nsource.settle = \"500ms\"\n"
    );
    let feed = parse(&text, &BTreeMap::new()).value.unwrap();
    assert!(feed.has(Quirk::Oml11Merge));
    assert_eq!(
        feed.identity,
        Identity {
            strip_leading_zeros: true,
            pad_to: Some(10)
        }
    );
    assert_eq!(feed.fallback, Fallback::EucJp);
}

#[test]
fn units_are_asked_for() {
    check(
        "source.sweep = \"10\"\n",
        &[
            "8:16 C0102 `source.sweep` must be a duration with a unit (ms, s, m, h, d) such as \"10m\", not \"10\"",
        ],
    );
    check(
        "source.sweep = \"PT10M\"\n",
        &[
            "8:16 C0102 `source.sweep` must be a duration with a unit (ms, s, m, h, d) such as \"10m\", not \"PT10M\"",
        ],
    );
    check(
        "source.settle = 2\n",
        &[
            "8:17 C0102 `source.settle` must be a duration with a unit (ms, s, m, h, d) such as \"10m\", not a value of type integer",
        ],
    );
    check(
        "identity.pad_to = 99\n",
        &[
            "8:19 C0102 `identity.pad_to` must be a whole number from 1 to 15, not a value of type integer",
        ],
    );
}

#[test]
fn words_and_keys_get_suggestions() {
    check(
        "quirks = [\"adt61delta\"]\n",
        &["8:11 C0122 `quirks` does not know \"adt61delta\" | did you mean \"adt61-delta\"?"],
    );
    check(
        "source.swep = \"10m\"\n",
        &["8:8 C0101 unknown key `source.swep` | did you mean `source.sweep`?"],
    );
}

#[test]
fn rules_about_patients_do_not_stand_in_a_feed() {
    check(
        "[custody]\nmode = \"sealed\"\n",
        &["8:2 C0101 unknown key `custody`"],
    );
    check(
        "[disclosure]\nx = 1\n",
        &["8:2 C0101 unknown key `disclosure`"],
    );
}

#[test]
fn the_facility_is_one_of_the_register() {
    let other = GOOD.replace("1319999901", "1319999909");
    check_beside(
        &BTreeMap::new(),
        &other,
        &["4:12 C0104 `facility` = \"1319999909\" is not in facilities.tsv"],
    );
    let wrong = GOOD.replace("1319999901", "131999990");
    check_beside(
        &BTreeMap::new(),
        &wrong,
        &["4:12 C0102 `facility` must be a facility code of ten digits, not \"131999990\""],
    );
}

#[test]
fn an_unreadable_register_does_not_accuse_the_feeds() {
    let feeds = BTreeMap::new();
    let parsed = Feed::parse(
        "f",
        GOOD,
        [0; 32],
        Neighbours {
            facilities: None,
            feeds: &feeds,
        },
    );
    assert!(parsed.value.is_some());
}

#[test]
fn ids_and_roots_belong_to_one_feed() {
    let first = parse(GOOD, &BTreeMap::new()).value.unwrap();
    let others = BTreeMap::from([(first.id.clone(), first)]);
    check_beside(
        &others,
        GOOD,
        &[
            "2:6 C0103 `id` = \"demo-hospital\" is the id of another feed",
            "7:17 C0106 `source.roots` claims a folder that feed \"demo-hospital\" reads",
            "7:34 C0106 `source.roots` claims a folder that feed \"demo-hospital\" reads",
        ],
    );
    let inside = GOOD.replace("demo-hospital", "other").replace(
        "[\"/mnt/a/SSMIX2\", \"/mnt/b/SSMIX2\"]",
        "[\"/mnt/a/SSMIX2/131\"]",
    );
    check_beside(
        &others,
        &inside,
        &["7:17 C0106 `source.roots` claims a folder that feed \"demo-hospital\" reads"],
    );
}

#[test]
fn a_root_is_named_once() {
    let twice = GOOD.replace("/mnt/b/SSMIX2", "/mnt/a/SSMIX2/");
    check_beside(
        &BTreeMap::new(),
        &twice,
        &["7:34 C0103 `source.roots` names a folder twice"],
    );
    let none = GOOD.replace("[\"/mnt/a/SSMIX2\", \"/mnt/b/SSMIX2\"]", "[]");
    check_beside(
        &BTreeMap::new(),
        &none,
        &["7:16 C0120 `source.roots` names no folder"],
    );
}

#[test]
fn secrets_never_stand_in_a_feed() {
    check(
        "source.password = \"hunter2\"\n",
        &[
            "8:8 C0107 `source.password` is a literal secret | secrets never stand in this file; name the file or the environment variable that holds them",
        ],
    );
    let url = GOOD.replace("/mnt/b/SSMIX2", "smb://his:hunter2@server/share");
    let found = parse(&url, &BTreeMap::new()).mistakes;
    assert_eq!(
        found.iter().map(|mistake| mistake.rule).collect::<Vec<_>>(),
        [rule::LITERAL_SECRET]
    );
    assert!(!found[0].to_string().contains("hunter2"));
}

#[test]
fn what_is_not_built_is_refused() {
    check(
        "[[alert]]\nto = [\"mail:owner\"]\n",
        &["8:1 C0121 `alert` is known, not built yet | leave it out"],
    );
    check("timezone = \"Asia/Tokyo\"\n", &[]);
    check(
        "timezone = \"UTC\"\n",
        &["8:12 C0121 `timezone` is known, not built yet | leave it out, or write \"Asia/Tokyo\""],
    );
    let mllp = GOOD.replace("ssmix2-tree", "mllp-listen");
    check_beside(
        &BTreeMap::new(),
        &mllp,
        &["6:15 C0121 `source.kind` = \"mllp-listen\" is known, not built yet | write ssmix2-tree"],
    );
    let draft = GOOD.replace("\"active\"", "\"draft\"");
    check_beside(
        &BTreeMap::new(),
        &draft,
        &[
            "5:9 C0121 `state` = \"draft\" is known, not built yet | write active or paused or retired",
        ],
    );
}
