"""AllergyIntolerance: IAM of ADT-61, AL1 of ADT-00, and AL1 of orders where neither names the allergen."""

from __future__ import annotations

from typing import Any, Iterator

from .. import fhir
from ..chart import Chart
from ..claims import Answer, Claim, Is, Item, OneOf, Shows, one_of
from ..coded import Codings, codings, display
from ..hl7 import Segment, Value
from ..storage import File
from ..values import fhir_time, v2_time

FAMILY = "AllergyIntolerance"
FIELDS = {
    "allergy.code": "IAM-3, AL1-3: codes",
    "allergy.text": "IAM-3, AL1-3: text",
    "allergy.category": "IAM-2, AL1-2",
    "allergy.clinical_status": "IAM-6, IAM-17",
    "allergy.verification": "IAM-17",
    "allergy.severity": "IAM-4, AL1-4",
    "allergy.reaction": "IAM-5, AL1-5",
    "allergy.onset": "IAM-11, IAM-12",
    "allergy.recorded": "IAM-13",
    "allergy.type": "IAM-9",
}
_CATEGORIES = {"DA": "medication", "FA": "food", "EA": "environment", "PA": "environment", "LA": "environment"}
_CATEGORIES |= {"AA": "biologic"}
_SEVERITIES = {"SV": "severe", "MO": "moderate", "MI": "mild"}
_VERIFICATIONS = {"C": "confirmed", "I": "confirmed", "E": "entered-in-error"}
_VERIFICATIONS |= {code: "unconfirmed" for code in "DPSU"}

Substance = tuple[str, str]


def expected(chart: Chart) -> Iterator[Item]:
    """The allergies of the lists; the same type, code and text is one allergy, however often it is said."""
    found: dict[tuple[str, ...], Item] = {}
    named: set[Substance] = set()
    for file, iam in _segments(chart, "ADT-61", "IAM"):
        key = (iam.get(7),) if iam.get(7) else (iam.get(2), *_substance(iam))
        found[key] = _iam(chart, file, iam)
        if iam.get(6) != "D":
            named.add(_substance(iam))
    listed = set(named)
    for file, al1 in _segments(chart, "ADT-00", "AL1"):
        item = _al1(chart, file, al1)
        if _substance(al1) in listed:
            # The list names it too: one allergy with two sources, or two.
            item.optional = "already named by ADT-61"
        found.setdefault((al1.get(2), *_substance(al1)), item)
        named.add(_substance(al1))
    for kind in ("OMP-01", "OMP-02"):
        for file, al1 in _segments(chart, kind, "AL1"):
            if _substance(al1) not in named:
                found.setdefault((al1.get(2), *_substance(al1)), _al1(chart, file, al1))
    yield from found.values()
    yield from _left(chart, set(found))


def _left(chart: Chart, known: set[tuple[str, ...]]) -> Iterator[Item]:
    """Allergies of superseded lists: gone, or kept as inactive."""
    for state in chart.of("ADT-61"):
        for file in state.older:
            for message in file.messages:
                for iam in message.all("IAM"):
                    key = (iam.get(7),) if iam.get(7) else (iam.get(2), *_substance(iam))
                    if key not in known:
                        known.add(key)
                        item = _iam(chart, file, iam)
                        item.claims["allergy.clinical_status"] = OneOf(("inactive", None))
                        item.optional = "no longer listed"
                        yield item


def _segments(chart: Chart, kind: str, name: str) -> Iterator[tuple[File, Segment]]:
    for file in chart.files(kind):
        for message in file.messages:
            yield from ((file, segment) for segment in message.all(name) if segment.first(3))


def _substance(segment: Segment) -> Substance:
    value = segment.first(3)
    return (value.part(1).strip(), display(value))


def _common(chart: Chart, segment: Segment, reactions: list[Value], severity: str) -> dict[str, Claim]:
    texts = [display(rep) or rep.part(1) for rep in reactions]
    category = _CATEGORIES.get(segment.get(2))
    text = _substance(segment)
    return {
        "allergy.code": Is(Codings(codings(segment.first(3), chart.facility))),
        # Without a text the code is all that can be shown.
        "allergy.text": Is(text[1]) if text[1] else OneOf((None, text[0])),
        # MA and MC (various, contraindication) have no category.
        "allergy.category": Is(frozenset({category} if category else ())),
        "allergy.severity": Is(_SEVERITIES.get(severity)),
        "allergy.reaction": Shows(tuple(texts)),
    }


