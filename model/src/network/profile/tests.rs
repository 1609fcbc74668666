use super::*;
use crate::mistake::brief;

/// The shortest profile that is accepted.
const GOOD: &str = r#"schema = "profile/1"
regulation = { title = "例", version = "1", effective_from = 2026-04-01 }
network.patient_system = "urn:musubi:example:patient"
viewing.setup = "on_consent_all"
viewing.relationship = []
"#;

/// What is wrong with a profile, each as `line:column rule message | help`.
fn mistakes(text: &str) -> Vec<String> {
    brief(&Profile::parse("profile.toml", text).mistakes)
}

/// The mistakes of the shortest profile with lines added at its end (they begin at line 6).
fn check(added: &str, expected: &[&str]) {
    assert_eq!(mistakes(&format!("{GOOD}{added}")), expected, "{added}");
}

fn profile(added: &str) -> Profile {
    Profile::parse("profile.toml", &format!("{GOOD}{added}"))
        .value
        .unwrap()
}

#[test]
fn an_absent_key_takes_the_safe_default() {
    let profile = profile("");
    assert_eq!(profile.topology, Topology::Hub);
    assert!(profile.professions.is_empty());
    assert_eq!(
        profile.staff_methods,
        [BTreeSet::from([Factor::Password, Factor::Totp])]
    );
    assert_eq!(
        profile.window.back,
        Limit::Span {
            months: 0,
            days: 0,
            seconds: 0
        }
    );
    assert_eq!(
        profile.withdrawal.hold,
        Limit::Span {
            months: 0,
            days: 7,
            seconds: 0
        }
    );
    assert_eq!(
        profile.rights.keys().copied().collect::<Vec<_>>(),
        [Profession::Pharmacist, Profession::Clerk]
    );
}

#[test]
fn the_defaults_that_were_taken_are_listed_as_one_would_write_them() {
    let parsed = Profile::parse("profile.toml", GOOD);
    let taken = |key: &str| {
        parsed
            .defaults
            .iter()
            .find(|taken| taken.key == key)
            .map(|taken| taken.value)
    };
    assert_eq!(taken("withdrawal.hold"), Some("\"P7D\""));
    assert_eq!(taken("network.ends_on"), Some("none"));
    assert_eq!(taken("viewing.setup"), None);
}

#[test]
fn every_default_is_a_value_that_its_key_accepts_or_is_not_built() {
    let not_built: Vec<String> = mistakes("")
        .into_iter()
        .filter(|line| !line.contains("is missing"))
        .collect();
    assert_eq!(
        not_built,
        [
            "0:0 C0121 `viewing.setup` is absent, and its safe default \"per_application\" is known, not built yet | write on_consent_all",
            "0:0 C0121 `viewing.relationship` is absent, and its safe default [\"all\"] is known, not built yet | leave the list empty",
        ]
    );
}

#[test]
fn what_must_be_written_is_asked_for() {
    let missing = mistakes("")
        .into_iter()
        .filter(|line| line.contains("is missing"))
        .count();
    assert_eq!(missing, 5);
}

#[test]
fn a_misspelt_key_gets_a_suggestion() {
    check(
        "withdrawal.hodl = \"P7D\"\n",
        &["6:12 C0101 unknown key `withdrawal.hodl` | did you mean `withdrawal.hold`?"],
    );
    check(
        "[veiwing.window]\nback = \"P2Y\"\n",
        &["6:2 C0101 unknown key `veiwing` | did you mean `viewing`?"],
    );
    check(
        "ends_on = 2030-03-31\n",
        &["6:1 C0101 unknown key `ends_on` | did you mean `network.ends_on`?"],
    );
    check("xyz = 1\n", &["6:1 C0101 unknown key `xyz`"]);
}

