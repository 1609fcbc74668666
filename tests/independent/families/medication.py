"""MedicationRequest: one for every ORC group of OMP-01 (one drug) and of OMP-02 (one administration of a mixture)."""

from __future__ import annotations

import re
from typing import Any, Iterator

from .. import fhir
from ..chart import Chart
from ..claims import Answer, Claim, Includes, Is, Item, OneOf, Shows, Somewhere, one_of
from ..coded import BASIC_METHOD, BODY_SITE, DETAIL_METHOD, USAGE, USAGE_ADDITIONAL, Codings, codings, display, system_of
from ..hl7 import Segment, Value, strip
from ..storage import File
from ..values import decimal, fhir_time, number, squeeze, v2_time

FAMILY = "MedicationRequest"
FIELDS = {
    "medication.order": "ORC-2",
    "medication.rp": "ORC-4",
    "medication.order_in_rp": "place of the drug in its RP",
    "medication.status": "ORC-1",
    "medication.authored": "ORC-9, else RXE-32",
    "medication.drug_code": "RXE-2, RXE-31",
    "medication.drug_text": "RXE-2",
    "medication.dose": "RXE-3",
    "medication.dose_max": "RXE-4",
    "medication.dose_unit": "RXE-5",
    "medication.dose_unit_code": "RXE-5",
    "medication.daily": "RXE-19",
    "medication.usage_code": "TQ1-3, 16 characters",
    "medication.usage_extra": "TQ1-3, 8 characters",
    "medication.usage_text": "TQ1-3, TQ1-11: text",
    "medication.usage_method": "first characters of the usage code, RXR-4",
    "medication.days": "TQ1-6",
    "medication.start": "TQ1-7",
    "medication.end": "TQ1-8",
    "medication.times": "TQ1-14",
    "medication.total": "RXE-10",
    "medication.total_unit": "RXE-11",
    "medication.repeats": "RXE-12",
    "medication.route": "RXR-1",
    "medication.site": "RXR-2",
    "medication.setting": "ORC-29",
    "medication.instruction": "RXE-7, RXE-21, RXE-27: shown",
    "medication.prescription_number": "RXE-15",
    "medication.requester": "ORC-12",
    "medication.recorder": "ORC-10",
    "injection.kind": "RXE-2",
    "injection.ingredient_code": "RXC-2",
    "injection.ingredient_text": "RXC-2",
    "injection.ingredient_amount": "RXC-3, RXC-4",
    "injection.volume": "RXE-3, RXE-5",
    "injection.rate": "RXE-23, RXE-24",
    "injection.device": "RXR-3",
    "injection.line": "RXR-5",
}
_STATUS = {code: "cancelled" for code in ("CA", "OC", "CR")}
_STATUS |= {code: "stopped" for code in ("DC", "OD", "DR")}
_STATUS |= {code: "on-hold" for code in ("HD", "OH")}


def expected(chart: Chart) -> Iterator[Item]:
    """Prescriptions, then injections."""
    for kind in ("OMP-01", "OMP-02"):
        for file in chart.files(kind):
            places: dict[str, int] = {}
            for message in file.messages:
                for group in message.groups("ORC"):
                    if any(segment.name == "RXE" for segment in group):
                        rp = rp_number(group[0].get(4))
                        places[rp] = places.get(rp, 0) + 1
                        yield _item(chart, file, _Group(group), rp, places[rp])


def rp_number(group_number: str) -> str:
    """The second part of ORC-4, else the whole value, without leading zeros."""
    parts = group_number.split("_")
    return (parts[1] if len(parts) > 1 else parts[0]).lstrip("0")


class _Group:
    """The segments of one order, by name."""

    def __init__(self, segments: list[Segment]) -> None:
        self.orc = segments[0]
        self.segments = segments
        empty = Segment("", ("",), segments[0].marks)
        self.rxe = next((one for one in segments if one.name == "RXE"), empty)
        self.tq1 = next((one for one in segments if one.name == "TQ1"), empty)
        self.rxr = next((one for one in segments if one.name == "RXR"), empty)
        self.rxc = [one for one in segments if one.name == "RXC"]


