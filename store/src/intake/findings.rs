//! What is wrong with a source, in numbers: findings about files that are kept, and notices about
//! what could not even be kept. Neither names a patient.

use std::collections::BTreeMap;

use model::id::{FacilityId, PatientNumber};
use model::time::Instant;

use super::{Intake, Origin, numbers};
use crate::db::params;
use crate::error::Error;

/// How often a rule was broken in what one feed brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleCount {
    /// Id of the rule.
    pub rule: String,
    /// Files, or places in files.
    pub count: i64,
    /// Version of the newest file concerned; of a notice the time of the sweep.
    pub last: Instant,
}

const FOUND: &str = "select f.rule, count(*), max(i.version) from finding f \
     join item i on i.patient = f.patient and i.slot = f.slot and i.path = f.path \
     where i.facility = $1 and i.origin = $2 group by f.rule order by count(*) desc, f.rule";
const RULES: &str = "select f.patient, f.path, f.ordinal, f.rule from finding f \
     join item i on i.patient = f.patient and i.slot = f.slot and i.path = f.path \
     where i.facility = $1 and f.patient";
const NOTICED: &str =
    "select rule, count, noticed_at from notice where feed = $1 order by count desc, rule";

impl Intake {
    /// Findings about what is kept of a facility and came in this way, by rule, most frequent first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn findings(
        &self,
        facility: &FacilityId,
        origin: Origin,
    ) -> Result<Vec<RuleCount>, Error> {
        let params = params![facility, origin as i64];
        let rows = self.db().fetch_all(FOUND, params).await?;
        Ok(rows.into_iter().map(RuleCount::of).collect())
    }

    /// The rules that the findings about some patients' items name, by patient and path, in their
    /// order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rules(
        &self,
        patients: &[PatientNumber],
        facility: &FacilityId,
    ) -> Result<BTreeMap<(PatientNumber, i64), Vec<String>>, Error> {
        let patients = numbers(patients);
        let rows = self.db().fetch_among_of(RULES, facility, &patients).await?;
        let mut rows: Vec<(i64, i64, i64, String)> = rows;
        rows.sort_unstable();
        let mut rules: BTreeMap<(PatientNumber, i64), Vec<String>> = BTreeMap::new();
        for (patient, path, _, rule) in rows {
            let item = (PatientNumber(patient), path);
            rules.entry(item).or_default().push(rule);
        }
        Ok(rules)
    }

    /// What the last sweep of a feed noticed about files and folders that could not be kept.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn notices(&self, feed: &str) -> Result<Vec<RuleCount>, Error> {
        let rows = self.db().fetch_all(NOTICED, params![feed]).await?;
        Ok(rows.into_iter().map(RuleCount::of).collect())
    }

    /// A sweep of a feed noticed so much, by rule; what the sweep before it noticed is past.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn noticed(&self, feed: &str, counts: &BTreeMap<String, usize>) -> Result<(), Error> {
        let now = self.store.0.clock.now();
        let mut tx = self.db().begin().await?;
        tx.execute("delete from notice where feed = $1", params![feed])
            .await?;
        for (rule, count) in counts {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            let sql = "insert into notice (feed, rule, count, noticed_at) values ($1, $2, $3, $4)";
            tx.execute(sql, params![feed, rule.as_str(), count, now])
                .await?;
        }
        tx.commit().await
    }
}

impl RuleCount {
    pub(super) fn of((rule, count, last): (String, i64, i64)) -> Self {
        Self {
            rule,
            count,
            last: Instant(last),
        }
    }
}
