//! What is kept: records, papers, audit, keys. Three doors: Intake, Papers, Disclosure.
