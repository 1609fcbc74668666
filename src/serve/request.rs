//! Every request: an id for the audit, a line in the log and a metric. Never a URL: it may hold ids.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Where the rooms find the request's id, and where the caller reads it back.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A number that is not used twice: two randomly seeded hashes.
fn id() -> u128 {
    let half = || u128::from(RandomState::new().build_hasher().finish());
    (half() << 64) | half()
}

/// Gives a request its id, and notes how it was answered. A caller's own id is replaced.
pub(super) async fn logged(mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = format!("{:032x}", id());
    let header = HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static(""));
    request.headers_mut().insert(REQUEST_ID, header.clone());
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unknown", |path| path.as_str())
        .to_owned();
    let mut response = next.run(request).await;
    response.headers_mut().insert(REQUEST_ID, header);
    let status = response.status().as_u16();
    let seconds = start.elapsed().as_secs_f64();
    metrics::counter!("musubi_http_requests_total", "route" => route.clone(), "status" => status.to_string()).increment(1);
    metrics::histogram!("musubi_http_seconds", "route" => route.clone()).record(seconds);
    tracing::info!(request = %id, %method, %route, status, duration_ms = seconds * 1000.0, "request");
    response
}
