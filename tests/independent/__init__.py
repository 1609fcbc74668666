"""A second, independent reading of SS-MIX2 storages, to hold FHIR answers against. See README.md."""
