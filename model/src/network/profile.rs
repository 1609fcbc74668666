//! The written form of a network's regulation: every key of `profile.toml`, with what holds when it
//! is absent. A key that nothing obeys yet can only be left at its safe default, so that no rule is
//! accepted and ignored.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::mistake::rule;
use crate::network::{
    Anchor, ConsentScope, Factor, Limit, Limits, Profession, Profile, Retention, Topology, Window,
    Withdrawal,
};
use crate::record::{Categories, Category};
use crate::written::{Entry, Key, Parsed, Word, put, read};

/// Every key of a profile, in the order of the regulation's chapters.
const KEYS: &[Key<Profile>] = &[
    Key::required("schema", |_, e| e.exactly("profile/1")),
    Key::required("regulation.title", |p, e| {
        put(&mut p.title, e.text().map(str::to_owned))
    }),
    Key::required("regulation.version", |p, e| {
        put(&mut p.version, e.text().map(str::to_owned))
    }),
    Key::required("regulation.effective_from", |p, e| {
        put(&mut p.effective_from, e.date())
    }),
    Key::new("regulation.cited_guidelines", "[]", |_, e| texts(e)),
    Key::new("network.topology", r#""hub""#, |p, e| {
        put(&mut p.topology, e.word(TOPOLOGIES))
    }),
    Key::optional("network.ends_on", |p, e| {
        put(&mut p.ends_on, e.date().map(Some))
    }),
    Key::required("network.patient_system", |p, e| {
        put(&mut p.patient_system, uri(e))
    }),
    Key::new("users.professions", "[]", |p, e| {
        put(&mut p.professions, professions(e))
    }),
    Key::not_built("users.emr_launch.enabled", "false"),
    Key::not_built("users.emr_launch.auto_provision", "false"),
    Key::not_built("users.pledge_required", "true"),
    Key::not_built_at_all("approval.facility"),
    Key::not_built_at_all("approval.user"),
    Key::not_built_at_all("approval.device"),
    Key::not_built_at_all("approval.deletion"),
    Key::new("auth.methods.staff", r#"[["password", "totp"]]"#, |p, e| {
        put(&mut p.staff_methods, methods(e))
    }),
    Key::not_built_at_all("auth.methods.patient"),
    Key::not_built_at_all("auth.password.staff.max_age"),
    Key::not_built_at_all("auth.password.patient.min_len"),
    Key::not_built_at_all("auth.password.patient.charset"),
    Key::not_built_at_all("auth.password.patient.max_age"),
    Key::new("consent.scope", r#""per_facility""#, |p, e| {
        put(&mut p.consent_scope, e.word(SCOPES))
    }),
    Key::optional("consent.form", |p, e| {
        put(
            &mut p.consent_form,
            e.text().map(|form| Some(form.to_owned())),
        )
    }),
    Key::not_built_at_all("consent.proxies"),
    Key::not_built("consent.original_kept_by", r#""secretariat""#),
    Key::new("viewing.setup", r#""per_application""#, |_, e| {
        e.word(SETUPS).map(drop)
    }),
    Key::new("viewing.relationship", r#"["all"]"#, |_, e| {
        e.words(&RELATIONSHIPS).map(drop)
    }),
    Key::new("viewing.window.back", r#""P0D""#, |p, e| {
        put(&mut p.window.back, e.limit())
    }),
    Key::new("viewing.window.forward", r#""P0D""#, |p, e| {
        put(&mut p.window.forward, e.limit())
    }),
    Key::new("viewing.window.back_anchor", r#""publication""#, |p, e| {
        put(&mut p.window.anchor, e.word(ANCHORS))
    }),
    Key::only("viewing.window.extend_on_view", "false"),
    Key::new("retention.after_last_view", r#""P999D""#, |p, e| {
        put(&mut p.retention.after_last_view, e.limit())
    }),
    Key::optional("retention.until", |p, e| {
        put(&mut p.retention.until, e.date().map(Some))
    }),
    Key::new("withdrawal.mode", r#""stop_and_delete""#, |_, e| {
        e.word(WITHDRAWALS).map(drop)
    }),
    Key::only("withdrawal.stop_within", r#""PT0S""#),
    Key::new("withdrawal.hold", r#""P7D""#, |p, e| {
        put(&mut p.withdrawal.hold, e.limit())
    }),
    Key::not_built("withdrawal.notice.completion", "true"),
    Key::new("custody.without_consent", r#""none""#, |_, e| {
        e.word(CUSTODIES).map(drop)
    }),
    Key::not_built_at_all("custody.expiry"),
    Key::only("output.print", "[]"),
    Key::only("output.save", "[]"),
    Key::not_built("input.enabled", "false"),
    Key::not_built("input.confirm_required", "true"),
    Key::not_built_at_all("input.assistant_confirmer"),
    Key::not_built("patient.portal", "false"),
    Key::not_built("patient.ic_card", "false"),
    Key::not_built("patient.self_entered", "false"),
    Key::not_built("btg.enabled", "false"),
    Key::not_built_at_all("btg.triggers"),
    Key::not_built_at_all("btg.ttl"),
    Key::not_built_at_all("btg.categories"),
    Key::not_built_at_all("btg.signature_required"),
    Key::not_built_at_all("btg.review_within"),
    Key::not_built("devices.registration", "true"),
    Key::not_built("devices.certificate_required", "true"),
    Key::not_built_at_all("devices.checklist"),
    Key::not_built_at_all("suspension.by"),
    Key::not_built_at_all("suspension.consult"),
    Key::not_built_at_all("suspension.prior_notice"),
    Key::not_built("ops.monitor.ping_interval", r#""PT5M""#),
    Key::not_built_at_all("ops.stop.reasons"),
    Key::not_built("ops.stop.planned_notice", r#""P3D""#),
    Key::not_built("ops.stop.discontinue_notice", r#""P6M""#),
    Key::not_built_at_all("support.hours"),
    Key::not_built_at_all("support.sites"),
    Key::new("rights", RIGHTS, |p, e| put(&mut p.rights, rights(e))),
    // A page of the viewer makes about five requests; two pages a second are more than anyone reads.
    Key::new("limits.requests_per_minute", "600", |p, e| {
        put(&mut p.limits.requests_per_minute, e.number_or_unlimited())
    }),
    Key::new("limits.searches_per_minute", "30", |p, e| {
        put(&mut p.limits.searches_per_minute, e.number_or_unlimited())
    }),
    Key::new("limits.patients_per_hour", "200", |p, e| {
        put(&mut p.limits.patients_per_hour, e.number_or_unlimited())
    }),
];

const TOPOLOGIES: [Word<Topology>; 4] = [
    ("one_to_many", Some(Topology::OneToMany)),
    ("mutual", Some(Topology::Mutual)),
    ("hub", Some(Topology::Hub)),
    ("single", Some(Topology::Single)),
];
const SCOPES: [Word<ConsentScope>; 3] = [
    ("per_facility", Some(ConsentScope::PerFacility)),
    ("all_members", Some(ConsentScope::AllMembers)),
    ("project", None),
];
const SETUPS: [Word<()>; 3] = [
    ("per_application", None),
    ("on_consent_all", Some(())),
    ("at_registration", None),
];
const RELATIONSHIPS: [Word<()>; 6] = [
    ("all", None),
    ("referred_in", None),
    ("referred_out", None),
    ("kakaritsuke_with_visit", None),
    ("visit_history_any_member", None),
    ("own_patient", None),
];
const ANCHORS: [Word<Anchor>; 1] = [("publication", Some(Anchor::Publication))];
const WITHDRAWALS: [Word<()>; 2] = [
    ("stop_and_delete", Some(())),
    ("stop_then_delete_on_request", None),
];
const CUSTODIES: [Word<()>; 2] = [("none", Some(())), ("sealed", None)];
const FACTORS: [Word<Factor>; 9] = [
    ("password", Some(Factor::Password)),
    ("totp", Some(Factor::Totp)),
    ("passkey", None),
    ("devcert", None),
    ("hpki", None),
    ("hpki_test", None),
    ("orgcert", None),
    ("ledger", None),
    ("emr_launch", None),
];

/// What pharmacists and clerks see where the regulation is silent; everybody else sees nothing.
const RIGHTS: &str = r#"{ pharmacist = ["demographics", "allergy", "prescription", "dispensing", "injection", "lab"], clerk = ["demographics"] }"#;

impl Profile {
    /// Reads `profile.toml`. The file's name is given for the places of mistakes only.
    pub fn parse(file: &str, text: &str) -> Parsed<Self> {
        read(file, text, KEYS, Self::blank())
    }

    /// Opens nothing to nobody.
    fn blank() -> Self {
        let nothing = Limit::Span {
            months: 0,
            days: 0,
            seconds: 0,
        };
        Self {
            title: String::new(),
            version: String::new(),
            effective_from: Date::MAX,
            patient_system: String::new(),
            topology: Topology::Hub,
            ends_on: None,
            professions: BTreeSet::new(),
            staff_methods: Vec::new(),
            consent_scope: ConsentScope::PerFacility,
            consent_form: None,
            window: Window {
                back: nothing,
                forward: nothing,
                anchor: Anchor::Publication,
            },
            retention: Retention {
                after_last_view: nothing,
                until: None,
            },
            withdrawal: Withdrawal { hold: nothing },
            rights: BTreeMap::new(),
            limits: Limits {
                requests_per_minute: None,
                searches_per_minute: None,
                patients_per_hour: None,
            },
        }
    }
}

/// A list of texts.
fn texts(entry: &Entry<'_>) -> Option<()> {
    let texts: Vec<_> = entry.items()?.iter().map(Entry::text).collect();
    texts.iter().all(Option::is_some).then_some(())
}

/// An absolute URI without blanks.
fn uri(entry: &Entry<'_>) -> Option<String> {
    let text = entry.text()?;
    let (scheme, rest) = text.split_once(':').unwrap_or_default();
    let is_uri = ["urn", "http", "https"].contains(&scheme)
        && !rest.is_empty()
        && !text.contains(char::is_whitespace);
    if !is_uri {
        entry.wrong_type("a URI such as \"urn:musubi:example:patient\"");
    }
    is_uri.then(|| text.to_owned())
}

fn professions(entry: &Entry<'_>) -> Option<BTreeSet<Profession>> {
    let built = Profession::ALL.map(|(profession, name)| (name, Some(profession)));
    let words = built
        .into_iter()
        .chain([("assistant", None), ("patient", None), ("staff", None)]);
    entry.words(&words).map(BTreeSet::from_iter)
}

/// A list of combinations; each has at least two factors.
fn methods(entry: &Entry<'_>) -> Option<Vec<BTreeSet<Factor>>> {
    let combinations = entry.items()?;
    if combinations.is_empty() {
        entry.refuse(rule::REFUSED, "leaves nobody a way to sign in", None);
        return None;
    }
    let read = |combination: &Entry<'_>| {
        let factors: BTreeSet<Factor> = combination.words(&FACTORS)?.into_iter().collect();
        if factors.len() < 2 {
            combination.refuse(
                rule::REFUSED,
                "needs two different factors in every combination",
                None,
            );
            return None;
        }
        Some(factors)
    };
    let combinations: Vec<_> = combinations.iter().map(read).collect();
    combinations.into_iter().collect()
}

/// What each profession sees: lists of categories, `["*"]` for all of them.
fn rights(entry: &Entry<'_>) -> Option<BTreeMap<Profession, Categories>> {
    let read = |(place, name, value): (Entry<'_>, &str, Entry<'_>)| {
        let known = Profession::ALL.map(|(profession, name)| (name, Some(profession)));
        let profession = place.means(name, known);
        let categories = categories(&value);
        if profession.is_some_and(Profession::is_administrative) {
            place.refuse(rule::REFUSED, &format!("gives nothing to {name}: clinical rights never follow from an administrative role"), None);
            return None;
        }
        Some((profession?, categories?))
    };
    let rights: Vec<_> = entry.members()?.into_iter().map(read).collect();
    rights.into_iter().collect()
}

fn categories(entry: &Entry<'_>) -> Option<Categories> {
    let categories = Category::ALL.map(|(category, name)| (name, Some(Categories(category.bit()))));
    let all = [("*", Some(Categories::ALL))];
    let words = entry.words(&all.into_iter().chain(categories))?;
    Some(words.into_iter().fold(Categories::NONE, Categories::or))
}

#[cfg(test)]
mod tests;