#[test]
fn the_type_and_the_unit_must_fit() {
    check(
        "retention = \"P1Y\"\n",
        &["6:13 C0102 `retention` is a table, not a string"],
    );
    check(
        "users.professions = \"physician\"\n",
        &["6:21 C0102 `users.professions` must be a list, not \"physician\""],
    );
    check(
        "withdrawal.hold = 7\n",
        &[
            "6:19 C0102 `withdrawal.hold` must be an ISO 8601 duration such as \"P2Y\", \"P30D\" or \"PT0S\", or \"unlimited\", not a value of type integer",
        ],
    );
    check(
        "withdrawal.hold = \"7d\"\n",
        &[
            "6:19 C0102 `withdrawal.hold` must be an ISO 8601 duration such as \"P2Y\", \"P30D\" or \"PT0S\", or \"unlimited\", not \"7d\"",
        ],
    );
    check(
        "network.ends_on = \"2026-02-30\"\n",
        &["6:19 C0102 `network.ends_on` must be a date such as 2026-04-01, not \"2026-02-30\""],
    );
    check(
        "limits.searches_per_minute = 0\n",
        &[
            "6:30 C0102 `limits.searches_per_minute` must be a whole number above zero, or \"unlimited\", not a value of type integer",
        ],
    );
    check(
        "patient.portal = \"no\"\n",
        &["6:18 C0102 `patient.portal` must be a value like false, not \"no\""],
    );
}

#[test]
fn unlimited_is_a_value_of_every_duration() {
    let profile = profile(
        "viewing.window = { back = \"unlimited\", forward = \"unlimited\" }\nretention.after_last_view = \"unlimited\"\nwithdrawal.hold = \"unlimited\"\nlimits.requests_per_minute = \"unlimited\"\n",
    );
    assert_eq!(
        (profile.window.back, profile.window.forward),
        (Limit::Unlimited, Limit::Unlimited)
    );
    assert_eq!(
        (profile.retention.after_last_view, profile.withdrawal.hold),
        (Limit::Unlimited, Limit::Unlimited)
    );
    assert_eq!(profile.limits.requests_per_minute, None);
}

#[test]
fn professions_and_categories_are_known_words() {
    check(
        "users.professions = [\"physician\", \"nurze\"]\n",
        &["6:35 C0122 `users.professions` does not know \"nurze\" | did you mean \"nurse\"?"],
    );
    check(
        "users.professions = [\"patient\"]\n",
        &[
            "6:22 C0121 `users.professions` = \"patient\" is known, not built yet | write physician or dentist or pharmacist or nurse or rad_tech or pt or ot or msw or dietitian or clerk or other_staff or secretariat or administrator",
        ],
    );
    check(
        "[rights]\nnurse = [\"lab\", \"labs\"]\nphysican = [\"*\"]\n",
        &[
            "7:17 C0122 `rights` does not know \"labs\" | did you mean \"lab\"?",
            "8:1 C0122 `rights` does not know \"physican\" | did you mean \"physician\"?",
        ],
    );
}

#[test]
fn clinical_rights_never_follow_from_an_administrative_role() {
    check(
        "rights.secretariat = [\"lab\"]\n",
        &[
            "6:8 C0123 `rights` gives nothing to secretariat: clinical rights never follow from an administrative role",
        ],
    );
}

#[test]
fn a_star_means_all_categories() {
    assert_eq!(
        profile("rights.physician = [\"*\"]\n")
            .rights
            .get(&Profession::Physician),
        Some(&Categories::ALL)
    );
}

#[test]
fn sign_in_takes_two_factors() {
    check(
        "auth.methods.staff = [[\"password\"]]\n",
        &["6:23 C0123 `auth.methods.staff` needs two different factors in every combination"],
    );
    check(
        "auth.methods.staff = [[\"totp\", \"totp\"]]\n",
        &["6:23 C0123 `auth.methods.staff` needs two different factors in every combination"],
    );
    check(
        "auth.methods.staff = []\n",
        &["6:22 C0123 `auth.methods.staff` leaves nobody a way to sign in"],
    );
    check(
        "auth.methods.staff = [[\"password\", \"hpki\"]]\n",
        &[
            "6:36 C0121 `auth.methods.staff` = \"hpki\" is known, not built yet | write password or totp",
        ],
    );
}

