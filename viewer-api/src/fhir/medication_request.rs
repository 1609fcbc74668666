//! `MedicationRequest`: a prescribed drug, or an ordered injection with its mixture.

mod dosage;

use crate::json::Value;
use model::code::Concept;
use model::id::FacilityId;
use model::medication::{Ingredient, MedicationKind, MedicationRequest, MedicationStatus};
use model::record::ReadRecord;

use super::Rendering;
use super::contained::Contained;
use super::datatypes::{
    absent, amount, coding, concept, concept_in, date_time, days, extension, identifier, note,
    ratio, simple_quantity, source_field, whole,
};
use super::meta::{Version, hl7_code, instance, meta, opening, origin, patient_of};
use super::object::Object;
use super::person::place;
use super::system::{
    self, MERIT9_CATEGORY, MERIT9_FORM, MERIT9_UNIT, ORDER_IN_RP, ORDER_SETTING, RP_NUMBER,
    STRENGTH_TYPE,
};

const EXTENSIONS: &str = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/";

/// Renders an order of one drug or one mixture.
pub(crate) fn render(
    record: &ReadRecord,
    request: &MedicationRequest,
    on: &Rendering<'_>,
) -> Value {
    let facility = &record.meta.facility;
    let mut contained = Contained::default();
    let mixture = mixture(request, facility).map(|mixture| contained.hold("Medication", mixture));
    let single = mixture.is_none().then(|| concept(&request.drug, facility));
    let requester = request
        .order
        .requester
        .as_ref()
        .and_then(|staff| contained.staff(staff, facility));
    let recorder = request
        .order
        .entered_by
        .as_ref()
        .and_then(|staff| contained.staff(staff, facility));
    let authored = authored(record, request);
    opening(
        "MedicationRequest",
        record,
        meta(record, &Version::of(record), profile(request), &[], None),
    )
    .with("contained", contained)
    .with("extension", extensions(record, request))
    .with("identifier", identifiers(record, request, on))
    .with("status", status(request.status))
    .with("intent", "order")
    .with("category", categories(request, facility))
    .with("medicationCodeableConcept", single)
    .with("medicationReference", mixture)
    .with("subject", patient_of(record))
    .with("_authoredOn", authored.is_none().then(absent))
    .with("authoredOn", authored)
    .with("requester", requester)
    .with("recorder", recorder)
    .with(
        "groupIdentifier",
        request
            .order
            .placer
            .as_deref()
            .map(|number| instance(number, record, on)),
    )
    .with(
        "note",
        request
            .notes
            .iter()
            .map(|text| note(text.as_str()))
            .collect::<Vec<_>>(),
    )
    .with("dosageInstruction", dosage::instructions(request, facility))
    .with("dispenseRequest", dispense(request, facility))
    .into()
}

const fn profile(request: &MedicationRequest) -> &'static str {
    match request.kind {
        MedicationKind::Prescription => "JP_MedicationRequest",
        MedicationKind::Injection => "JP_MedicationRequest_Injection",
    }
}

const fn status(status: MedicationStatus) -> &'static str {
    match status {
        MedicationStatus::Active => "active",
        MedicationStatus::OnHold => "on-hold",
        MedicationStatus::Cancelled => "cancelled",
        MedicationStatus::Stopped => "stopped",
    }
}

/// When it was ordered; JP Core demands it, so the day of the record stands in (診療日).
fn authored(record: &ReadRecord, request: &MedicationRequest) -> Option<String> {
    let said = request
        .order
        .entered_at
        .or(request.ordered_at)
        .map(date_time);
    let occurred = record.meta.occurred;
    said.or_else(|| occurred.is_dated().then(|| occurred.from.day().to_string()))
}

fn identifiers(record: &ReadRecord, request: &MedicationRequest, on: &Rendering<'_>) -> Vec<Value> {
    let facility = &record.meta.facility;
    let local =
        |name: &str, number: &str| Value::from(identifier(&system::local(facility, name), number));
    let order = &request.order;
    let rp = [
        identifier(RP_NUMBER, &request.rp_number).into(),
        identifier(ORDER_IN_RP, &request.order_in_rp.to_string()).into(),
    ];
    let placer = order
        .placer
        .as_deref()
        .map(|number| instance(number, record, on).into());
    let filler = order
        .filler
        .as_deref()
        .map(|number| local("filler-order-number", number));
    let prescription = request
        .prescription_number
        .as_deref()
        .map(|number| local("prescription-number", number));
    rp.into_iter()
        .chain(placer)
        .chain(filler)
        .chain(prescription)
        .collect()
}

/// Inpatient or outpatient, the sender's categories, and 内服, 頓用 or 外用.
fn categories(request: &MedicationRequest, facility: &FacilityId) -> Vec<Value> {
    let setting = request
        .order
        .setting
        .as_ref()
        .map(|sent| setting(sent, facility));
    let sent = request
        .categories
        .iter()
        .map(|sent| concept_in(sent, facility, MERIT9_CATEGORY));
    let class = request
        .dosage_class
        .as_ref()
        .map(|sent| concept(sent, facility));
    setting
        .into_iter()
        .chain(sent)
        .chain(class)
        .map(Value::from)
        .collect()
}

/// Some senders write `I` or `O` without naming HL7 table 0482.
fn setting(sent: &Concept, facility: &FacilityId) -> Object {
    match hl7_code(Some(sent), 482) {
        Some(code @ ("I" | "O")) => {
            let display = sent
                .codings
                .first()
                .and_then(|coding| coding.display.clone());
            let coding = coding(ORDER_SETTING, code).with("display", display);
            Object::new()
                .with("coding", vec![Value::from(coding)])
                .with("text", sent.text.clone())
        }
        _ => concept(sent, facility),
    }
}