def _item(chart: Chart, file: File, group: _Group, rp: str, place: int) -> Item:
    injection = file.kind == "OMP-02"
    orc, rxe = group.orc, group.rxe
    claims: dict[str, Claim] = {
        "medication.order": Includes(frozenset({orc.get(2)} - {""})),
        "medication.rp": Is(rp),
        # The place is demanded of prescriptions; an injection is one item of its RP.
        "medication.order_in_rp": OneOf((None, str(place), "1")) if injection else Is(str(place)),
        "medication.status": _status(orc),
        "medication.setting": _setting(file, orc),
        "medication.prescription_number": Includes(frozenset({rxe.get(15)} - {""})),
        "medication.requester": _person(orc.first(12)),
        "medication.recorder": _person(orc.first(10)),
        "medication.instruction": Somewhere(tuple(_instructions(rxe))),
        "medication.repeats": Is(decimal(rxe.get(12)) if rxe.get(12) else None),
        **_usage(group.tq1, group.rxr),
        **_route(group.rxr, chart.facility),
        **(_mixture(chart, group) if injection else _drug(chart, rxe)),
    }
    authored = v2_time(orc.get(9)) or v2_time(rxe.get(32))
    if authored:  # a request must have one; without any the choice is free
        claims["medication.authored"] = Is(authored)
    return Item(FAMILY, (orc.get(2), rp), file.where, claims)


def _status(orc: Segment) -> Claim:
    by_control = _STATUS.get(orc.get(1), "active")
    # ORC-5 is a status as well; the mapping reads ORC-1, and following both is right too.
    by_status = {"CA": "cancelled", "DC": "stopped", "HD": "on-hold", "CM": "completed"}.get(orc.get(5), by_control)
    return one_of([by_control, by_status])


def _setting(file: File, orc: Segment) -> Claim:
    code = orc.get(29).replace("0", "O")
    pv1 = file.messages[0].first("PV1")
    visit = pv1.get(2).replace("0", "O") if pv1 else ""
    names = {"O": "outpatient", "I": "inpatient"}
    return Is(names[code]) if code in names else OneOf((None, names.get(visit)))


def _person(person: Value) -> Claim:
    return Is(frozenset({squeeze(person.part(2) + person.part(3))} - {""}))


def _instructions(rxe: Segment) -> Iterator[str]:
    """Texts of instructions, category and kind. Their place is free, so only that they are shown is compared."""
    for at in (7, 21, 27):
        for rep in rxe.reps(at):
            if shown := display(rep) or strip(rep.part(1)):
                yield shown


# --- drug and amounts -------------------------------------------------------------------------------------------------


def _drug(chart: Chart, rxe: Segment) -> dict[str, Claim]:
    drug = rxe.first(2)
    codes = codings(drug, chart.facility)
    for rep in rxe.reps(31):
        codes |= codings(rep, chart.facility)
    unit = rxe.first(5)
    dose = decimal(rxe.get(3)) if rxe.get(3) else None
    return {
        "medication.drug_code": Is(Codings(codes)),
        "medication.drug_text": Is(display(drug) or None),
        "medication.dose": Is(dose),
        "medication.dose_max": Is(decimal(rxe.get(4)) if rxe.get(4) else None),
        "medication.dose_unit": _unit(unit) if dose else Is(None),
        "medication.dose_unit_code": Is(_merit(unit)) if dose else Is(None),
        "medication.daily": _daily(rxe.first(19)),
        **_total(rxe),
    }


def _daily(amount: Value) -> Claim:
    value = decimal(amount.part(1))
    return Is((value, strip(amount.sub(2, 2)) or strip(amount.sub(2, 1)) or None) if value else None)


def _total(rxe: Segment) -> dict[str, Claim]:
    total = decimal(rxe.get(10)) if rxe.get(10) else None
    return {
        "medication.total": Is(total),
        "medication.total_unit": _unit(rxe.first(11)) if total else Is(None),
    }


