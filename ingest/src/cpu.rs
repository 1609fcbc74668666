//! The one bridge from waiting (tokio) to computing (rayon).

use std::panic::AssertUnwindSafe;

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

/// Says how many items are worked on at the same time. Only the first call of a process counts, and
/// none after the first [`run`].
pub fn set_width(width: usize) {
    // Later calls find the threads running; they are as many as was said first.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(width)
        .build_global();
}

/// Runs work on the computing threads. Work nobody waits for any more is skipped, and a panic is an
/// answer.
pub async fn run<T, F>(work: F) -> Result<T, Cut>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (answer, waiting) = oneshot::channel();
    rayon::spawn(move || {
        if !answer.is_closed() {
            let done = std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Cut::Panicked);
            let _ = answer.send(done);
        }
    });
    waiting.await.unwrap_or(Err(Cut::Ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_and_the_next_one_works() {
        assert_eq!(
            run(|| panic!("bad item")).await.map(|(): ()| ()),
            Err(Cut::Panicked)
        );
        assert_eq!(run(|| 6 * 7).await, Ok(42));
    }
}
