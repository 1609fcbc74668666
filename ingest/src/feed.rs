//! A feed at work, whatever its kind.

pub(crate) mod mllp;
mod pushed;
mod ssmix;

use std::sync::Arc;

use model::feed::{Feed, Source};
use store::{Error, Store};
use tokio::sync::{Notify, watch};

use self::pushed::Lane;
use self::ssmix::Tree;
use crate::Progress;
use crate::held::until_stop;
use crate::report::Report;

/// Does once what a feed does again and again: sweeps, or accepts what was received.
pub(crate) async fn once(
    feed: &Arc<Feed>,
    store: &Store,
    most: u64,
    progress: Progress<'_>,
) -> Result<Report, Error> {
    match &feed.source {
        Source::SsMix2Tree { .. } => {
            let tree = Tree::new(Arc::clone(feed), store.clone(), most);
            let (begun, jobs) = (store.clock().now(), store.jobs());
            let report = tree.sweep_and_tell(progress).await?;
            let asked = jobs.back_fills(&feed.facility).await?;
            jobs.back_filled(&asked, &feed.facility, begun).await?;
            Ok(report)
        }
        Source::MllpListen(_) => {
            let lane = Lane::new(Arc::clone(feed), store.clone());
            let mut report = Report::default();
            lane.drain(0, &mut report).await?;
            Ok(report)
        }
    }
}

/// Runs a feed until `stop`. One that fails waits and goes on by itself.
pub(crate) async fn run(feed: Arc<Feed>, store: Store, most: u64, stop: watch::Receiver<bool>) {
    match &feed.source {
        Source::SsMix2Tree { sweep, .. } => {
            let tree = Tree::new(Arc::clone(&feed), store, most);
            let work = Box::pin(async {
                tokio::join!(tree.keep_sweeping(*sweep), tree.keep_back_filling());
            });
            until_stop(work, stop).await;
        }
        Source::MllpListen(_) => {
            let arrived = Arc::new(Notify::new());
            let lane = Lane::new(Arc::clone(&feed), store.clone());
            let accepting = until_stop(lane.keep_accepting(&arrived), stop.clone());
            let listening = mllp::listen(feed, store, most, Arc::clone(&arrived), stop);
            tokio::join!(listening, accepting);
        }
    }
}
