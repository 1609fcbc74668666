//! Logs: one line an event, for people or as JSON, on standard error. Targets that are not ours are
//! capped at INFO whatever the level: libraries may print what they are given.

use std::panic::PanicHookInfo;

use anyhow::Context;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Log;
use crate::output::Output;

/// The rooms of this house; only they may log more than INFO.
const OURS: [&str; 8] = [
    "musubi",
    "auth",
    "ingest",
    "normalize",
    "office",
    "shell",
    "store",
    "viewer_api",
];

/// Starts logging.
///
/// # Errors
/// When logging was started before.
pub(crate) fn start(log: &Log) -> anyhow::Result<()> {
    let others = LevelFilter::from_level(log.level.min(Level::INFO));
    let ours = OURS
        .iter()
        .map(|target| (*target, LevelFilter::from_level(log.level)));
    let filter = Targets::new().with_default(others).with_targets(ours);
    let registry = tracing_subscriber::registry().with(filter);
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(terminal);
    let started = if log.json {
        registry.with(lines.json()).try_init()
    } else {
        registry.with(lines).try_init()
    };
    started.context("start logging")
}

/// From now on a panic says where it was and not what it was: its text may hold what a file said.
pub(crate) fn hush_panics(output: Output) {
    std::panic::set_hook(Box::new(move |panic| output.error(told(panic))));
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(ToString::to_string);
    let place = place.unwrap_or_else(|| "an unknown place".to_owned());
    format!("musubi: the program failed at {place}")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_tells_where_and_never_what() {
        let heard = Arc::new(Mutex::new(String::new()));
        let ear = Arc::clone(&heard);
        std::panic::set_hook(Box::new(move |panic| *ear.lock().unwrap() = told(panic)));
        let _ = std::panic::catch_unwind(|| panic!("宮本 京美"));
        let _ = std::panic::take_hook();
        let heard = heard.lock().unwrap();
        assert!(
            heard.contains("src/logging.rs:") && !heard.contains("宮本"),
            "{heard}"
        );
    }
}
