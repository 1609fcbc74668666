//! Metrics in OpenMetrics text, on a listener of their own. Labels never contain patient data.

use std::future::Future;
use std::net::SocketAddr;

use anyhow::Context;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Collects metrics from now on.
///
/// # Errors
/// When somebody collects them already.
pub(crate) fn collect() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .install_recorder()
        .context("collect metrics")
}

/// Serves `/metrics` until `stop` is done.
///
/// # Errors
/// When the address cannot be listened on.
pub(crate) async fn serve(
    address: SocketAddr,
    handle: PrometheusHandle,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("listen on {address} for metrics"))?;
    tracing::info!(metrics = %listener.local_addr()?, "serving metrics");
    let text =
        move || async move { ([(CONTENT_TYPE, OPENMETRICS)], openmetrics(&handle.render())) };
    let app = Router::new().route("/metrics", get(text));
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await
        .context("serve metrics")
}

/// OpenMetrics names a counter's family without `_total`, and ends with a mark.
fn openmetrics(prometheus: &str) -> String {
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