def _unit(value: Value) -> Claim:
    """The unit as sent: its text, else its code."""
    return Is(strip(value.part(2)) or strip(value.part(1)) or None)


def _merit(value: Value) -> tuple[str, str] | None:
    code, system = strip(value.part(1)), strip(value.part(3))
    return (system_of("MR9P", code, ""), code) if code and system == "MR9P" else None


def _mixture(chart: Chart, group: _Group) -> dict[str, Claim]:
    rxe = group.rxe
    kind = rxe.first(2)
    # The base comes first, then the additives, each in the order of the message.
    parts = sorted(group.rxc, key=lambda rxc: rxc.get(1) != "B")
    coded = [Codings(codings(rxc.first(2), chart.facility)) for rxc in parts]
    amounts = tuple((decimal(rxc.get(3)), strip(rxc.first(4).part(2)) or rxc.get(4)) for rxc in parts)
    volume = decimal(rxe.get(3)) if rxe.get(3) else None
    rate = decimal(rxe.get(23)) if rxe.get(23) else None
    given = (volume, strip(rxe.first(5).part(2)) or rxe.get(5))
    units = {strip(rxe.first(24).part(at)) for at in (1, 2)} - {""}
    return {
        "injection.kind": Somewhere(tuple(filter(None, [display(kind)]))),
        "injection.ingredient_code": Is(_Ordered(coded)),
        "injection.ingredient_text": Is(tuple(display(rxc.first(2)) for rxc in parts)),
        "injection.ingredient_amount": Is(amounts),
        # The volume is one dose; the place of the dose and of the total are both meant by the documents.
        "injection.volume": Includes(frozenset({given} if volume else ())),
        "injection.rate": one_of([(rate, unit) for unit in sorted(units)]) if rate else Is(None),
        "injection.device": Somewhere(_texts(group.rxr.reps(3))),
        "injection.line": Somewhere(_texts(group.rxr.reps(5))),
        **_total(rxe),
    }


def _texts(reps: list[Value]) -> tuple[str, ...]:
    return tuple(filter(None, (display(rep) or strip(rep.part(1)) for rep in reps)))


class _Ordered(tuple[Any, ...]):
    """A sequence of codings whose equality knows codings of any system."""

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, tuple) and len(self) == len(other) and all(a == b for a, b in zip(self, other))

    __hash__ = tuple.__hash__


# --- usage ------------------------------------------------------------------------------------------------------------


def _usage(tq1: Segment, rxr: Segment) -> dict[str, Claim]:
    parts = [_pattern(rep) for rep in tq1.reps(3)]
    codes = {code for code, _, _ in parts if re.fullmatch(r"[0-9A-Z]{16}", code)}
    extra = {code for code, _, _ in parts if re.fullmatch(r"[0-9A-Z]{8}", code)}
    texts = [text for code, text, _ in parts if text and code not in extra]
    texts.append(strip(tq1.first(11).text))
    method = {(BASIC_METHOD, code[:1]) for code in codes} | {(DETAIL_METHOD, code[:2]) for code in codes}
    manner = {rep.part(1) for rep in rxr.reps(4)}
    return {
        "medication.usage_code": Is(frozenset((USAGE, code) for code in codes)),
        "medication.usage_extra": Is(frozenset((USAGE_ADDITIONAL, code) for code in extra)),
        "medication.usage_text": Shows(tuple(text for text in texts if text)),
        # RXR-4 is a method of its own; where both are given both may stand.
        "medication.usage_method": Includes(frozenset(method)) if manner else Is(frozenset(method)),
        "medication.days": Is(_days(tq1.first(6))),
        "medication.start": _moment(tq1.get(7)),
        "medication.end": _moment(tq1.get(8)),
        "medication.times": Is(decimal(tq1.get(14)) if tq1.get(14) else None),
    }


