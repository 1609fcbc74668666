//! Health, readiness and metrics, on a listener of their own: whoever watches the program needs no
//! way to its pages, and whoever reaches the pages learns nothing of how it is.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::json;
use store::Store;
use tokio::net::TcpListener;

use crate::metrics::{OPENMETRICS, openmetrics};

/// What takes longer than this to say that it is there is away.
const PATIENCE: Duration = Duration::from_secs(3);

/// The listener, before it answers.
pub(super) struct Probes {
    listener: TcpListener,
    router: Router,
}

impl Probes {
    /// Listens; nothing starts where the probes that are wanted cannot be.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub(super) async fn listen(
        address: SocketAddr,
        store: Store,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("listen on {address} for health and metrics"))?;
        let text = async move || {
            (
                [(CONTENT_TYPE, OPENMETRICS)],
                openmetrics(&metrics.render()),
            )
        };
        let router = Router::new()
            .route("/healthz", get(async || StatusCode::OK))
            .route("/readyz", get(ready).with_state(store))
            .route("/metrics", get(text));
        Ok(Self { listener, router })
    }

    /// Answers until `stop` is done.
    pub(super) async fn answer(self, stop: impl Future<Output = ()> + Send + 'static) {
        match self.listener.local_addr() {
            Ok(address) => tracing::info!(metrics = %address, "serving health and metrics"),
            Err(error) => tracing::warn!(%error, "serving health and metrics somewhere"),
        }
        let served = axum::serve(self.listener, self.router).with_graceful_shutdown(stop);
        if let Err(error) = served.await {
            tracing::error!(%error, "health and metrics are not served");
        }
    }
}

/// Whether reads would be answered: databases and the place of the sealed bytes answer, the grants
/// follow from the profile, and the audit can be written. Feeds that cannot do their work are named; they hold up no reader.
async fn ready(State(store): State<Store>) -> impl IntoResponse {
    let (jobs, disclosure) = (store.jobs(), store.disclosure());
    let (grants, records, blobs, audit) = tokio::join!(
        in_time(async { matches!(disclosure.ready().await, Ok(true)) }),
        in_time(jobs.answers()),
        in_time(jobs.blobs_answer()),
        in_time(store.audit().answers()),
    );
    let status = if grants && records && blobs && audit {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let said = json!({
        "schema": "musubi-ready/1", "grants": grants, "records": records, "blobs": blobs,
        "audit": audit,
        "stalled_feeds": jobs.stalled(),
    });
    (status, Json(said))
}

/// Whether something answers before whoever asked has gone.
async fn in_time(answers: impl Future<Output = bool>) -> bool {
    tokio::time::timeout(PATIENCE, answers)
        .await
        .unwrap_or(false)
}
