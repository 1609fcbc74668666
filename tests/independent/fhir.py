"""FHIR answers: reading the folder of JSON files, and small helpers over resources.

Numbers keep the digits of the document (`values.Number`), because 4.0 and 4 are different statements.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

from .values import Number

Resource = dict[str, Any]
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
ORDER = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
RP_NUMBER = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/Medication-RPGroupNumber"
ORDER_IN_RP = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/MedicationAdministrationIndex"


def load(folder: Path) -> dict[str, list[Resource]]:
    """The resources of each patient, by the name of the file without `.json`."""
    return {path.stem: list(unique(parse(path.read_text("utf-8")))) for path in sorted(folder.glob("*.json"))}


def parse(text: str) -> Any:
    """JSON whose numbers keep their digits."""
    return json.loads(text, parse_float=Number, parse_int=Number)


def unique(document: Any) -> Iterator[Resource]:
    """The resources of a document, whatever it is: a resource, a Bundle, or lists of them. Repeated ones come once."""
    seen: set[tuple[str, str]] = set()
    for resource in _flat(document):
        name = (resource["resourceType"], resource.get("id", ""))
        if not name[1] or name not in seen:
            seen.add(name)
            yield resource


def _flat(document: Any) -> Iterator[Resource]:
    if isinstance(document, list):
        for one in document:
            yield from _flat(one)
    elif isinstance(document, dict) and document.get("resourceType") == "Bundle":
        for entry in document.get("entry", []):
            yield from _flat(entry.get("resource"))
    elif isinstance(document, dict) and "resourceType" in document:
        yield document


def strings(node: Any) -> Iterator[str]:
    """Every text in a resource."""
    if isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def codings(concept: Resource | None) -> frozenset[tuple[str, str]]:
    """The codings of a CodeableConcept."""
    found = (concept or {}).get("coding", [])
    return frozenset((one.get("system", ""), one["code"]) for one in found if "code" in one)


def codes(concept: Resource | list[Resource] | None) -> frozenset[str]:
    """Only the codes, of one CodeableConcept or of several."""
    several = concept if isinstance(concept, list) else [concept or {}]
    return frozenset(code for one in several for _, code in codings(one))


def one_code(concept: Resource | None) -> str | None:
    """The single code of a CodeableConcept; several are shown joined, so that they differ from any single one."""
    return "+".join(sorted(codes(concept))) or None


def identifiers(resource: Resource, system: str | None = None) -> list[str]:
    """Identifier values, of one system or of all."""
    found = resource.get("identifier", [])
    return [one.get("value", "") for one in found if system is None or one.get("system") == system]


def extensions(node: Resource, ending: str) -> list[Resource]:
    """Extensions whose URL ends so."""
    return [one for one in node.get("extension", []) if one.get("url", "").endswith(ending)]


def target(resource: Resource, reference: Resource | None) -> Resource:
    """What a reference to a contained resource points to, else the reference itself."""
    wanted = (reference or {}).get("reference", "")
    found = (one for one in resource.get("contained", []) if wanted == "#" + one.get("id", ""))
    return next(found, reference or {})


def people(resource: Resource, reference: Resource | None) -> frozenset[str]:
    """The names, without blanks, of the person whom a reference names."""
    person = target(resource, reference)
    found = {(reference or {}).get("display", "")}
    for name in person.get("name", []) if isinstance(person.get("name"), list) else []:
        found.add(name.get("text", ""))
        found.add(name.get("family", "") + "".join(name.get("given", [])))
    return frozenset("".join(name.split()) for name in found if name)
