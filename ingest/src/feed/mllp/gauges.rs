//! How much waits, for whoever watches the program.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::feed::Feed;
use store::Store;

const EVERY: Duration = Duration::from_secs(30);

/// Shows the inbox and the quarantine of a feed, again and again.
pub(super) async fn show(feed: Arc<Feed>, store: Store) {
    let mut shown: BTreeMap<String, i64> = BTreeMap::new();
    loop {
        // While the database does not answer, the last numbers stand.
        if let Ok(reception) = store.intake().reception(&feed).await {
            let now = store.clock().now().0;
            let age = reception
                .oldest
                .map_or(0, |oldest| (now - oldest.0) / 1_000_000);
            let labels = [("feed", feed.id.clone()), ("lane", "inbox".to_owned())];
            metrics::gauge!("musubi_feed_queue_depth", &labels).set(number(reception.waiting));
            metrics::gauge!("musubi_feed_oldest_seconds", &labels).set(number(age));
            shown.values_mut().for_each(|count| *count = 0);
            let found = reception.quarantined.into_iter();
            shown.extend(found.map(|found| (found.rule, found.count)));
            for (rule, count) in &shown {
                let labels = [("feed", feed.id.clone()), ("rule", rule.clone())];
                metrics::gauge!("musubi_feed_quarantine_open", &labels).set(number(*count));
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn number(count: i64) -> f64 {
    let fits = i32::try_from(count.max(0)).unwrap_or(i32::MAX);
    f64::from(fits)
}
