//! `Dosage`: how much, when, which way.

use crate::json::Value;
use model::code::CodeSystem;
use model::id::FacilityId;
use model::medication::{MedicationKind, MedicationRequest, Route, Usage};
use model::quantity::Quantity;

use super::{EXTENSIONS, as_codeable, is_as_needed, jami_methods, per_day, product_amount};
use crate::fhir::datatypes::{
    UNITS, codings, concept, days, extended, extension, period, quantity, ratio, simple_quantity,
    source_field, whole, words,
};
use crate::fhir::object::Object;

/// One instruction for each timing and each way of administration; usually one.
pub(super) fn instructions(request: &MedicationRequest, facility: &FacilityId) -> Vec<Value> {
    let count = request.usages.len().max(request.routes.len()).max(1);
    let one = |at: usize| {
        instruction(
            request,
            request.usages.get(at),
            request.routes.get(at),
            at == 0,
            facility,
        )
    };
    (0..count).map(|at| one(at).into()).collect()
}

fn instruction(
    request: &MedicationRequest,
    usage: Option<&Usage>,
    route: Option<&Route>,
    is_first: bool,
    facility: &FacilityId,
) -> Object {
    let sequence = request
        .sequence
        .as_deref()
        .filter(|_| is_first)
        .and_then(|text| text.parse::<u32>().ok());
    let decoded =
        usage.is_some_and(|usage| sender_text(usage).is_none() && usage.decoded.is_some());
    let mark = || {
        extended(extension(
            "urn:musubi:extension:decoded-from-code",
            "valueBoolean",
            true,
        ))
    };
    Object::new()
        .with(
            "extension",
            extensions(request, usage, route, is_first, facility),
        )
        .with("sequence", sequence)
        .with("text", usage.and_then(text))
        .with("_text", decoded.then(mark))
        .with(
            "additionalInstruction",
            additional(request, usage, is_first, facility),
        )
        .with(
            "timing",
            usage.map(|usage| timing(request, usage, facility)),
        )
        .with("asNeededBoolean", is_as_needed(request).then_some(true))
        .with(
            "site",
            as_codeable(route.and_then(|route| route.site.as_ref()), facility),
        )
        .with(
            "route",
            as_codeable(route.and_then(|route| route.route.as_ref()), facility),
        )
        .with("method", method(usage, route, facility))
        .with("doseAndRate", rates(request, usage, is_first))
}

fn sender_text(usage: &Usage) -> Option<&str> {
    usage.code.as_ref().and_then(words)
}

/// The sender's text first; a text decoded from the code only where none came.
fn text(usage: &Usage) -> Option<String> {
    let main = sender_text(usage).or(usage.decoded.as_deref());
    let parts = main
        .into_iter()
        .chain(usage.additional.iter().filter_map(words))
        .chain(usage.text.as_deref());
    let parts: Vec<&str> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("　"))
}

/// Additional usage of TQ1-3; for an injection also the comments of RXE-7, which are for those who
/// give it and not for those who dispense it.
fn additional(
    request: &MedicationRequest,
    usage: Option<&Usage>,
    is_first: bool,
    facility: &FacilityId,
) -> Vec<Value> {
    let usage = usage.into_iter().flat_map(|usage| &usage.additional);
    let is_comment = is_first && request.kind == MedicationKind::Injection;
    let comments = request.instructions.iter().filter(|_| is_comment);
    usage
        .chain(comments)
        .map(|sent| concept(sent, facility).into())
        .collect()
}

/// An injection has hours, which JP Core puts into the timing as well.
fn timing(request: &MedicationRequest, usage: &Usage, facility: &FacilityId) -> Object {
    let is_injection = request.kind == MedicationKind::Injection;
    let bounds = if is_injection {
        period(usage.start, usage.end)
    } else {
        Object::new()
    };
    Object::new()
        .with("repeat", Object::new().with("boundsPeriod", bounds))
        .with("code", as_codeable(usage.code.as_ref(), facility))
}

fn method(usage: Option<&Usage>, route: Option<&Route>, facility: &FacilityId) -> Object {
    let sent = route.and_then(|route| route.method.as_ref());
    let code = usage.and_then(|usage| usage.code.as_ref()?.code_in(&CodeSystem::JamiUsage));
    let digits = code
        .filter(|code| code.len() == 16)
        .into_iter()
        .flat_map(jami_methods);
    let sent_codings = sent.map(|sent| codings(sent, facility, UNITS));
    let codings: Vec<Object> = digits.chain(sent_codings.into_iter().flatten()).collect();
    Object::new()
        .with("coding", codings)
        .with("text", sent.and_then(words))
}

