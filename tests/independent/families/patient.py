"""Patient: PID of the current ADT-00, else of the newest message."""

from __future__ import annotations

from typing import Any, Iterator

from .. import fhir
from ..chart import PATIENT_SYSTEM, Chart, name_by_script
from ..claims import Answer, Claim, Includes, Is, Item, OneOf, one_of
from ..hl7 import Segment, Value, strip
from ..values import katakana, squeeze, v2_time, wide_kana

FAMILY = "Patient"
FIELDS = {
    "patient.identifier": "PID-3",
    "patient.name.kanji": "PID-5, representation I",
    "patient.name.kana": "PID-5, representation P",
    "patient.gender": "PID-8",
    "patient.birth_date": "PID-7",
    "patient.address": "PID-11, whole text",
    "patient.postal_code": "PID-11, component 5",
    "patient.telecom": "PID-13, PID-14",
}
_GENDERS = {"M": "male", "F": "female", "O": "other", "U": "unknown"}
_REPRESENTATIONS = {"I": "IDE", "P": "SYL", "A": "ABC"}


def expected(chart: Chart) -> Iterator[Item]:
    """The one Patient."""
    current = max(chart.files("ADT-00"), key=lambda file: file.age, default=None)
    file = current or chart.newest
    pid = file.messages[0].first("PID") if file else None
    if not file or not pid:
        return
    names = name_by_script(pid.reps(5))
    yield Item(
        FAMILY,
        (),
        file.where,
        {
            "patient.identifier": Includes(frozenset({(PATIENT_SYSTEM + chart.facility, chart.patient)})),
            "patient.name.kanji": _name(names.get("I")),
            "patient.name.kana": _name(names.get("P")),
            "patient.gender": _gender(pid.get(8)),
            "patient.birth_date": Is(v2_time(pid.get(7)[:8])),
            **_contact(pid),
        },
    )


def _name(rep: Value | None) -> Claim:
    if not rep:
        return Is(None)
    # Half-width kana are shown full-width. Whether hiragana in the kana repetition becomes katakana is open.
    family, given = (wide_kana(strip(rep.part(at))) for at in (1, 2))
    shown = [(family, given)]
    if not given:
        # The whole name in the first component: splitting it at its blank is a service, not a duty.
        parts = family.replace("\u3000", " ").split(maxsplit=1)
        shown += [tuple(parts)] if len(parts) == 2 else []
    shown += [(katakana(one), katakana(two)) for one, two in shown if rep.part(8) == "P"]
    return one_of(shown)


def _gender(sex: str) -> Claim:
    if sex in _GENDERS:
        return Is(_GENDERS[sex])
    # A, N and the spellings of old systems have no agreed target.
    return OneOf((None, "other", "unknown", *(["male", "female"] if sex else [])))


def _contact(pid: Segment) -> dict[str, Claim]:
    claims: dict[str, Claim] = {}
    addresses = pid.reps(11)
    if addresses and not addresses[0].part(8):
        # Without the whole text it has to be put together from its parts, in an order nobody fixed: not compared.
        pass
    else:
        claims["patient.address"] = Is(frozenset(squeeze(rep.part(8)) for rep in addresses))
    # The hyphen of a postal code may stay or go; the reading side removes it.
    postal = frozenset(code for rep in addresses if (code := rep.part(5).replace("-", "")))
    claims["patient.postal_code"] = Is(postal)
    numbers = {_number(rep): rep.part(2) for field in (13, 14) for rep in pid.reps(field) if _number(rep)}
    # An emergency number in PID-13 is the patient's own statement, but may be somebody else's telephone.
    own = frozenset(number for number, use in numbers.items() if use != "EMR")
    claims["patient.telecom"] = one_of([own, frozenset(numbers)])
    return claims


def _number(rep: Value) -> str:
    return strip(rep.part(12)) or strip(rep.part(1))


def answered(resource: dict[str, Any]) -> Answer:
    """What a Patient says."""
    by_mark = {_REPRESENTATIONS[mark]: mark for mark in _REPRESENTATIONS}
    names: dict[str, tuple[str, str]] = {}
    for name in resource.get("name", []):
        marks = [one.get("valueCode", "") for one in fhir.extensions(name, "iso21090-EN-representation")]
        for mark in marks:
            names.setdefault(by_mark.get(mark, mark), (name.get("family", ""), " ".join(name.get("given", []))))
    addresses = resource.get("address", [])
    facts = {
        "patient.identifier": frozenset(
            (one.get("system"), one.get("value")) for one in resource.get("identifier", [])
        ),
        "patient.name.kanji": names.get("I"),
        "patient.name.kana": names.get("P"),
        "patient.gender": resource.get("gender"),
        "patient.birth_date": resource.get("birthDate"),
        "patient.address": frozenset(squeeze(one["text"]) for one in addresses if one.get("text")),
        "patient.postal_code": frozenset(
            one["postalCode"].replace("-", "") for one in addresses if one.get("postalCode")
        ),
        "patient.telecom": frozenset(one.get("value") for one in resource.get("telecom", [])),
    }
    return Answer(FAMILY, (), facts, frozenset(fhir.strings(resource)), resource.get("id", ""))
