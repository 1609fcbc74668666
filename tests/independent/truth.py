"""The truth that the generator writes beside its storages, in the form of answers.

It is a third statement about the same files: what their author meant. Comparing it with what this reading expects shows
mistakes of either before any server is asked. A truth states only some fields; the others are not compared.

Form: somewhere in the document, one object a patient with `localId`, `patient` (an object or null) and the lists
`encounters`, `conditions`, `allergies`, `medicationRequests` and `observations`.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Callable, Iterator

from .chart import PATIENT_SYSTEM
from .claims import Answer, Is, Item, OneOf, Shows
from .coded import DISEASE, DISEASE_EXCHANGE, USAGE, USAGE_ADDITIONAL, system_of
from .values import decimal, fhir_time, squeeze

Record = dict[str, Any]


# The author writes one form of these characters, the encoding of a file decides which form arrives.
_FORMS = str.maketrans("−〜‖¢£¬", "－～∥￠￡￢")


def folded(items: list[Item]) -> list[Item]:
    """The same expectations with one form for the characters that have two."""
    return [replace(item, claims={name: _folded(claim) for name, claim in item.claims.items()}) for item in items]


def _folded(node: Any) -> Any:
    if isinstance(node, (Is, OneOf, Shows)):
        return replace(node, **{one.name: _folded(getattr(node, one.name)) for one in fields(node)})
    if type(node) in (tuple, frozenset):
        return type(node)(map(_folded, node))
    return node.translate(_FORMS) if isinstance(node, str) else node


def load(path: Path, facility: str) -> dict[str, list[Answer]]:
    """The truth of every patient by local id."""
    found = {}
    for entry in _patients(json.loads(path.read_text("utf-8").translate(_FORMS))):
        records = [_patient(entry["patient"], facility)] if entry.get("patient") else []
        for name, read in _READERS.items():
            records += [read(record, facility) for record in entry.get(name, []) if not _is_hidden(record)]
        found[entry["localId"]] = records
    if not found:
        raise ValueError(f"{path}: no patient in it")
    return found


def _patients(node: Any) -> Iterator[Record]:
    if isinstance(node, dict) and "localId" in node and "observations" in node:
        yield node
    elif isinstance(node, (dict, list)):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _patients(child)


def _is_hidden(record: Record) -> bool:
    """Restricted records do not exist for readers."""
    return record.get("security") in ("V", "R", "HIV", "PSY")


def _answer(family: str, key: tuple[Any, ...], facts: Record) -> Answer:
    return Answer(family, key, facts, partial=True)


def _codes(codes: Any, facility: str) -> frozenset[tuple[str, str]]:
    several = codes if isinstance(codes, list) else [codes] if codes else []
    return frozenset((system_of(one["system"], one["code"], facility), one["code"]) for one in several if one["code"])


def _display(codes: Any) -> str | None:
    several = codes if isinstance(codes, list) else [codes] if codes else []
    return next((one["display"] for one in several if one["display"]), None)


def _person(person: Record | None) -> frozenset[str]:
    return frozenset({squeeze(person["family"] + person["given"])} if person else ())


def _patient(patient: Record, facility: str) -> Answer:
    names: dict[str, tuple[str, str]] = {}
    for name in patient["name"]:
        names[name["representation"]] = (name.get("family") or name.get("text", ""), name.get("given", ""))
    return _answer("Patient", (), {
        "patient.identifier": frozenset({(PATIENT_SYSTEM + facility, patient["identifier"])}),
        "patient.name.kanji": names.get("IDE"),
        "patient.name.kana": names.get("SYL"),
        "patient.gender": patient["gender"],
        "patient.birth_date": patient["birthDate"],
        "patient.address": frozenset({squeeze(patient["address"]["text"])} - {""}),
        "patient.postal_code": frozenset({patient["address"]["postalCode"].replace("-", "")} - {""}),
        "patient.telecom": frozenset(one["value"] for one in patient["telecom"]),
    })  # fmt: skip


def _encounter(record: Record, facility: str) -> Answer:
    start = fhir_time(record.get("start"))
    place = record.get("location")
    facts = {
        "encounter.class": record["class"],
        "encounter.status": record["status"],
        "encounter.start": start,
        "encounter.department": record.get("department"),
        "encounter.attending": _person(record.get("attender")),
    }
    if record["class"] == "IMP":
        facts |= {
            "encounter.end": fhir_time(record.get("end")),
            "encounter.admitting": _person(record.get("admitter")),
            "encounter.location": frozenset({tuple(place.split("^"))} if place else ()),
            "encounter.disposition": record.get("dischargeDisposition"),
        }
    return _answer("Encounter", (record["class"], start), facts)


def _condition(record: Record, facility: str) -> Answer:
    codes = {(DISEASE, record["code"]["code"])} if record["code"]["code"] else set()
    if record.get("exchangeCode"):
        codes.add((DISEASE_EXCHANGE, record["exchangeCode"]))
    parts = [(record.get(part) or {}).get("display", "") for part in ("prefix", "suffix")]
    modifiers = [record[part]["code"] for part in ("prefix", "suffix") if record.get(part)]
    erroneous = record["verificationStatus"] == "entered-in-error"
    facts = {
        "condition.identifier": frozenset({record["identifier"]}),
        "condition.text": record["code"]["display"] if not any(parts) else parts[0] + record["code"]["display"] + parts[1],
        "condition.code": frozenset(codes),
        "condition.icd10": frozenset({record["icd10"].replace(".", "")} if record.get("icd10") else ()),
        "condition.modifier": frozenset(modifiers),
        "condition.recorded": record["recordedDate"],
        "condition.onset": record.get("onset"),
        "condition.abatement": record.get("abatement"),
        # An error has no clinical status in FHIR.
        "condition.clinical_status": None if erroneous else record["clinicalStatus"],
        "condition.verification": record["verificationStatus"],
        "condition.recorder": _person(record.get("recorder")),
    }
    return _answer("Condition", (record["identifier"],), facts)


def _allergy(record: Record, facility: str) -> Answer:
    text = _display(record["code"])
    facts = {
        "allergy.code": _codes(record["code"], facility),
        "allergy.text": text,
        "allergy.category": frozenset({record["category"]} if record.get("category") else ()),
        "allergy.reaction": record.get("reaction"),
    }
    if record.get("source") == "IAM":
        facts |= {
            "allergy.clinical_status": record["clinicalStatus"],
            "allergy.verification": record.get("verificationStatus"),
            "allergy.severity": record.get("severity"),
            "allergy.onset": record.get("onsetDateTime") or record.get("onsetString"),
            "allergy.recorded": record.get("recordedDate"),
        }
    return _answer("AllergyIntolerance", (text or "",), facts)


def _amount(record: Record, name: str) -> tuple[str | None, str | None]:
    amount = record.get(name)
    return (decimal(amount["value"]), amount["unit"]["display"]) if amount else (None, None)


def _request(record: Record, facility: str) -> Answer:
    total = _amount(record, "total" if record["kind"] == "injection" else "quantity")
    facts = {
        "medication.order": frozenset({record["orderNumber"]}),
        "medication.rp": record["rpNumber"],
        "medication.status": record["status"],
        "medication.setting": record["category"],
        "medication.authored": fhir_time(record["authoredOn"]),
        "medication.requester": _person(record["requester"]),
        "medication.start": fhir_time(record["start"]),
        "medication.end": fhir_time(record.get("end")),
        "medication.route": _codes(record.get("route"), facility),
    }
    facts |= _injection(record, facility, total) if record["kind"] == "injection" else _prescription(record, facility, total)
    return _answer("MedicationRequest", (record["orderNumber"], record["rpNumber"]), facts)


def _prescription(record: Record, facility: str, total: tuple[str | None, str | None]) -> Record:
    usage, extra = record.get("usage") or {}, record.get("additionalUsage") or []
    dose, daily = _amount(record, "dose"), _amount(record, "daily")
    standard = usage.get("system") == "JAMISDP01"
    return {
        "medication.order_in_rp": record["orderInRp"],
        "medication.drug_code": _codes(record["medication"], facility),
        "medication.drug_text": _display(record["medication"]),
        "medication.dose": dose[0],
        "medication.dose_unit": dose[1],
        "medication.dose_max": _amount(record, "maxDose")[0],
        "medication.daily": daily if daily[0] else None,
        "medication.total": total[0],
        "medication.total_unit": total[1],
        "medication.repeats": record.get("refills"),
        "medication.prescription_number": frozenset({record["prescriptionNumber"]}),
        "medication.usage_code": frozenset({(USAGE, usage["code"])} if standard else ()),
        "medication.usage_extra": frozenset((USAGE_ADDITIONAL, one["code"]) for one in extra),
        "medication.usage_text": "\n".join(filter(None, (usage.get("display"), record.get("condition")))),
        "medication.days": record.get("days"),
        "medication.times": record.get("times"),
    }


def _injection(record: Record, facility: str, total: tuple[str | None, str | None]) -> Record:
    parts = record["ingredients"]
    rate = _amount(record, "rate")
    return {
        "injection.ingredient_code": tuple(_codes(one["medication"], facility) for one in parts),
        "injection.ingredient_text": tuple(_display(one["medication"]) for one in parts),
        "injection.ingredient_amount": tuple(_amount(one, "amount") for one in parts),
        "injection.volume": frozenset({total} if total[0] else ()),
        "injection.rate": rate if rate[0] else None,
    }


def _observation(record: Record, facility: str) -> Answer:
    codes = _codes(record["code"], facility)
    effective = fhir_time(record.get("effective"))
    limits = record.get("referenceRange") or {}
    value = record.get("value") or {}
    facts = {
        "observation.code": codes,
        "observation.text": _display(record["code"]),
        "observation.status": record["status"],
        "observation.value": _value(value),
        "observation.comparator": value.get("quantity", {}).get("comparator"),
        "observation.effective": effective,
    }
    if record.get("unit") and value:
        facts["observation.unit"] = record["unit"]["display"]
    if "orderNumber" in record:
        facts |= {
            "observation.range_text": limits.get("text"),
            "observation.range": (limits["low"], limits["high"]) if "low" in limits else None,
            "observation.flag": frozenset({record["interpretation"]} if record.get("interpretation") else ()),
            "observation.order": frozenset({record["orderNumber"]}),
            "observation.specimen": frozenset(code for _, code in _codes(record["specimen"], facility)),
            "observation.specimen_text": _display(record["specimen"]),
        }
    return _answer("Observation", (min((code for _, code in codes), default=""), effective), facts)


def _value(value: Record) -> tuple[str, Any] | None:
    if "quantity" in value:
        return ("quantity", value["quantity"]["value"])
    if "string" in value:
        return ("text", squeeze(value["string"]))
    if "ratio" in value:
        return ("ratio", tuple(value["ratio"]))
    concept = value.get("codeableConcept")
    return ("code", (frozenset({concept["code"]}), concept["display"])) if concept else None


_READERS: dict[str, Callable[[Record, str], Answer]] = {
    "encounters": _encounter,
    "conditions": _condition,
    "allergies": _allergy,
    "medicationRequests": _request,
    "observations": _observation,
}
