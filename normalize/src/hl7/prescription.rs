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
        let key = format!("{}|{key}", reading.file.slot());
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
mod tests {
    use super::*;
    use crate::Normalized;
    use crate::testing::{read, rules};

    const FILE: &str = "0000123456_20240510_OMP-01_000000000000001_20240510103046984_01_1";

    fn message(segments: &[&str]) -> Normalized {
        let header = "MSH|^~\\&|HIS||GW||20240510||RDE^O11^RDE_O11|1|P|2.5||||||UNICODE UTF-8";
        let patient = "PID|0001||0000123456^^^^PI||宮本^京美^^^^^L^I||19580314|F";
        let lines = [&[header, patient], segments].concat().join("\r");
        read(FILE, lines.as_bytes())
    }

    fn medications(read: &Normalized) -> Vec<&MedicationRequest> {
        let bodies = read.records.iter().map(|record| &record.body);
        bodies
            .filter_map(|body| match body {
                Body::Medication(request) => Some(&**request),
                _ => None,
            })
            .collect()
    }

    #[track_caller]
    fn check_status(control: &str, status: &str, expected: MedicationStatus) {
        let order = format!("ORC|{control}|1||1|{status}||||20240510");
        let read = message(&[&order, DRUG]);
        assert!(
            medications(&read)[0].status == expected,
            "{control} {status}"
        );
    }

    const DRUG: &str = "RXE||103835401^ムコダイン^HOT9|1||TAB^錠^MR9P";

    #[test]
    fn where_an_order_stands() {
        check_status("NW", "", MedicationStatus::Active);
        check_status("XO", "", MedicationStatus::Active);
        for control in ["CA", "OC", "CR"] {
            check_status(control, "", MedicationStatus::Cancelled);
        }
        check_status("DC", "", MedicationStatus::Stopped);
        check_status("OD", "", MedicationStatus::Stopped);
        check_status("HD", "", MedicationStatus::OnHold);
        check_status("SC", "DC", MedicationStatus::Stopped);
        check_status("SC", "CM", MedicationStatus::Active);
    }

    /// RP number, position and key of each drug, by the ORC-4 of its group.
    #[track_caller]
    fn check_numbers(groups: &[&str], expected: &[(&str, u32, &str)]) {
        let orders: Vec<String> = groups
            .iter()
            .map(|group| format!("ORC|NW|1||{group}|||||20240510"))
            .collect();
        let segments: Vec<&str> = orders
            .iter()
            .flat_map(|order| [order.as_str(), DRUG])
            .collect();
        let read = message(&segments);
        let found = read
            .records
            .iter()
            .zip(medications(&read))
            .map(|(record, request)| {
                let key = record
                    .meta
                    .source_key
                    .strip_prefix("20240510|OMP-01|000000000000001|")
                    .unwrap();
                (request.rp_number.as_str(), request.order_in_rp, key)
            });
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn drugs_of_an_rp_are_numbered_and_none_are_merged() {
        check_numbers(
            &["1_01", "1_01", "1_02"],
            &[("1", 1, "1_01|1"), ("1", 2, "1_01|2"), ("2", 1, "1_02|1")],
        );
        check_numbers(
            &["1_01_001", "1_01_002"],
            &[("1", 1, "1_01_001|1"), ("1", 2, "1_01_002|1")],
        );
        check_numbers(&["1", "2"], &[("1", 1, "1|1"), ("2", 1, "2|1")]);
    }

    #[test]
    fn drugs_without_a_group_share_no_rp() {
        check_numbers(&["", ""], &[("1", 1, "|1"), ("2", 1, "|2")]);
    }

    #[test]
    fn a_second_drug_without_an_order_of_its_own_shares_the_first_one() {
        let read = message(&["ORC|NW|1||1|||||20240510", DRUG, "TQ1|1", DRUG]);
        let placers = medications(&read)
            .into_iter()
            .map(|request| request.order.placer.clone());
        assert_eq!(
            placers.collect::<Vec<_>>(),
            [Some("1".to_owned()), Some("1".to_owned())]
        );
        assert_eq!(rules(&read), [""; 0]);
    }

    #[test]
    fn timing_may_stand_before_the_drug() {
        let read = message(&[
            "ORC|NW|1||1|||||20240510",
            "TQ1|1|||||5^d",
            "RXR|PO^口^HL70162",
            DRUG,
        ]);
        let request = medications(&read)[0];
        assert_eq!(request.usages[0].days.as_ref().unwrap().as_str(), "5");
        assert_eq!(request.routes.len(), 1);
    }

    #[test]
    fn incomplete_groups_are_found() {
        assert_eq!(rules(&message(&["ORC|CA|1||1|||||20240510"])), ["D2011"]);
        assert_eq!(
            rules(&message(&["NTE|1||前置き", DRUG])),
            ["D2018", "D2011"]
        );
        let read = message(&["ORC|NW|1||1|||||20240510", "RXE||\"\"|1||TAB"]);
        assert_eq!(
            (rules(&read), read.records.len()),
            (vec!["D2012", "D2034"], 0)
        );
    }

    #[test]
    fn an_order_is_of_the_day_it_was_entered() {
        let read = message(&["ORC|NW|1||1|||||20240510103045", DRUG]);
        assert_eq!(
            read.records[0].meta.occurred.from.to_string(),
            "2024-05-10T10:30:45.000+09:00"
        );
    }

    #[test]
    fn allergies_in_an_order_are_statements_of_their_own() {
        let read = message(&[
            "AL1|1|DA^薬剤^HL70127|^ペニシリン",
            "ORC|NW|1||1|||||20240510",
            DRUG,
        ]);
        let kinds: Vec<Kind> = read.records.iter().map(|record| record.meta.kind).collect();
        assert_eq!(kinds, [Kind::MedicationRequest, Kind::AllergyStatement]);
    }
}