/// Doses belong to the order, so they stand once; an amount of TQ1-2 belongs to its own timing.
fn rates(request: &MedicationRequest, usage: Option<&Usage>, is_first: bool) -> Vec<Object> {
    let own = usage.and_then(|usage| usage.amount.as_ref());
    let dose = if is_first {
        request.dose.as_ref().or(own)
    } else {
        own
    };
    let high = request.dose_max.as_ref().filter(|_| is_first);
    let per_day_amount = request.per_day.as_ref().filter(|_| is_first);
    let rate = request.rate.as_ref().filter(|_| is_first);
    let main = dosed(dose, high)
        .with(
            "rateRatio",
            per_day_amount.map(|sent| ratio(simple_quantity(sent), per_day())),
        )
        .with(
            "rateQuantity",
            rate.filter(|_| per_day_amount.is_none())
                .map(simple_quantity),
        );
    let second = rate.filter(|_| per_day_amount.is_some());
    let second = Object::new().with("rateQuantity", second.map(simple_quantity));
    let typed = |content: Object| {
        let kind = Object::new().with("type", product_amount());
        kind.and(&content)
    };
    [main, second]
        .into_iter()
        .filter(|one| !one.is_empty())
        .map(typed)
        .collect()
}

fn dosed(low: Option<&Quantity>, high: Option<&Quantity>) -> Object {
    match (low, high) {
        (low, Some(high)) => {
            let range = Object::new()
                .with("low", low.map(simple_quantity))
                .with("high", simple_quantity(high));
            Object::new().with("doseRange", range)
        }
        (low, None) => Object::new().with("doseQuantity", low.map(simple_quantity)),
    }
}

fn extensions(
    request: &MedicationRequest,
    usage: Option<&Usage>,
    route: Option<&Route>,
    is_first: bool,
    facility: &FacilityId,
) -> Vec<Value> {
    let of_usage = usage
        .into_iter()
        .flat_map(|usage| usage_extensions(request, usage));
    let of_route = route
        .into_iter()
        .flat_map(|route| route_extensions(route, facility));
    let rate_per = request.rate_per.as_deref().filter(|_| is_first);
    of_usage
        .chain(of_route)
        .chain([source_field("RXE-22", "valueString", rate_per)])
        .collect()
}

fn usage_extensions(request: &MedicationRequest, usage: &Usage) -> Vec<Value> {
    let of = |name: &str| format!("{EXTENSIONS}JP_MedicationDosage_{name}");
    // RXE-3 is the dose when both are sent; a different TQ1-2 must still be seen.
    let other_amount = usage
        .amount
        .as_ref()
        .filter(|own| request.dose.as_ref().is_some_and(|dose| dose != *own));
    let odd_times = usage.times.as_ref().filter(|times| whole(times).is_none());
    let fields = [
        extension(
            &of("PeriodOfUse"),
            "valuePeriod",
            period(usage.start, usage.end),
        ),
        extension(
            &of("UsageDuration"),
            "valueDuration",
            usage.days.as_ref().map(days),
        ),
        source_field("TQ1-2", "valueQuantity", other_amount.map(quantity)),
        source_field("TQ1-6", "valueString", usage.duration_text.as_deref()),
        source_field(
            "TQ1-14",
            "valueString",
            odd_times.map(model::quantity::Decimal::as_str),
        ),
    ];
    fields.into()
}

fn route_extensions(route: &Route, facility: &FacilityId) -> Vec<Value> {
    let of = |name: &str| format!("{EXTENSIONS}JP_MedicationDosage_{name}");
    let device = route.device.as_ref();
    let named = device
        .and_then(words)
        .map(|name| Object::new().with("type", "Device").with("display", name));
    let coded = device.filter(|device| !device.codings.is_empty());
    vec![
        extension(&of("Device"), "valueReference", named),
        extension(
            &of("Line"),
            "valueCodeableConcept",
            as_codeable(route.line.as_ref(), facility),
        ),
        source_field(
            "RXR-3",
            "valueCodeableConcept",
            as_codeable(coded, facility),
        ),
        source_field(
            "RXR-6",
            "valueCodeableConcept",
            as_codeable(route.site_modifier.as_ref(), facility),
        ),
    ]
}
