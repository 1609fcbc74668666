//! The clock, injected so that tests can turn it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use model::time::Instant;

/// Tells the time; the machine's, or one that a test sets.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(None)
    }

    /// A clock that stands until it is set.
    pub fn fixed(now: Instant) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now.0))))
    }

    /// Sets a fixed clock; the machine's clock stays as it is.
    pub fn set(&self, now: Instant) {
        if let Some(clock) = &self.0 {
            clock.store(now.0, Ordering::SeqCst);
        }
    }

    /// Now.
    pub fn now(&self) -> Instant {
        self.0.as_ref().map_or_else(
            || Instant(jiff::Timestamp::now().as_microsecond()),
            |clock| Instant(clock.load(Ordering::SeqCst)),
        )
    }
}
