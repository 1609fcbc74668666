"""Observation: every OBX of OML-11, and the body values and blood groups of ADT-00."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Iterator

from .. import fhir
from ..chart import Chart
from ..claims import Answer, Claim, Includes, Is, Item, OneOf, one_of
from ..coded import Codings, codings, display, triplets
from ..hl7 import Marks, Segment, Value, strip
from ..storage import File
from ..values import decimal, fhir_time, number, squeeze, v2_time

FAMILY = "Observation"
FIELDS = {
    "observation.code": "OBX-3",
    "observation.text": "OBX-3",
    "observation.category": "data kind",
    "observation.status": "OBX-11",
    "observation.value": "OBX-2, OBX-5: number, text, code, time",
    "observation.comparator": "OBX-5: less or more than",
    "observation.unit": "OBX-6",
    "observation.range_text": "OBX-7",
    "observation.range": "OBX-7: low and high as numbers",
    "observation.flag": "OBX-8",
    "observation.effective": "OBX-14, else OBR-7, else SPM-17",
    "observation.issued": "body values: EVN-2",
    "observation.order": "OBR-2",
    "observation.specimen": "SPM-4, else OBR-15",
    "observation.specimen_text": "SPM-4, else OBR-15",
}
_STATUS = {"F": "final", "U": "final", "C": "corrected", "P": "preliminary", "S": "preliminary"}
_STATUS |= {"R": "registered", "I": "registered", "O": "registered", "0": "registered"}
_STATUS |= {"X": "cancelled", "N": "cancelled", "D": "entered-in-error", "W": "entered-in-error"}
_FLAGS = {"L", "H", "LL", "HH", "<", ">", "N", "A", "AA", "S", "R", "I", "MS", "VS", "U", "D", "B", "W"}
_COMPARATORS = {"<": "<", ">": ">", "<=": "<=", ">=": ">=", "=<": "<=", "=>": ">=", "≦": "<=", "≧": ">="}
_COMPARATORS |= {"≤": "<=", "≥": ">="}


def expected(chart: Chart) -> Iterator[Item]:
    """Results of the laboratory, then the values that stand in the demographics."""
    for file in chart.files("OML-11"):
        for message in file.messages:
            yield from _report(chart, file, message.segments)
    newest = max(chart.files("ADT-00"), key=lambda file: file.age, default=None)
    for message in newest.messages if newest else []:
        event = message.first("EVN")
        for obx in message.all("OBX"):
            if newest and obx.first(3):
                yield _body(chart, newest, obx, v2_time(event.get(2)) if event else None)


def _report(chart: Chart, file: File, segments: list[Segment]) -> Iterator[Item]:
    spm: Segment | None = None
    obr: Segment | None = None
    orc: Segment | None = None
    for segment in segments:
        if segment.name == "SPM":
            spm, obr, orc = segment, None, None
        elif segment.name == "OBR":
            obr = segment
        elif segment.name == "ORC":
            orc = segment
        elif segment.name == "OBX" and segment.first(3):
            item = _result(chart, file, segment, obr, orc, spm)
            if obr is None:
                item.optional = "describes the specimen, not an order"
            yield item


def _result(
    chart: Chart, file: File, obx: Segment, obr: Segment | None, orc: Segment | None, spm: Segment | None
) -> Item:
    sources = [(obx, 14), (obr, 7), (spm, 17)]
    effective = next((time for one, at in sources if one and (time := v2_time(one.get(at)))), None)
    orders = {one.get(2) for one in (obr, orc) if one and one.get(2)}
    specimen = spm.first(4) if spm and spm.first(4) else _obr_specimen(obr)
    claims = _common(chart, obx)
    claims |= {
        # Results of JLAC10 class 6 may be filed as microbiology.
        "observation.category": OneOf(("laboratory", "microbiology", "laboratory+microbiology"))
        if obx.get(3).startswith("6")
        else Is("laboratory"),
        "observation.effective": Is(effective),
        "observation.order": Includes(frozenset(orders)),
        "observation.specimen": Is(frozenset(code for code, _, _ in triplets(specimen) if code)),
        "observation.specimen_text": Is(display(specimen)) if display(specimen) else OneOf((specimen.part(1), "不明")),
    }
    removed = obx.get(11) in ("D", "W")
    return Item(FAMILY, _key(obx, effective), file.where, claims, optional="removed by OBX-11" if removed else "")


def _obr_specimen(obr: Segment | None) -> Value:
    """OBR-15 holds the material as sub-components of its first component."""
    rep = obr.first(15) if obr else None
    if not rep:
        return Value("", Marks())
    return Value(rep.marks.component.join(rep.sub(1, at) for at in (1, 2, 3)), rep.marks)


def _body(chart: Chart, file: File, obx: Segment, recorded: str | None) -> Item:
    claims = _common(chart, obx)
    effective = v2_time(obx.get(14))
    measured = obx.get(3).startswith("9N")
    claims["observation.effective"] = Is(effective)
    if measured:
        claims["observation.category"] = Is("body-measurement")
        claims["observation.issued"] = Is(recorded) if not effective else OneOf((None, recorded))
    return Item(FAMILY, _key(obx, effective), file.where, claims)


def _key(obx: Segment, effective: str | None) -> tuple[Any, ...]:
    codes = [code for code, _, _ in triplets(obx.first(3)) if code]
    return (min(codes, default=""), effective)


def _common(chart: Chart, obx: Segment) -> dict[str, Claim]:
    name = obx.first(3)
    claims: dict[str, Claim] = {
        "observation.code": Is(Codings(codings(name, chart.facility))),
        "observation.text": Is(display(name)) if display(name) else OneOf((None, name.part(1))),
        "observation.range_text": Is(strip(obx.first(7).text) or None),
        "observation.range": _range(strip(obx.first(7).text)),
        "observation.flag": _flags([strip(rep.text) for rep in obx.reps(8)]),
        **_value(obx),
    }
    if obx.get(11) in _STATUS:  # without a status, or with one that nobody defined, any is right
        claims["observation.status"] = Is(_STATUS[obx.get(11)])
    return claims


def _flags(flags: list[str]) -> Claim:
    plain = frozenset(unicodedata.normalize("NFKC", flag).upper() for flag in flags)
    known = plain & _FLAGS
    # A flag of the laboratory's own may be shown or left out.
    return one_of([plain, known, frozenset(flags)])


def _range(text: str) -> Claim:
    between = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*-\s*(-?\d+(?:\.\d+)?)", text)
    if between:
        return Is((decimal(between[1]), decimal(between[2])))
    plain = unicodedata.normalize("NFKC", text)
    wide = re.fullmatch(r"(-?\d+(?:\.\d+)?)\s*[-~〜]\s*(-?\d+(?:\.\d+)?)", plain)
    low = re.fullmatch(r">=?\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*以上", plain)
    high = re.fullmatch(r"<=?\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*(?:以下|未満)", plain)
    # Limits other than "low-high" may be read as numbers or stay text.
    if wide:
        return OneOf((None, (wide[1], wide[2])))
    if low:
        return OneOf((None, (low[1] or low[2], None)))
    return OneOf((None, (None, high[1] or high[2]))) if high else Is(None)


# --- values -----------------------------------------------------------------------------------------------------------

# A value is (kind, content): quantity, text, code, time, range or ratio.
Reading = tuple[str, Any]


def _value(obx: Segment) -> dict[str, Claim]:
    value = obx.first(5)
    unit = obx.first(6)
    readings = _readings(obx.get(2), value) if value and strip(value.text) else [(None, None)]
    if len(obx.reps(5)) > 1:
        # Several values in one OBX have no place of their own in one Observation.
        texts = [strip(rep.text) for rep in obx.reps(5)]
        readings += [(("text", mark.join(texts)), None) for mark in ("~", ", ", "、", " ", "\n")]
    numeric = all(one and one[0] in ("quantity", "range") for one, _ in readings)
    # Senders give a unit as ASCII and as they print it; which of the two is shown is open.
    units = [strip(unit.part(at)) for at in (2, 1) if strip(unit.part(at))] or [None]
    return {
        "observation.value": one_of([one for one, _ in readings]),
        "observation.comparator": one_of([sign for _, sign in readings]),
        "observation.unit": one_of(units if numeric else [*units, None]),
    }


def _readings(kind: str, value: Value) -> list[tuple[Reading, str | None]]:
    """The readings of a value with their comparator; the first is the one the documents name."""
    text = strip(value.text)
    if kind == "SN":
        return _structured(value)
    if kind in ("CWE", "CE", "CNE"):
        return _coded(value)
    if kind in ("DT", "TS", "DTM") and v2_time(strip(value.part(1))):
        return [(("time", v2_time(strip(value.part(1)))), None)]
    if kind == "NM" and decimal(text):
        return [(("quantity", decimal(text)), None)]
    return _compared(text)


def _compared(text: str) -> list[tuple[Reading, str | None]]:
    as_text: tuple[Reading, str | None] = (("text", squeeze(text)), None)
    plain = unicodedata.normalize("NFKC", text).replace("〈", "<").replace("〉", ">")
    sign = re.fullmatch(r"(<=|>=|=<|=>|[<>≦≧≤≥])\s*(.+)", plain)
    if sign and (amount := decimal(sign[2])):
        return [(("quantity", amount), _COMPARATORS[sign[1]])]
    # The rarer forms of "more" and "less" may be understood or be shown as they are.
    for pattern, comparator in _WORDS:
        found = re.fullmatch(pattern, plain)
        if found and (amount := decimal(next(filter(None, found.groups())))):
            return [as_text, (("quantity", amount), comparator)]
    return [as_text]


_N = r"(-?\d+(?:\.\d+)?)"
_WORDS = [
    (rf"{_N}\s*(?:以上|↑|~)|↑\s*{_N}|{_N}\s*(?:≦|<=)", ">="),
    (rf"{_N}\s*(?:以下|イカ|↓)|↓\s*{_N}|{_N}\s*(?:≧|>=)", "<="),
    (rf"{_N}\s*(?:未満|ミマン|>)", "<"),
    (rf"{_N}\s*(?:超過|<)", ">"),
    (rf"L\s*{_N}", "<"),
    (rf"U\s*{_N}", ">"),
]


def _structured(value: Value) -> list[tuple[Reading, str | None]]:
    sign, first, between, second = (strip(value.part(at)) for at in (1, 2, 3, 4))
    whole = squeeze("".join((sign, first, between, second)))
    low, high = decimal(first), decimal(second)
    as_text: tuple[Reading, str | None] = (("text", whole), None)
    if low and not between and not second and sign in ("", "=", *_COMPARATORS):
        return [(("quantity", low), _COMPARATORS.get(sign))]
    if low and high and between == "-" and not sign:
        return [(("range", (low, high)), None)]
    if low and high and between in (":", "/"):
        return [(("ratio", (low, high)), None), as_text]
    return [as_text]


def _coded(value: Value) -> list[tuple[Reading, str | None]]:
    codes = frozenset(code for code, _, _ in triplets(value) if code)
    text = display(value)
    if not codes:
        # A text without a code is a concept without a coding, or plain text.
        return [(("code", (codes, text)), None), (("text", squeeze(text)), None)]
    return [(("code", (codes, text)), None)] + ([] if text else [(("code", (codes, min(codes))), None)])


def answered(resource: dict[str, Any]) -> Answer:
    """What an Observation says."""
    code = resource.get("code") or {}
    specimen = fhir.target(resource, resource.get("specimen"))
    kind = specimen.get("type") or {}
    ranges = resource.get("referenceRange") or [{}]
    quantity = resource.get("valueQuantity", {})
    effective = fhir_time(resource.get("effectiveDateTime"))
    facts = {
        "observation.code": fhir.codings(code),
        "observation.text": code.get("text"),
        "observation.category": "+".join(sorted(fhir.codes(resource.get("category", [])))) or None,
        "observation.status": resource.get("status"),
        "observation.value": _read_value(resource),
        "observation.comparator": quantity.get("comparator"),
        "observation.unit": quantity.get("unit") or resource.get("valueRange", {}).get("low", {}).get("unit"),
        "observation.range_text": ranges[0].get("text"),
        "observation.range": _read_range(ranges[0]),
        "observation.flag": fhir.codes(resource.get("interpretation", []))
        | frozenset(one["text"] for one in resource.get("interpretation", []) if "text" in one and "coding" not in one),
        "observation.effective": effective,
        "observation.issued": fhir_time(resource.get("issued")),
        "observation.order": frozenset(fhir.identifiers(resource)),
        "observation.specimen": fhir.codes(kind),
        "observation.specimen_text": kind.get("text"),
    }
    key = (min((one for one in fhir.codes(code)), default=""), effective)
    return Answer(FAMILY, key, facts, frozenset(fhir.strings(resource)), resource.get("id", ""))


def _read_value(resource: dict[str, Any]) -> Reading | None:
    if "valueQuantity" in resource:
        return ("quantity", number(resource["valueQuantity"].get("value")))
    if "valueString" in resource:
        return ("text", squeeze(resource["valueString"]))
    if "valueCodeableConcept" in resource:
        concept = resource["valueCodeableConcept"]
        return ("code", (fhir.codes(concept), concept.get("text", "")))
    if "valueDateTime" in resource:
        return ("time", fhir_time(resource["valueDateTime"]))
    if "valueRange" in resource:
        return ("range", tuple(number(resource["valueRange"].get(end, {}).get("value")) for end in ("low", "high")))
    if "valueRatio" in resource:
        ratio = resource["valueRatio"]
        return ("ratio", tuple(number(ratio.get(end, {}).get("value")) for end in ("numerator", "denominator")))
    return next(((name, value) for name, value in resource.items() if name.startswith("value")), None)


def _read_range(limits: dict[str, Any]) -> tuple[str | None, str | None] | None:
    low, high = (number(limits.get(end, {}).get("value")) for end in ("low", "high"))
    return (low, high) if low or high else None
