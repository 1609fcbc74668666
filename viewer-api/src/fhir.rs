//! The FHIR face: records as resources, and the requests that ask for them.

mod allergy;
mod bundle;
mod capability;
mod condition;
mod consent;
mod contained;
mod datatypes;
mod encounter;
mod find;
mod medication_request;
mod meta;
pub(crate) mod object;
mod observation;
mod organization;
mod patient;
mod person;
mod provenance;
mod read;
pub mod resources;
pub(crate) mod routes;
mod search;
mod system;
mod unit;
mod url;

use crate::json::Value;
use ::consent::Requester;
use jiff::civil::Date;
use model::network::Network;
use model::record::{Body, Categories, ReadRecord};
use store::{Call, Refused};

use crate::Face;
use crate::error::Error;

/// What rendering needs beside the record.
pub(crate) struct Rendering<'a> {
    pub(crate) network: &'a Network,
    /// Today in Japan.
    pub(crate) today: Date,
}

/// A record as the resource of its kind; nothing for what is stored but never served.
pub(crate) fn render(record: &ReadRecord, on: &Rendering<'_>) -> Option<Value> {
    match &record.body {
        Body::Encounter(body) => Some(encounter::render(record, body, on)),
        Body::Condition(body) => Some(condition::render(record, body, on)),
        Body::Allergy(body) => Some(allergy::render(record, body, on)),
        Body::Medication(body) => Some(medication_request::render(record, body, on)),
        Body::Observation(body) => Some(observation::render(record, body, on)),
        Body::Patient(_) | Body::Event(_) => None,
    }
}

/// One request: who asks, by which route.
pub(crate) struct Asked<'a> {
    pub(crate) face: &'a Face,
    pub(crate) requester: &'a Requester,
    pub(crate) route: &'static str,
    pub(crate) request: u128,
}

impl Asked<'_> {
    /// The request as the audit will know it.
    pub(crate) fn call(&self, asked: Categories, parameters: String) -> Call {
        Call {
            route: self.route,
            request: self.request,
            parameters,
            asked,
        }
    }

    pub(crate) fn rendering(&self) -> Rendering<'_> {
        Rendering {
            network: &self.face.network,
            today: self.face.clock.now().day(),
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound => Self::NotFound,
            Refused::Forbidden(_) => Self::Forbidden,
            Refused::Unavailable => Self::Unavailable(Some(5)),
            Refused::Broken(error) => {
                tracing::error!(error = %error, "a disclosure failed");
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