/// The drugs of a mixture as one `Medication`, base before additives.
fn mixture(request: &MedicationRequest, facility: &FacilityId) -> Option<Object> {
    if request.ingredients.is_empty() {
        return None;
    }
    let numbered = (1_u32..).zip(&request.ingredients);
    let ingredients: Vec<Value> = numbered
        .map(|(number, one)| ingredient(number, one, facility).into())
        .collect();
    let form = request
        .form
        .as_ref()
        .map(|form| concept_in(form, facility, MERIT9_FORM));
    Some(
        Object::new()
            .with("code", concept(&request.drug, facility))
            .with("form", form)
            .with("ingredient", ingredients),
    )
}

fn ingredient(number: u32, ingredient: &Ingredient, facility: &FacilityId) -> Object {
    let drug_no = extension(
        &format!("{EXTENSIONS}JP_Medication_Ingredient_DrugNo"),
        "valueInteger",
        number,
    );
    let role = source_field(
        "RXC-1",
        "valueString",
        if ingredient.base { "B" } else { "A" },
    );
    let extensions = vec![drug_no, role];
    // JP Core: an amount of an ingredient is per occasion (１回).
    let strength = ingredient.amount.as_ref().map(|sent| {
        ratio(
            simple_quantity(sent),
            amount(1_u32, "回", MERIT9_UNIT, "TIME"),
        )
        .with("extension", vec![strength_type()])
    });
    Object::new()
        .with("extension", extensions)
        .with("itemCodeableConcept", concept(&ingredient.drug, facility))
        .with("strength", strength)
}

/// 製剤量: amounts of HL7 orders count the product, not the substance.
fn product_amount() -> Object {
    Object::new().with(
        "coding",
        vec![Value::from(
            coding(STRENGTH_TYPE, "1").with("display", "製剤量"),
        )],
    )
}

fn strength_type() -> Value {
    let url = format!("{EXTENSIONS}JP_Medication_IngredientStrength_StrengthType");
    extension(&url, "valueCodeableConcept", product_amount())
}

fn dispense(request: &MedicationRequest, facility: &FacilityId) -> Object {
    let url = format!("{EXTENSIONS}JP_MedicationRequest_DispenseRequest_InstructionForDispense");
    let is_prescription = request.kind == MedicationKind::Prescription;
    let instructions = request.instructions.iter().filter(|_| is_prescription);
    let instructions =
        instructions.map(|sent| extension(&url, "valueCodeableConcept", concept(sent, facility)));
    let url = format!("{EXTENSIONS}JP_MedicationRequest_DispenseRequest_ExpectedRepeatCount");
    let first = request.usages.first();
    let times = first.and_then(|usage| whole(usage.times.as_ref()?));
    let times = times.map(|times| extension(&url, "valueInteger", times));
    let extensions: Vec<Value> = instructions.chain(times).collect();
    Object::new()
        .with("extension", extensions)
        .with(
            "numberOfRepeatsAllowed",
            request.refills.as_ref().and_then(whole),
        )
        .with("quantity", request.dispense.as_ref().map(simple_quantity))
        .with(
            "expectedSupplyDuration",
            first.and_then(|usage| usage.days.as_ref()).map(days),
        )
}

/// Where the order comes from, and its fields that have no element in FHIR.
fn extensions(record: &ReadRecord, request: &MedicationRequest) -> Vec<Value> {
    let facility = &record.meta.facility;
    let order = &request.order;
    let original = request.ordered_at.filter(|_| order.entered_at.is_some());
    let form = request
        .form
        .as_ref()
        .filter(|_| request.ingredients.is_empty());
    let deliver_to = request.deliver_to.as_ref().map(place);
    let fields = [
        source_field("ORC-4", "valueString", order.group.as_deref()),
        source_field(
            "RXE-6",
            "valueCodeableConcept",
            form.map(|form| concept_in(form, facility, MERIT9_FORM)),
        ),
        source_field(
            "RXE-25",
            "valueQuantity",
            request.strength.as_ref().map(simple_quantity),
        ),
        source_field("RXE-32", "valueDateTime", original.map(date_time)),
        source_field("RXE-42", "valueString", deliver_to),
    ];
    let refills = request
        .refills
        .as_ref()
        .filter(|sent| whole(sent).is_none());
    let refills = refills.map(|sent| source_field("RXE-12", "valueString", sent.as_str()));
    origin(record, order.department.as_ref())
        .chain(fields)
        .chain(refills)
        .collect()
}

/// Whether the drug is taken when needed (JAHIS table JHSP0003: 22 頓用).
fn is_as_needed(request: &MedicationRequest) -> bool {
    request
        .dosage_class
        .as_ref()
        .and_then(|class| class.first_code())
        == Some("22")
}

/// A method of administration by its code in two tables of JAMI 標準用法, first digit and first two.
fn jami_methods(usage: &str) -> impl Iterator<Item = Object> {
    let of = |length: usize, system: &str| usage.get(..length).map(|code| coding(system, code));
    let basic = of(1, "http://jami.jp/CodeSystem/MedicationMethodBasicUsage");
    basic.into_iter().chain(of(
        2,
        "http://jami.jp/CodeSystem/MedicationMethodDetailUsage",
    ))
}

fn per_day() -> Object {
    amount(1_u32, "日", system::UCUM, "d")
}

fn as_codeable(sent: Option<&Concept>, facility: &FacilityId) -> Option<Object> {
    sent.map(|sent| concept(sent, facility))
}
