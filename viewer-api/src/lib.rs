//! How it looks: FHIR R4 JP Core, read only.
