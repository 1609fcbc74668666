"""Coded values: which code system a triplet of HL7 belongs to, and the codings of FHIR in the same form.

A coding is `(system, code)`. `LOCAL` stands for `urn:musubi:local:<facility>:<table>`. Systems that the documents do
not place get `ANY`, and only the code is compared.
"""

from __future__ import annotations

from typing import Any, Iterable

from .hl7 import Value, strip

Coding = tuple[str, str]
ANY = "*"

SYSTEMS = {
    "HOT": "http://medis.or.jp/CodeSystem/master-HOT9",
    "HOT9": "http://medis.or.jp/CodeSystem/master-HOT9",
    "HOT7": "http://medis.or.jp/CodeSystem/master-HOT7",
    "HOT13": "http://medis.or.jp/CodeSystem/master-HOT13",
    "YJ": "http://capstandard.jp/iyaku.info/CodeSystem/YJ-code",
    "JC10": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
    "MR9P": "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code",
    "HL70162": "http://jpfhir.jp/fhir/core/CodeSystem/route-codes",
}
USAGE = "http://jami.jp/CodeSystem/MedicationUsage"
USAGE_ADDITIONAL = "http://jami.jp/CodeSystem/MedicationUsageAdditional"
BASIC_METHOD = "http://jami.jp/CodeSystem/MedicationMethodBasicUsage"
DETAIL_METHOD = "http://jami.jp/CodeSystem/MedicationMethodDetailUsage"
BODY_SITE = "http://jami.jp/CodeSystem/MedicationBodySiteExternal"
DISEASE = "http://medis.or.jp/CodeSystem/master-disease-keyNumber"
DISEASE_EXCHANGE = "http://medis.or.jp/CodeSystem/master-disease-exCode"


def triplets(value: Value) -> list[tuple[str, str, str]]:
    """Both triplets of a CWE that state a code or a text: (code, text, system)."""
    parts = [tuple(strip(value.part(start + at)) for at in range(3)) for start in (1, 4)]
    return [part for part in parts if part[0] or part[1]]  # type: ignore[misc]


def system_of(name: str, code: str, facility: str) -> str:
    """The FHIR system of a code, as far as the documents place it."""
    if name.startswith("99"):
        return f"urn:musubi:local:{facility}:{name}"
    if name in ("HOT", "HOT9") and (len(code) != 9 or not code.startswith("1")):
        return ANY  # receipt codes (62…) travel as HOT9; whether they are renamed is open
    if name == "JC10" and len(code) != 17:
        return ANY  # JLAC10 codes of a wrong length
    return SYSTEMS.get(name, ANY)


def codings(value: Value, facility: str) -> set[Coding]:
    """The codings that a CWE states."""
    return {(system_of(name, code, facility), code) for code, _, name in triplets(value) if code}


def display(value: Value) -> str:
    """What the sender shows for a coded value: the first text, else the original text."""
    texts = [text for _, text, _ in triplets(value) if text]
    return texts[0] if texts else strip(value.part(9))


def matches(expected: Iterable[Coding], found: Iterable[Coding]) -> bool:
    """Whether both sides hold the same codings; ANY agrees with every system, one to one."""
    rest = list(found)
    for system, code in sorted(expected, key=lambda one: one[0] == ANY):
        hit = next((one for one in rest if one[1] == code and system in (ANY, one[0])), None)
        if hit is None:
            return False
        rest.remove(hit)
    return not rest


class Codings(frozenset[Coding]):
    """A set of codings whose equality knows ANY."""

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, (frozenset, set)) and matches(self, other)

    __hash__ = frozenset.__hash__
