//! The decision as SQL: the one condition that every query of the door carries.
//!
//! `opened!()` is the moment at which a record `r` became visible to the reader, and null when it is
//! not visible: there is no grant that joins reader `$2`, source, category (within the profession's
//! mask `$3`), sensitivity, validity at `$4` and window. `consent::decide` says the same for one
//! record; a property test holds the two together on both databases.

/// When record `r` was opened to reader `$2` with profession mask `$3` at time `$4`; null when not.
macro_rules! opened {
    () => {
        "(select min(g.since) from office.effective_grant g \
          where g.patient = r.patient and g.reader = $2 and g.source = r.facility \
          and (g.categories & r.category & $3) <> 0 and g.sensitivity_max >= r.sensitivity \
          and g.valid_from <= $4 and g.valid_to > $4 \
          and r.occurred_from >= g.window_from and r.occurred_from < g.window_to)"
    };
}
pub(super) use opened;
