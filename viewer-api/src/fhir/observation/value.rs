//! `Observation.value[x]`, or why there is none.

use model::id::FacilityId;
use model::observation::{Observation, ObservationStatus, Value as Sent};

use crate::fhir::datatypes::{codeable, concept, date_time, quantity, range, ratio};
use crate::fhir::object::Object;
use crate::json::Value;

/// Adds the value; a reason for its absence stands only where there is none (obs-6).
pub(super) fn add(resource: Object, observation: &Observation, facility: &FacilityId) -> Object {
    match &observation.value {
        Some(Sent::Quantity(sent)) => resource.with("valueQuantity", quantity(sent)),
        Some(Sent::Range(sent)) => resource.with("valueRange", range(sent)),
        Some(Sent::Ratio(numerator, denominator)) => resource.with(
            "valueRatio",
            ratio(quantity(numerator), quantity(denominator)),
        ),
        Some(Sent::Concept(sent)) => resource.with("valueCodeableConcept", concept(sent, facility)),
        Some(Sent::Time(time)) => resource.with("valueDateTime", date_time(*time)),
        Some(Sent::Text(text)) => {
            let text = Value::of(text.as_str());
            if text.is_empty() {
                absent(resource, observation)
            } else {
                resource.with("valueString", text)
            }
        }
        None => absent(resource, observation),
    }
}

fn absent(resource: Object, observation: &Observation) -> Object {
    resource.with("dataAbsentReason", reason(observation.status))
}

fn reason(status: ObservationStatus) -> Object {
    let code = match status {
        ObservationStatus::Registered | ObservationStatus::Preliminary => "temp-unknown",
        ObservationStatus::Cancelled => "not-performed",
        ObservationStatus::EnteredInError => "error",
        ObservationStatus::Final | ObservationStatus::Corrected => "unknown",
    };
    codeable(
        "http://terminology.hl7.org/CodeSystem/data-absent-reason",
        code,
    )
}
