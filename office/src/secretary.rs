//! Who may use the office: the secretariat (事務局), and nobody else. A read token reads; entering
//! papers needs the person themselves.

use std::sync::Arc;

use auth::{Caller, Refusal};
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use consent::{Requester, Via};
use model::network::Profession;
use store::{AuditAction, Event};

use crate::Office;
use crate::error::Error;

/// The header in which the outermost layer puts the request's id.
const REQUEST_ID: &str = "x-request-id";

/// A person of the secretariat, and the request they make.
pub(crate) struct Secretary {
    pub(crate) requester: Arc<Requester>,
    route: String,
    request: u128,
}

impl Secretary {
    /// A row of the audit for this request.
    pub(crate) fn event(&self, action: AuditAction) -> Event {
        Event::new(action)
            .by(&self.requester)
            .in_request(&self.route, self.request, None)
    }
}

impl FromRequestParts<Office> for Secretary {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, office: &Office) -> Result<Self, Error> {
        let Caller(requester) = Caller::from_request_parts(parts, office).await?;
        let route = parts
            .extensions
            .get::<MatchedPath>()
            .map_or("", MatchedPath::as_str);
        let secretary = Self {
            requester,
            route: route.to_owned(),
            request: request_id(parts),
        };
        let reads = parts.method.is_safe();
        let refusal = if secretary.requester.profession() != Profession::Secretariat {
            Some(("role", Error::Role))
        } else if !reads && secretary.requester.via() == Via::Token {
            Some(("token", Error::Refused(Refusal::SessionNeeded)))
        } else {
            None
        };
        match refusal {
            None => Ok(secretary),
            Some((reason, error)) => {
                let event = secretary.event(AuditAction::Refuse).refused_because(reason);
                office.audit.record(event).await?;
                Err(error)
            }
        }
    }
}

/// The request's id, a UUID or its 32 digits; 0 where no layer gave one.
fn request_id(parts: &Parts) -> u128 {
    let text = parts
        .headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let digits = text.unwrap_or_default().replace('-', "");
    u128::from_str_radix(&digits, 16).unwrap_or(0)
}
