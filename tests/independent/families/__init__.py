"""One module per FHIR resource: what the files make us expect, and what an answer says, field for field.

Every module has `FAMILY`, `FIELDS` (name and where it comes from), `expected(chart)` and `answered(resource)`.
"""
