//! Work that only one process of a network does at a time: it runs as long as this one holds the lease.

use store::{BEAT, Error, Lease, Store};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Runs work under a lease of this name until `stop`: whenever the lease is taken the work begins, and
/// when it is lost the work is cut. Work is made of transactions, so that cutting it loses nothing. It
/// ends by itself soon after `stop`.
pub(crate) fn while_held<Begin, Work>(
    name: &str,
    store: &Store,
    stop: &watch::Receiver<bool>,
    begin: Begin,
) -> impl Future<Output = ()> + use<Begin, Work>
where
    Begin: Fn() -> Work,
    Work: Future<Output = ()>,
{
    hold(name.to_owned(), store.clone(), stop.clone(), begin)
}

async fn hold<Begin, Work>(
    name: String,
    store: Store,
    mut stop: watch::Receiver<bool>,
    begin: Begin,
) where
    Begin: Fn() -> Work,
    Work: Future<Output = ()>,
{
    let Ok(mut lease) = store.jobs().lease(&name) else {
        tracing::error!("there are no random numbers");
        return;
    };
    loop {
        let stopped = tokio::select! {
            () = taken(&mut lease) => false,
            _ = stop.wait_for(|stopping| *stopping) => true,
        };
        if stopped {
            return;
        }
        if lease.is_wanted() {
            tracing::info!(lease = %name, "taken");
        }
        let stopped = tokio::select! {
            () = begin() => true,
            () = lost(&lease) => false,
        };
        if stopped {
            // Whoever waits for it takes it a little later when this fails.
            let _ = timeout(BEAT, lease.give_back()).await;
            return;
        }
        tracing::warn!(lease = %name, "lost: another process goes on");
    }
}

/// Work that ends at once at `stop`.
pub(crate) async fn until_stop(work: impl Future<Output = ()>, mut stop: watch::Receiver<bool>) {
    tokio::select! {
        () = work => {}
        // A closed channel means the same as a stop.
        _ = stop.wait_for(|stopping| *stopping) => {}
    }
}

/// Ends when the lease is held.
async fn taken(lease: &mut Lease) {
    let mut told = false;
    loop {
        match lease.take().await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tell(&mut told, &error),
        }
        sleep(BEAT).await;
    }
}

/// Ends when another process holds the lease. While the database does not answer nobody can take it,
/// nor write anything.
async fn lost(lease: &Lease) {
    let mut told = false;
    loop {
        sleep(BEAT).await;
        match lease.go_on().await {
            Ok(true) => told = false,
            Ok(false) => return,
            Err(error) => tell(&mut told, &error),
        }
    }
}

fn tell(told: &mut bool, error: &Error) {
    if !std::mem::replace(told, true) {
        tracing::warn!(%error, "a lease cannot be looked after");
    }
}
