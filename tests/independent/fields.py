"""Which fields a data set has to show.

A field that a data set cannot have (the generated storage has no ranges) is not demanded of it; every other one must
have been compared at least once, else agreement means nothing.
"""

from __future__ import annotations

from pathlib import Path

from .families import allergy, condition, encounter, medication, observation, patient

FAMILIES = (patient, encounter, condition, allergy, medication, observation)
ALL = {name: source for family in FAMILIES for name, source in family.FIELDS.items()}
ALL |= {f"{family.FAMILY}.present": "one resource for one statement" for family in FAMILIES}

_TWINS_LACKS = """
condition.modifier condition.abatement
allergy.verification allergy.severity allergy.reaction allergy.onset allergy.recorded allergy.type
medication.dose_max medication.usage_extra medication.times medication.repeats medication.site medication.instruction
injection.rate injection.line observation.comparator observation.range_text observation.range observation.flag
""".split()
_NHO_HAS = """
Patient.present patient.identifier patient.name.kanji patient.name.kana patient.gender patient.birth_date
patient.address patient.postal_code patient.telecom
Encounter.present encounter.class encounter.status encounter.start encounter.department encounter.attending
encounter.admitting encounter.location
AllergyIntolerance.present allergy.code allergy.text allergy.category allergy.clinical_status
MedicationRequest.present medication.order medication.rp medication.order_in_rp medication.status medication.authored
medication.drug_code medication.drug_text medication.dose medication.dose_unit medication.dose_unit_code
medication.daily medication.usage_code medication.usage_text medication.usage_method medication.days medication.start
medication.total medication.total_unit medication.route medication.setting medication.prescription_number
medication.requester medication.recorder medication.instruction
Observation.present observation.code observation.text observation.category observation.status observation.value
observation.unit observation.issued
""".split()

SETS: dict[str, frozenset[str]] = {
    "all": frozenset(ALL),
    "none": frozenset(),
    "generated": frozenset(ALL) - {"allergy.type"},
    "twins": frozenset(ALL) - frozenset(_TWINS_LACKS),
    "nho": frozenset(_NHO_HAS),
}


def required(name: str) -> frozenset[str]:
    """A set by name, the lines of a file, or names with commas; unknown fields are an error."""
    if name in SETS:
        return SETS[name]
    text = Path(name).read_text("utf-8") if Path(name).is_file() else name.replace(",", "\n")
    fields = frozenset(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    unknown = sorted(fields - frozenset(ALL))
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(unknown)}")
    return fields
