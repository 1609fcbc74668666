//! Nothing is answered to a signed-in person without a row of the audit. Whoever answers writes the
//! row that says the most; where nobody did, one is written here, before the answer goes out. What is
//! refused to strangers is counted instead: a program that knocks on and on does not fill the audit.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use consent::Requester;
use store::{AuditAction, Event, watched};

use super::connection::Connection;
use super::request_id;
use crate::refusal::Refusal;
use crate::state::Auth;

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

/// Lets a request be answered, and sees to its row.
///
/// # Errors
/// [`Refusal::Unavailable`] when the row cannot be written.
pub async fn witness(auth: &Auth, mut request: Request, next: Next) -> Result<Response, Refusal> {
    let seen = Witness::default();
    request.extensions_mut().insert(seen.clone());
    let (parts, body) = request.into_parts();
    let from = Connection::of(&parts, &auth.front)?;
    let (route, id) = (route(&parts), request_id(&parts.headers));
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let answering = next.run(Request::from_parts(parts, body));
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
