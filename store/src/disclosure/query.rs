//! What can be asked about one patient's records. A query is bounded in size, so that it fits one
//! fixed SQL text.

use model::code::CodeSystem;
use model::id::RecordId;
use model::record::Kind;
use model::time::Instant;
use serde::{Deserialize, Serialize};

/// So many alternatives of a code or an id fit one query.
pub(super) const ALTERNATIVES: usize = 16;

/// A code to look for, in one system or in any.
#[derive(Clone)]
pub struct CodeQuery {
    /// The system; any when absent.
    pub system: Option<CodeSystem>,
    /// The code.
    pub code: String,
}

/// Bounds on when something was. Several tests of one search narrow the same bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateFilter {
    from_min: Instant,
    from_max: Instant,
    to_min: Instant,
    to_max: Instant,
    not_within: Option<(Instant, Instant)>,
    asked: bool,
}

impl Default for DateFilter {
    fn default() -> Self {
        let (min, max) = (Instant::MIN, Instant::MAX);
        Self {
            from_min: min,
            from_max: max,
            to_min: min,
            to_max: max,
            not_within: None,
            asked: false,
        }
    }
}

impl DateFilter {
    /// FHIR `eq`: lies within the period.
    pub fn within(&mut self, start: Instant, end: Instant) {
        self.asked = true;
        self.from_min = self.from_min.max(start);
        self.to_max = self.to_max.min(end);
    }

    /// FHIR `ne`: does not lie within the period. Only one such test fits a query; returns whether it
    /// did.
    #[must_use]
    pub const fn not_within(&mut self, start: Instant, end: Instant) -> bool {
        self.asked = true;
        let fits = self.not_within.is_none();
        self.not_within = Some((start, end));
        fits
    }

    /// FHIR `ge` with the period's start, `gt` with the instant after its end: reaches it or later.
    pub fn ends_from(&mut self, earliest: Instant) {
        self.asked = true;
        self.to_min = self.to_min.max(earliest);
    }

    /// FHIR `le` with the period's end, `lt` with the instant before its start: begins by then.
    pub fn begins_by(&mut self, latest: Instant) {
        self.asked = true;
        self.from_max = self.from_max.min(latest);
    }

    /// FHIR `sa` with the instant after the period's end: begins then or later.
    pub fn begins_from(&mut self, earliest: Instant) {
        self.asked = true;
        self.from_min = self.from_min.max(earliest);
    }

    /// FHIR `eb` with the instant before the period's start: ends by then.
    pub fn ends_by(&mut self, latest: Instant) {
        self.asked = true;
        self.to_max = self.to_max.min(latest);
    }

    /// Whether an instant fits, as the queries decide it for an `updated` of theirs.
    pub fn holds(&self, at: Instant) -> bool {
        let [from_min, from_max, to_min, to_max, start, end, _] = self.numbers();
        let least = from_min.max(to_min);
        let most = from_max.min(to_max);
        (least..=most).contains(&at.0) && !(start..=end).contains(&at.0)
    }

    /// Bounds in the order of the query's parameters.
    pub(super) fn numbers(&self) -> [i64; 7] {
        // A period that holds nothing lies within no other: `ne` excludes nothing then.
        let (start, end) = self.not_within.unwrap_or((Instant::MAX, Instant::MIN));
        let asked = i64::from(self.asked);
        [
            self.from_min.0,
            self.from_max.0,
            self.to_min.0,
            self.to_max.0,
            start.0,
            end.0,
            asked,
        ]
    }
}

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Latest occurrence first.
    #[default]
    DateDescending,
    /// Earliest occurrence first.
    DateAscending,
    /// Latest news first.
    UpdatedDescending,
    /// Earliest news first.
    UpdatedAscending,
}

/// A place in an order: the last record that was given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    pub(super) at: i64,
    pub(super) key: i64,
}

/// A question about one patient's records of one kind.
#[derive(Clone)]
pub struct RecordQuery {
    /// Kind of record.
    pub kind: Kind,
    /// Only these records; all when empty. At most sixteen.
    pub ids: Vec<RecordId>,
    /// One of these codes; any when empty. At most sixteen.
    pub codes: Vec<CodeQuery>,
    /// Each mask must meet the record's facets. At most three.
    pub facets: Vec<i64>,
    /// When the facts were true.
    pub occurred: DateFilter,
    /// When they became visible or changed.
    pub updated: DateFilter,
    /// In which order.
    pub sort: Sort,
    /// How many at most.
    pub limit: u32,
    /// After which.
    pub after: Option<Position>,
}

impl RecordQuery {
    /// All records of a kind.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            ids: Vec::new(),
            codes: Vec::new(),
            facets: Vec::new(),
            occurred: DateFilter::default(),
            updated: DateFilter::default(),
            sort: Sort::default(),
            limit: 50,
            after: None,
        }
    }

    /// Whether the query fits the bounds named at its fields.
    pub fn fits(&self) -> bool {
        self.ids.len() <= ALTERNATIVES && self.codes.len() <= ALTERNATIVES && self.facets.len() <= 3
    }
}

/// A page of an answer.
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// How many this requester may see in all.
    pub total: u64,
    /// Where the next page begins; absent on the last one.
    pub next: Option<Position>,
}
