//! What a process does besides feeds: what follows from papers, and what the regulation asks for daily.

use std::time::Duration;

use store::{Error, Followed, Rewritten, Store};

/// How often papers are asked for what must follow from them.
const ERRANDS_EVERY: Duration = Duration::from_millis(250);
/// How often the regulation is asked what is kept no longer, and dead bytes are given back.
const ONCE_A_DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// After a failure a duty waits, twice as long each time, at most so long.
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// While nothing but errands that fail is left, a new paper waits no longer than this.
const LONGEST_VAIN_WAIT: Duration = Duration::from_secs(10);

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
pub(crate) async fn rewrite(store: Store) -> Result<(), Error> {
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

/// What must follow from papers: keys, introductions, erasing.
pub(crate) async fn errands(store: Store) {
    let mut wait = ERRANDS_EVERY;
    loop {
        match follow(&store).await {
            Ok(followed) => {
                // What fails again and again is tried less often.
                let in_vain = followed.done == 0 && followed.failed > 0;
                wait = if in_vain {
                    (wait * 2).min(LONGEST_VAIN_WAIT)
                } else {
                    ERRANDS_EVERY
                };
            }
            Err(error) => {
                tracing::error!(%error, "errands of papers wait");
                wait = (wait * 2).min(LONGEST_WAIT);
            }
        }
        tokio::time::sleep(wait).await;
    }
}

/// At the start and once a day a duty that may take long, or fail, without holding up anything else.
/// It is idempotent: one that is cut by the end of the process begins again at the next start.
pub(crate) async fn daily<Done: Future<Output = Result<(), Error>>>(
    duty: &'static str,
    store: Store,
    once: impl Fn(Store) -> Done,
) {
    let mut wait = ERRANDS_EVERY;
    loop {
        match once(store.clone()).await {
            Ok(()) => {
                wait = ERRANDS_EVERY;
                tokio::time::sleep(ONCE_A_DAY).await;
            }
            Err(error) => {
                tracing::error!(%error, duty, "a daily duty failed and is tried again");
                wait = (wait * 2).min(LONGEST_WAIT);
                tokio::time::sleep(wait).await;
            }
        }
    }
}
