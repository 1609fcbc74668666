"""Encounter: outpatient receptions one by one, inpatient stays joined from admission and discharge.

The join is this reader's own: a discharge that names its admission (PV1-44) ends that stay, any other ends the latest
admission not later than it. Leaves (ADT-31, -32), planned events (ADT-21, -41, -51) and doctor changes (ADT-01) make no
stay; a move (ADT-42) adds a bed, which is accepted and not demanded, because that kind may still be kept unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Iterator

from .. import fhir
from ..chart import Chart
from ..claims import Answer, Claim, Is, Item, OneOf, one_of
from ..hl7 import Segment, Value, strip
from ..storage import File
from ..values import fhir_time, squeeze, v2_time

FAMILY = "Encounter"
FIELDS = {
    "encounter.class": "data kind: ADT-12 AMB, ADT-22 and ADT-52 IMP",
    "encounter.status": "arrived on its day, in-progress, finished",
    "encounter.start": "PV1-44",
    "encounter.end": "PV1-45",
    "encounter.department": "PV1-10, else the file name",
    "encounter.attending": "PV1-7",
    "encounter.admitting": "PV1-17",
    "encounter.location": "PV1-3: ward, room, bed",
    "encounter.disposition": "PV1-36",
}


def expected(chart: Chart) -> Iterator[Item]:
    """Visits, then stays, then what was cancelled or deleted."""
    for file in chart.files("ADT-12"):
        yield _visit(chart, file)
    for stay in _stays(chart):
        yield _stay(chart, stay)
    for kind, code in (("ADT-12", "AMB"), ("ADT-22", "IMP")):
        for state in chart.of(kind, "cancelled", "deleted"):
            file = state.current or state.older[-1]
            # Whether a cancelled event is gone or shown as cancelled is not said; shown as valid it must not be.
            yield Item(
                FAMILY,
                (code, file.event_time),
                file.where,
                {"encounter.class": Is(code), "encounter.status": OneOf(("cancelled", "entered-in-error"))},
                optional="cancelled or deleted",
            )


def _pv1(file: File) -> Segment:
    return file.messages[0].first("PV1") or Segment("PV1", ("PV1",), file.messages[0].segments[0].marks)


def _visit(chart: Chart, file: File) -> Item:
    pv1 = _pv1(file)
    start = v2_time(pv1.get(44))
    day = start or f"{file.day[:4]}-{file.day[4:6]}-{file.day[6:]}"
    over = day[:10] < chart.today.isoformat()
    claims: dict[str, Claim] = {
        "encounter.class": Is("AMB"),
        "encounter.status": Is("finished" if over else "arrived"),
        "encounter.end": OneOf((None, v2_time(pv1.get(45)), start, start and start[:10])),
        "encounter.department": _department([pv1], [file]),
        "encounter.attending": _person(pv1.first(7)),
        "encounter.admitting": OneOf((None, *_names(pv1.first(17)))),
    }
    if start:
        claims["encounter.start"] = Is(start)
    beds = _beds([pv1])
    # The place of a visit is its department (type C); repeating it as a location is allowed.
    claims["encounter.location"] = one_of([beds, frozenset()])
    return Item(FAMILY, ("AMB", start), file.where, claims)


# --- stays ------------------------------------------------------------------------------------------------------------


@dataclass
class Stay:
    """An admission with the discharge that ends it; either may be missing."""

    admission: File | None
    discharge: File | None = None
    moves: list[File] = field(default_factory=list)

    @property
    def start(self) -> str | None:
        return self.admission.event_time if self.admission else None


def _stays(chart: Chart) -> list[Stay]:
    stays = [Stay(file) for file in chart.files("ADT-22")]
    stays.sort(key=lambda stay: stay.start or "")
    discharges = sorted(chart.files("ADT-52"), key=lambda file: file.event_time or "")
    for named in (True, False):  # those that name their admission choose first
        for file in discharges:
            begin = v2_time(_pv1(file).get(44))
            if bool(begin) == named:
                stay = _ended_by(stays, file, begin)
                if stay:
                    stay.discharge = file
                else:
                    stays.append(Stay(None, file))
    for file in chart.files("ADT-42"):
        inside = [stay for stay in stays if (stay.start or "") <= (file.event_time or "") <= _last(stay)]
        if inside:
            inside[-1].moves.append(file)
    return stays


def _last(stay: Stay) -> str:
    return (stay.discharge and stay.discharge.event_time) or "9999"


def _ended_by(stays: list[Stay], file: File, begin: str | None) -> Stay | None:
    end = file.event_time or ""
    open_stays = [stay for stay in stays if not stay.discharge and (stay.start or "") <= end]
    if begin:
        same = [stay for stay in open_stays if stay.start == begin]
        # A start that was corrected afterwards: the same day still says which stay is meant.
        same = same or [stay for stay in open_stays if (stay.start or "")[:10] == begin[:10]]
        return same[-1] if same else None
    return open_stays[-1] if open_stays else None


def _stay(chart: Chart, stay: Stay) -> Item:
    files = [file for file in (stay.admission, stay.discharge) if file]
    parts = [_pv1(file) for file in files]
    end = stay.discharge.event_time if stay.discharge else None
    claims: dict[str, Claim] = {
        "encounter.class": Is("IMP"),
        # On leave is a state of its own in the table of statuses, but an open stay is in-progress.
        "encounter.status": Is("finished") if stay.discharge else OneOf(("in-progress", "onleave")),
        "encounter.end": Is(end),
        "encounter.department": _department(parts, files),
        # The discharge may name another doctor than the admission.
        "encounter.attending": one_of([name for part in parts for name in _names(part.first(7))] or [frozenset()]),
        "encounter.admitting": one_of([name for part in parts for name in _names(part.first(17))] or [frozenset()]),
        "encounter.disposition": Is(parts[-1].get(36) or None) if stay.discharge else Is(None),
    }
    # Without an admission the start is unknown, unless the discharge names it.
    begin = v2_time(parts[-1].get(44))
    claims["encounter.start"] = Is(stay.start) if stay.admission else one_of([None, begin])
    moved = [_pv1(file) for file in stay.moves]
    # A discharge repeats the last bed; it is the same bed unless a move was left out.
    choices = [_beds(parts[:1]), _beds(parts)]
    if moved:
        choices.append(_beds([*parts, *moved]))
    claims["encounter.location"] = one_of(choices)
    return Item(FAMILY, ("IMP", stay.start), files[0].where, claims)


# --- pieces -----------------------------------------------------------------------------------------------------------


def _department(parts: list[Segment], files: list[File]) -> Claim:
    stated = [code for part in parts if (code := part.get(10))]
    if stated:
        return one_of(stated)
    named = [file.department for file in files if file.department != "-"]
    clinic = [strip(part.first(3).part(1)) for part in parts if part.first(3).part(6) == "C"]
    return one_of([code for code in (*clinic, *named) if code] or [None])


def _names(person: Value) -> list[frozenset[str]]:
    name = squeeze(person.part(2) + person.part(3))
    return [frozenset({name})] if name else []


def _person(person: Value) -> Claim:
    return one_of(_names(person) or [frozenset()])


def _beds(parts: list[Segment]) -> frozenset[tuple[str, ...]]:
    """Every place as its stated parts, ward first."""
    places = (part.first(3) for part in parts)
    found = (tuple(strip(place.part(at)) for at in (1, 2, 3)) for place in places)
    return frozenset(tuple(part for part in place if part) for place in found if any(place))


def answered(resource: dict[str, Any]) -> Answer:
    """What an Encounter says."""
    period = resource.get("period", {})
    people: dict[str, frozenset[str]] = {}
    for one in resource.get("participant", []):
        for code in fhir.codes(one.get("type", [])):
            people[code] = people.get(code, frozenset()) | fhir.people(resource, one.get("individual"))
    facts = {
        "encounter.class": resource.get("class", {}).get("code"),
        "encounter.status": resource.get("status"),
        "encounter.start": fhir_time(period.get("start")),
        "encounter.end": fhir_time(period.get("end")),
        "encounter.department": fhir.one_code(resource.get("serviceType")),
        "encounter.attending": people.get("ATND", frozenset()),
        "encounter.admitting": people.get("ADM", frozenset()),
        "encounter.location": frozenset(filter(None, (_bed(resource, one) for one in resource.get("location", [])))),
        "encounter.disposition": fhir.one_code(resource.get("hospitalization", {}).get("dischargeDisposition")),
    }
    key = (facts["encounter.class"], facts["encounter.start"])
    return Answer(FAMILY, key, facts, frozenset(fhir.strings(resource)), resource.get("id", ""))


def _bed(resource: dict[str, Any], entry: dict[str, Any]) -> tuple[str, ...]:
    """Ward, room and bed of one location entry, whether they are a chain (`partOf`) or one name with separators."""
    place: dict[str, Any] = entry.get("location", {})
    names: list[str] = []
    for _ in range(4):
        found = fhir.target(resource, place)
        text = found.get("name") or found.get("display") or place.get("display") or ""
        names.insert(0, text or "".join(fhir.identifiers(found)))
        if "partOf" not in found:
            break
        place = found["partOf"]
    words: list[str] = []
    for name in names:
        plain = [re.sub(r"(病棟|号室|ベッド|床|室)$", "", word) for word in re.split(r"[\s\u3000^/・,、-]+", name)]
        plain = [word for word in plain if word]
        # A child may repeat the name of its parent ("8A", "8A 4", "8A 4 1") or only add its own part.
        repeats = len(plain) > len(words) and plain[: len(words)] == words
        words = plain if repeats else words + plain
    return tuple(words)
