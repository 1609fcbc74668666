//! The addresses of the office, as one list.

use auth::Auth;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};

use crate::{Office, consents};

/// A route: one method of one path.
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path pattern, as the router and the audit know it.
    pub path: &'static str,
    answer: fn() -> MethodRouter<Office>,
}

/// Where a consent is shown.
pub(crate) const CONSENT: &str = "/office/consents/{no}";

/// Every route of this room.
pub const ROUTES: &[Route] = &[
    Route {
        method: Method::POST,
        path: "/office/consents",
        answer: || post(consents::enter),
    },
    Route {
        method: Method::GET,
        path: CONSENT,
        answer: || get(consents::show),
    },
    Route {
        method: Method::POST,
        path: "/office/consents/{no}/check",
        answer: || post(consents::check),
    },
    Route {
        method: Method::POST,
        path: "/office/consents/{no}/withdraw",
        answer: || post(consents::withdraw),
    },
];

/// Longest form.
const MOST_BYTES: usize = 64 * 1024;

/// The routes of [`ROUTES`].
pub fn router(office: Office) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, (route.answer)())
        })
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(
            office.auth.clone(),
            async |State(auth): State<Auth>, request, next| {
                auth::witness(&auth, request, next).await
            },
        ))
        .with_state(office)
}
