//! A regional network as data: the checked form of its profile (運用管理規程 as keys), its facilities
//! and its feeds. `network/profile.rs` lists every key of a profile, `network/facilities.rs` reads
//! the register of facilities.

mod facilities;
mod profile;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::feed::Feed;
use crate::id::FacilityId;
use crate::record::Categories;
use crate::time::Instant;

/// A whole network: what one deployment serves.
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    /// Name of the network's folder; ASCII letters, digits, hyphens.
    pub id: String,
    /// The regulation as keys.
    pub profile: Profile,
    /// The facilities, by code.
    pub facilities: BTreeMap<FacilityId, Facility>,
    /// The feeds, by id.
    pub feeds: BTreeMap<String, Feed>,
    /// SHA-256 over the written forms of profile and facilities; stands in every audit row and grant.
    pub hash: [u8; 32],
}

/// Kind of a facility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FacilityKind {
    /// 病院
    Hospital,
    /// 診療所
    Clinic,
    /// 歯科
    Dental,
    /// 薬局
    Pharmacy,
}

/// A facility of the network: one row of `facilities.tsv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facility {
    /// Ten-digit code.
    pub code: FacilityId,
    /// 施設名
    pub name: String,
    /// フリガナ
    pub kana: String,
    /// Kind.
    pub kind: FacilityKind,
    /// Groups the facility belongs to.
    pub groups: Vec<String>,
    /// What the facility discloses to others.
    pub discloses: Categories,
}

/// 職種: what a person is, and therefore may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the profile's own words")]
pub enum Profession {
    Physician,
    Dentist,
    Pharmacist,
    Nurse,
    RadTech,
    Pt,
    Ot,
    Msw,
    Dietitian,
    Clerk,
    OtherStaff,
    /// 事務局: papers, no clinical data.
    Secretariat,
    /// システム管理者: settings, no patient data.
    Administrator,
}

impl Profession {
    /// All of them, with the word that configuration files and commands use.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Physician, "physician"),
        (Self::Dentist, "dentist"),
        (Self::Pharmacist, "pharmacist"),
        (Self::Nurse, "nurse"),
        (Self::RadTech, "rad_tech"),
        (Self::Pt, "pt"),
        (Self::Ot, "ot"),
        (Self::Msw, "msw"),
        (Self::Dietitian, "dietitian"),
        (Self::Clerk, "clerk"),
        (Self::OtherStaff, "other_staff"),
        (Self::Secretariat, "secretariat"),
        (Self::Administrator, "administrator"),
    ];

    /// The profession of a word, if it is one.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, name)| *name == word)
            .map(|(profession, _)| *profession)
    }

    /// The word of the profession.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(profession, _)| *profession == self)
            .map_or("", |(_, name)| name)
    }

    /// Whether the role is administrative: clinical rights never follow from it.
    pub const fn is_administrative(self) -> bool {
        matches!(self, Self::Secretariat | Self::Administrator)
    }
}

/// A factor that a person can present at sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Factor {
    /// Something known.
    Password,
    /// Something held: RFC 6238 codes.
    Totp,
}

/// A length of time that a regulation names, or `unlimited`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// No limit.
    Unlimited,
    /// ISO 8601 duration of years, months, days and seconds.
    Span {
        /// Years and months, in months.
        months: i32,
        /// Weeks and days, in days.
        days: i32,
        /// Hours, minutes and seconds, in seconds.
        seconds: i64,
    },
}

impl Limit {
    /// When the length of time that begins now is over; never, when it has no end or the calendar
    /// has none that late.
    pub fn after(self, from: Instant) -> Option<Instant> {
        let Self::Span {
            months,
            days,
            seconds,
        } = self
        else {
            return None;
        };
        let span = Span::new()
            .try_months(months)
            .and_then(|span| span.try_days(days))
            .ok()?;
        let day = from.day().checked_add(span).ok()?;
        let into_day = from.0.saturating_sub(Instant::start_of(from.day()).0);
        Some(Instant(Instant::start_of(day).0.saturating_add(into_day)).plus_seconds(seconds))
    }
}

/// How the network is built (`network.topology`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// One hospital discloses to many.
    OneToMany,
    /// Members disclose to each other.
    Mutual,
    /// Everyone to everyone through the hub, as consents say.
    Hub,
    /// One hospital by itself.
    Single,
}

/// What one consent reaches (`consent.scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentScope {
    /// The sources and readers that the form names.
    PerFacility,
    /// All members, whatever the form names.
    AllMembers,
}

/// From when on a window counts (`viewing.window.back_anchor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The day the consent became active.
    Publication,
}

/// Which occurrences are shown (`viewing.window`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How far before the anchor.
    pub back: Limit,
    /// How far after the anchor.
    pub forward: Limit,
    /// Where both count from.
    pub anchor: Anchor,
}

/// What a withdrawal does (`withdrawal.*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawal {
    /// How long erased data could still come back; viewing stops at once in any case.
    pub hold: Limit,
}

/// How long data stay that nobody views (`retention.*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// After the last view, or after arrival when nobody ever looked.
    pub after_last_view: Limit,
    /// A last day for everything.
    pub until: Option<Date>,
}

/// Rate limits per person (`limits.*`); `None` switches a limit off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute.
    pub requests_per_minute: Option<u32>,
    /// Searches a minute, further pages not counted.
    pub searches_per_minute: Option<u32>,
    /// Different patients asked for an hour, whether or not they exist.
    pub patients_per_hour: Option<u32>,
}

/// The regulation as keys, checked. What is not built yet cannot be set to anything but its safe
/// default, so no rule is accepted and ignored.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Title of the regulation.
    pub title: String,
    /// Version of the regulation.
    pub version: String,
    /// First day of the regulation; nothing opens before it.
    pub effective_from: Date,
    /// The FHIR system of the network's own patient ids, a fixed URI.
    pub patient_system: String,
    /// How the network is built.
    pub topology: Topology,
    /// Last day of the network, if it has one.
    pub ends_on: Option<Date>,
    /// Professions that may have accounts.
    pub professions: BTreeSet<Profession>,
    /// Acceptable combinations of factors for staff.
    pub staff_methods: Vec<BTreeSet<Factor>>,
    /// What one consent reaches.
    pub consent_scope: ConsentScope,
    /// Consent forms that are in force: form and version; empty accepts any.
    pub consent_form: Option<String>,
    /// Which occurrences are shown.
    pub window: Window,
    /// How long data stay that nobody views.
    pub retention: Retention,
    /// What a withdrawal does.
    pub withdrawal: Withdrawal,
    /// What each profession may see.
    pub rights: BTreeMap<Profession, Categories>,
    /// Rate limits.
    pub limits: Limits,
}
