//! Metrics in OpenMetrics text. Labels never contain patient data.

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// The media type of the text.
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Collects metrics from now on.
///
/// # Errors
/// When somebody collects them already.
pub(crate) fn collect() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .install_recorder()
        .context("collect metrics")
}

/// OpenMetrics names a counter's family without `_total`, and ends with a mark.
pub(crate) fn openmetrics(prometheus: &str) -> String {
    let family = |line: &str| {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("TYPE"), Some(name), Some("counter")) => {
                format!("# TYPE {} counter\n", name.trim_end_matches("_total"))
            }
            _ => format!("{line}\n"),
        }
    };
    prometheus
        .lines()
        .filter(|line| !line.is_empty())
        .map(family)
        .collect::<String>()
        + "# EOF\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_as_openmetrics_wants() {
        let text = "# TYPE a_total counter\na_total{feed=\"x\"} 3\n\n# TYPE b gauge\nb 1\n";
        assert_eq!(
            openmetrics(text),
            "# TYPE a counter\na_total{feed=\"x\"} 3\n# TYPE b gauge\nb 1\n# EOF\n"
        );
    }
}
