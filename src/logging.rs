//! Logs: one line an event, for people or as JSON, on standard error. Targets that are not ours are
//! capped at INFO whatever the level: libraries may print what they are given.

use anyhow::Context;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Log;

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
