//! What a process does besides feeds: what follows from papers, and what the regulation asks for
//! again and again. Each is done by one process of the network at a time.

use std::time::Duration;

use store::{Error, Followed, Rewritten, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::held::{until_stop, while_held};

/// How often papers are asked for what must follow from them.
const ERRANDS_EVERY: Duration = Duration::from_millis(250);
/// How often the regulation is asked what is kept no longer, and dead bytes are given back.
const ONCE_A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How often what live feeds brought is looked at, whether it is enough for an object.
const ONCE_A_MINUTE: Duration = Duration::from_secs(60);
/// After a failure a duty waits, twice as long each time, at most so long.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// While nothing but errands that fail is left, a new paper waits no longer than this.
const LONGEST_VAIN_WAIT: Duration = Duration::from_secs(10);

/// Does all of it until `stop`.
pub(crate) fn spawn(tasks: &mut JoinSet<()>, store: &Store, stop: &watch::Receiver<bool>) {
    let work = store.clone();
    let ending = stop.clone();
    let errands = move || until_stop(errands(work.clone()), ending.clone());
    tasks.spawn(while_held("errands", store, stop, errands));
    let mut duty = Duty { tasks, store, stop };
    duty.spawn("retention", ONCE_A_DAY, retain);
    duty.spawn("quarantine", ONCE_A_DAY, empty_quarantine);
    duty.spawn("segments", ONCE_A_DAY, rewrite);
    duty.spawn("packing", ONCE_A_MINUTE, pack);
}

struct Duty<'a> {
    tasks: &'a mut JoinSet<()>,
    store: &'a Store,
    stop: &'a watch::Receiver<bool>,
}

impl Duty<'_> {
    fn spawn<Done>(&mut self, name: &'static str, every: Duration, once: fn(Store) -> Done)
    where
        Done: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let work = self.store.clone();
        let ending = self.stop.clone();
        let begin = move || {
            let regular = regularly(name, every, work.clone(), once);
            until_stop(regular, ending.clone())
        };
        self.tasks
            .spawn(while_held(name, self.store, self.stop, begin));
    }
}

/// Does what papers ask for.
pub(crate) async fn follow(store: &Store) -> Result<Followed, Error> {
    store
        .jobs()
        .follow(&store.papers(normalize::text::fold))
        .await
}

/// Ends what the regulation keeps no longer.
pub(crate) async fn retain(store: Store) -> Result<(), Error> {
    let papers = store.papers(normalize::text::fold);
    let ended = store.jobs().retain(&papers).await?;
    if ended > 0 {
        tracing::info!(patients = ended, "kept no longer, as the regulation says");
    }
    Ok(())
}

/// Gives back what erased frames leave in segments.
async fn rewrite(store: Store) -> Result<(), Error> {
    let rewritten = store.jobs().rewrite().await?;
    if rewritten != Rewritten::default() {
        let Rewritten {
            moved,
            removed,
            failed,
        } = rewritten;
        tracing::info!(
            moved,
            removed,
            failed,
            "dead bytes of segments were given back"
        );
    }
    Ok(())
}

/// Packs what live feeds brought into objects.
pub(crate) async fn pack(store: Store) -> Result<(), Error> {
    let small = store.jobs().pack().await?;
    if small > 0 {
        tracing::info!(small, "small segments were packed");
    }
    Ok(())
}

/// Destroys what has stood in quarantine for long enough.
async fn empty_quarantine(store: Store) -> Result<(), Error> {
    let gone = store.jobs().empty_quarantine().await?;
    if gone > 0 {
        tracing::info!(gone, "messages in quarantine ran out");
    }
    Ok(())
}

/// What must follow from papers: keys, introductions, erasing.
async fn errands(store: Store) {
    let (mut wait, mut fails) = (ERRANDS_EVERY, false);
    loop {
        match follow(&store).await {
            Ok(followed) => {
                fails = false;
                // What fails again and again is tried less often.
                let in_vain = followed.done == 0 && followed.failed > 0;
                wait = if in_vain {
                    (wait * 2).min(LONGEST_VAIN_WAIT)
                } else {
                    ERRANDS_EVERY
                };
            }
            Err(error) => {
                if !std::mem::replace(&mut fails, true) {
                    tracing::error!(%error, "errands of papers wait");
                }
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        tokio::time::sleep(wait).await;
    }
}

/// At the start and every so often a duty that may take long, or fail, without holding up anything
/// else. It is idempotent: one that is cut by the end of the process begins again at the next start.
async fn regularly<Done: Future<Output = Result<(), Error>>>(
    duty: &'static str,
    every: Duration,
    store: Store,
    once: impl Fn(Store) -> Done,
) {
    let mut wait = ERRANDS_EVERY;
    loop {
        match once(store.clone()).await {
            Ok(()) => {
                wait = ERRANDS_EVERY;
                tokio::time::sleep(every).await;
            }
            Err(error) => {
                tracing::error!(%error, duty, "a regular duty failed and is tried again");
                wait = (wait * 2).min(LONGEST_WAIT);
                tokio::time::sleep(wait).await;
            }
        }
    }
}
