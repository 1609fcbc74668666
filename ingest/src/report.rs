//! What a sweep did, for people and metrics. Counts only.

use std::collections::BTreeMap;

use model::feed::Feed;
use model::finding::{Effect, Finding};
use normalize::lint::Rule;
use serde::Serialize;
use store::{Error, Item, Outcome};

use crate::patient::show::SlotKind;

/// Stands among the notices of a feed for the patients whose kept data do not open.
pub const DAMAGED: &str = "damaged";

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Patients on the roster that were looked at.
    pub patients: usize,
    /// Files that gave records.
    pub read: usize,
    /// Files that are kept, of kinds that give no records.
    pub kept: usize,
    /// Files that are kept sealed: of another patient, or unreadable.
    pub withheld: usize,
    /// Files that were renamed or have vanished.
    pub moved: usize,
    /// Bytes read.
    pub bytes: i64,
    /// Findings by rule.
    pub findings: BTreeMap<String, usize>,
    /// Of them those about no file that could be kept; and what else a sweep tells of a feed.
    #[serde(skip)]
    pub(crate) noticed: BTreeMap<String, usize>,
    /// Messages that were pushed once more, with the same bytes under the same control id.
    pub again: usize,
    /// Links that wait for the facility's demographics.
    pub unproved_links: usize,
    /// Links whose demographics disagree with the papers.
    pub closed_links: usize,
    /// Batches that began again because a paper came in between.
    pub repeated: usize,
    /// Patients whose key was not there: their papers have just come, or gone.
    pub waiting: usize,
    /// Patients of whom something kept does not open any more; nothing new of them comes in.
    pub damaged: usize,
    /// Whether losses are paused because too many came at once.
    pub paused: bool,
    /// Errands of papers, erasings among them, that failed before the sweep and are kept.
    pub failed_errands: usize,
}

impl Report {
    /// Counts files that were read.
    pub(crate) fn count(&mut self, feed: &Feed, files: &[(&Item, &[Finding])]) {
        for (item, findings) in files {
            let result = match item.outcome {
                Outcome::Read => {
                    self.read += 1;
                    "read"
                }
                Outcome::Kept => {
                    self.kept += 1;
                    "kept"
                }
                Outcome::Withheld => {
                    self.withheld += 1;
                    "withheld"
                }
            };
            self.bytes += item.size;
            let kind = SlotKind::numbered(item.kind).name().to_owned();
            metrics::counter!("musubi_feed_messages_total", "feed" => feed.id.clone(), "type" => kind, "result" => result)
                .increment(1);
            for finding in *findings {
                *self.findings.entry(finding.rule.clone()).or_default() += 1;
                let effect = match finding.effect {
                    Effect::Publish => "publish",
                    Effect::DropPart => "drop-part",
                    Effect::Withhold => "withhold",
                };
                metrics::counter!("musubi_feed_findings_total", "feed" => feed.id.clone(), "rule" => finding.rule.clone(), "effect" => effect)
                    .increment(1);
            }
        }
        let bytes = files
            .iter()
            .map(|(item, _)| u64::try_from(item.size).unwrap_or(0))
            .sum();
        metrics::counter!("musubi_feed_bytes_total", "feed" => feed.id.clone()).increment(bytes);
    }

    /// Counts what was noticed about a storage, and about no file of it that could be kept.
    pub(crate) fn notice(&mut self, rule: Rule, count: usize) {
        if count > 0 {
            *self.findings.entry(rule.id.to_owned()).or_default() += count;
            *self.noticed.entry(rule.id.to_owned()).or_default() += count;
        }
    }

    /// Counts an error that is about one patient alone: the others go on.
    ///
    /// # Errors
    /// Any other error, as it is.
    pub(crate) fn about_one(&mut self, error: Error) -> Result<(), Error> {
        match error {
            // The key is not made yet, or it is destroyed; or one paper after the other came in.
            Error::NotFound | Error::StaleEpoch => self.waiting += 1,
            Error::Corrupt(_) => {
                self.damaged += 1;
                *self.noticed.entry(DAMAGED.to_owned()).or_default() += 1;
            }
            other => return Err(other),
        }
        Ok(())
    }

    /// Adds what another sweep did.
    pub(crate) fn add(&mut self, other: Self) {
        self.patients += other.patients;
        self.read += other.read;
        self.kept += other.kept;
        self.withheld += other.withheld;
        self.moved += other.moved;
        self.bytes += other.bytes;
        for (rule, count) in other.findings {
            *self.findings.entry(rule).or_default() += count;
        }
        for (rule, count) in other.noticed {
            *self.noticed.entry(rule).or_default() += count;
        }
        self.again += other.again;
        self.unproved_links += other.unproved_links;
        self.closed_links += other.closed_links;
        self.repeated += other.repeated;
        self.waiting += other.waiting;
        self.damaged += other.damaged;
        self.paused |= other.paused;
        self.failed_errands += other.failed_errands;
    }

    /// Files seen anew or changed.
    pub const fn files(&self) -> usize {
        self.read + self.kept + self.withheld
    }
}
