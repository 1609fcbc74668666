//! Headers of every response: the browser loads nothing from elsewhere, keeps nothing, frames
//! nothing and tells nobody where it came from.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; \
     frame-ancestors 'none'; base-uri 'none'; form-action 'self'; \
     require-trusted-types-for 'script'";

const NO_FEATURES: &str = "accelerometer=(), autoplay=(), \
     browsing-topics=(), camera=(), display-capture=(), encrypted-media=(), \
     fullscreen=(), gamepad=(), geolocation=(), gyroscope=(), hid=(), idle-detection=(), \
     local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), \
     publickey-credentials-create=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), \
     speaker-selection=(), storage-access=(), usb=(), window-management=(), \
     xr-spatial-tracking=()";

const ALWAYS: &[(&str, &str)] = &[
    (
        "strict-transport-security",
        "max-age=63072000; includeSubDomains",
    ),
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", NO_FEATURES),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Adds the headers. Nothing is kept by anybody unless a response said otherwise itself, which only
/// assets do. As a layer around all routes: `axum::middleware::map_response(shell::headers)`.
pub async fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    use super::*;
    use crate::{assets, not_found};

    async fn check(path: &str, caching: &str) {
        let app = assets::router()
            .fallback(not_found)
            .layer(middleware::map_response(headers));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = Router::oneshot(app, request).await.unwrap();
        for (name, value) in ALWAYS {
            assert_eq!(
                response.headers().get(*name).unwrap(),
                value,
                "{name} of {path}"
            );
        }
        assert_eq!(response.headers()[header::CACHE_CONTROL], caching, "{path}");
    }

    #[tokio::test]
    async fn every_response_carries_the_headers_and_only_assets_may_be_kept() {
        check("/nothing", "no-store").await;
        check("/assets/0/musubi.css", "no-store").await;
        check(
            &assets::url("musubi.css"),
            "public, max-age=31536000, immutable",
        )
        .await;
    }

    #[test]
    fn no_page_may_run_inline_code_or_load_from_elsewhere() {
        for word in ["unsafe", "http", "*", "data:", "wasm"] {
            assert!(!POLICY.contains(word), "{word}");
        }
    }
}
