//! The routes of sign-in, and who is calling. Both JSON and plain forms are taken: programs get JSON
//! back, forms get pages.

mod caller;
mod connection;
mod cookie;
mod me;
mod origin;
mod posted;
mod request;
mod start;
mod witness;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::Method;
use axum::middleware;
use axum::routing::{MethodRouter, get, post};

use crate::state::Auth;

pub use caller::Caller;
pub use connection::{Connection, Front, Site};
pub use request::request_id;
pub use witness::{Recorded, witness};

/// A route: one method of one path.
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path.
    pub path: &'static str,
    answer: fn() -> MethodRouter<Auth>,
}

/// Every route of this room.
pub const ROUTES: &[Route] = &[
    Route {
        method: Method::GET,
        path: "/",
        answer: || get(start::start),
    },
    Route {
        method: Method::POST,
        path: "/login",
        answer: || post(start::login),
    },
    Route {
        method: Method::POST,
        path: "/login/totp",
        answer: || post(start::login_totp),
    },
    Route {
        method: Method::POST,
        path: "/logout",
        answer: || post(start::logout),
    },
    Route {
        method: Method::GET,
        path: "/me",
        answer: || get(me::me),
    },
    Route {
        method: Method::POST,
        path: "/me/tokens",
        answer: || post(me::make_token),
    },
];

/// Longest body: names, a password, a code.
const MOST_BYTES: usize = 16 * 1024;

/// The routes of [`ROUTES`].
pub fn router(auth: Auth) -> Router {
    ROUTES
        .iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, (route.answer)())
        })
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn_with_state(
            auth.clone(),
            async |State(auth): State<Auth>, request, next| witness(&auth, request, next).await,
        ))
        .with_state(auth)
}

#[cfg(test)]
mod tests;
