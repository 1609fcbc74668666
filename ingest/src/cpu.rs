//! The one bridge from waiting (tokio) to computing (rayon).

use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

/// Why a computation gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// It panicked; the item that made it do so is skipped, the feed goes on.
    #[error("a computation panicked")]
    Panicked,
    /// The program is ending.
    #[error("the program is ending")]
    Ending,
}

/// What comes first when there is more to compute than the machine can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// A sender waits for an answer.
    Live,
    /// A clinician may wait for what was sent.
    Soon,
    /// It takes its time: sweeps, back-fills, replays. Its threads stand behind all others.
    Bulk,
}

impl Pace {
    /// How far its threads stand behind others (`nice`); nothing where they do not.
    const fn behind(self) -> Option<i32> {
        match self {
            Self::Live => None,
            Self::Soon => Some(10),
            Self::Bulk => Some(15),
        }
    }

    /// Threads that let others go first, unless the whole process stands further behind. On Linux that is
    /// said of each thread alone; where it is refused they compete.
    fn threads(self) -> ThreadPoolBuilder {
        ThreadPoolBuilder::new().start_handler(move |_| {
            let now = rustix::process::getpriority_process(None).unwrap_or_default();
            if let Some(behind) = self.behind().filter(|behind| *behind > now) {
                let _ = rustix::process::setpriority_process(None, behind);
            }
        })
    }
}

/// Threads of their own, so that what somebody waits for does not queue behind a back-fill.
static LIVE: Threads = LazyLock::new(|| Pace::Live.threads().build().ok());
static SOON: Threads = LazyLock::new(|| Pace::Soon.threads().build().ok());

type Threads = LazyLock<Option<ThreadPool>>;

/// Says how many items are worked on at the same time. Only the first call of a process counts, and
/// none after the first [`run`].
pub fn set_width(width: usize) {
    // Later calls find the threads running; they are as many as was said first.
    let _ = Pace::Bulk.threads().num_threads(width).build_global();
}

/// Runs work on the computing threads. Work nobody waits for any more is skipped, and a panic is an
/// answer.
pub async fn run<T, F>(pace: Pace, work: F) -> Result<T, Cut>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (answer, waiting) = oneshot::channel();
    let work = move || {
        if !answer.is_closed() {
            let done = std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Cut::Panicked);
            let _ = answer.send(done);
        }
    };
    let threads = match pace {
        Pace::Live => LIVE.as_ref(),
        Pace::Soon => SOON.as_ref(),
        Pace::Bulk => None,
    };
    match threads {
        Some(threads) => threads.spawn(work),
        None => rayon::spawn(work),
    }
    waiting.await.unwrap_or(Err(Cut::Ending))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_and_the_next_one_works() {
        assert_eq!(
            run(Pace::Bulk, || panic!("bad item"))
                .await
                .map(|(): ()| ()),
            Err(Cut::Panicked)
        );
        assert_eq!(run(Pace::Bulk, || 6 * 7).await, Ok(42));
    }

    #[tokio::test]
    async fn live_work_does_not_wait_behind_bulk_work() {
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let bulk = (0..64).map(|_| {
            let wait = Arc::clone(&wait);
            tokio::spawn(run(Pace::Bulk, move || wait.lock().unwrap().recv().is_ok()))
        });
        let bulk: Vec<_> = bulk.collect();
        assert_eq!(run(Pace::Live, || 6 * 7).await, Ok(42));
        (0..64).for_each(|_| go_on.send(()).unwrap());
        for one in bulk {
            assert_eq!(one.await.unwrap(), Ok(true));
        }
    }
}
