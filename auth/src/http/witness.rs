//! Nothing is answered to a signed-in person without a row of the audit. Whoever answers writes the
//! row that says the most; where nobody did, one is written here, before the answer goes out. What is
//! refused to strangers is counted instead: a program that knocks on and on does not fill the audit.
//! What takes too long or breaks is ended in here, so that its answer has a row as well.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::Duration;

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use consent::Requester;
use store::{AuditAction, Event, watched};

use super::connection::Connection;
use super::request_id;
use crate::refusal::Refusal;
use crate::state::Auth;

/// No answer takes longer.
const LONGEST: Duration = Duration::from_secs(30);

/// Where it is noted who turned out to ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Witness(Arc<OnceLock<Arc<Requester>>>);

impl Witness {
    /// Whoever asks is this person.
    pub(super) fn saw(&self, requester: &Arc<Requester>) {
        // A request is made by one person: the first one noted.
        let _ = self.0.set(Arc::clone(requester));
    }
}

impl<S: Sync> FromRequestParts<S> for Witness {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// An answer whose row stands elsewhere and follows for certain, as that of a paper does. To be put
/// into the answer's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Recorded;

/// Lets a request be answered within half a minute, and sees to its row.
///
/// # Errors
/// [`Refusal::Unavailable`] when the row cannot be written.
pub async fn witness(auth: &Auth, request: Request, next: Next) -> Result<Response, Refusal> {
    witness_within(LONGEST, auth, request, next).await
}

pub(super) async fn witness_within(
    longest: Duration,
    auth: &Auth,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let seen = Witness::default();
    request.extensions_mut().insert(seen.clone());
    let (parts, body) = request.into_parts();
    let from = Connection::of(&parts, &auth.front)?;
    let (route, id) = (route(&parts), request_id(&parts.headers));
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let answering = ended(longest, next.run(Request::from_parts(parts, body)));
    let (answer, rows) = Box::pin(watched(answering)).await;
    let status = answer.status();
    if rows > 0 || answer.extensions().get::<Recorded>().is_some() {
        return Ok(answer);
    }
    match seen.0.get() {
        // Of refusals by a limit in a row only the first is in the audit.
        Some(_) if status == StatusCode::TOO_MANY_REQUESTS => {}
        Some(requester) => {
            let row = outcome(status).by(requester);
            let query = auth.sealed(&query)?;
            auth.note(row.in_request(&route, id, query)).await?;
        }
        None if status.is_client_error() => auth.turned_away(from.peer),
        None => {}
    }
    Ok(answer)
}

/// The answer in any case: 503 when it takes too long, 500 when whoever answers panics.
async fn ended(longest: Duration, answering: impl Future<Output = Response>) -> Response {
    let mut answering = pin!(answering);
    let whole = poll_fn(|context| {
        // Nobody sees again what a panic left half done: it goes with the request.
        let polled = AssertUnwindSafe(|| answering.as_mut().poll(context));
        catch_unwind(polled).unwrap_or_else(|_| Poll::Ready(broken()))
    });
    let answer = tokio::time::timeout(longest, whole).await;
    answer.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

fn broken() -> Response {
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

fn route(parts: &Parts) -> String {
    let route = parts.extensions.get::<MatchedPath>();
    route.map_or("", MatchedPath::as_str).to_owned()
}

fn outcome(status: StatusCode) -> Event {
    if status.is_client_error() || status.is_server_error() {
        Event::new(AuditAction::Refuse).refused_because(status.as_str())
    } else {
        Event::new(AuditAction::Read)
    }
}
