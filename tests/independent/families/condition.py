"""Condition: the PRB groups of PPR-01. Every slot is a list of its own; identity inside it is PRB-4."""

from __future__ import annotations

from typing import Any, Iterator

from .. import fhir
from ..chart import Chart
from ..claims import Answer, Claim, Includes, Is, Item, OneOf, one_of
from ..coded import DISEASE, DISEASE_EXCHANGE, Codings, codings, triplets
from ..hl7 import Segment, strip
from ..storage import File, State
from ..values import fhir_time, squeeze, v2_time

FAMILY = "Condition"
FIELDS = {
    "condition.identifier": "PRB-4",
    "condition.text": "PRB-3, with the modifiers of ZPR",
    "condition.code": "PRB-3 and ZPR-2, ZPR-5: MEDIS codes",
    "condition.icd10": "PRB-10",
    "condition.modifier": "ZPR-1, ZPR-3",
    "condition.recorded": "PRB-7",
    "condition.onset": "PRB-16",
    "condition.abatement": "PRB-9, PRB-15",
    "condition.clinical_status": "PRB-9, PRB-14, PRB-15, and lists that no longer name it",
    "condition.verification": "PRB-13, modifiers of suspicion",
    "condition.recorder": "ORC-12",
}
_HIDDEN = {"V", "R", "HIV", "PSY"}
_UNCODED = {"20084317", "0000999"}


def expected(chart: Chart) -> Iterator[Item]:
    """Every problem of every list, those that left their list too."""
    for state in chart.of("PPR-01"):
        current = state.current
        if not current:
            continue
        listed = dict(_problems(current))
        yield from (_item(chart, current, group) for group in listed.values() if not _is_hidden(group))
        yield from _left(chart, state, set(listed))


def _problems(file: File) -> Iterator[tuple[tuple[str, ...], list[Segment]]]:
    seen: set[tuple[str, ...]] = set()
    for message in file.messages:
        for group in message.groups("PRB"):
            prb = group[0]
            key: tuple[str, ...] = (prb.get(4),)
            if not key[0] or key in seen:
                key = (prb.get(3), prb.get(7), str(len(seen)))
            seen.add(key)
            yield key, group


def _is_hidden(group: list[Segment]) -> bool:
    """Restricted problems do not exist for readers."""
    return any(rep.part(1) in _HIDDEN for rep in group[0].reps(25))


def _left(chart: Chart, state: State, listed: set[tuple[str, ...]]) -> Iterator[Item]:
    """Problems of superseded versions that the current list no longer names."""
    gone: dict[tuple[str, ...], tuple[File, list[Segment]]] = {}
    for file in state.older:
        if file.flag in "02":
            gone |= {key: (file, group) for key, group in _problems(file) if key not in listed and key[0]}
    for file, group in gone.values():
        if _is_hidden(group):
            continue
        item = _item(chart, file, group)
        item.claims["condition.clinical_status"] = OneOf(("inactive", None))
        item.claims["condition.abatement"] = OneOf((None, *_times(group[0], 9, 15)))
        if group[0].get(1) == "DE":
            item.optional = "deleted, and no longer listed"
        elif file.flag == "0":
            # Delete and insert of one slot: the old list counts as superseded or as deleted.
            item.optional = "its list was deleted before the current one was written"
        else:
            item.claims["condition.clinical_status"] = Is("inactive")
        yield item


def _item(chart: Chart, file: File, group: list[Segment]) -> Item:
    prb = group[0]
    zprs = [segment for segment in group if segment.name == "ZPR"]
    orders = [segment for segment in group if segment.name == "ORC"]
    erroneous = prb.get(1) == "DE"
    suspected = prb.get(13) == "1" or "疑い" in "".join(_shown(prb, zprs))
    recorder = orders[0].first(12) if orders else prb.first(0)
    doctor = squeeze(recorder.part(2) + recorder.part(3)) if orders else ""
    modifiers = {code for zpr in zprs for at in (1, 3) for rep in zpr.reps(at) if (code := rep.part(1))}
    claims: dict[str, Claim] = {
        "condition.identifier": Includes(frozenset({prb.get(4)} - {""})),
        "condition.text": _text(prb, zprs),
        "condition.code": _codes(prb, zprs, chart.facility),
        "condition.icd10": Is(frozenset(_icd(prb))),
        "condition.modifier": Includes(frozenset(modifiers)),
        "condition.recorded": one_of(_times(prb, 7) or [None]),
        "condition.onset": one_of(_times(prb, 16) or [None]),
        # Both are the end of the disease; when they differ, either is right.
        "condition.abatement": one_of(_times(prb, 9, 15) or [None]),
        "condition.clinical_status": Is(None if erroneous else _clinical(prb)),
        "condition.verification": Is(
            "entered-in-error" if erroneous else "provisional" if suspected else "confirmed"
        ),
        "condition.recorder": Is(frozenset({doctor} - {""})),
    }
    if not prb.get(16) and prb.get(17):
        claims["condition.onset"] = OneOf((None, strip(prb.first(17).part(1))))
    # PRB-1 = DE: the problem leaves the list; showing it as an error is the other reading.
    return Item(FAMILY, (prb.get(4),), file.where, claims, optional="deleted by its list" if erroneous else "")