#[test]
fn what_is_not_built_may_only_stand_at_its_safe_default() {
    check(
        "patient.portal = false\ndevices.registration = true\noutput.print = []\nops.stop.planned_notice = \"P3D\"\n",
        &[],
    );
    check(
        "patient.portal = true\n",
        &["6:18 C0121 `patient.portal` is known, not built yet | leave it out, or write false"],
    );
    check(
        "output.print = [\"lab\"]\n",
        &["6:16 C0121 `output.print` is known, not built yet | leave it out, or write []"],
    );
    check(
        "custody.without_consent = \"sealed\"\n",
        &["6:27 C0121 `custody.without_consent` = \"sealed\" is known, not built yet | write none"],
    );
    check(
        "withdrawal.mode = \"stop_then_delete_on_request\"\n",
        &[
            "6:19 C0121 `withdrawal.mode` = \"stop_then_delete_on_request\" is known, not built yet | write stop_and_delete",
        ],
    );
    check(
        "btg = { enabled = true, ttl = \"PT2H\" }\n",
        &[
            "6:19 C0121 `btg.enabled` is known, not built yet | leave it out, or write false",
            "6:31 C0121 `btg.ttl` is known, not built yet | leave it out",
        ],
    );
    check(
        "[[consent.proxies]]\nrelation = \"child\"\n",
        &["6:1 C0121 `consent.proxies` is known, not built yet | leave it out"],
    );
}

#[test]
fn all_mistakes_come_at_once_in_the_order_of_the_file() {
    check(
        "limits.searches_per_minute = \"many\"\nusers = { professions = [\"doctor\"], pledge = true }\nwithdrawal.hold = \"soon\"\n",
        &[
            "6:30 C0102 `limits.searches_per_minute` must be a whole number above zero, or \"unlimited\", not \"many\"",
            "7:26 C0122 `users.professions` does not know \"doctor\" | one of: physician, dentist, pharmacist, nurse, rad_tech, pt, ot, msw, dietitian, clerk, other_staff, secretariat, administrator, assistant, patient, staff",
            "7:37 C0101 unknown key `users.pledge`",
            "8:19 C0102 `withdrawal.hold` must be an ISO 8601 duration such as \"P2Y\", \"P30D\" or \"PT0S\", or \"unlimited\", not \"soon\"",
        ],
    );
}

#[test]
fn syntax_errors_do_not_hide_each_other_or_other_mistakes() {
    let found = mistakes(&format!(
        "{GOOD}network.ends_on = \nusers.professions = [\"doctor\"]\npatient.portal = yes\n"
    ));
    let rules: Vec<&str> = found
        .iter()
        .filter_map(|line| line.split(' ').nth(1))
        .collect();
    assert!(
        rules.iter().filter(|rule| **rule == "C0100").count() >= 2,
        "{found:?}"
    );
    assert!(rules.contains(&"C0122"), "{found:?}");
}

#[test]
fn a_key_written_twice_is_a_mistake() {
    let found = mistakes(&format!(
        "{GOOD}withdrawal.hold = \"P1D\"\nwithdrawal.hold = \"P2D\"\n"
    ));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("7:"), "{found:?}");
}

#[test]
fn columns_count_characters_also_behind_japanese_text() {
    check(
        "consent = { form = \"同意書\", scope = \"全員\" }\n",
        &[
            "6:35 C0122 `consent.scope` does not know \"全員\" | one of: per_facility, all_members, project",
        ],
    );
}

#[test]
fn files_of_windows_editors_are_read_with_the_same_places() {
    let windows = format!(
        "\u{feff}{}patient.portal = true\r\n",
        GOOD.replace('\n', "\r\n")
    );
    assert_eq!(
        mistakes(&windows),
        ["6:18 C0121 `patient.portal` is known, not built yet | leave it out, or write false"]
    );
}

#[test]
fn the_schema_is_this_one() {
    let other = GOOD.replace("profile/1", "profile/2");
    assert_eq!(
        mistakes(&other),
        ["1:10 C0102 `schema` must be \"profile/1\", not \"profile/2\""]
    );
}

#[test]
fn patient_ids_have_a_fixed_uri() {
    let other = GOOD.replace("urn:musubi:example:patient", "example patients");
    assert_eq!(
        mistakes(&other),
        [
            "3:26 C0102 `network.patient_system` must be a URI such as \"urn:musubi:example:patient\", not \"example patients\""
        ]
    );
}
