//! What senders pushed, for `musubi status`: numbers only.

use model::feed::Feed;
use serde_json::{Value, json};
use store::{Fate, FateCount, FeedStatus, Reception};

use crate::output::Output;

/// A feed whose senders push.
pub(super) struct Pushed<'a> {
    pub(super) feed: &'a Feed,
    pub(super) status: FeedStatus,
    pub(super) reception: Reception,
    /// What became of messages that were read: all, withheld, kept only.
    pub(super) items: (i64, i64, i64),
}

impl Pushed<'_> {
    /// In one word how the feed stands.
    pub(super) const fn state(&self) -> &'static str {
        match (self.status.up, self.reception.last) {
            (true, _) => "listening",
            (false, None) => "never listened",
            (false, Some(_)) => "cannot listen, or cannot keep",
        }
    }

    /// Whether somebody must look.
    pub(super) const fn waits(&self) -> bool {
        !self.status.up && self.reception.last.is_some()
    }

    fn of(&self, fate: Fate) -> impl Iterator<Item = &FateCount> {
        let counts = self.reception.counts.iter();
        counts.filter(move |count| count.fate == fate)
    }

    fn count(&self, fate: Fate) -> i64 {
        self.of(fate).map(|count| count.count).sum()
    }

    /// Everything for programs.
    pub(super) fn json(&self) -> Value {
        let Reception {
            last,
            waiting,
            oldest,
            held,
            quarantined,
            ..
        } = &self.reception;
        let listed = |fate| {
            let line = |count: &FateCount| json!({ "day": count.day.day().to_string(), "kind": count.kind, "count": count.count });
            self.of(fate).map(line).collect::<Vec<_>>()
        };
        json!({
            "feed": self.feed.id, "facility": self.feed.facility, "state": self.state(), "up": self.status.up,
            "last_at": last.map(|at| at.to_string()),
            "received": self.received(),
            "kept": self.count(Fate::Kept),
            "waiting": waiting,
            "held_for_papers": held,
            "items": self.items.0, "withheld": self.items.1, "kept_only": self.items.2,
            "oldest_waiting_at": oldest.map(|at| at.to_string()),
            "not_on_file": listed(Fate::NotOnFile),
            "refused": listed(Fate::Refused),
            "quarantined": self.count(Fate::Quarantined),
            "quarantine": quarantined.iter().map(|found| json!({
                "rule": found.rule, "count": found.count, "last": found.last.to_string(),
            })).collect::<Vec<_>>(),
        })
    }

    fn received(&self) -> i64 {
        self.reception.counts.iter().map(|count| count.count).sum()
    }

    fn row(&self) -> Vec<String> {
        let last = self.reception.last;
        vec![
            self.feed.id.clone(),
            self.state().to_owned(),
            last.map_or_else(|| "never".to_owned(), |at| at.to_string()),
            self.received().to_string(),
            self.count(Fate::Kept).to_string(),
            self.reception.waiting.to_string(),
            self.reception.held.to_string(),
            self.count(Fate::NotOnFile).to_string(),
            self.count(Fate::Quarantined).to_string(),
            self.count(Fate::Refused).to_string(),
        ]
    }

    /// Of what nothing was kept, by day and kind, the newest first.
    fn not_kept(&self) -> impl Iterator<Item = Vec<String>> {
        let word = |fate| match fate {
            Fate::NotOnFile => Some("not on file"),
            Fate::Refused => Some("refused"),
            Fate::Kept | Fate::Quarantined => None,
        };
        let line = move |count: &FateCount| {
            Some(vec![
                self.feed.id.clone(),
                count.day.day().to_string(),
                word(count.fate)?.to_owned(),
                count.kind.clone(),
                count.count.to_string(),
            ])
        };
        self.reception.counts.iter().filter_map(line)
    }
}

/// So many lines of what was not kept are printed; the JSON has them all.
const LINES: usize = 20;

/// What stands below the table of trees.
pub(super) fn say(output: Output, feeds: &[Pushed<'_>], text_of: fn(&str) -> String) {
    let table = |head: &[&str], rows: Vec<Vec<String>>| {
        let head = head.iter().map(|word| (*word).to_owned()).collect();
        output.table(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    };
    if feeds.is_empty() {
        return;
    }
    output.line("\npushed by senders");
    let head = [
        "feed",
        "state",
        "last",
        "received",
        "kept",
        "waiting",
        "for papers",
        "not on file",
        "quarantined",
        "refused",
    ];
    table(&head, feeds.iter().map(Pushed::row).collect());
    let not_kept: Vec<_> = feeds
        .iter()
        .flat_map(Pushed::not_kept)
        .take(LINES)
        .collect();
    if !not_kept.is_empty() {
        output.line("\nnot kept");
        table(&["feed", "day", "why", "kind or rule", "count"], not_kept);
    }
    let rows = feeds.iter().flat_map(|feed| {
        let found = feed.reception.quarantined.iter();
        found.map(|found| {
            vec![
                feed.feed.id.clone(),
                found.rule.clone(),
                found.count.to_string(),
                found.last.to_string(),
                text_of(&found.rule),
            ]
        })
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        output.line("\nin quarantine for thirty days");
        table(&["feed", "rule", "count", "last", ""], rows);
    }
}