def _pattern(rep: Value) -> tuple[str, str, str]:
    """Code, text and system; some senders write components where sub-components belong."""
    if rep.sub(1, 2) or not rep.part(2):
        return tuple(strip(rep.sub(1, at)) for at in (1, 2, 3))  # type: ignore[return-value]
    return tuple(strip(rep.part(at)) for at in (1, 2, 3))  # type: ignore[return-value]


def _days(duration: Value) -> str | None:
    """The number of days in any of the five spellings; other durations are none."""
    count = decimal(duration.part(1))
    unit = {strip(duration.sub(2, at)) for at in (1, 2)} | {strip(duration.part(2))}
    return count if count and unit & {"d", "D", "日", "日分"} else None


def _moment(text: str) -> Claim:
    if re.fullmatch(r"\d{10}", text) and v2_time(text):
        # Only the hour is given: FHIR needs minutes with it, or only the day.
        return OneOf((v2_time(text), v2_time(text[:8])))
    return Is(v2_time(text))


def _route(rxr: Segment, facility: str) -> dict[str, Claim]:
    route, site = rxr.first(1), rxr.first(2)
    code = rxr.get(1).replace("P0", "PO")
    claims: dict[str, Claim] = {
        "medication.route": Is(Codings({(system_of(route.part(3), code, facility), code)} if code else set())),
        "medication.site": Is(frozenset()),
    }
    if site:
        name = strip(site.part(3))
        system = BODY_SITE if name == "JAMISDP01" else system_of(name, site.part(1), facility)
        claims["medication.site"] = Is(Codings({(system, site.part(1))} if site.part(1) else set()))
    return claims


# --- answers ----------------------------------------------------------------------------------------------------------


def answered(resource: dict[str, Any]) -> Answer:
    """What a MedicationRequest says."""
    dosage = (resource.get("dosageInstruction") or [{}])[0]
    dispense = resource.get("dispenseRequest", {})
    rps = fhir.identifiers(resource, fhir.RP_NUMBER)
    places = fhir.identifiers(resource, fhir.ORDER_IN_RP)
    others = frozenset(fhir.identifiers(resource)) - frozenset(rps) - frozenset(places)
    medication = _medication(resource)
    facts = {
        # A number that happens to equal the RP number is still an order number.
        "medication.order": others | frozenset(fhir.identifiers(resource, fhir.ORDER)),
        "medication.rp": "+".join(rps) or None,
        "medication.order_in_rp": "+".join(places) or None,
        "medication.status": resource.get("status"),
        "medication.authored": fhir_time(resource.get("authoredOn")),
        "medication.drug_code": fhir.codings(medication.get("code")),
        "medication.drug_text": (medication.get("code") or {}).get("text"),
        "medication.setting": _read_setting(resource),
        "medication.prescription_number": others,
        "medication.requester": fhir.people(resource, resource.get("requester")),
        "medication.recorder": fhir.people(resource, resource.get("recorder")),
        "medication.repeats": number(dispense.get("numberOfRepeatsAllowed")),
        "medication.total": number(dispense.get("quantity", {}).get("value")),
        "medication.total_unit": dispense.get("quantity", {}).get("unit"),
        **_read_dosage(dosage, dispense),
        **_read_mixture(medication, dosage, dispense),
    }
    order = fhir.identifiers(resource, fhir.ORDER) or sorted(others) or [""]
    key = (order[0], facts["medication.rp"])
    return Answer(FAMILY, key, facts, frozenset(fhir.strings(resource)), resource.get("id", ""))


def _medication(resource: dict[str, Any]) -> dict[str, Any]:
    if "medicationCodeableConcept" in resource:
        return {"code": resource["medicationCodeableConcept"]}
    return fhir.target(resource, resource.get("medicationReference"))


def _read_setting(resource: dict[str, Any]) -> str | None:
    names = {"O": "outpatient", "I": "inpatient", "outpatient": "outpatient", "inpatient": "inpatient"}
    found = {names[code] for code in fhir.codes(resource.get("category", [])) if code in names}
    return "+".join(sorted(found)) or None


