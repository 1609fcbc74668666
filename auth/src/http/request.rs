//! Which request it is, as log and audit know it.

use axum::http::HeaderMap;

/// The header in which the outermost layer puts the request's id.
const REQUEST_ID: &str = "x-request-id";

/// The request's id, a UUID or its 32 digits; 0 where no layer gave one.
pub fn request_id(headers: &HeaderMap) -> u128 {
    let text = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    u128::from_str_radix(&text.replace('-', ""), 16).unwrap_or(0)
}