def _iam(chart: Chart, file: File, iam: Segment) -> Item:
    claims = _common(chart, iam, iam.reps(5), iam.get(4))
    removed, status = iam.get(6) == "D", iam.get(17)
    verification = _VERIFICATIONS.get(status)
    claims["allergy.verification"] = Is(verification) if verification else OneOf((None, "unconfirmed", "confirmed"))
    claims["allergy.clinical_status"] = Is({"E": None, "I": "inactive"}.get(status, "active"))
    if removed:
        # Skipped, or kept as inactive, refuted or erroneous with the reason: never as active.
        claims["allergy.clinical_status"] = OneOf((None, "inactive"))
        claims["allergy.verification"] = OneOf((None, "refuted", "entered-in-error", verification))
    onset = [v2_time(iam.get(11)), iam.get(12)]
    claims["allergy.onset"] = one_of([one for one in onset if one] or [None])
    claims["allergy.recorded"] = one_of([v2_time(iam.get(13))] if iam.get(13) else [None, *_stamps(file)])
    kind = {"AL": "allergy", "IN": "intolerance"}.get(iam.get(9))
    if kind or not iam.get(9):
        claims["allergy.type"] = Is(kind)
    return Item(FAMILY, _key(iam), file.where, claims, optional="removed by IAM-6" if removed else "")


def _al1(chart: Chart, file: File, al1: Segment) -> Item:
    claims = _common(chart, al1, al1.reps(5), al1.get(4))
    claims["allergy.clinical_status"] = Is("active")
    # AL1 does not say how sure the statement is.
    claims["allergy.verification"] = OneOf((None, "unconfirmed", "confirmed"))
    claims["allergy.onset"] = one_of([v2_time(al1.get(6)), None])
    claims["allergy.recorded"] = OneOf((None, *_stamps(file)))
    return Item(FAMILY, _key(al1), file.where, claims)


def _stamps(file: File) -> list[str | None]:
    """The times of the message, which may serve as the date of a statement without one."""
    head, event = file.messages[0].first("MSH"), file.messages[0].first("EVN")
    order, pid = file.messages[0].first("ORC"), file.messages[0].first("PID")
    wanted = [(head, 7), (event, 2), (order, 9), (pid, 33)]
    return [v2_time(segment.get(number)) for segment, number in wanted if segment]


def _key(segment: Segment) -> tuple[str, ...]:
    return (_substance(segment)[1] or _substance(segment)[0],)


def answered(resource: dict[str, Any]) -> Answer:
    """What an AllergyIntolerance says."""
    code = resource.get("code") or {}
    reactions = resource.get("reaction", [])
    shown = [one.get("description", "") for one in reactions]
    shown += [concept.get("text", "") for one in reactions for concept in one.get("manifestation", [])]
    severities = sorted({one["severity"] for one in reactions if "severity" in one})
    facts = {
        "allergy.code": fhir.codings(code),
        "allergy.text": code.get("text"),
        "allergy.category": frozenset(resource.get("category", [])),
        "allergy.clinical_status": fhir.one_code(resource.get("clinicalStatus")),
        "allergy.verification": fhir.one_code(resource.get("verificationStatus")),
        "allergy.severity": "+".join(severities) or None,
        "allergy.reaction": "\n".join(text for text in shown if text and text != "反応情報なし"),
        "allergy.onset": fhir_time(resource.get("onsetDateTime")) or resource.get("onsetString"),
        "allergy.recorded": fhir_time(resource.get("recordedDate")),
        "allergy.type": resource.get("type"),
    }
    key = code.get("text") or next((one[1] for one in sorted(fhir.codings(code))), "")
    return Answer(FAMILY, (key,), facts, frozenset(fhir.strings(resource)), resource.get("id", ""))
