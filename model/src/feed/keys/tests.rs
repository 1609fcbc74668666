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
    let dicom = GOOD.replace("ssmix2-tree", "dicom-scp");
    check_beside(
        &BTreeMap::new(),
        &dicom,
        &[
            "6:15 C0121 `source.kind` = \"dicom-scp\" is known, not built yet | write ssmix2-tree or mllp-listen",
        ],
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

const PUSHED: &str = r#"schema = "feed/1"
id = "demo-mllp"
title = "中央病院 HL7"
facility = "1319999901"
state = "active"
source.kind = "mllp-listen"
source.listen = "10.1.2.3:2575"
"#;

/// The mistakes of a feed whose senders push, with lines added at its end (they begin at line 8).
fn check_pushed(added: &str, expected: &[&str]) {
    check_beside(&BTreeMap::new(), &format!("{PUSHED}{added}"), expected);
}

#[test]
fn senders_that_push_are_read_with_their_defaults() {
    let parsed = parse(
        &format!("{PUSHED}source.allow = [\"10.1.2.0/24\"]\n"),
        &BTreeMap::new(),
    );
    let feed = parsed.value.unwrap();
    let Source::MllpListen(mllp) = feed.source else {
        panic!("a feed whose senders push");
    };
    assert_eq!(mllp.listen, "10.1.2.3:2575".parse().unwrap());
    assert_eq!(mllp.allow, ["10.1.2.0/24".parse().unwrap()]);
    assert_eq!(
        (mllp.idle, mllp.connections, mllp.on_failure),
        (Duration::from_secs(86_400), 256, OnFailure::Wait)
    );
    let taken: Vec<&str> = parsed.defaults.iter().map(|taken| taken.key).collect();
    assert!(taken.contains(&"ack.on_failure") && !taken.contains(&"source.sweep"));
}

#[test]
fn each_sender_has_its_own_certificate() {
    let digest = "ab".repeat(32);
    let tls = "[source.tls]\ncertificate = \"a.crt\"\nkey = \"a.key\"\nauthorities = \"ca.crt\"\n";
    let sender = format!("[[source.senders]]\nname = \"his\"\ncertificate = \"{digest}\"\n");
    let feed = parse(&format!("{PUSHED}{tls}{sender}"), &BTreeMap::new());
    let Source::MllpListen(mllp) = feed.value.unwrap().source else {
        panic!("a feed whose senders push");
    };
    assert_eq!(mllp.senders[0].certificate, Some([0xab; 32]));
    assert_eq!(mllp.tls.unwrap().authorities, PathBuf::from("ca.crt"));
    check_pushed(
        &format!("{tls}[[source.senders]]\nname = \"his\"\n"),
        &[
            "0:0 C0123 sender \"his\" has no `certificate`, although there is `source.tls` | `addresses` say who a sender is without TLS, `certificate` with it",
        ],
    );
    check_pushed(
        &sender,
        &[
            "0:0 C0123 sender \"his\" shows a certificate, which it cannot without `source.tls` | `addresses` say who a sender is without TLS, `certificate` with it",
        ],
    );
    check_pushed(
        "[source.tls]\ncertificate = \"a.crt\"\nkye = \"a.key\"\n",
        &["10:1 C0122 `source.tls` does not know \"kye\" | did you mean \"key\"?"],
    );
    check_pushed(
        "source.tls = { certificate = \"a.crt\", key = \"a.key\" }\n",
        &["8:14 C0120 `source.tls` says no `authorities`"],
    );
}

#[test]
fn somebody_must_be_allowed_to_connect() {
    check_pushed(
        "",
        &["0:0 C0120 without `source.tls` it must be said who may connect | write `source.allow`"],
    );
    check_pushed(
        "source.allow = [\"his\"]\n",
        &[
            "8:17 C0102 `source.allow` must be an address such as \"10.1.2.3\" or a block of them such as \"10.1.2.0/24\", not \"his\"",
        ],
    );
}

#[test]
fn a_key_of_another_kind_of_source_is_a_mistake() {
    check_pushed(
        "source.allow = [\"10.1.2.4\"]\nsource.roots = [\"/mnt\"]\n",
        &[
            "9:16 C0123 `source.roots` is a key of another kind of source than \"mllp-listen\" | leave it out, or write `source.kind = \"ssmix2-tree\"`",
        ],
    );
    check(
        "ack.mode = \"original\"\n",
        &[
            "8:12 C0123 `ack.mode` is a key of another kind of source than \"ssmix2-tree\" | leave it out, or write `source.kind = \"mllp-listen\"`",
        ],
    );
}

#[test]
fn other_modes_of_acknowledgement_are_not_built() {
    check_pushed(
        "source.allow = [\"10.1.2.4\"]\nack.mode = \"enhanced\"\n",
        &["9:12 C0121 `ack.mode` = \"enhanced\" is known, not built yet | write original"],
    );
    check_pushed(
        "source.allow = [\"10.1.2.4\"]\nack.on_failure = \"AR\"\n",
        &["9:18 C0122 `ack.on_failure` does not know \"AR\" | did you mean \"AE\"?"],
    );
}

#[test]
fn no_two_feeds_listen_at_one_address_and_those_of_one_facility_agree_about_numbers() {
    let allowed = format!("{PUSHED}source.allow = [\"10.1.2.4\"]\n");
    let first = parse(&allowed, &BTreeMap::new()).value.unwrap();
    let others = BTreeMap::from([(first.id.clone(), first)]);
    let everywhere = allowed
        .replace("demo-mllp", "other")
        .replace("10.1.2.3", "0.0.0.0");
    check_beside(
        &others,
        &everywhere,
        &["7:17 C0103 `source.listen` is an address at which feed \"demo-mllp\" listens"],
    );
    check_beside(
        &others,
        &format!("{GOOD}identity.pad_to = 10\n"),
        &[
            "0:0 C0123 `identity` differs from that of feed \"demo-mllp\", which brings data of the same facility | one number is one patient, whichever feed says it: write the same in both",
        ],
    );
    check_beside(&others, GOOD, &[]);
}
