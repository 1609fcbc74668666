//! Protected health information: values that must never reach a log, an error or a metric.

use serde::{Deserialize, Serialize};

/// A value that identifies or describes a patient. It has no `Debug` and no `Display`, so that it
/// cannot slip into a log line or an error text; whoever needs the value says [`Phi::reveal`].
///
/// ```compile_fail
/// println!("{:?}", model::phi::Phi::new("宮本"));
/// ```
/// ```compile_fail
/// println!("{}", model::phi::Phi::new("宮本"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Marks a value as protected.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The protected value itself.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// Gives the protected value away.
    pub fn into_inner(self) -> T {
        self.0
    }
}