def _read_dosage(dosage: dict[str, Any], dispense: dict[str, Any]) -> dict[str, Any]:
    rate = (dosage.get("doseAndRate") or [{}])[0]
    ratio = rate.get("rateRatio", {})
    # With a largest amount (RXE-4) the dose is a range, or the limit stands beside it.
    between = rate.get("doseRange", {})
    dose = rate.get("doseQuantity") or between.get("low", {})
    largest = between.get("high") or dosage.get("maxDosePerAdministration", {})
    timing = dosage.get("timing", {}).get("code", {})
    period = next((one.get("valuePeriod", {}) for one in fhir.extensions(dosage, "PeriodOfUse")), {})
    duration = next((one.get("valueDuration", {}) for one in fhir.extensions(dosage, "UsageDuration")), {})
    supply = dispense.get("expectedSupplyDuration") or duration
    counts = [one.get("valueInteger") for one in fhir.extensions(dispense, "ExpectedRepeatCount")]
    extra = [one for concept in dosage.get("additionalInstruction", []) for one in fhir.codings(concept)]
    daily = ratio.get("numerator", {}) if ratio.get("denominator", {}).get("code") == "d" else {}
    days = supply.get("code", supply.get("unit")) in ("d", "日")
    return {
        "medication.dose": number(dose.get("value")),
        "medication.dose_max": number(largest.get("value")),
        "medication.dose_unit": dose.get("unit"),
        "medication.dose_unit_code": (dose.get("system"), dose["code"]) if "code" in dose else None,
        "medication.daily": (number(daily.get("value")), daily.get("unit")) if daily else None,
        "medication.usage_code": frozenset(one for one in fhir.codings(timing) if one[0] == USAGE),
        "medication.usage_extra": frozenset(one for one in extra if one[0] == USAGE_ADDITIONAL),
        "medication.usage_text": dosage.get("text"),
        "medication.usage_method": fhir.codings(dosage.get("method")),
        "medication.days": number(supply.get("value")) if days else None,
        "medication.start": fhir_time(period.get("start")),
        "medication.end": fhir_time(period.get("end")),
        "medication.times": number(counts[0]) if counts else None,
        "medication.route": fhir.codings(dosage.get("route")),
        "medication.site": fhir.codings(dosage.get("site")),
    }


def _read_mixture(medication: dict[str, Any], dosage: dict[str, Any], dispense: dict[str, Any]) -> dict[str, Any]:
    rate = (dosage.get("doseAndRate") or [{}])[0]
    items = [one.get("itemCodeableConcept", {}) for one in medication.get("ingredient", [])]
    amounts = [one.get("strength", {}).get("numerator", {}) for one in medication.get("ingredient", [])]
    volumes = [rate.get("doseQuantity", {}), dispense.get("quantity", {})]
    return {
        "injection.ingredient_code": tuple(fhir.codings(one) for one in items),
        "injection.ingredient_text": tuple(one.get("text", "") for one in items),
        "injection.ingredient_amount": tuple((number(one.get("value")), one.get("unit")) for one in amounts),
        "injection.volume": frozenset((number(one.get("value")), one.get("unit")) for one in volumes if "value" in one),
        "injection.rate": _read_rate(rate),
    }


def _read_rate(rate: dict[str, Any]) -> tuple[str | None, str | None] | None:
    """A rate as (value, unit), be it a quantity or a ratio over one unit of time."""
    if "rateQuantity" in rate:
        return (number(rate["rateQuantity"].get("value")), rate["rateQuantity"].get("unit"))
    ratio = rate.get("rateRatio")
    if not ratio or ratio.get("denominator", {}).get("code") == "d":
        return None
    top, below = ratio.get("numerator", {}), ratio.get("denominator", {})
    text = top.get("unit", "")
    return (number(top.get("value")), text if "/" in text or "／" in text else f"{text}/{below.get('unit', '')}")
