//! Who may use the office: the secretariat (事務局), and nobody else. A read token reads; entering
//! papers needs the person themselves.

use std::sync::Arc;

use auth::{Caller, Refusal, request_id};
use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::request::Parts;
use consent::{Requester, Via};
use model::network::Profession;
use store::{AuditAction, Event};

use crate::Office;
use crate::error::Error;

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
            request: request_id(&parts.headers),
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
