//! RDE^O11 (SS-MIX2 OMP-01, and OMP-02 by way of `injection.rs`): one request an ordered drug.

mod rp;
pub(super) mod usage;

use std::collections::BTreeMap;

use model::code::Concept;
use model::medication::{MedicationKind, MedicationRequest, MedicationStatus, OrderHead};
use model::record::{Body, Category, Kind, Record};

use super::Reading;
use super::message::{Message, Segment};
use super::segment::orc::Orc;
use super::segment::{Other, leave_out, nte, orc, pl, pv1, rxc, rxe, rxr, single, tq1};
use crate::lint::{self, Findings};

/// Reads one request an ORC group.
pub(super) fn read(reading: &Reading<'_>, findings: &mut Findings) -> Vec<Record> {
    requests(
        reading,
        MedicationKind::Prescription,
        Category::Prescription,
        findings,
    )
}

/// The ORC group of a drug.
struct Group<'m> {
    order: Option<Segment<'m>>,
    /// Whether the ORC is that of the drug before.
    shared: bool,
    drug: Option<Segment<'m>>,
    details: Vec<Segment<'m>>,
}

/// Reads the requests of an order message.
pub(super) fn requests(
    reading: &Reading<'_>,
    kind: MedicationKind,
    category: Category,
    findings: &mut Findings,
) -> Vec<Record> {
    let visit = pv1::of_order(reading.message, findings);
    let mut numbering = Numbering::default();
    let mut records = Vec::new();
    for group in groups(reading.message, findings) {
        let Some(mut request) = request(&group, kind, findings) else {
            continue;
        };
        request.other.extend(visit.iter().cloned());
        if request.deliver_to.is_none() {
            request.deliver_to = ward(reading.message);
        }
        let key = numbering.number(&mut request);
        let key = [reading.slot.as_str(), &key].join("|");
        let occurred = reading.occurred(request.order.entered_at.or(request.ordered_at));
        let body = Body::Medication(Box::new(request));
        records.push(reading.record(Kind::MedicationRequest, category, occurred, key, body));
    }
    records
}

/// ORC opens a group. A second RXE without an ORC of its own is a further drug of the same order.
fn groups<'m>(message: &'m Message, findings: &mut Findings) -> Vec<Group<'m>> {
    let mut groups: Vec<Group<'m>> = Vec::new();
    let open = |order, drug, shared| Group {
        order,
        shared,
        drug,
        details: Vec::new(),
    };
    for segment in message.segments() {
        match (segment.name(), groups.last_mut()) {
            ("ORC", _) => groups.push(open(Some(segment), None, false)),
            ("RXE", Some(group)) if group.drug.is_none() => group.drug = Some(segment),
            ("RXE", Some(group)) => {
                let order = group.order;
                groups.push(open(order, Some(segment), order.is_some()));
            }
            ("RXE", None) => groups.push(open(None, Some(segment), false)),
            ("TQ1" | "RXR" | "RXC" | "NTE", Some(group)) => group.details.push(segment),
            ("TQ1" | "RXR" | "RXC" | "NTE", None) => findings.add(lint::D2018, segment.place()),
            _ => {}
        }
    }
    groups
}

/// The request of a group; `None` with a finding when it orders nothing.
fn request(
    group: &Group<'_>,
    kind: MedicationKind,
    findings: &mut Findings,
) -> Option<MedicationRequest> {
    let Some(drug) = &group.drug else {
        findings.extend(group.order.map(|segment| lint::D2011.at(segment.place())));
        leave_out(&group.details, findings);
        return None;
    };
    let order = match &group.order {
        // The findings of a shared ORC are taken already.
        Some(segment) if group.shared => Some(orc::read(segment, &mut Findings::default())),
        Some(segment) => Some(orc::read(segment, findings)),
        None => {
            findings.add(lint::D2011, drug.place());
            None
        }
    };
    let mut request = unfilled(kind, order);
    rxe::fill(&mut request, drug, findings);
    for segment in &group.details {
        match segment.name() {
            "TQ1" => request.usages.push(tq1::read(segment, findings)),
            "RXR" => request.routes.push(rxr::read(segment, findings)),
            "RXC" => request.ingredients.extend(rxc::read(segment, findings)),
            _ => request.notes.extend(nte::read(segment, findings)),
        }
    }
    request
        .ingredients
        .sort_by_key(|ingredient| !ingredient.base);
    if request.drug.is_empty() && request.ingredients.is_empty() {
        leave_out(group.drug.iter().chain(&group.details), findings);
        return None;
    }
    Some(request)
}

/// Where an order stands: its control code, else its own status (HL7 tables 0119 and 0038).
fn status(order: Option<&Orc>) -> MedicationStatus {
    let code = |field: fn(&Orc) -> Option<&String>| order.and_then(field).map(String::as_str);
    match code(|order| order.control.as_ref()) {
        Some("CA" | "OC" | "CR") => MedicationStatus::Cancelled,
        Some("DC" | "OD" | "DR") => MedicationStatus::Stopped,
        Some("HD" | "OH") => MedicationStatus::OnHold,
        _ => match code(|order| order.status.as_ref()) {
            Some("CA") => MedicationStatus::Cancelled,
            Some("DC") => MedicationStatus::Stopped,
            Some("HD") => MedicationStatus::OnHold,
            _ => MedicationStatus::Active,
        },
    }
}

/// Where the patient is (PV1-3), for orders that do not say where they go.
fn ward(message: &Message) -> Option<model::person::Bed> {
    // The findings of the PV1 are taken already.
    let place = single(&message.first("PV1")?.field(3), &mut Findings::default())?;
    pl(&place, &mut Findings::default())
}

/// Counts drugs: inside an RP for the reader, behind an ORC-4 for the key.
#[derive(Default)]
struct Numbering {
    groups: u32,
    inside_rp: BTreeMap<String, u32>,
    behind_group: BTreeMap<String, u32>,
}

impl Numbering {
    /// Numbers a request and returns its key inside the slot.
    fn number(&mut self, request: &mut MedicationRequest) -> String {
        self.groups += 1;
        let sent = request.order.group.clone().unwrap_or_default();
        let (rp, sequence) = rp::number(&sent);
        // Drugs without a group number share nothing: each is an RP of its own.
        request.rp_number = if rp.is_empty() {
            self.groups.to_string()
        } else {
            rp
        };
        request.sequence = sequence;
        request.order_in_rp = next(&mut self.inside_rp, request.rp_number.clone());
        let position = next(&mut self.behind_group, sent.clone());
        format!("{sent}|{position}")
    }
}

fn next(counts: &mut BTreeMap<String, u32>, key: String) -> u32 {
    let count = counts.entry(key).or_default();
    *count += 1;
    *count
}

/// A request of which nothing but its order is known yet.
pub(super) fn unfilled(kind: MedicationKind, order: Option<Orc>) -> MedicationRequest {
    MedicationRequest {
        kind,
        status: status(order.as_ref()),
        order: order.map_or_else(OrderHead::default, |order| order.head),
        rp_number: String::new(),
        order_in_rp: 0,
        sequence: None,
        drug: Concept::default(),
        ingredients: Vec::new(),
        dose: None,
        dose_max: None,
        per_day: None,
        rate: None,
        rate_per: None,
        dispense: None,
        refills: None,
        form: None,
        instructions: Vec::new(),
        prescription_number: None,
        categories: Vec::new(),
        dosage_class: None,
        strength: None,
        ordered_at: None,
        usages: Vec::new(),
        routes: Vec::new(),
        deliver_to: None,
        notes: Vec::new(),
        other: Other::new(),
    }
}

#[cfg(test)]
mod tests;