def _times(prb: Segment, *numbers: int) -> list[str]:
    return [time for number in numbers if (time := v2_time(prb.get(number)))]


def _clinical(prb: Segment) -> str:
    ended = bool(_times(prb, 9, 15)) or prb.get(14) in {"D", "R", "S", "F"}
    return "resolved" if ended else "active"


def _shown(prb: Segment, zprs: list[Segment]) -> list[str]:
    """The name as sent, and the name put together from modifiers and disease."""
    names = [strip(prb.first(3).part(2)) or strip(prb.first(3).part(5))]
    for zpr in zprs:
        parts = [[rep.part(2) for rep in zpr.reps(at)] for at in (1, 2, 3)]
        names.append("".join(text for part in parts for text in part))
    return [name for name in dict.fromkeys(names) if name]


def _text(prb: Segment, zprs: list[Segment]) -> Claim:
    names = _shown(prb, zprs)
    # PRB-3 usually is the whole name; where it is only the disease, the composed name says more. Both may stand.
    return one_of(names) if names else Is(None)


def _codes(prb: Segment, zprs: list[Segment], facility: str) -> Claim:
    diseases = {(DISEASE, code) for code, _, name in triplets(prb.first(3)) if name == "MDCDX2" and code}
    local = {one for one in codings(prb.first(3), facility) if one[1] not in {code for _, code in diseases}}
    for zpr in zprs:
        diseases |= {(DISEASE, code) for rep in zpr.reps(2) if (code := rep.part(1))}
        diseases |= {(DISEASE_EXCHANGE, code) for rep in zpr.reps(5) if (code := rep.part(1))}
    full = diseases | local
    coded = {one for one in full if one[1] not in _UNCODED}
    # The code that says "not coded" is no disease code: leaving it out is right, and so is repeating it.
    return one_of([Codings(full), Codings(coded)]) if coded != full else Is(Codings(full))


def _icd(prb: Segment) -> Iterator[str]:
    for rep in prb.reps(10):
        yield from (code.replace(".", "") for code, _, name in triplets(rep) if code and name in ("I10", "ICD10", ""))


def answered(resource: dict[str, Any]) -> Answer:
    """What a Condition says. The dot of an ICD-10 code is left out of the comparison."""
    codes = fhir.codings(resource.get("code"))
    icd = {(system, code) for system, code in codes if "icd" in system.lower() or system.endswith("6.3")}
    text = (resource.get("code") or {}).get("text")
    values = {
        code
        for one in _all_extensions(resource)
        if "valueCodeableConcept" in one
        for code in fhir.codes(one["valueCodeableConcept"])
    }
    facts = {
        "condition.identifier": frozenset(fhir.identifiers(resource)),
        "condition.text": text,
        "condition.code": frozenset(codes - icd),
        "condition.icd10": frozenset(code.replace(".", "") for _, code in icd),
        "condition.modifier": frozenset(values),
        "condition.recorded": fhir_time(resource.get("recordedDate")),
        "condition.onset": fhir_time(resource.get("onsetDateTime")) or resource.get("onsetString"),
        "condition.abatement": fhir_time(resource.get("abatementDateTime")),
        "condition.clinical_status": fhir.one_code(resource.get("clinicalStatus")),
        "condition.verification": fhir.one_code(resource.get("verificationStatus")),
        "condition.recorder": fhir.people(resource, resource.get("recorder")),
    }
    found = fhir.identifiers(resource)
    key = (found[0] if found else "",)
    return Answer(FAMILY, key, facts, frozenset(fhir.strings(resource)), resource.get("id", ""))


def _all_extensions(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "extension":
                yield from value
            yield from _all_extensions(value)
    elif isinstance(node, list):
        for value in node:
            yield from _all_extensions(value)
