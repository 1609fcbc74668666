//! Rates and percentiles.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "figures for people have three digits"
)]

use std::fmt;
use std::time::Duration;

/// Microseconds for one of so many.
pub(crate) fn each(spent: Duration, of: u64) -> f64 {
    spent.as_secs_f64() * 1e6 / of.max(1) as f64
}

/// One of so many in a second.
pub(crate) fn rate(of: u64, spent: Duration) -> f64 {
    of as f64 / spent.as_secs_f64().max(1e-9)
}

/// So many for each of so many.
pub(crate) fn mean(sum: u64, of: u64) -> f64 {
    sum as f64 / of.max(1) as f64
}

/// The milliseconds below which half of the samples lie, and below which 99 of 100 lie.
pub(crate) fn p50_p99(mut samples: Vec<Duration>) -> (f64, f64) {
    samples.sort_unstable();
    let last = samples.len().saturating_sub(1) as f64;
    let below = |share: f64| {
        samples
            .get((last * share).round() as usize)
            .copied()
            .unwrap_or_default()
    };
    (
        below(0.5).as_secs_f64() * 1e3,
        below(0.99).as_secs_f64() * 1e3,
    )
}

/// Several rounds of one figure.
pub(crate) struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

/// The median of rounds, and between which they lie.
pub(crate) fn spread(mut rounds: Vec<f64>) -> Spread {
    rounds.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| rounds.get(place).copied().unwrap_or(f64::NAN);
    Spread {
        median: at(rounds.len() / 2),
        least: at(0),
        most: at(rounds.len().saturating_sub(1)),
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = to.precision().unwrap_or(1);
        let Self {
            median,
            least,
            most,
        } = self;
        write!(to, "{median:.digits$} ({least:.digits$}–{most:.digits$})")
    }
}
